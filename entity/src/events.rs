//! Deliveries owed, and what came of them.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "events")]
pub struct Model {
    /// The event's id, its idempotency key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Who it is owed to.
    pub subscription_id: i32,
    /// Whose queue it is in.
    pub receiver_id: i32,
    /// Its number for the subscription; none for a test delivery.
    pub sequence: Option<i64>,
    /// The change it tells of; none for a test delivery.
    pub change_id: Option<i64>,
    /// 0: live.
    pub replay_id: i64,
    /// The version of the table's description.
    pub resource_id: i32,
    /// 1 create, 2 update, 3 delete.
    pub action: i16,
    /// The database transaction.
    pub transaction_id: i64,
    /// When the change committed.
    pub occurred_at: DateTimeUtc,
    /// When fan-out made the event.
    pub created_at: DateTimeUtc,
    /// `data.id` as JSON text.
    pub row_id: String,
    /// The row, for order per row.
    pub row_hash: i64,
    /// The row of the old key, when the key changed.
    pub previous_hash: Option<i64>,
    /// The data of a test delivery.
    pub payload: Option<String>,
    /// 0 ready, 1 waiting, 2 parked, 3 delivered, 4 failed, 5 cancelled.
    pub state: i16,
    /// Waiting: when the next attempt is due.
    pub due_at: Option<DateTimeUtc>,
    /// How often it was redelivered by hand.
    pub redelivery: i32,
    /// Attempts made so far, the number of the latest one.
    pub attempt_count: i32,
    /// Attempts used of the present retry budget.
    pub budget_used: i32,
    /// When the latest attempt started; earlier ones are in `attempts`.
    pub attempted_at: Option<DateTimeUtc>,
    /// How long it took.
    pub duration_ms: Option<i32>,
    /// The answer's status.
    pub response_status: Option<i16>,
    /// The answer's headers: JSON array of [name, value] pairs.
    pub response_headers: Option<String>,
    /// The answer's body, as much as is kept.
    pub response_data: Option<String>,
    /// Why the latest attempt is no delivery, or why none was made.
    pub error: Option<String>,
    /// Settled: since when.
    pub ended_at: Option<DateTimeUtc>,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
