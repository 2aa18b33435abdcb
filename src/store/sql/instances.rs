//! The instances of a database: a row for each, and notices among them.
//!
//! An embedded database has one instance. It writes nothing, and there is nobody to call.

use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use sea_orm::ConnectionTrait;
use tokio::sync::Notify;

use crate::{
    domain::{ids::ReceiverId, instance::VERSION},
    store::{
        StoreError,
        instances::{Call, Instances},
        leases::LEASE,
    },
};

use super::{
    db::{Db, Dialect},
    listening::{Heard, Listening},
};

const CHANNEL: &str = "rowhook_instances";
/// The payload that calls for a look at everything.
const ALL: &str = "*";
/// PostgreSQL takes payloads of less than 8,000 bytes ("NOTIFY" in its manual).
const LONGEST_PAYLOAD: usize = 7_999;
/// Receivers that wait to be looked at: beyond them everything is, so that calls which nobody takes do not pile up.
const MANY: usize = 10_000;

/// The table `instances`.
pub struct SqlInstances {
    db: Db,
    /// What was heard and not taken yet.
    heard: Option<(Arc<News>, Listening)>,
}

#[derive(Default)]
struct News {
    call: Mutex<Option<Call>>,
    came: Notify,
}

impl News {
    fn add(&self, call: Call) {
        let mut waits = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        *waits = Some(match (waits.take(), call) {
            (None, call) => call,
            (Some(Call::Receivers(mut before)), Call::Receivers(more)) if before.len() < MANY => {
                before.extend(more);
                Call::Receivers(before)
            }
            (Some(_), _) => Call::LookAgain,
        });
        self.came.notify_one();
    }

    fn take(&self) -> Option<Call> {
        let mut waits = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        waits.take()
    }
}

impl SqlInstances {
    /// On this database. Listens from now on, as long as it lives.
    pub fn new(db: Db) -> Self {
        let heard = match db.dialect() {
            Dialect::Sqlite => None,
            Dialect::Postgres => {
                let news = Arc::new(News::default());
                let tell = news.clone();
                let listening = Listening::on(&db, CHANNEL, move |heard| {
                    tell.add(match heard {
                        Heard::Begun => Call::LookAgain,
                        Heard::Notice(payload) => read(payload),
                    });
                });
                Some((news, listening))
            }
        };
        Self { db, heard }
    }
}

/// "*" or "1,2,3". What can not be read is by another version, and worth a look.
fn read(payload: &str) -> Call {
    let receivers = payload.split(',').map(|id| id.parse().map(ReceiverId));
    match receivers.collect() {
        Ok(receivers) => Call::Receivers(receivers),
        Err(_) => Call::LookAgain,
    }
}

fn write(call: &Call) -> String {
    if let Call::Receivers(receivers) = call {
        let ids: Vec<_> = receivers.iter().map(|id| id.0.to_string()).collect();
        let ids = ids.join(",");
        if ids.len() <= LONGEST_PAYLOAD {
            return ids;
        }
    }
    ALL.to_owned()
}

#[async_trait]
impl Instances for SqlInstances {
    async fn attend(&self, holder: &str) -> Result<Vec<String>, StoreError> {
        if self.db.dialect() == Dialect::Sqlite {
            return Ok(vec![holder.to_owned()]);
        }
        let txn = self.db.begin().await?;
        let renewed = format!(
            "insert into rowhook.instances as i (holder, version, started_at, expires_at)
             values ($1, $2, clock_timestamp(), clock_timestamp() + interval '{} milliseconds')
             on conflict (holder) do update set expires_at = excluded.expires_at",
            LEASE.as_millis()
        );
        txn.execute_raw(txn.statement(&renewed, [holder.into(), VERSION.into()]))
            .await?;
        let rows = txn
            .query_all_raw(txn.statement(
                "select holder, expires_at > clock_timestamp() as runs,
                        expires_at < clock_timestamp() - interval '1 day' as is_old
                 from rowhook.instances order by holder",
                [],
            ))
            .await?;
        let mut running = Vec::with_capacity(rows.len());
        let mut old = false;
        for row in &rows {
            if row.try_get("", "runs")? {
                running.push(row.try_get("", "holder")?);
            }
            old |= row.try_get::<bool>("", "is_old")?;
        }
        if old {
            // What was killed did not say good-bye; for a day people may want to see it.
            let sql = "delete from rowhook.instances where expires_at < clock_timestamp() - interval '1 day'";
            txn.execute_raw(txn.statement(sql, [])).await?;
        }
        txn.commit().await?;
        Ok(running)
    }

    async fn depart(&self, holder: &str) -> Result<(), StoreError> {
        if self.db.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let txn = self.db.begin().await?;
        let sql = "delete from rowhook.instances where holder = $1";
        txn.execute_raw(txn.statement(sql, [holder.into()])).await?;
        txn.commit().await
    }

    async fn call(&self, call: &Call) -> Result<(), StoreError> {
        if self.db.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let values = [CHANNEL.into(), write(call).into()];
        self.db
            .execute_raw(self.db.statement("select pg_notify($1, $2)", values))
            .await?;
        Ok(())
    }

    async fn called(&self) -> Call {
        let Some((news, _)) = &self.heard else {
            return pending().await;
        };
        loop {
            if let Some(call) = news.take() {
                return call;
            }
            news.came.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receivers(ids: &[i32]) -> Call {
        Call::Receivers(ids.iter().copied().map(ReceiverId).collect())
    }

    #[test]
    fn a_call_is_read_as_it_was_written() {
        for call in [receivers(&[7]), receivers(&[1, 20, 300]), Call::LookAgain] {
            assert_eq!(read(&write(&call)), call);
        }
        assert_eq!(write(&receivers(&[1, 20])), "1,20");
        assert_eq!(read("of a later version"), Call::LookAgain);
    }

    #[test]
    fn what_is_too_long_for_a_notice_calls_for_a_look_at_everything() {
        // Seven digits and a comma each.
        let many: Vec<i32> = (1_000_000..1_001_001).collect();
        assert_eq!(write(&receivers(&many)), ALL);
        assert_eq!(write(&receivers(&many[..1000])).len(), LONGEST_PAYLOAD);
    }

    #[test]
    fn calls_that_wait_become_one() {
        let news = News::default();
        news.add(receivers(&[1]));
        news.add(receivers(&[2]));
        assert_eq!(news.take(), Some(receivers(&[1, 2])));
        assert_eq!(news.take(), None);
        news.add(receivers(&[1]));
        news.add(Call::LookAgain);
        news.add(receivers(&[2]));
        assert_eq!(news.take(), Some(Call::LookAgain));
        for _ in 0..=MANY {
            news.add(receivers(&[1, 2]));
        }
        assert_eq!(news.take(), Some(Call::LookAgain));
    }
}
