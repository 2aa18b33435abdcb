//! `sendTestWebhook`: a delivery to try a receiver with, as whoever asks for it and the receiver see it.

use rowhook::store::sql::db::Dialect;
use serde_json::{Value, json};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House,
    receiver::{Answer, Delivery},
    service::Watched,
};

on_both!(
    a_test_tells_of_what_was_logged_and_takes_no_number,
    a_test_is_tried_once_and_neither_waits_nor_holds_up,
    who_gets_no_test_is_told_why,
    deleting_the_receiver_cancels_its_tests,
);

/// With a table of which one column never leaves the database.
async fn house(database: TestDatabase) -> House {
    let table = match database.dialect {
        Dialect::Postgres => "public.people",
        Dialect::Sqlite => "people",
    };
    let people = Watched {
        name: "PERSON",
        table,
        more: "exclude = [\"password\"]",
    };
    let sql = "create table people (id bigint primary key, name varchar(40), age integer, \
               born date, password text)";
    House::with(database, "", sql, &[people]).await
}

async fn send(house: &House, receiver: i64, resource: &str, action: &str) -> Value {
    let document = format!(
        "mutation {{ sendTestWebhook(input: {{receiverId: {receiver}, resource: {resource},
         action: {action}}}) {{ webhookEvent {{ id test sequence status resource action subscriptionId
         subscription {{ id }} receiver {{ id }} requestData }} }} }}"
    );
    let answer = house.service.try_graphql(&document).await;
    assert!(answer["errors"].is_null(), "{answer}");
    answer["data"]["sendTestWebhook"]["webhookEvent"].clone()
}

/// The delivery of this event, and the event once it is no longer pending.
async fn outcome(house: &House, event: &Value) -> (Delivery, Value) {
    let id = event["id"].as_i64().unwrap();
    let came = house
        .receiver
        .wait_until("the test", |all| all.iter().any(|one| one.event_id() == id))
        .await;
    house.wait_for_count("status: \"pending\"", 0).await;
    let ended = event_of(house, id).await;
    let last = came.into_iter().rev().find(|one| one.event_id() == id);
    (last.unwrap(), ended)
}

async fn event_of(house: &House, id: i64) -> Value {
    let document = format!(
        "{{ webhookEvent(id: {id}) {{ test sequence status attemptCount nextAttemptAt requestData error
         deliveryAttempts {{ number responseStatus }} }} }}"
    );
    house.service.graphql(&document).await["webhookEvent"].clone()
}

async fn a_test_tells_of_what_was_logged_and_takes_no_number(database: TestDatabase) {
    let house = house(database).await;
    let receiver = house.register("/people", "").await;
    // Before anything was logged: a row of the table's shape.
    let event = send(&house, receiver, "PERSON", "CREATE").await;
    assert_eq!(
        (
            &event["test"],
            &event["sequence"],
            &event["subscriptionId"],
            &event["subscription"]
        ),
        (&json!(true), &Value::Null, &json!(0), &Value::Null)
    );
    assert_eq!(event["receiver"]["id"], receiver);
    let (delivery, ended) = outcome(&house, &event).await;
    assert_eq!(ended["status"], "delivered");
    assert_eq!(house.count("subscriptionId: 0").await, 1);
    assert_eq!(ended["requestData"], delivery.text, "the very bytes");
    assert_eq!(event["requestData"], delivery.text, "also before");
    assert_eq!(delivery.headers["x-rowhook-test"], "true");
    assert_eq!(delivery.headers.get("x-rowhook-sequence"), None);
    assert_eq!(delivery.subscription_id(), 0);
    assert_eq!(
        delivery.data()["new"],
        json!({"id": 1, "name": "example", "age": 1, "born": "2026-01-02"})
    );
    // Then from what is logged, of whichever action.
    house
        .sql("insert into people values (7, 'Ada', 36, '1815-12-10', 'secret')")
        .await;
    let event = send(&house, receiver, "PERSON", "DELETE").await;
    let (delivery, _) = outcome(&house, &event).await;
    assert_eq!(
        (delivery.action(), &delivery.data()["id"]),
        ("delete", &json!(7))
    );
    assert_eq!(delivery.data()["new"], Value::Null);
    assert_eq!(delivery.data()["old"]["name"], "Ada");
    let event = send(&house, receiver, "PERSON", "UPDATE").await;
    let (delivery, _) = outcome(&house, &event).await;
    assert_eq!(delivery.data()["new"], json!({"name": "Ada"}));
    assert_eq!(delivery.data()["old"], json!({"name": "example"}));
    // A real change of the same action is told letter by letter.
    let subscription = house.subscribe(receiver, "PERSON", "UPDATE", "").await;
    house
        .sql("update people set age = 37, password = 'another' where id = 7")
        .await;
    let real = |all: &[Delivery]| {
        let mut all = all.iter();
        all.find(|one| one.subscription_id() == subscription)
            .cloned()
    };
    let came = house
        .receiver
        .wait_until("the change", |all| real(all).is_some())
        .await;
    let change = real(&came).unwrap();
    let event = send(&house, receiver, "PERSON", "UPDATE").await;
    let (delivery, _) = outcome(&house, &event).await;
    assert_eq!(delivery.data(), change.data());
    // No number was used up, and what is excluded is nowhere.
    house.sql("update people set age = 38 where id = 7").await;
    let twice = |all: &[Delivery]| {
        let real = all
            .iter()
            .filter(|one| one.subscription_id() == subscription);
        real.count() == 2
    };
    let came = house.receiver.wait_until("the next change", twice).await;
    assert_eq!((change.sequence(), came.last().unwrap().sequence()), (1, 2));
    for delivery in came {
        assert!(!delivery.text.contains("password"), "{}", delivery.text);
        let test = delivery.subscription_id() == 0;
        assert_eq!(delivery.headers.contains_key("x-rowhook-test"), test);
    }
}

