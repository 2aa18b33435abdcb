//! Making events anew out of kept changes, on both databases.
//!
//! The management API hands orders in. Numbers and ids are given while the cursor's row is locked, as fan-out
//! does it (`fan_out`), so the two take turns, and a batch holds fan-out up for as long as a page of
//! its own would. The cursor itself does not move.

use std::{collections::HashSet, sync::Mutex};

use async_trait::async_trait;
use entity::{receivers, subscriptions};
use sea_orm::{ConnectionTrait, EntityTrait, QueryResult, QuerySelect, Value};

use super::{
    change_log::occurred_at,
    db::{Db, Dialect, Txn},
    eras::{eras_column, read_eras, visible_in},
    event_lists::{list, versions},
    fan_out::{insert, take_numbers},
    kept_changes::{self, BYTES},
    mutation, recent_changes,
    records::{numbers, one_of, read_user_text},
    subscriptions::from_row,
};
use crate::{
    domain::{
        action::Action,
        event::{EventStatus, NewEvent, RowHashes},
        ids::{ChangeId, ResourceId, TransactionId},
        resource::{ResourceDefinition, ResourceName},
        snapshot::{Place, Snapshot},
        subscription::Subscription,
    },
    policy::{
        filter::{FilterInput, Filters},
        logged_row::{LoggedRow, UnreadableRow, row_hash},
        matching::{Subject, verdict},
    },
    store::{
        StoreError,
        replay::{History, RecentChanges, Replay},
    },
};

/// Changes looked at in one step, and events written in one transaction.
const BATCH: i64 = 1000;

/// The changes that are kept.
pub struct SqlHistory {
    db: Db,
}

/// One order on its way.
struct Walk<'a> {
    replay: &'a Replay,
    subscription: Subscription,
    versions: Vec<(i32, ResourceDefinition)>,
    /// What holds of a change `l` that is part of it; `$1` is the id after which to look.
    condition: String,
    values: Vec<Value>,
    /// The subscription's filter, compiled. Nobody else holds the lock.
    filters: Mutex<Filters>,
}

