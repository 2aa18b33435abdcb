//! What the instance that reads changes last found when it looked at the tables and compared the records.

use crate::sql::{SqlMigration, Texts};

/// Makes the tables that `webhookCapture` reads it from, so that every instance tells the same.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0006_capture_notes",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
