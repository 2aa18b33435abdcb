//! The queues of owed events, in a table that holds what is not delivered and no more.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult, Value};

use crate::{
    domain::{
        action::Action,
        event::{DueEvent, QueuedEvent, RowHashes},
        ids::{EventId, ReceiverId, ResourceId, SubscriptionId, TransactionId},
    },
    store::{
        StoreError,
        event_queue::{EventQueue, Loaded, ReceiverWork, Unpark},
    },
};

use super::{
    db::{Db, Dialect},
    parking,
    records::{numbers, one_of, read_user_text, user_text},
    test_payload,
};

/// An event that may be sent. A parked one is asked for when its sender has it in view: a sender that came before, and
/// lost its lease, parked it. Taken for settled it would be overtaken. (The sign before `state` keeps the planner from the
/// indexes of all that is owed.) What a deleted subscription was owed is cancelled little by little, and not
/// sent from the deletion on.
const OWED: &str = "+e.state in (0, 1, 2) and s.deleted_at is null";

/// The table `events`, as senders see it.
pub struct SqlEventQueue {
    db: Db,
}

impl SqlEventQueue {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn queued(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        let rows = self
            .db
            .query_all_raw(self.db.statement(sql, values))
            .await?;
        rows.iter().map(queued_event).collect()
    }
}

/// The bodies of events that are owed, in id order, up to so many bytes. What lies beyond is told by id alone: sizes are
/// known without reading. (PostgreSQL carries what is large as a pointer; SQLite would carry the text, and gets it by a second
/// look.)
pub fn load_sql(dialect: Dialect) -> String {
    const COLUMNS: [&str; 14] = [
        "id",
        "subscription_id",
        "sequence",
        "resource_id",
        "action",
        "transaction_id",
        "occurred_at",
        "row_id",
        "row_hash",
        "previous_hash",
        "attempt_count",
        "budget_used",
        "redelivery",
        "payload",
    ];
    let columns = |of: &str| COLUMNS.map(|column| format!("{of}.{column}")).join(", ");
    let (bodies, carried, again) = match dialect {
        Dialect::Postgres => ("o", ", b.row_data, b.old_values", ""),
        Dialect::Sqlite => (
            "l",
            "",
            "left join rowhook.logged_actions l on l.id = o.change_id",
        ),
    };
    let body = |column: &str| user_text(dialect, &format!("{bodies}.{column}"));
    format!(
        "select {outer}, o.has_room,
                case when o.has_room then {row_data} end as row_data,
                case when o.has_room then {old_values} end as old_values
         from (select {inner}, e.change_id{carried},
                      coalesce(sum(coalesce(octet_length(b.row_data), 0) + coalesce(octet_length(b.old_values), 0))
                        over (order by e.id rows between unbounded preceding and 1 preceding), 0) <= $2 as has_room
               from rowhook.events e
               left join rowhook.logged_actions b on b.id = e.change_id
               left join rowhook.subscriptions s on s.id = e.subscription_id
               where {} and {OWED}) o
         {again}
         order by o.id",
        one_of(dialect, "e.id", "$1"),
        outer = columns("o"),
        inner = columns("e"),
        row_data = body("row_data"),
        old_values = body("old_values"),
    )
}

/// The first that stands in the way of each row, for either column by which an event belongs to a row: a step through
/// that column's index for each row. (A range of one value, so that no other index has the order that is asked for.)
pub fn blocking_sql(dialect: Dialect) -> String {
    let not_in_view = format!("not ({})", one_of(dialect, "p.event_id", "$3"));
    let first = |what: &str, column: &str| {
        format!(
            "select {what} from rowhook.undelivered p
             where p.receiver_id = $1 and p.state in (1, 2) and p.{column} >= r.value and p.{column} <= r.value
               and {not_in_view}
             order by p.{column}, p.event_id limit 1"
        )
    };
    let found = |column: &str| {
        match dialect {
        Dialect::Postgres => format!(
            "select f.event_id as id, f.row_hash, f.previous_hash
             from unnest($2::bigint[]) as r(value) cross join lateral ({}) f",
            first("p.event_id, p.row_hash, p.previous_hash", column)
        ),
        // It has no lateral joins.
        Dialect::Sqlite => format!(
            "select e.event_id as id, e.row_hash as row_hash, e.previous_hash as previous_hash
             from (select ({}) as id from json_each($2) as r) as f join rowhook.undelivered e on e.event_id = f.id",
            first("p.event_id", column)
        ),
    }
    };
    format!(
        "select * from ({} union {}) as found order by id",
        found("row_hash"),
        found("previous_hash")
    )
}

