//! The instances that run, so that receivers can be shared out among them.

use crate::sql::{SqlMigration, Texts};

/// Makes the table of instances.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0015_instances",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
