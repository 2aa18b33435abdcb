//! Every GraphQL document of the pages that rowhook comes from runs as it is printed.

use serde_json::{Value, json};

use super::House;
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, EventRow},
};

on_both!(
    the_guide_registers_subscribes_and_looks_for_failures,
    the_manual_registers_subscribes_and_lists,
    the_manual_disables,
);

macro_rules! printed {
    ($name:literal) => {
        include_str!(concat!("reference/", $name))
    };
}

fn variables(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A document that was printed without its last braces.
fn closed(cut: &str) -> String {
    let open = cut.matches('{').count() - cut.matches('}').count();
    format!("{cut}{}", "}".repeat(open))
}

async fn the_guide_registers_subscribes_and_looks_for_failures(database: TestDatabase) {
    let house = House::of(database).await;
    let made = house
        .data(
            printed!("create_receiver.graphql"),
            variables(printed!("create_receiver.json")),
        )
        .await;
    let receiver = &made["createWebhookReceiver"]["webhookReceiver"];
    assert_eq!(receiver["name"], "Acme Production Pipeline");
    assert_eq!(
        receiver["webhookUri"],
        "https://hooks.example.com/ion-events"
    );
    assert!(
        receiver["sharedSecret"]
            .as_str()
            .unwrap()
            .starts_with("whsec_")
    );
    assert_eq!(receiver["contentType"], "json");
    assert_eq!(receiver["expectedResponseCode"], 200);

    let mut input = variables(printed!("subscribe.json"));
    input["input"]["receiverId"] = receiver["id"].clone();
    let made = house.data(printed!("subscribe.graphql"), input).await;
    let subscription = &made["createWebhookSubscription"]["webhookSubscription"];
    assert_eq!(
        *subscription,
        json!({"id": subscription["id"], "resource": "RUN_STEP", "action": "UPDATE", "active": true})
    );

    let id = subscription["id"].as_i64().unwrap();
    let event = failed_event(&house, i32::try_from(id).unwrap()).await;
    let found = house
        .data(
            printed!("failed_events.graphql"),
            json!({"subscriptionId": id}),
        )
        .await;
    assert_eq!(
        found["webhookEvents"],
        json!([{
            "id": event, "occurredAt": "2026-04-26T19:33:42.108Z", "requestData": null,
            "responseStatus": null, "responseData": null,
        }])
    );
}

async fn failed_event(house: &House, subscription_id: i32) -> i64 {
    let definition = r#"{"table":"public.run_steps","columns":[],"key":["id"],"etag":null,
        "exclude":[],"on_truncate":"rows"}"#;
    let resource_id = stored::insert_resource(&house.db, "RUN_STEP", definition, true).await;
    let event = EventRow {
        subscription_id,
        receiver_id: 1,
        sequence: Some(1),
        change_id: None,
        resource_id,
        action: 2,
        transaction_id: 77,
        occurred_at: "2026-04-26T19:33:42.108765Z".parse().unwrap(),
        row_id: "1234".to_owned(),
        state: 4,
        attempt_count: 0,
    };
    stored::insert_event(&house.db, event.clone()).await;
    let delivered = EventRow {
        state: 3,
        sequence: Some(2),
        ..event.clone()
    };
    stored::insert_event(&house.db, delivered).await;
    let failed = EventRow {
        sequence: Some(3),
        subscription_id: subscription_id + 1,
        ..event
    };
    stored::insert_event(&house.db, failed).await;
    1
}

async fn the_manual_registers_subscribes_and_lists(database: TestDatabase) {
    let house = House::of(database).await;
    let input = variables(printed!("manual_create_receiver.json"));
    let made = house
        .data(printed!("manual_create_receiver.graphql"), input.clone())
        .await;
    let receiver = &made["createWebhookReceiver"]["webhookReceiver"];
    assert_eq!(receiver["id"], 1);
    assert_eq!(receiver["active"], true);
    assert_eq!(receiver["subscriptions"], json!([]));
    assert_eq!(receiver["headers"], json!([]));
    let cut = closed(printed!("cut_create_receiver.graphql"));
    let again = house.data(&cut, input).await;
    assert_eq!(again["createWebhookReceiver"]["webhookReceiver"]["id"], 2);

    // "RUNS" is an alias: the record reads back the canonical name.
    let input = variables(printed!("manual_create_subscription.json"));
    for document in [
        printed!("manual_create_subscription.graphql"),
        &closed(printed!("cut_create_subscription.graphql")),
    ] {
        let made = house.data(document, input.clone()).await;
        let subscription = &made["createWebhookSubscription"]["webhookSubscription"];
        assert_eq!(subscription["resource"], "RUN");
        assert_eq!(subscription["action"], "CREATE");
        assert_eq!(subscription["receiverId"], 1);
        assert_eq!(subscription["events"], json!([]));
    }

    let listed = house
        .data(printed!("manual_receivers.graphql"), json!({}))
        .await;
    let node = &listed["webhookReceivers"]["edges"][0]["node"];
    assert_eq!(node["sharedSecret"], Value::Null, "shown once");
    assert_eq!(node["name"], "Our example server");
    assert!(node["_etag"].is_string());

    let listed = house
        .data(printed!("manual_subscriptions.graphql"), json!({}))
        .await;
    let node = &listed["webhookSubscriptions"]["edges"][1]["node"];
    assert_eq!(node["createdBy"], json!({"id": null, "name": "admin"}));
    assert_eq!(
        node["receiver"]["webhookUri"],
        "https://whoknows.where.this.leads"
    );
}

async fn the_manual_disables(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, etag) = house.receiver().await;
    let (subscription, subscription_etag) = house.subscription(receiver).await;
    let disable = |id: i64, etag: &str| json!({"input": {"id": id, "etag": etag, "active": false}});

    let document = closed(printed!("cut_disable_subscription.graphql"));
    let done = house
        .data(&document, disable(subscription, &subscription_etag))
        .await;
    let record = &done["updateWebhookSubscription"]["webhookSubscription"];
    assert_eq!(record["active"], false);
    assert_eq!(record["receiver"]["id"], receiver);
    assert_ne!(record["_etag"], json!(subscription_etag));

    let document = closed(printed!("cut_disable_receiver.graphql"));
    let done = house.data(&document, disable(receiver, &etag)).await;
    let record = &done["updateWebhookReceiver"]["webhookReceiver"];
    assert_eq!(record["active"], false);
    assert_eq!(record["subscriptions"][0]["id"], subscription);
    assert_ne!(record["_etag"], json!(etag));
}
