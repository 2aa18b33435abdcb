//! The connection: one spelling of rowhook's table names for both databases.
//!
//! Statements here say `rowhook.events`. On SQLite, which has no schemas, that table is called
//! `rowhook_events`, and the names are rewritten just before a statement is sent. Values are always
//! bound and never in the text, so only names can be met. Statements about the user's own tables go
//! through [`Db::raw`] and are not touched.

use std::{
    borrow::Cow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, SqlErr, SqliteTransactionMode, SqlxPostgresConnector,
    SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait, Value,
    sqlx::{
        self, Executor as _,
        postgres::{PgConnectOptions, PgPoolOptions},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::store::StoreError;

use super::home::{Home, Kept};

/// How long a statement waits for a free connection before the caller is told that there is none.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a SQLite writer waits for another process's write to end.
pub const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Readers beside SQLite's one writer; more only wait for each other's page cache.
const SQLITE_CONNECTIONS: u32 = 4;
/// Two instances that start at once migrate one after the other: PostgreSQL advisory lock, "rowhook".
const MIGRATION_LOCK: i64 = 0x726f_7768_6f6f_6b00;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL, rowhook's tables in schema `rowhook`.
    Postgres,
    /// SQLite, rowhook's tables with prefix `rowhook_`.
    Sqlite,
}

/// What a service connection to PostgreSQL sets: an instance that is frozen in the middle of a
/// transaction must not hold rows that the others need for longer than this.
const SESSION: &str = "set idle_in_transaction_session_timeout = '10s';
                       set lock_timeout = '5s';
                       set statement_timeout = '50s'";

/// A pool of connections to rowhook's database.
#[derive(Clone)]
pub struct Db {
    pool: DatabaseConnection,
    dialect: Dialect,
    url: Arc<str>,
    home: Home,
    /// Connections to PostgreSQL that were opened so far.
    opened: Arc<AtomicU64>,
    /// SQLite has one writer; those of this process queue here, fairly, instead of polling its lock.
    writer: Arc<Mutex<()>>,
}

impl Db {
    /// Connects to `sqlite://PATH` or `postgres://…`.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, StoreError> {
        let home = Home::start()?;
        let opened = Arc::<AtomicU64>::default();
        let (pool, dialect) = if url.starts_with("sqlite:") {
            (home.with(connect_sqlite(url)).await?, Dialect::Sqlite)
        } else {
            let pool = PgPoolOptions::new().max_connections(connections);
            (
                home.with(connect_postgres(url, pool, opened.clone()))
                    .await?,
                Dialect::Postgres,
            )
        };
        Ok(Self {
            pool,
            dialect,
            url: url.into(),
            home,
            opened,
            writer: Arc::default(),
        })
    }

    /// A pool with one connection, which tells by [`Db::ran_through`] whether it was ever replaced.
    pub async fn alone(&self) -> Result<Self, StoreError> {
        let opened = Arc::<AtomicU64>::default();
        let pool = match self.dialect {
            Dialect::Sqlite => self.pool.clone(),
            Dialect::Postgres => {
                let pool = PgPoolOptions::new()
                    .max_connections(1)
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .test_before_acquire(false);
                self.home
                    .with(connect_postgres(&self.url, pool, opened.clone()))
                    .await?
            }
        };
        Ok(Self {
            pool,
            opened,
            ..self.clone()
        })
    }

    /// Whether the one connection of [`Db::alone`] is still its first: then the server has not started
    /// again since. The pool may replace it without a word. (On SQLite a crash of the machine is one of
    /// this process too.)
    pub fn ran_through(&self) -> bool {
        self.opened.load(Ordering::SeqCst) <= 1
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The thread that connections live on, for those who open them otherwise.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// The pool itself, for statements about the user's tables: nothing is rewritten.
    pub fn raw(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Starts a transaction that may write. On SQLite it takes the write lock at once
    /// (`BEGIN IMMEDIATE`), so that it can not fail half-way because another process wrote.
    pub async fn begin(&self) -> Result<Txn, StoreError> {
        Ok(self.begin_inner().await?)
    }

    async fn begin_inner(&self) -> Result<Txn, DbErr> {
        let writer = match self.dialect {
            Dialect::Sqlite => Some(self.writer.clone().lock_owned().await),
            Dialect::Postgres => None,
        };
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let begin = self.pool.begin_with_options(options);
        let inner = self.home.with(begin).await?;
        Ok(Txn {
            inner: self.home.keep(inner),
            home: self.home.clone(),
            dialect: self.dialect,
            _writer: writer,
        })
    }

    /// [`Db::begin`], or `None` when another process held SQLite's write lock for all of
    /// [`SQLITE_BUSY_TIMEOUT`].
    pub async fn try_begin(&self) -> Result<Option<Txn>, StoreError> {
        match self.begin_inner().await {
            Ok(txn) => Ok(Some(txn)),
            Err(error) if is_busy(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A statement with bound values (`$1`, `$2` … in both dialects).
    pub fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        statement(self.dialect, sql, values)
    }

    /// The applied and pending migrations: name and whether it is applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, StoreError> {
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

    /// How many migrations are not applied.
    pub async fn pending_migrations(&self) -> Result<usize, StoreError> {
        let all = self.migrations().await?;
        Ok(all.iter().filter(|(_, applied)| !applied).count())
    }

    /// Applies pending migrations and tells how many there were.
    pub async fn migrate_up(&self) -> Result<usize, StoreError> {
        let db = self.migrating_connection().await?;
        if self.dialect == Dialect::Postgres {
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
    pub async fn migrate_down(&self, steps: u32) -> Result<(), StoreError> {
        let db = self.migrating_connection().await?;
        if self.dialect == Dialect::Postgres {
            db.execute_unprepared(&format!("select pg_advisory_lock({MIGRATION_LOCK})"))
                .await?;
        }
        migration::Migrator::down(&db, Some(steps)).await?;
        self.end_migration(db).await
    }

    /// Ends the connection, and with it the migration lock; SQLite's was the pool itself.
    async fn end_migration(&self, db: DatabaseConnection) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            db.close().await?;
        }
        Ok(())
    }

    /// One connection of its own, whose unqualified names are rowhook's.
    async fn migrating_connection(&self) -> Result<DatabaseConnection, StoreError> {
        match self.dialect {
            Dialect::Sqlite => Ok(self.pool.clone()),
            Dialect::Postgres => {
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
                    .connect_with(postgres_options(&self.url)?)
                    .await
                    .map_err(unavailable)?;
                Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
            }
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.home.with(self.pool.ping()).await?)
    }

    /// Closes the pool; statements after it fail.
    pub async fn close(&self) -> Result<(), StoreError> {
        Ok(self.home.with(self.pool.clone().close()).await?)
    }
}

/// A statement whose names fit the dialect.
fn statement(dialect: Dialect, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    match dialect {
        Dialect::Postgres => Statement::from_sql_and_values(DbBackend::Postgres, sql, values),
        Dialect::Sqlite => {
            Statement::from_sql_and_values(DbBackend::Sqlite, sqlite_names(sql), values)
        }
    }
}

/// `rowhook.events` as SQLite knows it. sea-orm writes `"rowhook"."events"` and then names columns as
/// `"events"."id"`, so there the old name stays as an alias.
fn sqlite_names(sql: &str) -> Cow<'_, str> {
    const QUOTED: &str = "\"rowhook\".\"";
    if !sql.contains("rowhook") {
        return Cow::Borrowed(sql);
    }
    let mut text = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(at) = rest.find(QUOTED) {
        let (before, after) = (&rest[..at], &rest[at + QUOTED.len()..]);
        let (name, tail) = after.split_once('"').unwrap_or((after, ""));
        text.push_str(&before.replace("rowhook.", "rowhook_"));
        text.push_str(&format!("\"rowhook_{name}\" AS \"{name}\""));
        rest = tail;
    }
    text.push_str(&rest.replace("rowhook.", "rowhook_"));
    Cow::Owned(text)
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.pool.execute_raw(stmt)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.home.with(self.pool.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.pool.query_one_raw(stmt)).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.pool.query_all_raw(stmt)).await
    }
}

/// A statement that sea-orm built, with names that fit the dialect.
fn renamed(dialect: Dialect, mut stmt: Statement) -> Statement {
    if dialect == Dialect::Sqlite
        && let Cow::Owned(sql) = sqlite_names(&stmt.sql)
    {
        stmt.sql = sql;
    }
    stmt
}

/// A transaction; dropped without [`Txn::commit`] it is rolled back.
pub struct Txn {
    inner: Kept<DatabaseTransaction>,
    home: Home,
    dialect: Dialect,
    _writer: Option<OwnedMutexGuard<()>>,
}

impl Txn {
    /// Makes it durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.home.with(self.inner.take().commit()).await?)
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Makes the commit durable before it is answered, where the server's default is weaker; a stronger
    /// one stays. (SQLite: `synchronous = FULL`, set where it is connected to.)
    pub async fn make_durable(&self) -> Result<(), DbErr> {
        if self.dialect == Dialect::Postgres {
            self.execute_unprepared(
                "select set_config('synchronous_commit', 'on', true)
                 where current_setting('synchronous_commit') = 'off'",
            )
            .await?;
        }
        Ok(())
    }

    /// A statement with bound values (`$1`, `$2` … in both dialects).
    pub fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        statement(self.dialect, sql, values)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Txn {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.inner.execute_raw(stmt)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.home.with(self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.inner.query_one_raw(stmt)).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.inner.query_all_raw(stmt)).await
    }
}