/// A receiver's ready events after an id. (On PostgreSQL so that the index by receiver alone has the order that is asked for:
/// along the primary key everybody's would be read where the planner knows no better.)
pub fn ready_sql(dialect: Dialect) -> String {
    let (after, order) = match dialect {
        Dialect::Postgres => (
            "(receiver_id, event_id) > ($1, $2) and receiver_id <= $1",
            "receiver_id, event_id",
        ),
        Dialect::Sqlite => ("receiver_id = $1 and event_id > $2", "event_id"),
    };
    format!(
        "select event_id as id, row_hash, previous_hash from rowhook.undelivered
         where state = 0 and {after} order by {order} limit $3"
    )
}

fn queued_event(row: &QueryResult) -> Result<QueuedEvent, StoreError> {
    Ok(QueuedEvent {
        id: EventId(row.try_get("", "id")?),
        rows: RowHashes {
            row: row.try_get("", "row_hash")?,
            previous: row.try_get("", "previous_hash")?,
        },
    })
}

/// The receivers that have ready events, then those that have waiting or parked ones; those that are probed, when they
/// are next. Each list hops
/// from one receiver to the next through the index, so it costs as many steps as there are receivers
/// with work, however many events wait.
pub fn receivers_with_work_sql() -> String {
    let hop = |name: &str, state: &str| {
        format!(
            "{name}(receiver_id) as (
               select min(e.receiver_id) from rowhook.undelivered e where {state}
               union all
               select (select min(e.receiver_id) from rowhook.undelivered e
                       where {state} and e.receiver_id > {name}.receiver_id)
               from {name} where {name}.receiver_id is not null)"
        )
    };
    format!(
        "with recursive {ready}, {blocking}
         select r.id as receiver_id, h.probe_at as due_at, h.probe_at is not null as probed
         from ready q join rowhook.receivers r on r.id = q.receiver_id
         left join rowhook.receiver_health h on h.receiver_id = r.id
         where r.active and r.deleted_at is null
         union all
         select r.id, coalesce(h.probe_at, (select min(e.due_at) from rowhook.undelivered e
                                            where e.receiver_id = r.id and e.state = 1)),
                h.probe_at is not null
         from blocking q join rowhook.receivers r on r.id = q.receiver_id
         left join rowhook.receiver_health h on h.receiver_id = r.id
         where r.active and r.deleted_at is null",
        ready = hop("ready", "e.state = 0"),
        blocking = hop("blocking", "e.state in (1, 2)"),
    )
}

fn due_event(dialect: Dialect, row: &QueryResult) -> Result<DueEvent, StoreError> {
    let id: i64 = row.try_get("", "id")?;
    let action: i16 = row.try_get("", "action")?;
    let payload: Option<String> = row.try_get("", "payload")?;
    let (row_data, old_values) = match payload {
        Some(payload) => {
            let row = test_payload::read(&payload)?;
            (row.row_data, row.old_values)
        }
        None => (
            read_user_text(dialect, row, "row_data")?.unwrap_or_default(),
            read_user_text(dialect, row, "old_values")?,
        ),
    };
    Ok(DueEvent {
        id: EventId(id),
        subscription_id: SubscriptionId(row.try_get("", "subscription_id")?),
        sequence: row.try_get("", "sequence")?,
        resource_id: ResourceId(row.try_get("", "resource_id")?),
        action: Action::from_code(action)
            .ok_or_else(|| StoreError::Corrupt(format!("events {id}: action {action}")))?,
        transaction_id: TransactionId(row.try_get("", "transaction_id")?),
        occurred_at: row.try_get("", "occurred_at")?,
        row_id: row.try_get::<String>("", "row_id")?.into(),
        rows: queued_event(row)?.rows,
        attempt_count: row.try_get("", "attempt_count")?,
        budget_used: row.try_get("", "budget_used")?,
        redelivery: row.try_get("", "redelivery")?,
        row_data: row_data.into(),
        old_values: old_values.map(Into::into),
    })
}

#[async_trait]
impl EventQueue for SqlEventQueue {
    async fn receivers_with_work(&self) -> Result<Vec<ReceiverWork>, StoreError> {
        let rows = self
            .db
            .query_all_raw(self.db.statement(&receivers_with_work_sql(), []))
            .await?;
        let mut work = Vec::with_capacity(rows.len());
        for row in &rows {
            work.push(ReceiverWork {
                receiver_id: ReceiverId(row.try_get("", "receiver_id")?),
                due_at: row.try_get("", "due_at")?,
                probed: row.try_get("", "probed")?,
            });
        }
        Ok(work)
    }

