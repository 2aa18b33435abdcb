//! How receivers do: written with the outcomes of attempts, and by whoever mends or switches a receiver.
//!
//! One sender at a time counts a receiver's failures, and numbers what it writes. A person's act outdoes what is
//! still on its way from the sender by a jump of that number. `state`, `reason` and `since` change together and only
//! when the state does, since the table can be watched.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entity::{
    receiver_health::{Column, Entity, Model},
    receivers,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait as _, QueryFilter, QueryResult,
    QuerySelect as _, QueryTrait as _, sea_query::Expr,
};

use super::{
    db::{Db, Txn},
    mutation,
    receivers::SqlManagementStore,
    records::{Batch, Columns, Kind, storable, unfold},
    rows::Cell,
};
use crate::{
    domain::{
        attempt::Outcome,
        ids::ReceiverId,
        receiver_health::{Failures, HealthRecord, HealthState, Probing, ReceiverHealth},
    },
    store::{StoreError, receiver_health::ReceiverHealthStore},
};

/// The table's name within rowhook's own.
pub const TABLE: &str = "receiver_health";

/// More than a sender writes while an act of a person is on its way to it.
const JUMP: i64 = 1_000_000;

const COLUMNS: Columns<9> = [
    ("receiver_id", Kind::Integer),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("failures", Kind::Integer),
    ("failing_since", Kind::Time),
    ("last_error", Kind::Text),
    ("probe_at", Kind::Time),
    ("probe_pause_ms", Kind::Integer),
    ("revision", Kind::Integer),
];

/// Receivers that do in one of these ways, as the API shows it: what their record says of their activity goes before
/// what was seen of them, and of whom nothing was seen is well.
pub(super) fn one_of(states: &[HealthState]) -> Condition {
    let seen = |states: &[HealthState]| {
        let words = states.iter().map(|state| state.as_str());
        Entity::find()
            .select_only()
            .column(Column::ReceiverId)
            .filter(Column::State.is_in(words))
            .into_query()
    };
    let troubled = [HealthState::Failing, HealthState::Probing];
    let id = receivers::Column::Id;
    states.iter().fold(Condition::any(), |any, state| {
        let active =
            Condition::all().add(receivers::Column::Active.eq(*state != HealthState::Inactive));
        any.add(match state {
            HealthState::Inactive => active,
            HealthState::Healthy => active.add(id.not_in_subquery(seen(&troubled))),
            HealthState::Failing | HealthState::Probing => {
                active.add(id.in_subquery(seen(&[*state])))
            }
        })
    })
}

