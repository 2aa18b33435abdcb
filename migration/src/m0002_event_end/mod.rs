//! When an event ended, which is what its retention counts from.

use crate::sql::{SqlMigration, Texts};

/// Adds `events.ended_at`.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0002_event_end",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: "alter table rowhook.events drop column ended_at",
        sqlite: "alter table rowhook_events drop column ended_at",
    },
};
