//! Events through the API: every field, the body as it is sent, every attempt, each filter.

use rowhook::{
    domain::{
        action::Action,
        ids::{EventId, SubscriptionId, TransactionId},
        receiver::ContentType,
    },
    policy::body::{Body, BodyParts},
};
use serde_json::{Value, json};

use super::{House, catalogue};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, EventRow},
};

on_both!(
    an_event_shows_what_was_sent_and_what_came_back,
    request_data_is_the_body_in_the_receivers_content_type,
    filters_narrow,
    pages_run_from_the_newest,
);

const ROW: &str = r#"{"id":1234, "status":"complete", "n":1.50, "_etag":"abc123"}"#;
const OLD: &str = r#"{"status":"in_progress","n":12345678901234567890.5}"#;

pub(super) struct Setting {
    pub(super) house: House,
    pub(super) receiver: i64,
    etag: String,
    subscription: i64,
    pub(super) event: EventRow,
}

/// A receiver, a subscription, and a change that an event can tell of.
pub(super) async fn setting(database: TestDatabase) -> Setting {
    let house = House::of(database).await;
    let (receiver, etag) = house.receiver().await;
    let (subscription, _) = house.subscription(receiver).await;
    let definition = serde_json::to_string(&catalogue().find("RUN_STEP").unwrap().definition);
    let resource_id =
        stored::insert_resource(&house.db, "RUN_STEP", &definition.unwrap(), true).await;
    let change = stored::insert_logged_row(&house.db, resource_id, ROW, Some(OLD)).await;
    let event = EventRow {
        subscription_id: i32::try_from(subscription).unwrap(),
        receiver_id: i32::try_from(receiver).unwrap(),
        sequence: Some(1),
        change_id: Some(change),
        resource_id,
        action: 2,
        transaction_id: 9_007_199_254_740_993,
        occurred_at: "2026-04-26T19:33:42.108765Z".parse().unwrap(),
        row_id: "1234".to_owned(),
        state: 0,
        attempt_count: 0,
    };
    Setting {
        house,
        receiver,
        etag,
        subscription,
        event,
    }
}

/// An event of which there can be several: without a number, and of no change that is still kept.
fn unnumbered(setting: &Setting) -> EventRow {
    EventRow {
        sequence: None,
        change_id: None,
        ..setting.event.clone()
    }
}

fn body(setting: &Setting, id: i64, content_type: ContentType) -> String {
    let catalogue = catalogue();
    let parts = BodyParts {
        event_id: EventId(id),
        subscription_id: SubscriptionId(i32::try_from(setting.subscription).unwrap()),
        resource: &"RUN_STEP".parse().unwrap(),
        definition: &catalogue.find("RUN_STEP").unwrap().definition,
        action: Action::Update,
        transaction_id: TransactionId(setting.event.transaction_id),
        occurred_at: setting.event.occurred_at,
        row_id: "1234",
        row_data: ROW,
        old_values: Some(OLD),
    };
    Body::build(&parts).unwrap().encoded(content_type, &parts)
}

async fn an_event_shows_what_was_sent_and_what_came_back(database: TestDatabase) {
    let setting = setting(database).await;
    let house = &setting.house;
    let row = EventRow {
        attempt_count: 1,
        ..setting.event.clone()
    };
    let id = stored::insert_event(&house.db, row).await;
    attempt(house, id).await;
    let query = "query($id: BigInt!) { webhookEvent(id: $id) {
        id sequence status resource action occurredAt transactionId rowId subscriptionId
        subscription { id receiver { id } } receiver { id name } requestData responseStatus responseData
        attemptCount nextAttemptAt
        deliveryAttempts { number startedAt durationMs responseStatus responseHeaders responseData error }
        error createdAt } }";
    let data = house.data(query, json!({"id": id})).await;
    assert_eq!(
        data["webhookEvent"],
        json!({
            "id": id, "sequence": 1, "status": "pending", "resource": "RUN_STEP", "action": "UPDATE",
            "occurredAt": "2026-04-26T19:33:42.108Z", "transactionId": 9_007_199_254_740_993_i64,
            "rowId": 1234, "subscriptionId": setting.subscription,
            "subscription": {"id": setting.subscription, "receiver": {"id": setting.receiver}},
            "receiver": {"id": setting.receiver, "name": "orders"},
            "requestData": body(&setting, id, ContentType::Json),
            "responseStatus": 503, "responseData": "busy", "attemptCount": 1, "nextAttemptAt": null,
            "deliveryAttempts": [{
                "number": 1, "startedAt": "2026-04-26T19:33:43.000Z", "durationMs": 20,
                "responseStatus": 503, "responseData": "busy", "error": "answered 503, expected 200",
                "responseHeaders": {"retry-after": "9", "via": "a, b"},
            }],
            "error": "answered 503, expected 200", "createdAt": "2026-04-26T19:33:42.108Z",
        })
    );
    // JavaScript sends what it can not hold as a string.
    let data = house.data(query, json!({"id": id.to_string()})).await;
    assert_eq!(data["webhookEvent"]["id"], id);
    let (code, message, _) = house
        .refused(query, json!({"id": 9_007_199_254_740_993_i64}))
        .await;
    assert_eq!(code, "NOT_FOUND");
    assert_eq!(
        message,
        "there is no webhook event with id 9007199254740993"
    );
    stored::run(&house.db, "delete from rowhook.logged_actions", []).await;
    let data = house.data(query, json!({"id": id})).await;
    assert_eq!(
        data["webhookEvent"]["requestData"],
        Value::Null,
        "no longer kept"
    );
    assert_eq!(data["webhookEvent"]["status"], "pending");
}