/// Writes what these outcomes say of their receivers. One that takes deliveries again after it was probed gets what
/// waits for it at once.
pub(super) async fn written(
    txn: &Txn,
    outcomes: &[Arc<Outcome>],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut newest: BTreeMap<i32, &ReceiverHealth> = BTreeMap::new();
    for outcome in outcomes {
        if let Some(health) = &outcome.health {
            let kept = newest.entry(outcome.receiver_id.0).or_insert(health);
            if health.revision > kept.revision {
                *kept = health;
            }
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    // Events before health, as everybody locks them.
    for outcome in outcomes.iter().filter(|outcome| outcome.recovered) {
        wait_no_longer(txn, outcome.receiver_id, now).await?;
    }
    let mut batch = Batch::new(txn.dialect(), &COLUMNS);
    for (receiver, health) in newest {
        push(&mut batch, receiver, health);
    }
    let sql = format!(
        "with {} insert into rowhook.receiver_health as h (receiver_id, receiver_name, state, reason, since,
                failures, failing_since, last_error, probe_at, probe_pause_ms, revision)
         select b.receiver_id, r.name, b.state, b.reason, $1, b.failures, b.failing_since, b.last_error,
                b.probe_at, b.probe_pause_ms, b.revision
         from b join rowhook.receivers r on r.id = b.receiver_id
         where r.deleted_at is null order by b.position
         on conflict (receiver_id) do update set
             receiver_name = case when h.state = excluded.state then h.receiver_name else excluded.receiver_name end,
             state = excluded.state,
             reason = case when h.state = excluded.state then h.reason else excluded.reason end,
             since = case when h.state = excluded.state then h.since else excluded.since end,
             failures = excluded.failures, failing_since = excluded.failing_since,
             last_error = excluded.last_error, probe_at = excluded.probe_at,
             probe_pause_ms = excluded.probe_pause_ms, revision = excluded.revision
         where excluded.revision > h.revision and h.state <> '{}'",
        unfold(txn.dialect(), 1, &COLUMNS),
        HealthState::Inactive.as_str(),
    );
    let values = std::iter::once(now.into()).chain(batch.into_values());
    txn.execute_raw(txn.statement(&sql, values)).await?;
    Ok(())
}

fn push(batch: &mut Batch<9>, receiver: i32, health: &ReceiverHealth) {
    let failures = health.failures.as_ref();
    let reason = reason(health).map(|reason| storable(&reason).into_owned());
    let last_error = failures.map(|failures| storable(&failures.error));
    let pause = |probing: Probing| i64::try_from(probing.pause.as_millis()).unwrap_or(i64::MAX);
    batch.push([
        receiver.into(),
        health.state().as_str().into(),
        reason.as_deref().into(),
        failures
            .map_or(0, |failures| i64::from(failures.count))
            .into(),
        failures.map(|failures| failures.since).into(),
        last_error.as_deref().into(),
        health.probing.map(|probing| probing.next_at).into(),
        health.probing.map(pause).into(),
        health.revision.into(),
    ]);
}

/// Why a receiver is in its state, for people.
fn reason(health: &ReceiverHealth) -> Option<String> {
    let failures = health.failures.as_ref()?;
    Some(match health.state() {
        HealthState::Probing => format!(
            "{} failures in a row, the last: {}",
            failures.count, failures.error
        ),
        HealthState::Healthy | HealthState::Failing | HealthState::Inactive => {
            failures.error.clone()
        }
    })
}

/// Events that become due at once with a recovery. A receiver that was probed has few that wait, since no more are tried;
/// one that failed now and then for long may have many, and the rest keep their own time.
const DUE_AT_ONCE: i64 = 1000;

/// What waits for a receiver's next attempt is due now.
async fn wait_no_longer(
    txn: &Txn,
    receiver: ReceiverId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = format!(
        "update rowhook.events set due_at = $2 where state = 1 and id in (
           select event_id from rowhook.undelivered where receiver_id = $1 and state = 1 and due_at > $2
           order by due_at limit {DUE_AT_ONCE})"
    );
    txn.execute_raw(txn.statement(&sql, [receiver.0.into(), now.into()]))
        .await?;
    Ok(())
}

/// A receiver was switched off, or on: then it begins anew, and what waits for it is due.
pub(super) async fn switched(txn: &Txn, row: &receivers::Model) -> Result<(), StoreError> {
    let now = mutation::now();
    if row.active {
        wait_no_longer(txn, ReceiverId(row.id), now).await?;
    }
    let (state, reason) = if row.active {
        (HealthState::Healthy, None)
    } else {
        let by = || format!("switched off by {}", row.updated_by_name);
        let why = row.inactive_reason.clone().unwrap_or_else(by);
        (HealthState::Inactive, Some(why))
    };
    let sql = format!(
        "insert into rowhook.receiver_health as h (receiver_id, receiver_name, state, reason, since, failures, revision)
         values ($1, $2, $3, $4, $5, 0, {JUMP})
         on conflict (receiver_id) do update set
             receiver_name = excluded.receiver_name, state = excluded.state, reason = excluded.reason,
             since = excluded.since, failures = 0, failing_since = null, last_error = null, probe_at = null,
             probe_pause_ms = null, revision = h.revision + {JUMP}"
    );
    let values = [
        row.id.into(),
        row.name.clone().into(),
        state.as_str().into(),
        reason.into(),
        now.into(),
    ];
    txn.execute_raw(txn.statement(&sql, values)).await?;
    Ok(())
}

