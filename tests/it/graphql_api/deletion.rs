//! Deleting through the API: what goes, what stays to be read, and what can no longer be done.

use serde_json::{Value, json};

use super::House;
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, EventRow},
};

on_both!(
    a_deleted_receiver_is_gone_and_its_log_stays,
    a_deleted_subscription_is_gone_and_its_log_stays,
    an_etag_that_is_given_must_hold,
    what_is_deleted_takes_no_more_changes,
);

const READY: i16 = 0;
const WAITING: i16 = 1;
const PARKED: i16 = 2;
const DELIVERED: i16 = 3;
const FAILED: i16 = 4;

fn delete(kind: &str) -> String {
    format!(
        "mutation($input: DeleteWebhook{kind}Input!) {{ deleteWebhook{kind}(input: $input) {{
           webhook{kind} {{ id active _etag updatedBy {{ name }} }} }} }}"
    )
}

/// An event of each state; their ids.
async fn events(house: &House, receiver: i64, subscription: i64) -> Vec<i64> {
    let definition =
        r#"{"table":"t","columns":[],"key":["id"],"etag":null,"exclude":[],"on_truncate":"rows"}"#;
    let resource_id = stored::insert_resource(&house.db, "RUN_STEP", definition, false).await;
    let mut ids = Vec::new();
    for state in [READY, WAITING, PARKED, DELIVERED, FAILED] {
        let event = EventRow {
            subscription_id: i32::try_from(subscription).unwrap(),
            receiver_id: i32::try_from(receiver).unwrap(),
            sequence: None,
            change_id: None,
            resource_id,
            action: 2,
            transaction_id: 1,
            occurred_at: chrono::Utc::now(),
            row_id: "1".to_owned(),
            state,
            attempt_count: 0,
        };
        ids.push(stored::insert_event(&house.db, event).await);
    }
    ids
}

async fn statuses(house: &House, filter: &str) -> Vec<Value> {
    let query = format!(
        "{{ webhookEvents(filters: {{{filter}}}) {{ id status nextAttemptAt
           subscription {{ id resource active receiver {{ name }} }}
           receiver {{ id name webhookUri active inactiveReason }} }} }}"
    );
    let mut read = house.data(&query, json!({})).await;
    let mut all = read["webhookEvents"].take().as_array().unwrap().clone();
    all.reverse();
    all
}

async fn a_deleted_receiver_is_gone_and_its_log_stays(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let (other, _) = house.receiver().await;
    let (subscription, _) = house.subscription(receiver).await;
    let (others, _) = house.subscription(other).await;
    events(&house, receiver, subscription).await;
    events(&house, other, others).await;
    let input = json!({"input": {"id": receiver}});
    let done = house.data(&delete("Receiver"), input.clone()).await;
    let record = &done["deleteWebhookReceiver"]["webhookReceiver"];
    assert_eq!(
        (&record["id"], &record["active"]),
        (&json!(receiver), &json!(false))
    );
    assert_eq!(record["updatedBy"]["name"], "admin");

    let seen: Vec<Value> = statuses(&house, &format!("receiverId: {receiver}")).await;
    let words: Vec<&str> = seen.iter().map(|e| e["status"].as_str().unwrap()).collect();
    assert_eq!(
        words,
        ["cancelled", "cancelled", "cancelled", "delivered", "failed"]
    );
    for event in &seen {
        assert_eq!(event["nextAttemptAt"], Value::Null);
        let name = json!({"name": "orders"});
        assert_eq!(
            event["subscription"],
            json!({"id": subscription, "resource": "RUN_STEP", "active": false, "receiver": name})
        );
        assert_eq!(
            event["receiver"],
            json!({"id": receiver, "name": "orders", "webhookUri": "https://hooks.example.com/in",
                   "active": false, "inactiveReason": "the receiver was deleted"})
        );
    }
    let rest: Vec<Value> = statuses(&house, &format!("receiverId: {other}")).await;
    assert!(
        rest[..3].iter().all(|event| event["status"] == "pending"),
        "{rest:?}"
    );

    let lists = house
        .data(
            "{ webhookReceivers { edges { node { id } } } webhookSubscriptions { edges { node { id } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        lists["webhookReceivers"]["edges"],
        json!([{"node": {"id": other}}])
    );
    assert_eq!(
        lists["webhookSubscriptions"]["edges"],
        json!([{"node": {"id": others}}])
    );
    let (code, message, _) = house.refused(&delete("Receiver"), input).await;
    assert_eq!(code, "NOT_FOUND");
    assert_eq!(
        message,
        format!("there is no webhook receiver with id {receiver}")
    );
}

