//! Opening connections, and saying why one can not be opened in words that help.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    DatabaseConnection, SqlxSqliteConnector,
    sqlx::{
        self, Connection as _, Executor as _,
        postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions},
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use crate::store::StoreError;

use super::faults::words;

/// How long a statement waits for a free connection before the caller is told that there is none, and a first
/// connection for an answer.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection to PostgreSQL that does not answer within this is given up. Less than [`ACQUIRE_TIMEOUT`], so that there
/// is time to open another one.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// A connection that answered so short a time ago is not asked again: no server starts again so soon, so whoever comes
/// after a start finds out that the connection is from before.
const TRUSTED_FOR: Duration = Duration::from_millis(50);
/// How long a SQLite writer waits for another process's write to end.
pub const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Readers beside SQLite's one writer; more only wait for each other's page cache.
const SQLITE_CONNECTIONS: u32 = 4;

/// What a service connection to PostgreSQL sets. An instance that is frozen in the middle of a
/// transaction must not hold rows that the others need for longer than this. And what a service reads are the first so many
/// of a queue or a list, along an index that has their order: a bitmap would gather, and sort, all that waits for each page, which
/// is what the planner chooses while it knows no better. And whose machine is gone, or whose network, says no good-bye: the
/// server finds out within a minute, not within the system's two hours, and has the connections free for others.
const SESSION: &str = "set idle_in_transaction_session_timeout = '10s';
                       set tcp_keepalives_idle = 30;
                       set tcp_keepalives_interval = 10;
                       set tcp_keepalives_count = 3;
                       set lock_timeout = '5s';
                       set statement_timeout = '50s';
                       set enable_bitmapscan = off";

/// Why there is no first connection. The texts tell the user what to mend; none repeats a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is none.
    #[error(
        "this is no PostgreSQL URL ({0}); write it as postgres://user:password@host:5432/database, with \
         letters like @ and / in the password percent-encoded"
    )]
    Url(String),
    /// The host has no address.
    #[error("the host {host:?} does not resolve ({reason}); correct its name, or the name server")]
    NoHost {
        /// The host.
        host: String,
        /// The system's words.
        reason: String,
    },
    /// Nobody answers.
    #[error(
        "nothing answers at {address} ({reason}); is PostgreSQL running there, and are host and port right?"
    )]
    NoAnswer {
        /// Host and port, or the socket.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// The server does not let this user in.
    #[error("{address} does not let user {user:?} in ({reason}); correct user and password")]
    Login {
        /// Host and port, or the socket.
        address: String,
        /// The role.
        user: String,
        /// The server's words.
        reason: String,
    },
    /// The server has no such database.
    #[error(
        "there is no database {database:?} at {address}; correct its name, or make it: createdb {database}"
    )]
    NoDatabase {
        /// Host and port, or the socket.
        address: String,
        /// The database.
        database: String,
    },
    /// The server is a standby.
    #[error(
        "{address} is a standby, which takes no writes; give the address of the primary, or a name that follows it"
    )]
    Standby {
        /// Host and port, or the socket.
        address: String,
    },
    /// The server refuses for another reason.
    #[error("{address} refuses the connection: {reason}")]
    Refused {
        /// Host and port, or the socket.
        address: String,
        /// The server's words.
        reason: String,
    },
    /// The embedded database's file.
    #[error(
        "{} can not be opened ({reason}); its folder must be there, and this user must be able to write in \
         it", path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
    /// Something on this side.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a database is to be written to: an embedded one is made ready for it, or left as it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is made where there is none, and its journal is a write-ahead log.
    Serving,
    /// Nothing is made or set.
    Looking,
}

