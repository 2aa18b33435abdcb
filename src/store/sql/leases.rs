//! Leases, by the database's clock.
//!
//! A database that was brought into another cluster gives none for receivers, so nothing is sent from it: it may be
//! a copy that only looks like the one that was meant.

use std::{collections::HashSet, time::Duration};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, QueryResult, Value};

use crate::{
    domain::ids::ReceiverId,
    policy::throttle::Start,
    store::{
        StoreError,
        leases::{LEASE, LeaseOf, LeaseStore},
    },
};

use super::{
    cursor_home,
    db::{Db, Dialect},
    records::{now, numbers, one_of},
};

/// The table `leases`.
pub struct SqlLeases {
    db: Db,
}

impl SqlLeases {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// The database's present, and the end of a lease that begins now.
    fn clock(&self) -> (&'static str, String) {
        let milliseconds = LEASE.as_millis();
        let dialect = self.db.dialect();
        let end = match dialect {
            Dialect::Postgres => {
                format!("clock_timestamp() + interval '{milliseconds} milliseconds'")
            }
            Dialect::Sqlite => format!(
                "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '+{}.{:03} seconds')",
                milliseconds / 1000,
                milliseconds % 1000
            ),
        };
        (now(dialect), end)
    }
}

impl SqlLeases {
    /// The database's time `seconds` from now, by a bound number.
    fn after(&self, seconds: &str) -> String {
        match self.db.dialect() {
            Dialect::Postgres => format!("clock_timestamp() + {seconds} * interval '1 second'"),
            Dialect::Sqlite => format!(
                "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '+' || {seconds} || ' seconds')"
            ),
        }
    }
}

/// Whose lease it is, by its column `subject`.
pub(super) fn receiver(row: &QueryResult) -> Result<ReceiverId, StoreError> {
    let subject: i64 = row.try_get("", "subject")?;
    let id = i32::try_from(subject).map_err(StoreError::corrupt)?;
    Ok(ReceiverId(id))
}

#[async_trait]
impl LeaseStore for SqlLeases {
    async fn acquire(&self, of: LeaseOf, holder: &str) -> Result<Option<Start>, StoreError> {
        let (now, end) = self.clock();
        let (kind, subject) = of.columns();
        let values: [Value; 3] = [kind.into(), subject.into(), holder.into()];
        let txn = self.db.begin().await?;
        if let LeaseOf::Receiver(_) = of {
            cursor_home::is_at_home(&txn).await?;
        }
        let lock = match txn.dialect() {
            Dialect::Postgres => "for update",
            Dialect::Sqlite => "",
        };
        let before = txn
            .query_one_raw(txn.statement(
                &format!(
                    "select coalesce(throttle_full_at <= {now}, false) as full_now
                     from rowhook.leases where kind = $1 and subject = $2 {lock}"
                ),
                values[..2].to_vec(),
            ))
            .await?;
        let start = match &before {
            None => Start::Full,
            Some(row) if row.try_get("", "full_now")? => Start::Full,
            Some(_) => Start::Empty,
        };
        let taken = txn
            .query_one_raw(txn.statement(
                &format!(
                    "insert into rowhook.leases as l (kind, subject, holder, expires_at)
                     values ($1, $2, $3, {end})
                     on conflict (kind, subject) do update
                        set holder = excluded.holder, expires_at = excluded.expires_at,
                            throttle_full_at = null
                        where l.holder = excluded.holder or l.expires_at <= {now}
                     returning subject"
                ),
                values,
            ))
            .await?;
        if taken.is_none() {
            // No lease lasts longer than one that begins now, unless the database's clock was set back: its
            // holder may be dead, or have given it back, and nobody could take it until the clock is there again.
            txn.execute_raw(txn.statement(
                &format!(
                    "update rowhook.leases set expires_at = {end}
                     where kind = $1 and subject = $2 and expires_at > {end}"
                ),
                [kind.into(), subject.into()],
            ))
            .await?;
        }
        txn.commit().await?;
        Ok(taken.map(|_| start))
    }

    async fn renew(&self, of: &[LeaseOf], holder: &str) -> Result<Vec<LeaseOf>, StoreError> {
        let (now, end) = self.clock();
        let mut renewed = Vec::new();
        for kind in ["poller", "receiver"] {
            let subjects: Vec<i64> = of
                .iter()
                .map(|of| of.columns())
                .filter(|(of, _)| *of == kind)
                .map(|(_, subject)| subject)
                .collect();
            if subjects.is_empty() {
                continue;
            }
            let txn = self.db.begin().await?;
            let rows = txn
                .query_all_raw(txn.statement(
                    &format!(
                        "update rowhook.leases set expires_at = {end}
                         where kind = $1 and holder = $2 and expires_at > {now} and {}
                         returning subject",
                        one_of(txn.dialect(), "subject", "$3")
                    ),
                    [kind.into(), holder.into(), numbers(txn.dialect(), subjects)],
                ))
                .await?;
            txn.commit().await?;
            for row in &rows {
                renewed.push(match kind {
                    "poller" => LeaseOf::Poller,
                    _ => LeaseOf::Receiver(receiver(row)?),
                });
            }
        }
        Ok(renewed)
    }

    async fn held_by_others(
        &self,
        receivers: &[ReceiverId],
        holder: &str,
    ) -> Result<HashSet<ReceiverId>, StoreError> {
        if receivers.is_empty() {
            return Ok(HashSet::new());
        }
        let (now, _) = self.clock();
        let (kind, _) = LeaseOf::Receiver(ReceiverId(0)).columns();
        let subjects = receivers.iter().map(|receiver| receiver.0.into());
        let dialect = self.db.dialect();
        let rows = self
            .db
            .query_all_raw(self.db.statement(
                &format!(
                    "select subject from rowhook.leases
                     where kind = $1 and holder <> $2 and expires_at > {now} and {}",
                    one_of(dialect, "subject", "$3")
                ),
                [kind.into(), holder.into(), numbers(dialect, subjects)],
            ))
            .await?;
        rows.iter().map(receiver).collect()
    }

    async fn release(
        &self,
        of: LeaseOf,
        holder: &str,
        throttle_full_in: Duration,
    ) -> Result<(), StoreError> {
        let (now, _) = self.clock();
        // A year stands for ever: a slower throttle starts empty in any case.
        let full_in = throttle_full_in.min(Duration::from_secs(365 * 24 * 3600));
        let full_at = self.after("$4");
        let (kind, subject) = of.columns();
        let txn = self.db.begin().await?;
        txn.execute_raw(txn.statement(
            &format!(
                "update rowhook.leases set expires_at = {now}, throttle_full_at = {full_at}
                 where kind = $1 and subject = $2 and holder = $3"
            ),
            [
                kind.into(),
                subject.into(),
                holder.into(),
                full_in.as_secs_f64().into(),
            ],
        ))
        .await?;
        txn.commit().await
    }

    async fn end_all(&self) -> Result<(), StoreError> {
        let (now, _) = self.clock();
        let txn = self.db.begin().await?;
        txn.execute_raw(txn.statement(
            &format!("update rowhook.leases set expires_at = {now} where expires_at > {now}"),
            [],
        ))
        .await?;
        txn.commit().await
    }
}
