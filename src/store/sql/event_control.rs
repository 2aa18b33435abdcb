//! Sending events again and calling them off, on both databases.
//!
//! The management API hands orders in. The senders see the result as they see everything: by reading the
//! queue; an outcome that belongs to an attempt from before is told by the round of redelivery and by the
//! state that it finds (`outcomes`). Nothing here sends or wakes.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use async_trait::async_trait;
use entity::{events, receivers, subscriptions};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use super::{
    db::{Db, Txn},
    event_lists::{self, Walk},
    mutation,
    parking::unpark_behind_cancelled,
    receiver_health,
    records::{numbers, one_of},
};
use crate::{
    domain::{
        event::{EventState, EventStatus},
        ids::{EventId, ReceiverId},
    },
    store::{StoreError, event_control::EventControl, event_log::EventFilter},
};

/// Events changed in one transaction. On SQLite the application's own writes wait for it.
const BATCH: u64 = 1000;
/// Rows whose parked events are set free in one statement.
const ROWS_AT_ONCE: usize = 500;
/// Rows remembered until then; more are set free on the way.
const ROWS_REMEMBERED: usize = 20_000;
/// A batch that another transaction stood in the way of is tried so often, after this pause.
const TRIES: (u32, Duration) = (5, Duration::from_millis(100));

/// What an operator does with events.
#[derive(Clone)]
pub struct SqlEventControl {
    db: Db,
}

/// What a batch needs to know of an event: its id, receiver, subscription, rows, and sequence number.
type Found = (i64, i32, i32, i64, Option<i64>, Option<i64>);

/// What became of a batch.
struct Batch {
    /// The last event looked at; `None` when there is none left.
    last: Option<i64>,
    /// Events changed.
    count: u64,
    /// The rows of the events, by receiver.
    rows: Vec<(ReceiverId, i64)>,
}

#[derive(Clone, Copy)]
enum Order {
    Redeliver,
    Cancel,
}

impl SqlEventControl {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// The highest id there is: what comes later is not part of an order.
    async fn highest(&self) -> Result<i64, StoreError> {
        let highest = events::Entity::find()
            .select_only()
            .column(events::Column::Id)
            .order_by_desc(events::Column::Id)
            .into_tuple::<i64>()
            .one(&self.db)
            .await?;
        Ok(highest.unwrap_or_default())
    }

    /// Carries an order out, batch by batch from the oldest event to the newest.
    async fn carry_out(
        &self,
        order: Order,
        filter: &EventFilter,
        states: &[EventState],
    ) -> Result<u64, StoreError> {
        let highest = self.highest().await?;
        let (mut after, mut count) = (0, 0);
        let mut rows: HashMap<ReceiverId, HashSet<i64>> = HashMap::new();
        let mut remembered = 0;
        loop {
            let batch = self
                .batch_in_time(order, filter, states, after, highest)
                .await?;
            count += batch.count;
            for (receiver, row) in batch.rows {
                remembered += usize::from(rows.entry(receiver).or_default().insert(row));
            }
            if remembered > ROWS_REMEMBERED {
                self.set_free(std::mem::take(&mut rows)).await?;
                remembered = 0;
            }
            match batch.last {
                Some(last) => after = last,
                None => break,
            }
        }
        self.set_free(rows).await?;
        Ok(count)
    }

    /// A batch and an outcome's batch may each hold what the other wants next; the database then ends
    /// one of them, and the same again succeeds.
    async fn batch_in_time(
        &self,
        order: Order,
        filter: &EventFilter,
        states: &[EventState],
        after: i64,
        highest: i64,
    ) -> Result<Batch, StoreError> {
        let mut tries = 1;
        loop {
            match self.batch(order, filter, states, after, highest).await {
                Err(StoreError::Unavailable(_)) if tries < TRIES.0 => tries += 1,
                done => return done,
            }
            tokio::time::sleep(TRIES.1).await;
        }
    }

