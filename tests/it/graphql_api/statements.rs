//! What a page costs: as many statements for a hundred receivers as for three.

use serde_json::json;

use super::House;
use crate::support::{both::on_both, database::TestDatabase};

on_both!(a_page_costs_the_same_whatever_its_size);

const PAGE: &str = "{ webhookReceivers(first: 100) { edges { node {
    id name createdBy { name } stats { pending oldestPendingSeconds successRate latencyMs { p50 }
    deliveredPerSecond } lastAttempt { responseStatus } instance headers { key value receiver { name } }
    subscriptions { id resource receiver { name headers { key } } } } } } }";

async fn a_page_costs_the_same_whatever_its_size(database: TestDatabase) {
    let house = House::of(database).await;
    let mut costs = Vec::new();
    for (from, to) in [(0, 3), (3, 100)] {
        for _ in from..to {
            let (receiver, _) = house.receiver().await;
            house.subscription(receiver).await;
            house.subscription(receiver).await;
            let add = "mutation($to: Int!) { createWebhookHeader(input: {
                receiverId: $to, key: \"x-a\", value: \"1\"}) { webhookHeader { id } } }";
            house.data(add, json!({"to": receiver})).await;
        }
        let before = house.db.statements_sent();
        let page = house.data(PAGE, json!({})).await;
        costs.push(house.db.statements_sent() - before);
        let edges = page["webhookReceivers"]["edges"].as_array().unwrap();
        assert_eq!(edges.len(), to);
        let last = &edges[to - 1]["node"];
        assert_eq!(last["subscriptions"].as_array().unwrap().len(), 2);
        assert_eq!(last["headers"][0]["receiver"]["name"], "orders");
    }
    println!("statements: {costs:?}");
    assert_eq!(costs[0], costs[1]);
    // The page and its count, subscriptions, headers, the receivers of both, queues, deliveries, last
    // attempts and who sends.
    assert!((4..=11).contains(&costs[0]), "{costs:?}");
}
