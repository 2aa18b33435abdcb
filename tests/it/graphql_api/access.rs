//! Who may do what, and what happens when it can not be told.

use std::sync::Arc;

use async_trait::async_trait;
use rowhook::{
    domain::api_key::Identity,
    graphql::Api,
    http::{Authenticator, HttpState},
    store::StoreError,
};
use serde_json::{Value, json};

use super::{ADMIN, House, OnePage, Ready, failure, serve, services};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    http::send,
    socket::{Heard, SUBPROTOCOL, Socket},
};

on_both!(
    nothing_is_told_without_a_key,
    a_key_may_be_spelled_in_three_ways,
    only_admins_change_things,
    operators_pause_and_resume,
    viewers_see_no_header_values,
    a_database_that_is_away_is_no_verdict_on_a_key,
);

const WHO: &str = r#"{"query":"{ currentUser { id name role } }"}"#;

async fn nothing_is_told_without_a_key(database: TestDatabase) {
    let house = House::of(database).await;
    let json_body = ("content-type", "application/json");
    let introspection = br#"{"query":"{ __schema { queryType { name } } }"}"#;
    for headers in [
        vec![json_body],
        vec![json_body, ("authorization", "Bearer wrong")],
        vec![json_body, ("authorization", "Basic dTpw")],
        vec![json_body, ("authorization", "")],
    ] {
        let answer = send(house.address, "POST", "/graphql", &headers, introspection).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert_eq!(failure(&answer.json()).0, "UNAUTHENTICATED");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"rowhook\"")
        );
        assert!(answer.json().get("data").is_none());
    }
    // Before anything else is looked at: a body that is no JSON, or far too large.
    let answer = send(house.address, "POST", "/graphql", &[], b"{").await;
    assert_eq!(answer.status, 401);
    let answer = send(house.address, "GET", "/graphql?query=%7Bx%7D", &[], b"").await;
    assert_eq!(answer.status, 401);
}

async fn a_key_may_be_spelled_in_three_ways(database: TestDatabase) {
    let house = House::of(database).await;
    for spelled in [
        format!("Bearer {ADMIN}"),
        format!("Token {ADMIN}"),
        ADMIN.to_owned(),
    ] {
        let headers = [
            ("authorization", spelled.as_str()),
            ("content-type", "application/json"),
        ];
        let answer = send(house.address, "POST", "/graphql", &headers, WHO.as_bytes()).await;
        let admin = json!({"id": null, "name": "admin", "role": "admin"});
        assert_eq!(answer.json()["data"]["currentUser"], admin, "{spelled}");
    }
    let viewer = house.post(&house.viewer, WHO).await.json();
    assert_eq!(viewer["data"]["currentUser"]["name"], "vera");
    assert_eq!(viewer["data"]["currentUser"]["role"], "viewer");
    assert!(viewer["data"]["currentUser"]["id"].is_i64());
}

async fn only_admins_change_things(database: TestDatabase) {
    let house = House::of(database).await;
    let (id, etag) = house.receiver().await;
    let mutations = [
        "createWebhookReceiver(input: {name: \"a\", webhookUri: \"https://a.example\"}) {
            webhookReceiver { id } }",
        "updateWebhookReceiver(input: {id: 1, etag: \"e\", name: \"a\"}) { webhookReceiver { id } }",
        "updateWebhookReceiver(input: {id: 1, etag: \"e\"}) { webhookReceiver { id } }",
        "updateWebhookReceiver(input: {id: 1, etag: \"e\", active: true, description: null}) {
            webhookReceiver { id } }",
        "createWebhookSubscription(input: {receiverId: 1, resource: RUN, action: CREATE}) {
            webhookSubscription { id } }",
        "updateWebhookSubscription(input: {id: 1, etag: \"e\"}) { webhookSubscription { id } }",
        "updateWebhookSubscription(input: {id: 1, etag: \"e\", active: true, action: CREATE}) {
            webhookSubscription { id } }",
        "addHeaderToWebhookReceiver(input: {receiverId: 1, key: \"x-a\", value: \"b\"}) {
            webhookHeader { id } }",
        "removeHeaderFromWebhookReceiver(input: {receiverId: 1, headerId: 1}) {
            webhookHeader { id } }",
        "createWebhookHeader(input: {receiverId: 1, key: \"x-a\", value: \"b\"}) {
            webhookHeader { id } }",
        "updateWebhookHeader(input: {id: 1, etag: \"e\", value: \"b\"}) { webhookHeader { id } }",
        "deleteWebhookHeader(input: {id: 1}) { webhookHeader { id } }",
        "deleteWebhookReceiver(input: {id: 1}) { webhookReceiver { id } }",
        "deleteWebhookSubscription(input: {id: 1}) { webhookSubscription { id } }",
        "rotateWebhookReceiverSecret(input: {id: 1}) { webhookReceiver { sharedSecret } }",
        "createApiKey(input: {name: \"a\", role: viewer}) { key }",
        "revokeApiKey(id: 1) { apiKey { id } }",
    ];
    for (key, role) in [(&house.viewer, "viewer"), (&house.operator, "operator")] {
        for mutation in mutations {
            let response = house
                .ask_as(key, &format!("mutation {{ {mutation} }}"), json!({}))
                .await;
            let (code, message, _) = failure(&response);
            assert_eq!(code, "FORBIDDEN", "{mutation}");
            assert!(
                message.contains(role) && message.contains("admin"),
                "{message}"
            );
            assert_eq!(response["data"], Value::Null);
        }
        let read = house
            .ask_as(
                key,
                "{ webhookReceivers { edges { node { id _etag } } } }",
                json!({}),
            )
            .await;
        let edges = &read["data"]["webhookReceivers"]["edges"];
        assert_eq!(
            *edges,
            json!([{"node": {"id": id, "_etag": etag}}]),
            "unchanged"
        );
    }
}

