//! Deleting receivers and subscriptions, and cancelling what they were still owed.
//!
//! The mutation's transaction only marks the records and closes their intervals. What follows may be a
//! million events, so it is no part of it:
//!
//! - Nothing is sent: senders leave out the events of deleted subscriptions (`event_queue`), and a deletion
//!   answers only when no sender goes by what it read before (see `senders_know`).
//! - Nothing new is owed: fan-out writes what a deleted subscription was owed as cancelled. A page that
//!   was written meanwhile is waited for (see `wait_for_fan_out`).
//! - What is owed is cancelled in batches, each its own short transaction that waits for nobody. A short
//!   queue is done when the deletion answers, the rest of a long one behind it. A process that ends
//!   meanwhile leaves events that nobody sends; [`SqlManagementStore::tidy`] cancels them at the next start.
//!
//! Cancelled events let go what is parked behind them in other subscriptions' rows.

use std::time::{Duration, Instant};

use entity::{receivers, subscriptions};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryResult, sea_query::Expr,
};

use super::{
    db::{Dialect, Txn},
    intervals, mutation, parking, receiver_health,
    receivers::{self as receiver_rows, SqlManagementStore, lock_existing},
    records::{numbers, one_of},
    subscriptions::{self as subscription_rows, lock_existing_subscription},
};
use crate::{
    domain::{
        api_key::Author,
        event::{EventState, EventStatus},
        ids::{ReceiverId, SubscriptionId},
        receiver::Receiver,
        subscription::Subscription,
    },
    store::{StoreError, delivery_targets::KNOWLEDGE_AGE},
};

/// Events looked at, and cancelled, in one transaction: a few tens of milliseconds.
const BATCH: i64 = 1000;
/// So long a deletion cancels before it answers.
const BEFORE_ANSWER: Duration = Duration::from_secs(2);
/// The pause after the database failed.
const RETRY: Duration = Duration::from_secs(5);
/// Beyond [`KNOWLEDGE_AGE`]: what the senders' clocks and ours may differ in measuring it.
const MARGIN: Duration = Duration::from_millis(50);
/// What a deleted receiver's record says.
const REASON: &str = "the receiver was deleted";

/// How far the cancelling of one receiver's events has come.
struct Sweep {
    receiver: ReceiverId,
    stage: Stage,
    /// Events found in this round. After one without any there are none left.
    cancelled: u64,
}

enum Stage {
    /// Waiting and parked ones, first since others may be parked behind them.
    Blocking,
    /// Ready ones after this id.
    Ready(i64),
    Done,
}

impl Sweep {
    fn of(receiver: ReceiverId) -> Self {
        Self {
            receiver,
            stage: Stage::Blocking,
            cancelled: 0,
        }
    }
}

/// An event that is to be cancelled.
struct Doomed {
    id: i64,
    rows: Vec<i64>,
}

impl SqlManagementStore {
    pub(super) async fn delete_receiver_and_its_events(
        &self,
        id: ReceiverId,
        etag: Option<&str>,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        let now = mutation::now();
        let txn = mutation::begin(&self.db).await?;
        let old = lock_existing(&txn, id).await?;
        if etag.is_some_and(|etag| etag != old.etag) {
            return Err(StoreError::Conflict);
        }
        let subscriptions = mutation::lock_subscriptions(&txn, id.0).await?;
        let mut row = old.into_active_model();
        row.active = Set(false);
        row.inactive_reason = Set(Some(REASON.to_owned()));
        row.deleted_at = Set(Some(now));
        receiver_rows::stamp(&mut row, by);
        self.tend_secrets(&mut row)?;
        // It is never sent to again, and nobody could take the key away later.
        row.client_certificate = Set(None);
        row.client_key = Set(None);
        let row = row.update(&txn).await?;
        receiver_health::forget(&txn, id).await?;
        subscriptions::Entity::update_many()
            .col_expr(subscriptions::Column::Active, Expr::value(false))
            .col_expr(subscriptions::Column::DeletedAt, Expr::value(now))
            .col_expr(
                subscriptions::Column::UpdatedById,
                Expr::value(by.id.map(|id| id.0)),
            )
            .col_expr(
                subscriptions::Column::UpdatedByName,
                Expr::value(by.name.clone()),
            )
            .col_expr(subscriptions::Column::UpdatedAt, Expr::value(now))
            .col_expr(
                subscriptions::Column::Etag,
                Expr::value(mutation::new_etag()),
            )
            .filter(subscriptions::Column::ReceiverId.eq(id.0))
            .filter(subscriptions::Column::DeletedAt.is_null())
            .exec(&txn)
            .await?;
        // The receiver is not in force, so it does not matter what the subscriptions' rows say.
        intervals::settle(&txn, &row, &subscriptions).await?;
        txn.commit().await?;
        let subscriptions: Vec<i32> = subscriptions.iter().map(|one| one.id).collect();
        self.after_deletion(id, &subscriptions).await?;
        receiver_rows::from_row(row)
    }

