//! What a delivery says: body, headers and signatures, for each kind of change.
//!
//! Every delivery's signatures are verified by the receiver, over the bytes that it got.

use chrono::{DateTime, TimeDelta, Utc};
use rowhook::store::sql::db::Dialect;
use serde_json::{Value, json};

use crate::support::{
    both::on_both, database::TestDatabase, house::House, receiver::Delivery, service::Watched,
};

on_both!(
    each_action_says_what_changed,
    a_transaction_is_told,
    headers_are_complete,
    each_content_type_carries_the_same_body,
    a_body_that_is_too_large_fails_and_is_seen,
    many_large_bodies_arrive,
);

async fn each_action_says_what_changed(database: TestDatabase) {
    let table = match database.dialect {
        Dialect::Postgres => "public.orders",
        Dialect::Sqlite => "orders",
    };
    let orders = Watched {
        name: "ORDER",
        table,
        more: "exclude = [\"card\"]",
    };
    let sql = "create table orders (id integer primary key, state text, qty integer, paid text, card text)";
    let house = House::with(database, "", sql, &[orders]).await;
    let receiver = house.register("/orders", "").await;
    let mut subscriptions = Vec::new();
    for action in ["CREATE", "UPDATE", "DELETE"] {
        subscriptions.push(house.subscribe(receiver, "ORDER", action, "").await);
    }
    let begun = Utc::now();
    house
        .sql(
            "insert into orders values (7, 'it''s new', 1, null, 'secret');
             update orders set state = 'paid', paid = 'yes' where id = 7;
             update orders set qty = qty, card = 'another';
             update orders set paid = null, qty = 2;
             update orders set id = 8;
             delete from orders",
        )
        .await;
    let deliveries = house.receiver.wait_for_events(5).await;
    house.settled(5).await;
    let expected = [
        (
            0,
            "create",
            json!(7),
            Value::Null,
            json!({"id": 7, "state": "it's new", "qty": 1, "paid": null}),
        ),
        (
            1,
            "update",
            json!(7),
            json!({"state": "it's new", "paid": null}),
            json!({"state": "paid", "paid": "yes"}),
        ),
        (
            1,
            "update",
            json!(7),
            json!({"qty": 1, "paid": "yes"}),
            json!({"qty": 2, "paid": null}),
        ),
        (1, "update", json!(8), json!({"id": 7}), json!({"id": 8})),
        (
            2,
            "delete",
            json!(8),
            json!({"id": 8, "state": "paid", "qty": 2, "paid": null}),
            Value::Null,
        ),
    ];
    for (delivery, (subscription, action, id, old, new)) in deliveries.iter().zip(&expected) {
        let body = &delivery.body;
        assert_eq!(keys(body), KEYS);
        assert_eq!(keys(&body["data"]), ["id", "etag", "old", "new"]);
        assert_eq!(body["subscription_id"], subscriptions[*subscription]);
        assert_eq!(body["resource"], "order");
        assert_eq!(body["action"], *action);
        assert_eq!(body["data"]["id"], *id);
        assert_eq!(body["data"]["old"].to_string(), old.to_string());
        assert_eq!(body["data"]["new"].to_string(), new.to_string());
        let at = body["occurred_at"].as_str().unwrap();
        assert!(at.len() == 24 && at.ends_with('Z'), "{at}");
        let at: DateTime<Utc> = at.parse().unwrap();
        assert!(
            at > begun - TimeDelta::seconds(1) && at <= delivery.time,
            "{at}"
        );
        assert!(!delivery.text.contains("card") && !delivery.text.contains("secret"));
    }
    let etags: Vec<&str> = deliveries
        .iter()
        .map(|delivery| delivery.data()["etag"].as_str().unwrap())
        .collect();
    assert!(
        etags.windows(2).take(3).all(|two| two[0] != two[1]),
        "{etags:?}"
    );
    assert_eq!(etags[3], etags[4], "the row that went is the one that was");
    let sequences: Vec<i64> = deliveries.iter().map(Delivery::sequence).collect();
    assert_eq!(sequences, [1, 1, 2, 3, 1]);
}

const KEYS: [&str; 7] = [
    "event_id",
    "subscription_id",
    "resource",
    "action",
    "transaction_id",
    "occurred_at",
    "data",
];

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

