//! What became of attempts a while ago, counted in coarser stretches of time.

use crate::sql::{SqlMigration, Texts};

/// Makes the table that the history of deliveries is read from.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0013_delivery_history",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
