//! GraphQL over WebSocket: what runs, who is let in, how each fault closes the socket, and that no peer
//! can hold rowhook up.

use std::{sync::Arc, time::Duration};

use actix_http::ws::Item;
use awc::ws::Message;
use rowhook::{
    http::SocketLimits,
    store::{
        api_keys::{ApiKeyStore as _, LastAdminKey},
        sql::api_keys::SqlApiKeyStore,
    },
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{ADMIN, House, failure, odd_log::OddLog};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    http::send,
    socket::{Heard, SUBPROTOCOL, Socket},
};

on_both!(
    queries_and_mutations_run,
    what_can_not_run_is_an_error,
    the_key_decides_who_is_let_in,
    a_revoked_key_ends_the_socket,
    faults_close_with_their_codes,
    connection_init_has_to_come_in_time,
    a_message_may_come_in_pieces,
    silent_peers_are_dropped,
    operations_are_few_and_can_be_stopped,
    a_key_is_looked_at_while_operations_run,
    panics_are_errors,
    a_stop_lets_what_runs_answer,
);

const WHO: &str = "{ currentUser { name role } }";

async fn queries_and_mutations_run(database: TestDatabase) {
    let house = House::of(database).await;
    let mut socket = Socket::with_key(house.address, ADMIN).await;
    let answer = socket.ask(WHO, json!({})).await;
    let admin = json!({"currentUser": {"name": "admin", "role": "admin"}});
    assert_eq!(answer["payload"], json!({"data": admin}));
    // What is done to documents over plain HTTP is done here too.
    let create = "// Create a receiver
        mutation($input: WebhookReceiverInput!) {
          createWebhookReceiver(input: $input) { webhookReceiver { id } } }";
    let input = json!({"input": {"name": "a", "webhookUri": "https://a.example/in"}});
    let answer = socket.ask(create, input).await;
    let id = &answer["payload"]["data"]["createWebhookReceiver"]["webhookReceiver"]["id"];
    assert_eq!(*id, 1, "{answer}");
    let listed = house
        .data("{ webhookReceiver(id: 1) { name } }", json!({}))
        .await;
    assert_eq!(listed["webhookReceiver"]["name"], "a");
    let rows = "query($k: JSON) { a: webhookEvents(filters: {rowId: $k}) { id }
        b: webhookEvents(filters: {rowId: {id: 9007199254740993}}) { id } }";
    let answer = socket.ask(rows, json!({"k": {"id": 1}})).await;
    assert_eq!(answer["payload"], json!({"data": {"a": [], "b": []}}));
    // Several at once: each answer carries its own id.
    for id in ["a", "b", "c"] {
        socket.subscribe(id, WHO, json!({})).await;
    }
    let mut ended: Vec<Value> = Vec::new();
    while ended.len() < 3 {
        let message = socket.message().await;
        if message["type"] == "complete" {
            ended.push(message["id"].clone());
        } else {
            assert_eq!(message["payload"]["data"], admin);
        }
    }
    ended.sort_by_key(Value::to_string);
    assert_eq!(ended, ["a", "b", "c"]);
    // The protocol's ping and WebSocket's.
    socket
        .say(json!({"type": "ping", "payload": {"x": 1}}))
        .await;
    let pong = json!({"type": "pong", "payload": {"x": 1}});
    assert_eq!(socket.message().await, pong);
    socket.send(Message::Ping("y".into())).await;
    assert_eq!(socket.next().await, Heard::Pong(b"y".to_vec()));
    socket.close(1000).await;
    assert_eq!(socket.end().await, Heard::Closed(1000, String::new()));
}

async fn what_can_not_run_is_an_error(database: TestDatabase) {
    let house = House::of(database).await;
    let mut socket = Socket::with_key(house.address, ADMIN).await;
    let deep = format!("{}id{}", "{ a ".repeat(40), "}".repeat(40));
    for (document, code) in [
        ("{", "VALIDATION"),
        ("{ nope }", "VALIDATION"),
        (
            "query A { __typename } query B { __typename }",
            "VALIDATION",
        ),
        ("subscription { nope { id } }", "VALIDATION"),
        ("subscription { __typename }", "VALIDATION"),
        (
            "subscription { a: webhookEventChanged { id } b: webhookEventChanged { id } }",
            "VALIDATION",
        ),
        (
            "mutation { createWebhookSubscription(input: {receiverId: 1, resource: NOPE,
               action: CREATE}) { webhookSubscription { id } } }",
            "VALIDATION",
        ),
        (&deep, "LIMIT"),
    ] {
        let answer = socket.ask(document, json!({})).await;
        assert_eq!(answer["type"], "error", "{document}: {answer}");
        let error = &answer["payload"][0];
        assert_eq!(error["extensions"]["code"], code, "{document}: {answer}");
        if document.starts_with("subscription { a:") {
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("exactly one field"), "{message}");
        }
    }
    let answer = socket
        .ask("{ webhookReceiver(id: 9) { id } }", json!({}))
        .await;
    assert_eq!(answer["type"], "next");
    assert_eq!(answer["payload"]["data"], json!({"webhookReceiver": null}));
    let error = &answer["payload"]["errors"][0];
    assert_eq!(error["extensions"]["code"], "NOT_FOUND");
    let mut viewer = Socket::with_key(house.address, &house.viewer).await;
    let create = "mutation { createWebhookReceiver(input: {name: \"a\", webhookUri:
        \"https://a.example\"}) { webhookReceiver { id } } }";
    let answer = viewer.ask(create, json!({})).await;
    let error = &answer["payload"]["errors"][0];
    assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{answer}");
}

