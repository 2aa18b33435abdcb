//! Receivers and headers through the API: what is set reads back, what can not be is refused with its
//! place, and nobody overwrites what they have not read.

use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase};

on_both!(
    what_is_set_reads_back,
    absent_leaves_and_null_sets_back,
    a_stale_etag_conflicts,
    each_rule_names_its_field,
    headers_come_and_go,
    header_rules,
);

const CREATE: &str = "mutation($input: CreateWebhookReceiverInput!) {
    createWebhookReceiver(input: $input) { webhookReceiver { ...all sharedSecret } } }
    fragment all on WebhookReceiver {
      id name description webhookUri contentType expectedResponseCode active inactiveReason
      rateLimit { perSecond burst } maxInFlight timeoutMs
      retryPolicy { maxAttempts initialDelayMs multiplier maxDelayMs } ordering
      createdBy { id name } updatedBy { id name } createdAt updatedAt _etag }";

const UPDATE: &str = "mutation($input: UpdateWebhookReceiverInput!) {
    updateWebhookReceiver(input: $input) { webhookReceiver { ...all sharedSecret } } }
    fragment all on WebhookReceiver {
      id name description webhookUri contentType expectedResponseCode active inactiveReason
      rateLimit { perSecond burst } maxInFlight timeoutMs
      retryPolicy { maxAttempts initialDelayMs multiplier maxDelayMs } ordering
      createdBy { id name } updatedBy { id name } createdAt updatedAt _etag }";

fn everything() -> Value {
    json!({
        "name": "  Orders  ", "description": "for the ERP", "webhookUri": "https://Hooks.example.com/In?a=b",
        "contentType": "cloudevents", "expectedResponseCode": 204, "active": false,
        "rateLimit": {"perSecond": 0.5}, "maxInFlight": 3, "timeoutMs": 700,
        "retryPolicy": {"maxAttempts": 3, "initialDelayMs": 250, "multiplier": 1.5, "maxDelayMs": 9000},
        "ordering": "NONE",
    })
}

async fn created(house: &House, input: &Value) -> Value {
    let made = house.data(CREATE, json!({"input": input})).await;
    made["createWebhookReceiver"]["webhookReceiver"].clone()
}

async fn updated(house: &House, input: &Value) -> Value {
    let done = house.data(UPDATE, json!({"input": input})).await;
    done["updateWebhookReceiver"]["webhookReceiver"].clone()
}

fn but(record: &Value, changed: &Value) -> Value {
    let mut record = record.clone();
    for (name, value) in changed.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

async fn what_is_set_reads_back(database: TestDatabase) {
    let house = House::of(database).await;
    let record = created(&house, &everything()).await;
    let admin = json!({"id": null, "name": "admin"});
    let expected = but(
        &everything(),
        &json!({
            "name": "Orders", "rateLimit": {"perSecond": 0.5, "burst": 1}, "id": record["id"],
            "inactiveReason": null, "createdBy": admin, "updatedBy": admin,
            "createdAt": record["createdAt"], "updatedAt": record["createdAt"],
            "_etag": record["_etag"], "sharedSecret": record["sharedSecret"],
        }),
    );
    assert_eq!(record, expected);
    assert!(
        record["sharedSecret"]
            .as_str()
            .unwrap()
            .starts_with("whsec_")
    );
    assert!(record["createdAt"].as_str().unwrap().ends_with('Z'));
    let input = json!({"name": "a", "webhookUri": "https://a.example"});
    let plain = created(&house, &input).await;
    assert_ne!(plain["sharedSecret"], record["sharedSecret"]);
    let defaults = json!({
        "description": null, "contentType": "json", "expectedResponseCode": 200, "active": true,
        "rateLimit": null, "maxInFlight": 16, "timeoutMs": 5000, "ordering": "PER_ROW",
        "retryPolicy": {"maxAttempts": 12, "initialDelayMs": 5000, "multiplier": 4.0,
                        "maxDelayMs": 21_600_000},
    });
    assert_eq!(plain, but(&plain, &defaults));
    // Null on create is the default too; numbers may be written in the document.
    let nulls = "mutation { createWebhookReceiver(input: {name: \"b\", webhookUri: \"https://b.example\",
        active: null, contentType: null, expectedResponseCode: null, timeoutMs: null,
        retryPolicy: null, ordering: null, rateLimit: {perSecond: 2, burst: null}}) {
        webhookReceiver { active contentType expectedResponseCode rateLimit { perSecond burst } } } }";
    let made = house.data(nulls, json!({})).await;
    assert_eq!(
        made["createWebhookReceiver"]["webhookReceiver"],
        json!({"active": true, "contentType": "json", "expectedResponseCode": 200,
               "rateLimit": {"perSecond": 2.0, "burst": 1}})
    );
}

