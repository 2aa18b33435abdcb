//! A network of a test's own: hosts, each joined to the test by a wire that can be pulled, be slow, or carry one way only.
//!
//! The test runs itself again in a network namespace, where the database and the receivers have their addresses, and each
//! host is a further namespace. So nothing of the machine's network is touched, all is gone with the processes, and it
//! takes no rights but to make a user namespace.

use std::{
    io::{BufRead as _, BufReader},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
};

use super::cluster::is_root;

/// Where the hosts find the database.
pub const DATABASE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// Where they find the receivers: an address that a test's service may send to.
pub const RECEIVERS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// All hosts, and the database.
pub const EVERYBODY: &str = "10.0.0.0/8";

/// Set for the test that was run again.
const WITHIN: &str = "ROWHOOK_TEST_WITHIN";

/// Whether this process is within the network. If it is not, this runs the test (its full name) again there, shows
/// what it says, and fails as it does.
pub fn are_laid(test: &str) -> bool {
    if std::env::var_os(WITHIN).is_some() {
        ip(&["link", "set", "lo", "up"]);
        // So that rules come before what is for this host itself.
        ip(&["rule", "add", "priority", "2", "lookup", "local"]);
        ip(&["rule", "del", "priority", "0"]);
        for address in [DATABASE, RECEIVERS] {
            ip(&["address", "add", &address.to_string(), "dev", "lo"]);
        }
        return true;
    }
    let mut within = Command::new("unshare");
    if !is_root() {
        within.args(["--user", "--map-current-user", "--keep-caps"]);
    }
    let this = std::env::current_exe().unwrap();
    let mut child = within
        // One stream, in the order in which things were said.
        .args(["--net", "setpriv", "--pdeathsig", "KILL"])
        .args(["sh", "-c", "exec \"$@\" 2>&1", "sh"])
        .arg(this)
        .args(["--exact", test, "--nocapture"])
        .env(WITHIN, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare does not run");
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        println!("{}", line.unwrap());
    }
    let status = child.wait().unwrap();
    assert!(
        status.success(),
        "{test} failed within its network ({status}); where it did not even begin, this user may make no namespaces: see \
         the settings user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns"
    );
    false
}

/// A way over a wire, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToDatabase,
    FromDatabase,
    ToReceivers,
    FromReceivers,
}

/// A host, and the wire to it.
pub struct Wire {
    number: u8,
    /// Keeps the namespace.
    keeper: Child,
}

impl Wire {
    /// Lays one; no two with the same number, and none with 0.
    pub fn to_host(number: u8) -> Self {
        let keeper = Command::new("unshare")
            .args(["--net", "setpriv", "--pdeathsig", "KILL"])
            // It says when the namespace is there.
            .args(["sh", "-c", "echo; exec sleep infinity"])
            .stdout(Stdio::piped())
            .spawn();
        let mut wire = Self {
            number,
            keeper: keeper.expect("unshare does not run"),
        };
        let mut said = String::new();
        let mut keeper = BufReader::new(wire.keeper.stdout.take().unwrap());
        assert_eq!(keeper.read_line(&mut said).unwrap(), 1, "no namespace");
        let (end, namespace) = (wire.end(), wire.keeper.id().to_string());
        ip(&[
            "link", "add", &end, "type", "veth", "peer", "name", "eth0", "netns", &namespace,
        ]);
        ip(&[
            "address",
            "add",
            &format!("{}/30", wire.gateway()),
            "dev",
            &end,
        ]);
        wire.plug();
        wire.ip(&["link", "set", "lo", "up"]);
        wire.ip(&[
            "address",
            "add",
            &format!("{}/30", wire.address()),
            "dev",
            "eth0",
        ]);
        wire.ip(&["link", "set", "eth0", "up"]);
        wire.ip(&[
            "route",
            "add",
            "default",
            "via",
            &wire.gateway().to_string(),
        ]);
        wire
    }

    /// The host's address.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, self.number, 2)
    }

    /// What stands before a command that runs on the host.
    pub fn prefix(&self) -> [String; 2] {
        let namespace = format!("--net=/proc/{}/ns/net", self.keeper.id());
        ["nsenter".to_owned(), namespace]
    }

    /// Nothing comes through in either direction, and nobody is told.
    pub fn pull(&self) {
        ip(&["link", "set", &self.end(), "down"]);
    }

    /// The wire is well.
    pub fn plug(&self) {
        ip(&["link", "set", &self.end(), "up"]);
    }

    /// From now on what goes this way gets lost, and nobody is told; or no longer so.
    pub fn lose(&self, way: Way, lost: bool) {
        let host = self.address();
        let (from, to) = match way {
            Way::ToDatabase => (host, DATABASE),
            Way::FromDatabase => (DATABASE, host),
            Way::ToReceivers => (host, RECEIVERS),
            Way::FromReceivers => (RECEIVERS, host),
        };
        let (from, to) = (from.to_string(), to.to_string());
        let what = if lost { "add" } else { "del" };
        ip(&[
            "rule",
            what,
            "priority",
            "1",
            "from",
            &from,
            "to",
            &to,
            "blackhole",
        ]);
    }

    /// Connections that their process has closed, and whose last bytes the host's system still sends.
    pub fn unsent(&self) -> String {
        let [program, namespace] = self.prefix();
        run(&program, &[&namespace, "ss", "-Htn", "state", "fin-wait-1"])
    }

    /// From now on what the host is sent comes at some kilobytes a second; or no longer so.
    pub fn narrow(&self, narrow: bool) {
        let end = self.end();
        if narrow {
            run(
                "tc",
                &[
                    "qdisc", "add", "dev", &end, "root", "tbf", "rate", "256kbit", "burst", "3000",
                    "latency", "1s",
                ],
            );
        } else {
            run("tc", &["qdisc", "del", "dev", &end, "root"]);
        }
    }

    /// The name of the wire's end that is here.
    fn end(&self) -> String {
        format!("host{}", self.number)
    }

    fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, self.number, 1)
    }

    /// `ip` on the host.
    fn ip(&self, arguments: &[&str]) {
        let [program, namespace] = self.prefix();
        let mut all = vec![namespace.as_str(), "ip"];
        all.extend(arguments);
        run(&program, &all);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _gone = self.keeper.kill();
        let _gone = self.keeper.wait();
    }
}

fn ip(arguments: &[&str]) {
    run("ip", arguments);
}

/// What it prints.
fn run(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).output();
    let done = done.unwrap_or_else(|error| panic!("{program} does not run: {error}"));
    assert!(done.status.success(), "{program} {arguments:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}