async fn a_test_is_tried_once_and_neither_waits_nor_holds_up(database: TestDatabase) {
    let house = House::of(database).await;
    let retry = ", retryPolicy: {initialDelayMs: 3600000, maxAttempts: 5}";
    let receiver = house.register_for_items("/items", retry).await;
    house.receiver.answer(|delivery| {
        let create = delivery.action() == "create";
        Answer::Status(if create { 503 } else { 200 })
    });
    // The row is in trouble for an hour.
    house.sql("insert into items values (1, 0, 'a')").await;
    house.receiver.wait_for_events(1).await;
    house.sql("update items set n = 1 where id = 1").await;
    let event = send(&house, receiver, "ITEM", "UPDATE").await;
    let id = event["id"].as_i64().unwrap();
    house
        .receiver
        .wait_until("the test overtakes its row", |all| {
            all.iter().any(|one| one.event_id() == id)
        })
        .await;
    // One that fails is over.
    let event = send(&house, receiver, "ITEM", "CREATE").await;
    let id = event["id"].as_i64().unwrap();
    house.wait_for_count("status: \"failed\"", 1).await;
    let ended = event_of(&house, id).await;
    assert_eq!(
        (
            &ended["status"],
            &ended["attemptCount"],
            &ended["nextAttemptAt"]
        ),
        (&json!("failed"), &json!(1), &Value::Null)
    );
    assert_eq!(ended["error"], "answered 503, expected 200");
    // It can be sent again, once more, and an order for many passes it over.
    let again =
        format!("mutation {{ redeliverWebhookEvent(id: {id}) {{ webhookEvent {{ id }} }} }}");
    house.service.graphql(&again).await;
    house
        .receiver
        .wait_until("it is sent again", |all| {
            all.iter().filter(|one| one.event_id() == id).count() == 2
        })
        .await;
    house.wait_for_count("status: \"failed\"", 1).await;
    assert_eq!(event_of(&house, id).await["attemptCount"], 2);
    let many = "mutation { redeliverWebhookEvents(filters: {status: \"failed\"}) { count } }";
    let data = house.service.graphql(many).await;
    assert_eq!(data["redeliverWebhookEvents"]["count"], 0);
    // The row still waits as it did.
    let pending = house.events("status: \"pending\"").await;
    let sequences: Vec<&Value> = pending.iter().map(|one| &one["sequence"]).collect();
    assert_eq!(sequences, [1, 1], "of two subscriptions");
}

async fn who_gets_no_test_is_told_why(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.register("/items", "").await;
    let refused = async |receiver: i64, resource: &str| {
        let document = format!(
            "mutation {{ sendTestWebhook(input: {{receiverId: {receiver}, resource: {resource},
             action: CREATE}}) {{ webhookEvent {{ id }} }} }}"
        );
        let answer = house.service.try_graphql(&document).await;
        let error = &answer["errors"][0];
        let code = error["extensions"]["code"].as_str().unwrap().to_owned();
        (code, error["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(refused(99, "ITEM").await.0, "NOT_FOUND");
    assert_eq!(refused(receiver, "NO_SUCH").await.0, "VALIDATION");
    house.update("Receiver", receiver, "active: false").await;
    let (code, message) = refused(receiver, "ITEM").await;
    assert_eq!(code, "CONFLICT");
    assert!(message.contains("is inactive"), "{message}");
    assert_eq!(house.count("").await, 0, "nothing was made");
}

async fn deleting_the_receiver_cancels_its_tests(database: TestDatabase) {
    let house = House::of(database).await;
    let throttle = ", rateLimit: {perSecond: 0.0001, burst: 1}";
    let receiver = house.register("/items", throttle).await;
    let first = send(&house, receiver, "ITEM", "CREATE").await;
    outcome(&house, &first).await;
    let second = send(&house, receiver, "ITEM", "CREATE").await;
    assert_eq!(house.count("status: \"pending\"").await, 1, "throttled");
    let delete = format!(
        "mutation {{ deleteWebhookReceiver(input: {{id: {receiver}}}) {{ webhookReceiver {{ id }} }} }}"
    );
    house.service.graphql(&delete).await;
    let id = second["id"].as_i64().unwrap();
    assert_eq!(event_of(&house, id).await["status"], "cancelled");
    assert_eq!(house.receiver.deliveries().len(), 1);
}
