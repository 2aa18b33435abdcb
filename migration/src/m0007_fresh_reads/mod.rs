//! How a trigger on TRUNCATE sees the table as it is, whatever its transaction's snapshot is.

use crate::sql::{SqlMigration, Texts};

/// Makes the table and the functions that fresh reads go through. SQLite has no TRUNCATE.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0007_fresh_reads",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: "",
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: "",
    },
};
