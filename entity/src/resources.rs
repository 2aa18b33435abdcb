//! Versions of watched tables' descriptions.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "resources")]
pub struct Model {
    /// The version's id, which log rows carry.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// The resource's public name.
    pub name: String,
    /// JSON of the description.
    pub definition: String,
    /// When it came into force.
    pub created_at: DateTimeUtc,
    /// When it was replaced or taken off.
    pub retired_at: Option<DateTimeUtc>,
    /// JSON: where its excluded columns stood.
    pub excluded_at: Option<String>,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
