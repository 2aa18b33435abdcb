//! NOTIFY from the log, as a hint for the poller: `[capture] notify`, PostgreSQL only.
//!
//! A trigger on `logged_actions` notifies; the tables that are watched know nothing of it, so it is switched on
//! and off without touching them. Off by default: PostgreSQL holds one lock over the commits of all
//! transactions that notify, so they wait for each other's flush to disk (`docs/PERFORMANCE.md` has figures).
//! Nothing depends on a notice: whoever misses one reads at the next tick.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::Notify;

use crate::store::StoreError;

use super::{
    catalogue::{LockPatience, postgres::INSTALL_LOCK},
    db::{Db, Dialect},
    faults::is_lock_missed,
    listening::Listening,
};

const CHANNEL: &str = "rowhook";

const ON: &str = "
create or replace function rowhook.wake() returns trigger language plpgsql as
$$ begin perform pg_catalog.pg_notify('rowhook', ''); return null; end $$;
revoke all on function rowhook.wake() from public;
create or replace trigger wake after insert on rowhook.logged_actions
    for each statement execute function rowhook.wake();
alter table rowhook.logged_actions enable always trigger wake;";
const OFF: &str = "drop function if exists rowhook.wake() cascade;";
/// How often it is tried: a hint is not worth a long wait at the start.
const TRIES: u32 = 10;

/// Makes the log notify, or be silent, as the settings say; where it does already, nothing is touched.
/// On SQLite there is nothing to do.
///
/// The trigger needs a lock that the application's writes queue behind, so each try waits shortly for it.
pub async fn switch(db: &Db, on: bool) -> Result<(), StoreError> {
    if db.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let patience = LockPatience::default();
    let mut tries = 1;
    while is_on(db).await? != on {
        match try_switch(db, on, patience.timeout).await {
            Ok(()) => break,
            Err(error) if is_lock_missed(&error) && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(patience.pause).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn is_on(db: &Db) -> Result<bool, StoreError> {
    let sql = "select exists (select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
                   where t.tgrelid = to_regclass('rowhook.logged_actions') and t.tgenabled = 'A'
                     and p.pronamespace = to_regnamespace('rowhook') and p.proname = 'wake') as is_on";
    let row = db.query_one_raw(db.statement(sql, [])).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("a select without rows returned none"))?;
    Ok(row.try_get("", "is_on")?)
}

async fn try_switch(db: &Db, on: bool, timeout: Duration) -> Result<(), DbErr> {
    let statements = format!(
        "set local lock_timeout = {}; select pg_advisory_xact_lock({INSTALL_LOCK}); {}",
        timeout.as_millis(),
        if on { ON } else { OFF }
    );
    // Several statements in one message are one transaction.
    db.execute_unprepared(&statements).await.map(drop)
}

/// Hears the notices, on a connection of its own.
pub struct Notices {
    heard: Arc<Notify>,
    _listening: Listening,
}

impl Notices {
    /// Begins to listen. A connection that can not be had, or ends, is made again, for as long as this lives.
    pub fn listen(db: &Db) -> Self {
        let heard = Arc::new(Notify::new());
        let tell = heard.clone();
        // What was committed before it listens is found by looking.
        let listening = Listening::on(db, CHANNEL, move |_| tell.notify_one());
        Self {
            heard,
            _listening: listening,
        }
    }

    /// Ends at the next notice, or at once where one came since the last call ended.
    pub async fn heard(&self) {
        self.heard.notified().await;
    }
}
