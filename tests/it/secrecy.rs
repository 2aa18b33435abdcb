//! Nothing secret leaves by the back door: the built binary logs everything it can while it works with
//! secrets and things go wrong, and none of them is found in its log, its metrics or what a viewer reads.

use serde_json::{Value, json};

use crate::support::{
    both::on_both,
    certificates::{Authority, Dates},
    database::TestDatabase,
    house::House,
    http::send,
    receiver::Answer,
    service::ADMIN_KEY,
};

on_both!(no_secret_is_logged_counted_or_shown);

const VALUE: &str = "the-gateways-own-password";
const OTHER_VALUE: &str = "the-gateways-next-password";
const REFUSED_VALUE: &str = "a-refused\\r\\npassword";
const REFUSED_SHOWN: &str = "a-refused";
const CREDENTIALS: &str = "pa55word-in-a-uri";
const SECRET_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

const READS: [&str; 4] = [
    "{ webhookReceivers { edges { node { id name webhookUri sharedSecret inactiveReason
         clientCertificate { subject issuer pem } headers { id key value _etag } createdBy { id name } subscriptions { id } _etag } } } }",
    "{ webhookEvents { id status requestData responseData error
         deliveryAttempts { responseHeaders responseData error } receiver { sharedSecret headers { value } } } }",
    "{ apiKeys { id name prefix } currentUser { id name role } }",
    "mutation { rotateWebhookReceiverSecret(input: {id: 1}) { webhookReceiver { sharedSecret } } }",
];

