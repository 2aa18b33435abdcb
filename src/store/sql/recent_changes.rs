//! The newest changes of a kind, for whoever tries a filter.
//!
//! No index of the log leads to one resource's changes: each write of the application would pay for it. So the
//! log is walked back along its primary key, and not further than [`WALK`] rows.

use std::sync::Arc;

use sea_orm::ConnectionTrait;

use super::{
    db::Db,
    event_lists::{list, versions},
    kept_changes::{self, BYTES},
    records::read_user_text,
};
use crate::{
    domain::{
        action::Action,
        ids::{ChangeId, TransactionId},
        resource::ResourceName,
    },
    store::{
        StoreError,
        replay::{KeptChange, RecentChanges},
    },
};

/// Changes of any kind that are looked at: a fraction of a second on either database.
const WALK: u64 = 100_000;

/// See [`History::recent`](crate::store::replay::History::recent).
pub(super) async fn recent(
    db: &Db,
    resource: &ResourceName,
    action: Action,
    last: u32,
) -> Result<RecentChanges, StoreError> {
    let versions: Vec<_> = versions(db, Some(resource))
        .await?
        .into_iter()
        .map(|(id, definition)| (id, Arc::new(definition)))
        .collect();
    let ids: Vec<i32> = versions.iter().map(|version| version.0).collect();
    let (ids, examined, complete) = find(db, &ids, action, last).await?;
    let dialect = db.dialect();
    let rows = kept_changes::rows(db, ids).await?;
    let mut changes = Vec::with_capacity(rows.len());
    for row in rows.iter().rev() {
        let version: i32 = row.try_get("", "resource_id")?;
        let Some((_, definition)) = versions.iter().find(|one| one.0 == version) else {
            continue;
        };
        let transaction: Option<i64> = row.try_get("", "transaction_id")?;
        changes.push(KeptChange {
            id: ChangeId(row.try_get("", "id")?),
            transaction_id: transaction.map(TransactionId),
            occurred_at: row.try_get("", "occurred_at")?,
            definition: definition.clone(),
            row_data: read_user_text(dialect, row, "row_data")?.unwrap_or_default(),
            old_values: read_user_text(dialect, row, "old_values")?,
        });
    }
    Ok(RecentChanges {
        changes,
        examined,
        complete,
    })
}

/// The ids, how many changes were passed to find them, and whether these are all that were asked for.
async fn find(
    db: &Db,
    versions: &[i32],
    action: Action,
    last: u32,
) -> Result<(Vec<i64>, u64, bool), StoreError> {
    let size = kept_changes::size(db.dialect());
    let found = if versions.is_empty() {
        Vec::new()
    } else {
        let sql = format!(
            "select l.id, {size} as size
             from (select * from rowhook.logged_actions order by id desc limit {WALK}) l
             where l.resource_id in ({}) and l.action = {} order by l.id desc limit {last}",
            list(versions),
            action.code()
        );
        db.query_all_raw(db.statement(&sql, [])).await?
    };
    let (mut ids, mut size) = (Vec::with_capacity(found.len()), 0);
    for row in &found {
        size += i64::from(row.try_get::<i32>("", "size")?);
        if size > BYTES && !ids.is_empty() {
            break;
        }
        ids.push(row.try_get("", "id")?);
    }
    let enough = ids.len() == last as usize;
    let cut = ids.len() < found.len();
    let down_to = ids.last().filter(|_| enough || cut).copied().unwrap_or(0);
    let sql = format!(
        "select count(*) as examined
         from (select id from rowhook.logged_actions where id >= $1 order by id desc limit {WALK}) l"
    );
    let row = db
        .query_one_raw(db.statement(&sql, [down_to.into()]))
        .await?
        .ok_or_else(|| StoreError::corrupt("a count has no row"))?;
    let examined = u64::try_from(row.try_get::<i64>("", "examined")?).unwrap_or_default();
    Ok((ids, examined, enough || (!cut && examined < WALK)))
}
