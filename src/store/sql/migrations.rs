//! The schema of rowhook's own tables: what is applied, applying it, taking it back.

use std::collections::HashSet;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, SqlxPostgresConnector,
    sqlx::{self, postgres::PgPoolOptions},
};
use sea_orm_migration::MigratorTrait;

use crate::store::StoreError;

use super::{
    connect::{ACQUIRE_TIMEOUT, postgres_options},
    db::{Db, Dialect},
    faults::{is_no_right, told},
};

/// Two instances that start at once migrate one after the other: PostgreSQL advisory lock, "rowhook".
const MIGRATION_LOCK: i64 = 0x726f_7768_6f6f_6b00;

/// Why the schema is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The role may not make it.
    #[error(
        "the database role may not make rowhook's own tables ({0}); let a role that may do it run \
         `rowhook migrate up` once, or grant this one `create` on the database"
    )]
    NoRight(String),
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbErr> for MigrateError {
    fn from(error: DbErr) -> Self {
        if is_no_right(&error) {
            Self::NoRight(told(&error))
        } else {
            Self::Store(error.into())
        }
    }
}

impl Db {
    /// The applied and pending migrations: name and whether it is applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, MigrateError> {
        let db = self.migrating_connection().await?;
        let all = migration::Migrator::get_migration_with_status_read_only(&db).await?;
        self.end_migration(db).await?;
        Ok(all
            .iter()
            .map(|one| {
                let applied = one.status() == sea_orm_migration::MigrationStatus::Applied;
                (one.name().to_owned(), applied)
            })
            .collect())
    }

    /// The migrations that this program needs and the database lacks. One statement, for those who ask often.
    pub async fn lacks(&self) -> Result<Vec<String>, StoreError> {
        let table = match self.dialect() {
            Dialect::Postgres => "rowhook.rowhook_migrations",
            // With its prefix it is the same name.
            Dialect::Sqlite => "rowhook.migrations",
        };
        let statement = self.statement(&format!("select version from {table}"), []);
        let rows = self.query_all_raw(statement).await?;
        let applied: HashSet<String> = rows
            .iter()
            .map(|row| row.try_get("", "version"))
            .collect::<Result<_, _>>()?;
        let known = migration::Migrator::migrations().into_iter();
        let names = known.map(|one| one.name().to_owned());
        Ok(names.filter(|name| !applied.contains(name)).collect())
    }

    /// How many migrations are not applied.
    pub async fn pending_migrations(&self) -> Result<usize, MigrateError> {
        let all = self.migrations().await?;
        Ok(all.iter().filter(|(_, applied)| !applied).count())
    }

    /// Applies pending migrations and tells how many there were.
    pub async fn migrate_up(&self) -> Result<usize, MigrateError> {
        // Where nothing is pending the role need not have the right.
        if self.pending_migrations().await? == 0 {
            return Ok(0);
        }
        let db = self.migrating_connection().await?;
        if self.dialect() == Dialect::Postgres {
            db.execute_unprepared(&format!("select pg_advisory_lock({MIGRATION_LOCK})"))
                .await?;
            db.execute_unprepared("create schema if not exists rowhook")
                .await?;
        }
        let pending = migration::Migrator::get_pending_migrations(&db)
            .await?
            .len();
        migration::Migrator::up(&db, None).await?;
        self.end_migration(db).await?;
        Ok(pending)
    }

    /// Takes the last `steps` migrations back.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), MigrateError> {
        let db = self.migrating_connection().await?;
        if self.dialect() == Dialect::Postgres {
            db.execute_unprepared(&format!("select pg_advisory_lock({MIGRATION_LOCK})"))
                .await?;
        }
        migration::Migrator::down(&db, Some(steps)).await?;
        Ok(self.end_migration(db).await?)
    }

    /// Ends the connection, and with it the migration lock; SQLite's was the pool itself.
    async fn end_migration(&self, db: DatabaseConnection) -> Result<(), StoreError> {
        if self.dialect() == Dialect::Postgres {
            db.close().await?;
        }
        Ok(())
    }

    /// One connection of its own, whose unqualified names are rowhook's.
    async fn migrating_connection(&self) -> Result<DatabaseConnection, StoreError> {
        let unavailable =
            |error: &dyn std::fmt::Display| StoreError::Unavailable(error.to_string());
        match self.dialect() {
            Dialect::Sqlite => Ok(self.raw().clone()),
            Dialect::Postgres => {
                let options = postgres_options(self.url()).map_err(|error| unavailable(&error))?;
                let pool = PgPoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .after_connect(|connection, _| {
                        Box::pin(async move {
                            sqlx::query("set search_path to rowhook")
                                .execute(connection)
                                .await?;
                            Ok(())
                        })
                    })
                    .connect_with(options)
                    .await
                    .map_err(|error| unavailable(&error))?;
                Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
            }
        }
    }
}