    pub(super) async fn delete_subscription_and_its_events(
        &self,
        id: SubscriptionId,
        etag: Option<&str>,
        by: &Author,
    ) -> Result<Subscription, StoreError> {
        let txn = mutation::begin(&self.db).await?;
        let (receiver, old) = lock_existing_subscription(&txn, id, etag).await?;
        let mut row = old.into_active_model();
        row.active = Set(false);
        row.deleted_at = Set(Some(mutation::now()));
        subscription_rows::stamp(&mut row, by);
        let row = row.update(&txn).await?;
        intervals::settle(&txn, &receiver, std::slice::from_ref(&row)).await?;
        txn.commit().await?;
        self.after_deletion(ReceiverId(row.receiver_id), &[row.id])
            .await?;
        subscription_rows::from_row(row)
    }

    /// What is to be done once a deletion is durable. A failure from here on does not undo it; the caller
    /// is not told that it failed, since it did not.
    async fn after_deletion(
        &self,
        receiver: ReceiverId,
        subscriptions: &[i32],
    ) -> Result<(), StoreError> {
        let began = Instant::now();
        let mut sweep = Sweep::of(receiver);
        let answered = async {
            self.wait_for_fan_out(subscriptions).await?;
            while !matches!(sweep.stage, Stage::Done) && began.elapsed() < BEFORE_ANSWER {
                self.step(&mut sweep).await?;
            }
            Ok::<_, StoreError>(())
        };
        let failed = answered.await.err();
        if let Some(error) = &failed {
            tracing::warn!(receiver = receiver.0, %error, "cancelling goes on later");
        }
        if failed.is_some() || !matches!(sweep.stage, Stage::Done) {
            let (store, subscriptions) = (self.clone(), subscriptions.to_vec());
            tokio::spawn(async move { store.cancel_behind(sweep, &subscriptions).await });
        }
        self.senders_know(receiver).await
    }

