//! Reading `logged_actions`: between two snapshots on PostgreSQL, by id on SQLite.
//!
//! PostgreSQL gives ids and transaction ids before commit, so neither can be a high-water mark. A poll
//! takes the present snapshot and reads the rows that are visible now and were not in the last one:
//! those of the transactions that were running then, and those that began since. Both come through the
//! index on xid, so the cost does not grow with the age of the oldest open transaction. A window that is larger
//! than a page is walked along the primary key. Within a window the order is by id: two transactions that
//! change one row are serialised by its lock, so the later one's trigger runs after the earlier one's commit. (PgQ
//! reads its queues in this way.)
//!
//! What was restored from another cluster is of another [era](crate::domain::era). A window holds changes of one
//! era, the watermark's. Before anything of the next one is read, one window takes all that is left of it; that
//! ends with the beginning of the next, and so the watermark goes over into it as from any window to another.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Value};

use crate::{
    domain::{
        action::Action,
        change::Change,
        era::{Era, Eras},
        ids::{ChangeId, ResourceId, TransactionId},
        snapshot::{Place, Position, Snapshot},
    },
    store::{
        StoreError,
        change_log::{ChangeLog, ChangePage, Cursor, Window},
    },
};

use super::{
    cursor_home,
    db::{Db, Dialect},
    eras::{NEWEST_ERA, eras_column, last_of, read_eras},
    kept_changes,
    notices::Notices,
    page_connection::PageConnection,
    records::{read_user_text, user_text},
    sqlite_news::SqliteNews,
};

/// A page holds no more text than this, one large row aside: memory is bounded whatever rows are.
const PAGE_BYTES: usize = 16 << 20;
/// Rows above this size are fetched one by one, so that a page of them never is in memory at once.
const LARGE_ROW_BYTES: i64 = 64 << 10;

/// `logged_actions` and its cursor.
pub struct SqlChangeLog {
    connection: PageConnection,
    news: SqliteNews,
    notices: Option<Notices>,
}

impl SqlChangeLog {
    /// On this connection, which fan-out writes on too.
    pub fn new(connection: PageConnection) -> Self {
        Self {
            news: SqliteNews::new(connection.pool().clone()),
            notices: None,
            connection,
        }
    }

    /// The same, and it hears the notices of a log that [notifies](super::notices).
    pub fn listening(connection: PageConnection) -> Self {
        let pool = connection.pool();
        let notices = match pool.dialect() {
            Dialect::Postgres => Some(Notices::listen(pool)),
            Dialect::Sqlite => None,
        };
        Self {
            notices,
            ..Self::new(connection)
        }
    }

    fn db(&self) -> Result<Db, StoreError> {
        self.connection.get()
    }
}

#[derive(FromQueryResult)]
struct CursorRow {
    epoch: i64,
    watermark: String,
    window_to: Option<String>,
    window_after: Option<i64>,
    window_last: Option<i64>,
    transaction_id: i64,
}

impl CursorRow {
    fn read(self, eras: Eras) -> Result<Cursor, StoreError> {
        let position = |text: String| text.parse::<Position>().map_err(StoreError::corrupt);
        let window = match (self.window_to, self.window_after, self.window_last) {
            (Some(to), Some(after), Some(last)) => Some(Window {
                to: position(to)?,
                after: ChangeId(after),
                last: ChangeId(last),
            }),
            _ => None,
        };
        Ok(Cursor {
            epoch: self.epoch,
            watermark: position(self.watermark)?,
            window,
            transaction_id: TransactionId(self.transaction_id),
            eras,
        })
    }
}

/// A row as the page query returns it; a large one comes without its text.
struct LogRow {
    id: i64,
    xid: i64,
    occurred_at: DateTime<Utc>,
    resource_id: i32,
    action: i16,
    row_data: Option<String>,
    old_values: Option<String>,
}

