//! The built binary, run as its users run it: a configuration file, the real database, real signals.
//!
//! It listens on a port that the system gives and prints, so two tests never want the same one. Its log
//! goes to a file and is shown when the test fails. It is killed when the test ends.

use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};

/// Whatever is waited for, it is given up after this.
pub use super::wait::DEADLINE;
use super::{wait::until_ok, wires::Wire};
/// The pause between two looks at something that can only be asked for.
pub const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// What the service is called with; role admin.
pub const ADMIN_KEY: &str = "the tests' own admin key";
/// Of the log, so much is shown when a test fails.
const SHOWN_LINES: usize = 120;

/// A table that the service watches.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// The resource's name.
    pub name: &'static str,
    /// The table as SQL names it.
    pub table: &'static str,
    /// Further lines of its entry.
    pub more: &'static str,
}

/// `rowhook serve`, or what is left of it after a kill.
pub struct Service {
    running: Option<Running>,
    directory: TempDir,
    /// What stands before its command where it runs on a host of its own.
    prefix: Vec<String>,
    log_level: Option<&'static str>,
}

struct Running {
    child: Child,
    address: SocketAddr,
}

impl Service {
    /// Starts it and waits until it is ready. `settings`: further lines at the top of the file.
    pub async fn start(database_url: &str, settings: &str, watched: &[Watched]) -> Self {
        let service = Self::start_unready(database_url, settings, watched).await;
        service.ready().await;
        service
    }

    /// The same without the wait.
    pub async fn start_unready(database_url: &str, settings: &str, watched: &[Watched]) -> Self {
        let here = Ipv4Addr::LOCALHOST;
        Self::spawned(Vec::new(), here, database_url, settings, watched).await
    }

    /// The same on a host of its own.
    pub async fn start_on(
        host: &Wire,
        database_url: &str,
        settings: &str,
        watched: &[Watched],
    ) -> Self {
        let prefix = host.prefix().to_vec();
        let service = Self::spawned(prefix, host.address(), database_url, settings, watched).await;
        service.ready().await;
        service
    }

    async fn spawned(
        prefix: Vec<String>,
        address: Ipv4Addr,
        database_url: &str,
        settings: &str,
        watched: &[Watched],
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // What every receiver of a test needs, beside what this one says in the same table.
        let own = "[receivers]\nallow_http = true\nallow_private_networks = [\"127.0.0.0/8\", \"203.0.113.0/24\"]\n";
        let settings = match settings.split_once("[receivers]\n") {
            Some((before, after)) => format!("{before}{own}{after}"),
            None => format!("{settings}\n{own}"),
        };
        let mut config = format!(
            "database_url = \"{database_url}\"\nlisten = \"{address}:0\"\nadmin_key = \"{ADMIN_KEY}\"\n\
             secret_key = \"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\"\n{settings}\n"
        );
        for Watched { name, table, more } in watched {
            config.push_str(&format!(
                "[[resources]]\nname = \"{name}\"\ntable = '{table}'\n{more}\n"
            ));
        }
        std::fs::write(directory.path().join("rowhook.toml"), config).unwrap();
        let mut service = Self {
            running: None,
            directory,
            prefix,
            log_level: None,
        };
        service.running = Some(service.spawn().await);
        service
    }

    /// Ends it and starts it again, with this in `ROWHOOK_LOG`.
    pub async fn restart_logging(&mut self, level: &'static str) {
        self.terminate().await;
        self.log_level = Some(level);
        self.restart().await;
    }

    /// Starts the process again with the same configuration, and waits until it is ready.
    pub async fn restart(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        self.running = Some(self.spawn().await);
        self.ready().await;
    }

    /// The same as a supervisor does it: again until it runs, since it ends where the database is away.
    pub async fn restart_persistently(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let ended = async || self.try_spawn().await;
        self.running = Some(until_ok("rowhook did not start", ended).await);
        self.ready().await;
    }

    async fn spawn(&self) -> Running {
        let tried = self.try_spawn().await;
        tried.unwrap_or_else(|status| panic!("rowhook did not start ({status})"))
    }

