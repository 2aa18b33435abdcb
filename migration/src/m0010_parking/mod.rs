//! Tells a sender that somebody else made parked events of its receiver ready.

use crate::sql::{SqlMigration, Texts};

/// Adds the count to the receiver's lease.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0010_parking",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
