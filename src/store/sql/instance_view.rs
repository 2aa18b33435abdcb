//! The instances, as people are told of them: the table `instances`, and beside it the leases, since not every instance
//! writes itself down (on SQLite none does, nor did early releases).

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait as _, QueryResult};

use crate::{
    domain::{ids::ReceiverId, instance::KnownInstance},
    store::{
        StoreError,
        instances::InstanceView,
        leases::{LEASE, LeaseOf},
    },
};

use super::{
    db::{Db, Dialect},
    leases::receiver,
    records::{now, numbers, one_of},
};

/// Instances that are told of. One that is started again and again leaves a row each time.
const MOST: u32 = 200;

/// A look at the instances.
#[derive(Clone)]
pub struct SqlInstanceView {
    db: Db,
}

impl SqlInstanceView {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

/// Whoever is in the table or has a lease, with what it has. The leases are read through: there is one for each receiver
/// that was ever sent to.
fn instances_sql(dialect: Dialect) -> String {
    let now = now(dialect);
    let (poller, _) = LeaseOf::Poller.columns();
    format!(
        "with held as (
             select holder, max(expires_at) as expires_at,
                    max(case when kind = '{poller}' then 1 else 0 end) as pollers,
                    sum(case when kind = '{poller}' then 0 else 1 end) as receivers
             from rowhook.leases where expires_at > {now} group by holder),
         known as (
             select coalesce(i.holder, h.holder) as holder, i.version, i.started_at,
                    case when i.expires_at > h.expires_at then i.expires_at
                         else coalesce(h.expires_at, i.expires_at) end as expires_at,
                    coalesce(h.pollers, 0) > 0 as reads_changes, coalesce(h.receivers, 0) as receivers
             from rowhook.instances i full join held h on h.holder = i.holder)
         select k.*, k.expires_at > {now} as running from known k order by k.expires_at desc limit {MOST}"
    )
}

/// The holder of each live lease among those of the receivers bound as `$2`; `$1` is their kind.
pub fn senders_sql(dialect: Dialect) -> String {
    format!(
        "select subject, holder from rowhook.leases where kind = $1 and expires_at > {} and {}",
        now(dialect),
        one_of(dialect, "subject", "$2")
    )
}

fn read(row: &QueryResult) -> Result<KnownInstance, StoreError> {
    let expires_at: DateTime<Utc> = row.try_get("", "expires_at")?;
    let receivers: i64 = row.try_get("", "receivers")?;
    let lease = TimeDelta::from_std(LEASE).map_err(StoreError::corrupt)?;
    Ok(KnownInstance {
        name: row.try_get("", "holder")?,
        version: row.try_get("", "version")?,
        started_at: row.try_get("", "started_at")?,
        // What it said then lasts for as long as a lease.
        heard_at: expires_at - lease,
        running: row.try_get("", "running")?,
        reads_changes: row.try_get("", "reads_changes")?,
        receivers: u32::try_from(receivers).map_err(StoreError::corrupt)?,
    })
}

#[async_trait]
impl InstanceView for SqlInstanceView {
    async fn instances(&self) -> Result<Vec<KnownInstance>, StoreError> {
        let sql = instances_sql(self.db.dialect());
        let rows = self.db.query_all_raw(self.db.statement(&sql, [])).await?;
        let found: Result<Vec<_>, _> = rows.iter().map(read).collect();
        // The latest first, as they come; of those that run that says nothing.
        let (mut found, gone): (Vec<_>, Vec<_>) = found?.into_iter().partition(|one| one.running);
        found.sort_by(|a, b| (a.started_at, &a.name).cmp(&(b.started_at, &b.name)));
        found.extend(gone);
        Ok(found)
    }

    async fn senders_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, String>, StoreError> {
        if receivers.is_empty() {
            return Ok(HashMap::new());
        }
        let dialect = self.db.dialect();
        let (kind, _) = LeaseOf::Receiver(ReceiverId(0)).columns();
        let subjects = receivers.iter().map(|receiver| receiver.0.into());
        let values = [kind.into(), numbers(dialect, subjects)];
        let rows = self
            .db
            .query_all_raw(self.db.statement(&senders_sql(dialect), values))
            .await?;
        let sender = |row: &QueryResult| Ok((receiver(row)?, row.try_get("", "holder")?));
        rows.iter().map(sender).collect()
    }
}
