//! Where the changes end that were restored from another cluster.

use crate::sql::{SqlMigration, Texts};

/// Gives the cursor a list of them. SQLite's files have no clusters.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0008_restored_ids",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: "",
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: "",
    },
};
