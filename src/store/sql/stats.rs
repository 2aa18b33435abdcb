//! Figures on deliveries, read from the queues' indexes and from `delivery_counts`, on both databases.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::{
    db::{Db, Dialect},
    records::{numbers, one_of},
};
use crate::{
    domain::{
        event::{EventState, EventStatus},
        ids::ReceiverId,
        stats::{DeliveryStats, MOST_PENDING, MOST_PENDING_OF_ONE, QueueStats, StatsStep},
    },
    policy::{
        history::{COUNTED, MINUTES, Steps, TENS},
        tally::{Kind, Tally, first_rate_slot, slots},
    },
    store::{StoreError, stats::StatsStore},
};

/// Figures on deliveries.
#[derive(Clone)]
pub struct SqlStats {
    db: Db,
}

impl SqlStats {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn tallies(
        &self,
        of: Option<&[ReceiverId]>,
    ) -> Result<HashMap<ReceiverId, DeliveryStats>, StoreError> {
        let dialect = self.db.dialect();
        let now = Utc::now();
        let mut values = vec![
            numbers(dialect, slots(now)),
            Value::from(first_rate_slot(now)),
        ];
        if let Some(receivers) = of {
            values.push(ids(dialect, receivers));
        }
        let sql = deliveries_sql(dialect, of.is_some());
        let rows = self
            .db
            .query_all_raw(self.db.statement(&sql, values))
            .await?;
        let mut tallies: HashMap<ReceiverId, Tally> = HashMap::new();
        for row in &rows {
            let kind = kind(row)?;
            let receiver = ReceiverId(row.try_get("", "receiver_id")?);
            let tally = tallies.entry(receiver).or_default();
            tally.add(kind, count(row, "recent")?, count(row, "whole")?);
        }
        Ok(tallies
            .into_iter()
            .map(|(receiver, tally)| (receiver, tally.stats(now)))
            .collect())
    }
}

/// What waits for each receiver bound as `$1`, or for all of them together: at most so many steps through
/// the indexes as are counted.
pub fn queues_sql(dialect: Dialect, by_receiver: bool) -> String {
    let of = match (by_receiver, dialect) {
        (false, _) => "(select 0 as id)",
        (true, Dialect::Postgres) => "(select unnest($1::bigint[]) as id)",
        (true, Dialect::Sqlite) => "(select value as id from json_each($1))",
    };
    // On PostgreSQL a range of one value, so that no index but the receivers' has the order that is asked for.
    let (receiver, order) = match (by_receiver, dialect) {
        (false, _) => ("", "e.event_id"),
        (true, Dialect::Postgres) => (
            "e.receiver_id >= r.id and e.receiver_id <= r.id and ",
            "e.receiver_id, e.event_id",
        ),
        (true, Dialect::Sqlite) => ("e.receiver_id = r.id and ", "e.event_id"),
    };
    let walks = |which: &str| {
        EventState::ALL
            .into_iter()
            .filter(|state| state.status() == EventStatus::Pending)
            .map(|state| {
                let state = state.code();
                format!(
                    "select id from (select e.event_id as id from rowhook.undelivered as e
                                     where {receiver}e.state = {state} {which}) as w{state}"
                )
            })
            .collect::<Vec<_>>()
    };
    // In no order: to sort them would be to read them all.
    let counted: Vec<String> = walks(&format!("limit {}", most(by_receiver)))
        .iter()
        .map(|walk| format!("(select count(*) from ({walk}) as n)"))
        .collect();
    format!(
        "select q.id, q.pending, e.created_at
         from (select r.id, {} as pending,
                      (select min(f.id) from ({}) as f) as first
               from {of} as r) as q
         left join rowhook.events as e on e.id = q.first",
        counted.join(" + "),
        walks(&format!("order by {order} limit 1")).join(" union all "),
    )
}

/// Counts of the slots bound as `$1`, and of those from `$2` on: of each receiver bound as `$3`, or of all
/// of them together.
pub fn deliveries_sql(dialect: Dialect, by_receiver: bool) -> String {
    let (receiver, narrowed) = if by_receiver {
        let narrowed = format!(" and {}", one_of(dialect, "c.receiver_id", "$3"));
        ("c.receiver_id", narrowed)
    } else {
        ("0", String::new())
    };
    format!(
        "select {receiver} as receiver_id, c.kind,
                cast(sum(case when c.slot >= $2 then c.n else 0 end) as bigint) as recent,
                cast(sum(c.n) as bigint) as whole
         from rowhook.delivery_counts as c where {}{narrowed} group by 1, c.kind",
        one_of(dialect, "c.slot", "$1"),
    )
}

