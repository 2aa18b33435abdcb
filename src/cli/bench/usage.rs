//! What a process has used, as Linux tells it.

use std::time::Duration;

/// Memory and processor time of a process.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// The most memory that it ever held, in bytes.
    pub peak_memory: u64,
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

    /// Source: proc_pid_status(5), proc_pid_stat(5).
    fn read(status: &str, stat: &str) -> Option<Self> {
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        // The second field is the program's name, which may hold anything, in parentheses.
        let after_name = &stat[stat.rfind(')')? + 1..];
        let mut fields = after_name.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        let used = ticks()? + ticks()?;
        Some(Self {
            peak_memory: kibibytes << 10,
            processor: Duration::from_millis(used * 1000 / TICKS_PER_SECOND),
        })
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
    }
}
