//! When each subscription was in force, and with what setting.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "activity_intervals")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The subscription; at most one open interval each.
    pub subscription_id: i32,
    /// Its receiver.
    pub receiver_id: i32,
    /// The canonical resource name.
    pub resource: String,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub action: String,
    /// JSON array of column names.
    pub changed_fields: Option<String>,
    /// CEL.
    pub filter: Option<String>,
    /// A position in the change log: what it sees is out.
    pub opened_at: String,
    /// A position in the change log: only what it sees is in. None: still open.
    pub closed_at: Option<String>,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