#[async_trait]
impl ChangeLog for SqlChangeLog {
    async fn take_over(&self) -> Result<Cursor, StoreError> {
        let txn = self.connection.begin_anew().await?.begin().await?;
        let number = match txn.dialect() {
            Dialect::Postgres => "0::bigint as transaction_id",
            Dialect::Sqlite => "transaction_id",
        };
        let row = txn
            .query_one_raw(txn.statement(
                &format!(
                    "update rowhook.capture_cursor set epoch = epoch + 1 where id = 1
                     returning epoch, watermark, window_to, window_after, window_last, {number}, {}",
                    eras_column(txn.dialect())
                ),
                [],
            ))
            .await?
            .ok_or_else(|| StoreError::corrupt("capture_cursor has no row"))?;
        let cursor = CursorRow::from_query_result(&row, "")?.read(read_eras(&row)?)?;
        if txn.dialect() == Dialect::Postgres {
            cursor_home::settle(&txn).await?;
        }
        txn.commit().await?;
        Ok(cursor)
    }

    async fn may_have_news(&self) -> Result<bool, StoreError> {
        match self.connection.pool().dialect() {
            Dialect::Postgres => Ok(true),
            Dialect::Sqlite => self.news.any().await,
        }
    }

    async fn heard(&self) {
        match &self.notices {
            Some(notices) => notices.heard().await,
            None => std::future::pending().await,
        }
    }

    async fn read(&self, cursor: &Cursor, limit: u32) -> Result<ChangePage, StoreError> {
        let db = self.db()?;
        let page = match (&cursor.window, &cursor.watermark) {
            (Some(window), _) => self.continue_window(cursor, window, limit).await,
            (None, Position::Snapshot(last)) => self.open_window(cursor, last, limit).await,
            (None, Position::UpTo(last)) => self.open_sqlite_window(cursor, *last, limit).await,
        }?;
        PageConnection::check(&db)?;
        Ok(page)
    }
}

/// When the row `l` was committed, where the cluster keeps that; else when its trigger ran.
pub(super) fn occurred_at(dialect: Dialect) -> String {
    occurred_at_since(dialect, NEWEST_ERA)
}

/// The same, where the statement knows the present era: of older ones the cluster knows no transaction.
fn occurred_at_since(dialect: Dialect, era: &str) -> String {
    match dialect {
        Dialect::Postgres => format!(
            "coalesce(case when current_setting('track_commit_timestamp')::boolean and l.id > {era}
                           then pg_xact_commit_timestamp(l.xid::xid) end, l.logged_at)"
        ),
        Dialect::Sqlite => "l.logged_at".to_owned(),
    }
}

/// What both page queries select of a row `l`; large texts are left for later. `era`: the value that holds the
/// present era.
fn columns(dialect: Dialect, era: &str) -> String {
    let xid = match dialect {
        Dialect::Postgres => "l.xid::text::bigint",
        Dialect::Sqlite => "0",
    };
    let occurred_at = occurred_at_since(dialect, era);
    let small = format!("{} <= {LARGE_ROW_BYTES}", kept_changes::size(dialect));
    format!(
        "l.id, {xid} as xid, {occurred_at} as occurred_at, l.resource_id, l.action,
         case when {small} then {row_data} end as row_data,
         case when {small} then {old_values} end as old_values",
        row_data = user_text(dialect, "l.row_data"),
        old_values = user_text(dialect, "l.old_values"),
    )
}

/// What a page query that goes through the index is given of the last snapshot: the transactions that were
/// running in it, and its xmax.
fn window_values(last: &Snapshot) -> [Value; 2] {
    let running: Vec<String> = last.in_progress().iter().map(u64::to_string).collect();
    [
        format!("{{{}}}", running.join(",")).into(),
        last.xmax().to_string().into(),
    ]
}

/// The end of a window as PostgreSQL reads it. All of an era that is over is visible where the next one begins.
fn end_of_window(from: &Snapshot, to: &Snapshot) -> String {
    if to.era() > from.era() {
        format!("{0}:{0}:", i64::MAX)
    } else {
        to.pg_text()
    }
}

