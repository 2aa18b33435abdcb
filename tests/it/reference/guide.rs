//! The developer guide: register, subscribe, look at what failed.

use serde_json::{Value, json};

use super::{Way, factory, printed, variables};
use crate::support::{both::on_both, database::TestDatabase, house::House, receiver::Answer};

on_both!(
    the_guide_registers_subscribes_and_looks_for_failures,
    inputs_and_resources_have_two_names_each,
);

/// What the guide's receiver answers while it is broken.
const FAULT: &str = "{\"error\": \"no such step: \\\"7\\\" § down\"}";

async fn the_guide_registers_subscribes_and_looks_for_failures(database: TestDatabase) {
    let house = factory(database).await;
    for mut way in Way::both(&house) {
        let made = way
            .data(
                &house,
                printed!("create_receiver.graphql"),
                &variables(printed!("create_receiver.json")),
            )
            .await;
        let receiver = &made["createWebhookReceiver"]["webhookReceiver"];
        let secret = receiver["sharedSecret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_"));
        assert_eq!(
            *receiver,
            json!({
                "id": receiver["id"], "name": "Acme Production Pipeline",
                "webhookUri": "https://hooks.example.com/ion-events", "sharedSecret": secret,
                "contentType": "json", "expectedResponseCode": 200,
            })
        );
        let subscription = subscribed_for_real(&house, &mut way).await;
        failures_are_found(&house, &mut way, &subscription).await;
    }
}

/// The guide's receiver at an address that is ours, with one attempt per event, and the guide's
/// subscription. Returns its id.
async fn subscribed_for_real(house: &House, way: &mut Way) -> Value {
    let path = format!("/{}", way.name());
    let mut input = variables(printed!("create_receiver.json"));
    input["input"]["webhookUri"] = house.receiver.uri(&path).into();
    let made = way
        .data(house, printed!("create_receiver.graphql"), &input)
        .await;
    let receiver = &made["createWebhookReceiver"]["webhookReceiver"];
    let secret = receiver["sharedSecret"].as_str().unwrap();
    house.receiver.expect_signed(&path, secret);
    let once = "retryPolicy: {maxAttempts: 1}";
    house
        .update("Receiver", receiver["id"].as_i64().unwrap(), once)
        .await;

    let mut input = variables(printed!("subscribe.json"));
    input["input"]["receiverId"] = receiver["id"].clone();
    let made = way.data(house, printed!("subscribe.graphql"), &input).await;
    let subscription = &made["createWebhookSubscription"]["webhookSubscription"];
    let id = &subscription["id"];
    assert_eq!(
        *subscription,
        json!({"id": id, "resource": "RUN_STEP", "action": "UPDATE", "active": true})
    );
    id.clone()
}

async fn failures_are_found(house: &House, way: &mut Way, subscription: &Value) {
    let path = format!("/{}", way.name());
    let failed = printed!("failed_events.graphql");
    let asked = json!({"subscriptionId": subscription});
    let none = way.data(house, failed, &asked).await;
    assert_eq!(none["webhookEvents"], json!([]));

    house.receiver.answer(|_| Answer::Saying(500, FAULT));
    let change =
        |status: &str| format!("update run_steps set status = '{status} over {path}' where id = 1");
    house.sql(&change("failed")).await;
    let of_this = format!("subscriptionId: {subscription}, status: ");
    house
        .wait_for_count(&format!("{of_this}\"failed\""), 1)
        .await;
    // One that arrives is no failure.
    house.receiver.answer(|_| Answer::Status(200));
    house.sql(&change("complete")).await;
    house
        .wait_for_count(&format!("{of_this}\"delivered\""), 1)
        .await;

    let deliveries = house.receiver.deliveries();
    let sent = deliveries
        .iter()
        .find(|delivery| delivery.path == path)
        .unwrap();
    assert_eq!(sent.data()["new"]["status"], format!("failed over {path}"));
    let found = way.data(house, failed, &asked).await;
    assert_eq!(
        found["webhookEvents"],
        json!([{
            "id": sent.event_id(), "occurredAt": sent.body["occurred_at"],
            "requestData": sent.text, "responseStatus": 500, "responseData": FAULT,
        }]),
        "{}",
        way.name()
    );
}

async fn inputs_and_resources_have_two_names_each(database: TestDatabase) {
    let house = factory(database).await;
    for mut way in Way::both(&house) {
        // The shorter and the longer name of each input, for the same record.
        let input = variables(printed!("create_receiver.json"));
        let short = printed!("create_receiver.graphql");
        let long = short.replace("WebhookReceiverInput", "CreateWebhookReceiverInput");
        assert_ne!(short, long);
        for document in [short, &long] {
            let made = way.data(&house, document, &input).await;
            let receiver = &made["createWebhookReceiver"]["webhookReceiver"];
            for (name, singular) in [("RUN_STEPS", "RUN_STEP"), ("RUN_STEP", "RUN_STEP")] {
                let mut input = variables(printed!("subscribe.json"));
                input["input"]["receiverId"] = receiver["id"].clone();
                input["input"]["resource"] = name.into();
                let short = printed!("subscribe.graphql");
                let long =
                    short.replace("WebhookSubscriptionInput", "CreateWebhookSubscriptionInput");
                for document in [short, &long] {
                    let made = way.data(&house, document, &input).await;
                    let subscription = &made["createWebhookSubscription"]["webhookSubscription"];
                    assert_eq!(subscription["resource"], singular);
                }
            }
        }
    }
}
