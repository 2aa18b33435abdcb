//! What rowhook and its database have used, as Linux tells it.

use std::{ops::Add, time::Duration};

use crate::sample::load::Load;

use super::super::Failure;

/// Memory and processor time of a process.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// The most memory that it ever held, in bytes.
    peak_memory: u64,
    /// Processor time, its own and the kernel's for it.
    pub processor: Duration,
}

/// Linux counts processor time in hundredths of a second for whoever reads it from there.
const TICKS_PER_SECOND: u64 = 100;

impl Usage {
    /// Of a running process; none on a system without `/proc`.
    pub fn of(process: u32) -> Option<Self> {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).ok();
        Self::read(&read("status")?, &read("stat")?)
    }

    /// The most memory that it ever held, in MiB.
    pub fn peak_mib(&self) -> f64 {
        self.peak_memory as f64 / f64::from(1 << 20)
    }

    /// Source: proc_pid_status(5), proc_pid_stat(5).
    fn read(status: &str, stat: &str) -> Option<Self> {
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(Self {
            peak_memory: kibibytes << 10,
            processor: Times::read(stat)?.own,
        })
    }
}

/// Of two processes together. (Their peaks need not have come at the same moment.)
impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            peak_memory: self.peak_memory + other.peak_memory,
            processor: self.processor + other.processor,
        }
    }
}

/// Whose child a process is, and its processor time.
struct Times {
    parent: u32,
    own: Duration,
    of_ended_children: Duration,
}

impl Times {
    fn of(process: u32) -> Option<Self> {
        Self::read(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    /// Source: proc_pid_stat(5).
    fn read(stat: &str) -> Option<Self> {
        // The second field is the program's name, which may hold anything, in parentheses.
        let after_name = &stat[stat.rfind(')')? + 1..];
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |place: usize| fields.get(place)?.parse::<u64>().ok();
        let time = |ticks| Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND);
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own: time(ticks(11)? + ticks(12)?),
            of_ended_children: time(ticks(13)? + ticks(14)?),
        })
    }
}

/// Processor time of a PostgreSQL server on this machine.
#[derive(Clone, Copy, Debug)]
pub struct ServerUsage {
    /// Of the connections of the application that changes rows, its triggers among it.
    pub application: Duration,
    /// Of everything else that the server did.
    pub rest: Duration,
}

impl ServerUsage {
    /// So far; none for an embedded database, on a system without `/proc`, or where the server runs elsewhere. Connections
    /// of the application that have ended count with the rest.
    pub async fn so_far(load: &Load) -> Result<Option<Self>, Failure> {
        let backends = load.backends().await.map_err(Failure::of_work)?;
        Ok(backends.and_then(|(one, all)| Self::of(one, &all)))
    }

    fn of(backend: u32, application: &[u32]) -> Option<Self> {
        let name = std::fs::read_to_string(format!("/proc/{backend}/comm")).ok()?;
        if !name.starts_with("postgres") {
            return None;
        }
        let server = Times::of(backend)?.parent;
        let of_server = Times::of(server)?;
        let mut usage = Self {
            application: Duration::ZERO,
            rest: of_server.own + of_server.of_ended_children,
        };
        for entry in std::fs::read_dir("/proc").ok()?.flatten() {
            let number = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok());
            let Some((process, times)) = number.and_then(|one| Some((one, Times::of(one)?))) else {
                continue;
            };
            if application.contains(&process) {
                usage.application += times.own;
            } else if times.parent == server {
                usage.rest += times.own;
            }
        }
        Some(usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_is_understood() {
        let status = "Name:\trowhook\nVmPeak:\t  900 kB\nVmHWM:\t   20480 kB\nVmRSS:\t 100 kB\n";
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 500 0 0 0 150 50 0 0 20 0 5 0 100 1 2";
        let usage = Usage::read(status, stat).unwrap();
        assert_eq!(usage.peak_memory, 20 << 20);
        assert_eq!(usage.processor, Duration::from_secs(2));
        let times = Times::read(stat).unwrap();
        assert_eq!((times.parent, times.own), (1, usage.processor));
    }
}
