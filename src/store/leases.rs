//! Who does what: the poller, and the sender of each receiver, run in one instance at a time.
//!
//! A lease is a row with an end, by the database's clock. Its holder goes by its own monotonic clock
//! from before it asked, so it always stops before the database says that it has ended.

use std::{collections::HashSet, time::Duration};

use async_trait::async_trait;

use crate::{domain::ids::ReceiverId, policy::throttle::Start};

use super::StoreError;

/// How long a lease lasts unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(6);

/// What can be leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseOf {
    /// Reading the change log.
    Poller,
    /// Sending to a receiver.
    Receiver(ReceiverId),
}

impl LeaseOf {
    /// The columns `kind` and `subject`.
    pub fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Poller => ("poller", 0),
            Self::Receiver(id) => ("receiver", i64::from(id.0)),
        }
    }
}

/// Leases of one instance.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Takes a lease that is free, has ended or is ours already. `None`: someone else holds it. The
    /// answer tells whether the receiver's throttle may start full. A receiver's is refused with
    /// [`StoreError::ForeignCluster`] where that is so.
    async fn acquire(&self, of: LeaseOf, holder: &str) -> Result<Option<Start>, StoreError>;

    /// Renews what is still ours; returns what is.
    async fn renew(&self, of: &[LeaseOf], holder: &str) -> Result<Vec<LeaseOf>, StoreError>;

    /// Those of these receivers that another instance holds the lease of.
    async fn held_by_others(
        &self,
        receivers: &[ReceiverId],
        holder: &str,
    ) -> Result<HashSet<ReceiverId>, StoreError>;

    /// Gives a lease back. `throttle_full_in`: in how long the receiver's bucket is full again.
    async fn release(
        &self,
        of: LeaseOf,
        holder: &str,
        throttle_full_in: Duration,
    ) -> Result<(), StoreError>;

    /// Ends every lease. Only for an embedded database whose file this process has locked: whoever
    /// held them is dead.
    async fn end_all(&self) -> Result<(), StoreError>;
}
