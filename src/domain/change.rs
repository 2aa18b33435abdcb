//! One committed row operation, as room 1 reads it from `logged_actions`.

use chrono::{DateTime, Utc};

use super::{
    action::Action,
    ids::{ChangeId, ResourceId, TransactionId},
    snapshot::Place,
};

/// A row of `logged_actions` with what the poller knows about its commit.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its id; within one window ascending ids are commit order of each row.
    pub id: ChangeId,
    /// Where it stands in commit order.
    pub place: Place,
    /// The transaction that made it.
    pub transaction_id: TransactionId,
    /// The commit time where the database can tell it, else the time the trigger ran.
    pub occurred_at: DateTime<Utc>,
    /// The version of the table's description that it was logged under.
    pub resource_id: ResourceId,
    /// What happened.
    pub action: Action,
    /// The whole row as JSON in the table's column order, see `LoggedRow`: the new one, on DELETE the old.
    pub row_data: String,
    /// UPDATE: the old values of the columns that changed, in the table's column order.
    pub old_values: Option<String>,
}
