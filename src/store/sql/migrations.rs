//! The schema of rowhook's own tables: what is applied, applying it, taking it back.
//!
//! The application's triggers write into one of these tables, so a migration that waits for a lock would make the
//! application wait behind it. On PostgreSQL each try to get one is short, and what missed it is rolled back and tried
//! again after a pause.

use std::collections::HashSet;

use chrono::DateTime;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbErr, SqlxPostgresConnector, Statement,
    sqlx::{self, postgres::PgPoolOptions},
};
use sea_orm_migration::MigratorTrait;

use crate::store::{
    StoreError,
    schema::{Schema, State, TooNew},
};

use super::{
    catalogue::LockPatience,
    connect::{ACQUIRE_TIMEOUT, postgres_options},
    db::{Db, Dialect},
    faults::{is_lock_missed, is_no_right, told},
};

/// Two instances that start at once migrate one after the other: PostgreSQL advisory lock, "rowhook".
const MIGRATION_LOCK: i64 = 0x726f_7768_6f6f_6b00;

/// What a migrating connection sets besides: one that is frozen in the middle holds up nobody for longer than this.
const SESSION: &str = "set search_path to rowhook; set idle_in_transaction_session_timeout = '10s'";

/// Why the schema is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The role may not make it.
    #[error(
        "the database role may not make rowhook's own tables ({0}); let a role that may do it run \
         `rowhook migrate up` once, or grant this one `create` on the database"
    )]
    NoRight(String),
    /// A newer program has made it something that this one can not work with.
    #[error(transparent)]
    TooNew(#[from] TooNew),
    /// Migrations of a newer program stand where the schema should be changed.
    #[error(
        "migration {newest} is in this database, and this rowhook does not know it; only a release that does can \
         apply migrations here, or take them back"
    )]
    NewerStands {
        /// The newest one.
        newest: String,
    },
    /// Others held locks all the while.
    #[error(
        "rowhook's own tables were in use at each of {tries} tries to change them, so {left} migrations are not \
         applied or taken back; end the transaction that has been open for long (`select pid, xact_start, query from \
         pg_stat_activity where xact_start < now() - interval '10 s'`), then do it again"
    )]
    InUse {
        /// How often it was tried.
        tries: u32,
        /// What was not done.
        left: usize,
    },
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

/// There, or back by so many.
#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down(u32),
}

impl Direction {
    /// How many migrations this program has to apply, or to take back.
    fn steps(self, schema: &Schema) -> Result<usize, MigrateError> {
        schema.is_not_too_new()?;
        let steps = match self {
            Self::Up => schema.count(State::Pending),
            Self::Down(steps) => schema
                .count(State::Applied)
                .min(usize::try_from(steps).unwrap_or(usize::MAX)),
        };
        match schema.newest_unknown() {
            Some(newest) if steps > 0 => Err(MigrateError::NewerStands {
                newest: newest.to_owned(),
            }),
            _ => Ok(steps),
        }
    }
}

