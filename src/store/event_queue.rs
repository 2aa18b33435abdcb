//! The senders' door to the events of their receiver, and the recorder's door to their outcomes.
//!
//! An owed event is ready (to be sent in id order), waiting (an attempt failed, the next is due later)
//! or parked (behind a waiting event of the same row). Only failures park: a delivery that succeeds at
//! once costs one insert and one update.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::{
    attempt::Outcome,
    event::{DueEvent, QueuedEvent},
    ids::{EventId, ReceiverId},
};

use super::StoreError;

/// A receiver with something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverWork {
    /// The receiver.
    pub receiver_id: ReceiverId,
    /// When: `None` is now.
    pub due_at: Option<DateTime<Utc>>,
    /// It is only probed: what comes new is not due before either.
    pub probed: bool,
}

/// Which parked events to make ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpark {
    /// Those with nothing to wait for.
    Orphans,
    /// Any.
    Any,
}

/// What bodies are made from.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Of these events.
    pub events: Vec<DueEvent>,
    /// These are owed too, and were too much at once.
    pub later: Vec<EventId>,
}

/// The queue of each receiver.
#[async_trait]
pub trait EventQueue: Send + Sync {
    /// The active receivers that are owed something, and when it is due.
    async fn receivers_with_work(&self) -> Result<Vec<ReceiverWork>, StoreError>;

    /// Ready events after `after`, in id order.
    async fn ready(
        &self,
        receiver: ReceiverId,
        after: EventId,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError>;

    /// Waiting events that are due, the longest due first.
    async fn due(
        &self,
        receiver: ReceiverId,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError>;

    /// Test deliveries that are ready, in id order: they may stand behind a long queue.
    async fn tests(&self, receiver: ReceiverId, limit: u32)
    -> Result<Vec<QueuedEvent>, StoreError>;

    /// When the next waiting event is due.
    async fn next_due(&self, receiver: ReceiverId) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// Of each of these rows the first event that waits or is parked there, as its own row and as the one that it
    /// came from; those of `in_view` are passed over. In id order. A row may have any number of them, so no more
    /// are read.
    async fn blocking(
        &self,
        receiver: ReceiverId,
        rows: &[i64],
        in_view: &[EventId],
    ) -> Result<Vec<QueuedEvent>, StoreError>;

    /// Parks ready events behind an earlier one of their row.
    async fn park(&self, receiver: ReceiverId, events: &[EventId]) -> Result<(), StoreError>;

    /// Makes parked events ready, at most `limit`, and returns how many: those that have no earlier
    /// waiting or parked event of their rows left, so that nothing stays parked behind one that is gone;
    /// or any, for a receiver that does not keep rows in order.
    async fn unpark(
        &self,
        receiver: ReceiverId,
        which: Unpark,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// Makes the first parked events of these rows ready, a few of each; tells whether there were any.
    /// Which of them still have to wait is the sender's to find out.
    async fn unpark_rows(&self, receiver: ReceiverId, rows: &[i64]) -> Result<bool, StoreError>;

    /// How often somebody else than the sender made parked events ready: whoever cancels events does. As
    /// long as it stays the same, what is parked is parked.
    async fn unparked_by_others(&self, receiver: ReceiverId) -> Result<i64, StoreError>;

    /// Whether the receiver has waiting or parked events.
    async fn in_trouble(&self, receiver: ReceiverId) -> Result<bool, StoreError>;

    /// What the bodies of these events are made from, in id order until it comes to `most_bytes`; at least one. Events
    /// that are no longer owed are left out, and those of deleted subscriptions, which may not be cancelled yet.
    async fn load(&self, events: &[EventId], most_bytes: u64) -> Result<Loaded, StoreError>;

    /// Which of these events [`EventQueue::load`] would still return, and their rounds of redelivery.
    async fn still_owed(&self, events: &[EventId]) -> Result<HashMap<EventId, i32>, StoreError>;
}

/// What became of attempts.
#[async_trait]
pub trait OutcomeLog: Send + Sync {
    /// Writes outcomes in one transaction. Writing one again changes nothing, so a caller that did
    /// not hear the answer simply repeats it. A delivery counts whatever was written before it.
    async fn record(&self, outcomes: &[Arc<Outcome>]) -> Result<(), StoreError>;
}
