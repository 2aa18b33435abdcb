//! The connection: one spelling of rowhook's table names for both databases.
//!
//! Statements here say `rowhook.events`. On SQLite, which has no schemas, that table is called
//! `rowhook_events`, and the names are rewritten just before a statement is sent. Values are always
//! bound and never in the text, so only names can be met. Statements about the user's own tables go
//! through [`Db::raw`] and are not touched.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, SqlxPostgresConnector, Statement, TransactionOptions,
    TransactionTrait, Value, sqlx::postgres::PgPoolOptions,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::store::{StoreError, event_counts::EventCounts};

use super::{
    connect::{self, ConnectError, Purpose},
    faults::is_busy,
    home::{Home, Kept},
};

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL, rowhook's tables in schema `rowhook`.
    Postgres,
    /// SQLite, rowhook's tables with prefix `rowhook_`.
    Sqlite,
}

/// A pool of connections to rowhook's database.
#[derive(Clone)]
pub struct Db {
    pool: DatabaseConnection,
    dialect: Dialect,
    url: Arc<str>,
    home: Home,
    /// Connections to PostgreSQL that were opened so far.
    opened: Arc<AtomicU64>,
    /// Statements that were sent so far, by all clones and their transactions.
    sent: Arc<AtomicU64>,
    /// SQLite has one writer; those of this process queue here, fairly, instead of polling its lock.
    writer: Arc<Mutex<()>>,
    counts: EventCounts,
}

impl Db {
    /// Connects to `sqlite://PATH` or `postgres://…`.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, ConnectError> {
        Self::open(url, connections, Purpose::Serving).await
    }

    /// The same, but leaves an embedded database as it is found: nothing is made, and its journal mode is not set.
    pub async fn connect_to_look(url: &str, connections: u32) -> Result<Self, ConnectError> {
        Self::open(url, connections, Purpose::Looking).await
    }

    async fn open(url: &str, connections: u32, purpose: Purpose) -> Result<Self, ConnectError> {
        let home = Home::start()?;
        let opened = Arc::<AtomicU64>::default();
        let (pool, dialect) = if url.starts_with("sqlite:") {
            (
                home.with(connect::sqlite(url, purpose)).await?,
                Dialect::Sqlite,
            )
        } else {
            home.with(connect::try_postgres(url, purpose)).await?;
            let pool = PgPoolOptions::new().max_connections(connections);
            let pool = connect::gives_up_hung(pool);
            let pool = connect::postgres(url, pool, purpose, opened.clone());
            (
                SqlxPostgresConnector::from_sqlx_postgres_pool(home.with(pool).await?),
                Dialect::Postgres,
            )
        };
        Ok(Self {
            pool,
            dialect,
            url: url.into(),
            home,
            opened,
            sent: Arc::default(),
            writer: Arc::default(),
            counts: EventCounts::default(),
        })
    }

    /// A pool with one connection, which tells by [`Db::ran_through`] whether it was ever replaced.
    pub async fn alone(&self) -> Result<Self, StoreError> {
        let opened = Arc::<AtomicU64>::default();
        let pool = match self.dialect {
            Dialect::Sqlite => self.pool.clone(),
            Dialect::Postgres => {
                let pool = connect::only_one().test_before_acquire(false);
                let serving = Purpose::Serving;
                let pool = connect::postgres(&self.url, pool, serving, opened.clone());
                SqlxPostgresConnector::from_sqlx_postgres_pool(self.home.with(pool).await?)
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

    /// Tells this of events that people bring to a status. What the stages do they tell by themselves.
    pub fn counting(self, counts: EventCounts) -> Self {
        Self { counts, ..self }
    }

    /// Who is told of them.
    pub(super) fn event_counts(&self) -> &EventCounts {
        &self.counts
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How many statements were sent so far: what a request costs shows in the difference.
    pub fn statements_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Where the database is.
    pub(super) fn url(&self) -> &str {
        &self.url
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
            sent: self.sent.clone(),
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
        self.sent.fetch_add(1, Ordering::Relaxed);
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.pool.execute_raw(stmt)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.home.with(self.pool.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.pool.query_one_raw(stmt)).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.sent.fetch_add(1, Ordering::Relaxed);
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
    sent: Arc<AtomicU64>,
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

    /// Called first: makes the commit durable before it is answered, where the server's default is weaker
    /// (a stronger one stays), and gives each statement a fresh snapshot, whatever the server's default is.
    /// (SQLite: `synchronous = FULL`, set where it is connected to; a writer is alone.)
    pub async fn make_durable(&self) -> Result<(), DbErr> {
        if self.dialect == Dialect::Postgres {
            self.execute_unprepared(
                "set transaction isolation level read committed;
                 select set_config('synchronous_commit', 'on', true)
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
        self.sent.fetch_add(1, Ordering::Relaxed);
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.inner.execute_raw(stmt)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.home.with(self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.inner.query_one_raw(stmt)).await
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let stmt = renamed(self.dialect, stmt);
        self.home.with(self.inner.query_all_raw(stmt)).await
    }
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
