//! The public npm client `graphql-ws` against the built binary: what its users see.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    graphql_ws::NpmClient,
    service::{ADMIN_KEY, Service},
    socket::{Heard, Socket},
};

on_both!(
    the_client_runs_operations,
    the_client_reads_why_it_is_not_let_in,
    a_stop_is_not_held_up,
);

const WHO: &str = "{ currentUser { name } }";

async fn service(database: &TestDatabase) -> Service {
    Service::start(&database.url, "sample = true", &[]).await
}

async fn the_client_runs_operations(database: TestDatabase) {
    let service = service(&database).await;
    let mut client = NpmClient::with_key(service.address(), ADMIN_KEY);
    let create = "mutation($input: CreateWebhookReceiverInput!) {
        createWebhookReceiver(input: $input) { webhookReceiver { id } } }";
    let input = json!({"input": {"name": "a", "webhookUri": "https://a.example/in"}});
    let made = client.response(create, &input).await;
    let id = &made["data"]["createWebhookReceiver"]["webhookReceiver"]["id"];
    assert_eq!(*id, 1, "{made}");
    // Many at once: none is lost.
    let nobody = json!({});
    let all: Vec<u64> = (0..20).map(|_| client.start(WHO, &nobody)).collect();
    let mut heard: Vec<u64> = Vec::new();
    for _ in &all {
        let outcome = client.outcome().await;
        assert_eq!(
            outcome["results"][0]["data"]["currentUser"]["name"],
            "admin"
        );
        heard.push(outcome["n"].as_u64().unwrap());
    }
    heard.sort_unstable();
    assert_eq!(heard, all);
    let refused = client.ask("{ nope }", &nobody).await;
    let code = &refused["errors"][0]["extensions"]["code"];
    assert_eq!(*code, "VALIDATION", "{refused}");
    assert_eq!(refused["results"], json!([]));
    let failed = client
        .ask("{ webhookReceiver(id: 7) { id } }", &nobody)
        .await;
    let result = &failed["results"][0];
    assert_eq!(result["errors"][0]["extensions"]["code"], "NOT_FOUND");
    let none = client
        .ask("subscription { webhookEventChanged { id } }", &nobody)
        .await;
    assert_eq!(none["errors"][0]["extensions"]["code"], "VALIDATION");
}

async fn the_client_reads_why_it_is_not_let_in(database: TestDatabase) {
    let service = service(&database).await;
    let address = service.address();
    let bearer = format!("Bearer {ADMIN_KEY}");
    for (parameters, headers, closed) in [
        (
            json!({"key": "wrong"}),
            json!({}),
            json!({"code": 4403, "reason": "Forbidden"}),
        ),
        (
            Value::Null,
            json!({}),
            json!({"code": 4401, "reason": "Unauthorized"}),
        ),
        (json!({"apiKey": ADMIN_KEY}), json!({}), Value::Null),
        (Value::Null, json!({"authorization": bearer}), Value::Null),
    ] {
        let mut client = NpmClient::new(address, &parameters, &headers);
        let outcome = client.ask(WHO, &json!({})).await;
        assert_eq!(
            outcome["closed"], closed,
            "{parameters} {headers}: {outcome}"
        );
    }
    let headers = json!({"authorization": "Bearer wrong"});
    let mut client = NpmClient::new(address, &Value::Null, &headers);
    let outcome = client.ask(WHO, &json!({})).await;
    let reason = outcome["closed"]["reason"].as_str().unwrap();
    assert!(reason.contains("401"), "{outcome}");
}

async fn a_stop_is_not_held_up(database: TestDatabase) {
    let mut service = service(&database).await;
    let mut idle = Socket::with_key(service.address(), ADMIN_KEY).await;
    let mut silent = Socket::open(service.address()).await;
    let began = Instant::now();
    let stop = async {
        let status = service.terminate().await;
        assert!(status.success(), "{status}");
    };
    let closed = Heard::Closed(1001, "rowhook is stopping".to_owned());
    let farewells = async {
        assert_eq!(idle.next().await, closed);
        assert_eq!(silent.next().await, closed);
    };
    futures::join!(stop, farewells);
    // The server gives connections that stay 5 s: none stayed.
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}
