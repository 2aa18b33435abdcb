//! What is not delivered stands beside the events, so that a delivery writes no index of theirs.

use crate::sql::{SqlMigration, Texts};

/// Makes the table of what is not delivered, and puts the events' indexes that hold their state in its place.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0012_undelivered",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
