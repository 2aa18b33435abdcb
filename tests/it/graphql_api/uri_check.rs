//! `checkWebhookUri`: what is wrong with a URI is told before a receiver has it.

use serde_json::{Value, json};

use super::{House, failure};
use crate::support::{both::on_both, database::TestDatabase, house::House as Running};

on_both!(uris_are_looked_at, a_running_instance_goes_by_its_settings);

const CHECK: &str = "query($uri: String!) { checkWebhookUri(uri: $uri) {
    uri accepted allowed problems addresses { address allowed reason } } }";

async fn check(house: &House, uri: &str) -> Value {
    let told = house.data(CHECK, json!({"uri": uri})).await;
    told["checkWebhookUri"].clone()
}

async fn uris_are_looked_at(database: TestDatabase) {
    let house = House::of(database).await;
    let uri = "https://93.184.216.34/in";
    let address = json!({"address": "93.184.216.34", "allowed": true, "reason": null});
    assert_eq!(
        check(&house, uri).await,
        json!({"uri": uri, "accepted": true, "allowed": true, "problems": [], "addresses": [address]})
    );
    let private = check(&house, "https://10.1.2.3/in").await;
    assert_eq!([&private["accepted"], &private["allowed"]], [false, false]);
    let problems = private["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "told once: {private}");
    let problem = problems[0].as_str().unwrap();
    assert!(
        problem.starts_with("webhookUri points to 10.1.2.3"),
        "{problem}"
    );
    assert_eq!(private["addresses"][0]["reason"], "a private address");
    let away = check(&house, "https://no-such-name.invalid/in").await;
    assert_eq!([&away["accepted"], &away["allowed"]], [true, false]);
    assert_eq!(away["addresses"], json!([]));
    assert!(
        away["problems"][0]
            .as_str()
            .unwrap()
            .contains("no-such-name.invalid")
    );
    let odd = check(&house, "no uri").await;
    assert_eq!(
        [&odd["accepted"], &odd["addresses"]],
        [&json!(false), &json!([])]
    );

    let operator = house
        .ask_as(&house.operator, CHECK, json!({"uri": uri}))
        .await;
    assert_eq!(failure(&operator).0, "FORBIDDEN");
}

async fn a_running_instance_goes_by_its_settings(database: TestDatabase) {
    let house = Running::of(database).await;
    let ask = async |uri: &str| {
        let variables = json!({"uri": uri});
        let answer = house.service.try_graphql_with(CHECK, &variables).await;
        answer["data"]["checkWebhookUri"].clone()
    };
    // Its settings allow http and this machine.
    let here = ask("http://127.0.0.1:1/in").await;
    assert_eq!(
        [&here["accepted"], &here["allowed"]],
        [true, true],
        "{here}"
    );
    let elsewhere = ask("http://10.0.0.1/in").await;
    assert_eq!(elsewhere["allowed"], false, "{elsewhere}");
    assert_eq!(house.receiver.events(), 0, "nothing is sent");
}
