//! What the databases' errors mean.

use sea_orm::{
    DbErr, RuntimeErr, SqlErr,
    sqlx::{self, error::DatabaseError, sqlite::SqliteError},
};

use crate::store::StoreError;

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match &error {
            // Another process writes to the SQLite file for a long time.
            _ if is_busy(&error) => Self::Unavailable(told(&error)),
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(told(&error)),
            DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
                match &**inner {
                    sqlx::Error::Io(_)
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::WorkerCrashed => Self::Unavailable(told(&error)),
                    // Two transactions held what the other wanted, and this one was ended.
                    sqlx::Error::Database(inner) if inner.code().as_deref() == Some("40P01") => {
                        Self::Unavailable(told(&error))
                    }
                    sqlx::Error::Database(inner) if has_no_room(&**inner) => {
                        Self::Unavailable(told(&error))
                    }
                    // Class 57: the server is shutting down, starting or was told to end this one
                    // (PostgreSQL documentation, appendix A).
                    sqlx::Error::Database(inner)
                        if inner.code().is_some_and(|code| code.starts_with("57P")) =>
                    {
                        Self::Unavailable(told(&error))
                    }
                    _ => Self::Refused(told(&error)),
                }
            }
            DbErr::RecordNotUpdated => Self::Conflict,
            DbErr::Type(_) | DbErr::Json(_) => Self::Corrupt(error.to_string()),
            _ => Self::Refused(told(&error)),
        }
    }
}

/// PostgreSQL has no room on its disk (disk_full) or for another connection (too_many_connections).
const NO_ROOM: [&str; 2] = ["53100", "53300"];
/// SQLite's extended codes for what it could not write, sync, cut or map, where the system calls a disk full
/// otherwise: IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE, IOERR_SHMSIZE. What can not be read is not among them: that may
/// be one page, and nobody else's trouble.
const NOT_WRITTEN: [u32; 4] = [778, 1034, 1546, 4874];

/// Whether the database has no room, whatever the statement.
fn has_no_room(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else {
        return false;
    };
    match error.try_downcast_ref::<SqliteError>() {
        Some(_) => code
            .parse::<u32>()
            // 13 is SQLITE_FULL.
            .is_ok_and(|code| code & 0xff == 13 || NOT_WRITTEN.contains(&code)),
        None => NO_ROOM.contains(&&*code),
    }
}

fn of_sqlx(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(inner))
        | DbErr::Query(RuntimeErr::SqlxError(inner))
        | DbErr::Conn(RuntimeErr::SqlxError(inner)) => Some(inner),
        _ => None,
    }
}

/// What an error says, without what the layers between put around it.
pub fn told(error: &DbErr) -> String {
    of_sqlx(error).map_or_else(|| error.to_string(), words)
}

/// What an error of sqlx says.
pub(super) fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(inner) => inner.message().to_owned(),
        sqlx::Error::Io(inner) => inner.to_string(),
        sqlx::Error::Configuration(inner) => inner.to_string(),
        other => other.to_string(),
    }
}

/// The database's own code for an error: SQLSTATE on PostgreSQL, the extended result code on SQLite.
pub fn database_code(error: &DbErr) -> Option<String> {
    Some(of_sqlx(error)?.as_database_error()?.code()?.into_owned())
}

/// PostgreSQL: whether a lock was not to be had in time: lock_not_available, or a deadlock that the lock timeout
/// was too slow for.
pub fn is_lock_missed(error: &DbErr) -> bool {
    matches!(database_code(error).as_deref(), Some("55P03" | "40P01"))
}

/// Whether another connection holds SQLite's write lock (SQLITE_BUSY and its extended codes).
pub fn is_busy(error: &DbErr) -> bool {
    let code = database_code(error).and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Whether the database refused because the value is there already.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether the role lacks a right (SQLSTATE insufficient_privilege).
pub fn is_no_right(error: &DbErr) -> bool {
    database_code(error).as_deref() == Some("42501")
}
