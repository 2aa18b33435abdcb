//! The one connection on which pages of changes are read and written.
//!
//! A rolled-back transaction takes an id of which nothing need be on disk, and PostgreSQL gives it anew
//! after a crash. So a place in the log that was read but not written down holds only until the server
//! starts again. This connection ends with the server: the error that it ends with, or the fence where the
//! pool has replaced it without one, makes the poller take the cursor over, and that begins with a new one.

use std::sync::{Arc, PoisonError, RwLock};

use sea_orm::ConnectionTrait as _;

use crate::store::StoreError;

use super::db::{Db, Dialect};

/// How pages are read, once and for all. The rows of a window are the newest ones, of which the planner's
/// statistics tell nothing: it takes a million for a handful, gathers all of them to sort them, and again for
/// the next page; or, where it knows that there are many, it begins at the table's first row. A statement that has
/// no index to go by looks immensely costly then, and would be compiled.
const ALONG_INDEXES: &str = "set enable_seqscan = off; set jit = off";

/// Shared by [`super::change_log::SqlChangeLog`] and [`super::fan_out::SqlFanOut`].
#[derive(Clone)]
pub struct PageConnection {
    db: Db,
    present: Arc<RwLock<Option<Db>>>,
}

impl PageConnection {
    /// There is none until the cursor is taken over.
    pub fn new(db: Db) -> Self {
        Self {
            present: Arc::new(RwLock::new(None)),
            db,
        }
    }

    /// A new one takes the place of the old, which whoever still holds it keeps: it may hang there.
    pub(super) async fn begin_anew(&self) -> Result<Db, StoreError> {
        let fresh = self.db.alone().await?;
        if fresh.dialect() == Dialect::Postgres {
            fresh.execute_unprepared(ALONG_INDEXES).await?;
        }
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        Ok(fresh)
    }

    /// [`StoreError::Fenced`] when the connection is not the one any more that this take-over began with.
    pub(super) fn check(db: &Db) -> Result<(), StoreError> {
        if db.ran_through() {
            Ok(())
        } else {
            Err(StoreError::Fenced)
        }
    }

    /// The present one.
    pub fn get(&self) -> Result<Db, StoreError> {
        let present = self.present.read().unwrap_or_else(PoisonError::into_inner);
        // Without a take-over there is no cursor to read or write under.
        present.clone().ok_or(StoreError::Fenced)
    }

    /// The pool that everything else uses.
    pub(super) fn pool(&self) -> &Db {
        &self.db
    }
}
