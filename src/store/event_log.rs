//! The management API's door to events and their attempts: reading what was owed and what came of it.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::{
    action::Action,
    attempt::Attempt,
    event::{EventState, EventStatus},
    ids::{EventId, ReceiverId, SubscriptionId, TransactionId},
    resource::{ResourceDefinition, ResourceName},
};

use super::{
    StoreError,
    page::{Page, PageRequest},
};

/// An event as the API shows it.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    /// The event.
    pub id: EventId,
    /// Its number for the subscription; a test delivery has none.
    pub sequence: Option<i64>,
    /// Who it is owed to.
    pub subscription_id: SubscriptionId,
    /// Whose queue it is in.
    pub receiver_id: ReceiverId,
    /// The resource's name at the time of the change.
    pub resource: ResourceName,
    /// What its log row means.
    pub definition: ResourceDefinition,
    /// The row operation.
    pub action: Action,
    /// Where it stands.
    pub state: EventState,
    /// The database transaction.
    pub transaction_id: TransactionId,
    /// `data.id` as JSON text.
    pub row_id: String,
    /// When the change committed.
    pub occurred_at: DateTime<Utc>,
    /// When fan-out made the event.
    pub created_at: DateTime<Utc>,
    /// Attempts made so far.
    pub attempt_count: i32,
    /// When the next attempt is due.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The latest attempt.
    pub last_attempt: Option<Attempt>,
    /// Why no attempt was or will be made.
    pub error: Option<String>,
    /// The logged row, from which the body is made; `None` when it is no longer kept.
    pub row_data: Option<String>,
    /// The logged old values of changed columns.
    pub old_values: Option<String>,
}

/// What tells whether an event has changed since it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMark {
    /// Where it stands.
    pub state: EventState,
    /// Attempts made so far.
    pub attempt_count: i32,
    /// How often it was redelivered by hand.
    pub redelivery: i32,
}

/// Events of a receiver that each walk in search of its latest attempt looks at (the API's description of it names
/// the number): a few more than may be under way at once by default.
pub const LAST_ATTEMPT_WALK: u32 = 20;

/// The latest attempt of a receiver, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAttempt {
    /// What it was made for.
    pub event_id: EventId,
    /// When the request started.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration: Duration,
    /// The answer's status, if one came.
    pub response_status: Option<u16>,
    /// Why it is no delivery, in words.
    pub error: Option<String>,
}

/// What lists of events can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventFilter {
    /// Only those of this subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// Only those of this receiver.
    pub receiver_id: Option<ReceiverId>,
    /// Only those with this status.
    pub status: Option<EventStatus>,
    /// Only those of this resource.
    pub resource: Option<ResourceName>,
    /// Only those of this action.
    pub action: Option<Action>,
    /// Only those of this transaction.
    pub transaction_id: Option<TransactionId>,
    /// Only those of this row (`data.id` as JSON text).
    pub row_id: Option<String>,
    /// Only those that occurred at or after this.
    pub occurred_after: Option<DateTime<Utc>>,
    /// Only those that occurred before this.
    pub occurred_before: Option<DateTime<Utc>>,
}

/// Events and attempts, for the management API.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// One event.
    async fn event(&self, id: EventId) -> Result<Option<LoggedEvent>, StoreError>;

    /// Newest first.
    async fn events(
        &self,
        filter: &EventFilter,
        limit: u32,
        offset: u64,
    ) -> Result<Vec<LoggedEvent>, StoreError>;

    /// The newest events of each of these subscriptions, newest first, `limit` of each after the first
    /// `offset`. A subscription without events is left out.
    async fn events_of(
        &self,
        subscriptions: &[SubscriptionId],
        limit: u32,
        offset: u64,
    ) -> Result<HashMap<SubscriptionId, Vec<LoggedEvent>>, StoreError>;

    /// The newest events, so many, each with what tells that it has changed.
    async fn marks(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<(EventId, EventMark)>, StoreError>;

    /// Those of these events that match, newest first. At most 1000 ids.
    async fn events_by_id(
        &self,
        ids: &[EventId],
        filter: &EventFilter,
    ) -> Result<Vec<LoggedEvent>, StoreError>;

    /// How many events match. The others find what they return through an index however long the log is;
    /// this one counts.
    async fn count(&self, filter: &EventFilter) -> Result<u64, StoreError>;

    /// A page in the order in which events were made, or against it, without a total.
    async fn event_page(
        &self,
        filter: &EventFilter,
        page: PageRequest,
    ) -> Result<Page<LoggedEvent>, StoreError>;

    /// The latest attempt of each of these receivers among a few of its events: the newest ones, the newest ones up to the
    /// first that waits to be sent, and the newest ones that wait for another attempt, [`LAST_ATTEMPT_WALK`] of each. A
    /// receiver is left out where none of them was tried.
    async fn last_attempts(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, LastAttempt>, StoreError>;

    /// Every attempt made for an event, the first one first, with its number from 1.
    async fn attempts(&self, id: EventId) -> Result<Vec<(i32, Attempt)>, StoreError>;
}
