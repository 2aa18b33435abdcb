//! What can go wrong in the database, as far as a caller would act differently.

use crate::domain::ids::{ApiKeyId, ReceiverId};

/// A store's failure.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database can not be reached, or ended the connection: try again later.
    #[error("the database can not be reached: {0}")]
    Unavailable(String),
    /// The record has changed since it was read.
    #[error("the record has changed since it was read; read it again and repeat the change")]
    Conflict,
    /// A receiver has at most one header of a name.
    #[error("webhook receiver {receiver} already has a header {key}")]
    HeaderTaken {
        /// The receiver.
        receiver: ReceiverId,
        /// The header's name, lower case.
        key: String,
    },
    /// Without this key nobody could manage this deployment any more.
    #[error("API key {id} is the last one with role admin")]
    LastAdminKey {
        /// The key.
        id: ApiKeyId,
    },
    /// There is no such record.
    #[error("there is no {what} with id {id}")]
    NotFound {
        /// What was looked for, in the contract's words.
        what: &'static str,
        /// Its id.
        id: i64,
    },
    /// Another instance has taken over what this one thought it owned; nothing was written.
    #[error("another instance has taken over; nothing was written")]
    Fenced,
    /// The cursor belongs to another cluster: nothing is read, and nothing delivered, until somebody says that this
    /// database is to work on.
    #[error(
        "this database was brought into another PostgreSQL cluster; no change is read and nothing is delivered until \
         `rowhook rebase` has settled that"
    )]
    ForeignCluster,
    /// What the database holds can not be read as what it should be.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
    /// The database refused the statement.
    #[error("the database refused a statement: {0}")]
    Refused(String),
}

impl StoreError {
    /// Something stored that is not what it should be.
    pub fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }
}
