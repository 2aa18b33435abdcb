//! The manual's quick example: register, subscribe to new runs, list what is there.

use serde_json::{Value, json};

use super::{Way, closed, factory, node, printed, variables};
use crate::support::{both::on_both, database::TestDatabase};

on_both!(the_manual_registers_subscribes_and_lists);

async fn the_manual_registers_subscribes_and_lists(database: TestDatabase) {
    let house = factory(database).await;
    for mut way in Way::both(&house) {
        let mut made: Vec<Value> = Vec::new();
        for document in [
            printed!("manual_create_receiver.graphql"),
            &closed(printed!("cut_create_receiver.graphql")),
        ] {
            let input = variables(printed!("manual_create_receiver.json"));
            let mut data = way.data(&house, document, &input).await;
            made.push(data["createWebhookReceiver"]["webhookReceiver"].take());
        }
        for receiver in &made {
            let secret = receiver["sharedSecret"].as_str().unwrap();
            assert!(secret.starts_with("whsec_"));
            assert_eq!(
                *receiver,
                json!({
                    "id": receiver["id"], "name": "Our example server", "description": null,
                    "webhookUri": "https://whoknows.where.this.leads", "sharedSecret": secret,
                    "contentType": "json", "expectedResponseCode": 200, "active": true,
                    "subscriptions": [], "headers": [],
                })
            );
        }
        assert_ne!(made[0]["sharedSecret"], made[1]["sharedSecret"]);

        // "RUNS" is an alias: the record reads back the canonical name. The printed receiver is 1.
        let input = variables(printed!("manual_create_subscription.json"));
        let mut subscriptions: Vec<Value> = Vec::new();
        for document in [
            printed!("manual_create_subscription.graphql"),
            &closed(printed!("cut_create_subscription.graphql")),
        ] {
            let mut data = way.data(&house, document, &input).await;
            let record = data["createWebhookSubscription"]["webhookSubscription"].take();
            assert_eq!(
                record,
                json!({
                    "resource": "RUN", "action": "CREATE", "id": record["id"], "active": true,
                    "receiverId": 1, "events": [],
                })
            );
            subscriptions.push(record["id"].clone());
        }

        // A new run is an event of each, which nobody takes: there is no such host.
        house
            .sql("insert into runs (title, procedure_id, _etag) values ('Engine 8', 1, 'r2')")
            .await;
        for id in &subscriptions {
            house
                .wait_for_count(&format!("subscriptionId: {id}"), 1)
                .await;
            let document = "query($id: Int!) {
                webhookSubscription(id: $id) { resource events { id status } } }";
            let read = way.data(&house, document, &json!({"id": id})).await;
            let event = &read["webhookSubscription"]["events"][0];
            assert!(event["id"].is_i64(), "{read}");
            assert_eq!(
                read["webhookSubscription"],
                json!({"resource": "RUN", "events": [{"id": event["id"], "status": "pending"}]})
            );
        }

        let listed = way
            .data(&house, printed!("manual_receivers.graphql"), &json!({}))
            .await;
        for receiver in &made {
            let node = node(&listed["webhookReceivers"], &receiver["id"]);
            assert!(!node["_etag"].as_str().unwrap().is_empty());
            assert_eq!(
                *node,
                json!({
                    "sharedSecret": null, "id": receiver["id"],
                    "webhookUri": "https://whoknows.where.this.leads", "_etag": node["_etag"],
                    "name": "Our example server",
                }),
                "the secret is shown once"
            );
        }

        let listed = way
            .data(&house, printed!("manual_subscriptions.graphql"), &json!({}))
            .await;
        for id in &subscriptions {
            assert_eq!(
                *node(&listed["webhookSubscriptions"], id),
                json!({
                    "id": id, "action": "CREATE", "resource": "RUN",
                    "createdBy": {"id": null, "name": "admin"},
                    "receiver": {
                        "id": 1, "description": null, "name": "Our example server",
                        "webhookUri": "https://whoknows.where.this.leads",
                    },
                })
            );
        }
    }
}
