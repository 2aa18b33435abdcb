//! Which receivers this instance takes, of all that run on one database.
//!
//! By `policy::sharing` each receiver has an owner. Whoever sees that one with something to do stays without a sender takes
//! it all the same, so an owner that does not do its part costs seconds and no more.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{domain::ids::ReceiverId, policy::sharing::owner};

/// Nothing is given back to another instance before the same ones have run for so long: one that is restarted again
/// and again does not move everybody's receivers each time.
pub const SETTLED: Duration = Duration::from_secs(15);
/// A receiver with something to do that nobody has sent to for so long is taken by anybody.
const NEGLECTED: Duration = Duration::from_secs(2);

/// What the dispatcher knows of the other instances.
#[derive(Debug)]
pub struct Sharing {
    holder: Arc<str>,
    /// All that run; this one alone until they are known.
    running: Vec<String>,
    since: Instant,
    /// What was worked out for these instances.
    owns: HashMap<ReceiverId, bool>,
    /// Others' receivers that nobody sends to.
    free_since: HashMap<ReceiverId, Instant>,
}

impl Sharing {
    /// Knows of nobody else.
    pub fn new(holder: Arc<str>) -> Self {
        Self {
            running: vec![holder.to_string()],
            holder,
            since: Instant::now(),
            owns: HashMap::new(),
            free_since: HashMap::new(),
        }
    }

    /// These run, in any order.
    pub fn learn(&mut self, mut running: Vec<String>) {
        running.sort_unstable();
        if self.running != running {
            tracing::info!(
                instances = running.len(),
                "so many instances share the receivers"
            );
            self.running = running;
            self.since = Instant::now();
            self.owns.clear();
        }
    }

    /// Nobody else runs.
    pub fn is_alone(&self) -> bool {
        self.running.len() <= 1
    }

    /// Nobody has come or gone for a while.
    pub fn is_settled(&self) -> bool {
        self.since.elapsed() >= SETTLED
    }

    /// Whether the receiver is this instance's.
    pub fn is_own(&mut self, receiver: ReceiverId) -> bool {
        let (running, holder) = (&self.running, &*self.holder);
        let judge = || {
            let owner = owner(running.iter().map(String::as_str), receiver);
            owner.is_none_or(|owner| owner == holder)
        };
        *self.owns.entry(receiver).or_insert_with(judge)
    }

    /// These have something to do, and nobody has their leases.
    pub fn found_free(&mut self, receivers: &[ReceiverId]) {
        let before = std::mem::take(&mut self.free_since);
        let now = Instant::now();
        let since = |receiver: &ReceiverId| {
            let since = before.get(receiver).copied().unwrap_or(now);
            (*receiver, since)
        };
        self.free_since = receivers.iter().map(since).collect();
    }

    /// Whether this instance is to take the receiver, if it can.
    pub fn takes(&mut self, receiver: ReceiverId) -> bool {
        let neglected = |since: &Instant| since.elapsed() >= NEGLECTED;
        self.is_own(receiver) || self.free_since.get(&receiver).is_some_and(neglected)
    }
}
