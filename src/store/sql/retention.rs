//! Dropping old events and changes.
//!
//! A step reads a stretch of the primary key outside any transaction, and only where it finds something
//! opens one, which deletes by id. So a walk over what has to stay takes no lock, and on SQLite never the
//! write lock.
//!
//! # Why no change is dropped that a page may still read
//!
//! *PostgreSQL.* The cursor's row holds the watermark W, a snapshot: what is visible in W is fanned out,
//! its events and W were committed together. A page reads rows that are **not** visible in the watermark
//! it starts from, whether it opens a window or goes on inside one (`change_log::in_window`: the
//! transactions that were running then, and those that began since). Only rows that are visible in W are
//! dropped here. So none belongs to the window that is fanned out in part, and none to a later one, since
//! watermarks only grow: the poller's, in its memory, is W or later. A poller that still works from an
//! earlier one has lost the epoch and writes nothing. A transaction that is open as W is taken is not
//! visible in it, however low its ids are. In another cluster transaction ids mean something else: there
//! the comparison of cluster identifiers leaves no W and nothing is dropped until `rowhook rebase`; from then on W
//! speaks of the changes of its era, all earlier ones are fanned out, and no later one is.
//!
//! *SQLite.* Ids are commit order, W is an id, and pages begin after it.
//!
//! # Why no change is dropped that an event needs
//!
//! Live events are written in the transaction that moves W over their change, so W never shows a change
//! whose events are not there to be seen. Events that are made of history later lock their changes (see the
//! trait): the rows are locked first and looked at again in a statement of its own, whose snapshot sees
//! whatever was committed before the lock was had.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Value};

use crate::{
    domain::{
        event::{EventState, EventStatus},
        ids::{ChangeId, EventId},
    },
    store::{
        StoreError,
        retention::{RetentionStore, Step},
    },
};

use super::{
    db::{Db, Dialect, Txn},
    records::{numbers, one_of},
};

/// `events`, `attempts` and `logged_actions`, as far as they are old.
pub struct SqlRetention {
    db: Db,
}

impl SqlRetention {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Reads a stretch: what in it is old, and what of that may go.
    async fn look(
        &self,
        sql: &str,
        before: DateTime<Utc>,
        after: i64,
        limit: u32,
    ) -> Result<Stretch, StoreError> {
        let values: [Value; 2] = [after.into(), before.into()];
        let rows = self
            .db
            .query_all_raw(self.db.statement(sql, values))
            .await?;
        let mut stretch = Stretch::default();
        for row in &rows {
            let id: i64 = row.try_get("", "id")?;
            if row.try_get("", "is_old")? {
                stretch.last_old = Some(id);
            }
            if row.try_get("", "may_go")? {
                stretch.may_go.push(id);
            }
        }
        if rows.len() < limit as usize {
            stretch.is_last = true;
        }
        Ok(stretch)
    }
}

/// What stands in a stretch of the primary key.
#[derive(Default)]
struct Stretch {
    may_go: Vec<i64>,
    last_old: Option<i64>,
    is_last: bool,
}

impl Stretch {
    /// Ids grow with time. So behind a stretch without anything old there is nothing old, give or take
    /// what a clock that was set makes of it: that stays until its stretch is old.
    fn next(&self) -> Option<i64> {
        self.last_old.filter(|_| !self.is_last)
    }
}

/// Event `e` has ended before `$2`. One that was settled by a hand that wrote no end counts from its
/// latest attempt or its making.
fn has_ended() -> String {
    let settled = EventState::ALL
        .into_iter()
        .filter(|state| state.status() != EventStatus::Pending)
        .map(|state| state.code().to_string());
    format!(
        "(e.state in ({}) and coalesce(e.ended_at, e.attempted_at, e.created_at) < $2)",
        settled.collect::<Vec<_>>().join(", ")
    )
}

/// The statement that looks at a stretch of events. `$1`: after which id, `$2`: the time. The limit
/// stands in the text, so that the planner knows it and goes along the primary key.
pub fn look_at_events_sql(limit: u32) -> String {
    format!(
        "select e.id, e.created_at < $2 as is_old, {} as may_go
         from (select id, state, created_at, attempted_at, ended_at from rowhook.events
               where id > $1 order by id limit {limit}) e
         order by e.id",
        has_ended()
    )
}

/// No event tells of change `l`. A scalar subquery is asked for each row through the index; of a `not
/// exists` the planner may make a hash of every event.
const UNTOLD: &str = "(select e.id from rowhook.events e where e.change_id = l.id limit 1) is null";

