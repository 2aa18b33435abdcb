//! Who made or changed a record.

use juniper::GraphQLObject;

use crate::domain::api_key;

use super::{context::Context, scalar::ApiScalar};

/// The holder of the API key with which a record was made or changed.
#[derive(Clone, Debug, PartialEq, Eq, GraphQLObject)]
#[graphql(name = "Author", context = Context, scalar = ApiScalar)]
pub struct Author {
    /// The id of the API key; null for the `admin_key` of the configuration, which has no record.
    pub id: Option<i32>,
    /// The name of the API key; `admin` for the `admin_key` of the configuration.
    pub name: String,
}

impl From<&api_key::Author> for Author {
    fn from(author: &api_key::Author) -> Self {
        Self {
            id: author.id.map(|id| id.0),
            name: author.name.clone(),
        }
    }
}
