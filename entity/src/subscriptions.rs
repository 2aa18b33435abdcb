//! Subscriptions.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "subscriptions")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// Its receiver, which never changes.
    pub receiver_id: i32,
    /// The canonical resource name.
    pub resource: String,
    /// `CREATE`, `UPDATE` or `DELETE`.
    pub action: String,
    /// Whether it gets new events.
    pub active: bool,
    /// JSON array of column names.
    pub changed_fields: Option<String>,
    /// CEL.
    pub filter: Option<String>,
    /// Who made it; none for the configured admin key.
    pub created_by_id: Option<i32>,
    /// The maker's name at that time.
    pub created_by_name: String,
    /// Who changed it last; none for the configured admin key.
    pub updated_by_id: Option<i32>,
    /// The last changer's name at that time.
    pub updated_by_name: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was changed last.
    pub updated_at: DateTimeUtc,
    /// Replaced at each change.
    pub etag: String,
    /// When it was deleted; its events and their log stay.
    pub deleted_at: Option<DateTimeUtc>,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
