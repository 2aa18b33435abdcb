//! Who speaks to the API: keys, roles and the names that records carry.

use std::{fmt, str::FromStr};

use super::ids::ApiKeyId;

/// What a key may do. Each role may do what the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also redelivers and pauses.
    Operator,
    /// Does all.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word on the command line and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no role.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a role; use admin, operator or viewer")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// The person or program that a record names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The key's id; `None` for the configured `admin_key`, which has no record.
    pub id: Option<ApiKeyId>,
    /// The key's name; `admin` for the configured `admin_key`.
    pub name: String,
}

impl Author {
    /// rowhook itself, where it changes a record by its own decision.
    pub fn rowhook() -> Self {
        Self {
            id: None,
            name: "rowhook".to_owned(),
        }
    }
}

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name that its records carry.
    pub author: Author,
    /// What it may do.
    pub role: Role,
}

impl Identity {
    /// The caller behind the configured `admin_key`.
    pub fn configured_admin() -> Self {
        Self {
            author: Author {
                id: None,
                name: "admin".to_owned(),
            },
            role: Role::Admin,
        }
    }
}
