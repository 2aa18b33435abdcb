//! What lists of events are walked along.

use crate::sql::{SqlMigration, Texts};

/// Makes the indexes of lists.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0004_event_lists",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
