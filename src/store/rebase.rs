//! The door for `rowhook rebase`: a database that was brought into another PostgreSQL cluster works on there.

use async_trait::async_trait;

use crate::domain::ids::ChangeId;

use super::StoreError;

/// How this database came to where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The cursor belongs to this cluster, or the database has no clusters: there is nothing to settle.
    AtHome,
    /// By its files, as pg_upgrade does it: transaction ids go on, and so may the cursor.
    ByItsFiles,
    /// By a dump: transaction ids began anew.
    ByADump {
        /// The last change that was restored; 0 where none was.
        last: ChangeId,
    },
}

/// What will go on once it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How it came here.
    pub standing: Standing,
    /// Events that are owed to receivers.
    pub owed: i64,
    /// The active receivers: name and URI, in the order of their ids, [`Found::NAMED`] at most.
    pub receivers: Vec<(String, String)>,
    /// How many more there are.
    pub more_receivers: i64,
}

impl Found {
    /// So many receivers are named.
    pub const NAMED: u32 = 20;
}

/// Settling it.
#[async_trait]
pub trait Rebase: Send + Sync {
    /// Looks, and changes nothing.
    async fn look(&self) -> Result<Found, StoreError>;

    /// Settles it in one transaction, and tells how it stood before that. Whoever reads or sends goes on by itself.
    async fn settle(&self) -> Result<Standing, StoreError>;
}
