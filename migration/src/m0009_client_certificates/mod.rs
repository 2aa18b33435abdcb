//! Certificates that rowhook shows to receivers which ask for one.

use crate::sql::{SqlMigration, Texts};

/// Gives receivers a certificate and a sealed key.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0009_client_certificates",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
