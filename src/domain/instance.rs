//! What a running process of rowhook tells of itself: whether its stages are up, and its part in capture; and what its
//! database tells of it.

use chrono::{DateTime, Utc};

/// The release that this program is.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a stage stands, as its keeper sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StageState {
    /// It runs.
    Up,
    /// It is being started, for the first time or again.
    Starting,
    /// It was started again so often of late that it can not be called up.
    Failing,
}

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name in metrics, logs and `/readyz`.
    pub name: &'static str,
    /// Where it stands.
    pub state: StageState,
    /// How often it was started again since the process began.
    pub restarts: u64,
    /// How it ended the last time that it did.
    pub last_end: Option<&'static str>,
}

/// Whether an instance reads the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureRole {
    /// It has not found out yet.
    Starting,
    /// It reads.
    Polling,
    /// Another instance reads; this one takes over when that one is gone.
    StandingBy,
    /// It can not, for this reason.
    Failing(String),
}

/// What an instance is called in leases: host and process for people, the number so that no two are the same.
pub fn instance_name(host: &str, process: u32, number: u64) -> String {
    format!("{host}/{process}/{number:016x}")
}

/// An instance, as the tables of its database tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownInstance {
    /// What it is called in leases.
    pub name: String,
    /// The release that it is of; `None` where it wrote nothing of itself.
    pub version: Option<String>,
    /// When it started; `None` as with `version`.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last said that it runs, or took or renewed a lease.
    pub heard_at: DateTime<Utc>,
    /// Whether that is less than a lease's time ago.
    pub running: bool,
    /// Whether it has the lease to read changes.
    pub reads_changes: bool,
    /// How many receivers' leases it has.
    pub receivers: u32,
}

impl KnownInstance {
    /// The host and the process that its [`instance_name`] tells of.
    pub fn host_and_process(&self) -> Option<(&str, u32)> {
        let (rest, _) = self.name.rsplit_once('/')?;
        let (host, process) = rest.rsplit_once('/')?;
        Some((host, process.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(name: &str) -> KnownInstance {
        KnownInstance {
            name: name.to_owned(),
            version: None,
            started_at: None,
            heard_at: DateTime::UNIX_EPOCH,
            running: true,
            reads_changes: false,
            receivers: 0,
        }
    }

    #[test]
    fn a_name_tells_of_host_and_process() {
        for host in ["web-1", "a/b", ""] {
            let one = called(&instance_name(host, 4711, 7));
            assert_eq!(one.host_and_process(), Some((host, 4711)), "{}", one.name);
        }
        for other in ["a", "a/b", "a/b/c"] {
            assert_eq!(called(other).host_and_process(), None, "{other}");
        }
    }
}
