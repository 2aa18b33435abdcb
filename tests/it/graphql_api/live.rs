//! GraphQL subscriptions: what is pushed, to whom, and that they cost and hold up nothing.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{ADMIN, House, catalogue, failure};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    http::send,
    socket::Socket,
    stored::{self, EventRow},
};

on_both!(
    what_is_new_or_changes_is_pushed,
    a_status_is_heard_of_when_an_event_comes_to_it,
    what_is_pushed_is_read_anew,
    figures_come_at_once_and_when_they_change,
    arguments_that_do_not_fit_end_it,
    plain_http_says_where_subscriptions_run,
    two_hundred_may_run,
);

/// Nothing tells when a watch has begun: so long after an event that was not pushed another one is made.
const AGAIN: Duration = Duration::from_secs(1);

/// A viewer's socket, and events that are made by hand.
struct Watched {
    house: House,
    socket: Socket,
    event: EventRow,
}

impl Watched {
    async fn of(database: TestDatabase) -> Self {
        let house = House::of(database).await;
        let (receiver, _) = house.receiver().await;
        let (subscription, _) = house.subscription(receiver).await;
        let definition = serde_json::to_string(&catalogue().find("RUN_STEP").unwrap().definition);
        let resource_id =
            stored::insert_resource(&house.db, "RUN_STEP", &definition.unwrap(), true).await;
        let event = EventRow {
            subscription_id: i32::try_from(subscription).unwrap(),
            receiver_id: i32::try_from(receiver).unwrap(),
            sequence: None,
            change_id: None,
            resource_id,
            action: 2,
            transaction_id: 7,
            occurred_at: "2026-04-26T19:33:42.108765Z".parse().unwrap(),
            row_id: "1234".to_owned(),
            state: 0,
            attempt_count: 0,
        };
        let socket = Socket::with_key(house.address, &house.viewer).await;
        Self {
            house,
            socket,
            event,
        }
    }

    async fn insert(&self) -> i64 {
        stored::insert_event(&self.house.db, self.event.clone()).await
    }

    async fn set(&self, id: i64, what: &str) {
        let sql = format!("update rowhook.events set {what} where id = {id}");
        stored::run(&self.house.db, &sql, []).await;
    }

    /// Starts a subscription and inserts events until one is pushed: from then on it watches, and nothing
    /// of before is left to be pushed.
    async fn listen(&mut self, selection: &str) {
        let document = format!("subscription {{ webhookEventChanged{selection} }}");
        self.socket.subscribe("live", &document, json!({})).await;
        let mut last = self.insert().await;
        loop {
            match timeout(AGAIN, self.pushed()).await {
                Ok(event) if event["id"] == last => return,
                Ok(_) => {}
                Err(_) => last = self.insert().await,
            }
        }
    }

    async fn pushed(&mut self) -> Value {
        let message = self.socket.message().await;
        assert_eq!(message["type"], "next", "{message}");
        assert_eq!(message["payload"]["errors"], Value::Null, "{message}");
        message["payload"]["data"]["webhookEventChanged"].clone()
    }
}

async fn what_is_new_or_changes_is_pushed(database: TestDatabase) {
    let mut watched = Watched::of(database).await;
    watched.listen("{ id status attemptCount }").await;
    let one = watched.insert().await;
    let event =
        |id, status, attempts| json!({"id": id, "status": status, "attemptCount": attempts});
    assert_eq!(watched.pushed().await, event(one, "pending", 0));
    let attempted = "state = 1, attempt_count = 1, due_at = '2030-01-01 00:00:00+00:00'";
    watched.set(one, attempted).await;
    assert_eq!(watched.pushed().await, event(one, "pending", 1));
    watched.set(one, "state = 3, due_at = null").await;
    assert_eq!(watched.pushed().await, event(one, "delivered", 1));
    watched.set(one, "redelivery = 1").await;
    assert_eq!(watched.pushed().await, event(one, "delivered", 1));
    // Several, the oldest first, whatever changed first.
    let two = watched.insert().await;
    assert_eq!(watched.pushed().await["id"], two);
    let both = format!("update rowhook.events set state = 5 where id in ({one}, {two})");
    stored::run(&watched.house.db, &both, []).await;
    assert_eq!(watched.pushed().await, event(one, "cancelled", 1));
    assert_eq!(watched.pushed().await, event(two, "cancelled", 0));
}

async fn a_status_is_heard_of_when_an_event_comes_to_it(database: TestDatabase) {
    let mut watched = Watched::of(database).await;
    watched.event.state = 4;
    watched
        .listen("(filters: {status: \"failed\"}) { id status }")
        .await;
    watched.event.state = 0;
    let pending = watched.insert().await;
    let other = watched.insert().await;
    watched.set(pending, "state = 4").await;
    let failed = json!({"id": pending, "status": "failed"});
    assert_eq!(watched.pushed().await, failed, "and not {other}");
    // It leaves and comes back, also within one look.
    watched.set(pending, "state = 1, attempt_count = 1").await;
    watched.set(pending, "state = 4, attempt_count = 2").await;
    assert_eq!(watched.pushed().await, failed);
}

