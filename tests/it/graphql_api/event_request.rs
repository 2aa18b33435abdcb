//! An event's request as the API tells it, against what a receiver got.

use rowhook::{domain::shared_secret::SharedSecret, policy::signature::verify_ion};
use serde_json::{Value, json};

use super::events::setting;
use crate::support::{
    both::on_both, database::TestDatabase, house::House as Running, stored::insert_event,
};

on_both!(
    what_is_told_is_what_is_sent,
    viewers_see_no_values_of_the_receivers_own_headers,
);

const READ: &str = "{ webhookEvents { id test signedText requestHeaders { name value } } }";
/// What differs from one attempt to the next.
const MADE_ANEW: [&str; 3] = ["x-ion-signature", "webhook-timestamp", "webhook-signature"];

async fn what_is_told_is_what_is_sent(database: TestDatabase) {
    let house = Running::of(database).await;
    let made = house
        .service
        .graphql(&format!(
            "mutation {{ createWebhookReceiver(input: {{name: \"r\", contentType: \"form\", webhookUri: \"{}\"}})
             {{ webhookReceiver {{ id sharedSecret }} }} }}",
            house.receiver.uri("/told?x=1")
        ))
        .await;
    let made = &made["createWebhookReceiver"]["webhookReceiver"];
    let secret = SharedSecret::parse(made["sharedSecret"].as_str().unwrap()).unwrap();
    let id = made["id"].as_i64().unwrap();
    house.receiver.expect_signed("/told?x=1", secret.expose());
    let add = format!(
        "mutation {{ addHeaderToWebhookReceiver(input: {{receiverId: {id}, key: \"x-api-key\", value: \"hunter2\"}})
         {{ webhookHeader {{ id }} }} }}"
    );
    house.service.graphql(&add).await;
    house.subscribe(id, "ITEM", "CREATE", "").await;
    house
        .sql("insert into items (id, n, note) values (7, 1, 'it''s')")
        .await;
    house.settled(1).await;
    let test = format!(
        "mutation {{ sendTestWebhook(input: {{receiverId: {id}, resource: ITEM, action: CREATE}})
         {{ webhookEvent {{ id }} }} }}"
    );
    house.service.graphql(&test).await;
    house.settled(2).await;

    let told = house.service.graphql(READ).await;
    let told = told["webhookEvents"].as_array().unwrap();
    assert_eq!(told.len(), 2);
    for event in told {
        let deliveries = house.receiver.deliveries();
        let sent = deliveries
            .iter()
            .find(|sent| event["id"] == sent.event_id())
            .unwrap();
        let text = event["signedText"].as_str().unwrap();
        assert!(
            text.starts_with(&house.receiver.uri("/told?x=1?")),
            "{text}"
        );
        assert!(
            verify_ion(&secret, text, &sent.headers["x-ion-signature"]),
            "{text}"
        );
        let lines = event["requestHeaders"].as_array().unwrap();
        for line in lines {
            let name = line["name"].as_str().unwrap();
            let value = sent
                .headers
                .get(name)
                .unwrap_or_else(|| panic!("{name}: {sent:?}"));
            if MADE_ANEW.contains(&name) {
                assert_eq!(line["value"], Value::Null, "{name}");
            } else {
                assert_eq!(line["value"], value.as_str(), "{name}");
            }
        }
        // Beside these there are those of HTTP itself.
        let own = [
            "host",
            "content-length",
            "accept",
            "date",
            "accept-encoding",
        ];
        for name in sent
            .headers
            .keys()
            .filter(|name| !own.contains(&name.as_str()))
        {
            assert!(
                lines.iter().any(|line| line["name"] == name.as_str()),
                "{name} is not told"
            );
        }
        let marked = lines.iter().any(|line| line["name"] == "x-rowhook-test");
        assert_eq!(event["test"], marked);
    }
    assert!(!told[0].to_string().contains(secret.expose()));

    // What is signed goes by the receiver as it is now.
    house
        .update("Receiver", id, "webhookUri: \"http://127.0.0.1:1/moved\"")
        .await;
    let moved = house.service.graphql(READ).await;
    let text = moved["webhookEvents"][0]["signedText"].as_str().unwrap();
    assert!(text.starts_with("http://127.0.0.1:1/moved?"), "{text}");
}

async fn viewers_see_no_values_of_the_receivers_own_headers(database: TestDatabase) {
    let setting = setting(database).await;
    let (house, receiver) = (&setting.house, setting.receiver);
    let add = "mutation($id: Int!) { addHeaderToWebhookReceiver(
        input: {receiverId: $id, key: \"x-api-key\", value: \"hunter2\"}) { webhookHeader { id } } }";
    house.data(add, json!({"id": receiver})).await;
    insert_event(&house.db, setting.event.clone()).await;
    for (key, shown) in [(&house.viewer, "••••"), (&house.operator, "hunter2")] {
        let told = house.ask_as(key, READ, json!({})).await;
        assert_eq!(told["errors"], Value::Null);
        let lines = &told["data"]["webhookEvents"][0]["requestHeaders"];
        let lines = lines.as_array().unwrap();
        let own = lines
            .iter()
            .find(|line| line["name"] == "x-api-key")
            .unwrap();
        assert_eq!(own["value"], shown);
    }
}
