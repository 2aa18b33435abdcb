//! A receiver of the page, run by the page's own command, and registered.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use rand::RngExt as _;
use rowhook::domain::shared_secret::SharedSecret;
use sea_orm::{Database, DatabaseConnection};
use serde_json::json;
use tempfile::TempDir;
use tokio::{sync::mpsc, time::timeout};

use crate::support::{house::House, service::DEADLINE};

use super::page::Page;

/// Where the kernel gives no ports to others by itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// What it says to standard error; shown when the test fails.
const LOG: &str = "log";

/// One of the page's two receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `receiver.py`
    Python,
    /// `receiver.mjs`
    Node,
}

/// It runs; it is killed when the test ends.
pub struct Program {
    /// Where it listens.
    pub address: SocketAddr,
    /// The URI that it is registered with.
    pub uri: String,
    /// What it verifies with.
    pub secret: SharedSecret,
    /// Its receiver record.
    pub receiver: i64,
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    folder: TempDir,
}

/// The interpreter that `tests/run` provides.
pub fn python() -> String {
    std::env::var("ROWHOOK_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

impl Program {
    /// Registers a receiver, saves the page's blocks with `edits` made in them, and runs
    /// the page's command with the receiver's secret. `more`: further fields of the record.
    pub async fn start(
        house: &House,
        language: Language,
        edits: &[(&str, String)],
        more: &str,
    ) -> Self {
        // Another process may take the port between the look and the start.
        for _ in 0..5 {
            if let Some(program) = Self::try_start(house, language, edits, more).await {
                return program;
            }
        }
        panic!("the page's {language:?} receiver did not listen on any of five ports");
    }

    async fn try_start(
        house: &House,
        language: Language,
        edits: &[(&str, String)],
        more: &str,
    ) -> Option<Self> {
        let port = free_port();
        let uri = format!("http://127.0.0.1:{port}/hooks");
        let (receiver, secret) = register(house, &uri, more).await;

        let folder = tempfile::tempdir().unwrap();
        let page = Page::read();
        page.save(folder.path());
        let (command, file) = match language {
            Language::Python => ("receiver.sh", "receiver.py"),
            Language::Node => ("receiver-node.sh", "receiver.mjs"),
        };
        let mut program = page.block(file).to_owned();
        for (from, to) in edits {
            assert!(program.contains(from), "{file} does not contain {from:?}");
            program = program.replace(from, to);
        }
        fs::write(folder.path().join(file), program).unwrap();

        let command = page
            .block(command)
            .replace("whsec_…", secret.expose())
            .replace("http://127.0.0.1:9000/hooks", &uri)
            // The shell gives way to the program, so that killing the one ends the other.
            .replace("python3 ", &format!("exec {} ", python()))
            .replace("node ", "exec node ");
        let mut child = Command::new("sh")
            .args(["-c", &command])
            .env("PORT", port.to_string())
            .env("WEBHOOK_URI", &uri)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join(LOG)).unwrap())
            .spawn()
            .unwrap();
        let (tell, mut lines) = mpsc::unbounded_channel();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in said.map_while(Result::ok) {
                let _over = tell.send(line);
            }
        });
        let first = timeout(DEADLINE, lines.recv()).await.unwrap();
        if first != Some(format!("listening on port {port}")) {
            let _gone = child.kill();
            child.wait().unwrap();
            return None;
        }
        Some(Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            uri,
            secret,
            receiver,
            child,
            lines,
            folder,
        })
    }

    /// The next so many lines that it prints.
    pub async fn says(&mut self, count: usize) -> Vec<String> {
        let mut said = Vec::new();
        while said.len() < count {
            let line = timeout(DEADLINE, self.lines.recv()).await;
            let line = line.unwrap_or_else(|_| panic!("it said only {said:?}"));
            said.push(line.expect("it ended"));
        }
        said
    }

    /// What it has printed that nobody has asked for yet.
    pub fn said(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.try_recv().ok()).collect()
    }

    /// The database that the Python receiver keeps.
    pub async fn database(&self) -> DatabaseConnection {
        let file: PathBuf = self.folder.path().join("receiver.db");
        let url = format!("sqlite://{}", file.display());
        Database::connect(url).await.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
            eprintln!("---- the receiver's log ----\n{log}\n----");
        }
    }
}

/// A record for this URI; its id and secret.
pub async fn register(house: &House, uri: &str, more: &str) -> (i64, SharedSecret) {
    let uri = json!(uri);
    let data = house
        .service
        .graphql(&format!(
            "mutation {{ createWebhookReceiver(input: {{name: \"page\", webhookUri: {uri} {more}}})
             {{ webhookReceiver {{ id sharedSecret }} }} }}"
        ))
        .await;
    let record = &data["createWebhookReceiver"]["webhookReceiver"];
    let secret = SharedSecret::parse(record["sharedSecret"].as_str().unwrap()).unwrap();
    (record["id"].as_i64().unwrap(), secret)
}

fn free_port() -> u16 {
    loop {
        let port = rand::rng().random_range(PORTS);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
