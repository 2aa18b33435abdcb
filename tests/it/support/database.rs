//! A fresh database for each test, on PostgreSQL and on SQLite.
//!
//! The server is the one at `ROWHOOK_TEST_POSTGRES` (`tests/run` starts one). A test that has none
//! fails: nothing is skipped.

use std::sync::atomic::{AtomicU32, Ordering};

use rowhook::store::sql::db::{Db, Dialect};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;

/// A database that goes when the test ends.
pub struct TestDatabase {
    /// Where rowhook finds it.
    pub url: String,
    /// Which one it is.
    pub dialect: Dialect,
    server: Option<(String, String)>,
    _directory: Option<TempDir>,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl TestDatabase {
    /// A new, empty database of that kind.
    pub async fn fresh(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                Self {
                    url: format!("sqlite://{}", directory.path().join("rowhook.db").display()),
                    dialect,
                    server: None,
                    _directory: Some(directory),
                }
            }
            Dialect::Postgres => {
                let server = std::env::var("ROWHOOK_TEST_POSTGRES").expect(
                    "ROWHOOK_TEST_POSTGRES names no PostgreSQL server: run the tests with tests/run",
                );
                let name = format!(
                    "rowhook_test_{}_{}",
                    std::process::id(),
                    NEXT.fetch_add(1, Ordering::Relaxed)
                );
                let admin = Database::connect(&server).await.unwrap();
                admin
                    .execute_unprepared(&format!("create database {name}"))
                    .await
                    .unwrap();
                admin.close().await.unwrap();
                let (base, _) = server.rsplit_once('/').unwrap();
                Self {
                    url: format!("{base}/{name}"),
                    dialect,
                    server: Some((server, name)),
                    _directory: None,
                }
            }
        }
    }

    /// Both kinds, one after the other.
    pub const BOTH: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

    /// rowhook's own connection, migrated.
    pub async fn migrated(&self) -> Db {
        let db = Db::connect(&self.url, 8).await.unwrap();
        db.migrate_up().await.unwrap();
        db
    }

    /// A connection such as the user's application has: rowhook has no part in it.
    pub async fn application(&self) -> DatabaseConnection {
        let url = match self.dialect {
            Dialect::Postgres => self.url.clone(),
            // Whoever comes first makes the file.
            Dialect::Sqlite => format!("{}?mode=rwc", self.url),
        };
        let mut options = sea_orm::ConnectOptions::new(url);
        options.max_connections(16).sqlx_logging(false);
        if self.dialect == Dialect::Postgres {
            // The tests' role may be called rowhook, and a schema of the role's own name comes first.
            options.set_schema_search_path("public");
        }
        Database::connect(options).await.unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((server, name)) = self.server.take() {
            // Not through the test's runtime, which may be gone by now. Left behind where psql is not
            // on the machine: the server is the tests' own.
            let _ = std::process::Command::new("psql")
                .args([
                    &server,
                    "-qc",
                    &format!("drop database {name} with (force)"),
                ])
                .output();
        }
    }
}
