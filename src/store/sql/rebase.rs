//! `rowhook rebase`: a database that was brought into another PostgreSQL cluster works on there.
//!
//! *By its files* (pg_upgrade): transaction ids go on, so the snapshots still mean something, and only the cluster's
//! identifier is written down.
//!
//! *By a dump*: transaction ids began anew, so a new [era](crate::domain::era) begins. It is named by the last change
//! that was restored, since the restored sequence gives higher ids to what is logged here. Reading goes on in the old
//! era, with what is left of it (`change_log`), judged by the positions of that era, and goes over into the new one.
//! Nothing here looks at the changes themselves.
//!
//! # Which changes were restored
//!
//! A row of the log that a trigger wrote here has the id of its transaction in `xid` and that one, or a subtransaction
//! of it, in its header. A subtransaction's number is the higher one, and both began after the restore. A restored row
//! has the restore in its header and some number of the old cluster in `xid`: seldom one that lies between the restore
//! of the cursor, a table nearby, and its own. Where a few do, the row is told by the restore in its header, which it
//! has in common with the others. Only the last restored row matters: all before it were restored too.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::{
    cursor_home::{MAY_SKIP, SKIPPED_AFTER_A_DUMP, TIMELINE, skip_event_ids},
    db::{Db, Dialect, Txn},
    eras::{eras_column, read_eras},
};
use crate::{
    domain::{
        era::{Era, Eras},
        event::{EventState, EventStatus},
        ids::ChangeId,
        snapshot::Snapshot,
    },
    store::{
        StoreError,
        rebase::{Found, Rebase, Standing},
    },
};

/// The cursor and what is around it.
pub struct SqlRebase {
    db: Db,
}

impl SqlRebase {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

/// The cursor, locked.
struct Cursor {
    at_home: bool,
    /// Its row is older than its table: the table was made around the file.
    older_than_its_table: bool,
    may_skip: bool,
    watermark: Snapshot,
    eras: Eras,
}

/// `age` counts from this transaction's own id, which the lock has made it take.
async fn lock_cursor(txn: &Txn) -> Result<Cursor, StoreError> {
    let lock = "select 1 from rowhook.capture_cursor where id = 1 for update";
    txn.query_one_raw(txn.statement(lock, [])).await?;
    // A column's entry for a system column is never written again.
    let sql = format!(
        "select c.system_identifier = s.system_identifier as at_home, age(c.xmin) > age(a.xmin) as older_than_its_table,
                {MAY_SKIP} as may_skip, c.watermark, {}
         from rowhook.capture_cursor c, pg_control_system() s, pg_attribute a
         where c.id = 1 and a.attrelid = 'rowhook.capture_cursor'::regclass and a.attname = 'tableoid'",
        eras_column(Dialect::Postgres)
    );
    let row = one(txn, &sql, []).await?;
    let watermark: String = row.try_get("", "watermark")?;
    Ok(Cursor {
        at_home: row.try_get("", "at_home")?,
        older_than_its_table: row.try_get("", "older_than_its_table")?,
        may_skip: row.try_get("", "may_skip")?,
        watermark: watermark.parse().map_err(StoreError::corrupt)?,
        eras: read_eras(&row)?,
    })
}

async fn one(
    txn: &Txn,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<QueryResult, StoreError> {
    let found = txn.query_one_raw(txn.statement(sql, values)).await?;
    found.ok_or_else(|| StoreError::corrupt("capture_cursor has no row"))
}

/// The oldest change was logged here, before the cursor was written last: whatever else became of the cluster's
/// identifier, transaction ids go on.
const OLDEST_IS_OURS: &str = "select coalesce((
         select l.xmin = l.xid::xid and age(l.xmin) > age(c.xmin)
         from rowhook.logged_actions l, rowhook.capture_cursor c order by l.id limit 1), false) as ours";

/// See the head of this file. Transaction ids in full, since those of the log are. The walk goes back along the
/// primary key, over what was logged here.
const LAST_RESTORED: &str = "
    with here as materialized (
        select m.xid as present, m.xid - age(c.xmin) as restored
        from (select pg_current_xact_id()::text::bigint as xid) m, rowhook.capture_cursor c
    ), last as materialized (
        select l.id, l.xmin as written_by from rowhook.logged_actions l
        where not (l.xid::text::bigint = (select present from here) - age(l.xmin)
                   or l.xid::text::bigint > (select restored from here)
                      and l.xid::text::bigint < (select present from here) - age(l.xmin))
        order by l.id desc limit 1
    )
    select coalesce(max(l.id), 0) as id from rowhook.logged_actions l
    where l.id >= (select id from last) and l.xmin = (select written_by from last)";