impl SqlHistory {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn walk<'a>(&self, replay: &'a Replay) -> Result<Walk<'a>, StoreError> {
        let row = subscriptions::Entity::find_by_id(replay.subscription_id.0)
            .one(&self.db)
            .await?
            .filter(|row| row.deleted_at.is_none())
            .ok_or_else(|| missing(replay))?;
        let subscription = from_row(row)?;
        let versions = versions(&self.db, Some(&subscription.resource)).await?;
        let ids: Vec<i32> = versions.iter().map(|version| version.0).collect();
        let mut values: Vec<Value> = vec![0_i64.into()];
        let mut condition = format!(
            "l.id > $1 and l.resource_id in ({}) and l.action = {}",
            list(&ids),
            subscription.action.code()
        );
        let dialect = self.db.dialect();
        let mut bind = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        condition.push_str(&self.fanned_out(&mut bind).await?);
        if let Some(from) = replay.from {
            condition.push_str(&format!(
                " and {} >= {}",
                occurred_at(dialect),
                bind(from.into())
            ));
        }
        if let Some(to) = replay.to {
            condition.push_str(&format!(
                " and {} < {}",
                occurred_at(dialect),
                bind(to.into())
            ));
        }
        if replay.from_sequence.is_some() || replay.to_sequence.is_some() {
            let subscription = bind(subscription.id.0.into());
            let from = bind(replay.from_sequence.unwrap_or(1).into());
            let to = bind(replay.to_sequence.unwrap_or(i64::MAX).into());
            condition.push_str(&format!(
                " and l.id in (select e.change_id from rowhook.events e
                               where e.subscription_id = {subscription}
                                 and e.sequence between {from} and {to})"
            ));
        }
        Ok(Walk {
            replay,
            subscription,
            versions,
            condition,
            values,
            filters: Mutex::default(),
        })
    }

    /// What fan-out has passed by now, a window that it is in the middle of included. What it passes later is
    /// no part of this order.
    async fn fanned_out(
        &self,
        bind: &mut impl FnMut(Value) -> String,
    ) -> Result<String, StoreError> {
        let sql = format!(
            "select watermark, window_to, window_after, {} from rowhook.capture_cursor where id = 1",
            eras_column(self.db.dialect())
        );
        let row = self
            .db
            .query_one_raw(self.db.statement(&sql, []))
            .await?
            .ok_or_else(|| StoreError::corrupt("capture_cursor has no row"))?;
        let watermark: String = row.try_get("", "watermark")?;
        let window: Option<String> = row.try_get("", "window_to")?;
        let after: Option<i64> = row.try_get("", "window_after")?;
        let window = window.zip(after);
        Ok(match self.db.dialect() {
            Dialect::Postgres => {
                let eras = read_eras(&row)?;
                let mut seen = |snapshot: &str| -> Result<String, StoreError> {
                    let snapshot: Snapshot = snapshot.parse().map_err(StoreError::corrupt)?;
                    Ok(visible_in(
                        &eras,
                        &snapshot,
                        &bind(snapshot.pg_text().into()),
                    ))
                };
                let mut passed = seen(&watermark)?;
                if let Some((to, after)) = window {
                    passed.push_str(&format!(" or ({} and l.id <= {after})", seen(&to)?));
                }
                format!(" and ({passed})")
            }
            Dialect::Sqlite => {
                let watermark: i64 = watermark.parse().map_err(StoreError::corrupt)?;
                let upto = window.map_or(watermark, |(_, after)| after.max(watermark));
                format!(" and l.id <= {}", bind(upto.into()))
            }
        })
    }

    /// The next changes after an id: their ids, cut into stretches that fit into memory.
    async fn stretches(&self, walk: &Walk<'_>, after: i64) -> Result<Vec<Vec<i64>>, StoreError> {
        let sql = format!(
            "select l.id, {} as size
             from rowhook.logged_actions l where {} order by l.id limit {BATCH}",
            kept_changes::size(self.db.dialect()),
            walk.condition
        );
        let mut values = walk.values.clone();
        if let Some(first) = values.first_mut() {
            *first = after.into();
        }
        let rows = self
            .db
            .query_all_raw(self.db.statement(&sql, values))
            .await?;
        let mut stretches: Vec<Vec<i64>> = Vec::new();
        let mut size = BYTES;
        for row in &rows {
            let id: i64 = row.try_get("", "id")?;
            size += i64::from(row.try_get::<i32>("", "size")?);
            match stretches.last_mut() {
                Some(stretch) if size < BYTES => stretch.push(id),
                _ => {
                    stretches.push(vec![id]);
                    size = 0;
                }
            }
        }
        Ok(stretches)
    }

    /// The events that these changes come to.
    async fn events(&self, walk: &Walk<'_>, ids: &[i64]) -> Result<Vec<NewEvent>, StoreError> {
        let dialect = self.db.dialect();
        let rows = kept_changes::rows(&self.db, ids.iter().copied()).await?;
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            let id: i64 = row.try_get("", "id")?;
            match walk.event(dialect, id, row)? {
                Ok(event) => events.extend(event),
                // Its first event failed with this reason, and is there to be seen.
                Err(error) => {
                    tracing::warn!(change = id, %error, "an unreadable change is not replayed");
                }
            }
        }
        Ok(events)
    }

    async fn write(
        &self,
        walk: &Walk<'_>,
        mut events: Vec<NewEvent>,
        replay_id: i64,
    ) -> Result<u64, StoreError> {
        let txn = mutation::begin(&self.db).await?;
        lock(&txn, walk).await?;
        let kept = lock_changes(&txn, &events).await?;
        events.retain(|event| kept.contains(&event.change_id.0));
        let first = take_numbers(&txn, &events).await?;
        insert(&txn, &events, first, replay_id).await?;
        txn.commit().await?;
        let made = events.len() as u64;
        self.db.event_counts().add(EventStatus::Pending, made);
        Ok(made)
    }

    async fn go(&self, replay: &Replay, write: bool) -> Result<u64, StoreError> {
        let walk = self.walk(replay).await?;
        // One change may be replayed again and again, but once by each order.
        let replay_id = i64::try_from(rand::random::<u64>() >> 1)
            .unwrap_or(1)
            .max(1);
        let (mut after, mut count) = (0, 0);
        if write {
            let txn = mutation::begin(&self.db).await?;
            lock(&txn, &walk).await?;
        }
        loop {
            let stretches = self.stretches(&walk, after).await?;
            let Some(last) = stretches.last().and_then(|stretch| stretch.last()).copied() else {
                return Ok(count);
            };
            for stretch in stretches {
                let events = self.events(&walk, &stretch).await?;
                count += if write && !events.is_empty() {
                    self.write(&walk, events, replay_id).await?
                } else {
                    events.len() as u64
                };
            }
            after = last;
        }
    }
}

