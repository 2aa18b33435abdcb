//! The public npm client `graphql-ws`, in a process of its own. `ROWHOOK_TEST_NODE_MODULES` names the
//! folder with its package (`tests/run` provides it).

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use super::service::DEADLINE;

/// A client with one connection, which it opens with the first operation.
pub struct NpmClient {
    child: Child,
    input: Option<ChildStdin>,
    lines: UnboundedReceiver<String>,
    asked: u64,
}

impl NpmClient {
    /// A client that gives these `connectionParams`, and these headers at the upgrade.
    pub fn new(to: SocketAddr, parameters: &Value, headers: &Value) -> Self {
        let modules = std::env::var_os("ROWHOOK_TEST_NODE_MODULES").expect(
            "ROWHOOK_TEST_NODE_MODULES names no folder with graphql-ws: run the tests with tests/run",
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/graphql_ws.cjs");
        let mut child = Command::new("node")
            .arg(script)
            .arg(format!("ws://{to}/graphql"))
            .arg(parameters.to_string())
            .arg(headers.to_string())
            .env("NODE_PATH", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            asked: 0,
        }
    }

    /// A client with a key.
    pub fn with_key(to: SocketAddr, key: &str) -> Self {
        let parameters = json!({"Authorization": format!("Bearer {key}")});
        Self::new(to, &parameters, &json!({}))
    }

    /// Runs an operation; what came of it, as the script tells it.
    pub async fn ask(&mut self, document: &str, variables: &Value) -> Value {
        let n = self.start(document, variables);
        let outcome = self.outcome().await;
        assert_eq!(outcome["n"], n, "{outcome}");
        outcome
    }

    /// Starts an operation and returns its number.
    pub fn start(&mut self, document: &str, variables: &Value) -> u64 {
        self.asked += 1;
        self.say(&json!({"n": self.asked, "query": document, "variables": variables}));
        self.asked
    }

    /// Starts a subscription and returns its number; each result is an outcome with `next`.
    pub fn listen(&mut self, document: &str, variables: &Value) -> u64 {
        self.asked += 1;
        self.say(
            &json!({"n": self.asked, "live": true, "query": document, "variables": variables}),
        );
        self.asked
    }

    /// Ends a subscription.
    pub fn stop(&mut self, n: u64) {
        self.say(&json!({"stop": n}));
    }

    fn say(&mut self, line: &Value) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    /// The next outcome of any operation.
    pub async fn outcome(&mut self) -> Value {
        let line = timeout(DEADLINE, self.lines.recv()).await;
        let line = line.expect("the client says nothing");
        serde_json::from_str(&line.expect("the client has ended")).unwrap()
    }

    /// The next outcome, if one comes in this time.
    pub async fn outcome_within(&mut self, time: Duration) -> Option<Value> {
        let line = timeout(time, self.lines.recv()).await.ok()?;
        serde_json::from_str(&line.expect("the client has ended")).unwrap()
    }

    /// The GraphQL response of an operation with one answer, whether it ran or was refused.
    pub async fn response(&mut self, document: &str, variables: &Value) -> Value {
        let mut outcome = self.ask(document, variables).await;
        assert!(outcome["closed"].is_null(), "{outcome}");
        if outcome["errors"].is_null() {
            assert_eq!(outcome["results"].as_array().unwrap().len(), 1, "{outcome}");
            outcome["results"][0].take()
        } else {
            json!({"errors": outcome["errors"]})
        }
    }
}

impl Drop for NpmClient {
    fn drop(&mut self) {
        drop(self.input.take());
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