/// What of each kind there was in each step of `$4` seconds, counted since 1970: of receiver `$5`, or of all (0). From
/// the counts of slots from `$1` on, and from the minutes `$2` and the tens of minutes `$3` that they became.
pub fn history_sql(dialect: Dialect) -> String {
    let [counted, minutes, tens] = [COUNTED, MINUTES, TENS].map(|grain| grain.seconds);
    let became = |seconds: i64, bound: &str| {
        format!(
            "select h.slot * {seconds} as at, h.kind, h.n from rowhook.delivery_history as h
             where h.seconds = {seconds} and {} and h.receiver_id = $5",
            one_of(dialect, "h.slot", bound)
        )
    };
    format!(
        "select t.at / $4 as step, t.kind, cast(sum(t.n) as bigint) as n from (
           select c.slot * {counted} as at, c.kind, c.n from rowhook.delivery_counts as c
           where c.slot >= $1 and ($5 = 0 or c.receiver_id = $5)
           union all {} union all {}
         ) as t group by 1, t.kind",
        became(minutes, "$2"),
        became(tens, "$3"),
    )
}

fn kind(row: &QueryResult) -> Result<Kind, StoreError> {
    let code: i16 = row.try_get("", "kind")?;
    Kind::from_code(code)
        .ok_or_else(|| StoreError::Corrupt(format!("delivery_counts: kind {code}")))
}

fn most(by_receiver: bool) -> u64 {
    if by_receiver {
        MOST_PENDING_OF_ONE
    } else {
        MOST_PENDING
    }
}

fn ids(dialect: Dialect, receivers: &[ReceiverId]) -> Value {
    numbers(dialect, receivers.iter().map(|id| id.0.into()))
}

fn count(row: &QueryResult, column: &str) -> Result<u64, StoreError> {
    let count: i64 = row.try_get("", column)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

fn queue(row: &QueryResult, now: DateTime<Utc>, most: u64) -> Result<QueueStats, StoreError> {
    let since: Option<DateTime<Utc>> = row.try_get("", "created_at")?;
    Ok(QueueStats {
        pending: count(row, "pending")?.min(most),
        // A clock that lags behind another instance's makes no negative age.
        oldest: since.map(|since| (now - since).to_std().unwrap_or_default()),
    })
}

#[async_trait]
impl StatsStore for SqlStats {
    async fn queue(&self) -> Result<QueueStats, StoreError> {
        let sql = queues_sql(self.db.dialect(), false);
        let row = self
            .db
            .query_one_raw(self.db.statement(&sql, []))
            .await?
            .ok_or_else(|| StoreError::corrupt("an aggregate returned no row"))?;
        queue(&row, Utc::now(), most(false))
    }

    async fn queues_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, QueueStats>, StoreError> {
        let dialect = self.db.dialect();
        let sql = queues_sql(dialect, true);
        let values = [ids(dialect, receivers)];
        let rows = self
            .db
            .query_all_raw(self.db.statement(&sql, values))
            .await?;
        let now = Utc::now();
        let of = |row: &QueryResult| {
            let id: i64 = row.try_get("", "id")?;
            let id = i32::try_from(id).map_err(StoreError::corrupt)?;
            Ok((ReceiverId(id), queue(row, now, most(true))?))
        };
        rows.iter().map(of).collect()
    }

    async fn deliveries(&self) -> Result<DeliveryStats, StoreError> {
        let found = self.tallies(None).await?;
        Ok(found.into_values().next().unwrap_or_default())
    }

    async fn deliveries_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, DeliveryStats>, StoreError> {
        self.tallies(Some(receivers)).await
    }

    async fn history(
        &self,
        of: Option<ReceiverId>,
        steps: Steps,
    ) -> Result<Vec<StatsStep>, StoreError> {
        let dialect = self.db.dialect();
        let values = [
            Value::from(*steps.slots(COUNTED).start()),
            numbers(dialect, steps.slots(MINUTES)),
            numbers(dialect, steps.slots(TENS)),
            Value::from(steps.seconds()),
            Value::from(of.map_or(0, |id| id.0)),
        ];
        let sql = history_sql(dialect);
        let rows = self
            .db
            .query_all_raw(self.db.statement(&sql, values))
            .await?;
        let mut counts: BTreeMap<i64, BTreeMap<Kind, u64>> = BTreeMap::new();
        for row in &rows {
            let step: i64 = row.try_get("", "step")?;
            let kinds = counts.entry(step).or_default();
            *kinds.entry(kind(row)?).or_default() += count(row, "n")?;
        }
        Ok(steps.told(&counts))
    }
}
