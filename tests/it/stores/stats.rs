//! Figures on deliveries: what they count, and what reading them costs in a long log.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rowhook::{
    domain::{
        attempt::{Attempt, Outcome, Verdict},
        ids::{EventId, ReceiverId},
        stats::{MOST_PENDING, MOST_PENDING_OF_ONE, QueueStats},
    },
    policy::history::{COUNTED, MINUTES, Steps, TENS},
    store::{
        event_queue::OutcomeLog as _,
        sql::{
            db::{Db, Dialect},
            outcomes::SqlOutcomes,
            stats::{SqlStats, deliveries_sql, history_sql, queues_sql},
        },
        stats::StatsStore as _,
    },
};
use sea_orm::{ConnectionTrait as _, Value};

use super::plans::{plan, reads};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, EventRow, number, run},
};

on_both!(
    what_waits_is_counted,
    outcomes_are_counted_once,
    a_long_log_costs_no_more_than_what_is_counted,
    a_chart_costs_what_it_shows,
);

fn event(receiver: i32, state: i16, at: DateTime<Utc>) -> EventRow {
    EventRow {
        subscription_id: 1,
        receiver_id: receiver,
        sequence: None,
        change_id: None,
        resource_id: 1,
        action: 2,
        transaction_id: 7,
        occurred_at: at,
        row_id: "1".to_owned(),
        state,
        attempt_count: 0,
    }
}

fn ago(seconds: i64) -> DateTime<Utc> {
    Utc::now() - chrono::TimeDelta::seconds(seconds)
}

async fn what_waits_is_counted(database: TestDatabase) {
    let db = database.migrated().await;
    let stats = SqlStats::new(db.clone());
    assert_eq!(stats.queue().await.unwrap(), QueueStats::default());
    // Settled ones, and older than all, are nothing that waits.
    for (receiver, state, seconds) in [
        (1, 3, 9000),
        (1, 4, 9000),
        (2, 5, 9000),
        (1, 2, 600),
        (1, 1, 500),
        (2, 0, 300),
        (1, 0, 100),
    ] {
        stored::insert_event(&db, event(receiver, state, ago(seconds))).await;
    }
    let all = stats.queue().await.unwrap();
    assert_eq!(all.pending, 4);
    let receivers = [1, 2, 3].map(ReceiverId);
    let each = stats.queues_of(&receivers).await.unwrap();
    let of = |id: i32| each[&ReceiverId(id)];
    assert_eq!((of(1).pending, of(2).pending), (3, 1));
    assert_eq!(of(3), QueueStats::default());
    for (found, seconds) in [(all, 600), (of(1), 600), (of(2), 300)] {
        let age = found.oldest.unwrap().as_secs();
        assert!((seconds..seconds + 60).contains(&age), "{found:?}");
    }
}

async fn record(log: &SqlOutcomes, outcomes: &[Outcome]) {
    let outcomes: Vec<_> = outcomes.iter().cloned().map(Arc::new).collect();
    log.record(&outcomes).await.unwrap();
}

fn outcome(event: i64, receiver: i32, verdict: Verdict, attempted: bool) -> Outcome {
    let attempt = Attempt {
        started_at: Utc::now(),
        duration: Duration::from_millis(5),
        answer: None,
        error: None,
    };
    Outcome {
        event_id: EventId(event),
        receiver_id: ReceiverId(receiver),
        attempts_before: 0,
        budget_used: 1,
        redelivery: 0,
        attempt: attempted.then_some(attempt),
        reason: None,
        verdict,
        due_at: None,
        health: None,
        recovered: false,
    }
}

