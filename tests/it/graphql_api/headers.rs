//! Headers through their own mutations: the same rules as beside the receiver, and updates under an etag.

use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase};

on_both!(
    a_header_is_made_changed_and_deleted,
    a_name_is_one_header,
    each_rule_names_its_field,
    a_stale_etag_conflicts,
);

const CREATE: &str =
    "mutation($input: CreateWebhookHeaderInput!) { createWebhookHeader(input: $input) {
    webhookHeader { id key value _etag } webhookReceiver { headers { key value } } } }";
const UPDATE: &str =
    "mutation($input: UpdateWebhookHeaderInput!) { updateWebhookHeader(input: $input) {
    webhookHeader { id key value _etag } webhookReceiver { headers { key value } } } }";
const DELETE: &str =
    "mutation($input: DeleteWebhookHeaderInput!) { deleteWebhookHeader(input: $input) {
    webhookHeader { id key value } webhookReceiver { headers { id } } } }";

async fn header(house: &House, receiver: i64, key: &str) -> Value {
    let input = json!({"input": {"receiverId": receiver, "key": key, "value": "one"}});
    let made = house.data(CREATE, input).await;
    made["createWebhookHeader"]["webhookHeader"].clone()
}

async fn a_header_is_made_changed_and_deleted(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let made = header(&house, receiver, "X-Api-Key").await;
    assert_eq!(
        (&made["key"], &made["value"]),
        (&json!("x-api-key"), &json!("one"))
    );
    let id = &made["id"];

    let input = json!({"input": {"id": id, "etag": made["_etag"], "value": " two "}});
    let done = house.data(UPDATE, input).await["updateWebhookHeader"].take();
    let after = &done["webhookHeader"];
    assert_eq!(
        (&after["key"], &after["value"]),
        (&json!("x-api-key"), &json!("two"))
    );
    assert_ne!(after["_etag"], made["_etag"]);
    let shown = json!([{"key": "x-api-key", "value": "two"}]);
    assert_eq!(done["webhookReceiver"]["headers"], shown);

    let input = json!({"input": {"id": id, "etag": after["_etag"], "key": "X-Other"}});
    let done = house.data(UPDATE, input).await["updateWebhookHeader"].take();
    let after = &done["webhookHeader"];
    assert_eq!(
        (&after["key"], &after["value"]),
        (&json!("x-other"), &json!("two"))
    );
    assert_eq!(after["id"], *id);

    let gone = house.data(DELETE, json!({"input": {"id": id}})).await;
    let gone = &gone["deleteWebhookHeader"];
    assert_eq!(gone["webhookHeader"]["value"], "two");
    assert_eq!(gone["webhookReceiver"]["headers"], json!([]));
    let (code, message, _) = house.refused(DELETE, json!({"input": {"id": id}})).await;
    assert_eq!(code, "NOT_FOUND");
    assert_eq!(message, format!("there is no webhook header with id {id}"));
}

async fn a_name_is_one_header(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let (other, _) = house.receiver().await;
    header(&house, receiver, "x-a").await;
    let second = header(&house, receiver, "x-b").await;
    header(&house, other, "x-a").await;
    let create = json!({"input": {"receiverId": receiver, "key": "X-A", "value": "hunter2"}});
    let update = json!({"input": {"id": second["id"], "etag": second["_etag"], "key": "X-A"}});
    let add = "mutation($input: AddHeaderToWebhookReceiverInput!) {
        addHeaderToWebhookReceiver(input: $input) { webhookHeader { id } } }";
    for (document, input) in [(CREATE, &create), (add, &create), (UPDATE, &update)] {
        let (code, message, path) = house.refused(document, input.clone()).await;
        assert_eq!((code.as_str(), path), ("CONFLICT", json!(["input", "key"])));
        let says = format!("webhook receiver {receiver} already has a header x-a");
        assert!(message.starts_with(&says), "{message}");
        assert!(
            !message.contains("hunter2") && !message.contains("since"),
            "{message}"
        );
    }
    // Its own name in other letters is no second one.
    let same = json!({"input": {"id": second["id"], "etag": second["_etag"], "key": "X-B"}});
    house.data(UPDATE, same).await;
}

async fn each_rule_names_its_field(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let made = header(&house, receiver, "x-a").await;
    for (field, wrong) in [
        ("key", json!("")),
        ("key", json!("a b")),
        ("key", json!("x\r\ny")),
        ("key", json!("x".repeat(257))),
        ("key", json!("Host")),
        ("key", json!("Connection")),
        ("key", json!("Transfer-Encoding")),
        ("key", json!("webhook-signature")),
        ("key", json!("X-Ion-Signature-Previous")),
        ("key", json!("x-rowhook-anything")),
        ("value", json!("hunter2\r\nx-b: c")),
        ("value", json!("hunter2\u{7f}")),
        ("value", json!("hunter2".repeat(1200))),
        ("key", Value::Null),
        ("value", Value::Null),
    ] {
        let mut input = json!({"id": made["id"], "etag": made["_etag"]});
        input[field] = wrong.clone();
        let (code, message, path) = house.refused(UPDATE, json!({"input": input})).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", field])),
            "{wrong}"
        );
        assert!(!message.contains("hunter2"), "{message}");
        let mut input = json!({"receiverId": receiver, "key": "x-b", "value": "b"});
        input[field] = wrong.clone();
        let (code, message, path) = house.refused(CREATE, json!({"input": input})).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", field])),
            "{wrong}"
        );
        assert!(!message.contains("hunter2"), "{message}");
    }
}

async fn a_stale_etag_conflicts(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let made = header(&house, receiver, "x-a").await;
    let change = json!({"input": {"id": made["id"], "etag": made["_etag"], "value": "two"}});
    house.data(UPDATE, change.clone()).await;
    let (code, message, path) = house.refused(UPDATE, change).await;
    assert_eq!(
        (code.as_str(), path),
        ("CONFLICT", json!(["input", "etag"]))
    );
    assert!(
        message.contains("has changed since you read it"),
        "{message}"
    );
    let nowhere = json!({"input": {"id": 999, "etag": "", "value": "two"}});
    assert_eq!(house.refused(UPDATE, nowhere).await.0, "NOT_FOUND");
}
