//! Subscriptions through the API: resources and their aliases, changedFields, updates.

use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase};

on_both!(
    an_alias_reads_back_the_canonical_name,
    unknown_resources_are_refused,
    changed_fields_are_columns_of_an_update,
    updates_leave_set_and_set_back,
);

const CREATE: &str = "mutation($input: CreateWebhookSubscriptionInput!) {
    createWebhookSubscription(input: $input) { webhookSubscription {
      id resource action active changedFields receiverId receiver { id name }
      createdBy { name } updatedBy { name } createdAt updatedAt _etag } } }";

const UPDATE: &str = "mutation($input: UpdateWebhookSubscriptionInput!) {
    updateWebhookSubscription(input: $input) { webhookSubscription {
      id resource action active changedFields receiverId receiver { id name }
      createdBy { name } updatedBy { name } createdAt updatedAt _etag } } }";

async fn created(house: &House, input: Value) -> Value {
    let made = house.data(CREATE, json!({"input": input})).await;
    made["createWebhookSubscription"]["webhookSubscription"].clone()
}

async fn an_alias_reads_back_the_canonical_name(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    for given in ["RUN", "RUNS"] {
        let input = json!({"receiverId": receiver, "resource": given, "action": "CREATE"});
        let made = created(&house, input).await;
        assert_eq!(made["resource"], "RUN", "{given} in a variable");
        assert_eq!(made["active"], true);
        assert_eq!(made["receiver"], json!({"id": receiver, "name": "orders"}));
        let literal = format!(
            "mutation($to: Int!) {{ createWebhookSubscription(input: {{
               receiverId: $to, resource: {given}, action: DELETE, active: false
             }}) {{ webhookSubscription {{ resource action active }} }} }}"
        );
        let made = house.data(&literal, json!({"to": receiver})).await;
        assert_eq!(
            made["createWebhookSubscription"]["webhookSubscription"],
            json!({"resource": "RUN", "action": "DELETE", "active": false})
        );
        let listed = house
            .data(
                "query($r: ResourceEnum) { webhookSubscriptions(filters: {resource: $r}) {
                   pageInfo { totalCount } } }",
                json!({"r": given}),
            )
            .await;
        assert!(
            listed["webhookSubscriptions"]["pageInfo"]["totalCount"]
                .as_i64()
                .unwrap()
                > 0
        );
    }
    let resources = house
        .data(
            "{ webhookResources { name table key columns aliases } webhookSourceIps }",
            json!({}),
        )
        .await;
    assert_eq!(
        resources["webhookResources"][0],
        json!({"name": "RUN", "table": "public.runs", "key": ["id"],
               "columns": ["id", "status", "completed_at", "_etag"], "aliases": ["RUNS"]})
    );
    assert_eq!(resources["webhookSourceIps"], json!(["203.0.113.7/32"]));
}

async fn unknown_resources_are_refused(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    for wrong in ["NOPE", "run", ""] {
        let input = json!({"receiverId": receiver, "resource": wrong, "action": "CREATE"});
        let (code, _, path) = house.refused(CREATE, json!({"input": input})).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", "resource"])),
            "{wrong}"
        );
    }
    // The first mutation of a document with a mistake does not run either.
    let document = "mutation {
        a: createWebhookReceiver(input: {name: \"a\", webhookUri: \"https://a.example\"}) {
          webhookReceiver { id } }
        b: createWebhookSubscription(input: {receiverId: 1, resource: NOPE, action: CREATE}) {
          webhookSubscription { id } } }";
    let (code, message, _) = house.refused(document, json!({})).await;
    assert_eq!(code, "VALIDATION");
    assert!(message.starts_with("NOPE"), "{message}");
    let total = house
        .data(
            "{ webhookReceivers { pageInfo { totalCount } } }",
            json!({}),
        )
        .await;
    assert_eq!(total["webhookReceivers"]["pageInfo"]["totalCount"], 1);
    let nowhere = json!({"receiverId": 999, "resource": "RUN", "action": "CREATE"});
    assert_eq!(
        house.refused(CREATE, json!({"input": nowhere})).await.0,
        "NOT_FOUND"
    );
    let unknown = json!({"receiverId": receiver, "resource": "RUN", "action": "TRUNCATE"});
    let (code, _, path) = house.refused(CREATE, json!({"input": unknown})).await;
    assert_eq!(
        (code.as_str(), path),
        ("VALIDATION", json!(["input", "action"]))
    );
}

async fn changed_fields_are_columns_of_an_update(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let with = |action: &str, columns: Value| {
        json!({"receiverId": receiver, "resource": "RUN_STEPS", "action": action,
               "changedFields": columns})
    };
    let made = created(&house, with("UPDATE", json!(["status", "completed_at"]))).await;
    assert_eq!(made["changedFields"], json!(["status", "completed_at"]));
    let whole = json!(["input", "changedFields"]);
    let second = json!(["input", "changedFields", 1]);
    for (action, columns, at) in [
        ("UPDATE", json!(["status", "nope"]), second.clone()),
        ("UPDATE", json!(["status", "password"]), second),
        ("UPDATE", json!([]), whole.clone()),
        ("CREATE", json!(["status"]), whole.clone()),
        ("DELETE", json!(["status"]), whole),
    ] {
        let input = with(action, columns.clone());
        let (code, message, path) = house.refused(CREATE, json!({"input": input})).await;
        assert_eq!(code, "VALIDATION", "{action} {columns}");
        assert_eq!(path, at, "{message}");
    }
    assert_eq!(
        created(&house, with("DELETE", Value::Null)).await["changedFields"],
        Value::Null
    );
}

async fn updates_leave_set_and_set_back(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let first = created(
        &house,
        json!({"receiverId": receiver, "resource": "RUN_STEP", "action": "UPDATE",
               "changedFields": ["status"], "active": false}),
    )
    .await;
    let id = first["id"].clone();
    let update = async |etag: &Value, change: Value| {
        let mut input = json!({"id": id, "etag": etag});
        for (name, value) in change.as_object().unwrap() {
            input[name] = value.clone();
        }
        house.ask(UPDATE, json!({"input": input})).await
    };
    let record = |response: &Value| {
        response["data"]["updateWebhookSubscription"]["webhookSubscription"].clone()
    };

    let moved = record(&update(&first["_etag"], json!({"resource": "RUNS"})).await);
    assert_eq!(moved["resource"], "RUN");
    assert_eq!(moved["changedFields"], json!(["status"]), "left");
    assert_eq!(moved["active"], false, "left");
    assert_ne!(moved["_etag"], first["_etag"]);

    let stale = update(&first["_etag"], json!({"active": true})).await;
    assert_eq!(stale["errors"][0]["extensions"]["code"], "CONFLICT");

    // What is left must fit what is set.
    let unfit = update(&moved["_etag"], json!({"action": "DELETE"})).await;
    let extensions = &unfit["errors"][0]["extensions"];
    assert_eq!(extensions["path"], json!(["input", "changedFields"]));
    let both = json!({"action": "DELETE", "changedFields": null, "active": null});
    let back = record(&update(&moved["_etag"], both).await);
    assert_eq!(back["action"], "DELETE");
    assert_eq!(back["changedFields"], Value::Null);
    assert_eq!(back["active"], true, "null is the default");

    for never in ["resource", "action"] {
        let refused = update(&back["_etag"], json!({never: null})).await;
        let extensions = &refused["errors"][0]["extensions"];
        assert_eq!(extensions["path"], json!(["input", never]));
    }
    let missing = json!({"input": {"id": 999, "etag": "x"}});
    assert_eq!(house.refused(UPDATE, missing).await.0, "NOT_FOUND");
}
