//! Finding receivers: by what stands in them, and by how they do.

use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase, stored::run};

on_both!(
    receivers_are_found_by_their_texts,
    receivers_are_found_by_their_health
);

async fn create(house: &House, name: &str, description: Option<&str>, uri: &str, active: bool) {
    let input = json!({"input": {"name": name, "description": description, "webhookUri": uri, "active": active}});
    let create = "mutation($input: CreateWebhookReceiverInput!) {
        createWebhookReceiver(input: $input) { webhookReceiver { id } } }";
    house.data(create, input).await;
}

async fn found(house: &House, filters: Value) -> Vec<String> {
    let read = "query($filters: WebhookReceiverFilters) { webhookReceivers(filters: $filters) {
        edges { node { name } } pageInfo { totalCount } } }";
    let read = house.data(read, json!({"filters": filters})).await;
    let list = &read["webhookReceivers"];
    let edges = list["edges"].as_array().unwrap();
    assert_eq!(list["pageInfo"]["totalCount"], edges.len());
    let name = |edge: &Value| edge["node"]["name"].as_str().unwrap().to_owned();
    edges.iter().map(name).collect()
}

async fn receivers_are_found_by_their_texts(database: TestDatabase) {
    let house = House::of(database).await;
    create(
        &house,
        "Orders",
        Some("Warehouse NORTH"),
        "https://a.example.com/in",
        true,
    )
    .await;
    create(
        &house,
        "Parts 50%_off",
        None,
        "https://b.example.com/Orders",
        false,
    )
    .await;
    create(
        &house,
        "Überweisung",
        Some(""),
        "https://c.example.com/",
        true,
    )
    .await;
    let search = async |text: &str| found(&house, json!({"search": text})).await;
    assert_eq!(search("oRDERs").await, ["Orders", "Parts 50%_off"]);
    assert_eq!(search("warehouse n").await, ["Orders"]);
    assert_eq!(search("C.EXAMPLE").await, ["Überweisung"]);
    assert_eq!(search("Überw").await, ["Überweisung"]);
    // No letter of it is a pattern.
    assert_eq!(search("0%_o").await, ["Parts 50%_off"]);
    assert_eq!(search("%").await, ["Parts 50%_off"]);
    assert_eq!(search("nobody").await, [""; 0]);
    assert_eq!(search("").await.len(), 3);
    let both = json!({"search": "orders", "active": true});
    assert_eq!(found(&house, both).await, ["Orders"]);
    let long = json!({"filters": {"search": "x".repeat(2049)}});
    let read = "query($filters: WebhookReceiverFilters) { webhookReceivers(filters: $filters) { edges { cursor } } }";
    let (code, _, path) = house.refused(read, long).await;
    assert_eq!(
        (code.as_str(), path),
        ("VALIDATION", json!(["filters", "search"]))
    );
}

async fn receivers_are_found_by_their_health(database: TestDatabase) {
    let house = House::of(database).await;
    for name in ["never tried", "well again", "failing", "probed"] {
        create(&house, name, None, "https://a.example.com/in", true).await;
    }
    create(&house, "off", None, "https://a.example.com/in", false).await;
    for (id, state, failures, probed) in [
        (2, "HEALTHY", 0, false),
        (3, "FAILING", 3, false),
        (4, "PROBING", 12, true),
        // What was seen of it before it was switched off.
        (5, "PROBING", 12, true),
    ] {
        let sql = "insert into rowhook.receiver_health (receiver_id, receiver_name, state, since, failures,
                failing_since, last_error, probe_at, probe_pause_ms, revision)
            values ($1, 'r', $2, $3, $4, case when $4 > 0 then $3 end, 'no',
                    case when $5 then $3 end, case when $5 then 20000 end, 1)
            on conflict (receiver_id) do update set state = excluded.state, failures = excluded.failures,
                failing_since = excluded.failing_since, probe_at = excluded.probe_at,
                probe_pause_ms = excluded.probe_pause_ms";
        let now = chrono::Utc::now();
        let values = [
            id.into(),
            state.into(),
            now.into(),
            failures.into(),
            probed.into(),
        ];
        run(&house.db, sql, values).await;
    }
    let with = async |health: &[&str]| found(&house, json!({"health": health})).await;
    assert_eq!(with(&["HEALTHY"]).await, ["never tried", "well again"]);
    assert_eq!(with(&["FAILING"]).await, ["failing"]);
    assert_eq!(with(&["PROBING"]).await, ["probed"]);
    assert_eq!(with(&["INACTIVE"]).await, ["off"]);
    assert_eq!(
        with(&["PROBING", "FAILING", "INACTIVE"]).await,
        ["failing", "probed", "off"]
    );
    assert_eq!(
        with(&["HEALTHY", "FAILING", "PROBING", "INACTIVE"])
            .await
            .len(),
        5
    );
    assert_eq!(found(&house, json!({"health": null})).await.len(), 5);
    // The list says of each what it was found by.
    let read =
        "{ webhookReceivers(filters: {health: [FAILING, PROBING]}) { edges { node { health } } } }";
    let read = house.data(read, json!({})).await;
    let states: Vec<_> = read["webhookReceivers"]["edges"]
        .as_array()
        .unwrap()
        .clone();
    let states: Vec<_> = states.iter().map(|edge| &edge["node"]["health"]).collect();
    assert_eq!(states, ["FAILING", "PROBING"]);
    let none = "{ webhookReceivers(filters: {health: []}) { edges { cursor } } }";
    let (code, _, path) = house.refused(none, json!({})).await;
    assert_eq!(
        (code.as_str(), path),
        ("VALIDATION", json!(["filters", "health"]))
    );
}