    async fn ready(
        &self,
        receiver: ReceiverId,
        after: EventId,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        let sql = ready_sql(self.db.dialect());
        let values = [receiver.0.into(), after.0.into(), i64::from(limit).into()];
        self.queued(&sql, values).await
    }

    async fn due(
        &self,
        receiver: ReceiverId,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.queued(
            "select event_id as id, row_hash, previous_hash from rowhook.undelivered
             where receiver_id = $1 and state = 1 and due_at <= $2 order by due_at limit $3",
            [receiver.0.into(), now.into(), i64::from(limit).into()],
        )
        .await
    }

    async fn tests(
        &self,
        receiver: ReceiverId,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.queued(
            "select event_id as id, row_hash, previous_hash from rowhook.undelivered
             where receiver_id = $1 and state = 0 and is_test = 1 order by event_id limit $2",
            [receiver.0.into(), i64::from(limit).into()],
        )
        .await
    }

    async fn next_due(&self, receiver: ReceiverId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let row = self
            .db
            .query_one_raw(self.db.statement(
                "select due_at from rowhook.undelivered
                 where receiver_id = $1 and state = 1 order by due_at limit 1",
                [receiver.0.into()],
            ))
            .await?;
        Ok(row.map(|row| row.try_get("", "due_at")).transpose()?)
    }

    async fn blocking(
        &self,
        receiver: ReceiverId,
        rows: &[i64],
        in_view: &[EventId],
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        let dialect = self.db.dialect();
        let rows = numbers(dialect, rows.iter().copied());
        let in_view = numbers(dialect, in_view.iter().map(|id| id.0));
        self.queued(&blocking_sql(dialect), [receiver.0.into(), rows, in_view])
            .await
    }

    async fn park(&self, receiver: ReceiverId, events: &[EventId]) -> Result<(), StoreError> {
        parking::park(&self.db, receiver, events).await
    }

    async fn unpark(
        &self,
        receiver: ReceiverId,
        which: Unpark,
        limit: u32,
    ) -> Result<u64, StoreError> {
        parking::unpark(&self.db, receiver, which, limit).await
    }

    async fn unpark_rows(&self, receiver: ReceiverId, rows: &[i64]) -> Result<bool, StoreError> {
        parking::unpark_rows(&self.db, receiver, rows).await
    }

    async fn unparked_by_others(&self, receiver: ReceiverId) -> Result<i64, StoreError> {
        parking::unparked_by_others(&self.db, receiver).await
    }

    async fn in_trouble(&self, receiver: ReceiverId) -> Result<bool, StoreError> {
        let row = self
            .db
            .query_one_raw(self.db.statement(
                "select 1 as one from rowhook.undelivered
                 where receiver_id = $1 and state in (1, 2) limit 1",
                [receiver.0.into()],
            ))
            .await?;
        Ok(row.is_some())
    }

    async fn load(&self, events: &[EventId], most_bytes: u64) -> Result<Loaded, StoreError> {
        let dialect = self.db.dialect();
        let ids = numbers(dialect, events.iter().map(|id| id.0));
        let most = i64::try_from(most_bytes).unwrap_or(i64::MAX);
        let statement = self.db.statement(&load_sql(dialect), [ids, most.into()]);
        let mut loaded = Loaded::default();
        for row in self.db.query_all_raw(statement).await? {
            if row.try_get("", "has_room")? {
                loaded.events.push(due_event(dialect, &row)?);
            } else {
                loaded.later.push(EventId(row.try_get("", "id")?));
            }
        }
        Ok(loaded)
    }

    async fn still_owed(&self, events: &[EventId]) -> Result<HashMap<EventId, i32>, StoreError> {
        let dialect = self.db.dialect();
        let rows = self
            .db
            .query_all_raw(self.db.statement(
                &format!(
                    "select e.id, e.redelivery from rowhook.events e
                     left join rowhook.subscriptions s on s.id = e.subscription_id
                     where {} and {OWED}",
                    one_of(dialect, "e.id", "$1"),
                ),
                [numbers(dialect, events.iter().map(|id| id.0))],
            ))
            .await?;
        let owed = |row: &QueryResult| {
            let id = EventId(row.try_get("", "id")?);
            Ok((id, row.try_get("", "redelivery")?))
        };
        rows.iter().map(owed).collect()
    }
}
