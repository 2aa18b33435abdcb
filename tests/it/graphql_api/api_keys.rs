//! API keys through the API: shown once, good at once, gone at once.

use serde_json::{Value, json};

use super::{House, failure};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    a_key_is_shown_once_and_works,
    a_revoked_key_is_refused,
    the_last_way_in_stays,
    names_have_rules,
);

const CREATE: &str = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    key apiKey { id name role prefix createdAt lastUsedAt revokedAt } } }";
const REVOKE: &str =
    "mutation($id: Int!) { revokeApiKey(id: $id) { apiKey { id name revokedAt } } }";
const LIST: &str = "{ apiKeys { id name role prefix createdAt lastUsedAt revokedAt } }";

async fn created(house: &House, name: &str, role: &str) -> (String, Value) {
    let input = json!({"input": {"name": name, "role": role}});
    let made = house.data(CREATE, input).await;
    let made = &made["createApiKey"];
    (
        made["key"].as_str().unwrap().to_owned(),
        made["apiKey"].clone(),
    )
}

async fn a_key_is_shown_once_and_works(database: TestDatabase) {
    let house = House::of(database).await;
    for role in ["viewer", "operator", "admin"] {
        let (key, record) = created(&house, " ci ", role).await;
        assert_eq!(
            (&record["name"], &record["role"]),
            (&json!("ci"), &json!(role))
        );
        assert!(key.starts_with(record["prefix"].as_str().unwrap()));
        assert_eq!(
            (&record["lastUsedAt"], &record["revokedAt"]),
            (&Value::Null, &Value::Null)
        );
        let who = house
            .ask_as(&key, "{ currentUser { id name role } }", json!({}))
            .await;
        let user = json!({"id": record["id"], "name": "ci", "role": role});
        assert_eq!(who["data"]["currentUser"], user);
        let list = house.ask_as(&key, LIST, json!({})).await;
        if role == "admin" {
            let all = list["data"]["apiKeys"].as_array().unwrap();
            assert_eq!(all.len(), 5, "those two of the house's too");
            let last = &all[4];
            assert_eq!(
                (&last["id"], &last["prefix"]),
                (&record["id"], &record["prefix"])
            );
            assert!(!list.to_string().contains(&key));
        } else {
            assert_eq!(failure(&list).0, "FORBIDDEN", "{role}");
        }
    }
}

async fn a_revoked_key_is_refused(database: TestDatabase) {
    let house = House::of(database).await;
    let (key, record) = created(&house, "ci", "admin").await;
    // By itself: there is the configured one.
    let id = json!({"id": record["id"]});
    let done = house.ask_as(&key, REVOKE, id.clone()).await;
    let first = done["data"]["revokeApiKey"]["apiKey"].clone();
    assert_eq!(first["id"], record["id"], "{done}");
    assert!(first["revokedAt"].is_string());
    let body = json!({"query": LIST}).to_string();
    assert_eq!(house.post(&key, &body).await.status, 401);
    let again = house.data(REVOKE, id).await;
    assert_eq!(
        again["revokeApiKey"]["apiKey"], first,
        "the first time stays"
    );
    let (code, message, _) = house.refused(REVOKE, json!({"id": 999})).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("NOT_FOUND", "there is no API key with id 999")
    );
}

async fn the_last_way_in_stays(database: TestDatabase) {
    let house = House::with(database, |services| services.has_configured_admin = false).await;
    let (key, record) = created(&house, "only", "admin").await;
    let own = json!({"id": record["id"]});
    let (code, message, _) = failure(&house.ask_as(&key, REVOKE, own.clone()).await);
    assert_eq!(code, "CONFLICT");
    assert!(
        message.contains("last way in") && message.contains("createApiKey"),
        "{message}"
    );
    let (second, _) = created(&house, "second", "admin").await;
    let done = house.ask_as(&key, REVOKE, own).await;
    assert!(
        done["data"]["revokeApiKey"]["apiKey"]["revokedAt"].is_string(),
        "{done}"
    );
    let good = "select name from rowhook.api_keys where revoked_at is null and role = 'admin'";
    assert_eq!(stored::texts(&house.db, good).await, ["second"]);
    assert!(house.ask_as(&second, LIST, json!({})).await["errors"].is_null());
}

async fn names_have_rules(database: TestDatabase) {
    let house = House::of(database).await;
    for wrong in ["", "  ", &"x".repeat(256)] {
        let input = json!({"input": {"name": wrong, "role": "viewer"}});
        let (code, _, path) = house.refused(CREATE, input).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", "name"]))
        );
    }
    let input = json!({"input": {"name": "a", "role": "owner"}});
    let (code, _, path) = house.refused(CREATE, input).await;
    assert_eq!(
        (code.as_str(), path),
        ("VALIDATION", json!(["input", "role"]))
    );
    created(&house, &"x".repeat(255), "viewer").await;
}
