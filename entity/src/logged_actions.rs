//! The change log, as far as both databases hold the same columns of it.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "logged_actions")]
pub struct Model {
    /// The change's id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// When the trigger ran.
    pub logged_at: DateTimeUtc,
    /// The version of the table's description.
    pub resource_id: i32,
    /// 1 create, 2 update, 3 delete.
    pub action: i16,
    /// The row as a JSON object; on delete the old one.
    pub row_data: String,
    /// Update: the old values of the changed columns.
    pub old_values: Option<String>,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