async fn outcomes_are_counted_once(database: TestDatabase) {
    let db = database.migrated().await;
    let (stats, log) = (SqlStats::new(db.clone()), SqlOutcomes::new(db.clone()));
    let receivers = [1, 2].map(ReceiverId);
    assert!(stats.deliveries_of(&receivers).await.unwrap().is_empty());
    for receiver in [1, 1, 1, 1, 1, 1, 2, 2] {
        stored::insert_event(&db, event(receiver, 0, ago(40))).await;
    }
    // One of old history, and one that was sent again by hand: deliveries without a latency.
    run(
        &db,
        "update rowhook.events set replay_id = 9, occurred_at = $1 where id = 5",
        [ago(90_000).into()],
    )
    .await;
    run(
        &db,
        "update rowhook.events set redelivery = 1, occurred_at = $1 where id = 6",
        [ago(90_000).into()],
    )
    .await;
    let again = Verdict::Retry {
        after: Duration::from_secs(5),
        counted: true,
    };
    let mut batch = vec![
        outcome(1, 1, Verdict::Delivered, true),
        outcome(2, 1, Verdict::Delivered, true),
        outcome(3, 1, again, true),
        outcome(5, 1, Verdict::Delivered, true),
        outcome(6, 1, Verdict::Delivered, true),
        // Too large: no attempt will ever be made.
        outcome(7, 2, Verdict::Failed, false),
        // rowhook's own fault: none was made, and one will be.
        outcome(8, 2, again, false),
    ];
    batch[4].redelivery = 1;
    record(&log, &batch).await;
    // Written again, as after an answer that was not heard, and beside one that is new.
    batch.push(outcome(4, 1, Verdict::Failed, true));
    record(&log, &batch).await;
    record(&log, &batch).await;

    let all = stats.deliveries().await.unwrap();
    let each = stats.deliveries_of(&receivers).await.unwrap();
    let (one, two) = (each[&receivers[0]], each[&receivers[1]]);
    assert_eq!(one.success_rate, Some(4.0 / 6.0));
    assert_eq!((two.success_rate, two.latency), (Some(0.0), None));
    assert_eq!(all.success_rate, Some(4.0 / 7.0));
    let latency = one.latency.unwrap();
    assert!((35_000.0..90_000.0).contains(&latency.p99), "{latency:?}");
    assert_eq!(all.latency, one.latency);
    let of = |rate: f64, count: f64| (count / 76.0..count / 59.0).contains(&rate);
    assert!(of(one.delivered_per_second, 4.0), "{one:?}");
    assert!(of(one.failed_per_second, 2.0), "{one:?}");
    assert!(of(two.failed_per_second, 1.0), "{two:?}");
    assert!(of(all.failed_per_second, 3.0), "{all:?}");

    // Of a while ago: still in the share, no longer in the rate; then in neither, and dropped.
    let age = "update rowhook.delivery_counts set slot = slot - $1";
    run(&db, age, [10_i64.into()]).await;
    let older = stats.deliveries().await.unwrap();
    assert_eq!(older.success_rate, Some(4.0 / 7.0));
    assert_eq!(
        (older.delivered_per_second, older.failed_per_second),
        (0.0, 0.0)
    );
    run(&db, age, [15_i64.into()]).await;
    assert_eq!(stats.deliveries().await.unwrap().success_rate, None);
    stored::insert_event(&db, event(2, 0, ago(1))).await;
    let anew = SqlOutcomes::new(db.clone());
    record(&anew, &[outcome(9, 2, Verdict::Delivered, true)]).await;
    assert_eq!(
        number(&db, "select count(*) from rowhook.delivery_counts").await,
        1
    );
}

/// 300,000 events of 10 receivers, of which 150,000 wait, most of them for receiver 1.
async fn many(db: &Db) {
    let sql = "with recursive n(i) as (select $1 + 1 union all select i + 1 from n where i < $1 + 10000)
         insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id, action,
             transaction_id, occurred_at, created_at, row_id, row_hash, state)
         select 1, case when i > 151000 then 1 else i % 10 + 1 end, i, i, 1, 2, i, $2, $2, '1', i,
                case when i <= 150000 then 3 else 0 end from n";
    let mut slots = Vec::new();
    for piece in 0..30_i64 {
        run(db, sql, [(piece * 10_000).into(), ago(60).into()]).await;
        slots.push(piece);
    }
    let counts = "with recursive n(i) as (select 0 union all select i + 1 from n where i < 20999)
         insert into rowhook.delivery_counts (slot, receiver_id, kind, n)
         select $1 - i / 1000, i % 1000 + 1, 7, 2 from n";
    let slot = Utc::now().timestamp() / 15;
    run(db, counts, [slot.into()]).await;
    for table in ["events", "delivery_counts"] {
        let learn = match db.dialect() {
            Dialect::Postgres => format!("vacuum analyze rowhook.{table}"),
            Dialect::Sqlite => "analyze".to_owned(),
        };
        db.execute_unprepared(&learn).await.unwrap();
    }
}

