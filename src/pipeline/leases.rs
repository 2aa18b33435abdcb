//! What this instance may do, and until when.
//!
//! A [`Lease`] goes by this machine's monotonic clock from before the database was asked, less a
//! margin, so it ends here before it can begin elsewhere. Whoever is about to act looks at it just
//! before.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::store::leases::LEASE;

/// A lease ends here this much earlier than in the database: for a clock that runs slower here, and
/// for the moment between the look and the act.
pub const MARGIN: Duration = Duration::from_millis(1500);

/// How often leases are renewed: two renewals may fail before one ends.
pub const RENEW_EVERY: Duration = Duration::from_millis(1500);

/// A lease as its holder sees it; clones share it.
#[derive(Clone, Debug)]
pub struct Lease {
    since: Instant,
    until: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
}

impl Lease {
    /// A lease that the database was asked for at `asked`.
    pub fn from(asked: Instant) -> Self {
        let lease = Self {
            since: asked,
            until: Arc::new(AtomicU64::new(0)),
            ended: Arc::new(AtomicBool::new(false)),
        };
        lease.renewed(asked);
        lease
    }

    /// The database has renewed it; it was asked at `asked`.
    pub fn renewed(&self, asked: Instant) {
        let until = asked.saturating_duration_since(self.since) + LEASE - MARGIN;
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.until.store(until, Ordering::SeqCst);
    }

    /// It is ours no more, for good: a renewal that comes later does not bring it back.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Whether it is ours at this moment.
    pub fn held(&self) -> bool {
        !self.ended.load(Ordering::SeqCst)
            && self.since.elapsed().as_millis() < u128::from(self.until.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_by_itself_and_when_told() {
        let lease = Lease::from(Instant::now());
        assert!(lease.held());
        let other = lease.clone();
        other.end();
        assert!(!lease.held());
        lease.renewed(Instant::now());
        assert!(!lease.held(), "an end is final");
        let long_ago = Instant::now() - LEASE;
        let old = Lease::from(long_ago);
        assert!(!old.held());
        old.renewed(Instant::now());
        assert!(old.held());
    }
}