    /// Cancels to the end, whatever the database does meanwhile.
    async fn cancel_behind(&self, mut sweep: Sweep, subscriptions: &[i32]) {
        let mut waited = false;
        loop {
            let stepped = async {
                if !waited {
                    self.wait_for_fan_out(subscriptions).await?;
                    waited = true;
                }
                self.step(&mut sweep).await
            };
            match stepped.await {
                Ok(()) if matches!(sweep.stage, Stage::Done) => return,
                Ok(()) => {}
                Err(error) => {
                    tracing::debug!(receiver = sweep.receiver.0, %error, "cancelling pauses");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// At the start of a service: cancels what deletions left that were cut off, and drops secrets whose
    /// time is up. Nobody waits for it.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        self.drop_expired_secrets().await?;
        for receiver in self.receivers_with_deletions().await? {
            let mut sweep = Sweep::of(receiver);
            while !matches!(sweep.stage, Stage::Done) {
                self.step(&mut sweep).await?;
            }
        }
        Ok(())
    }

    /// The receivers that are owed something and that ever lost a subscription: for each one hop through
    /// an index, however many events wait.
    async fn receivers_with_deletions(&self) -> Result<Vec<ReceiverId>, StoreError> {
        let owed = |state: &str| {
            format!(
                "exists (select 1 from rowhook.undelivered e where e.receiver_id = r.id and {state})"
            )
        };
        let sql = format!(
            "select r.id from rowhook.receivers r
             where (r.deleted_at is not null
                    or r.id in (select s.receiver_id from rowhook.subscriptions s
                                where s.deleted_at is not null))
               and ({} or {}) order by r.id",
            owed("e.state = 0"),
            owed("e.state in (1, 2)")
        );
        let rows = self.db.query_all_raw(self.db.statement(&sql, [])).await?;
        let id = |row: &QueryResult| Ok(ReceiverId(row.try_get("", "id")?));
        rows.iter().map(id).collect()
    }

    /// Waits until no page of fan-out is being written that did not see the deletion: its transaction
    /// holds the rows of its subscriptions' numbers from before it looks until its end.
    async fn wait_for_fan_out(&self, subscriptions: &[i32]) -> Result<(), StoreError> {
        if self.db.dialect() == Dialect::Sqlite {
            // The deletion's own transaction was the only writer.
            return Ok(());
        }
        for batch in subscriptions.chunks(500) {
            let txn = self.db.begin().await?;
            let sql =
                "insert into rowhook.subscription_sequences as s (subscription_id, last_sequence)
                       select id, 0 from unnest($1::bigint[]) as id order by id
                       on conflict (subscription_id) do update set last_sequence = s.last_sequence";
            let ids = numbers(Dialect::Postgres, batch.iter().map(|id| i64::from(*id)));
            txn.execute_raw(txn.statement(sql, [ids])).await?;
            txn.commit().await?;
        }
        Ok(())
    }

    /// Waits until every attempt that starts goes by what stands in the database now: senders know their
    /// receiver for at most [`KNOWLEDGE_AGE`]. Where none runs there is nothing to wait for.
    pub(super) async fn senders_know(&self, receiver: ReceiverId) -> Result<(), StoreError> {
        let sql = match self.db.dialect() {
            Dialect::Postgres => {
                "select 1 from rowhook.leases where kind = 'receiver' and subject = $1
                 and expires_at > clock_timestamp()"
            }
            Dialect::Sqlite => {
                "select 1 from rowhook.leases where kind = 'receiver' and subject = $1
                 and expires_at > strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')"
            }
        };
        let asked = self.db.statement(sql, [i64::from(receiver.0).into()]);
        let running = match self.db.query_one_raw(asked).await {
            Ok(found) => found.is_some(),
            // The deletion is done; that this can not be told is no reason to say otherwise.
            Err(_) => true,
        };
        if running {
            tokio::time::sleep(KNOWLEDGE_AGE + MARGIN).await;
        }
        Ok(())
    }

    /// One batch.
    async fn step(&self, sweep: &mut Sweep) -> Result<(), StoreError> {
        match sweep.stage {
            Stage::Blocking => {
                let found = self.doomed_blocking(sweep.receiver).await?;
                if found.is_empty() {
                    sweep.stage = Stage::Ready(0);
                    return Ok(());
                }
                sweep.cancelled += found.len() as u64;
                self.cancel(sweep.receiver, &found).await?;
            }
            Stage::Ready(after) => match self.doomed_ready(sweep.receiver, after).await? {
                (_, None) if sweep.cancelled == 0 => sweep.stage = Stage::Done,
                // What waited may have become ready meanwhile, and the other way round: once more.
                (_, None) => *sweep = Sweep::of(sweep.receiver),
                (found, Some(last)) if found.is_empty() => sweep.stage = Stage::Ready(last),
                (found, Some(last)) => {
                    let count = found.len() as u64;
                    sweep.cancelled += count;
                    // Else again from here, for what was locked by the writing of its outcome just now.
                    if self.cancel(sweep.receiver, &found).await? == count {
                        sweep.stage = Stage::Ready(last);
                    }
                }
            },
            Stage::Done => {}
        }
        Ok(())
    }

    /// Waiting and parked events of the receiver's deleted subscriptions.
    async fn doomed_blocking(&self, receiver: ReceiverId) -> Result<Vec<Doomed>, StoreError> {
        let sql = "select e.id, e.row_hash, e.previous_hash from rowhook.undelivered u
                   join rowhook.events e on e.id = u.event_id
                   join rowhook.subscriptions s on s.id = e.subscription_id
                   where u.receiver_id = $1 and u.state in (1, 2) and s.deleted_at is not null
                   limit $2";
        let values = [receiver.0.into(), BATCH.into()];
        let rows = self
            .db
            .query_all_raw(self.db.statement(sql, values))
            .await?;
        let doomed = |row: &QueryResult| {
            let previous: Option<i64> = row.try_get("", "previous_hash")?;
            let own: i64 = row.try_get("", "row_hash")?;
            Ok(Doomed {
                id: row.try_get("", "id")?,
                rows: std::iter::once(own).chain(previous).collect(),
            })
        };
        rows.iter().map(doomed).collect()
    }

    /// Of the next ready events after this id those of deleted subscriptions or a deleted receiver (a test
    /// delivery, which never waits or is parked, has no subscription), and the last one looked at;
    /// `None` when there was none.
    async fn doomed_ready(
        &self,
        receiver: ReceiverId,
        after: i64,
    ) -> Result<(Vec<Doomed>, Option<i64>), StoreError> {
        let sql = "select e.id, coalesce(s.deleted_at, r.deleted_at) is not null as doomed
                   from (select event_id from rowhook.undelivered
                         where receiver_id = $1 and state = 0 and event_id > $2 order by event_id limit $3) u
                   join rowhook.events e on e.id = u.event_id
                   join rowhook.receivers r on r.id = e.receiver_id
                   left join rowhook.subscriptions s on s.id = e.subscription_id
                   order by e.id";
        let values = [receiver.0.into(), after.into(), BATCH.into()];
        let rows = self
            .db
            .query_all_raw(self.db.statement(sql, values))
            .await?;
        let mut found = Vec::new();
        let mut last = None;
        for row in &rows {
            let id = row.try_get("", "id")?;
            last = Some(id);
            if row.try_get("", "doomed")? {
                let rows = Vec::new();
                found.push(Doomed { id, rows });
            }
        }
        Ok((found, last))
    }

    /// Cancels these events as far as they are still owed and nobody writes them just now, and lets go
    /// what is parked behind them. Returns how many it cancelled.
    async fn cancel(&self, receiver: ReceiverId, events: &[Doomed]) -> Result<u64, StoreError> {
        let dialect = self.db.dialect();
        let pending = format!("{} and +state in (0, 1, 2)", one_of(dialect, "id", "$1"));
        let chosen = match dialect {
            // Waiting for an outcome that is being written could end in a deadlock with it.
            Dialect::Postgres => {
                format!(
                    "id in (select id from rowhook.events where {pending} for update skip locked)"
                )
            }
            Dialect::Sqlite => pending,
        };
        let sql = format!(
            "update rowhook.events set state = {}, due_at = null, ended_at = $2 where {chosen}",
            EventState::Cancelled.code()
        );
        let ids = numbers(dialect, events.iter().map(|event| event.id));
        let txn = self.db.begin().await?;
        let values = [ids, mutation::now().into()];
        let done = txn.execute_raw(txn.statement(&sql, values)).await?;
        txn.commit().await?;
        let counts = self.db.event_counts();
        counts.add(EventStatus::Cancelled, done.rows_affected());
        let rows: Vec<i64> = events.iter().flat_map(|event| event.rows.clone()).collect();
        if !rows.is_empty() && self.exists(receiver).await? {
            let txn: Txn = self.db.begin().await?;
            parking::unpark_behind_cancelled(&txn, receiver, &rows).await?;
            txn.commit().await?;
        }
        Ok(done.rows_affected())
    }

    async fn exists(&self, receiver: ReceiverId) -> Result<bool, StoreError> {
        let found = receivers::Entity::find_by_id(receiver.0)
            .filter(receivers::Column::DeletedAt.is_null())
            .one(&self.db)
            .await?;
        Ok(found.is_some())
    }
}
