//! `currentUser`: whose key this request carries.

use juniper::{GraphQLEnum, GraphQLObject};

use crate::domain::api_key;

use super::{context::Context, scalar::ApiScalar};

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "Role", scalar = ApiScalar, rename_all = "none")]
pub enum Role {
    /// Reads; header values are masked.
    #[graphql(name = "viewer")]
    Viewer,
    /// What a viewer may; also redelivers events and pauses.
    #[graphql(name = "operator")]
    Operator,
    /// Everything.
    #[graphql(name = "admin")]
    Admin,
}

impl From<api_key::Role> for Role {
    fn from(role: api_key::Role) -> Self {
        match role {
            api_key::Role::Viewer => Self::Viewer,
            api_key::Role::Operator => Self::Operator,
            api_key::Role::Admin => Self::Admin,
        }
    }
}

impl From<Role> for api_key::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
        }
    }
}

/// The holder of the API key that this request carries.
#[derive(Clone, Debug, PartialEq, Eq, GraphQLObject)]
#[graphql(name = "CurrentUser", context = Context, scalar = ApiScalar)]
pub struct CurrentUser {
    /// The id of the API key; null for the `admin_key` of the configuration, which has no record.
    pub id: Option<i32>,
    /// The name of the API key, which the records that it makes carry as createdBy and updatedBy.
    pub name: String,
    /// What the key may do.
    pub role: Role,
}

impl From<&api_key::Identity> for CurrentUser {
    fn from(identity: &api_key::Identity) -> Self {
        Self {
            id: identity.author.id.map(|id| id.0),
            name: identity.author.name.clone(),
            role: identity.role.into(),
        }
    }
}