async fn the_key_decides_who_is_let_in(database: TestDatabase) {
    let house = House::of(database).await;
    let bearer = format!("Bearer {}", house.viewer);
    for payload in [
        json!({"Authorization": bearer}),
        json!({"authorization": bearer}),
        json!({"Authorization": house.viewer}),
        json!({"apiKey": house.viewer}),
        json!({"key": house.viewer}),
    ] {
        let mut socket = Socket::open(house.address).await;
        socket.init(payload.clone()).await;
        assert_eq!(
            socket.message().await["type"],
            "connection_ack",
            "{payload}"
        );
        let answer = socket.ask(WHO, json!({})).await;
        assert_eq!(answer["payload"]["data"]["currentUser"]["name"], "vera");
    }
    for (payload, code, reason) in [
        (Value::Null, 4401, "Unauthorized"),
        (json!({}), 4401, "Unauthorized"),
        (json!({"Authorization": "Basic dTpw"}), 4401, "Unauthorized"),
        (json!({"key": ""}), 4401, "Unauthorized"),
        (json!({"key": "wrong"}), 4403, "Forbidden"),
        (json!({"Authorization": "Bearer wrong"}), 4403, "Forbidden"),
    ] {
        let mut socket = Socket::open(house.address).await;
        socket.init(payload.clone()).await;
        let closed = Heard::Closed(code, reason.to_owned());
        assert_eq!(socket.next().await, closed, "{payload}");
    }
    let mut socket = Socket::open(house.address).await;
    socket.subscribe("a", WHO, json!({})).await;
    let closed = Heard::Closed(4401, "Unauthorized".to_owned());
    assert_eq!(socket.next().await, closed, "before connection_init");

    let mut socket = upgraded(&house, &bearer).await.unwrap();
    socket.subscribe("a", WHO, json!({})).await;
    assert_eq!(
        socket.next().await,
        closed,
        "connection_init is needed all the same"
    );
    let mut socket = upgraded(&house, &bearer).await.unwrap();
    socket.init(Value::Null).await;
    assert_eq!(socket.message().await["type"], "connection_ack");
    let answer = socket.ask(WHO, json!({})).await;
    assert_eq!(answer["payload"]["data"]["currentUser"]["name"], "vera");
    let refused = upgraded(&house, "Bearer wrong").await;
    assert_eq!(refused.err(), Some(401));
}

/// A socket whose upgrade carries this `Authorization`.
async fn upgraded(house: &House, authorization: &str) -> Result<Socket, u16> {
    let header = [("authorization", authorization)];
    Socket::try_open(house.address, &header, &[SUBPROTOCOL]).await
}

async fn a_revoked_key_ends_the_socket(database: TestDatabase) {
    let house = House::of(database).await;
    let mut socket = Socket::with_key(house.address, &house.operator).await;
    let keys = SqlApiKeyStore::new(house.db.clone());
    let all = keys.keys().await.unwrap();
    let operator = all.iter().find(|key| key.name == "otto").unwrap();
    assert_eq!(socket.ask(WHO, json!({})).await["type"], "next");
    keys.revoke_key(operator.id, LastAdminKey::MayGo)
        .await
        .unwrap();
    socket.subscribe("a", WHO, json!({})).await;
    let closed = Heard::Closed(4403, "Forbidden".to_owned());
    assert_eq!(socket.next().await, closed);
}

