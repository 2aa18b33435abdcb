//! Custom headers of receivers.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "headers")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// The receiver that it is sent to.
    pub receiver_id: i32,
    /// The header's name, lower case; once per receiver.
    pub key: String,
    /// Sealed.
    pub value: String,
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
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