async fn a_long_log_costs_no_more_than_what_is_counted(database: TestDatabase) {
    let db = database.migrated().await;
    many(&db).await;
    let stats = SqlStats::new(db.clone());
    assert_eq!(stats.queue().await.unwrap().pending, MOST_PENDING);
    let each = stats
        .queues_of(&[ReceiverId(1), ReceiverId(2)])
        .await
        .unwrap();
    assert_eq!(each[&ReceiverId(1)].pending, MOST_PENDING_OF_ONE);
    assert_eq!(each[&ReceiverId(2)].pending, 100);
    let deliveries = stats.deliveries_of(&[ReceiverId(5)]).await.unwrap();
    assert_eq!(deliveries[&ReceiverId(5)].success_rate, Some(1.0));

    let dialect = db.dialect();
    let list = |ids: Vec<i64>| -> Value {
        match dialect {
            Dialect::Postgres => ids.into(),
            Dialect::Sqlite => serde_json::json!(ids).to_string().into(),
        }
    };
    let most = i64::try_from(MOST_PENDING).unwrap();
    let of_one = i64::try_from(MOST_PENDING_OF_ONE).unwrap();
    for (by_receiver, values, limit) in [
        (false, vec![], most + 1000),
        (true, vec![list(vec![2, 3, 4])], 1000),
        (true, vec![list(vec![1])], of_one + 1000),
    ] {
        let sql = queues_sql(dialect, by_receiver);
        let plan = plan(&db, &sql, values).await;
        let read = reads(&plan, 300_000);
        assert!(read <= limit, "{read}\n{sql}\n{plan}");
        assert!(!plan.contains("Seq Scan on events"), "{plan}");
    }
    let slot = Utc::now().timestamp() / 15;
    let sql = deliveries_sql(dialect, true);
    let values = vec![
        list((slot - 20..=slot).collect()),
        (slot - 4).into(),
        list(vec![5, 6]),
    ];
    let plan = plan(&db, &sql, values).await;
    let read = reads(&plan, 21_000);
    assert!(read <= 200, "{read}\n{plan}");
}

/// A day of 300 receivers, as it is kept: 120 minutes and 144 tens of minutes of 3 kinds.
async fn a_day(db: &Db) {
    let sql =
        "with recursive n(i) as (select 0 union all select i + 1 from n where i < $1 * 301 * 3 - 1)
         insert into rowhook.delivery_history (seconds, slot, receiver_id, kind, n)
         select $2, $3 - i / 903, i / 3 % 301, i % 3 + 5, 2 from n";
    let now = Utc::now().timestamp();
    for (stretches, seconds) in [(120_i64, 60_i64), (144, 600)] {
        let values = [stretches.into(), seconds.into(), (now / seconds).into()];
        run(db, sql, values).await;
    }
    let learn = match db.dialect() {
        Dialect::Postgres => "vacuum analyze rowhook.delivery_history",
        Dialect::Sqlite => "analyze",
    };
    db.execute_unprepared(learn).await.unwrap();
}

async fn a_chart_costs_what_it_shows(database: TestDatabase) {
    let db = database.migrated().await;
    a_day(&db).await;
    let now = Utc::now();
    let stats = SqlStats::new(db.clone());
    for (seconds, wanted, most) in [(3600, 60, 60 * 3), (86_400, 144, (1441 + 145) * 3)] {
        let steps = Steps::new(now, seconds, wanted);
        for of in [None, Some(ReceiverId(7))] {
            let told = stats.history(of, steps).await.unwrap();
            assert!(told[1..].iter().all(|step| step.delivered >= 6), "{told:?}");
        }
        let dialect = db.dialect();
        let list = |slots: RangeInclusive<i64>| -> Value {
            let ids: Vec<i64> = slots.collect();
            match dialect {
                Dialect::Postgres => ids.into(),
                Dialect::Sqlite => serde_json::json!(ids).to_string().into(),
            }
        };
        let values = vec![
            Value::from(*steps.slots(COUNTED).start()),
            list(steps.slots(MINUTES)),
            list(steps.slots(TENS)),
            Value::from(steps.seconds()),
            Value::from(7),
        ];
        let sql = history_sql(dialect);
        let plan = plan(&db, &sql, values).await;
        let read = reads(&plan, 238_392);
        assert!(read <= most, "{read}\n{plan}");
        assert!(!plan.contains("Seq Scan on delivery_history"), "{plan}");
    }
}
