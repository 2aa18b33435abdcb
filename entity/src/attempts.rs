//! Attempts made for events, but the latest one of each, which is in `events`.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "attempts")]
pub struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: i64,
    /// 1 for the first attempt.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// When it started.
    pub attempted_at: DateTimeUtc,
    /// How long it took.
    pub duration_ms: i32,
    /// The answer's status.
    pub response_status: Option<i16>,
    /// The answer's headers: JSON array of [name, value] pairs.
    pub response_headers: Option<String>,
    /// The answer's body, as much as is kept.
    pub response_data: Option<String>,
    /// Why it is no delivery.
    pub error: Option<String>,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
