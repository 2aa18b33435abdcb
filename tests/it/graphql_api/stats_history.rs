//! `webhookStatsHistory`: what was counted is told step by step, and stays when the counts become coarser.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rowhook::{
    domain::{
        attempt::{Outcome, Verdict},
        ids::{EventId, ReceiverId},
    },
    store::{event_queue::OutcomeLog as _, sql::outcomes::SqlOutcomes},
};
use serde_json::{Value, json};

use super::House;
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{EventRow, insert_event, number, run},
};

on_both!(
    steps_without_deliveries_are_there,
    counts_stay_as_they_become_coarser,
    what_can_not_be_asked_is_refused,
);

const READ: &str = "query($receiver: Int, $seconds: Int, $steps: Int) {
    webhookStatsHistory(receiverId: $receiver, seconds: $seconds, steps: $steps) {
      from seconds delivered failedAttempts latencyMs { p50 p99 } } }";

async fn read(house: &House, receiver: Option<i64>, seconds: i64, steps: i64) -> Vec<Value> {
    let variables = json!({"receiver": receiver, "seconds": seconds, "steps": steps});
    let viewer = house.ask_as(&house.viewer, READ, variables).await;
    let read = &viewer["data"]["webhookStatsHistory"];
    read.as_array()
        .unwrap_or_else(|| panic!("{viewer}"))
        .clone()
}

fn sums(steps: &[Value]) -> (i64, i64) {
    let sum = |name: &str| steps.iter().map(|step| step[name].as_i64().unwrap()).sum();
    (sum("delivered"), sum("failedAttempts"))
}

async fn counted(house: &House, slot: i64, receiver: i64, kind: i64, n: i64) {
    let sql =
        "insert into rowhook.delivery_counts (slot, receiver_id, kind, n) values ($1, $2, $3, $4)";
    let values = [slot.into(), receiver.into(), kind.into(), n.into()];
    run(&house.db, sql, values).await;
}

fn slot() -> i64 {
    Utc::now().timestamp() / 15
}

async fn steps_without_deliveries_are_there(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let steps = read(&house, None, 3600, 60).await;
    assert_eq!(steps.len(), 60);
    assert_eq!(sums(&steps), (0, 0));
    for pair in steps.windows(2) {
        let from = |step: &Value| {
            let text = step["from"].as_str().unwrap();
            text.parse::<DateTime<Utc>>().unwrap().timestamp()
        };
        assert_eq!(from(&pair[1]) - from(&pair[0]), 60);
        assert_eq!(pair[0]["seconds"], 60);
    }
    assert_eq!(steps[59]["latencyMs"], Value::Null);

    // Delivered within 2^(28/4) = 128 ms, in two slots of which one is three minutes old; failures of another one.
    counted(&house, slot(), receiver, 28, 3).await;
    counted(&house, slot() - 12, receiver, 28, 2).await;
    counted(&house, slot(), receiver + 1, -1, 4).await;
    let steps = read(&house, None, 3600, 60).await;
    assert_eq!(sums(&steps), (5, 4));
    let with = |wanted: i64| {
        steps
            .iter()
            .filter(|step| step["delivered"] == wanted)
            .count()
    };
    assert_eq!((with(3), with(2), with(0)), (1, 1, 58));
    let told = steps.iter().find(|step| step["delivered"] == 3).unwrap();
    let p50 = told["latencyMs"]["p50"].as_f64().unwrap();
    assert!((100.0..135.0).contains(&p50), "{told}");
    assert_eq!(sums(&read(&house, Some(receiver), 300, 20).await), (5, 0));
    // Three steps of a minute and the present one hold what is three minutes old; one of fifteen seconds does not.
    assert_eq!(sums(&read(&house, None, 60, 4).await), (3, 4));
}

