//! How receivers do: beside their records, whose etags it is no part of.

use crate::sql::{SqlMigration, Texts};

/// Makes the table, and the index that finds test deliveries behind a long queue.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0011_receiver_health",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