// The planner can not know how large a window is: its newest part is in no statistics yet. So each of the
// three statements is written for the one index that is right whatever is in the table, and the connection
// that they are sent on has nothing but index scans (`page_connection`). What is of another era is left out
// by a sum, of which no index knows: rows whose transactions have the same numbers in two eras are few.

/// The statement that opens a window: the present snapshot, and the rows if they fit a page. `$1`: the
/// transactions that were running in the last snapshot, `$2`: its xmax, `$3`: one row more than fit, `$4`: the
/// era, which is the present one.
pub fn open_window_sql() -> String {
    format!(
        "select s.snapshot::text as snapshot, c.*
         from (select pg_current_snapshot() as snapshot) s
         left join lateral (
             (select {columns} from unnest($1::text::xid8[]) r (xid)
              cross join lateral (
                  select * from rowhook.logged_actions l
                  where l.xid = r.xid and l.id + 0 > $4 limit $3) l
              where pg_visible_in_snapshot(r.xid, s.snapshot))
             union all
             (select {columns} from rowhook.logged_actions l
              where l.xid >= $2::text::xid8 and l.xid < pg_snapshot_xmax(s.snapshot)
                and pg_visible_in_snapshot(l.xid, s.snapshot) and l.id + 0 > $4
              order by l.xid limit $3)
             limit $3
         ) c on true",
        columns = columns(Dialect::Postgres, "$4"),
    )
}

/// The statement that finds the lowest and the highest id of a large window. `$1` and `$2` as before, `$3`:
/// the window's end, `$4` and `$5`: the ids between which the era stands. (`offset 0` keeps the planner from
/// looking for the lowest id along the primary key, where everything that is kept stands in front of it.)
pub fn window_bounds_sql() -> &'static str {
    "select min(w.id) as low, max(w.id) as high from (
         (select l.id from unnest($1::text::xid8[]) r (xid)
          cross join lateral (
              select l.id from rowhook.logged_actions l
              where l.xid = r.xid and l.id + 0 > $4 and l.id + 0 <= $5 offset 0) l
          where pg_visible_in_snapshot(r.xid, $3::text::pg_snapshot))
         union all
         (select l.id from rowhook.logged_actions l
          where l.xid >= $2::text::xid8 and l.xid < pg_snapshot_xmax($3::text::pg_snapshot)
            and pg_visible_in_snapshot(l.xid, $3::text::pg_snapshot)
            and l.id + 0 > $4 and l.id + 0 <= $5
          order by l.xid offset 0)) w"
}

/// The statement that reads a page of a large window by the primary key. `$1`: the last snapshot, `$2`: the
/// window's end, `$3` and `$4`: the range of ids, `$5`: the page's size, `$6`: the present era. (Both snapshots
/// are asked by a function, so that the other index is of no use.)
pub fn continue_window_sql() -> String {
    format!(
        "select {columns} from rowhook.logged_actions l
         where l.id > $3 and l.id <= $4
           and pg_visible_in_snapshot(l.xid, $2::text::pg_snapshot)
           and not pg_visible_in_snapshot(l.xid, $1::text::pg_snapshot)
         order by l.id limit $5",
        columns = columns(Dialect::Postgres, "$6"),
    )
}