async fn faults_close_with_their_codes(database: TestDatabase) {
    let house = House::of(database).await;
    let open = || Socket::with_key(house.address, ADMIN);
    for text in [
        "",
        "{",
        "[]",
        r#"{"type":"start","id":"a","payload":{"query":"{ __typename }"}}"#,
        r#"{"type":"subscribe","payload":{"query":"{ __typename }"}}"#,
        r#"{"type":"subscribe","id":"a","payload":{"query":7}}"#,
    ] {
        let mut socket = open().await;
        socket.send(Message::Text(text.into())).await;
        let closed = socket.next().await;
        assert!(
            matches!(closed, Heard::Closed(4400, _)),
            "{text}: {closed:?}"
        );
    }
    let mut socket = open().await;
    socket.send(Message::Binary("{}".into())).await;
    assert!(matches!(socket.next().await, Heard::Closed(4400, _)));
    let mut socket = open().await;
    socket.init(json!({"key": ADMIN})).await;
    let closed = Heard::Closed(4429, "Too many initialisation requests".to_owned());
    assert_eq!(socket.next().await, closed);
    for protocols in [&["graphql-ws"][..], &[]] {
        let opened = Socket::try_open(house.address, &[], protocols).await;
        let mut socket = opened.unwrap_or_else(|status| panic!("{status}"));
        assert_eq!(socket.protocol, None);
        let closed = Heard::Closed(4406, "Subprotocol not acceptable".to_owned());
        assert_eq!(socket.next().await, closed);
    }
    // As large as may be, and one more.
    let frame = json!({"type": "ping", "payload": {"x": ""}}).to_string();
    let most = 1024 * 1024;
    for (bytes, fits) in [(most, true), (most + 1, false)] {
        let padding = format!("\"{}\"", "x".repeat(bytes - frame.len()));
        let text = frame.replace("\"\"", &padding);
        let mut socket = open().await;
        socket.send(Message::Text(text.into())).await;
        let heard = socket.next().await;
        if fits {
            assert!(matches!(heard, Heard::Message(_)));
        } else {
            assert!(matches!(heard, Heard::Closed(1009, _)), "{heard:?}");
        }
    }
    // No handshake at all.
    let upgrade = [("upgrade", "websocket")];
    let answer = send(house.address, "GET", "/graphql", &upgrade, b"").await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    assert_eq!(failure(&answer.json()).0, "VALIDATION");
}

async fn connection_init_has_to_come_in_time(database: TestDatabase) {
    let limits = SocketLimits {
        init_within: Duration::from_millis(50),
        ..SocketLimits::default()
    };
    let house = House::limited(database, limits, |_| {}).await;
    let mut socket = Socket::open(house.address).await;
    let closed = Heard::Closed(4408, "Connection initialisation timeout".to_owned());
    assert_eq!(socket.next().await, closed);
}

async fn a_message_may_come_in_pieces(database: TestDatabase) {
    let house = House::of(database).await;
    let mut socket = Socket::with_key(house.address, ADMIN).await;
    let text = json!({"type": "ping", "payload": {"x": "ü"}}).to_string();
    // In the middle of the letter.
    let at = text.find('ü').unwrap() + 1;
    let (first, last) = text.as_bytes().split_at(at);
    let piece = |bytes: &[u8]| bytes.to_vec().into();
    socket
        .send(Message::Continuation(Item::FirstText(piece(first))))
        .await;
    socket.send(Message::Ping("between".into())).await;
    socket
        .send(Message::Continuation(Item::Continue(piece(b""))))
        .await;
    socket
        .send(Message::Continuation(Item::Last(piece(last))))
        .await;
    assert_eq!(socket.next().await, Heard::Pong(b"between".to_vec()));
    let pong = json!({"type": "pong", "payload": {"x": "ü"}});
    assert_eq!(socket.message().await, pong);
    let half = vec![b' '; 600 * 1024];
    socket
        .send(Message::Continuation(Item::FirstText(half.clone().into())))
        .await;
    socket
        .send(Message::Continuation(Item::Continue(half.into())))
        .await;
    assert!(matches!(socket.next().await, Heard::Closed(1009, _)));
}

async fn silent_peers_are_dropped(database: TestDatabase) {
    let limits = SocketLimits {
        ping_every: Duration::from_millis(40),
        silent_for: Duration::from_millis(400),
        ..SocketLimits::default()
    };
    let house = House::limited(database, limits, |_| {}).await;
    let mut alive = Socket::with_key(house.address, ADMIN).await;
    // For twice as long as a silent one may stay.
    for _ in 0..20 {
        while alive.next().await != Heard::Ping {}
        alive.send(Message::Pong("".into())).await;
    }
    assert_eq!(alive.ask(WHO, json!({})).await["type"], "next");
    // It hears the pings and says nothing.
    let mut silent = Socket::with_key(house.address, ADMIN).await;
    assert_eq!(silent.end().await, Heard::Gone);
}

const SLOW: &str = "{ webhookEvents { id } }";

