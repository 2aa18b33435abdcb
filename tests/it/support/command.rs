//! The built binary as a command: what it prints, and how it ends.

use std::{
    cell::RefCell,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{service::signal, wait::DEADLINE};

/// A folder to call the binary in. Only what is set here configures it.
pub struct Shell {
    /// The folder.
    pub folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    /// Its exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Done {
    /// Standard output of a command that succeeded.
    pub fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// The one line of a command that failed.
    pub fn fault(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        let lines: Vec<&str> = self
            .err
            .lines()
            .filter_map(|line| line.strip_prefix("rowhook: "))
            .collect();
        assert_eq!(lines.len(), 1, "{self:?}");
        lines[0].to_owned()
    }
}

impl Shell {
    /// An empty folder.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    /// A folder whose commands work on this database.
    pub fn on(database_url: &str) -> Self {
        let mut shell = Self::new();
        shell.set("ROWHOOK_DATABASE_URL", database_url);
        shell.set(
            "ROWHOOK_SECRET_KEY",
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        );
        shell.set("ROWHOOK_LISTEN", "127.0.0.1:0");
        shell
    }

    /// Sets a variable for the commands to come.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROWHOOK_")) {
            command.env_remove(name);
        }
        for name in ["http_proxy", "https_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    /// The same, with something on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_rowhook")));
        command.args(arguments);
        let mut running = Running::start(command);
        let mut stdin = running.child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        running.ends()
    }

    /// Starts the binary and lets it run.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_rowhook")));
        command.args(arguments);
        Running::start(command)
    }

    /// Starts a bash script, which finds the binary as `rowhook`.
    pub fn bash(&self, script: &str) -> Running {
        let mut command = self.command(Path::new("bash"));
        let folder = Path::new(env!("CARGO_BIN_EXE_rowhook")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        command
            .env("PATH", format!("{}:{path}", folder.display()))
            .args(["-euo", "pipefail", "-c", script]);
        Running::start(command)
    }
}

/// A command that runs.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    heard: RefCell<Vec<String>>,
    readers: Vec<JoinHandle<String>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let gather = move |reader: Box<dyn std::io::Read + Send>| {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let mut all = String::new();
                for line in BufReader::new(reader).lines().map_while(Result::ok) {
                    all.push_str(&line);
                    all.push('\n');
                    // Nobody waits for lines any more when the command is to end.
                    let _gone = tell.send(line);
                }
                all
            })
        };
        let readers = vec![
            gather(Box::new(child.stdout.take().unwrap())),
            gather(Box::new(child.stderr.take().unwrap())),
        ];
        Self {
            child,
            lines,
            heard: RefCell::default(),
            readers,
        }
    }

    /// A line that holds this text and was not asked for yet; on which output, and so in which order they
    /// came, does not matter.
    pub fn says(&self, text: &str) -> String {
        let mut heard = self.heard.borrow_mut();
        if let Some(index) = heard.iter().position(|line| line.contains(text)) {
            return heard.remove(index);
        }
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => heard.push(line),
                Err(why) => panic!("it never said {text:?} ({why}), but {heard:#?}"),
            }
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(self) -> Done {
        signal(self.child.id(), "TERM");
        self.ends()
    }

    /// Waits for the end.
    pub fn ends(mut self) -> Done {
        let deadline = Instant::now() + DEADLINE;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            if Instant::now() > deadline {
                let _gone = self.child.kill();
                let heard: Vec<String> = self.lines.try_iter().collect();
                panic!("it did not end; it said {heard:#?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut texts = self.readers.drain(..).map(|one| one.join().unwrap());
        Done {
            code,
            out: texts.next().unwrap(),
            err: texts.next().unwrap(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