/// Somebody has mended something, or wants to see something delivered: the next probe of these may go now.
pub(super) async fn probe_now(
    txn: &Txn,
    receivers: impl IntoIterator<Item = i32>,
) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::ProbeAt, Expr::value(mutation::now()))
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(JUMP))
        .filter(Column::ReceiverId.is_in(receivers))
        .filter(Column::ProbeAt.is_not_null())
        .exec(txn)
        .await?;
    Ok(())
}

/// A receiver is deleted.
pub(super) async fn forget(txn: &Txn, receiver: ReceiverId) -> Result<(), StoreError> {
    Entity::delete_by_id(receiver.0).exec(txn).await?;
    Ok(())
}

/// How an active receiver does, for its sender.
pub(super) async fn of(db: &Db, receiver: ReceiverId) -> Result<ReceiverHealth, StoreError> {
    let row = Entity::find_by_id(receiver.0).one(db).await?;
    row.map_or_else(|| Ok(ReceiverHealth::default()), |row| read(&row))
}

fn read(row: &Model) -> Result<ReceiverHealth, StoreError> {
    let cell = Cell::new("receiver_health", row.receiver_id);
    let pause = cell.millis("probe_pause_ms", row.probe_pause_ms)?;
    let probing = row.probe_at.zip(pause);
    Ok(ReceiverHealth {
        failures: match row.failing_since {
            None => None,
            Some(since) => Some(Failures {
                count: cell.number("failures", row.failures)?,
                since,
                error: row.last_error.clone().unwrap_or_default(),
            }),
        },
        probing: probing.map(|(next_at, pause)| Probing { next_at, pause }),
        revision: row.revision,
    })
}

#[async_trait]
impl ReceiverHealthStore for SqlManagementStore {
    async fn health_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, HealthRecord>, StoreError> {
        let rows = Entity::find()
            .filter(Column::ReceiverId.is_in(receivers.iter().map(|id| id.0)))
            .all(&self.db)
            .await?;
        let record = |row: Model| {
            let cell = Cell::new("receiver_health", row.receiver_id);
            let state = row.state.parse();
            let record = HealthRecord {
                state: state.map_err(|error| cell.corrupt("state", error))?,
                since: Some(row.since),
                health: read(&row)?,
                reason: row.reason,
            };
            Ok((ReceiverId(row.receiver_id), record))
        };
        rows.into_iter().map(record).collect()
    }

    async fn states(&self) -> Result<HashMap<HealthState, u64>, StoreError> {
        let sql = format!("select {STATE} as state, count(*) as n {LIVING} group by 1");
        let rows = self.db.query_all_raw(self.db.statement(&sql, [])).await?;
        let read = |row: &QueryResult| {
            let count: i64 = row.try_get("", "n")?;
            Ok((state(row)?, u64::try_from(count).unwrap_or_default()))
        };
        rows.iter().map(read).collect()
    }

    async fn each_state(&self) -> Result<Vec<(ReceiverId, String, HealthState)>, StoreError> {
        let sql = format!("select r.id, r.name, {STATE} as state {LIVING} order by r.id");
        let rows = self.db.query_all_raw(self.db.statement(&sql, [])).await?;
        let read = |row: &QueryResult| {
            let id = ReceiverId(row.try_get("", "id")?);
            Ok((id, row.try_get("", "name")?, state(row)?))
        };
        rows.iter().map(read).collect()
    }
}

/// The same as [`one_of`] of a row of [`LIVING`].
const STATE: &str = "case when not r.active then 'INACTIVE'
    when h.state in ('FAILING', 'PROBING') then h.state else 'HEALTHY' end";
const LIVING: &str =
    "from rowhook.receivers r left join rowhook.receiver_health h on h.receiver_id = r.id
    where r.deleted_at is null";

fn state(row: &QueryResult) -> Result<HealthState, StoreError> {
    let word: String = row.try_get("", "state")?;
    word.parse().map_err(StoreError::corrupt)
}