impl SqlChangeLog {
    async fn open_window(
        &self,
        cursor: &Cursor,
        last: &Snapshot,
        limit: u32,
    ) -> Result<ChangePage, StoreError> {
        if let Some(next) = cursor.eras.after(last.era()) {
            return self.finish_era(cursor, last, next, limit).await;
        }
        let [running, xmax] = window_values(last);
        let era = last.era();
        let values = [running, xmax, i64::from(limit + 1).into(), era.0.into()];
        let db = self.db()?;
        let rows = db
            .query_all_raw(db.statement(&open_window_sql(), values))
            .await?;
        let first = rows
            .first()
            .ok_or_else(|| StoreError::corrupt("a poll returned no snapshot"))?;
        let snapshot: String = first.try_get("", "snapshot")?;
        let to: Snapshot = snapshot.parse().map_err(StoreError::corrupt)?;
        let to = to.in_era(era);
        let empty = first.try_get::<Option<i64>>("", "id")?.is_none();
        let mut page = if empty {
            Vec::new()
        } else {
            read_rows(self.connection.pool().dialect(), &rows)?
        };
        if page.len() > limit as usize {
            let window = self.bounds(&cursor.eras, last, to).await?;
            let cursor = Cursor {
                window: Some(window.clone()),
                ..cursor.clone()
            };
            return self.continue_window(&cursor, &window, limit).await;
        }
        page.sort_unstable_by_key(|row| row.id);
        let after = page.first().map_or(0, |row| row.id - 1);
        let window = Window {
            to: Position::Snapshot(to),
            after: ChangeId(after),
            last: ChangeId(page.last().map_or(after, |row| row.id)),
        };
        self.page(cursor, window, page, true).await
    }

    /// All that is left of an era that is over: nothing is added to it any more.
    async fn finish_era(
        &self,
        cursor: &Cursor,
        last: &Snapshot,
        next: Era,
        limit: u32,
    ) -> Result<ChangePage, StoreError> {
        let to = Snapshot::beginning_of(next);
        let window = self.bounds(&cursor.eras, last, to).await?;
        self.continue_window(cursor, &window, limit).await
    }

    /// The lowest and highest id of a window that is too large for a page, found once.
    async fn bounds(
        &self,
        eras: &Eras,
        last: &Snapshot,
        to: Snapshot,
    ) -> Result<Window, StoreError> {
        let [running, xmax] = window_values(last);
        let era = last.era();
        let values = [
            running,
            xmax,
            end_of_window(last, &to).into(),
            era.0.into(),
            last_of(eras, era).into(),
        ];
        let db = self.db()?;
        let row = db
            .query_one_raw(db.statement(window_bounds_sql(), values))
            .await?
            .ok_or_else(|| StoreError::corrupt("an aggregate returned no row"))?;
        let low: Option<i64> = row.try_get("", "low")?;
        let high: Option<i64> = row.try_get("", "high")?;
        Ok(Window {
            to: Position::Snapshot(to),
            after: ChangeId(low.unwrap_or(1) - 1),
            last: ChangeId(high.unwrap_or(0)),
        })
    }

    async fn continue_window(
        &self,
        cursor: &Cursor,
        window: &Window,
        limit: u32,
    ) -> Result<ChangePage, StoreError> {
        let db = self.db()?;
        let (after, last) = (window.after.0, window.last.0);
        let statement = match (&cursor.watermark, &window.to) {
            (Position::Snapshot(seen), Position::Snapshot(to)) => {
                let values: [Value; 6] = [
                    seen.pg_text().into(),
                    end_of_window(seen, to).into(),
                    after.into(),
                    last.into(),
                    i64::from(limit).into(),
                    cursor.eras.newest().0.into(),
                ];
                db.statement(&continue_window_sql(), values)
            }
            (Position::UpTo(_), _) | (_, Position::UpTo(_)) => db.statement(
                &format!(
                    "select {} from rowhook.logged_actions l
                     where l.id > $1 and l.id <= $2 order by l.id limit $3",
                    columns(Dialect::Sqlite, "0")
                ),
                [after.into(), last.into(), i64::from(limit).into()],
            ),
        };
        let rows = read_rows(
            self.connection.pool().dialect(),
            &db.query_all_raw(statement).await?,
        )?;
        let ends = rows.len() < limit as usize || rows.last().is_some_and(|row| row.id == last);
        self.page(cursor, window.clone(), rows, ends).await
    }

