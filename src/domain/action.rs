//! The three row operations.

use std::{fmt, str::FromStr};

/// What happened to the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The row came to be (INSERT).
    Create,
    /// At least one column of the row changed (UPDATE).
    Update,
    /// The row went (DELETE, or TRUNCATE of its table).
    Delete,
}

impl Action {
    /// Every action, in the order of the contract.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// The name in the API and in the subscription's record: `CREATE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    /// The name in a delivery's body: `create`.
    pub fn in_body(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    /// The number in `logged_actions.action` and `events.action`; the triggers write it.
    pub fn code(self) -> i16 {
        match self {
            Self::Create => 1,
            Self::Update => 2,
            Self::Delete => 3,
        }
    }

    /// The action behind a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.code() == code)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is none of `CREATE`, `UPDATE`, `DELETE`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an action; use CREATE, UPDATE or DELETE")]
pub struct UnknownAction(pub String);

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL
            .into_iter()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| UnknownAction(text.to_owned()))
    }
}
