//! Retention's door: dropping what has been kept long enough, a small piece at a time.
//!
//! Each call is a step of a walk along the primary key, with a short transaction of its own where it finds
//! something to drop: a walk reads each row once, and nobody waits for longer than one step. Two walks at
//! once do each other no harm.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::ids::{ChangeId, EventId};

use super::StoreError;

/// One step of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<Id> {
    /// How many were dropped.
    pub dropped: u64,
    /// The last one that is old enough, dropped or not: the next step goes on after it. `None`: nothing
    /// old enough is expected further on.
    pub next: Option<Id>,
}

/// Dropping events and changes. Their ids and sequence numbers are never given again.
#[async_trait]
pub trait RetentionStore: Send + Sync {
    /// The present by the database's clock. Ages are counted from it, so that a wrong clock on the
    /// machine of one instance costs nobody the log.
    async fn now(&self) -> Result<DateTime<Utc>, StoreError>;

    /// Looks at `limit` events after `after` and drops those that ended before `before`, with their
    /// attempts. What is still owed stays.
    async fn drop_events(
        &self,
        before: DateTime<Utc>,
        after: EventId,
        limit: u32,
    ) -> Result<Step<EventId>, StoreError>;

    /// Looks at `limit` changes after `after` and drops those that were logged before `before`, are
    /// fanned out, and of which no event tells.
    ///
    /// Whoever makes events of the kept history must lock its changes (`for key share` on PostgreSQL) in
    /// the transaction that writes the events: a locked change stays, and one that is gone is not there
    /// to be locked.
    async fn drop_changes(
        &self,
        before: DateTime<Utc>,
        after: ChangeId,
        limit: u32,
    ) -> Result<Step<ChangeId>, StoreError>;
}
