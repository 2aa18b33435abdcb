//! How receivers do.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "receiver_health")]
pub struct Model {
    /// The receiver.
    #[sea_orm(primary_key, auto_increment = false)]
    pub receiver_id: i32,
    /// Its name when this was written.
    pub receiver_name: String,
    /// `HEALTHY`, `FAILING`, `PROBING` or `INACTIVE`.
    pub state: String,
    /// Why it came to this state.
    pub reason: Option<String>,
    /// When it came to this state.
    pub since: DateTimeUtc,
    /// Failures in a row.
    pub failures: i32,
    /// When the first of them was.
    pub failing_since: Option<DateTimeUtc>,
    /// The error of the last of them.
    pub last_error: Option<String>,
    /// When the next probe may go.
    pub probe_at: Option<DateTimeUtc>,
    /// The pause before it, milliseconds, without its spread.
    pub probe_pause_ms: Option<i64>,
    /// Grows with each change.
    pub revision: i64,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
