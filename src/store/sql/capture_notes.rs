//! The notes of the instance that reads changes, on both databases.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult};
use serde_json::json;

use super::{
    db::Db,
    records::{Batch, Kind, storable, unfold},
};
use crate::{
    domain::resource::ResourceName,
    store::{
        StoreError,
        capture_notes::{CaptureNotes, Reconciled, TableNote},
    },
};

/// The notes.
#[derive(Clone)]
pub struct SqlCaptureNotes {
    db: Db,
}

impl SqlCaptureNotes {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl CaptureNotes for SqlCaptureNotes {
    async fn looked(
        &self,
        at: DateTime<Utc>,
        tables: &[(ResourceName, Option<String>)],
    ) -> Result<(), StoreError> {
        if tables.is_empty() {
            return Ok(());
        }
        let columns = [("resource", Kind::Text), ("note", Kind::Text)];
        let mut batch = Batch::new(self.db.dialect(), &columns);
        for (resource, note) in tables {
            let note = note.as_deref().map(storable);
            batch.push([resource.as_str().into(), note.as_deref().into()]);
        }
        // (The `where true` keeps SQLite from reading `on conflict` as a join.)
        let sql = format!(
            "with {} insert into rowhook.table_notes as t (resource, looked_at, note, noted_at)
             select b.resource, $1, b.note, case when b.note is null then null else $1 end from b where true
             on conflict (resource) do update set looked_at = excluded.looked_at,
                 note = coalesce(excluded.note, t.note),
                 noted_at = coalesce(excluded.noted_at, t.noted_at)",
            unfold(self.db.dialect(), 1, &columns)
        );
        let txn = self.db.begin().await?;
        let values = std::iter::once(at.into()).chain(batch.into_values());
        txn.execute_raw(txn.statement(&sql, values)).await?;
        txn.commit().await
    }

    async fn tables(&self) -> Result<Vec<TableNote>, StoreError> {
        let sql =
            "select resource, looked_at, note, noted_at from rowhook.table_notes order by resource";
        let rows = self.db.query_all_raw(self.db.statement(sql, [])).await?;
        let read = |row: &QueryResult| {
            let resource: String = row.try_get("", "resource")?;
            let note: Option<String> = row.try_get("", "note")?;
            Ok(TableNote {
                resource: resource.parse().map_err(StoreError::corrupt)?,
                looked_at: row.try_get("", "looked_at")?,
                note: note.zip(row.try_get("", "noted_at")?),
            })
        };
        rows.iter().map(read).collect()
    }

    async fn reconciled(&self, what: &Reconciled) -> Result<(), StoreError> {
        let sql = "insert into rowhook.reconciliations
                       (id, ran_at, changes, owed, found, events, differences, examples)
                   values (1, $1, $2, $3, $4, $5, $6, $7)
                   on conflict (id) do update set ran_at = excluded.ran_at, changes = excluded.changes,
                       owed = excluded.owed, found = excluded.found, events = excluded.events,
                       differences = excluded.differences, examples = excluded.examples";
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX).into();
        let values = [
            what.ran_at.into(),
            count(what.changes),
            count(what.owed),
            count(what.found),
            count(what.events),
            count(what.differences),
            json!(what.examples).to_string().into(),
        ];
        let txn = self.db.begin().await?;
        txn.execute_raw(txn.statement(sql, values)).await?;
        txn.commit().await
    }

    async fn last_reconciliation(&self) -> Result<Option<Reconciled>, StoreError> {
        let sql = "select ran_at, changes, owed, found, events, differences, examples
                   from rowhook.reconciliations where id = 1";
        let Some(row) = self.db.query_one_raw(self.db.statement(sql, [])).await? else {
            return Ok(None);
        };
        let count = |column| {
            let count: i64 = row.try_get("", column)?;
            u64::try_from(count).map_err(StoreError::corrupt)
        };
        let examples: String = row.try_get("", "examples")?;
        Ok(Some(Reconciled {
            ran_at: row.try_get("", "ran_at")?,
            changes: count("changes")?,
            owed: count("owed")?,
            found: count("found")?,
            events: count("events")?,
            differences: count("differences")?,
            examples: serde_json::from_str(&examples).map_err(StoreError::corrupt)?,
        }))
    }
}
