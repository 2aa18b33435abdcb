//! Writing events and the cursor in one transaction.

use std::collections::HashMap;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::{
    domain::{
        action::Action,
        event::{EventState, Made, NewEvent},
        ids::{EventId, ReceiverId, SubscriptionId},
        interval::ActivityInterval,
        resource::ResourceName,
    },
    store::{
        StoreError,
        change_log::{Cursor, FanOutStore},
    },
};

use super::{
    db::{Db, Dialect, Txn},
    page_connection::PageConnection,
    records::{Batch, Columns, Kind, unfold},
};

/// Events and the intervals they are matched by.
pub struct SqlFanOut {
    connection: PageConnection,
}

impl SqlFanOut {
    /// Writes on the connection on which the page was read.
    pub fn new(connection: PageConnection) -> Self {
        Self { connection }
    }
}

#[derive(FromQueryResult)]
struct IntervalRow {
    id: i64,
    subscription_id: i32,
    receiver_id: i32,
    resource: String,
    action: String,
    changed_fields: Option<String>,
    filter: Option<String>,
    opened_at: String,
    closed_at: Option<String>,
}

impl IntervalRow {
    fn read(self) -> Result<ActivityInterval, StoreError> {
        let id = self.id;
        let corrupt = |what: &dyn std::fmt::Display| {
            StoreError::Corrupt(format!("activity_intervals {id}: {what}"))
        };
        Ok(ActivityInterval {
            subscription_id: SubscriptionId(self.subscription_id),
            receiver_id: ReceiverId(self.receiver_id),
            resource: self.resource.parse().map_err(|e| corrupt(&e))?,
            action: self.action.parse().map_err(|e| corrupt(&e))?,
            changed_fields: self
                .changed_fields
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|e| corrupt(&e))?,
            filter: self.filter,
            from: self.opened_at.parse().map_err(|e| corrupt(&e))?,
            to: self
                .closed_at
                .map(|text| text.parse())
                .transpose()
                .map_err(|e| corrupt(&e))?,
        })
    }
}

/// The history of what is about these resources and actions, by subscription.
pub(super) async fn intervals(
    db: &Db,
    of: &[(ResourceName, Action)],
) -> Result<Vec<ActivityInterval>, StoreError> {
    let columns = [("resource", Kind::Text), ("action", Kind::Text)];
    let mut pairs = Batch::new(db.dialect(), &columns);
    for (resource, action) in of {
        pairs.push([resource.as_str().into(), action.as_str().into()]);
    }
    let rows = db
        .query_all_raw(db.statement(
            &format!(
                "with {} select i.id, i.subscription_id, i.receiver_id, i.resource, i.action,
                        i.changed_fields, i.filter, i.opened_at, i.closed_at
                 from b join rowhook.activity_intervals i
                   on i.resource = b.resource and i.action = b.action
                 order by i.subscription_id, i.id",
                unfold(db.dialect(), 0, &columns)
            ),
            pairs.into_values(),
        ))
        .await?;
    rows.iter()
        .map(|row| IntervalRow::from_query_result(row, "")?.read())
        .collect()
}

#[async_trait]
impl FanOutStore for SqlFanOut {
    async fn intervals(
        &self,
        of: &[(ResourceName, Action)],
    ) -> Result<Vec<ActivityInterval>, StoreError> {
        intervals(self.connection.pool(), of).await
    }

    async fn commit_page(
        &self,
        from: &Cursor,
        to: &Cursor,
        events: &[NewEvent],
    ) -> Result<Vec<Made>, StoreError> {
        let db = self.connection.get()?;
        let txn = db.begin().await?;
        PageConnection::check(&db)?;
        // An event that was sent exists, with its id, after any crash.
        txn.make_durable().await?;
        swap_cursor(&txn, from, to).await?;
        let mut made = Vec::new();
        if !events.is_empty() {
            let first_numbers = take_numbers(&txn, events).await?;
            made = insert(&txn, events, first_numbers, 0).await?;
        }
        txn.commit().await?;
        Ok(made)
    }
}

/// The first statement of the transaction: it locks the cursor, so that event ids are given in the
/// order in which pages are committed.
async fn swap_cursor(txn: &Txn, from: &Cursor, to: &Cursor) -> Result<(), StoreError> {
    let (number, mut values) = match txn.dialect() {
        Dialect::Postgres => ("", Vec::new()),
        Dialect::Sqlite => (", transaction_id = $8", vec![to.transaction_id.0.into()]),
    };
    let window = to.window.as_ref();
    let mut all = vec![
        from.epoch.into(),
        to.epoch.into(),
        to.watermark.to_string().into(),
        window.map(|window| window.to.to_string()).into(),
        window.map(|window| window.after.0).into(),
        window.map(|window| window.last.0).into(),
        chrono::Utc::now().into(),
    ];
    all.append(&mut values);
    let swapped = txn
        .execute_raw(txn.statement(
            &format!(
                "update rowhook.capture_cursor set epoch = $2, watermark = $3, window_to = $4,
                        window_after = $5, window_last = $6, updated_at = $7{number}
                 where id = 1 and epoch = $1"
            ),
            all,
        ))
        .await?;
    if swapped.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Fenced)
    }
}

