//! The doctor's door to what stands around capture: the role, the server's settings, the database's identity, how full
//! rowhook's tables are of what nobody sees any more. It only looks, and takes no lock that anybody waits for.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;

/// The database role that rowhook works as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Whether no right binds it.
    pub is_superuser: bool,
    /// Whether it sees rows that row security keeps from others.
    pub bypasses_row_security: bool,
    /// What it may not do and has to.
    pub lacks: Vec<LackingRight>,
}

/// Rights on one of rowhook's own tables, or on their schema, that somebody needs and has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LackingRight {
    /// The table or schema.
    pub on: String,
    /// The role that lacks them.
    pub role: String,
    /// The rights as SQL spells them, comma-separated.
    pub rights: String,
}

/// A setting by which sessions write without ordinary triggers: `session_replication_role = replica`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSetting {
    /// The role whose sessions it is for; `None`: every role's.
    pub role: Option<String>,
    /// The database that it is for; `None`: every database.
    pub database: Option<String>,
}

/// How much of a table nobody sees any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadRows {
    /// The table.
    pub table: String,
    /// Rows that are there, about.
    pub live: i64,
    /// Row versions that nobody sees any more and that take room until a vacuum, about.
    pub dead: i64,
    /// When it was vacuumed last, by hand or by autovacuum.
    pub vacuumed_at: Option<DateTime<Utc>>,
}

/// Whether the cursor belongs to this database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster in which the cursor was made.
    pub cursor_cluster: i64,
    /// This cluster.
    pub cluster: i64,
    /// The timeline on which the cursor was made.
    pub cursor_timeline: i32,
    /// The present one.
    pub timeline: i32,
    /// Whether the cursor has seen transactions that this database has not had yet.
    pub cursor_is_ahead: bool,
    /// Whether changes that were restored from another cluster are still to be read.
    pub changes_to_finish: bool,
    /// Whether this server follows another one and takes no writes.
    pub is_standby: bool,
}

/// Looking at what stands around capture. What a database has no such thing as is `None`, or an empty list.
#[async_trait]
pub trait Health: Send + Sync {
    /// The role and its rights (PostgreSQL).
    async fn role(&self) -> Result<Option<Role>, StoreError>;

    /// Settings of the server, of databases and of roles that make sessions of this database replicas (PostgreSQL).
    /// What a session sets for itself nobody else can see.
    async fn replica_settings(&self) -> Result<Vec<ReplicaSetting>, StoreError>;

    /// How full the log and the events are of dead rows, as the server has counted them (PostgreSQL).
    async fn dead_rows(&self) -> Result<Vec<DeadRows>, StoreError>;

    /// Whose the cursor is (PostgreSQL).
    async fn identity(&self) -> Result<Option<Identity>, StoreError>;

    /// The journal mode of the file (SQLite).
    async fn journal_mode(&self) -> Result<Option<String>, StoreError>;
}
