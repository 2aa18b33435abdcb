//! The management API's door to history: making events anew out of the changes that are kept.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::ids::SubscriptionId;

use super::StoreError;

/// Which changes; all that is given must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Who they are owed to. They are matched by its present resource, action and columns.
    pub subscription_id: SubscriptionId,
    /// Only changes that occurred at or after this.
    pub from: Option<DateTime<Utc>>,
    /// Only changes that occurred before this.
    pub to: Option<DateTime<Utc>>,
    /// Only changes that this subscription has had an event of with this number or a later one.
    pub from_sequence: Option<i64>,
    /// The same with this number or an earlier one.
    pub to_sequence: Option<i64>,
    /// Only changes of this row (`data.id` as JSON text).
    pub row_id: Option<String>,
}

/// The kept history.
#[async_trait]
pub trait History: Send + Sync {
    /// How many changes there are to replay.
    async fn count(&self, replay: &Replay) -> Result<u64, StoreError>;

    /// Makes an event of each, with new ids and numbers, in commit order of each row, in batches of a
    /// transaction each. Only what fan-out has passed is history: what it has not is still to come by itself.
    /// Returns how many. [`StoreError::NotFound`] when the subscription is deleted, and
    /// [`StoreError::Conflict`] when it or its receiver is not active or ceases to be; what was made stays.
    async fn replay(&self, replay: &Replay) -> Result<u64, StoreError>;
}