async fn a_deleted_subscription_is_gone_and_its_log_stays(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let (subscription, _) = house.subscription(receiver).await;
    let (sibling, _) = house.subscription(receiver).await;
    events(&house, receiver, subscription).await;
    events(&house, receiver, sibling).await;
    let input = json!({"input": {"id": subscription}});
    let done = house.data(&delete("Subscription"), input.clone()).await;
    let record = &done["deleteWebhookSubscription"]["webhookSubscription"];
    assert_eq!(
        (&record["id"], &record["active"]),
        (&json!(subscription), &json!(false))
    );
    let seen: Vec<Value> = statuses(&house, &format!("subscriptionId: {subscription}")).await;
    let words: Vec<&str> = seen.iter().map(|e| e["status"].as_str().unwrap()).collect();
    assert_eq!(
        words,
        ["cancelled", "cancelled", "cancelled", "delivered", "failed"]
    );
    assert_eq!(seen[0]["subscription"]["id"], subscription);
    assert_eq!(seen[0]["receiver"]["active"], true);
    let rest: Vec<Value> = statuses(&house, &format!("subscriptionId: {sibling}")).await;
    assert!(
        rest[..3].iter().all(|event| event["status"] == "pending"),
        "{rest:?}"
    );
    let (code, _, _) = house.refused(&delete("Subscription"), input).await;
    assert_eq!(code, "NOT_FOUND");
}

async fn an_etag_that_is_given_must_hold(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, etag) = house.receiver().await;
    let (subscription, its_etag) = house.subscription(receiver).await;
    for (kind, id, etag) in [
        ("Subscription", subscription, its_etag),
        ("Receiver", receiver, etag),
    ] {
        let stale = json!({"input": {"id": id, "etag": "another"}});
        let (code, message, path) = house.refused(&delete(kind), stale).await;
        assert_eq!(
            (code.as_str(), path),
            ("CONFLICT", json!(["input", "etag"]))
        );
        assert!(
            message.contains("has changed since you read it"),
            "{message}"
        );
        let right = json!({"input": {"id": id, "etag": etag}});
        house.data(&delete(kind), right).await;
    }
}

async fn what_is_deleted_takes_no_more_changes(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let (subscription, _) = house.subscription(receiver).await;
    let add = "mutation($to: Int!) { createWebhookHeader(input: {
        receiverId: $to, key: \"x-a\", value: \"1\"}) { webhookHeader { id _etag } } }";
    let header = house.data(add, json!({"to": receiver})).await;
    let header = &header["createWebhookHeader"]["webhookHeader"];
    let done = house
        .data(&delete("Receiver"), json!({"input": {"id": receiver}}))
        .await;
    let etag = &done["deleteWebhookReceiver"]["webhookReceiver"]["_etag"];
    for mutation in [
        format!("updateWebhookReceiver(input: {{id: {receiver}, etag: {etag}, active: true}}) {{
            webhookReceiver {{ id }} }}"),
        format!("rotateWebhookReceiverSecret(input: {{id: {receiver}}}) {{ webhookReceiver {{ id }} }}"),
        format!("createWebhookSubscription(input: {{receiverId: {receiver}, resource: RUN, action: CREATE}})
            {{ webhookSubscription {{ id }} }}"),
        format!("updateWebhookSubscription(input: {{id: {subscription}, etag: \"x\", active: true}}) {{
            webhookSubscription {{ id }} }}"),
        format!("createWebhookHeader(input: {{receiverId: {receiver}, key: \"x-b\", value: \"1\"}}) {{
            webhookHeader {{ id }} }}"),
        format!("updateWebhookHeader(input: {{id: {}, etag: {}, value: \"2\"}}) {{
            webhookHeader {{ id }} }}", header["id"], header["_etag"]),
        format!("deleteWebhookHeader(input: {{id: {}}}) {{ webhookHeader {{ id }} }}", header["id"]),
        format!("deleteWebhookSubscription(input: {{id: {subscription}}}) {{ webhookSubscription {{ id }} }}"),
    ] {
        let (code, message, _) = house.refused(&format!("mutation {{ {mutation} }}"), json!({})).await;
        assert_eq!(code, "NOT_FOUND", "{mutation}: {message}");
    }
}
