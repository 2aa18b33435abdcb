//! A PostgreSQL server of a test's own, which it may kill.
//!
//! The server is a child of the test and dies with it. Its port lies below the range that outgoing
//! connections take theirs from, so that nobody has taken it when the server comes back.

use std::{
    fs::OpenOptions,
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use sea_orm::{ConnectionTrait as _, Database};
use tempfile::TempDir;

use super::service::{DEADLINE, LOOK_AGAIN, signal};

/// The server's ports; what asks the system for one gets others.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// The server, or what is left of it after a kill.
pub struct Cluster {
    server: Option<Child>,
    port: u16,
    programs: PathBuf,
    /// Root may not run a server: then it runs as this user.
    user: Option<&'static str>,
    directory: TempDir,
}

impl Cluster {
    /// A new one, running. `settings`: further lines of its configuration.
    pub async fn start(settings: &str) -> Self {
        let mut cluster = Self::made(settings);
        cluster.restart().await;
        cluster
    }

    /// A new one that lets whoever comes from this network in, at whatever address they find it; running.
    pub async fn open_to(network: &str, settings: &str) -> Self {
        let settings = format!("listen_addresses = '*'\n{settings}");
        let mut cluster = Self::made(&settings);
        let line = format!("host all all {network} trust\n");
        cluster.append("pg_hba.conf", &line);
        cluster.restart().await;
        cluster
    }

    /// A new one, and nothing runs.
    fn made(settings: &str) -> Self {
        let cluster = Self::stopped();
        let made = cluster
            .command("initdb")
            .arg("-D")
            .arg(cluster.data())
            .args(["-U", "rowhook", "-A", "trust", "-E", "UTF8", "--locale=C"])
            // What it wrote outlives the kill of a process; only the machine's end needs more.
            .arg("--no-sync")
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        cluster.configure(&format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\n\
             shared_buffers = '16MB'\n{settings}\n",
            cluster.port
        ));
        cluster
    }

    /// Another cluster that pg_upgrade has made of this one, which is shut down; running.
    pub async fn upgraded(&self) -> Self {
        assert!(self.server.is_none(), "it runs still");
        let mut other = Self::made("");
        // All of the server's programs stand in one folder, whatever leads to them.
        let initdb = std::fs::canonicalize(self.programs.join("initdb")).unwrap();
        let programs = initdb.parent().unwrap();
        let mut upgrade = other.command_at(&programs.join("pg_upgrade"));
        upgrade.args(["--username", "rowhook", "--socketdir"]);
        upgrade.arg(other.directory.path());
        for (which, folder) in [
            ("--old-bindir", programs),
            ("--new-bindir", programs),
            ("--old-datadir", &self.data()),
            ("--new-datadir", &other.data()),
        ] {
            upgrade.arg(which).arg(folder);
        }
        let done = upgrade.output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stdout)
        );
        other.restart().await;
        other
    }

    /// One without data, and nothing runs.
    fn stopped() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let user = is_root().then(|| {
            let there = output_of("id", &["-u", "postgres"]).is_some();
            if there { "postgres" } else { "nobody" }
        });
        if let Some(user) = user {
            let path = directory.path().display().to_string();
            output_of("chown", &[user, &path]).unwrap();
        }
        Self {
            server: None,
            port: free_port(),
            programs: programs(),
            user,
            directory,
        }
    }

    /// Further lines of its configuration; the last one of a setting counts.
    fn configure(&self, settings: &str) {
        self.append("postgresql.conf", settings);
    }

    fn append(&self, file: &str, lines: &str) {
        let path = self.data().join(file);
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
    }

    /// A copy of its files as they are now, while it is stopped.
    pub fn copy(&self) -> Self {
        assert!(self.server.is_none(), "it runs still");
        let copy = Self::stopped();
        let (from, to) = (self.data(), copy.data());
        let copied = Command::new("cp").arg("-a").args([from, to]).status();
        assert!(copied.unwrap().success());
        copy
    }

    /// A dump of the database `postgres`, restored into the one of another cluster, as people do it.
    pub fn restore_into(&self, other: &Self) {
        let dump = self.directory.path().join("dump.sql");
        let made = Command::new("pg_dump")
            .args(["--dbname", &self.url("postgres"), "--file"])
            .arg(&dump)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let restored = Command::new("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "--file"])
            .arg(&dump)
            .arg(other.url("postgres"))
            .output()
            .unwrap();
        assert!(restored.status.success(), "{restored:?}");
    }

    /// Starts this copy as a standby that follows the server that it was made of.
    pub async fn follow(&mut self, primary: &Self) {
        let source = format!("host=127.0.0.1 port={} user=rowhook", primary.port);
        self.configure(&format!(
            "port = {}\nprimary_conninfo = '{source}'\n",
            self.port
        ));
        self.stand_by().await;
    }

    /// Starts it as a standby, of nobody if it is not told of whom.
    pub async fn stand_by(&mut self) {
        std::fs::write(self.data().join("standby.signal"), "").unwrap();
        self.restart().await;
    }

    /// Makes a primary of this standby.
    pub async fn promote(&self) {
        let server = Database::connect(self.url("postgres")).await.unwrap();
        let promote = "select pg_promote()";
        server.execute_unprepared(promote).await.unwrap();
        server.close().await.unwrap();
    }

    /// Starts this copy at the address of the server that it was made of, as a standby that is promoted.
    pub async fn take_the_place_of(&mut self, gone: &Self) {
        assert!(gone.server.is_none(), "it runs still");
        self.port = gone.port;
        self.stand_by().await;
        self.promote().await;
    }

    /// Where a database of it is; `postgres` is there from the start.
    pub fn url(&self, database: &str) -> String {
        self.url_at(Ipv4Addr::LOCALHOST, database)
    }

    /// The same where the server has another address too.
    pub fn url_at(&self, address: Ipv4Addr, database: &str) -> String {
        format!("postgres://rowhook@{address}:{}/{database}", self.port)
    }

    /// Ends the server at once. Its other processes see that and end too.
    pub fn kill9(&mut self) {
        let mut server = self.server.take().expect("it does not run");
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Shuts the server down in its mode "immediate": as a crash, but its processes are told.
    pub fn stop_at_once(&mut self) {
        let mut server = self.server.take().expect("it does not run");
        signal(server.id(), "QUIT");
        server.wait().unwrap();
    }

    /// Shuts the server down in its mode "fast": everything is on disk then.
    pub fn shut_down(&mut self) {
        let mut server = self.server.take().expect("it does not run");
        signal(server.id(), "INT");
        server.wait().unwrap();
    }

    /// Starts it again and waits until it takes connections.
    pub async fn restart(&mut self) {
        assert!(self.server.is_none(), "it runs already");
        let mut server = self.spawn();
        let began = Instant::now();
        while !self.is_ready(&server) {
            assert!(began.elapsed() < DEADLINE, "{}", self.log());
            tokio::time::sleep(LOOK_AGAIN).await;
            if server.try_wait().unwrap().is_some() {
                // A process of the server before it had not ended yet.
                server = self.spawn();
            }
        }
        self.server = Some(server);
    }

    fn spawn(&self) -> Child {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.directory.path().join("log"))
            .unwrap();
        self.command("postgres")
            .arg("-D")
            .arg(self.data())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Whether this very server takes connections: it writes so into its lock file.
    fn is_ready(&self, server: &Child) -> bool {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines();
        lines.next() == Some(&server.id().to_string())
            && lines
                .next_back()
                .is_some_and(|state| ["ready", "standby"].contains(&state.trim()))
    }

    /// A program of the server, as the user that it may run as. It dies with the test.
    fn command(&self, program: &str) -> Command {
        self.command_at(&self.programs.join(program))
    }

    fn command_at(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if let Some(user) = self.user {
            command.args(["--reuid", user, "--clear-groups"]);
        }
        command
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            // The test's own directory may be closed to that user.
            .current_dir(self.directory.path());
        command
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _gone = server.kill();
            let _gone = server.wait();
        }
        if std::thread::panicking() {
            eprintln!("---- the server's log ----\n{}\n----", self.log());
        }
    }
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| text.trim().to_owned())
}

/// Whether this user is root.
pub fn is_root() -> bool {
    output_of("id", &["-u"]).as_deref() == Some("0")
}

/// Not one that another cluster of this run has.
fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let span = u32::from(PORTS.end - PORTS.start);
    std::iter::from_fn(|| Some(TAKEN.fetch_add(1, Ordering::Relaxed)))
        .map(|step| (std::process::id() + step) % span)
        .filter_map(|place| Some(PORTS.start + u16::try_from(place).ok()?))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

/// The folder of the server's programs: the one on the PATH that has all of them, else Debian's newest.
fn programs() -> PathBuf {
    let complete = |folder: &Path| {
        ["initdb", "postgres"]
            .iter()
            .all(|program| folder.join(program).is_file())
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut debian: Vec<PathBuf> = debian
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    debian.sort();
    std::env::split_paths(&path)
        .chain(debian.into_iter().rev())
        .find(|folder| complete(folder))
        .expect("no folder holds initdb and postgres: install the PostgreSQL server")
}