    /// Or how it ended.
    async fn try_spawn(&self) -> Result<Running, ExitStatus> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .unwrap();
        // Where a test limits the size of its files, a write past that fails instead of ending the process.
        let ignoring = ["env".to_owned(), "--ignore-signal=XFSZ".to_owned()];
        let mut words = self.prefix.iter().chain(&ignoring);
        let mut command = Command::new(words.next().expect("one at least is there"));
        command
            .args(words)
            .arg(env!("CARGO_BIN_EXE_rowhook"))
            .args(["serve", "--config", "rowhook.toml"])
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        // Only the file configures it.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROWHOOK_")) {
            command.env_remove(name);
        }
        for name in ["http_proxy", "https_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        if let Some(level) = self.log_level {
            command.env("ROWHOOK_LOG", level);
        }
        let mut child = command.spawn().unwrap();
        let (tell, told) = oneshot::channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            // To the end, so that the process never waits for a reader.
            for line in lines.map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("rowhook serves on http://")
                    && let Some(tell) = tell.take()
                {
                    let _nobody_waits = tell.send(address.parse::<SocketAddr>().unwrap());
                }
            }
        });
        match timeout(DEADLINE, told).await {
            Ok(Ok(address)) => Ok(Running { child, address }),
            Ok(Err(_)) | Err(_) => {
                let _gone = child.kill();
                Err(child.wait().unwrap())
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().expect("it does not run").address
    }

    /// Waits until `/readyz` answers 200.
    pub async fn ready(&self) {
        let began = Instant::now();
        loop {
            let answer = self.http("GET", "/readyz", "").await;
            if matches!(answer, Ok((200, _))) {
                return;
            }
            assert!(began.elapsed() < DEADLINE, "never ready: {answer:?}");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Ends the process at once, as a crash does.
    pub fn kill9(&mut self) {
        let mut running = self.running.take().expect("it does not run");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// The process's id.
    pub fn process(&self) -> u32 {
        let running = self.running.as_ref().expect("it does not run");
        running.child.id()
    }

    /// Sends the process a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        signal(self.process(), name);
    }

    /// No file may grow beyond so many bytes by the process's writes: for it the disk is full. `None`: there is
    /// room again.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let limited = Command::new("prlimit")
            .args(["--pid", &self.process().to_string()])
            // Without a second number the hard limit stays, so that this can be taken back.
            .arg(format!("--fsize={limit}:"))
            .status()
            .unwrap();
        assert!(limited.success());
    }

    /// Asks the process to end (SIGTERM) and tells how it did.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ends().await
    }

    /// Waits until the process has ended by itself and tells how it did.
    pub async fn ends(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("it does not run");
        let began = Instant::now();
        loop {
            if let Some(status) = running.child.try_wait().unwrap() {
                return status;
            }
            if began.elapsed() > DEADLINE {
                let _gone = running.child.kill();
                panic!("it did not end");
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The `data` of a document that succeeds.
    pub async fn graphql(&self, document: &str) -> Value {
        let answer = self.try_graphql(document).await;
        assert!(answer["errors"].is_null(), "{document}\n{answer}");
        answer["data"].clone()
    }

    /// The whole answer to a document.
    pub async fn try_graphql(&self, document: &str) -> Value {
        self.try_graphql_with(document, &json!({})).await
    }

    /// The whole answer to a document with variables.
    pub async fn try_graphql_with(&self, document: &str, variables: &Value) -> Value {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let (status, answer) = self.http("POST", "/graphql", &body).await.unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{status}: {answer}"))
    }

    /// One request on a connection of its own.
    pub async fn http(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> std::io::Result<(u16, String)> {
        self.http_as(ADMIN_KEY, method, path, body).await
    }

    /// The same with another key.
    pub async fn http_as(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: &str,
    ) -> std::io::Result<(u16, String)> {
        let address = self.address();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\naccept: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            body.len()
        );
        let exchange = async {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = timeout(DEADLINE, exchange)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .ok_or(std::io::ErrorKind::InvalidData)?;
        Ok((status, body.to_owned()))
    }

    /// What it has logged so far.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap()
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

/// Sends a process a signal.
pub fn signal(process: u32, name: &str) {
    let (name, process) = (format!("-{name}"), process.to_string());
    let sent = Command::new("kill").args([name, process]).status().unwrap();
    assert!(sent.success());
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _gone = running.child.kill();
            let _gone = running.child.wait();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
            eprintln!("---- rowhook's log ----\n{}\n----", shown.join("\n"));
        }
    }
}