async fn counts_stay_as_they_become_coarser(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let now = slot();
    // A quarter of an hour ago, in two slots of one minute; three hours, and two days ago.
    let minute = (now - 60) / 4 * 4;
    counted(&house, minute, receiver, 28, 1).await;
    counted(&house, minute + 1, receiver, 28, 2).await;
    counted(&house, minute + 1, receiver + 1, -1, 5).await;
    counted(&house, now - 3 * 240, receiver, -2, 7).await;
    counted(&house, now - 48 * 240, receiver, -2, 100).await;
    let before = (
        read(&house, None, 3600, 60).await,
        read(&house, Some(receiver), 86_400, 144).await,
    );
    assert_eq!(sums(&before.0), (3, 5));
    assert_eq!(sums(&before.1), (10, 0));

    for turn in 0..2 {
        record_something(&house, receiver).await;
        let old = format!("select count(*) from rowhook.delivery_counts where slot < {now}");
        assert_eq!(number(&house.db, &old).await, 0, "what is over has moved");
        let hour = read(&house, None, 3600, 60).await;
        assert_eq!(sums(&hour), (3 + turn + 1, 5));
        assert_eq!(
            sums(&read(&house, Some(receiver), 3600, 60).await),
            (3 + turn + 1, 0)
        );
        assert_eq!(hour.iter().filter(|step| step["delivered"] == 3).count(), 1);
        let day = read(&house, Some(receiver), 86_400, 144).await;
        assert_eq!(sums(&day), (10 + turn + 1, 0));
        assert_eq!(
            sums(&read(&house, None, 86_400, 24).await),
            (10 + turn + 1, 5)
        );
    }
    // Two receivers and all of them in a minute, and the three hours old one for two in ten: nothing is older.
    let kept = "select count(*) from rowhook.delivery_history";
    assert_eq!(number(&house.db, kept).await, 4 + 2);
    let tens = "select count(*) from rowhook.delivery_history where seconds = 600";
    assert_eq!(number(&house.db, tens).await, 2);
}

/// An outcome, written by a log that moves what is old.
async fn record_something(house: &House, receiver: i64) {
    let event = EventRow {
        subscription_id: 1,
        receiver_id: i32::try_from(receiver).unwrap(),
        sequence: None,
        change_id: None,
        resource_id: 1,
        action: 2,
        transaction_id: 7,
        occurred_at: Utc::now(),
        row_id: "1".to_owned(),
        state: 0,
        attempt_count: 0,
    };
    insert_event(&house.db, event).await;
    let id = number(&house.db, "select max(id) from rowhook.events").await;
    let outcome = Outcome {
        event_id: EventId(id),
        receiver_id: ReceiverId(i32::try_from(receiver).unwrap()),
        attempts_before: 0,
        budget_used: 1,
        redelivery: 0,
        attempt: Some(rowhook::domain::attempt::Attempt {
            started_at: Utc::now(),
            duration: Duration::from_millis(5),
            answer: None,
            error: None,
        }),
        reason: None,
        verdict: Verdict::Delivered,
        due_at: None,
        health: None,
        recovered: false,
    };
    let log = SqlOutcomes::new(house.db.clone());
    log.record(&[outcome.into()]).await.unwrap();
}

async fn what_can_not_be_asked_is_refused(database: TestDatabase) {
    let house = House::of(database).await;
    for (seconds, steps, at) in [
        (59, 10, "seconds"),
        (86_401, 10, "seconds"),
        (60, 0, "steps"),
        (60, 241, "steps"),
    ] {
        let variables = json!({"seconds": seconds, "steps": steps});
        let (code, _, path) = house.refused(READ, variables).await;
        assert_eq!((code.as_str(), path), ("VALIDATION", json!([at])));
    }
    let (code, _, _) = house.refused(READ, json!({"receiver": 99})).await;
    assert_eq!(code, "NOT_FOUND");
    let many: String = (0..20)
        .map(|n| format!("a{n}: webhookStatsHistory {{ from }} "))
        .collect();
    let (code, _, _) = house.refused(&format!("{{ {many} }}"), json!({})).await;
    assert_eq!(code, "LIMIT");
}
