//! How receivers do, as the API shows it.

use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase, stored::run};

on_both!(each_state_has_its_reason);

const READ: &str = "{ webhookReceivers { edges { node { _etag health healthDetails {
    reason since failures failingSince lastError nextProbeAt } } } } }";

async fn read(house: &House) -> Value {
    let read = house.data(READ, json!({})).await;
    read["webhookReceivers"]["edges"][0]["node"].clone()
}

async fn switch(house: &House, etag: &Value, active: bool) {
    let update = "mutation($etag: String!, $active: Boolean!) { updateWebhookReceiver(
        input: {id: 1, etag: $etag, active: $active}) { webhookReceiver { id } } }";
    house
        .data(update, json!({"etag": etag, "active": active}))
        .await;
}

async fn each_state_has_its_reason(database: TestDatabase) {
    let house = House::of(database).await;
    let create = "mutation { createWebhookReceiver(input: {name: \"left\", webhookUri: \"https://left.example.com/\"})
        { webhookReceiver { id } } }";
    house.data(create, json!({})).await;
    let new = read(&house).await;
    assert_eq!(new["health"], "HEALTHY");
    let nothing = json!({"reason": null, "since": null, "failures": 0, "failingSince": null, "lastError": null,
        "nextProbeAt": null});
    assert_eq!(new["healthDetails"], nothing);

    // What a sender writes.
    let sql = "insert into rowhook.receiver_health (receiver_id, receiver_name, state, reason, since, failures,
            failing_since, last_error, probe_at, probe_pause_ms, revision) values
            (1, 'left', 'PROBING', '10 failures in a row', $1, 12, $1, 'answered 500', $1, 20000, 12)";
    let at: chrono::DateTime<chrono::Utc> = "2026-04-26T19:33:42Z".parse().unwrap();
    run(&house.db, sql, [at.into()]).await;
    let probed = read(&house).await;
    assert_eq!(probed["health"], "PROBING");
    let at = "2026-04-26T19:33:42.000Z";
    assert_eq!(
        probed["healthDetails"],
        json!({"reason": "10 failures in a row", "since": at, "failures": 12, "failingSince": at,
            "lastError": "answered 500", "nextProbeAt": at})
    );
    assert_eq!(probed["_etag"], new["_etag"], "it is no part of the record");

    switch(&house, &new["_etag"], false).await;
    let off = read(&house).await;
    assert_eq!(off["health"], "INACTIVE");
    let reason = off["healthDetails"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("switched off by "), "{reason}");
    assert_eq!(off["healthDetails"]["nextProbeAt"], Value::Null);

    switch(&house, &off["_etag"], true).await;
    let on = read(&house).await;
    assert_eq!(on["health"], "HEALTHY");
    assert_eq!(on["healthDetails"]["failures"], 0);
    assert_eq!(on["healthDetails"]["reason"], Value::Null);
}
