//! GraphQL over HTTP, and the routes beside it: methods, media types, statuses, limits, panics.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{ADMIN, House, failure, odd_log::OddLog};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    http::{Answer, send},
};

on_both!(
    statuses_follow_the_media_type,
    what_is_no_graphql_request_is_refused,
    get_runs_queries_alone,
    odd_documents_are_refused,
    large_requests_are_refused,
    a_panic_is_an_answer,
    the_other_routes,
);

const RESPONSE: &str = "application/graphql-response+json";

async fn post(house: &House, headers: &[(&str, &str)], body: &str) -> Answer {
    let authorization = format!("Bearer {ADMIN}");
    let mut all = vec![("authorization", authorization.as_str())];
    all.extend_from_slice(headers);
    send(house.address, "POST", "/graphql", &all, body.as_bytes()).await
}

async fn get(house: &House, path: &str) -> Answer {
    let authorization = format!("Bearer {ADMIN}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("accept", RESPONSE),
    ];
    send(house.address, "GET", path, &headers, b"").await
}

async fn statuses_follow_the_media_type(database: TestDatabase) {
    let house = House::of(database).await;
    let good = r#"{"query":"{ __typename }"}"#;
    let unreadable = r#"{"query":"{"}"#;
    let invalid = r#"{"query":"{ nope }"}"#;
    let wrong_variable = r#"{"query":"query($id: Int!) { webhookReceiver(id: $id) { id } }","variables":{"id":"x"}}"#;
    let two = r#"{"query":"query A { __typename } query B { __typename }"}"#;
    let field_error = r#"{"query":"{ webhookReceiver(id: 999) { id } }"}"#;
    for (body, json_status, response_status, has_data) in [
        (good, 200, 200, true),
        (field_error, 200, 200, true),
        (unreadable, 200, 400, false),
        (invalid, 200, 400, false),
        (wrong_variable, 200, 400, false),
        (two, 200, 400, false),
    ] {
        let sent = ("content-type", "application/json; charset=utf-8");
        for (accept, status, media_type) in [
            (None, json_status, "application/json"),
            (Some("*/*"), json_status, "application/json"),
            (Some("application/json"), json_status, "application/json"),
            (Some(RESPONSE), response_status, RESPONSE),
        ] {
            let headers: Vec<_> = std::iter::once(sent)
                .chain(accept.map(|accept| ("accept", accept)))
                .collect();
            let answer = post(&house, &headers, body).await;
            assert_eq!(answer.status, status, "{body} as {accept:?}");
            let content_type = format!("{media_type}; charset=utf-8");
            assert_eq!(answer.header("content-type"), Some(content_type.as_str()));
            assert_eq!(answer.json().get("data").is_some(), has_data, "{body}");
        }
    }
    let answer = post(&house, &[("content-type", "application/json")], field_error).await;
    assert_eq!(answer.json()["data"], json!({"webhookReceiver": null}));
    let (code, message, _) = failure(&answer.json());
    assert_eq!(code, "NOT_FOUND");
    assert_eq!(message, "there is no webhook receiver with id 999");
    let answer = post(
        &house,
        &[("content-type", "application/json")],
        wrong_variable,
    )
    .await;
    let (code, _, path) = failure(&answer.json());
    assert_eq!((code.as_str(), path), ("VALIDATION", json!(["id"])));
}

