//! Whatever is sent to the API is answered: with a well-formed answer, and never with a fault of its own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    graphql_api::{ADMIN, House},
    support::database::TestDatabase,
};
use rowhook::store::sql::db::Dialect;

use super::Inputs;

async fn house() -> House {
    House::of(TestDatabase::fresh(Dialect::Sqlite).await).await
}

/// Answers are data, or errors that are not the service's.
async fn answered(house: &House, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let answer = house.post(ADMIN, &body).await;
    assert!(matches!(answer.status, 200 | 400), "{answer:?}");
    let answer = answer.json();
    let errors = answer["errors"].as_array();
    assert!(
        errors.is_some_and(|all| !all.is_empty()) || answer["data"].is_object(),
        "{answer}"
    );
    for error in errors.into_iter().flatten() {
        assert!(error["message"].is_string(), "{answer}");
        let code = error["extensions"]["code"].as_str();
        assert!(code.is_some_and(|code| code != "INTERNAL"), "{answer}");
    }
    answer
}

#[actix_rt::test]
async fn fuzz_graphql() {
    let house = house().await;
    for input in Inputs::of("graphql", 700) {
        answered(&house, &input, json!({ "id": 1 })).await;
    }
}

/// As it is, and as a cursor that says just that.
#[actix_rt::test]
async fn fuzz_cursor() {
    let house = house().await;
    let lists = [
        "webhookReceivers(sort: {field: NAME}, ",
        "webhookReceivers(sort: {field: UPDATED_AT}, ",
        "webhookReceivers(",
        "webhookSubscriptions(",
        "webhookEventConnection(",
    ];
    let mut taken = 0;
    for (turn, input) in Inputs::of("cursor", 100).enumerate() {
        for list in lists {
            let side = ["first: 2, after", "last: 2, before"][turn % 2];
            let query =
                format!("query($c: String) {{ {list}{side}: $c) {{ edges {{ cursor }} }} }}");
            for cursor in [URL_SAFE_NO_PAD.encode(&input), input.clone()] {
                let answer = answered(&house, &query, json!({ "c": cursor })).await;
                taken += u32::from(answer["errors"].is_null());
            }
        }
    }
    assert!(taken > 0, "no cursor was one");
}

/// The name, and behind the first line the value.
#[actix_rt::test]
async fn fuzz_header() {
    let house = house().await;
    let made = "mutation { createWebhookReceiver(input: {name: \"r\", webhookUri: \"https://example.com\"}) { webhookReceiver { id } } }";
    let made = answered(&house, made, json!({})).await;
    let id = &made["data"]["createWebhookReceiver"]["webhookReceiver"]["id"];
    for input in Inputs::of("header", 500) {
        let (key, value) = input.split_once('\n').unwrap_or((&input, ""));
        let add = "mutation($input: AddHeaderToWebhookReceiverInput!) { addHeaderToWebhookReceiver(input: $input)
                   { webhookReceiver { headers { id key value } } } }";
        let input = json!({ "receiverId": id, "key": key, "value": value });
        let answer = answered(&house, add, json!({ "input": input })).await;
        let receiver = &answer["data"]["addHeaderToWebhookReceiver"]["webhookReceiver"];
        // What was taken can be sent.
        for header in receiver["headers"].as_array().into_iter().flatten() {
            let (key, value) = (
                header["key"].as_str().unwrap(),
                header["value"].as_str().unwrap(),
            );
            assert!(
                http::HeaderName::from_bytes(key.as_bytes()).is_ok(),
                "{key:?}"
            );
            assert!(http::HeaderValue::from_str(value).is_ok(), "{value:?}");
            let delete = format!(
                "mutation {{ deleteWebhookHeader(input: {{id: {}}}) {{ webhookHeader {{ id }} }} }}",
                header["id"]
            );
            answered(&house, &delete, json!({})).await;
        }
    }
}