/// A house where `SLOW` waits for a permit.
async fn slow_house(database: TestDatabase, limits: SocketLimits) -> (House, Arc<Semaphore>) {
    let permits = Arc::new(Semaphore::new(0));
    let log = Arc::new(OddLog::Slow(permits.clone()));
    let house = House::limited(database, limits, |services| services.events = log).await;
    (house, permits)
}

async fn operations_are_few_and_can_be_stopped(database: TestDatabase) {
    let limits = SocketLimits {
        operations: 2,
        ..SocketLimits::default()
    };
    let (house, permits) = slow_house(database, limits).await;
    let mut socket = Socket::with_key(house.address, ADMIN).await;
    socket.subscribe("a", SLOW, json!({})).await;
    socket.subscribe("b", SLOW, json!({})).await;
    let refused = socket.ask(WHO, json!({})).await;
    assert_eq!(refused["type"], "error");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "LIMIT");
    // A stopped operation makes room, and says nothing any more; its id is free.
    socket.say(json!({"id": "a", "type": "complete"})).await;
    assert_eq!(socket.ask(WHO, json!({})).await["type"], "next");
    socket.subscribe("a", WHO, json!({})).await;
    let answer = socket.message().await;
    assert_eq!(answer["payload"]["data"]["currentUser"]["name"], "admin");
    assert_eq!(socket.message().await["type"], "complete");
    permits.add_permits(1);
    let answer = socket.message().await;
    assert_eq!(answer["id"], "b");
    assert_eq!(answer["payload"]["data"]["webhookEvents"], json!([]));
    assert_eq!(
        socket.message().await,
        json!({"id": "b", "type": "complete"})
    );
    socket.subscribe("c", SLOW, json!({})).await;
    socket.subscribe("c", WHO, json!({})).await;
    let closed = Heard::Closed(4409, "Subscriber for c already exists".to_owned());
    assert_eq!(socket.next().await, closed);
}

async fn a_key_is_looked_at_while_operations_run(database: TestDatabase) {
    let limits = SocketLimits {
        ping_every: Duration::from_millis(30),
        ..SocketLimits::default()
    };
    let (house, _permits) = slow_house(database, limits).await;
    let mut socket = Socket::with_key(house.address, &house.operator).await;
    socket.subscribe("a", SLOW, json!({})).await;
    let keys = SqlApiKeyStore::new(house.db.clone());
    let all = keys.keys().await.unwrap();
    let operator = all.iter().find(|key| key.name == "otto").unwrap();
    keys.revoke_key(operator.id, LastAdminKey::MayGo)
        .await
        .unwrap();
    let closed = Heard::Closed(4403, "Forbidden".to_owned());
    assert_eq!(socket.end().await, closed);
}

async fn panics_are_errors(database: TestDatabase) {
    let (house, _permits) = slow_house(database, SocketLimits::default()).await;
    let mut socket = Socket::with_key(house.address, ADMIN).await;
    let answer = socket
        .ask("{ webhookEvent(id: 1) { id } }", json!({}))
        .await;
    assert_eq!(answer["type"], "error");
    assert_eq!(answer["payload"][0]["extensions"]["code"], "INTERNAL");
    let page = "{ webhookEventConnection { edges { node { id } } } }";
    let failed = socket.ask(page, json!({})).await;
    assert_eq!(
        failed["payload"]["errors"][0]["extensions"]["code"],
        "INTERNAL"
    );
    assert!(!format!("{answer}{failed}").contains("hunter2"));
    assert_eq!(
        socket.ask(WHO, json!({})).await["type"],
        "next",
        "it lives on"
    );
}

async fn a_stop_lets_what_runs_answer(database: TestDatabase) {
    let limits = SocketLimits {
        // As long as the test may take: nothing here waits for it.
        last_answers: Duration::from_secs(30),
        ..SocketLimits::default()
    };
    let (house, permits) = slow_house(database, limits).await;
    let mut idle = Socket::with_key(house.address, ADMIN).await;
    let mut busy = Socket::with_key(house.address, ADMIN).await;
    busy.subscribe("a", SLOW, json!({})).await;
    // When this is answered, `a` has begun.
    assert_eq!(busy.ask(WHO, json!({})).await["type"], "next");
    house.sockets.close_all();
    let closed = Heard::Closed(1001, "rowhook is stopping".to_owned());
    assert_eq!(idle.next().await, closed);
    permits.add_permits(1);
    assert_eq!(busy.message().await["type"], "next");
    assert_eq!(busy.message().await, json!({"id": "a", "type": "complete"}));
    assert_eq!(busy.next().await, closed);
    let mut late = Socket::open(house.address).await;
    assert_eq!(late.next().await, closed);
}