async fn absent_leaves_and_null_sets_back(database: TestDatabase) {
    let house = House::of(database).await;
    let record = created(&house, &everything()).await;
    let with = |record: &Value, change: Value| {
        but(
            &json!({"id": record["id"], "etag": record["_etag"]}),
            &change,
        )
    };
    let same = but(&record, &json!({"sharedSecret": null}));

    let after = updated(&house, &with(&record, json!({"name": "New name"}))).await;
    let stamps = json!({"_etag": after["_etag"], "updatedAt": after["updatedAt"]});
    assert_eq!(
        after,
        but(&but(&same, &stamps), &json!({"name": "New name"}))
    );
    assert_ne!(after["_etag"], record["_etag"]);

    let retry = json!({"retryPolicy": {"maxAttempts": null, "multiplier": 2}});
    let after = updated(&house, &with(&after, retry)).await;
    let policy =
        json!({"maxAttempts": 12, "initialDelayMs": 250, "multiplier": 2.0, "maxDelayMs": 9000});
    assert_eq!(after["retryPolicy"], policy);
    assert_eq!(after["description"], "for the ERP");

    let nulls = json!({
        "description": null, "contentType": null, "expectedResponseCode": null, "active": null,
        "rateLimit": null, "maxInFlight": null, "timeoutMs": null, "retryPolicy": null, "ordering": null,
    });
    let after = updated(&house, &with(&after, nulls)).await;
    let plain = created(
        &house,
        &json!({"name": "x", "webhookUri": "https://a.example"}),
    )
    .await;
    for (field, value) in plain.as_object().unwrap() {
        let own = [
            "id",
            "name",
            "webhookUri",
            "createdAt",
            "updatedAt",
            "_etag",
            "sharedSecret",
        ];
        if !own.contains(&field.as_str()) {
            assert_eq!(after[field], *value, "{field}");
        }
    }

    // A variable that is not given leaves its field too; one that is null sets it back.
    let document = "mutation($id: Int!, $etag: String!, $name: String, $timeout: Int) {
        updateWebhookReceiver(input: {id: $id, etag: $etag, name: $name, timeoutMs: $timeout}) {
          webhookReceiver { name timeoutMs _etag } } }";
    let mut variables = json!({"id": after["id"], "etag": after["_etag"], "timeout": 900});
    let done = house.data(document, variables.clone()).await;
    let record = &done["updateWebhookReceiver"]["webhookReceiver"];
    assert_eq!(record["name"], "New name");
    assert_eq!(record["timeoutMs"], 900);
    variables["etag"] = record["_etag"].clone();
    variables["timeout"] = Value::Null;
    let done = house.data(document, variables).await;
    assert_eq!(
        done["updateWebhookReceiver"]["webhookReceiver"]["timeoutMs"],
        5000
    );
}