async fn connect_sqlite(url: &str) -> Result<DatabaseConnection, StoreError> {
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))
        .unwrap_or(url);
    let options = SqliteConnectOptions::new()
        .filename(Path::new(path))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An event that was sent exists, with its id, after any crash.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY_TIMEOUT);
    let pool = SqlitePoolOptions::new()
        .max_connections(SQLITE_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(|error| StoreError::Unavailable(format!("{path}: {error}")))?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = url
        .parse()
        .map_err(|error: sqlx::Error| StoreError::Refused(error.to_string()))?;
    Ok(options.application_name("rowhook"))
}

async fn connect_postgres(
    url: &str,
    pool: PgPoolOptions,
    opened: Arc<AtomicU64>,
) -> Result<DatabaseConnection, StoreError> {
    let pool = pool
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| {
            opened.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                connection.execute(SESSION).await?;
                Ok(())
            })
        });
    let options = postgres_options(url)?;
    let pool = pool.connect_with(options).await.map_err(unavailable)?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match &error {
            // Another process writes to the SQLite file for a long time.
            _ if is_busy(&error) => Self::Unavailable(error.to_string()),
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(error.to_string()),
            DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
                match &**inner {
                    sqlx::Error::Io(_)
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
                    // Class 57: the server is shutting down, starting or was told to end this one
                    // (PostgreSQL documentation, appendix A).
                    sqlx::Error::Database(inner)
                        if inner.code().is_some_and(|code| code.starts_with("57P")) =>
                    {
                        Self::Unavailable(error.to_string())
                    }
                    _ => Self::Refused(error.to_string()),
                }
            }
            DbErr::RecordNotUpdated => Self::Conflict,
            DbErr::Type(_) | DbErr::Json(_) => Self::Corrupt(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// The database's own code for an error: SQLSTATE on PostgreSQL, the extended result code on SQLite.
pub fn database_code(error: &DbErr) -> Option<String> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner))
        | DbErr::Conn(RuntimeErr::SqlxError(inner)) => {
            Some(inner.as_database_error()?.code()?.into_owned())
        }
        _ => None,
    }
}

/// Whether another connection holds SQLite's write lock (SQLITE_BUSY and its extended codes).
fn is_busy(error: &DbErr) -> bool {
    let code = database_code(error).and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Whether the database refused because the value is there already.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_has_a_prefix_where_postgresql_has_a_schema() {
        assert_eq!(
            sqlite_names("select e.id from rowhook.events e join rowhook.attempts a on true"),
            "select e.id from rowhook_events e join rowhook_attempts a on true"
        );
        assert_eq!(
            sqlite_names(r#"SELECT "events"."id" FROM "rowhook"."events" WHERE "events"."id" = 1"#),
            r#"SELECT "events"."id" FROM "rowhook_events" AS "events" WHERE "events"."id" = 1"#
        );
        assert_eq!(sqlite_names("select 1"), "select 1");
    }
}
