//! How far capture is, on both databases: read from the cursor, the log's own index, the leases and
//! PostgreSQL's list of sessions. Nothing is written, and no lock is taken.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::{
    change_log::occurred_at,
    db::{Db, Dialect},
    eras::{eras_column, last_of, read_eras},
    records::now,
};
use crate::{
    domain::{
        era::Eras,
        snapshot::{Position, Snapshot},
    },
    store::{
        StoreError,
        capture::{CaptureState, CaptureView, OpenTransaction},
    },
};

/// A look at capture.
#[derive(Clone)]
pub struct SqlCaptureView {
    db: Db,
}

/// The cursor, as far as it tells what is left to do.
struct Cursor {
    watermark: Position,
    /// A window that is fanned out in part: up to which id, and its highest one.
    window: Option<(i64, i64)>,
    eras: Eras,
}

impl SqlCaptureView {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn one(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Option<QueryResult>, StoreError> {
        let statement = self.db.statement(sql, values);
        Ok(self.db.query_one_raw(statement).await?)
    }

    async fn cursor(&self) -> Result<Cursor, StoreError> {
        let sql = format!(
            "select watermark, window_after, window_last, {} from rowhook.capture_cursor where id = 1",
            eras_column(self.db.dialect())
        );
        let row = self.one(&sql, []).await?.ok_or_else(no_cursor)?;
        let watermark: String = row.try_get("", "watermark")?;
        let after: Option<i64> = row.try_get("", "window_after")?;
        Ok(Cursor {
            watermark: watermark.parse().map_err(StoreError::corrupt)?,
            window: after.zip(row.try_get("", "window_last")?),
            eras: read_eras(&row)?,
        })
    }

    /// When the oldest change that waits was committed, or logged.
    async fn oldest_waiting(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let cursor = self.cursor().await?;
        let dialect = self.db.dialect();
        let row = match (&cursor.watermark, cursor.window) {
            (Position::UpTo(id), window) => {
                let after = window.map_or(id.0, |(after, _)| after);
                let sql = format!(
                    "select {} as at from rowhook.logged_actions l where l.id > $1
                     order by l.id limit 1",
                    occurred_at(dialect)
                );
                self.one(&sql, [after.into()]).await?
            }
            (Position::Snapshot(seen), None) => {
                let [running, xmax] = values(seen);
                let era = seen.era();
                let ends = cursor.eras.after(era).map(|_| i64::MAX.to_string());
                let last = last_of(&cursor.eras, era);
                let values = [running, xmax, era.0.into(), last.into(), ends.into()];
                self.one(&oldest_waiting_sql(), values).await?
            }
            (Position::Snapshot(seen), Some((after, last))) => {
                let sql = format!(
                    "select {} as at from rowhook.logged_actions l
                     where l.id > $3 and l.id <= $4
                       and (l.xid = any($1::text::xid8[]) or l.xid >= $2::text::xid8)
                     order by l.id limit 1",
                    occurred_at(dialect)
                );
                let [running, xmax] = values(seen);
                let values = [running, xmax, after.into(), last.into()];
                self.one(&sql, values).await?
            }
        };
        match row {
            Some(row) => Ok(row.try_get("", "at")?),
            None => Ok(None),
        }
    }
}

/// A change of each transaction that was running in the watermark (`$1`), and one of the first of those
/// that began since (`$2`: its xmax): a step through the index for each. What is not committed, nobody sees; a
/// transaction that is still running is left out by its number, so that the rows which a large one has written
/// by now are not walked. `$3` and `$4`: the first and the last id of the watermark's era, `$5`: where its
/// transaction ids end, null in the present one. (Those of other eras that have numbers which this one has not
/// reached are not walked either.)
pub fn oldest_waiting_sql() -> String {
    let first = |which: &str| {
        format!(
            "(select {} from rowhook.logged_actions l
              where {which} and l.id + 0 > $3 and l.id + 0 <= $4 order by l.xid limit 1)",
            occurred_at(Dialect::Postgres)
        )
    };
    format!(
        "select min(w.at) as at from (
             select {} as at from unnest($1::text::xid8[]) as r(xid)
             where $5::text is not null or pg_visible_in_snapshot(r.xid, pg_current_snapshot())
             union all select {}) w",
        first("l.xid = r.xid"),
        first(
            "l.xid >= $2::text::xid8 and l.xid < coalesce($5::text::xid8, pg_snapshot_xmax(pg_current_snapshot()))"
        ),
    )
}

fn values(seen: &Snapshot) -> [Value; 2] {
    let running: Vec<String> = seen.in_progress().iter().map(u64::to_string).collect();
    [
        format!("{{{}}}", running.join(",")).into(),
        seen.xmax().to_string().into(),
    ]
}

fn no_cursor() -> StoreError {
    StoreError::corrupt("capture_cursor has no row")
}

#[async_trait]
impl CaptureView for SqlCaptureView {
    async fn state(&self) -> Result<CaptureState, StoreError> {
        let now = now(self.db.dialect());
        let sql = format!(
            "select c.watermark, c.updated_at,
                    (select l.holder from rowhook.leases l
                     where l.kind = 'poller' and l.expires_at > {now}) as poller
             from rowhook.capture_cursor c where c.id = 1"
        );
        let row = self.one(&sql, []).await?.ok_or_else(no_cursor)?;
        Ok(CaptureState {
            watermark: row.try_get("", "watermark")?,
            fanned_out_at: row.try_get("", "updated_at")?,
            poller: row.try_get("", "poller")?,
        })
    }

    async fn lag(&self) -> Result<Duration, StoreError> {
        let since = self.oldest_waiting().await?;
        // A clock that lags behind the database's makes no negative lag.
        let lag = since.map(|since| (Utc::now() - since).to_std().unwrap_or_default());
        Ok(lag.unwrap_or_default())
    }

    async fn oldest_open_transaction(&self) -> Result<Option<OpenTransaction>, StoreError> {
        if self.db.dialect() == Dialect::Sqlite {
            // One writer at a time, and the file does not tell which.
            return Ok(None);
        }
        // By the transaction's id, which every role may see. rowhook's own are short and no news.
        let sql = "select o.pid, o.since, o.application, o.prepared_as from (
                       select a.pid, a.xact_start as since, a.application_name as application,
                              null as prepared_as, a.backend_xid as xid
                       from pg_stat_activity a
                       where a.datname = current_database() and a.backend_xid is not null
                         and a.pid <> pg_backend_pid() and a.application_name <> 'rowhook'
                         and coalesce(a.backend_type, 'client backend') = 'client backend'
                       union all
                       select null, p.prepared, null, p.gid, p.transaction
                       from pg_prepared_xacts p where p.database = current_database()) o
                   order by age(o.xid) desc limit 1";
        let Some(row) = self.one(sql, []).await? else {
            return Ok(None);
        };
        let application: Option<String> = row.try_get("", "application")?;
        Ok(Some(OpenTransaction {
            pid: row.try_get("", "pid")?,
            since: row.try_get("", "since")?,
            application: application.filter(|name| !name.is_empty()),
            prepared_as: row.try_get("", "prepared_as")?,
        }))
    }
}