    async fn batch(
        &self,
        order: Order,
        filter: &EventFilter,
        states: &[EventState],
        after: i64,
        highest: i64,
    ) -> Result<Batch, StoreError> {
        // Not in the transaction: on SQLite nobody else could write while it looks. What has changed by the
        // time it is changed is left as it is.
        let walk = Walk {
            states,
            above: Some(after),
            below: highest.checked_add(1),
            newest_first: false,
            ..Walk::newest(filter, BATCH)
        };
        let ids = event_lists::ids(&self.db, &walk).await?;
        let found: Vec<Found> = events::Entity::find()
            .select_only()
            .column(events::Column::Id)
            .column(events::Column::ReceiverId)
            .column(events::Column::SubscriptionId)
            .column(events::Column::RowHash)
            .column(events::Column::PreviousHash)
            .column(events::Column::Sequence)
            .filter(events::Column::Id.is_in(ids))
            .order_by_asc(events::Column::Id)
            .into_tuple()
            .all(&self.db)
            .await?;
        let more = found.len() as u64 == BATCH;
        let last = found.last().map(|event| event.0).filter(|_| more);
        let found = match order {
            // Whoever sends a day's events again does not mean the tests among them.
            Order::Redeliver => found.into_iter().filter(|one| one.5.is_some()).collect(),
            Order::Cancel => found,
        };
        let txn = mutation::begin(&self.db).await?;
        let (count, rows) = match order {
            Order::Redeliver => (
                self.redeliver_found(&txn, &found, states).await?,
                Vec::new(),
            ),
            Order::Cancel => (cancel_found(&txn, &found).await?, rows_of(&found)),
        };
        txn.commit().await?;
        let status = match order {
            Order::Redeliver => EventStatus::Pending,
            Order::Cancel => EventStatus::Cancelled,
        };
        self.db.event_counts().add(status, count);
        Ok(Batch { last, count, rows })
    }

    async fn redeliver_found(
        &self,
        txn: &Txn,
        found: &[Found],
        states: &[EventState],
    ) -> Result<u64, StoreError> {
        let (receivers, subscriptions) = lock_living(txn, found).await?;
        // A test delivery belongs to no subscription.
        let living = found.iter().filter(|event| {
            receivers.contains(&event.1) && (event.5.is_none() || subscriptions.contains(&event.2))
        });
        let ids: Vec<i64> = living.map(|event| event.0).collect();
        let count = owe_again(txn, &ids, states).await?;
        if count > 0 {
            receiver_health::probe_now(txn, receivers).await?;
        }
        Ok(count)
    }

    /// What was parked behind events that are cancelled may go.
    async fn set_free(&self, rows: HashMap<ReceiverId, HashSet<i64>>) -> Result<(), StoreError> {
        for (receiver, rows) in rows {
            let rows: Vec<i64> = rows.into_iter().collect();
            for some in rows.chunks(ROWS_AT_ONCE) {
                let txn = self.db.begin().await?;
                unpark_behind_cancelled(&txn, receiver, some).await?;
                txn.commit().await?;
            }
        }
        Ok(())
    }
}

/// Of the receivers and subscriptions of these events, those that are not deleted, locked so that they
/// stay so until the transaction ends: a deletion that comes later finds the events owed and cancels
/// them. A mutation of a subscription locks its receiver first, so that lock is enough.
async fn lock_living(
    txn: &Txn,
    found: &[Found],
) -> Result<(HashSet<i32>, HashSet<i32>), StoreError> {
    let mut receivers: Vec<i32> = found.iter().map(|event| event.1).collect();
    receivers.sort_unstable();
    receivers.dedup();
    let mut subscriptions: Vec<i32> = found.iter().map(|event| event.2).collect();
    subscriptions.sort_unstable();
    subscriptions.dedup();
    let receivers = receivers::Entity::find()
        .select_only()
        .column(receivers::Column::Id)
        .filter(receivers::Column::Id.is_in(receivers))
        .filter(receivers::Column::DeletedAt.is_null())
        .order_by_asc(receivers::Column::Id)
        .lock_shared()
        .into_tuple::<i32>()
        .all(txn)
        .await?;
    let subscriptions = subscriptions::Entity::find()
        .select_only()
        .column(subscriptions::Column::Id)
        .filter(subscriptions::Column::Id.is_in(subscriptions))
        .filter(subscriptions::Column::DeletedAt.is_null())
        .into_tuple::<i32>()
        .all(txn)
        .await?;
    Ok((
        receivers.into_iter().collect(),
        subscriptions.into_iter().collect(),
    ))
}