async fn operators_pause_and_resume(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, etag) = house.receiver().await;
    let (subscription, its_etag) = house.subscription(receiver).await;
    for (kind, id, etag) in [
        ("Receiver", receiver, etag),
        ("Subscription", subscription, its_etag),
    ] {
        let update = |active: &str, etag: &str| {
            format!(
                "mutation {{ updateWebhook{kind}(input: {{id: {id}, etag: \"{etag}\", active: {active}}}) {{
                   webhook{kind} {{ active _etag updatedBy {{ name }} }} }} }}"
            )
        };
        let refused = house
            .ask_as(&house.viewer, &update("false", &etag), json!({}))
            .await;
        let (code, message, _) = failure(&refused);
        assert_eq!(code, "FORBIDDEN");
        assert!(
            message.contains("role operator") && message.contains("role viewer"),
            "{message}"
        );
        let mut etag = etag;
        for (active, now) in [
            ("false", false),
            ("true", true),
            ("false", false),
            ("null", true),
        ] {
            let mut done = house
                .ask_as(&house.operator, &update(active, &etag), json!({}))
                .await;
            let record =
                done["data"][format!("updateWebhook{kind}")][format!("webhook{kind}")].take();
            assert_eq!(record["active"], now, "{done}");
            assert_eq!(record["updatedBy"]["name"], "otto");
            etag = record["_etag"].as_str().unwrap().to_owned();
        }
        // Anything beside it is an admin's, and the message says which role it takes.
        let more = if kind == "Receiver" {
            "name: \"x\""
        } else {
            "changedFields: null"
        };
        let update = update(&format!("false, {more}"), &etag);
        let refused = house.ask_as(&house.operator, &update, json!({})).await;
        let (code, message, _) = failure(&refused);
        assert_eq!(code, "FORBIDDEN");
        assert!(
            message.contains("anything but active needs a key with role admin"),
            "{message}"
        );
    }
}

async fn viewers_see_no_header_values(database: TestDatabase) {
    let house = House::of(database).await;
    let (id, _) = house.receiver().await;
    house
        .data(
            "mutation($id: Int!) { addHeaderToWebhookReceiver(input: {
               receiverId: $id, key: \"X-Api-Key\", value: \"hunter2\"
             }) { webhookHeader { id } } }",
            json!({"id": id}),
        )
        .await;
    let query = "query($id: Int!) { webhookReceiver(id: $id) { headers { key value } } }";
    for (key, value) in [
        (&house.viewer, "••••"),
        (&house.operator, "hunter2"),
        (&ADMIN.to_owned(), "hunter2"),
    ] {
        let read = house.ask_as(key, query, json!({"id": id})).await;
        let headers = &read["data"]["webhookReceiver"]["headers"];
        assert_eq!(*headers, json!([{"key": "x-api-key", "value": value}]));
    }
}

struct Away;

#[async_trait]
impl Authenticator for Away {
    async fn authenticate(&self, _: &str) -> Result<Option<Identity>, StoreError> {
        Err(StoreError::Unavailable("host db.internal:5432".to_owned()))
    }
}

async fn a_database_that_is_away_is_no_verdict_on_a_key(database: TestDatabase) {
    let db = database.migrated().await;
    let (address, server) = serve(HttpState {
        api: Arc::new(Api::new(services(&db))),
        authenticator: Arc::new(Away),
        readiness: Arc::new(Ready(Err(vec![
            "the database can not be reached".to_owned(),
        ]))),
        metrics: Arc::new(OnePage("# EOF\n")),
        metrics_public: false,
        sockets: Arc::default(),
    });
    let headers = [
        ("authorization", "Bearer k"),
        ("content-type", "application/json"),
    ];
    let answer = send(address, "POST", "/graphql", &headers, WHO.as_bytes()).await;
    assert_eq!(answer.status, 503);
    assert_eq!(failure(&answer.json()).0, "INTERNAL");
    assert!(!answer.body.contains("db.internal"), "{answer:?}");
    let answer = send(address, "GET", "/metrics", &headers, b"").await;
    assert_eq!(answer.status, 503);
    let answer = send(address, "GET", "/metrics", &[], b"").await;
    assert_eq!(answer.status, 401, "private metrics need a key");
    let answer = send(address, "GET", "/readyz", &[], b"").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.json()["reasons"][0],
        "the database can not be reached"
    );
    // A socket is refused at the upgrade, or told to come again later.
    let header = [("authorization", "Bearer k")];
    let refused = Socket::try_open(address, &header, &[SUBPROTOCOL]).await;
    assert_eq!(refused.err(), Some(503));
    let mut socket = Socket::open(address).await;
    socket.init(json!({"key": "k"})).await;
    assert!(matches!(socket.next().await, Heard::Closed(1013, _)));
    drop(server.stop(false));
}