impl Walk<'_> {
    /// What `changedFields` and the filter say as they are now. What the filter can not judge is replayed, as
    /// fan-out would deliver it.
    fn fires(&self, logged: &LoggedRow<'_>, subject: &Subject<'_>) -> bool {
        let input = FilterInput::new(logged, subject.resource, subject.action);
        let Subscription {
            changed_fields,
            filter,
            ..
        } = &self.subscription;
        let mut filters = self.filters.lock().unwrap_or_else(|held| held.into_inner());
        verdict(
            changed_fields.as_deref(),
            filter.as_deref(),
            subject,
            &input,
            &mut filters,
        )
        .fires()
    }

    /// The event that a change comes to, if it does.
    fn event(
        &self,
        dialect: Dialect,
        id: i64,
        row: &QueryResult,
    ) -> Result<Result<Option<NewEvent>, UnreadableRow>, StoreError> {
        let version: i32 = row.try_get("", "resource_id")?;
        let row_data = read_user_text(dialect, row, "row_data")?.unwrap_or_default();
        let old_values = read_user_text(dialect, row, "old_values")?;
        let Some((_, definition)) = self.versions.iter().find(|one| one.0 == version) else {
            return Ok(Ok(None));
        };
        let facts =
            LoggedRow::parse(definition, &row_data, old_values.as_deref()).and_then(|logged| {
                let changed: Vec<&str> = logged.changed_columns().collect();
                let subject = Subject {
                    place: Place::Id(ChangeId(id)),
                    resource: &self.subscription.resource,
                    action: self.subscription.action,
                    changed: &changed,
                };
                let row_id = logged.id(definition)?;
                let wanted = self.replay.row_id.as_ref();
                if wanted.is_some_and(|wanted| *wanted != row_id) || !self.fires(&logged, &subject)
                {
                    return Ok(None);
                }
                Ok(Some((row_id, logged.previous_id(definition)?)))
            });
        let (row_id, previous) = match facts {
            Ok(Some(facts)) => facts,
            Ok(None) => return Ok(Ok(None)),
            Err(error) => return Ok(Err(error)),
        };
        let transaction: Option<i64> = row.try_get("", "transaction_id")?;
        Ok(Ok(Some(NewEvent {
            subscription_id: self.subscription.id,
            receiver_id: self.subscription.receiver_id,
            change_id: ChangeId(id),
            resource_id: ResourceId(version),
            action: self.subscription.action,
            transaction_id: TransactionId(transaction.unwrap_or_default()),
            occurred_at: row.try_get("", "occurred_at")?,
            rows: RowHashes {
                row: row_hash(&definition.table, &row_id),
                previous: previous.map(|id| row_hash(&definition.table, &id)),
            },
            row_id: row_id.into(),
        })))
    }
}

fn missing(replay: &Replay) -> StoreError {
    StoreError::NotFound {
        what: "webhook subscription",
        id: replay.subscription_id.0.into(),
    }
}

/// Of the changes of these events those that are still kept, locked so that retention leaves them until the
/// events tell of them.
async fn lock_changes(txn: &Txn, events: &[NewEvent]) -> Result<HashSet<i64>, StoreError> {
    let dialect = txn.dialect();
    let lock = match dialect {
        Dialect::Postgres => "for key share",
        // This transaction is the only writer.
        Dialect::Sqlite => "",
    };
    let sql = format!(
        "select l.id from rowhook.logged_actions l where {} {lock}",
        one_of(dialect, "l.id", "$1")
    );
    let ids = numbers(dialect, events.iter().map(|event| event.change_id.0));
    let rows = txn.query_all_raw(txn.statement(&sql, [ids])).await?;
    let id = |row: &QueryResult| Ok(row.try_get("", "id")?);
    rows.iter().map(id).collect()
}

/// Makes sure that the subscription may have new events, and that it stays so until they are written; then
/// takes fan-out's turn. Mutations lock the receiver's row too, and nobody who holds the cursor's row
/// wants that one.
async fn lock(txn: &Txn, walk: &Walk<'_>) -> Result<(), StoreError> {
    let receiver = receivers::Entity::find_by_id(walk.subscription.receiver_id.0)
        .lock_shared()
        .one(txn)
        .await?
        .filter(|row| row.deleted_at.is_none())
        .ok_or_else(|| missing(walk.replay))?;
    let subscription = subscriptions::Entity::find_by_id(walk.subscription.id.0)
        .one(txn)
        .await?
        .filter(|row| row.deleted_at.is_none())
        .ok_or_else(|| missing(walk.replay))?;
    if !receiver.active || !subscription.active {
        return Err(StoreError::Conflict);
    }
    if txn.dialect() == Dialect::Postgres {
        let sql = "select 1 from rowhook.capture_cursor where id = 1 for update";
        txn.query_one_raw(txn.statement(sql, [])).await?;
    }
    Ok(())
}

#[async_trait]
impl History for SqlHistory {
    async fn count(&self, replay: &Replay) -> Result<u64, StoreError> {
        self.go(replay, false).await
    }

    async fn replay(&self, replay: &Replay) -> Result<u64, StoreError> {
        self.go(replay, true).await
    }

    async fn recent(
        &self,
        resource: &ResourceName,
        action: Action,
        last: u32,
    ) -> Result<RecentChanges, StoreError> {
        recent_changes::recent(&self.db, resource, action, last).await
    }
}