/// A new round for events in these states. The latest attempt stays in its place until the next one
/// moves it to the log, and a parked event stays behind what it waits for.
async fn owe_again(txn: &Txn, ids: &[i64], states: &[EventState]) -> Result<u64, StoreError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let dialect = txn.dialect();
    let sql = format!(
        "update rowhook.events set redelivery = redelivery + 1, budget_used = 0,
                state = case when state in (3, 4, 5) then 0 else state end,
                due_at = case when state = 1 then $2 end, ended_at = null
         where {} and {}",
        one_of(dialect, "id", "$1"),
        one_of(dialect, "state", "$3"),
    );
    let states = states.iter().map(|state| state.code().into());
    let values = [
        numbers(dialect, ids.iter().copied()),
        mutation::now().into(),
        numbers(dialect, states),
    ];
    let done = txn.execute_raw(txn.statement(&sql, values)).await?;
    Ok(done.rows_affected())
}

async fn cancel_found(txn: &Txn, found: &[Found]) -> Result<u64, StoreError> {
    let owed = [EventState::Ready, EventState::Waiting, EventState::Parked].map(EventState::code);
    let done = events::Entity::update_many()
        .col_expr(
            events::Column::State,
            Expr::value(EventState::Cancelled.code()),
        )
        .col_expr(
            events::Column::DueAt,
            Expr::value(None::<chrono::DateTime<chrono::Utc>>),
        )
        .col_expr(events::Column::EndedAt, Expr::value(mutation::now()))
        .filter(events::Column::Id.is_in(found.iter().map(|event| event.0)))
        .filter(events::Column::State.is_in(owed))
        .exec(txn)
        .await?;
    Ok(done.rows_affected)
}

fn rows_of(found: &[Found]) -> Vec<(ReceiverId, i64)> {
    let rows = |event: &Found| [Some(event.3), event.4];
    found
        .iter()
        .flat_map(|event| {
            let receiver = ReceiverId(event.1);
            rows(event)
                .into_iter()
                .flatten()
                .map(move |row| (receiver, row))
        })
        .collect()
}

#[async_trait]
impl EventControl for SqlEventControl {
    async fn redeliver(&self, id: EventId) -> Result<(), StoreError> {
        let txn = mutation::begin(&self.db).await?;
        let found: Option<Found> = events::Entity::find_by_id(id.0)
            .select_only()
            .column(events::Column::Id)
            .column(events::Column::ReceiverId)
            .column(events::Column::SubscriptionId)
            .column(events::Column::RowHash)
            .column(events::Column::PreviousHash)
            .column(events::Column::Sequence)
            .into_tuple()
            .one(&txn)
            .await?;
        let Some(event) = found else {
            return Err(StoreError::NotFound {
                what: "webhook event",
                id: id.0,
            });
        };
        let done = self
            .redeliver_found(&txn, &[event], &EventState::ALL)
            .await?;
        if done == 0 {
            return Err(StoreError::Conflict);
        }
        txn.commit().await?;
        self.db.event_counts().add(EventStatus::Pending, done);
        Ok(())
    }

    async fn redeliver_all(&self, filter: &EventFilter) -> Result<u64, StoreError> {
        let wanted = |state: &EventState| match filter.status {
            Some(status) => state.status() == status,
            None => state.status() != EventStatus::Pending,
        };
        let states: Vec<EventState> = EventState::ALL.into_iter().filter(wanted).collect();
        self.carry_out(Order::Redeliver, filter, &states).await
    }

    async fn cancel_all(&self, filter: &EventFilter) -> Result<u64, StoreError> {
        let owed = |state: &EventState| state.status() == EventStatus::Pending;
        let states: Vec<EventState> = EventState::ALL.into_iter().filter(owed).collect();
        self.carry_out(Order::Cancel, filter, &states).await
    }
}
