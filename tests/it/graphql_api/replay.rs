//! Replaying history through the API: who may, what is refused, what comes back.

use serde_json::{Value, json};

use super::{House, failure};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, run},
};

on_both!(
    history_is_counted_and_replayed,
    a_replay_needs_a_role_and_a_choice
);

const REPLAY: &str = "mutation($input: ReplayWebhookChangesInput!) { replayWebhookChanges(input: $input) { count } }";

/// A subscription, and two changes that fan-out has passed.
async fn with_history(database: TestDatabase) -> House {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    house.subscription(receiver).await;
    let definition = r#"{"table":"public.run_steps","columns":[],"key":["id"],"etag":null,"exclude":[],
        "on_truncate":"rows"}"#;
    let resource = stored::insert_resource(&house.db, "RUN_STEP", definition, true).await;
    for id in [7, 8] {
        let row = format!(r#"{{"id":{id},"status":"b"}}"#);
        stored::insert_logged_row(&house.db, resource, &row, Some(r#"{"status":"a"}"#)).await;
    }
    let passed = match house.db.dialect() {
        rowhook::store::sql::db::Dialect::Postgres => {
            "update rowhook.capture_cursor set watermark = pg_current_snapshot()::text"
        }
        rowhook::store::sql::db::Dialect::Sqlite => {
            "update rowhook.capture_cursor set watermark = '2'"
        }
    };
    run(&house.db, passed, []).await;
    house
}

async fn history_is_counted_and_replayed(database: TestDatabase) {
    let house = with_history(database).await;
    let count = async |input: Value| {
        let data = house.data(REPLAY, json!({"input": input})).await;
        data["replayWebhookChanges"]["count"].as_i64().unwrap()
    };
    let from = "2020-01-01T00:00:00Z";
    assert_eq!(
        count(json!({"subscriptionId": 1, "from": from, "dryRun": true})).await,
        2
    );
    assert_eq!(count(json!({"subscriptionId": 1, "to": from})).await, 0);
    assert_eq!(count(json!({"subscriptionId": 1, "from": from})).await, 2);
    assert_eq!(count(json!({"subscriptionId": 1, "rowId": 8})).await, 1);
    assert_eq!(
        count(json!({"subscriptionId": 1, "fromSequence": 3, "toSequence": "3"})).await,
        1
    );
    let query = "{ webhookEvents { sequence status rowId action resource } }";
    let data = house.data(query, json!({})).await;
    let event = |sequence: i64, row: i64| {
        json!({"sequence": sequence, "status": "pending", "rowId": row, "action": "UPDATE",
               "resource": "RUN_STEP"})
    };
    assert_eq!(
        data["webhookEvents"],
        json!([event(4, 8), event(3, 8), event(2, 8), event(1, 7)])
    );
}

async fn a_replay_needs_a_role_and_a_choice(database: TestDatabase) {
    let house = with_history(database).await;
    for (input, at) in [
        (json!({"subscriptionId": 1}), json!(["input"])),
        (
            json!({"subscriptionId": 1, "dryRun": true}),
            json!(["input"]),
        ),
        (
            json!({"subscriptionId": 1, "from": "2026-01-02T00:00:00Z", "to": "2026-01-02T00:00:00Z"}),
            json!(["input", "to"]),
        ),
        (
            json!({"subscriptionId": 1, "fromSequence": 3, "toSequence": 2}),
            json!(["input", "toSequence"]),
        ),
    ] {
        let (code, _, path) = house.refused(REPLAY, json!({"input": input})).await;
        assert_eq!((code.as_str(), path), ("VALIDATION", at), "{input}");
    }
    let input = json!({"input": {"subscriptionId": 9, "fromSequence": 1}});
    let (code, message, _) = house.refused(REPLAY, input).await;
    assert_eq!(code, "NOT_FOUND");
    assert_eq!(message, "there is no webhook subscription with id 9");
    let input = json!({"input": {"subscriptionId": 1, "fromSequence": 1}});
    let answer = house.ask_as(&house.viewer, REPLAY, input.clone()).await;
    assert_eq!(failure(&answer).0, "FORBIDDEN");
    let answer = house.ask_as(&house.operator, REPLAY, input.clone()).await;
    assert_eq!(answer["errors"], Value::Null);
    run(
        &house.db,
        "update rowhook.receivers set active = $1",
        [false.into()],
    )
    .await;
    let (code, message, _) = house.refused(REPLAY, input).await;
    assert_eq!(code, "CONFLICT");
    assert!(message.contains("activate it"), "{message}");
}
