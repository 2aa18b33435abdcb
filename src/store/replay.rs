//! The management API's door to history: making events anew out of the changes that are kept.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::{
    action::Action,
    ids::{ChangeId, SubscriptionId, TransactionId},
    resource::{ResourceDefinition, ResourceName},
};

use super::StoreError;

/// Which changes; all that is given must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Who they are owed to. They are matched by its present resource, action, columns and filter.
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

/// A change that is kept.
#[derive(Clone, Debug)]
pub struct KeptChange {
    /// Its id.
    pub id: ChangeId,
    /// The transaction; on SQLite known once there is an event of it.
    pub transaction_id: Option<TransactionId>,
    /// When it occurred.
    pub occurred_at: DateTime<Utc>,
    /// What its row means.
    pub definition: Arc<ResourceDefinition>,
    /// The whole row as a JSON object: the new one, on DELETE the old.
    pub row_data: String,
    /// UPDATE: the old values of the columns that changed.
    pub old_values: Option<String>,
}

/// The newest changes of a kind.
#[derive(Clone, Debug)]
pub struct RecentChanges {
    /// The newest first.
    pub changes: Vec<KeptChange>,
    /// How many changes of any kind were looked at, from the newest on.
    pub examined: u64,
    /// Whether there are as many as were asked for, or no more are kept.
    pub complete: bool,
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

    /// The newest `last` changes of a resource and action that have committed. Changes are found by walking
    /// back from the newest of all, so the walk is bounded, and so are the bytes that are read.
    async fn recent(
        &self,
        resource: &ResourceName,
        action: Action,
        last: u32,
    ) -> Result<RecentChanges, StoreError>;
}
