//! Writing what became of attempts: a batch of any size in a handful of statements.
//!
//! The latest attempt stands in the event's own row, earlier ones in `attempts`, so that a delivery
//! that succeeds at once costs one update. An outcome names how many attempts were made before it;
//! written again it finds another number there and changes nothing.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Value};
use serde_json::{Value as Json, json};

use crate::{
    domain::{
        attempt::{Outcome, Verdict},
        ids::EventId,
    },
    policy::tally,
    store::{StoreError, event_queue::OutcomeLog},
};

use super::{
    db::{Db, Dialect, Txn},
    delivery_counts::{self, Written, returning},
    receiver_health,
    records::{Kind, numbers, one_of, storable, time, unfold},
};

/// The outcomes of attempts.
pub struct SqlOutcomes {
    db: Db,
    /// The slot in which old counts were dropped last.
    dropped_in: AtomicI64,
}

impl SqlOutcomes {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            dropped_in: AtomicI64::default(),
        }
    }

    /// Once in a slot, after the commit: its failure is none of the outcomes'.
    async fn drop_old_counts(&self, now: DateTime<Utc>) {
        let slot = tally::slot(now);
        if self.dropped_in.swap(slot, Ordering::Relaxed) == slot {
            return;
        }
        if let Err(error) = delivery_counts::drop_old(&self.db, now).await {
            tracing::debug!(%error, "old counts are dropped later");
        }
    }
}

#[async_trait]
impl OutcomeLog for SqlOutcomes {
    async fn record(&self, outcomes: &[Outcome]) -> Result<(), StoreError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let txn = self.db.begin().await?;
        let batch = json!(outcomes.iter().map(record).collect::<Vec<_>>()).to_string();
        if outcomes.iter().any(|outcome| outcome.attempts_before > 0) {
            keep_earlier_attempts(&txn, outcomes, &batch).await?;
        }
        let now = Utc::now();
        let written = update_events(&txn, outcomes, &batch, now).await?;
        delivery_counts::count(&txn, outcomes, &written, now).await?;
        receiver_health::written(&txn, outcomes, now).await?;
        txn.commit().await?;
        self.drop_old_counts(now).await;
        Ok(())
    }
}

const OUTCOME_COLUMNS: [(&str, Kind); 13] = [
    ("id", Kind::Integer),
    ("before", Kind::Integer),
    ("made", Kind::Integer),
    ("budget_used", Kind::Integer),
    ("redelivery", Kind::Integer),
    ("state", Kind::Integer),
    ("due_at", Kind::Time),
    ("attempted_at", Kind::Time),
    ("duration_ms", Kind::Integer),
    ("response_status", Kind::Integer),
    ("response_headers", Kind::Text),
    ("response_data", Kind::Text),
    ("error", Kind::Text),
];

fn record(outcome: &Outcome) -> Json {
    use crate::domain::event::EventState::{Delivered, Failed, Waiting};
    let attempt = outcome.attempt.as_ref();
    let answer = attempt.and_then(|attempt| attempt.answer.as_ref());
    let error = attempt
        .and_then(|attempt| attempt.error.as_ref())
        .or(outcome.reason.as_ref());
    let state = match outcome.verdict {
        Verdict::Delivered => Delivered,
        Verdict::Retry { .. } => Waiting,
        Verdict::Failed => Failed,
    };
    json!({
        "id": outcome.event_id.0,
        "before": outcome.attempts_before,
        "made": i32::from(attempt.is_some()),
        "budget_used": outcome.budget_used,
        "redelivery": outcome.redelivery,
        "state": state.code(),
        "due_at": outcome.due_at.map(time),
        "attempted_at": attempt.map(|attempt| time(attempt.started_at)),
        "duration_ms": attempt.map(|attempt| attempt.duration.as_millis() as u64),
        "response_status": answer.map(|answer| answer.status),
        "response_headers": answer.map(|answer| storable(&json!(answer.headers).to_string())),
        "response_data": answer.map(|answer| storable(&answer.body)),
        "error": error.map(|error| storable(error)),
    })
}

