//! What became of attempts of late, counted.

use crate::sql::{SqlMigration, Texts};

/// Makes the table that statistics are read from.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0005_delivery_counts",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