async fn a_transaction_is_told(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/items", "").await;
    house
        .sql(
            "begin;
               insert into items values (1, 0, 'a'); insert into items values (2, 0, 'b');
               update items set n = n + 1;
             commit",
        )
        .await;
    house.receiver.wait_for_events(4).await;
    house.sql("insert into items values (3, 0, 'c')").await;
    let deliveries = house.receiver.wait_for_events(5).await;
    let of = |row: i64| -> Vec<i64> {
        let of_row = deliveries.iter().filter(|one| one.data()["id"] == row);
        of_row
            .map(|one| one.body["transaction_id"].as_i64().unwrap())
            .collect()
    };
    let first = of(1)[0];
    assert_eq!([of(1), of(2)].concat(), [first; 4]);
    assert!(of(3)[0] > first);
}

async fn headers_are_complete(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.register_for_items("/hook?b=2&a=%C3%A9", "").await;
    house
        .service
        .graphql(&format!(
            "mutation {{ addHeaderToWebhookReceiver(input: {{receiverId: {receiver},
             key: \"X-Team\", value: \"blue\"}}) {{ webhookHeader {{ id }} }} }}"
        ))
        .await;
    house.sql("insert into items values (1, 0, 'a')").await;
    let delivery = house.receiver.wait_for_events(1).await.remove(0);
    let header = |name: &str| delivery.headers[name].as_str();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(
        header("user-agent"),
        concat!("rowhook/", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(header("webhook-id"), delivery.event_id().to_string());
    assert_eq!(header("x-rowhook-sequence"), "1");
    assert_eq!(header("x-team"), "blue");
    assert_eq!(header("content-length"), delivery.bytes.len().to_string());
    assert!(header("webhook-signature").starts_with("v1,"));
    let signed: i64 = header("webhook-timestamp").parse().unwrap();
    assert!((delivery.time.timestamp() - signed).abs() <= 5);
    assert!(!delivery.headers.contains_key("x-ion-signature-previous"));
    // What the API shows is what was sent.
    let events = house.events("").await;
    assert_eq!(events[0]["requestData"], delivery.text);
}

async fn each_content_type_carries_the_same_body(database: TestDatabase) {
    let house = House::of(database).await;
    for kind in ["json", "form", "cloudevents"] {
        let receiver = house
            .register(&format!("/{kind}"), &format!(", contentType: \"{kind}\""))
            .await;
        house.subscribe(receiver, "ITEM", "CREATE", "").await;
    }
    house
        .sql("insert into items values (1, 0, 'a+b &c=d%20é🎉 \"quoted\"')")
        .await;
    let deliveries = house.receiver.wait_for_events(3).await;
    for path in ["/json", "/form", "/cloudevents"] {
        let delivery = deliveries.iter().find(|one| one.path == path).unwrap();
        assert_eq!(keys(&delivery.body), KEYS);
        assert_eq!(
            delivery.data()["new"],
            json!({"id": 1, "n": 0, "note": "a+b &c=d%20é🎉 \"quoted\""})
        );
        if path == "/cloudevents" {
            let event: Value = serde_json::from_slice(&delivery.bytes).unwrap();
            assert_eq!(event["specversion"], "1.0");
            assert_eq!(event["id"], delivery.event_id().to_string());
            for required in ["source", "type"] {
                assert!(
                    event[required]
                        .as_str()
                        .is_some_and(|text| !text.is_empty())
                );
            }
        }
    }
}

async fn a_body_that_is_too_large_fails_and_is_seen(database: TestDatabase) {
    let house = House::with(database, "max_payload = \"2 KiB\"", "", &[]).await;
    house.register_for_items("/items", "").await;
    let large = "x".repeat(3000);
    house
        .sql(&format!(
            "insert into items values (1, 0, '{large}'); insert into items values (2, 0, 'small')"
        ))
        .await;
    let deliveries = house.receiver.wait_for_events(1).await;
    assert_eq!(deliveries[0].data()["id"], 2);
    house.settled(2).await;
    let failed = house.events("status: \"failed\"").await;
    assert_eq!(failed.len(), 1);
    let error = failed[0]["error"].as_str().unwrap();
    assert!(
        error.contains("max_payload") && error.contains("2048"),
        "{error}"
    );
    assert_eq!(failed[0]["attemptCount"], 0);
    assert_eq!(house.receiver.deliveries().len(), 1);
}

/// More than a sender holds at once, several times over.
async fn many_large_bodies_arrive(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/items", "").await;
    let large = "x".repeat(300 << 10);
    let rows: Vec<String> = (1..=25).map(|id| format!("({id}, 0, '{large}')")).collect();
    let insert = format!("insert into items values {}", rows.join(", "));
    house.sql(&insert).await;
    let deliveries = house.receiver.wait_for_events(25).await;
    house.settled(25).await;
    assert!(
        deliveries
            .iter()
            .all(|one| one.data()["new"]["note"] == large.as_str())
    );
    assert_eq!(house.receiver.deliveries().len(), 25);
}
