//! What a receiver answered last, as the API shows it.

use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase, stored::run};

on_both!(it_stands_on_the_record);

const READ: &str = "{ webhookReceivers(sort: {field: CREATED_AT}) { edges { node { lastAttempt {
    eventId startedAt durationMs responseStatus error } } } } }";

async fn it_stands_on_the_record(database: TestDatabase) {
    let house = House::of(database).await;
    for _ in 0..3 {
        house.receiver().await;
    }
    let sql = "insert into rowhook.events (subscription_id, receiver_id, sequence, resource_id, action,
            transaction_id, occurred_at, created_at, row_id, row_hash, state, attempted_at, duration_ms,
            response_status, error) values
            (1, 1, 1, 1, 2, 1, $1, $1, '1', 1, 3, $1, 12, 204, null),
            (1, 2, 2, 1, 2, 1, $1, $1, '1', 1, 1, $1, 5000, null, 'no complete answer within 5000 ms')";
    let at: chrono::DateTime<chrono::Utc> = "2026-04-26T19:33:42Z".parse().unwrap();
    run(&house.db, sql, [at.into()]).await;
    let read = house.data(READ, json!({})).await;
    let found: Vec<&Value> = read["webhookReceivers"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| &edge["node"]["lastAttempt"])
        .collect();
    let at = "2026-04-26T19:33:42.000Z";
    assert_eq!(
        found,
        [
            &json!({"eventId": 1, "startedAt": at, "durationMs": 12, "responseStatus": 204, "error": null}),
            &json!({"eventId": 2, "startedAt": at, "durationMs": 5000, "responseStatus": null,
                "error": "no complete answer within 5000 ms"}),
            &Value::Null,
        ]
    );
}