async fn request_data_is_the_body_in_the_receivers_content_type(database: TestDatabase) {
    let mut setting = setting(database).await;
    let id = stored::insert_event(&setting.house.db, setting.event.clone()).await;
    for content_type in [
        ContentType::Form,
        ContentType::CloudEvents,
        ContentType::Json,
    ] {
        let updated = setting
            .house
            .data(
                "mutation($input: UpdateWebhookReceiverInput!) { updateWebhookReceiver(input: $input) {
                   webhookReceiver { _etag } } }",
                json!({"input": {"id": setting.receiver, "etag": setting.etag,
                                 "contentType": content_type.as_str()}}),
            )
            .await;
        let etag = &updated["updateWebhookReceiver"]["webhookReceiver"]["_etag"];
        setting.etag = etag.as_str().unwrap().to_owned();
        let query = "{ webhookEvents { requestData } }";
        let data = setting.house.data(query, json!({})).await;
        let shown = data["webhookEvents"][0]["requestData"].as_str().unwrap();
        assert_eq!(shown, body(&setting, id, content_type));
    }
}

async fn filters_narrow(database: TestDatabase) {
    let setting = setting(database).await;
    let (house, event) = (&setting.house, &unnumbered(&setting));
    let row = |change: EventRow| stored::insert_event(&house.db, change);
    let plain = row(event.clone()).await;
    let text_key = row(EventRow {
        row_id: "\"1234\"".to_owned(),
        ..event.clone()
    })
    .await;
    let composite = row(EventRow {
        row_id: r#"{"a":1,"b":"x"}"#.to_owned(),
        transaction_id: 78,
        ..event.clone()
    })
    .await;
    let later = row(EventRow {
        occurred_at: "2026-04-26T19:33:43Z".parse().unwrap(),
        state: 3,
        ..event.clone()
    })
    .await;
    let ids = async |filters: &str, variables: Value| {
        let query = format!("query($key: JSON) {{ webhookEvents(filters: {filters}) {{ id }} }}");
        let query = match variables.is_null() {
            true => query.replace("query($key: JSON) ", ""),
            false => query,
        };
        let data = house.data(&query, json!({"key": variables})).await;
        let events = data["webhookEvents"].as_array().unwrap().clone();
        events
            .iter()
            .map(|event| event["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let none = Value::Null;
    for (filters, found) in [
        ("{}", vec![later, composite, text_key, plain]),
        ("{status: \"delivered\"}", vec![later]),
        ("{status: \"pending\", transactionId: 78}", vec![composite]),
        ("{transactionId: \"78\"}", vec![composite]),
        ("{rowId: 1234}", vec![later, plain]),
        ("{rowId: \"1234\"}", vec![text_key]),
        ("{rowId: {a: 1, b: \"x\"}}", vec![composite]),
        (
            "{occurredAfter: \"2026-04-26T21:33:43+02:00\"}",
            vec![later],
        ),
        (
            "{occurredBefore: \"2026-04-26T19:33:43Z\", rowId: 1234}",
            vec![plain],
        ),
        (
            "{resource: RUN_STEPS, action: UPDATE, receiverId: 1, subscriptionId: 1, rowId: 1234}",
            vec![later, plain],
        ),
        ("{resource: RUN}", vec![]),
        ("{action: DELETE}", vec![]),
        ("{receiverId: 9}", vec![]),
        ("{subscriptionId: 9}", vec![]),
    ] {
        assert_eq!(ids(filters, none.clone()).await, found, "{filters}");
    }
    assert_eq!(ids("{rowId: $key}", json!(1234)).await, [later, plain]);
    assert_eq!(ids("{rowId: $key}", json!("1234")).await, [text_key]);
    assert_eq!(
        ids("{rowId: $key}", json!({"a": 1, "b": "x"})).await,
        [composite]
    );
    let within = "query($f: WebhookEventFilters) { webhookEvents(filters: $f) { id } }";
    let variables = json!({"f": {"rowId": {"a": 1, "b": "x"}}});
    let data = house.data(within, variables).await;
    assert_eq!(data["webhookEvents"], json!([{"id": composite}]));

    for (filters, at) in [
        ("{status: \"Failed\"}", json!(["filters", "status"])),
        ("{status: \"\"}", json!(["filters", "status"])),
    ] {
        let query = format!("{{ webhookEvents(filters: {filters}) {{ id }} }}");
        let (code, message, path) = house.refused(&query, json!({})).await;
        assert_eq!((code.as_str(), path), ("VALIDATION", at), "{filters}");
        assert!(message.contains("pending, delivered, failed"), "{message}");
    }
    let (code, _, path) = house
        .refused(within, json!({"f": {"occurredAfter": "yesterday"}}))
        .await;
    assert_eq!(
        (code.as_str(), path),
        ("VALIDATION", json!(["f", "occurredAfter"]))
    );
}

async fn pages_run_from_the_newest(database: TestDatabase) {
    let setting = setting(database).await;
    for _ in 0..3 {
        stored::insert_event(&setting.house.db, unnumbered(&setting)).await;
    }
    let query = "query($first: Int, $after: String, $last: Int, $before: String) {
        webhookEventConnection(first: $first, after: $after, last: $last, before: $before) {
          edges { node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor totalCount } } }";
    let page = async |arguments: Value| {
        let data = setting.house.data(query, arguments).await;
        let edges = data["webhookEventConnection"]["edges"]
            .as_array()
            .unwrap()
            .clone();
        let ids: Vec<i64> = edges
            .iter()
            .map(|edge| edge["node"]["id"].as_i64().unwrap())
            .collect();
        (ids, data["webhookEventConnection"]["pageInfo"].clone())
    };
    let (ids, info) = page(json!({"first": 2})).await;
    assert_eq!(ids, [3, 2]);
    assert_eq!(
        (&info["hasNextPage"], &info["totalCount"]),
        (&json!(true), &json!(3))
    );
    let (ids, info) = page(json!({"first": 2, "after": info["endCursor"]})).await;
    assert_eq!(ids, [1]);
    assert_eq!(
        (&info["hasNextPage"], &info["hasPreviousPage"]),
        (&json!(false), &json!(true))
    );
    let (ids, _) = page(json!({"last": 1, "before": info["startCursor"]})).await;
    assert_eq!(ids, [2]);
    let nested = "query($limit: Int!) { webhookSubscriptions { edges { node {
        events(limit: $limit, offset: 1) { id } } } } }";
    let data = setting.house.data(nested, json!({"limit": 1})).await;
    let events = &data["webhookSubscriptions"]["edges"][0]["node"]["events"];
    assert_eq!(*events, json!([{"id": 2}]));
    let list = "{ webhookEvents(limit: 2, offset: 1) { id } }";
    let data = setting.house.data(list, json!({})).await;
    assert_eq!(data["webhookEvents"], json!([{"id": 2}, {"id": 1}]));
}

/// The latest attempt, as the outcome recorder leaves it with its event.
async fn attempt(house: &House, event: i64) {
    let sql = "update rowhook.events set attempted_at = $2, duration_ms = 20, response_status = 503, \
               response_headers = $3, response_data = 'busy', error = 'answered 503, expected 200' \
               where id = $1";
    let at: chrono::DateTime<chrono::Utc> = "2026-04-26T19:33:43Z".parse().unwrap();
    let headers = r#"[["via","a"],["retry-after","9"],["via","b"]]"#;
    stored::run(&house.db, sql, [event.into(), at.into(), headers.into()]).await;
}
