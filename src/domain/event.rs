//! One delivery owed to one subscription for one change, and the states it passes through.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    action::Action,
    ids::{ChangeId, EventId, ReceiverId, ResourceId, SubscriptionId, TransactionId},
};

/// Where an event stands, as stored. The first three are what the API calls `pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventState {
    /// To be sent as soon as its receiver's sender gets to it, in id order.
    Ready,
    /// An attempt failed; the next one is due at `due_at`.
    Waiting,
    /// Behind a waiting event of the same row of the same receiver.
    Parked,
    /// The receiver answered as expected, and that is durably recorded.
    Delivered,
    /// It was given up; the reason is in its log.
    Failed,
    /// Someone cancelled it, or its receiver or subscription was deleted.
    Cancelled,
}

impl EventState {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Ready,
        Self::Waiting,
        Self::Parked,
        Self::Delivered,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The number in `events.state`; the partial indexes of the migrations name these numbers.
    pub fn code(self) -> i16 {
        match self {
            Self::Ready => 0,
            Self::Waiting => 1,
            Self::Parked => 2,
            Self::Delivered => 3,
            Self::Failed => 4,
            Self::Cancelled => 5,
        }
    }

    /// The state behind a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// What the API calls it.
    pub fn status(self) -> EventStatus {
        match self {
            Self::Ready | Self::Waiting | Self::Parked => EventStatus::Pending,
            Self::Delivered => EventStatus::Delivered,
            Self::Failed => EventStatus::Failed,
            Self::Cancelled => EventStatus::Cancelled,
        }
    }
}

/// An event's status in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventStatus {
    /// Still owed.
    Pending,
    /// Delivered.
    Delivered,
    /// Given up.
    Failed,
    /// Cancelled.
    Cancelled,
}

impl EventStatus {
    /// Every status, in the order of the contract.
    pub const ALL: [Self; 4] = [
        Self::Pending,
        Self::Delivered,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for EventStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no status.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an event status; use pending, delivered, failed or cancelled")]
pub struct UnknownStatus(pub String);

impl FromStr for EventStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// The rows that an event belongs to, by hash: its own, and on a change of the key the one it left.
///
/// A hash that two rows share makes them wait for each other, which costs time and never order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowHashes {
    /// The row of `data.id`.
    pub row: i64,
    /// The row of the old key.
    pub previous: Option<i64>,
}

impl RowHashes {
    /// One or two hashes.
    pub fn iter(self) -> impl Iterator<Item = i64> {
        std::iter::once(self.row).chain(self.previous)
    }
}

/// An event about to be written by fan-out; the store gives it its id and sequence.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Who it is owed to.
    pub subscription_id: SubscriptionId,
    /// Whose queue it joins.
    pub receiver_id: ReceiverId,
    /// The change it tells of.
    pub change_id: ChangeId,
    /// The version of the table's description.
    pub resource_id: ResourceId,
    /// The row operation.
    pub action: Action,
    /// The database transaction.
    pub transaction_id: TransactionId,
    /// When the change committed.
    pub occurred_at: DateTime<Utc>,
    /// `data.id` as JSON text.
    pub row_id: Arc<str>,
    /// The rows it belongs to.
    pub rows: RowHashes,
}

impl NewEvent {
    /// The same as its sender needs it, once it is written.
    pub fn due(&self, made: Made, row_data: Arc<str>, old_values: Option<Arc<str>>) -> DueEvent {
        DueEvent {
            id: made.id,
            subscription_id: self.subscription_id,
            sequence: Some(made.sequence),
            resource_id: self.resource_id,
            action: self.action,
            transaction_id: self.transaction_id,
            occurred_at: self.occurred_at,
            row_id: self.row_id.clone(),
            rows: self.rows,
            attempt_count: 0,
            budget_used: 0,
            redelivery: 0,
            row_data,
            old_values,
        }
    }
}

/// What a new event was given when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub id: EventId,
    /// Its number for the subscription.
    pub sequence: i64,
    /// Whether it is to be sent. One whose subscription is deleted is cancelled from the start.
    pub ready: bool,
}

/// What a sender's queue holds of an event: enough to order it, not its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuedEvent {
    /// The event.
    pub id: EventId,
    /// The rows it belongs to.
    pub rows: RowHashes,
}

/// A due event with everything that its body is made from.
#[derive(Clone, Debug)]
pub struct DueEvent {
    /// The event, its `event_id`.
    pub id: EventId,
    /// Who it is owed to.
    pub subscription_id: SubscriptionId,
    /// Its number for the subscription; test deliveries have none.
    pub sequence: Option<i64>,
    /// The version of the table's description.
    pub resource_id: ResourceId,
    /// The row operation.
    pub action: Action,
    /// The database transaction.
    pub transaction_id: TransactionId,
    /// When the change committed.
    pub occurred_at: DateTime<Utc>,
    /// `data.id` as JSON text.
    pub row_id: Arc<str>,
    /// The rows it belongs to.
    pub rows: RowHashes,
    /// Attempts made so far, over all redeliveries.
    pub attempt_count: i32,
    /// Attempts used of the present retry budget; a redelivery starts it anew.
    pub budget_used: i32,
    /// How often it was redelivered by hand; an outcome of an earlier round does not end this one.
    pub redelivery: i32,
    /// The logged row, which all events of its change share.
    pub row_data: Arc<str>,
    /// The logged old values of changed columns.
    pub old_values: Option<Arc<str>>,
}

impl DueEvent {
    /// Whether it is a test delivery: it is tried once, and told from others by having no number.
    pub fn is_test(&self) -> bool {
        self.sequence.is_none()
    }

    /// Bytes of the logged texts.
    pub fn bytes(&self) -> u64 {
        let old = self.old_values.as_ref().map_or(0, |text| text.len());
        (self.row_data.len() + old) as u64
    }
}
