//! Writing what became of attempts: a batch of any size in a handful of statements.
//!
//! The latest attempt stands in the event's own row, earlier ones in `attempts`, so that a delivery
//! that succeeds at once costs one update. An outcome names how many attempts were made before it;
//! written again it finds another number there and changes nothing.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::{
    domain::{
        attempt::{Attempt, Outcome, Verdict},
        ids::EventId,
    },
    policy::tally,
    store::{StoreError, event_queue::OutcomeLog},
};

use super::{
    db::{Db, Dialect, Txn},
    delivery_counts::{self, Written, returning},
    delivery_history, receiver_health,
    records::{Batch, Columns, Kind, storable, unfold},
};

/// The outcomes of attempts.
pub struct SqlOutcomes {
    db: Db,
    /// The slot in which old counts were dropped last.
    moved_in: AtomicI64,
}

impl SqlOutcomes {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            moved_in: AtomicI64::default(),
        }
    }

    /// Once in a slot, after the commit: its failure is none of the outcomes'.
    async fn move_old_counts(&self, now: DateTime<Utc>) {
        let slot = tally::slot(now);
        if self.moved_in.swap(slot, Ordering::Relaxed) == slot {
            return;
        }
        if let Err(error) = delivery_history::move_old(&self.db, now).await {
            tracing::debug!(%error, "old counts are moved to the history later");
        }
    }
}

#[async_trait]
impl OutcomeLog for SqlOutcomes {
    async fn record(&self, outcomes: &[Arc<Outcome>]) -> Result<(), StoreError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let txn = self.db.begin().await?;
        if outcomes.iter().any(|outcome| outcome.attempts_before > 0) {
            keep_earlier_attempts(&txn, outcomes).await?;
        }
        let now = Utc::now();
        let written = update_events(&txn, outcomes, now).await?;
        delivery_counts::count(&txn, outcomes, &written, now).await?;
        receiver_health::written(&txn, outcomes, now).await?;
        txn.commit().await?;
        self.move_old_counts(now).await;
        Ok(())
    }
}

/// What is bound of each outcome.
pub const OUTCOME_COLUMNS: Columns<13> = [
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

fn push(batch: &mut Batch<13>, outcome: &Outcome) {
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
    let milliseconds = |attempt: &Attempt| attempt.duration.as_millis();
    let duration = attempt.map(|attempt| i64::try_from(milliseconds(attempt)).unwrap_or(i64::MAX));
    let headers = answer.map(|answer| json!(answer.headers).to_string());
    let body = answer.map(|answer| storable(&answer.body));
    let error = error.map(|error| storable(error));
    batch.push([
        outcome.event_id.0.into(),
        outcome.attempts_before.into(),
        i32::from(attempt.is_some()).into(),
        outcome.budget_used.into(),
        outcome.redelivery.into(),
        state.code().into(),
        outcome.due_at.into(),
        attempt.map(|attempt| attempt.started_at).into(),
        duration.into(),
        answer.map(|answer| answer.status).into(),
        headers.as_deref().into(),
        body.as_deref().into(),
        error.as_deref().into(),
    ]);
}

fn batch(dialect: Dialect, outcomes: &[Arc<Outcome>]) -> Batch<13> {
    let mut batch = Batch::new(dialect, &OUTCOME_COLUMNS);
    for outcome in outcomes {
        push(&mut batch, outcome);
    }
    batch
}

/// An outcome is written once: another one has moved the count of attempts on. A delivery counts even
/// then, since a former owner's failure may have been written before it. (The sign before `state` keeps the planner from
/// the indexes of all that is owed: it takes a batch for a hundred rows, and would read the whole backlog each time.)
const APPLIES: &str = "+e.state in (0, 1, 2, 5) and (e.attempt_count = b.before
                 or (b.state = 3 and e.redelivery = b.redelivery))";

/// The attempt that stands in the event's row moves to `attempts` before the next one takes its place, or
/// the reason why none was made.
async fn keep_earlier_attempts(txn: &Txn, outcomes: &[Arc<Outcome>]) -> Result<(), StoreError> {
    let dialect = txn.dialect();
    let values = batch(dialect, outcomes).into_values();
    txn.execute_raw(txn.statement(&keep_earlier_attempts_sql(dialect), values))
        .await?;
    Ok(())
}

/// `$1` and those that follow: the records.
pub fn keep_earlier_attempts_sql(dialect: Dialect) -> String {
    format!(
        "with {} insert into rowhook.attempts (event_id, number, attempted_at, duration_ms,
                    response_status, response_headers, response_data, error)
         select e.id, e.attempt_count, e.attempted_at, e.duration_ms, e.response_status,
                e.response_headers, e.response_data, e.error
         from b join rowhook.events e on e.id = b.id
         where e.attempted_at is not null and {APPLIES}
         on conflict (event_id, number) do nothing",
        unfold(dialect, 0, &OUTCOME_COLUMNS),
    )
}

/// What was redelivered while the attempt ran is owed once more, with a fresh budget. What was
/// cancelled meanwhile stays so, unless it was delivered after all.
async fn update_events(
    txn: &Txn,
    outcomes: &[Arc<Outcome>],
    now: DateTime<Utc>,
) -> Result<HashMap<EventId, Written>, StoreError> {
    let dialect = txn.dialect();
    let values = std::iter::once(now.into()).chain(batch(dialect, outcomes).into_values());
    let rows = txn
        .query_all_raw(txn.statement(&update_events_sql(dialect), values))
        .await?;
    delivery_counts::written(&rows)
}

/// `$1`: now; `$2` and those that follow: the records.
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
                                when b.state in (3, 4) and e.redelivery = b.redelivery then $1 end
             from b
             where e.id = b.id and {APPLIES} {}",
        unfold(dialect, 1, &OUTCOME_COLUMNS),
        returning(dialect),
    )
}
