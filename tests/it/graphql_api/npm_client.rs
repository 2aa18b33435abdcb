//! The public npm client `graphql-ws` against the built binary: what its users see.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    graphql_ws::NpmClient,
    house::House,
    service::{ADMIN_KEY, Service},
    socket::{Heard, Socket},
};

on_both!(
    the_client_runs_operations,
    the_client_hears_of_events,
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
}

/// From a committed change to the client, through the whole service.
async fn the_client_hears_of_events(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.register_for_items("/in", "").await;
    let mut client = NpmClient::with_key(house.service.address(), ADMIN_KEY);
    let document = "subscription($to: Int!) {
        webhookEventChanged(filters: {receiverId: $to, status: \"delivered\"}) {
          id status rowId requestData receiver { id } deliveryAttempts { responseStatus } } }";
    let n = client.listen(document, &json!({"to": receiver}));
    // Nothing says when the watch has begun; what is written until the first event is heard may be
    // heard of or not.
    let mut written = 0;
    let first = loop {
        written += 1;
        house
            .sql(&format!("insert into items (id, n) values ({written}, 1)"))
            .await;
        if let Some(heard) = client.outcome_within(Duration::from_secs(2)).await {
            break heard;
        }
        assert!(written < 15, "nothing is heard");
    };
    assert_eq!(first["n"], n, "{first}");
    house
        .sql("insert into items (id, n) values (1000, 1)")
        .await;
    let event = loop {
        let heard = client.outcome().await;
        let event = heard["next"]["data"]["webhookEventChanged"].clone();
        if event["rowId"] == 1000 {
            break event;
        }
    };
    assert_eq!(event["status"], "delivered");
    assert_eq!(event["receiver"]["id"], receiver);
    assert_eq!(event["deliveryAttempts"], json!([{"responseStatus": 200}]));
    let body = event["requestData"].as_str().unwrap();
    assert!(
        body.starts_with(&format!("{{\"event_id\":{}", event["id"])),
        "{body}"
    );
    client.stop(n);
    let ended = client.outcome().await;
    assert_eq!(
        (&ended["n"], &ended["closed"]),
        (&json!(n), &Value::Null),
        "{ended}"
    );
    // The connection serves on.
    let who = client.ask(WHO, &json!({})).await;
    assert_eq!(who["results"][0]["data"]["currentUser"]["name"], "admin");
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