async fn no_secret_is_logged_counted_or_shown(database: TestDatabase) {
    let mut house = House::of(database).await;
    // Even libraries that are quiet unless asked tell each statement.
    house
        .service
        .restart_logging("trace,sqlx::query=trace")
        .await;
    let receiver = house.register("/hook", "").await;
    house.subscribe(receiver, "ITEM", "CREATE", "").await;
    let service = &house.service;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut secrets = vec![
        VALUE.to_owned(),
        OTHER_VALUE.to_owned(),
        REFUSED_SHOWN.to_owned(),
        CREDENTIALS.to_owned(),
        SECRET_KEY.to_owned(),
        ADMIN_KEY.to_owned(),
    ];

    let add = "mutation($value: String!) { createWebhookHeader(input: {
        receiverId: 1, key: \"x-api-key\", value: $value}) { webhookHeader { id value _etag } } }";
    let made = service
        .try_graphql_with(add, &json!({"value": VALUE}))
        .await;
    let header = &made["data"]["createWebhookHeader"]["webhookHeader"];
    assert_eq!(header["value"], VALUE, "{made}");
    let change =
        "mutation($input: UpdateWebhookHeaderInput!) { updateWebhookHeader(input: $input) {
        webhookHeader { value } } }";
    let input =
        json!({"input": {"id": header["id"], "etag": header["_etag"], "value": OTHER_VALUE}});
    let changed = service.try_graphql_with(change, &input).await;
    assert!(changed["errors"].is_null(), "{changed}");

    // A client key: set for good, and in an update that is refused.
    let pair = Authority::new().client("rowhook", Dates::Valid);
    // What follows these two lines is the public half, which the certificate holds too.
    let lines = pair.key.lines().skip(1).take(2);
    secrets.extend(lines.map(str::to_owned));
    let set =
        "mutation($input: UpdateWebhookReceiverInput!) { updateWebhookReceiver(input: $input) {
        webhookReceiver { clientCertificate { subject } } } }";
    let read = format!("{{ webhookReceiver(id: {receiver}) {{ _etag }} }}");
    let etag = service.graphql(&read).await["webhookReceiver"]["_etag"].clone();
    let input = json!({"input": {"id": receiver, "etag": etag,
        "clientCertificate": pair.certificate, "clientKey": pair.key}});
    let done = service.try_graphql_with(set, &input).await;
    assert!(done["errors"].is_null(), "{done}");
    let turned_round = json!({"input": {"id": receiver, "etag": etag,
        "clientCertificate": pair.key, "clientKey": pair.certificate}});
    let refused_key = service.try_graphql_with(set, &turned_round).await;

    for overlap in ["", ", overlapSeconds: 0", ", overlapSeconds: 3600"] {
        let rotated = service
            .graphql(&format!(
                "mutation {{ rotateWebhookReceiverSecret(input: {{id: {receiver} {overlap}}}) {{
                   webhookReceiver {{ sharedSecret }} }} }}"
            ))
            .await;
        let secret = &rotated["rotateWebhookReceiverSecret"]["webhookReceiver"]["sharedSecret"];
        secrets.push(text(secret));
    }
    house
        .receiver
        .expect_signed("/hook", secrets.last().unwrap());
    let mut viewer = String::new();
    for role in ["admin", "operator", "viewer"] {
        let document = format!(
            "mutation {{ createApiKey(input: {{name: \"{role}\", role: {role}}}) {{ key apiKey {{ id }} }} }}"
        );
        let made = service.graphql(&document).await;
        viewer = text(&made["createApiKey"]["key"]);
        secrets.push(viewer.clone());
    }

    // What goes wrong names its place and not its value.
    let mut answers = vec![refused_key];
    answers.push(
        service
            .try_graphql_with(
                &add.replace("$value: String!", "$value: Int!"),
                &json!({"value": 1}),
            )
            .await,
    );
    answers.push(
        service
            .try_graphql(&format!(
                "mutation {{ createWebhookHeader(input: {{
        receiverId: 1, key: \"x-b\", value: \"{REFUSED_VALUE}\"}}) {{ webhookHeader {{ id }} }} }}"
            ))
            .await,
    );
    answers.push(
        service
            .try_graphql_with(add, &json!({"value": OTHER_VALUE}))
            .await,
    );
    answers.push(service.try_graphql(&format!("mutation {{ createWebhookReceiver(input: {{name: \"x\",
        webhookUri: \"https://user:{CREDENTIALS}@example.com/\"}}) {{ webhookReceiver {{ id }} }} }}")).await);
    answers.push(
        service
            .try_graphql_with(
                change,
                &json!({"input": {"id": 1, "etag": "x", "value": VALUE}}),
            )
            .await,
    );
    answers.push(
        service
            .try_graphql_with(add, &json!({"value": [OTHER_VALUE]}))
            .await,
    );
    for answer in &answers {
        assert!(answer["errors"][0]["message"].is_string(), "{answer}");
    }
    let wrong_key = [("authorization", "Bearer rhk_a-key-that-nobody-holds")];
    let refused = send(service.address(), "POST", "/graphql", &wrong_key, b"{}").await;
    assert_eq!(refused.status, 401);

    // Deliveries: answered, refused, cut off.
    house
        .receiver
        .answer(|delivery| match delivery.data()["id"].as_i64() {
            Some(1) => Answer::Status(200),
            Some(2) => Answer::Saying(500, "no"),
            _ => Answer::Reset,
        });
    for id in 1..=3 {
        house
            .sql(&format!("insert into items (id, n) values ({id}, 1)"))
            .await;
    }
    house
        .receiver
        .wait_until("one of each", |all| {
            (1..=3).all(|id| all.iter().any(|delivery| delivery.data()["id"] == id))
        })
        .await;
    let delivered = house.receiver.deliveries();
    assert_eq!(
        delivered[0].headers["x-api-key"], OTHER_VALUE,
        "it is sent all the same"
    );
    house.wait_for_count("status: \"delivered\"", 1).await;

    let mut said = String::new();
    for document in READS {
        let authorization = format!("Bearer {viewer}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
        ];
        let body = json!({"query": document}).to_string();
        let answer = send(
            house.service.address(),
            "POST",
            "/graphql",
            &headers,
            body.as_bytes(),
        )
        .await;
        assert_eq!(answer.status, 200);
        said.push_str(&answer.body);
    }
    assert!(
        said.contains("••••") && said.contains("x-api-key") && said.contains("FORBIDDEN"),
        "{said}"
    );
    for answer in &answers {
        said.push_str(&answer.to_string());
    }
    let (_, metrics) = house.service.http("GET", "/metrics", "").await.unwrap();
    assert!(metrics.contains("rowhook_attempts_total"), "{metrics}");
    house.service.terminate().await;
    let logged = house.service.log_text();
    assert!(
        logged.contains("TRACE") && logged.contains("shared_secret"),
        "statements are told"
    );
    secrets.push("a-key-that-nobody-holds".to_owned());
    for secret in &secrets {
        for (place, all) in [("log", &logged), ("metrics", &metrics), ("answers", &said)] {
            let line = all.lines().find(|line| line.contains(secret.as_str()));
            assert!(line.is_none(), "{secret} stands in the {place}: {line:?}");
        }
    }
    // Not sealed texts either, nor half of a secret.
    for (place, all) in [("log", &logged), ("answers", &said)] {
        let line = all
            .lines()
            .find(|line| line.contains("whsec_") || line.contains("v1.ey"));
        assert!(line.is_none(), "a secret stands in the {place}: {line:?}");
    }
}