impl Db {
    /// What is applied, what is not, and what newer programs have applied. Only looks, and needs no right but to read.
    pub async fn schema(&self) -> Result<Schema, MigrateError> {
        self.schema_through(self.raw()).await
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

    async fn schema_through(&self, db: &DatabaseConnection) -> Result<Schema, MigrateError> {
        let (is_there, table) = match self.dialect() {
            Dialect::Postgres => (
                "select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where n.nspname = 'rowhook' and c.relname = 'rowhook_migrations'",
                "rowhook.rowhook_migrations",
            ),
            Dialect::Sqlite => (
                "select 1 from sqlite_master where name = 'rowhook_migrations'",
                "rowhook_migrations",
            ),
        };
        let backend = db.get_database_backend();
        let query = |sql: String| db.query_all_raw(Statement::from_string(backend, sql));
        let mut applied = Vec::new();
        if !query(is_there.to_owned()).await?.is_empty() {
            let rows = query(format!("select version, applied_at from {table}")).await?;
            for row in rows {
                let seconds: i64 = row.try_get("", "applied_at")?;
                let at = DateTime::from_timestamp(seconds, 0)
                    .ok_or_else(|| StoreError::corrupt("the time of a migration"))?;
                applied.push((row.try_get("", "version")?, at));
            }
        }
        let known = migration::Migrator::migrations();
        Ok(Schema::new(known.iter().map(|one| one.name()), applied))
    }

    /// How many migrations are not applied. Fails where newer programs have applied some that this one can not work
    /// with.
    pub async fn pending_migrations(&self) -> Result<usize, MigrateError> {
        let schema = self.schema().await?;
        schema.is_not_too_new()?;
        Ok(schema.count(State::Pending))
    }

    /// Applies pending migrations and tells how many there were.
    pub async fn migrate_up(&self) -> Result<usize, MigrateError> {
        self.migrate(Direction::Up, LockPatience::default()).await
    }

    /// The same with another patience.
    pub async fn migrate_up_with(&self, patience: LockPatience) -> Result<usize, MigrateError> {
        self.migrate(Direction::Up, patience).await
    }

    /// Takes the last `steps` migrations back, and tells how many it were.
    pub async fn migrate_down(&self, steps: u32) -> Result<usize, MigrateError> {
        self.migrate(Direction::Down(steps), LockPatience::default())
            .await
    }

    async fn migrate(
        &self,
        direction: Direction,
        patience: LockPatience,
    ) -> Result<usize, MigrateError> {
        // Where nothing is to be done the role need not have the right.
        if direction.steps(&self.schema().await?)? == 0 {
            return Ok(0);
        }
        let db = self.migrating_connection().await?;
        let done = self.migrate_through(&db, direction, patience).await;
        self.end_migration(db).await?;
        done
    }

    async fn migrate_through(
        &self,
        db: &DatabaseConnection,
        direction: Direction,
        patience: LockPatience,
    ) -> Result<usize, MigrateError> {
        if self.dialect() == Dialect::Postgres {
            // Held until the connection ends; whoever waits for it holds nothing.
            db.execute_unprepared(&format!("select pg_advisory_lock({MIGRATION_LOCK})"))
                .await?;
            if let Direction::Up = direction {
                db.execute_unprepared("create schema if not exists rowhook")
                    .await?;
            }
            let limit = patience.timeout.as_millis();
            db.execute_unprepared(&format!("set lock_timeout = '{limit}ms'"))
                .await?;
        }
        let before = self.schema_through(db).await?;
        let wanted = direction.steps(&before)?;
        let (mut left, mut tries) = (wanted, 0);
        while left > 0 {
            let steps = u32::try_from(left).unwrap_or(u32::MAX);
            let done = match direction {
                Direction::Up => migration::Migrator::up(db, Some(steps)).await,
                Direction::Down(_) => migration::Migrator::down(db, Some(steps)).await,
            };
            tries += 1;
            match done {
                Ok(()) => break,
                Err(error) if is_lock_missed(&error) && tries < patience.tries => {
                    if tries == 1 {
                        tracing::info!("rowhook's own tables are in use; trying again for a while");
                    }
                    tokio::time::sleep(patience.pause).await;
                }
                Err(error) if is_lock_missed(&error) => {
                    return Err(MigrateError::InUse { tries, left });
                }
                Err(error) => return Err(error.into()),
            }
            // Each migration is a transaction of its own, so some may have got through.
            let now = self.schema_through(db).await?.count(State::Applied);
            left = wanted.saturating_sub(before.count(State::Applied).abs_diff(now));
        }
        Ok(wanted)
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
                    // What it sets, and the lock that it holds, are this connection's.
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .after_connect(|connection, _| {
                        Box::pin(async move {
                            sqlx::raw_sql(SESSION).execute(connection).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::is_well_named;

    #[test]
    fn each_migration_says_what_it_means_for_older_programs() {
        for one in migration::Migrator::migrations() {
            assert!(
                is_well_named(one.name()),
                "{} is neither mNNNN_expand_WORDS nor mNNNN_contract_MMMM_WORDS",
                one.name()
            );
        }
    }
}
