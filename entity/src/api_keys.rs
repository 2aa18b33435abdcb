//! API keys, as hashes.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "api_keys")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// What people call it.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// The first letters of the key.
    pub prefix: String,
    /// SHA-256 of the key, lower-case hexadecimal.
    pub key_hash: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTimeUtc>,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