async fn what_is_no_graphql_request_is_refused(database: TestDatabase) {
    let house = House::of(database).await;
    let good = r#"{"query":"{ __typename }"}"#;
    let sent = ("content-type", "application/json");
    for (headers, body, status) in [
        (vec![sent], "", 400),
        (vec![sent], "{", 400),
        (vec![sent], r#"[{"query":"{ __typename }"}]"#, 400),
        (vec![sent], r#"{"variables":{}}"#, 400),
        (vec![sent], r#"{"query":7}"#, 400),
        (
            vec![sent],
            r#"{"query":"{ __typename }","variables":7}"#,
            400,
        ),
        (vec![sent], r#"{"query":"{ __typename }","more":7}"#, 200),
        (vec![], good, 415),
        (vec![("content-type", "text/plain")], good, 415),
        (
            vec![("content-type", "application/json; charset=utf-16")],
            good,
            415,
        ),
        (vec![sent, ("content-encoding", "gzip")], good, 415),
        (vec![sent, ("accept", "text/html")], good, 406),
    ] {
        let answer = post(&house, &headers, body).await;
        assert_eq!(answer.status, status, "{headers:?} {body}");
        if status != 200 {
            assert_eq!(failure(&answer.json()).0, "VALIDATION", "{body}");
        }
    }
}

async fn get_runs_queries_alone(database: TestDatabase) {
    let house = House::of(database).await;
    let answer = get(&house, "/graphql?query=query(%24id%3AInt!)%7BwebhookReceiver(id%3A%24id)%7Bid%7D%7D&variables=%7B%22id%22%3A1%7D").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"], json!({"webhookReceiver": null}));
    for wrong in ["?query=%7B__typename%7D&variables=%7Bbad", "", "?query="] {
        let answer = get(&house, &format!("/graphql{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
    let create = "mutation%7BcreateWebhookReceiver(input%3A%7Bname%3A%22a%22%2CwebhookUri%3A%22https%3A%2F%2Fa.example%22%7D)%7BwebhookReceiver%7Bid%7D%7D%7D";
    let answer = get(&house, &format!("/graphql?query={create}")).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), Some("POST"));
    assert!(answer.json().get("data").is_none());
    let list = "{ webhookReceivers { pageInfo { totalCount } } }";
    let listed = house.data(list, json!({})).await;
    let total = &listed["webhookReceivers"]["pageInfo"]["totalCount"];
    assert_eq!(*total, 0, "nothing was made");
    let authorization = format!("Bearer {ADMIN}");
    let headers = [("authorization", authorization.as_str())];
    let answer = send(house.address, "DELETE", "/graphql", &headers, b"").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), Some("GET, POST"));
}

async fn odd_documents_are_refused(database: TestDatabase) {
    let house = House::of(database).await;
    for document in [
        "",
        "# nothing",
        "{}",
        "fragment a on Query { __typename }",
        "{ ...a } fragment a on Query { ...a }",
        "{ ...a } fragment a on Nope { __typename }",
        "{ ...nope }",
        "subscription { webhookEventChanged { id } }",
        "subscription { __typename }",
        "query($a: Nope) { __typename }",
        "query($a: Query) { webhookReceiver(id: $a) { id } }",
        "query($a: WebhookReceiverInput) { __typename }",
        "mutation($a: WebhookReceiverInput!) { createWebhookSubscription(input: $a) { id } }",
        "query($a: [JSON] = [{a: 1}]) { webhookEvents(filters: {rowId: $a}) { id } }",
        "{ webhookEvents(filters: {rowId: {a: 1}, rowId: {b: \"§\"}, nope: {a: 1}}) { id } }",
        "{ webhookEvents(filters: [{rowId: {a: 1}}], nope: {a: [{}]}) { nope(a: {b: 1}) { c } } }",
        "{ webhookEvents(filters: 7) { id } }",
        "{ webhookEvent(id: 99999999999999999999) { id } }",
        "{ webhookReceiver(id: 99999999999) { id } }",
        "{ webhookReceivers(first: 1.5) { edges { cursor } } }",
        "{ webhookReceiver { id } }",
        "{ webhookReceiver(id: 1) }",
        "{ currentUser { id { x } } }",
        "type Query { a: Int }",
        "{ __typename } } ",
        "query A { __typename } query A { __typename }",
    ] {
        let response = house.ask(document, json!({"a": null})).await;
        assert!(response.get("data").is_none(), "{document}: {response}");
        assert_eq!(failure(&response).0, "VALIDATION", "{document}: {response}");
    }
    // Null, and a variable that may be null, mean the default.
    let document = "query($n: Int) { webhookEvents(limit: $n, offset: null) { id } }";
    for variables in [json!({}), json!({"n": null}), json!({"n": 5})] {
        let data = house.data(document, variables).await;
        assert_eq!(data["webhookEvents"], json!([]));
    }
}

async fn large_requests_are_refused(database: TestDatabase) {
    let house = House::of(database).await;
    let sent = [("content-type", "application/json")];
    let body = |bytes: usize| {
        let frame = json!({"query": "{ __typename }", "padding": ""}).to_string();
        frame.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - frame.len())))
    };
    let most = 1024 * 1024;
    assert_eq!(post(&house, &sent, &body(most)).await.status, 200);
    let answer = post(&house, &sent, &body(most + 1)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(failure(&answer.json()).0, "LIMIT");
    let answer = post(&house, &sent, &body(8 * most)).await;
    assert_eq!(
        answer.status, 413,
        "the answer reaches a client that is still sending"
    );

    let deep = format!("{}id{}", "{ a ".repeat(40), "}".repeat(40));
    let aliases: String = (0..2100).map(|n| format!("a{n}: __typename ")).collect();
    let spread = "{ ...a } fragment a on Query { ...b ...b ...b ...b ...b ...b ...b ...b }
        fragment b on Query { ...c ...c ...c ...c ...c ...c ...c ...c }
        fragment c on Query { ...d ...d ...d ...d ...d ...d ...d ...d }
        fragment d on Query { x1: __typename x2: __typename x3: __typename x4: __typename }";
    let tokens = "# \n{ __typename ".to_owned() + &"@skip(if: false) ".repeat(2000) + "}";
    let overlaps = format!("{{ {} }}", "__typename ".repeat(500));
    // A few lines that ask for very much: by themselves, by fragments, by variables.
    let wide = "{ webhookReceivers(first: 1000) { edges { node {
        subscriptions { events(limit: 1000) { deliveryAttempts { error } } } } } } }";
    let aliased: String = (0..600)
        .map(|n| format!("a{n}: webhookEvents(limit: 1000) {{ ...e }} "))
        .collect();
    let aliased = format!("{{ {aliased} }} fragment e on WebhookEvent {{ id status }}");
    let by_default = "query($n: Int = 1000) { webhookSubscriptions(last: $n) { edges { node {
        events(limit: $n) { id } } } } }";
    for document in [
        wide,
        &aliased,
        by_default,
        &deep,
        &format!("{{ {aliases} }}"),
        spread,
        &tokens,
        &overlaps,
    ] {
        let (code, message, _) = house.refused(document, json!({})).await;
        assert_eq!(code, "LIMIT", "{message}");
    }
    // Records that contain each other: how many there are shows only when it runs.
    let (receiver, _) = house.receiver().await;
    for _ in 0..11 {
        house.subscription(receiver).await;
    }
    let around = format!(
        "{{ webhookReceiver(id: {receiver}) {{ {} id {} }} }}",
        "subscriptions { receiver { ".repeat(5),
        "} }".repeat(5)
    );
    let response = house.ask(&around, json!({})).await;
    assert_eq!(failure(&response).0, "LIMIT");
    assert!(response["errors"].as_array().unwrap().len() <= 100);
    let by_variable = by_default.replace(" = 1000", "");
    let (code, message, _) = house.refused(&by_variable, json!({"n": 1000})).await;
    assert_eq!(code, "LIMIT", "{message}");
    house.data(&by_variable, json!({"n": 100})).await;
}