/// An outcome is written once: another one has moved the count of attempts on. A delivery counts even
/// then, since a former owner's failure may have been written before it. (The sign before `state` keeps the planner from
/// the indexes of all that is owed: it takes a batch for a hundred rows, and would read the whole backlog each time.)
const APPLIES: &str = "+e.state in (0, 1, 2, 5) and (e.attempt_count = b.before
                 or (b.state = 3 and e.redelivery = b.redelivery))";

/// The events of the batch by their ids, bound as `value`: a list's length is known to PostgreSQL's planner, that of
/// unfolded records is not. SQLite looks each up anyway.
fn of_batch(dialect: Dialect, value: &str) -> String {
    match dialect {
        Dialect::Postgres => format!("e.id = b.id and {}", one_of(dialect, "e.id", value)),
        Dialect::Sqlite => "e.id = b.id".to_owned(),
    }
}

/// The value for [`of_batch`], where it takes one.
fn ids_of(dialect: Dialect, outcomes: &[Outcome]) -> Option<Value> {
    let ids = || outcomes.iter().map(|outcome| outcome.event_id.0);
    (dialect == Dialect::Postgres).then(|| numbers(dialect, ids()))
}

/// The attempt that stands in the event's row moves to `attempts` before the next one takes its place, or
/// the reason why none was made.
async fn keep_earlier_attempts(
    txn: &Txn,
    outcomes: &[Outcome],
    batch: &str,
) -> Result<(), StoreError> {
    let dialect = txn.dialect();
    let mut values: Vec<Value> = vec![batch.into()];
    values.extend(ids_of(dialect, outcomes));
    txn.execute_raw(txn.statement(&keep_earlier_attempts_sql(dialect), values))
        .await?;
    Ok(())
}

/// `$1`: the records; `$2`, on PostgreSQL: their ids.
pub fn keep_earlier_attempts_sql(dialect: Dialect) -> String {
    format!(
        "with {} insert into rowhook.attempts (event_id, number, attempted_at, duration_ms,
                    response_status, response_headers, response_data, error)
         select e.id, e.attempt_count, e.attempted_at, e.duration_ms, e.response_status,
                e.response_headers, e.response_data, e.error
         from b join rowhook.events e on {}
         where e.attempted_at is not null and {APPLIES}
         on conflict (event_id, number) do nothing",
        unfold(dialect, "$1", &OUTCOME_COLUMNS),
        of_batch(dialect, "$2"),
    )
}

/// What was redelivered while the attempt ran is owed once more, with a fresh budget. What was
/// cancelled meanwhile stays so, unless it was delivered after all.
async fn update_events(
    txn: &Txn,
    outcomes: &[Outcome],
    batch: &str,
    now: DateTime<Utc>,
) -> Result<HashMap<EventId, Written>, StoreError> {
    let dialect = txn.dialect();
    let mut values: Vec<Value> = vec![batch.into(), now.into()];
    values.extend(ids_of(dialect, outcomes));
    let rows = txn
        .query_all_raw(txn.statement(&update_events_sql(dialect), values))
        .await?;
    delivery_counts::written(&rows)
}

/// `$1`: the records; `$2`: now; `$3`, on PostgreSQL: the records' ids.
pub fn update_events_sql(dialect: Dialect) -> String {
    format!(
        "with {} update rowhook.events as e set
                state = case when e.state = 5 and b.state <> 3 then 5
                             when e.state <> 5 and e.redelivery <> b.redelivery then 0
                             else b.state end,
                due_at = case when e.state = 5 or e.redelivery <> b.redelivery then null
                              else b.due_at end,
                budget_used = case when e.redelivery <> b.redelivery then 0 else b.budget_used end,
                attempt_count = e.attempt_count + b.made,
                attempted_at = b.attempted_at,
                duration_ms = b.duration_ms,
                response_status = b.response_status,
                response_headers = b.response_headers,
                response_data = b.response_data,
                error = b.error,
                ended_at = case when e.state = 5 and b.state <> 3 then e.ended_at
                                when b.state in (3, 4) and e.redelivery = b.redelivery then $2 end
             from b
             where {} and {APPLIES} {}",
        unfold(dialect, "$1", &OUTCOME_COLUMNS),
        of_batch(dialect, "$3"),
        returning(dialect),
    )
}
