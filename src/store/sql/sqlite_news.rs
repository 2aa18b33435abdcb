//! Whether another connection has written to the SQLite file since the last look.

use sea_orm::sqlx::{self, Sqlite, pool::PoolConnection};
use tokio::sync::Mutex;

use crate::store::StoreError;

use super::{db::Db, home::Kept};

/// `PRAGMA data_version` on a connection of its own: it changes when anyone else commits, in this
/// process or another, and asking costs microseconds (SQLite documentation, "PRAGMA data_version").
pub struct SqliteNews {
    db: Db,
    state: Mutex<Option<(Kept<PoolConnection<Sqlite>>, i64)>>,
}

impl SqliteNews {
    /// Nothing has been looked at yet: the first answer is yes.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            state: Mutex::new(None),
        }
    }

    /// Whether someone may have committed since the last call.
    pub async fn any(&self) -> Result<bool, StoreError> {
        let mut state = self.state.lock().await;
        let (mut connection, before) = match state.take() {
            Some((connection, version)) => (connection, Some(version)),
            None => {
                let pool = self.db.raw().get_sqlite_connection_pool();
                let home = self.db.home();
                let connection = home
                    .with(pool.acquire())
                    .await
                    .map_err(|error| StoreError::Unavailable(error.to_string()))?;
                (home.keep(connection), None)
            }
        };
        // A connection that fails is dropped, and the next call begins anew.
        let version: i64 = sqlx::query_scalar("pragma data_version")
            .fetch_one(&mut **connection)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        *state = Some((connection, version));
        Ok(before != Some(version))
    }
}