    async fn open_sqlite_window(
        &self,
        cursor: &Cursor,
        last: ChangeId,
        limit: u32,
    ) -> Result<ChangePage, StoreError> {
        let db = self.db()?;
        let row = db
            .query_one_raw(db.statement(
                "select coalesce(max(id), 0) as high from rowhook.logged_actions where id > $1",
                [last.0.into()],
            ))
            .await?
            .ok_or_else(|| StoreError::corrupt("an aggregate returned no row"))?;
        let high: i64 = row.try_get("", "high")?;
        let window = Window {
            to: Position::UpTo(ChangeId(high.max(last.0))),
            after: last,
            last: ChangeId(high.max(last.0)),
        };
        if high <= last.0 {
            return self.page(cursor, window, Vec::new(), true).await;
        }
        let cursor = Cursor {
            transaction_id: TransactionId(cursor.transaction_id.0 + 1),
            ..cursor.clone()
        };
        self.continue_window(&cursor, &window, limit).await
    }

    /// The changes of these rows, as many as fit the page's bytes, at least one.
    async fn page(
        &self,
        cursor: &Cursor,
        window: Window,
        rows: Vec<LogRow>,
        ends_window: bool,
    ) -> Result<ChangePage, StoreError> {
        let count = rows.len();
        let mut changes = Vec::with_capacity(count);
        let mut bytes = 0;
        for row in rows {
            if bytes > PAGE_BYTES {
                break;
            }
            let change = self.change(row, cursor).await?;
            bytes += change.row_data.len() + change.old_values.as_ref().map_or(0, String::len);
            changes.push(change);
        }
        Ok(ChangePage {
            ends_window: ends_window && changes.len() == count,
            changes,
            window,
            transaction_id: cursor.transaction_id,
        })
    }

    async fn change(&self, row: LogRow, cursor: &Cursor) -> Result<Change, StoreError> {
        let (row_data, old_values) = match row.row_data {
            Some(row_data) => (row_data, row.old_values),
            None => self.large_row(row.id).await?,
        };
        let (place, transaction_id) = match &cursor.watermark {
            // All of a window are of its era.
            Position::Snapshot(seen) => (
                Place::Transaction {
                    era: seen.era(),
                    xid: u64::try_from(row.xid).map_err(StoreError::corrupt)?,
                },
                TransactionId(row.xid),
            ),
            Position::UpTo(_) => (Place::Id(ChangeId(row.id)), cursor.transaction_id),
        };
        Ok(Change {
            id: ChangeId(row.id),
            place,
            transaction_id,
            occurred_at: row.occurred_at,
            resource_id: ResourceId(row.resource_id),
            action: Action::from_code(row.action).ok_or_else(|| {
                StoreError::Corrupt(format!("logged_actions {}: action {}", row.id, row.action))
            })?,
            row_data,
            old_values,
        })
    }

    async fn large_row(&self, id: i64) -> Result<(String, Option<String>), StoreError> {
        let db = self.db()?;
        let row = db
            .query_one_raw(db.statement(
                &format!(
                    "select {} as row_data, {} as old_values
                     from rowhook.logged_actions where id = $1",
                    user_text(self.connection.pool().dialect(), "row_data"),
                    user_text(self.connection.pool().dialect(), "old_values"),
                ),
                [id.into()],
            ))
            .await?
            .ok_or_else(|| StoreError::Corrupt(format!("logged_actions {id} is gone")))?;
        let read = |column| read_user_text(self.connection.pool().dialect(), &row, column);
        Ok((read("row_data")?.unwrap_or_default(), read("old_values")?))
    }
}

fn read_rows(dialect: Dialect, rows: &[QueryResult]) -> Result<Vec<LogRow>, StoreError> {
    let read = |row: &QueryResult| -> Result<LogRow, DbErr> {
        Ok(LogRow {
            id: row.try_get("", "id")?,
            xid: row.try_get("", "xid")?,
            occurred_at: row.try_get("", "occurred_at")?,
            resource_id: row.try_get("", "resource_id")?,
            action: row.try_get("", "action")?,
            row_data: read_user_text(dialect, row, "row_data")?,
            old_values: read_user_text(dialect, row, "old_values")?,
        })
    };
    rows.iter().map(|row| Ok(read(row)?)).collect()
}