pub(super) async fn sqlite(
    url: &str,
    purpose: Purpose,
) -> Result<DatabaseConnection, ConnectError> {
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))
        .unwrap_or(url);
    let mut options = SqliteConnectOptions::new()
        .filename(Path::new(path))
        // An event that was sent exists, with its id, after any crash.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY_TIMEOUT);
    if purpose == Purpose::Serving {
        options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
    }
    let pool = SqlitePoolOptions::new()
        .max_connections(SQLITE_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_release(|connection, _| {
            Box::pin(async move {
                // A transaction that SQLite has ended itself, as it does when the disk is full, is still counted by
                // sqlx: the next one on this connection would be a savepoint in none, and once rolled back stay open
                // and hold the write lock for good. After the ping, what was queued for the connection is done.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| ConnectError::File {
            path: path.into(),
            reason: words(&error),
        })?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

pub(super) fn postgres_options(url: &str) -> Result<PgConnectOptions, ConnectError> {
    let options: PgConnectOptions = url
        .parse()
        .map_err(|error| ConnectError::Url(words(&error)))?;
    Ok(options.application_name("rowhook"))
}

/// Whether a connection can be had that is good for this. A pool that can open none says only that it has none, so one is
/// tried without it.
pub(super) async fn try_postgres(url: &str, purpose: Purpose) -> Result<(), ConnectError> {
    let options = postgres_options(url)?;
    let connect = async {
        let mut connection = PgConnection::connect_with(&options).await?;
        let standby = purpose == Purpose::Serving && is_standby(&mut connection).await?;
        Ok((connection, standby))
    };
    let connected = match tokio::time::timeout(ACQUIRE_TIMEOUT, connect).await {
        Ok(connected) => connected,
        Err(_) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
    };
    let (connection, standby) = connected.map_err(|error| refused(&options, &error))?;
    if standby {
        let address = address_in(&options);
        return Err(ConnectError::Standby { address });
    }
    // It was good for telling; that its end was not heard does not matter.
    let _ended = connection.close().await;
    Ok(())
}

/// Host and port, or the socket.
fn address_in(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

async fn is_standby(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_is_in_recovery()")
        .fetch_one(connection)
        .await
}

fn refused(options: &PgConnectOptions, error: &sqlx::Error) -> ConnectError {
    let address = address_in(options);
    let reason = words(error);
    match error {
        // What getaddrinfo says has no kind of its own in std.
        sqlx::Error::Io(fault) if fault.raw_os_error().is_none() && reason.contains("lookup") => {
            ConnectError::NoHost {
                host: options.get_host().to_owned(),
                reason,
            }
        }
        sqlx::Error::Io(_) => ConnectError::NoAnswer { address, reason },
        // PostgreSQL documentation, appendix A: class 28 is about authorization, 3D000 an unknown database.
        sqlx::Error::Database(fault) => match fault.code().as_deref() {
            Some(code) if code.starts_with("28") => ConnectError::Login {
                address,
                user: options.get_username().to_owned(),
                reason,
            },
            Some("3D000") => ConnectError::NoDatabase {
                address,
                database: options
                    .get_database()
                    .unwrap_or(options.get_username())
                    .to_owned(),
            },
            _ => ConnectError::Refused { address, reason },
        },
        _ => ConnectError::Refused { address, reason },
    }
}

/// The options of a pool that gives up connections on which no answer comes any more, though nobody closed them: a
/// firewall that forgot them, a server whose machine is gone. sqlx asks each whether it is well before and after it
/// is used, but afterwards without a limit, and one that hangs would be a place of the pool less for ever. Here
/// both questions have one, and the first is left out where the second was only just answered.
pub(super) fn gives_up_hung(pool: PgPoolOptions) -> PgPoolOptions {
    pool.test_before_acquire(false)
        .before_acquire(|connection, of| {
            Box::pin(async move {
                if of.idle_for < TRUSTED_FOR {
                    return Ok(true);
                }
                answers(connection).await
            })
        })
        .after_release(|connection, _| Box::pin(answers(connection)))
}

async fn answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(ANSWERS_WITHIN, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
    }
}

/// One connection, which is kept for as long as it is well.
pub(super) fn only_one() -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// A pool whose connections are counted as they are opened. One to a standby does not serve: after a failover the old primary
/// may come back as one while its address is still in use, and connections to it would stay in the pool and fail
/// each write for as long as they live.
pub(super) async fn postgres(
    url: &str,
    pool: PgPoolOptions,
    purpose: Purpose,
    opened: Arc<AtomicU64>,
) -> Result<PgPool, StoreError> {
    let pool = pool
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| {
            opened.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                connection.execute(SESSION).await?;
                if purpose == Purpose::Serving && is_standby(connection).await? {
                    let words = "the server is a standby, which takes no writes";
                    return Err(sqlx::Error::Configuration(words.into()));
                }
                Ok(())
            })
        });
    let unavailable = |error: &dyn std::fmt::Display| StoreError::Unavailable(error.to_string());
    let options = postgres_options(url).map_err(|error| unavailable(&error))?;
    let pool = pool.connect_with(options).await;
    pool.map_err(|error| unavailable(&words(&error)))
}
