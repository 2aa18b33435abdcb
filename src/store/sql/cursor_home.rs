//! Whether the cursor is where its snapshots mean something: asked whenever it is taken over, on PostgreSQL.
//!
//! *Another cluster.* After a dump and restore transaction ids start anew, and a cursor that did not notice would
//! find nothing, silently. So nothing is read there until somebody settles it (`rebase`), and nothing is sent: what was
//! restored may be a copy of a database that works on.
//!
//! *Another timeline of the same cluster.* A standby was promoted, or a backup recovered to some point. Cursor,
//! log and events went back together to one moment, so reading goes on from the watermark and misses nothing of
//! what this server has. But receivers may have been told of what it has not, under event ids that it would give
//! again, and a receiver that knows the id would take the new event for one that it has. So ids skip a stretch.

use rand::RngExt;
use sea_orm::ConnectionTrait;

use crate::store::StoreError;

use super::db::{Dialect, Txn};

/// Event ids that are skipped: more than were given on the old server after the moment that the new one knows, and
/// as many more at random, since a backup may be recovered twice, to the same timeline each time.
pub(super) const SKIPPED: i64 = 1_000_000;
/// The same for a dump, which may be as old as anybody keeps one.
pub(super) const SKIPPED_AFTER_A_DUMP: i64 = 10_000_000_000;

/// The present timeline: the first eight digits of the names of its files (PostgreSQL documentation, "WAL
/// Internals"). The control file tells it only from the first checkpoint after a promotion on.
pub(super) const TIMELINE: &str =
    "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer";

/// Whether rowhook's role may have event ids skipped.
pub(super) const MAY_SKIP: &str =
    "has_sequence_privilege(pg_get_serial_sequence('rowhook.events', 'id'), 'update')";

/// Skips a stretch of event ids; returns how many.
pub(super) async fn skip_event_ids(txn: &Txn, at_least: i64) -> Result<i64, StoreError> {
    let skip = "select setval(s.name, nextval(s.name) + $1)
                from (select pg_get_serial_sequence('rowhook.events', 'id')::regclass as name) s";
    let skipped = at_least + rand::rng().random_range(0..at_least);
    txn.query_one_raw(txn.statement(skip, [skipped.into()]))
        .await?;
    Ok(skipped)
}

/// [`StoreError::ForeignCluster`] where the cursor belongs to another cluster.
pub(super) async fn is_at_home(txn: &Txn) -> Result<(), StoreError> {
    if txn.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let sql = "select 1 from rowhook.capture_cursor c, pg_control_system() s
               where c.id = 1 and c.system_identifier = s.system_identifier";
    match txn.query_one_raw(txn.statement(sql, [])).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::ForeignCluster),
    }
}

/// Looks, and settles what can be settled. Fails where the cursor means nothing.
pub(super) async fn settle(txn: &Txn) -> Result<(), StoreError> {
    let sql = format!(
        "select c.system_identifier = s.system_identifier as same_cluster, c.timeline as was, {TIMELINE} as now,
                {MAY_SKIP} as may_skip
         from rowhook.capture_cursor c, pg_control_system() s where c.id = 1"
    );
    let row = txn
        .query_one_raw(txn.statement(&sql, []))
        .await?
        .ok_or_else(|| StoreError::corrupt("capture_cursor has no row"))?;
    if !row.try_get::<bool>("", "same_cluster")? {
        return Err(StoreError::ForeignCluster);
    }
    let (was, now): (i32, i32) = (row.try_get("", "was")?, row.try_get("", "now")?);
    if was == now {
        return Ok(());
    }
    if !row.try_get::<bool>("", "may_skip")? {
        return Err(StoreError::Refused(format!(
            "the database failed over from timeline {was} to {now}, so event ids that receivers may have seen have \
             to be skipped, and rowhook's role may not: `grant usage, update on all sequences in schema rowhook` \
             to it; no change is read until then"
        )));
    }
    let skipped = skip_event_ids(txn, SKIPPED).await?;
    let here = "update rowhook.capture_cursor set timeline = $1 where id = 1";
    txn.execute_raw(txn.statement(here, [now.into()])).await?;
    tracing::warn!(
        from_timeline = was,
        to_timeline = now,
        skipped_event_ids = skipped,
        "the database failed over to another server, or was recovered; reading goes on where this one's state \
         ends. What it never got from the old one is gone from here, and receivers may know of it: event ids skip a \
         stretch, so that none of them is given again"
    );
    Ok(())
}