async fn a_panic_is_an_answer(database: TestDatabase) {
    let house = House::with(database, |services| {
        services.events = Arc::new(OddLog::Broken);
    })
    .await;
    let answer = house
        .post(ADMIN, r#"{"query":"{ webhookEvent(id: 1) { id } }"}"#)
        .await;
    assert_eq!(answer.status, 500);
    assert_eq!(failure(&answer.json()).0, "INTERNAL");
    assert!(!answer.body.contains("hunter2"));
    for query in [
        "{ webhookEvents { id } }",
        "{ webhookEventConnection { edges { node { id } } } }",
    ] {
        let response = house.ask(query, json!({})).await;
        assert_eq!(failure(&response).0, "INTERNAL");
        assert_eq!(response["data"], Value::Null);
        assert!(!response.to_string().contains("hunter2"));
    }
    let alive = house.data("{ currentUser { name } }", json!({})).await;
    assert_eq!(alive["currentUser"]["name"], "admin");
}

async fn the_other_routes(database: TestDatabase) {
    let house = House::of(database).await;
    let read = |path: &'static str| send(house.address, "GET", path, &[], b"");
    assert_eq!(read("/healthz").await.json(), json!({"status": "ok"}));
    assert_eq!(read("/readyz").await.json(), json!({"status": "ready"}));
    let metrics = read("/metrics").await;
    assert!(metrics.body.contains("rowhook_pending_events 0"));
    let missing = read("/nope").await;
    assert_eq!(missing.status, 404);
    let (code, message, _) = failure(&missing.json());
    assert_eq!(code, "NOT_FOUND");
    assert!(message.contains("/nope"));
    let wrong = send(house.address, "POST", "/healthz", &[], b"").await;
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (405, Some("GET, HEAD"))
    );
    let head = send(house.address, "HEAD", "/healthz", &[], b"").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}