async fn standing(txn: &Txn, cursor: &Cursor) -> Result<Standing, StoreError> {
    if cursor.at_home {
        return Ok(Standing::AtHome);
    }
    if cursor.older_than_its_table || one(txn, OLDEST_IS_OURS, []).await?.try_get("", "ours")? {
        return Ok(Standing::ByItsFiles);
    }
    let id: i64 = one(txn, LAST_RESTORED, []).await?.try_get("", "id")?;
    // What is older may be gone by now.
    let last = ChangeId(id.max(cursor.eras.newest().0));
    Ok(Standing::ByADump { last })
}

/// Nothing is left that was logged since the newest era began, so it begins again, here: whatever is of it was said
/// of transactions of the other cluster.
async fn begin_again(txn: &Txn, cursor: &Cursor, era: Era) -> Result<(), StoreError> {
    let beginning = Snapshot::beginning_of(era).to_string();
    if cursor.watermark.era() == era {
        let sql = "update rowhook.capture_cursor
                   set watermark = $1, window_to = null, window_after = null, window_last = null where id = 1";
        txn.execute_raw(txn.statement(sql, [beginning.clone().into()]))
            .await?;
    }
    let sql = "update rowhook.activity_intervals i
               set opened_at = case when split_part(i.opened_at, '@', 2) = $2 then $1 else i.opened_at end,
                   closed_at = case when split_part(i.closed_at, '@', 2) = $2 then $1 else i.closed_at end
               where split_part(i.opened_at, '@', 2) = $2 or split_part(i.closed_at, '@', 2) = $2";
    let named = match era {
        Era::FIRST => String::new(),
        era => era.to_string(),
    };
    let values: [Value; 2] = [beginning.into(), named.into()];
    txn.execute_raw(txn.statement(sql, values)).await?;
    Ok(())
}

#[async_trait]
impl Rebase for SqlRebase {
    async fn look(&self) -> Result<Found, StoreError> {
        if self.db.dialect() == Dialect::Sqlite {
            return Ok(Found {
                standing: Standing::AtHome,
                owed: 0,
                receivers: Vec::new(),
                more_receivers: 0,
            });
        }
        // Dropped at the end: it only looks.
        let txn = self.db.begin().await?;
        let standing = standing(&txn, &lock_cursor(&txn).await?).await?;
        let owed = EventState::ALL
            .into_iter()
            .filter(|state| state.status() == EventStatus::Pending)
            .map(|state| state.code().to_string());
        let sql = format!(
            "select count(*) as owed from rowhook.undelivered where state in ({})",
            owed.collect::<Vec<_>>().join(", ")
        );
        let owed = one(&txn, &sql, []).await?.try_get("", "owed")?;
        let active = "from rowhook.receivers where active and deleted_at is null";
        let sql = format!(
            "select name, webhook_uri {active} order by id limit {}",
            Found::NAMED
        );
        let rows = txn.query_all_raw(txn.statement(&sql, [])).await?;
        let name = |row: &QueryResult| -> Result<_, StoreError> {
            Ok((row.try_get("", "name")?, row.try_get("", "webhook_uri")?))
        };
        let receivers: Vec<(String, String)> = rows.iter().map(name).collect::<Result<_, _>>()?;
        let sql = format!("select count(*) as all_of_them {active}");
        let all: i64 = one(&txn, &sql, []).await?.try_get("", "all_of_them")?;
        Ok(Found {
            standing,
            owed,
            more_receivers: all - receivers.len() as i64,
            receivers,
        })
    }

    async fn settle(&self) -> Result<Standing, StoreError> {
        if self.db.dialect() == Dialect::Sqlite {
            return Ok(Standing::AtHome);
        }
        let txn = self.db.begin().await?;
        txn.make_durable().await?;
        let cursor = lock_cursor(&txn).await?;
        let standing = standing(&txn, &cursor).await?;
        if standing == Standing::AtHome {
            return Ok(standing);
        }
        if !cursor.may_skip {
            return Err(StoreError::Refused(
                "event ids that receivers may have seen have to be skipped, and rowhook's role may not: `grant usage, \
                 update on all sequences in schema rowhook` to it; nothing was changed"
                    .to_owned(),
            ));
        }
        if let Standing::ByADump { last } = standing {
            let newest = cursor.eras.newest();
            if Era(last.0) > newest {
                let sql = "update rowhook.capture_cursor set restored_ids = restored_ids || $1::bigint where id = 1";
                txn.execute_raw(txn.statement(sql, [last.0.into()])).await?;
            } else {
                begin_again(&txn, &cursor, newest).await?;
            }
        }
        skip_event_ids(&txn, SKIPPED_AFTER_A_DUMP).await?;
        let sql = format!(
            "update rowhook.capture_cursor c
             set system_identifier = s.system_identifier, timeline = {TIMELINE}, epoch = c.epoch + 1
             from pg_control_system() s where c.id = 1"
        );
        txn.execute_raw(txn.statement(&sql, [])).await?;
        txn.commit().await?;
        Ok(standing)
    }
}
