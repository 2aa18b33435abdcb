//! The instances of one database: who runs, a word among them, and how people are told of both.
//!
//! None of it decides anything: who sends to a receiver is who has its lease. A list that is out of date, or a call that is
//! not heard, costs a second.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::domain::{ids::ReceiverId, instance::KnownInstance};

use super::StoreError;

/// What one instance tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// These receivers have something to do.
    Receivers(Vec<ReceiverId>),
    /// Anything may have changed: who runs, who holds what, who has something to do.
    LookAgain,
}

/// The instances that share a database.
#[async_trait]
pub trait Instances: Send + Sync {
    /// Says that this instance runs, for as long as a lease lasts; returns all that do, this one among them.
    async fn attend(&self, holder: &str) -> Result<Vec<String>, StoreError>;

    /// Says that this instance takes no receiver any more.
    async fn depart(&self, holder: &str) -> Result<(), StoreError>;

    /// Tells all instances; this one hears it too. Where there can be no others this does nothing.
    async fn call(&self, call: &Call) -> Result<(), StoreError>;

    /// Ends at the next call, or at once where one came since the last. May be dropped at any time.
    async fn called(&self) -> Call;
}

/// Looking at the instances. Nothing is written, and no lock is taken.
#[async_trait]
pub trait InstanceView: Send + Sync {
    /// Those that run, in the order in which they started, then those of the last day that ended without saying so, the
    /// latest first. More than some hundred are not told.
    async fn instances(&self) -> Result<Vec<KnownInstance>, StoreError>;

    /// What the instance is called that sends to each of these receivers now; receivers that none sends to are left out.
    async fn senders_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, String>, StoreError>;
}
