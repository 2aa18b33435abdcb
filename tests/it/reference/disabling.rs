//! The manual's last page: disable a receiver, or one subscription of it. What is disabled gets no event
//! of what is changed from then on.

use serde_json::{Value, json};

use super::{Way, closed, disable, factory, printed};
use crate::support::{both::on_both, database::TestDatabase, house::House};

on_both!(what_the_manual_disables_gets_no_more_events);

/// A receiver of that path and its subscription to new runs: their ids.
async fn registered(house: &House, path: &str) -> (Value, Value) {
    let receiver = house.register(path, "").await;
    let subscription = house.subscribe(receiver, "RUN", "CREATE", "").await;
    (receiver.into(), subscription.into())
}

async fn etag(house: &House, kind: &str, id: &Value) -> Value {
    let field = format!("webhook{kind}");
    let read = format!("{{ {field}(id: {id}) {{ _etag }} }}");
    house.service.graphql(&read).await[&field]["_etag"].clone()
}

async fn what_the_manual_disables_gets_no_more_events(database: TestDatabase) {
    let house = factory(database).await;
    for mut way in Way::both(&house) {
        let name = way.name();
        let (receiver, under_receiver) = registered(&house, &format!("/{name}/receiver")).await;
        let (other, subscription) = registered(&house, &format!("/{name}/subscription")).await;
        let (_, active) = registered(&house, &format!("/{name}/active")).await;

        for (kind, id, document) in [
            (
                "Receiver",
                &receiver,
                printed!("cut_disable_receiver.graphql"),
            ),
            (
                "Subscription",
                &subscription,
                printed!("cut_disable_subscription.graphql"),
            ),
        ] {
            let document = closed(document);
            // The printed etag is nobody's.
            let old = etag(&house, kind, id).await;
            let stale = disable(id, &json!("abc123def456asdasd"));
            let refused = way.response(&house, &document, &stale).await;
            let error = &refused["errors"][0];
            assert_eq!(error["extensions"]["code"], "CONFLICT", "{name}: {refused}");
            assert_eq!(etag(&house, kind, id).await, old, "nothing was changed");

            let mut done = way.data(&house, &document, &disable(id, &old)).await;
            let record = done[format!("updateWebhook{kind}")][format!("webhook{kind}")].take();
            let new = etag(&house, kind, id).await;
            assert_ne!(new, old);
            let expected = if kind == "Receiver" {
                json!({
                    "id": id, "active": false, "_etag": new, "name": format!("/{name}/receiver"),
                    "subscriptions": [{
                        "id": under_receiver, "active": true, "resource": "RUN", "action": "CREATE",
                    }],
                })
            } else {
                json!({
                    "id": id, "active": false, "_etag": new, "action": "CREATE",
                    "resource": "RUN", "receiver": {"id": other},
                })
            };
            assert_eq!(record, expected, "{name}");
            let again = way.response(&house, &document, &disable(id, &old)).await;
            assert_eq!(again["errors"][0]["extensions"]["code"], "CONFLICT");
            // The guide's shorter name stands for an update's input too.
            let short = document.replace("UpdateWebhook", "Webhook");
            assert!(short.contains(&format!("$input: Webhook{kind}Input!")));
            way.data(&house, &short, &disable(id, &new)).await;
        }

        house
            .sql("insert into runs (title, procedure_id, _etag) values ('Engine 9', 1, 'r3')")
            .await;
        // The events of one change are made together: when the active one has its, the others would.
        house
            .wait_for_count(&format!("subscriptionId: {active}"), 1)
            .await;
        for disabled in [&under_receiver, &subscription] {
            let count = house.count(&format!("subscriptionId: {disabled}")).await;
            assert_eq!(count, 0, "{name}");
        }
        // What is enabled again hears of the next one, and of that alone.
        for (kind, id) in [("Receiver", &receiver), ("Subscription", &subscription)] {
            let id = id.as_i64().unwrap();
            house.update(kind, id, "active: true").await;
        }
        house
            .sql("insert into runs (title, procedure_id, _etag) values ('Engine 10', 1, 'r4')")
            .await;
        for (id, events) in [(&active, 2), (&under_receiver, 1), (&subscription, 1)] {
            house
                .wait_for_count(&format!("subscriptionId: {id}"), events)
                .await;
        }
    }
}
