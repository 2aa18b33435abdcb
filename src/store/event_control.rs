//! The management API's door to what an operator does with events: sending them again, calling them off.
//!
//! An order for many events is carried out in batches, each a transaction of its own: a million events are
//! never one transaction. It covers the events that were there when it was given, each once; what was done
//! before it was cut off stays done.

use async_trait::async_trait;

use crate::domain::ids::EventId;

use super::{StoreError, event_log::EventFilter};

/// What can be done with events that exist.
#[async_trait]
pub trait EventControl: Send + Sync {
    /// Owes an event once more, with a fresh retry budget and due at once; it keeps its id and sequence
    /// number. One attempt follows a running one, whatever that comes to. One that waits behind an earlier
    /// event of its row goes on waiting. [`StoreError::Conflict`] when its receiver or subscription is
    /// deleted: nothing is sent to those.
    async fn redeliver(&self, id: EventId) -> Result<(), StoreError>;

    /// The same for all events that match, the oldest first: those of the filter's status, else those that
    /// are settled (delivered, failed, cancelled). Those whose receiver or subscription is deleted, and test
    /// deliveries, are passed over. Returns how many.
    async fn redeliver_all(&self, filter: &EventFilter) -> Result<u64, StoreError>;

    /// Cancels the owed events that match, and sets free what is parked behind them. An attempt that runs
    /// may still deliver; if it does not, the event stays cancelled. Returns how many.
    async fn cancel_all(&self, filter: &EventFilter) -> Result<u64, StoreError>;
}