async fn a_stale_etag_conflicts(database: TestDatabase) {
    let house = House::of(database).await;
    let (id, etag) = house.receiver().await;
    let change = |etag: &str| json!({"input": {"id": id, "etag": etag, "name": "second"}});
    house.data(UPDATE, change(&etag)).await;
    for wrong in [etag.as_str(), "", "nonsense"] {
        let (code, message, path) = house.refused(UPDATE, change(wrong)).await;
        assert_eq!(code, "CONFLICT");
        assert!(
            message.starts_with(&format!("webhook receiver {id} has changed")),
            "{message}"
        );
        assert_eq!(path, json!(["input", "etag"]));
    }
    let input = json!({"input": {"id": 999, "etag": etag, "name": "third"}});
    let (code, message, _) = house.refused(UPDATE, input).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("NOT_FOUND", "there is no webhook receiver with id 999")
    );
    // Two in one request: they run one after the other, and the second one's etag is stale by then.
    let document = "mutation($id: Int!, $etag: String!) {
        a: updateWebhookReceiver(input: {id: $id, etag: $etag, name: \"a\"}) { webhookReceiver { name } }
        b: updateWebhookReceiver(input: {id: $id, etag: $etag, name: \"b\"}) { webhookReceiver { name } } }";
    let read = "query($id: Int!) { webhookReceiver(id: $id) { name _etag } }";
    let now = house.data(read, json!({"id": id})).await;
    let variables = json!({"id": id, "etag": now["webhookReceiver"]["_etag"]});
    let (code, _, _) = house.refused(document, variables).await;
    assert_eq!(code, "CONFLICT");
    let now = house.data(read, json!({"id": id})).await;
    assert_eq!(now["webhookReceiver"]["name"], "a");
}

async fn each_rule_names_its_field(database: TestDatabase) {
    let house = House::of(database).await;
    let good = json!({"name": "a", "webhookUri": "https://a.example"});
    let long = "x".repeat(256);
    for (field, wrong) in [
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!(long)),
        ("description", json!("x".repeat(10_001))),
        ("webhookUri", json!("")),
        ("webhookUri", json!("hooks.example.com")),
        ("webhookUri", json!("ftp://a.example")),
        ("webhookUri", json!("http://a.example")),
        ("webhookUri", json!("https://u:p@a.example")),
        ("webhookUri", json!("https://127.0.0.1/")),
        (
            "webhookUri",
            json!(format!("https://a.example/{}", "x".repeat(2048))),
        ),
        ("contentType", json!("xml")),
        ("contentType", json!("JSON")),
        ("expectedResponseCode", json!(99)),
        ("expectedResponseCode", json!(600)),
        ("maxInFlight", json!(0)),
        ("maxInFlight", json!(1001)),
        ("timeoutMs", json!(99)),
        ("timeoutMs", json!(60_001)),
        ("rateLimit.perSecond", json!(0)),
        ("rateLimit.perSecond", json!(-1.5)),
        ("rateLimit.perSecond", json!(1e-300)),
        ("rateLimit.perSecond", json!(100_000.1)),
        ("rateLimit.burst", json!(0)),
        ("rateLimit.burst", json!(100_001)),
        ("retryPolicy.maxAttempts", json!(0)),
        ("retryPolicy.maxAttempts", json!(101)),
        ("retryPolicy.initialDelayMs", json!(0)),
        ("retryPolicy.initialDelayMs", json!(604_800_001)),
        ("retryPolicy.multiplier", json!(0.9)),
        ("retryPolicy.multiplier", json!(100.5)),
        ("retryPolicy.maxDelayMs", json!(-1)),
        ("retryPolicy.maxDelayMs", json!(604_800_001)),
        ("ordering", json!("SOMEHOW")),
        ("name", json!(7)),
        ("active", json!("yes")),
        ("timeoutMs", json!(1.5)),
        ("timeoutMs", json!(4_294_967_296_i64)),
        ("nonsense", json!(1)),
    ] {
        let input = match field.split_once('.') {
            Some(("rateLimit", "burst")) => but(
                &good,
                &json!({"rateLimit": {"perSecond": 1, "burst": wrong}}),
            ),
            Some((outer, inner)) => but(&good, &json!({outer: {inner: wrong}})),
            None => but(&good, &json!({field: wrong})),
        };
        let (code, message, path) = house.refused(CREATE, json!({"input": input})).await;
        let steps: Vec<&str> = std::iter::once("input").chain(field.split('.')).collect();
        assert_eq!(code, "VALIDATION", "{field} {wrong}");
        assert_eq!(path, json!(steps), "{field} {wrong}: {message}");
    }
    for missing in ["name", "webhookUri"] {
        let mut input = good.clone();
        input.as_object_mut().unwrap().remove(missing);
        let (code, _, path) = house.refused(CREATE, json!({"input": input})).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", missing]))
        );
    }
    let (id, etag) = house.receiver().await;
    for never in ["name", "webhookUri"] {
        let input = json!({"id": id, "etag": etag, never: null});
        let (code, message, path) = house.refused(UPDATE, json!({"input": input})).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", never]))
        );
        assert!(message.contains("can not be null"), "{message}");
    }
    let most = json!({
        "name": "x".repeat(255), "description": "x".repeat(10_000), "expectedResponseCode": 599,
        "rateLimit": {"perSecond": 100_000, "burst": 100_000}, "maxInFlight": 1000, "timeoutMs": 60_000,
        "retryPolicy": {"maxAttempts": 100, "initialDelayMs": 604_800_000, "multiplier": 100,
                        "maxDelayMs": 604_800_000},
    });
    created(&house, &but(&good, &most)).await;
    let least = json!({
        "expectedResponseCode": 100, "rateLimit": {"perSecond": 0.000_01, "burst": 1}, "maxInFlight": 1,
        "timeoutMs": 100,
        "retryPolicy": {"maxAttempts": 1, "initialDelayMs": 1, "multiplier": 1, "maxDelayMs": 1},
    });
    created(&house, &but(&good, &least)).await;
}

