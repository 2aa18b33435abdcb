//! What each receiver of a page answered last: found in a long log by reading a few events of each.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rowhook::{
    domain::ids::{EventId, ReceiverId},
    store::{
        event_log::{EventLog as _, LastAttempt},
        sql::{
            db::{Db, Dialect},
            event_log::SqlEventLog,
            last_attempts::last_attempts_sql,
        },
    },
};
use sea_orm::{ConnectionTrait as _, Value};

use super::plans::{plan, reads};
use crate::support::{both::on_both, database::TestDatabase, stored::run};

on_both!(
    it_is_found_whatever_waits,
    the_walk_ends,
    a_long_log_costs_a_few_events_of_each,
);

const READY: i16 = 0;
const WAITING: i16 = 1;
const PARKED: i16 = 2;
const DELIVERED: i16 = 3;
const FAILED: i16 = 4;

fn start() -> DateTime<Utc> {
    "2026-04-26T19:00:00Z".parse().unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

/// So many events, one after the other; `tried`: when, in seconds, and what the receiver answered.
async fn events(db: &Db, receiver: i32, state: i16, count: i64, tried: Option<(i64, i16)>) {
    let (tried_at, status) = match tried {
        Some((seconds, status)) => (Some(at(seconds)), Some(status)),
        None => (None, None),
    };
    let error = status
        .filter(|status| *status != 200)
        .map(|status| format!("answered {status}"));
    let sql = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
         insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id, action,
             transaction_id, occurred_at, created_at, row_id, row_hash, state, attempted_at, duration_ms,
             response_status, error)
         select {receiver}, {receiver}, (select coalesce(max(sequence), 0) from rowhook.events) + i, null, 1, 2, i, $1, $1, '1', i, {state}, $2, 7, $3, $4 from n"
    );
    let values: [Value; 4] = [start().into(), tried_at.into(), status.into(), error.into()];
    run(db, &sql, values).await;
}

async fn found(db: &Db, receivers: &[i32]) -> HashMap<i32, LastAttempt> {
    let ids: Vec<ReceiverId> = receivers.iter().copied().map(ReceiverId).collect();
    let log = SqlEventLog::new(db.clone());
    let found = log.last_attempts(&ids).await.unwrap();
    found.into_iter().map(|(id, one)| (id.0, one)).collect()
}

async fn it_is_found_whatever_waits(database: TestDatabase) {
    let db = database.migrated().await;
    // All is well, and what was made later than the last one that was tried is under way.
    events(&db, 1, DELIVERED, 3, Some((10, 200))).await;
    events(&db, 1, READY, 5, None).await;
    // A retry of an older event came after the newest delivery.
    events(&db, 2, FAILED, 1, Some((30, 503))).await;
    events(&db, 2, DELIVERED, 1, Some((20, 200))).await;
    // More waits for its first attempt than is walked past.
    events(&db, 3, DELIVERED, 1, Some((40, 200))).await;
    events(&db, 3, READY, 100, None).await;
    // All of a row waits behind the one that failed.
    events(&db, 4, WAITING, 1, Some((50, 500))).await;
    events(&db, 4, PARKED, 100, None).await;
    // Nothing was tried, and there is nothing.
    events(&db, 5, READY, 100, None).await;
    let found = found(&db, &[1, 2, 3, 4, 5, 6]).await;
    let told = |receiver: i32| {
        let one = &found[&receiver];
        (one.started_at, one.response_status)
    };
    assert_eq!(told(1), (at(10), Some(200)));
    assert_eq!(told(2), (at(30), Some(503)));
    assert_eq!(told(3), (at(40), Some(200)));
    assert_eq!(told(4), (at(50), Some(500)));
    assert_eq!(found.len(), 4);
    assert_eq!(found[&1].event_id, EventId(3));
    assert_eq!(found[&1].duration.as_millis(), 7);
    assert_eq!(found[&1].error, None);
    assert_eq!(found[&2].error.as_deref(), Some("answered 503"));
}

async fn the_walk_ends(database: TestDatabase) {
    let db = database.migrated().await;
    events(&db, 1, DELIVERED, 1, Some((10, 200))).await;
    events(&db, 1, PARKED, 19, None).await;
    assert_eq!(found(&db, &[1]).await.len(), 1);
    events(&db, 1, PARKED, 1, None).await;
    assert_eq!(found(&db, &[1]).await.len(), 0, "it is the 21st");
}

/// Events of each receiver of the long log.
const EACH: i64 = 2000;

async fn a_long_log_costs_a_few_events_of_each(database: TestDatabase) {
    let db = database.migrated().await;
    // One receiver of ten thousand events beside small ones, so that a walk along the ids looks cheap to a planner.
    events(&db, 1, DELIVERED, 5 * EACH, Some((10, 200))).await;
    for (receiver, state) in [(2, READY), (3, WAITING), (4, PARKED), (5, DELIVERED)] {
        let tried = (state != READY).then_some((20, 500));
        events(&db, receiver, state, EACH, tried).await;
    }
    events(&db, 6, DELIVERED, 3, Some((10, 200))).await;
    events(&db, 1, DELIVERED, EACH, Some((10, 200))).await;
    let sql = last_attempts_sql(db.dialect());
    let receivers: Value = match db.dialect() {
        Dialect::Postgres => vec![1_i64, 2, 3, 4, 5, 6, 7].into(),
        Dialect::Sqlite => "[1,2,3,4,5,6,7]".into(),
    };
    for analyzed in [false, true] {
        if analyzed {
            db.execute_unprepared("analyze").await.unwrap();
        }
        let plan = plan(&db, &sql, vec![receivers.clone()]).await;
        let read = reads(&plan, EACH);
        // Three walks of each, of twenty, the third through two tables, and the one that was found.
        assert!(read <= 7 * 82 + 7, "analyzed {analyzed}: {read}\n{plan}");
        for costly in ["Seq Scan", "SCAN e\n", "SCAN u\n", "SCAN x"] {
            let what = format!("{costly} analyzed {analyzed}\n{plan}");
            assert!(!plan.contains(costly), "{what}");
        }
    }
    assert_eq!(found(&db, &[1, 2, 3, 4, 5, 6, 7]).await.len(), 5);
}
