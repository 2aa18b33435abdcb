//! Each error code of the contract, as a client meets it: one table to read them all.

use serde_json::{Value, json};

use super::{ADMIN, House, failure};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(each_code_is_met);

const CREATE: &str = "mutation($uri: String!) { createWebhookReceiver(
    input: {name: \"a\", webhookUri: $uri}) { webhookReceiver { id } } }";
const UPDATE: &str = "mutation($etag: String!) { updateWebhookReceiver(
    input: {id: 1, etag: $etag, name: \"b\"}) { webhookReceiver { id } } }";

async fn each_code_is_met(database: TestDatabase) {
    let house = House::of(database).await;
    house.receiver().await;
    let answer = house
        .post("nobody's", r#"{"query": "{ __typename }"}"#)
        .await;
    assert_eq!(answer.status, 401);
    let (code, message, _) = failure(&answer.json());
    assert_eq!(code, "UNAUTHENTICATED", "{message}");
    let nothing = || json!({});
    let https = json!({"uri": "https://hooks.example.com/in"});
    let http = json!({"uri": "http://hooks.example.com/in"});
    for (key, document, variables, code, path, words) in [
        (
            &*house.viewer,
            CREATE,
            https,
            "FORBIDDEN",
            Value::Null,
            "needs a key with role admin",
        ),
        (
            ADMIN,
            "{ webhookReceiver(id: 7) { id } }",
            nothing(),
            "NOT_FOUND",
            Value::Null,
            "webhook receiver with id 7",
        ),
        (
            ADMIN,
            UPDATE,
            json!({"etag": "old"}),
            "CONFLICT",
            json!(["input", "etag"]),
            "changed since",
        ),
        (
            ADMIN,
            CREATE,
            http,
            "VALIDATION",
            json!(["input", "webhookUri"]),
            "https",
        ),
        (
            ADMIN,
            "query($name: String) { webhookReceivers(filters: {name: $name}) { pageInfo { count } } }",
            json!({"name": "a\0"}),
            "VALIDATION",
            json!(["name"]),
            "NUL",
        ),
        (
            ADMIN,
            "{ webhookEvents(limit: 1001) { id } }",
            nothing(),
            "LIMIT",
            json!(["limit"]),
            "1000",
        ),
        (
            ADMIN,
            "{ webhookReceivers(first: 1000) { edges { node {
               subscriptions { events(limit: 1000) { id } } } } } }",
            nothing(),
            "LIMIT",
            Value::Null,
            "smaller pages",
        ),
    ] {
        let found = failure(&house.ask_as(key, document, variables).await);
        assert_eq!(
            (&*found.0, &found.2),
            (code, &path),
            "{document}: {}",
            found.1
        );
        assert!(found.1.contains(words), "{document}: {}", found.1);
    }
    // Something that should not be: the client gets a number to tell, and no innards.
    stored::run(&house.db, "alter table rowhook.events rename to away", []).await;
    let (code, message, path) = house.refused("{ webhookEvents { id } }", json!({})).await;
    assert_eq!((&*code, path), ("INTERNAL", Value::Null), "{message}");
    assert!(message.contains("under the id "), "{message}");
    assert!(
        !message.contains("rowhook.") && !message.contains("rowhook_"),
        "{message}"
    );
}