const ADD: &str = "mutation($input: AddHeaderToWebhookReceiverInput!) {
    addHeaderToWebhookReceiver(input: $input) {
      webhookHeader { id key value receiver { id } _etag }
      webhookReceiver { headers { id key value } } } }";

const REMOVE: &str = "mutation($input: RemoveHeaderFromWebhookReceiverInput!) {
    removeHeaderFromWebhookReceiver(input: $input) {
      webhookHeader { id key value } webhookReceiver { headers { id } } } }";

async fn headers_come_and_go(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let input = json!({"receiverId": receiver, "key": "X-Api-Key", "value": " s3cret "});
    let added = house.data(ADD, json!({"input": input})).await;
    let payload = &added["addHeaderToWebhookReceiver"];
    let header = &payload["webhookHeader"];
    assert_eq!(
        (&header["key"], &header["value"]),
        (&json!("x-api-key"), &json!("s3cret"))
    );
    assert_eq!(header["receiver"]["id"], receiver);
    assert!(header["_etag"].is_string());
    assert_eq!(payload["webhookReceiver"]["headers"][0]["id"], header["id"]);

    let again = json!({"receiverId": receiver, "key": "x-api-key", "value": "other"});
    let (code, message, path) = house.refused(ADD, json!({"input": again})).await;
    assert_eq!((code.as_str(), path), ("CONFLICT", json!(["input", "key"])));
    assert!(!message.contains("other"), "{message}");
    let nowhere = json!({"receiverId": 999, "key": "x-a", "value": "b"});
    assert_eq!(
        house.refused(ADD, json!({"input": nowhere})).await.0,
        "NOT_FOUND"
    );

    let (other, _) = house.receiver().await;
    let wrong = json!({"receiverId": other, "headerId": header["id"]});
    assert_eq!(
        house.refused(REMOVE, json!({"input": wrong})).await.0,
        "NOT_FOUND"
    );
    let right = json!({"receiverId": receiver, "headerId": header["id"]});
    let removed = house.data(REMOVE, json!({"input": right})).await;
    let payload = &removed["removeHeaderFromWebhookReceiver"];
    assert_eq!(payload["webhookHeader"]["key"], "x-api-key");
    assert_eq!(payload["webhookReceiver"]["headers"], json!([]));
    assert_eq!(
        house.refused(REMOVE, json!({"input": right})).await.0,
        "NOT_FOUND"
    );

    // In one request, each payload shows what is true when its mutation has been made.
    let both = "mutation($to: Int!) {
        a: addHeaderToWebhookReceiver(input: {receiverId: $to, key: \"x-a\", value: \"1\"}) {
          webhookReceiver { headers { key } } }
        b: addHeaderToWebhookReceiver(input: {receiverId: $to, key: \"x-b\", value: \"2\"}) {
          webhookReceiver { headers { key } } } }";
    let done = house.data(both, json!({"to": receiver})).await;
    assert_eq!(
        done["a"]["webhookReceiver"]["headers"],
        json!([{"key": "x-a"}])
    );
    assert_eq!(
        done["b"]["webhookReceiver"]["headers"],
        json!([{"key": "x-a"}, {"key": "x-b"}])
    );
}

async fn header_rules(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    for (key, value, at) in [
        ("", "v", "key"),
        ("a b", "v", "key"),
        ("a\r\nb", "v", "key"),
        ("Host", "v", "key"),
        ("Content-Length", "v", "key"),
        ("content-type", "v", "key"),
        ("User-Agent", "v", "key"),
        ("Transfer-Encoding", "v", "key"),
        ("x-ion-signature", "v", "key"),
        ("X-Ion-Signature-Previous", "v", "key"),
        ("webhook-id", "v", "key"),
        ("x-rowhook-sequence", "v", "key"),
        ("x-a", "hunter2\r\nx-b: c", "value"),
        ("x-a", "hunter2\0", "value"),
    ] {
        let input = json!({"receiverId": receiver, "key": key, "value": value});
        let (code, message, path) = house.refused(ADD, json!({"input": input})).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", at])),
            "{key}"
        );
        assert!(!message.contains("hunter2"), "{message}");
    }
}