/// The statement that looks at a stretch of changes. `$1`: after which id, `$2`: the time.
pub fn look_at_changes_sql(dialect: Dialect, limit: u32) -> String {
    let (cursor, place, fanned_out) = match dialect {
        Dialect::Postgres => (
            "with w as materialized (
                 select split_part(c.watermark, '@', 1)::pg_snapshot as seen, c.restored_ids,
                        coalesce(nullif(split_part(c.watermark, '@', 2), ''), '0')::bigint as era
                 from rowhook.capture_cursor c, pg_control_system() s
                 where c.system_identifier = s.system_identifier)",
            ", xid",
            "(l.id <= (select era from w)
              or l.id <= (select coalesce(min(r.id), 9223372036854775807)
                          from w, unnest(w.restored_ids) as r (id) where r.id > w.era)
                 and pg_visible_in_snapshot(l.xid, (select seen from w)))",
        ),
        Dialect::Sqlite => (
            "",
            "",
            "l.id <= (select cast(c.watermark as integer) from rowhook.capture_cursor c)",
        ),
    };
    format!(
        "{cursor} select l.id, l.logged_at < $2 as is_old,
                case when l.logged_at < $2 and {fanned_out} then {UNTOLD} else false end as may_go
         from (select id, logged_at{place} from rowhook.logged_actions
               where id > $1 order by id limit {limit}) l
         order by l.id"
    )
}

/// Those of these rows that nobody else holds, locked: who is about to refer to one is not waited for,
/// nor does he wait in a circle with us. On SQLite there is nobody else.
async fn lock(txn: &Txn, table: &str, ids: Vec<i64>) -> Result<Vec<i64>, StoreError> {
    let dialect = txn.dialect();
    match dialect {
        Dialect::Sqlite => Ok(ids),
        Dialect::Postgres => {
            let sql = format!(
                "select t.id from {table} t where {} order by t.id for update skip locked",
                one_of(dialect, "t.id", "$1")
            );
            let rows = txn
                .query_all_raw(txn.statement(&sql, [numbers(dialect, ids)]))
                .await?;
            let id = |row: &sea_orm::QueryResult| Ok(row.try_get("", "id")?);
            rows.iter().map(id).collect()
        }
    }
}

#[async_trait]
impl RetentionStore for SqlRetention {
    async fn now(&self) -> Result<DateTime<Utc>, StoreError> {
        match self.db.dialect() {
            // It shares the clock of this machine.
            Dialect::Sqlite => Ok(Utc::now()),
            Dialect::Postgres => {
                let now = self.db.statement("select clock_timestamp() as present", []);
                let row = self.db.query_one_raw(now).await?;
                let row = row.ok_or_else(|| StoreError::corrupt("the clock has no row"))?;
                Ok(row.try_get("", "present")?)
            }
        }
    }

    async fn drop_events(
        &self,
        before: DateTime<Utc>,
        after: EventId,
        limit: u32,
    ) -> Result<Step<EventId>, StoreError> {
        let sql = look_at_events_sql(limit);
        let stretch = self.look(&sql, before, after.0, limit).await?;
        let next = stretch.next().map(EventId);
        if stretch.may_go.is_empty() {
            return Ok(Step { dropped: 0, next });
        }
        let txn = self.db.begin().await?;
        let dialect = txn.dialect();
        let ids = lock(&txn, "rowhook.events", stretch.may_go).await?;
        // Since the look it may have been made to be delivered once more.
        let delete = format!(
            "delete from rowhook.events as e where {} and {} returning id",
            one_of(dialect, "e.id", "$1"),
            has_ended()
        );
        let values: [Value; 2] = [numbers(dialect, ids), before.into()];
        let gone = txn.query_all_raw(txn.statement(&delete, values)).await?;
        let gone = gone
            .iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<Vec<i64>, _>>()?;
        let dropped = gone.len() as u64;
        let attempts = format!(
            "delete from rowhook.attempts where {}",
            one_of(dialect, "event_id", "$1")
        );
        txn.execute_raw(txn.statement(&attempts, [numbers(dialect, gone)]))
            .await?;
        txn.commit().await?;
        Ok(Step { dropped, next })
    }

    async fn drop_changes(
        &self,
        before: DateTime<Utc>,
        after: ChangeId,
        limit: u32,
    ) -> Result<Step<ChangeId>, StoreError> {
        let sql = look_at_changes_sql(self.db.dialect(), limit);
        let stretch = self.look(&sql, before, after.0, limit).await?;
        let next = stretch.next().map(ChangeId);
        if stretch.may_go.is_empty() {
            return Ok(Step { dropped: 0, next });
        }
        let txn = self.db.begin().await?;
        let dialect = txn.dialect();
        let ids = lock(&txn, "rowhook.logged_actions", stretch.may_go).await?;
        let delete = format!(
            "delete from rowhook.logged_actions as l where {} and {UNTOLD}",
            one_of(dialect, "l.id", "$1")
        );
        let done = txn
            .execute_raw(txn.statement(&delete, [numbers(dialect, ids)]))
            .await?;
        txn.commit().await?;
        Ok(Step {
            dropped: done.rows_affected(),
            next,
        })
    }
}
