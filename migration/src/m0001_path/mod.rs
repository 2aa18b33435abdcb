//! The first schema: the whole path of a change, from `logged_actions` to `attempts`.

use crate::sql::{SqlMigration, Texts};

/// Makes every table of the first release.
pub const MIGRATION: SqlMigration = SqlMigration {
    name: "m0001_path",
    up: Texts {
        postgres: include_str!("postgres.sql"),
        sqlite: include_str!("sqlite.sql"),
    },
    down: Texts {
        postgres: include_str!("postgres_down.sql"),
        sqlite: include_str!("sqlite_down.sql"),
    },
};
