//! Sending again and calling off through the API: who may, what is refused, what comes back.

use serde_json::{Value, json};

use super::{House, failure};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, EventRow},
};

on_both!(
    an_event_is_owed_once_more,
    many_are_owed_once_more_or_no_longer,
    an_order_needs_a_role_and_a_filter,
);

const AGAIN: &str = "mutation($id: BigInt!) { redeliverWebhookEvent(id: $id) {
    webhookEvent { id sequence status nextAttemptAt attemptCount receiver { name } } } }";

/// A house with a receiver, a subscription, and events in these states.
async fn with_events(database: TestDatabase, states: &[i16]) -> House {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let (subscription, _) = house.subscription(receiver).await;
    let definition = r#"{"table":"public.run_steps","columns":[],"key":["id"],"etag":null,"exclude":[],
        "on_truncate":"rows"}"#;
    let resource_id = stored::insert_resource(&house.db, "RUN_STEP", definition, true).await;
    for (index, state) in states.iter().enumerate() {
        let row = EventRow {
            subscription_id: i32::try_from(subscription).unwrap(),
            receiver_id: i32::try_from(receiver).unwrap(),
            sequence: Some(i64::try_from(index).unwrap() + 1),
            change_id: None,
            resource_id,
            action: 2,
            transaction_id: 7,
            occurred_at: chrono::Utc::now(),
            row_id: "1".to_owned(),
            state: *state,
            attempt_count: 3,
        };
        stored::insert_event(&house.db, row).await;
    }
    house
}

async fn an_event_is_owed_once_more(database: TestDatabase) {
    let house = with_events(database, &[0, 1, 2, 3, 4, 5]).await;
    for id in 1..=6 {
        let data = house.data(AGAIN, json!({"id": id})).await;
        let event = &data["redeliverWebhookEvent"]["webhookEvent"];
        assert_eq!(
            (&event["id"], &event["sequence"], &event["status"]),
            (&json!(id), &json!(id), &json!("pending"))
        );
        assert_eq!(event["attemptCount"], 3, "the log goes on");
        assert_eq!(event["nextAttemptAt"].is_string(), id == 2, "due now");
    }
    let (code, message, _) = house.refused(AGAIN, json!({"id": 99})).await;
    assert_eq!(code, "NOT_FOUND");
    assert_eq!(message, "there is no webhook event with id 99");
    let inactive = "update rowhook.receivers set active = $1";
    stored::run(&house.db, inactive, [false.into()]).await;
    house.data(AGAIN, json!({"id": 1})).await;
    for table in ["subscriptions", "receivers"] {
        let deleted = format!("update rowhook.{table} set deleted_at = $1");
        stored::run(&house.db, &deleted, [Some(chrono::Utc::now()).into()]).await;
        let (code, message, _) = house.refused(AGAIN, json!({"id": 1})).await;
        assert_eq!(code, "CONFLICT");
        assert!(message.contains("has been deleted"), "{message}");
        let back = format!("update rowhook.{table} set deleted_at = null");
        stored::run(&house.db, &back, []).await;
    }
}

async fn many_are_owed_once_more_or_no_longer(database: TestDatabase) {
    let house = with_events(database, &[0, 1, 2, 3, 4, 5]).await;
    let order = async |mutation: &str, filters: &str| {
        let document = format!("mutation {{ {mutation}(filters: {filters}) {{ count }} }}");
        let data = house.data(&document, json!({})).await;
        data[mutation]["count"].as_i64().unwrap()
    };
    let again = async |filters: &str| order("redeliverWebhookEvents", filters).await;
    let cancel = async |filters: &str| order("cancelWebhookEvents", filters).await;
    assert_eq!(again("{transactionId: 8}").await, 0);
    assert_eq!(again("{status: \"failed\"}").await, 1);
    assert_eq!(again("{receiverId: 1, resource: RUN_STEPS}").await, 2);
    assert_eq!(again("{rowId: 1, status: \"pending\"}").await, 6);
    assert_eq!(cancel("{rowId: 2}").await, 0);
    assert_eq!(cancel("{rowId: 1, status: \"pending\"}").await, 6);
    assert_eq!(cancel("{rowId: 1}").await, 0);
    let data = house
        .data(
            "{ webhookEvents(filters: {status: \"cancelled\"}) { id } }",
            json!({}),
        )
        .await;
    assert_eq!(data["webhookEvents"].as_array().unwrap().len(), 6);
}

async fn an_order_needs_a_role_and_a_filter(database: TestDatabase) {
    let house = with_events(database, &[4]).await;
    let definition = r#"{"table":"public.runs","columns":[],"key":["id"],"etag":null,"exclude":[],
        "on_truncate":"rows"}"#;
    stored::insert_resource(&house.db, "RUN", definition, true).await;
    let many = |name: &str, filters: &str| {
        format!("mutation {{ {name}(filters: {filters}) {{ count }} }}")
    };
    for (name, filters, at, says) in [
        (
            "redeliverWebhookEvents",
            "{}",
            json!(["filters"]),
            "at least one",
        ),
        (
            "cancelWebhookEvents",
            "{}",
            json!(["filters"]),
            "at least one",
        ),
        (
            "cancelWebhookEvents",
            "{status: \"pending\"}",
            json!(["filters"]),
            "beside status",
        ),
        (
            "cancelWebhookEvents",
            "{receiverId: 1, status: \"failed\"}",
            json!(["filters", "status"]),
            "only pending",
        ),
        (
            "redeliverWebhookEvents",
            "{status: \"x\"}",
            json!(["filters", "status"]),
            "pending, delivered",
        ),
    ] {
        let (code, message, path) = house.refused(&many(name, filters), json!({})).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", at),
            "{name} {filters}"
        );
        assert!(message.contains(says), "{message}");
    }
    for document in [
        "mutation { redeliverWebhookEvent(id: 1) { webhookEvent { id } } }".to_owned(),
        many("redeliverWebhookEvents", "{receiverId: 1}"),
        many("cancelWebhookEvents", "{receiverId: 1}"),
        "mutation { sendTestWebhook(input: {receiverId: 1, resource: RUN, action: UPDATE}) {
            webhookEvent { test } } }"
            .to_owned(),
    ] {
        let answer = house.ask_as(&house.viewer, &document, json!({})).await;
        assert_eq!(failure(&answer).0, "FORBIDDEN", "{document}");
        let answer = house.ask_as(&house.operator, &document, json!({})).await;
        if document.contains("sendTestWebhook") {
            assert_eq!(
                failure(&answer).0,
                "FORBIDDEN",
                "it shows rows of any table"
            );
        } else {
            assert_eq!(answer["errors"], Value::Null, "{document}");
        }
    }
}