/// Takes as many sequence numbers of each subscription as it gets events; returns the first of each.
pub(super) async fn take_numbers(
    txn: &Txn,
    events: &[NewEvent],
) -> Result<HashMap<SubscriptionId, i64>, StoreError> {
    let mut counts: HashMap<SubscriptionId, i64> = HashMap::new();
    for event in events {
        *counts.entry(event.subscription_id).or_default() += 1;
    }
    let columns = [("subscription_id", Kind::Integer), ("n", Kind::Integer)];
    let mut batch = Batch::new(txn.dialect(), &columns);
    for (subscription, count) in &counts {
        batch.push([subscription.0.into(), (*count).into()]);
    }
    let taken = txn
        .query_all_raw(txn.statement(
            &format!(
                "with {} insert into rowhook.subscription_sequences as s (subscription_id, last_sequence)
                 select subscription_id, n from b where true order by subscription_id
                 on conflict (subscription_id)
                    do update set last_sequence = s.last_sequence + excluded.last_sequence
                 returning subscription_id, last_sequence",
                unfold(txn.dialect(), 0, &columns)
            ),
            batch.into_values(),
        ))
        .await?;
    let mut first = HashMap::new();
    for row in &taken {
        let subscription = SubscriptionId(row.try_get("", "subscription_id")?);
        let last: i64 = row.try_get("", "last_sequence")?;
        let count = counts.get(&subscription).copied().unwrap_or_default();
        first.insert(subscription, last - count + 1);
    }
    Ok(first)
}

const EVENT_COLUMNS: Columns<12> = [
    ("subscription_id", Kind::Integer),
    ("receiver_id", Kind::Integer),
    ("sequence", Kind::Integer),
    ("change_id", Kind::Integer),
    ("resource_id", Kind::Integer),
    ("action", Kind::Integer),
    ("transaction_id", Kind::Integer),
    ("occurred_at", Kind::Time),
    ("created_at", Kind::Time),
    ("row_id", Kind::Text),
    ("row_hash", Kind::Integer),
    ("previous_hash", Kind::Integer),
];

/// Writes events with the numbers that were taken for them; `replay_id` is 0 for live ones. Returns what each was given,
/// in their order.
///
/// What a subscription was owed when it was deleted is logged, and cancelled from the start. The numbers
/// are taken by now: a deletion that this statement does not see waits for them before it cancels
/// (`deletion`).
pub(super) async fn insert(
    txn: &Txn,
    events: &[NewEvent],
    mut next: HashMap<SubscriptionId, i64>,
    replay_id: i64,
) -> Result<Vec<Made>, StoreError> {
    let now = chrono::Utc::now();
    let mut records = Batch::new(txn.dialect(), &EVENT_COLUMNS);
    let mut order = Vec::with_capacity(events.len());
    for event in events {
        let sequence = next.get_mut(&event.subscription_id).ok_or_else(|| {
            StoreError::Corrupt(format!(
                "no number for subscription {}",
                event.subscription_id
            ))
        })?;
        records.push([
            event.subscription_id.0.into(),
            event.receiver_id.0.into(),
            (*sequence).into(),
            event.change_id.0.into(),
            event.resource_id.0.into(),
            event.action.code().into(),
            event.transaction_id.0.into(),
            event.occurred_at.into(),
            now.into(),
            (&*event.row_id).into(),
            event.rows.row.into(),
            event.rows.previous.into(),
        ]);
        order.push((event.subscription_id, *sequence));
        *sequence += 1;
    }
    let names: Vec<&str> = EVENT_COLUMNS.iter().map(|(name, _)| *name).collect();
    let columns = names.iter().map(|name| format!("b.{name}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let names = names.join(", ");
    let (ready, cancelled) = (EventState::Ready.code(), EventState::Cancelled.code());
    let rows = txn.query_all_raw(txn.statement(
        &format!(
            "with {} insert into rowhook.events ({names}, replay_id, state, ended_at)
             select {columns}, {replay_id}, case when s.deleted_at is null then {ready} else {cancelled} end,
                    case when s.deleted_at is not null then $1 end
             from b left join rowhook.subscriptions s on s.id = b.subscription_id
             order by b.position
             returning id, subscription_id, sequence, state",
            unfold(txn.dialect(), 1, &EVENT_COLUMNS)
        ),
        std::iter::once(now.into()).chain(records.into_values()),
    ))
    .await?;
    // No database promises in which order it returns them.
    let mut made = HashMap::with_capacity(rows.len());
    for row in &rows {
        let subscription = SubscriptionId(row.try_get("", "subscription_id")?);
        let (sequence, state): (i64, i16) =
            (row.try_get("", "sequence")?, row.try_get("", "state")?);
        let one = Made {
            id: EventId(row.try_get("", "id")?),
            sequence,
            ready: state == ready,
        };
        made.insert((subscription, sequence), one);
    }
    order
        .iter()
        .map(|place| made.remove(place))
        .collect::<Option<_>>()
        .ok_or_else(|| StoreError::corrupt("an event was written with another number"))
}
