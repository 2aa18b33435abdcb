//! Counting attempts as their outcomes are written, for the statistics (`stats`).
//!
//! The outcome log hands in what it has written, within the same transaction: an outcome that is written
//! again is not counted again.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult};

use super::{
    db::{Dialect, Txn},
    records::{Batch, Columns, Kind as Type, unfold},
};
use crate::{
    domain::{
        attempt::{Outcome, Verdict},
        ids::EventId,
    },
    policy::tally::{Kind, slot},
    store::StoreError,
};

const COLUMNS: Columns<4> = [
    ("slot", Type::Integer),
    ("receiver_id", Type::Integer),
    ("kind", Type::Integer),
    ("n", Type::Integer),
];

/// An event whose outcome was written, as far as it matters here.
pub(super) struct Written {
    /// When its change committed; `None` where it is no measure of a delivery: of an event that was sent
    /// again by hand, or made of old history.
    measured_from: Option<DateTime<Utc>>,
}

/// What a statement that updates events as `e` has to return. (SQLite does not know the alias there, and
/// PostgreSQL needs it where the statement joins.)
pub(super) fn returning(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "returning e.id, e.occurred_at, e.replay_id, e.redelivery",
        Dialect::Sqlite => "returning id, occurred_at, replay_id, redelivery",
    }
}

/// The rows of a statement that ends with [`returning`].
pub(super) fn written(rows: &[QueryResult]) -> Result<HashMap<EventId, Written>, StoreError> {
    let read = |row: &QueryResult| {
        let (replay, redelivery): (i64, i32) = (
            row.try_get("", "replay_id")?,
            row.try_get("", "redelivery")?,
        );
        let occurred_at = row.try_get("", "occurred_at")?;
        let written = Written {
            measured_from: (replay == 0 && redelivery == 0).then_some(occurred_at),
        };
        Ok((EventId(row.try_get("", "id")?), written))
    };
    rows.iter().map(read).collect()
}

/// Counts these outcomes as far as they were written at `now`.
pub(super) async fn count(
    txn: &Txn,
    outcomes: &[Arc<Outcome>],
    written: &HashMap<EventId, Written>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut counts: BTreeMap<(i32, i16), i64> = BTreeMap::new();
    for outcome in outcomes {
        let Some(event) = written.get(&outcome.event_id) else {
            continue;
        };
        if let Some(kind) = kind(outcome, event, now) {
            let key = (outcome.receiver_id.0, kind.code());
            *counts.entry(key).or_default() += 1;
        }
    }
    if counts.is_empty() {
        return Ok(());
    }
    let slot = slot(now);
    let mut batch = Batch::new(txn.dialect(), &COLUMNS);
    for ((receiver, kind), n) in counts {
        batch.push([slot.into(), receiver.into(), kind.into(), n.into()]);
    }
    let sql = format!(
        "with {} insert into rowhook.delivery_counts as c (slot, receiver_id, kind, n)
         select b.slot, b.receiver_id, b.kind, b.n from b where true order by b.position
         on conflict (slot, receiver_id, kind) do update set n = c.n + excluded.n",
        unfold(txn.dialect(), 0, &COLUMNS)
    );
    txn.execute_raw(txn.statement(&sql, batch.into_values()))
        .await?;
    Ok(())
}

/// `None`: no attempt was made, and one will be.
fn kind(outcome: &Outcome, event: &Written, now: DateTime<Utc>) -> Option<Kind> {
    match (outcome.verdict, &outcome.attempt) {
        (Verdict::Delivered, _) => Some(match event.measured_from {
            Some(from) => Kind::timed((now - from).to_std().unwrap_or_default()),
            None => Kind::Untimed,
        }),
        (Verdict::Retry { .. }, None) => None,
        (Verdict::Retry { .. }, Some(_)) | (Verdict::Failed, _) => Some(Kind::Failed),
    }
}