/// What one push read is not what the next one shows, and what is nested fails by itself.
async fn what_is_pushed_is_read_anew(database: TestDatabase) {
    let mut watched = Watched::of(database).await;
    watched
        .listen("{ id receiver { name headers { value } } }")
        .await;
    let rename = "mutation($etag: String!) { updateWebhookReceiver(
        input: {id: 1, etag: $etag, name: \"renamed\"}) { webhookReceiver { name } } }";
    let etag = watched
        .house
        .data("{ webhookReceiver(id: 1) { _etag } }", json!({}))
        .await;
    let etag = &etag["webhookReceiver"]["_etag"];
    watched.house.data(rename, json!({"etag": etag})).await;
    watched.insert().await;
    assert_eq!(watched.pushed().await["receiver"]["name"], "renamed");
}

async fn figures_come_at_once_and_when_they_change(database: TestDatabase) {
    let mut watched = Watched::of(database).await;
    let document = "subscription($of: Int) { webhookStatsChanged(receiverId: $of) {
        pending oldestPendingSeconds deliveredPerSecond captureLagSeconds } }";
    watched.socket.subscribe("all", document, json!({})).await;
    let pushed = async |socket: &mut Socket, id: &str| {
        let message = socket.message().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("next"), &json!(id)),
            "{message}"
        );
        message["payload"]["data"]["webhookStatsChanged"].clone()
    };
    let at_rest = json!({"pending": 0, "oldestPendingSeconds": null, "deliveredPerSecond": 0.0,
        "captureLagSeconds": 0.0});
    assert_eq!(pushed(&mut watched.socket, "all").await, at_rest);
    let one = watched.insert().await;
    let now = pushed(&mut watched.socket, "all").await;
    assert_eq!(now["pending"], 1, "{now}");
    // While one waits its age changes; with nothing left there is one more push, and then silence.
    watched.set(one, "state = 3").await;
    let rest = loop {
        let now = pushed(&mut watched.socket, "all").await;
        if now["pending"] == 0 {
            break now;
        }
    };
    assert_eq!(rest, at_rest);
    let silence = timeout(AGAIN * 5 / 2, watched.socket.message()).await;
    assert!(silence.is_err(), "{silence:?}");
    watched
        .socket
        .subscribe("one", document, json!({"of": 1}))
        .await;
    assert_eq!(pushed(&mut watched.socket, "one").await, at_rest);
    let answer = watched.socket.ask(document, json!({"of": 9})).await;
    let code = &answer["payload"]["errors"][0]["extensions"]["code"];
    assert_eq!(*code, "NOT_FOUND", "{answer}");
}

async fn arguments_that_do_not_fit_end_it(database: TestDatabase) {
    let mut watched = Watched::of(database).await;
    let document = "subscription($status: String) {
        webhookEventChanged(filters: {status: $status}) { id } }";
    let answer = watched
        .socket
        .ask(document, json!({"status": "nope"}))
        .await;
    assert_eq!(answer["type"], "next", "{answer}");
    assert_eq!(answer["payload"]["data"], Value::Null);
    let error = &answer["payload"]["errors"][0];
    assert_eq!(error["extensions"]["code"], "VALIDATION");
    assert_eq!(error["extensions"]["path"], json!(["filters", "status"]));
    let answer = watched.socket.ask(document, json!({"status": 7})).await;
    assert_eq!(
        answer["payload"][0]["extensions"]["code"], "VALIDATION",
        "{answer}"
    );
}

async fn plain_http_says_where_subscriptions_run(database: TestDatabase) {
    let house = House::of(database).await;
    let body = json!({"query": "subscription { webhookEventChanged { id } }"}).to_string();
    let headers = [
        ("authorization", ADMIN),
        ("content-type", "application/json"),
        ("accept", "application/graphql-response+json"),
    ];
    let answer = send(house.address, "POST", "/graphql", &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 400);
    let (code, message, _) = failure(&answer.json());
    assert_eq!(code, "VALIDATION");
    assert!(message.contains("graphql-transport-ws"), "{message}");
}

async fn two_hundred_may_run(database: TestDatabase) {
    let house = House::of(database).await;
    let document = "subscription { webhookEventChanged { id } }";
    let mut sockets = Vec::new();
    for _ in 0..11 {
        let mut socket = Socket::with_key(house.address, ADMIN).await;
        for id in 0..20 {
            socket.subscribe(&id.to_string(), document, json!({})).await;
        }
        sockets.push(socket);
    }
    let mut refused = 0;
    while refused < 20 {
        for socket in &mut sockets {
            while let Ok(message) = timeout(AGAIN / 20, socket.message()).await {
                assert_eq!(
                    message["payload"][0]["extensions"]["code"], "LIMIT",
                    "{message}"
                );
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 20);
    // What ends makes room.
    let mut ended = sockets.remove(0);
    ended.close(1000).await;
    let mut runs = false;
    while !runs {
        sockets[0].subscribe("more", document, json!({})).await;
        runs = timeout(AGAIN, sockets[0].message()).await.is_err();
    }
}
