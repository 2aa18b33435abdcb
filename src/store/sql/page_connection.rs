//! The one connection on which pages of changes are read and written.
//!
//! A rolled-back transaction takes an id of which nothing need be on disk, and PostgreSQL gives it anew
//! after a crash. So a place in the log that was read but not written down holds only until the server
//! starts again. This connection ends with the server, and is never replaced behind its users' backs: the
//! error that it ends with makes the poller take the cursor over, and that begins with a new one.

use std::sync::{Arc, PoisonError, RwLock};

use crate::store::StoreError;

use super::db::Db;

/// Shared by [`super::change_log::SqlChangeLog`] and [`super::fan_out::SqlFanOut`].
#[derive(Clone)]
pub struct PageConnection {
    db: Db,
    present: Arc<RwLock<Db>>,
}

impl PageConnection {
    /// The first one is made when the cursor is taken over; until then the pool serves.
    pub fn new(db: Db) -> Self {
        Self {
            present: Arc::new(RwLock::new(db.clone())),
            db,
        }
    }

    /// A new one takes the place of the old, which whoever still holds it keeps: it may hang there.
    pub(super) async fn begin_anew(&self) -> Result<Db, StoreError> {
        let fresh = self.db.alone().await?;
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        Ok(fresh)
    }

    /// The present one.
    pub(super) fn get(&self) -> Db {
        self.present
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The pool that everything else uses.
    pub(super) fn pool(&self) -> &Db {
        &self.db
    }
}
