//! The instances of one database: who runs, and a word among them.
//!
//! Neither decides anything: who sends to a receiver is who has its lease. A list that is out of date, or a call that is
//! not heard, costs a second.

use async_trait::async_trait;

use crate::domain::ids::ReceiverId;

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
