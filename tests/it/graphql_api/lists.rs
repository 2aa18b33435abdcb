//! Root lists: pages both ways, their limits, filters, and how few questions nested records cost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rowhook::{
    domain::{
        api_key::Author,
        ids::{HeaderId, ReceiverId},
        receiver::{Receiver, WebhookHeader},
        shared_secret::SharedSecret,
    },
    store::{
        StoreError,
        page::{Page, PageRequest},
        receivers::{HeaderChange, ReceiverFields, ReceiverFilter, ReceiverStore},
    },
};
use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase};

on_both!(
    pages_run_both_ways,
    pages_have_limits,
    lists_can_be_ordered,
    filters_narrow,
    nested_records_cost_one_question,
);

const PAGE: &str = "query($first: Int, $after: String, $last: Int, $before: String) {
    webhookReceivers(first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { id } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor totalCount count } } }";

async fn page(house: &House, arguments: Value) -> (Vec<i64>, Value) {
    let data = house.data(PAGE, arguments).await;
    let edges = data["webhookReceivers"]["edges"].as_array().unwrap();
    let ids = edges
        .iter()
        .map(|edge| edge["node"]["id"].as_i64().unwrap());
    let info = data["webhookReceivers"]["pageInfo"].clone();
    if let (Some(first), Some(last)) = (edges.first(), edges.last()) {
        assert_eq!(info["startCursor"], first["cursor"]);
        assert_eq!(info["endCursor"], last["cursor"]);
    }
    assert_eq!(info["count"], edges.len());
    (ids.collect(), info)
}

async fn pages_run_both_ways(database: TestDatabase) {
    let house = House::of(database).await;
    for _ in 0..5 {
        house.receiver().await;
    }
    let (ids, info) = page(&house, json!({})).await;
    assert_eq!(ids, [1, 2, 3, 4, 5]);
    assert_eq!(info["totalCount"], 5);
    assert_eq!(
        (&info["hasNextPage"], &info["hasPreviousPage"]),
        (&json!(false), &json!(false))
    );

    let (ids, info) = page(&house, json!({"first": 2})).await;
    assert_eq!(ids, [1, 2]);
    assert_eq!(
        (&info["hasNextPage"], &info["hasPreviousPage"]),
        (&json!(true), &json!(false))
    );
    let (ids, info) = page(&house, json!({"first": 2, "after": info["endCursor"]})).await;
    assert_eq!(ids, [3, 4]);
    assert_eq!(
        (&info["hasNextPage"], &info["hasPreviousPage"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(info["totalCount"], 5);
    let middle = info.clone();
    let (ids, info) = page(&house, json!({"first": 2, "after": info["endCursor"]})).await;
    assert_eq!(ids, [5]);
    assert_eq!(info["hasNextPage"], false);

    let (ids, info) = page(&house, json!({"last": 2})).await;
    assert_eq!(ids, [4, 5]);
    assert_eq!(
        (&info["hasNextPage"], &info["hasPreviousPage"]),
        (&json!(false), &json!(true))
    );
    let (ids, _) = page(&house, json!({"last": 2, "before": info["startCursor"]})).await;
    assert_eq!(ids, [2, 3]);
    let (ids, _) = page(&house, json!({"last": 9, "before": middle["startCursor"]})).await;
    assert_eq!(ids, [1, 2]);

    let (ids, info) = page(&house, json!({"first": 0})).await;
    assert!(ids.is_empty());
    assert_eq!(
        (&info["totalCount"], &info["startCursor"]),
        (&json!(5), &Value::Null)
    );
    assert_eq!(info["hasNextPage"], true, "an empty page in front of all");
}

async fn pages_have_limits(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    house.subscription(receiver).await;
    page(&house, json!({"first": 1000})).await;
    let cursor = page(&house, json!({})).await.1["endCursor"].clone();
    for (arguments, at) in [
        (json!({"first": 1001}), "first"),
        (json!({"first": -1}), "first"),
        (json!({"last": 1001}), "last"),
        (json!({"first": 1, "last": 1}), "last"),
        (json!({"after": "nonsense"}), "after"),
        (json!({"before": "MTI"}), "before"),
    ] {
        let large = arguments.to_string().contains("1001");
        let wanted = if large { "LIMIT" } else { "VALIDATION" };
        let (code, message, path) = house.refused(PAGE, arguments).await;
        assert_eq!((code.as_str(), path), (wanted, json!([at])), "{message}");
    }
    let others =
        "query($after: String) { webhookSubscriptions(after: $after) { edges { cursor } } }";
    let (code, _, path) = house.refused(others, json!({"after": cursor})).await;
    assert_eq!(
        (code.as_str(), path),
        ("VALIDATION", json!(["after"])),
        "another list's cursor"
    );
    for (query, at) in [
        ("{ webhookEvents(limit: 1001) { id } }", "limit"),
        ("{ webhookEvents(limit: -1) { id } }", "limit"),
        ("{ webhookEvents(offset: -1) { id } }", "offset"),
        (
            "{ webhookEventConnection(first: 1001) { edges { cursor } } }",
            "first",
        ),
        (
            "{ webhookSubscriptions { edges { node { events(limit: 1001) { id } } } } }",
            "limit",
        ),
    ] {
        let large = query.contains("1001");
        let wanted = if large { "LIMIT" } else { "VALIDATION" };
        let (code, _, path) = house.refused(query, json!({})).await;
        assert_eq!((code.as_str(), path), (wanted, json!([at])), "{query}");
    }
}

async fn lists_can_be_ordered(database: TestDatabase) {
    let house = House::of(database).await;
    for name in ["b", "a", "c"] {
        let input = json!({"name": name, "webhookUri": "https://hooks.example.com/in"});
        let create = "mutation($input: CreateWebhookReceiverInput!) {
            createWebhookReceiver(input: $input) { webhookReceiver { id } } }";
        house.data(create, json!({"input": input})).await;
    }
    let names = async |sort: &str, more: &str| {
        let query = format!(
            "{{ webhookReceivers(first: 2, sort: {sort} {more}) {{
               edges {{ node {{ name }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let page = house.data(&query, json!({})).await["webhookReceivers"].take();
        let edges = page["edges"].as_array().unwrap().iter();
        let names: String = edges
            .map(|edge| edge["node"]["name"].as_str().unwrap())
            .collect();
        (
            names,
            page["pageInfo"]["endCursor"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let (first, cursor) = names("{field: NAME}", "").await;
    assert_eq!(first, "ab");
    // A new one in front of the cursor moves nothing.
    house.receiver().await;
    let after = format!(", after: \"{cursor}\"");
    assert_eq!(names("{field: NAME}", &after).await.0, "corders");
    assert_eq!(
        names("{field: NAME, direction: DESC}", "").await.0,
        "ordersc"
    );
    assert_eq!(names("{direction: DESC}", "").await.0, "ordersc");
    assert_eq!(names("{}", "").await.0, "ba");
    let update = "mutation($etag: String!) { updateWebhookReceiver(
        input: {id: 1, etag: $etag, description: \"x\"}) { webhookReceiver { id } } }";
    let etag = house
        .data("{ webhookReceiver(id: 1) { _etag } }", json!({}))
        .await;
    house
        .data(update, json!({"etag": etag["webhookReceiver"]["_etag"]}))
        .await;
    assert_eq!(
        names("{field: UPDATED_AT, direction: DESC}", "").await.0,
        "borders"
    );
    // A cursor belongs to the order that it was read in.
    let query = format!("{{ webhookReceivers(after: \"{cursor}\") {{ pageInfo {{ count }} }} }}");
    let (code, message, path) = house.refused(&query, json!({})).await;
    assert_eq!(
        (code.as_str(), path),
        ("VALIDATION", json!(["after"])),
        "{message}"
    );
    let (subscription, _) = house.subscription(1).await;
    house.subscription(2).await;
    let query =
        "{ a: webhookSubscriptions(sort: {direction: DESC}, last: 1) { edges { node { id } } }
        b: webhookSubscriptions(sort: {field: UPDATED_AT}, first: 1) { edges { node { id } } } }";
    let found = house.data(query, json!({})).await;
    for list in ["a", "b"] {
        assert_eq!(
            found[list]["edges"][0]["node"]["id"], subscription,
            "{found}"
        );
    }
}

async fn filters_narrow(database: TestDatabase) {
    let house = House::of(database).await;
    let (first, etag) = house.receiver().await;
    let (second, _) = house.receiver().await;
    house.subscription(first).await;
    house.subscription(second).await;
    house
        .data(
            "mutation($id: Int!, $etag: String!) {
               updateWebhookReceiver(input: {id: $id, etag: $etag, active: false, name: \"off\"}) {
                 webhookReceiver { id } } }",
            json!({"id": first, "etag": etag}),
        )
        .await;
    let ids = async |list: &str, filters: &str| {
        let query = format!("{{ {list}(filters: {filters}) {{ edges {{ node {{ id }} }} }} }}");
        let data = house.data(&query, json!({})).await;
        let edges = data[list]["edges"].as_array().unwrap().clone();
        edges
            .iter()
            .map(|edge| edge["node"]["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    for (filters, found) in [
        ("{active: false}", vec![first]),
        ("{active: true}", vec![second]),
        ("{name: \"off\"}", vec![first]),
        ("{name: \"off\", active: true}", vec![]),
        ("{name: null}", vec![first, second]),
    ] {
        assert_eq!(ids("webhookReceivers", filters).await, found, "{filters}");
    }
    for (filters, found) in [
        ("{}", 2),
        ("{receiverId: 2}", 1),
        ("{action: UPDATE, resource: RUN_STEPS}", 2),
        ("{action: CREATE}", 0),
        ("{resource: RUN}", 0),
        ("{active: true}", 2),
    ] {
        assert_eq!(
            ids("webhookSubscriptions", filters).await.len(),
            found,
            "{filters}"
        );
    }
}

/// Counts the questions that nested records ask.
struct Counting {
    store: Arc<dyn ReceiverStore>,
    questions: Arc<AtomicUsize>,
}

#[async_trait]
impl ReceiverStore for Counting {
    async fn create_receiver(
        &self,
        fields: ReceiverFields,
        secret: &SharedSecret,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        self.store.create_receiver(fields, secret, by).await
    }

    async fn update_receiver(
        &self,
        id: ReceiverId,
        etag: &str,
        fields: ReceiverFields,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        self.store.update_receiver(id, etag, fields, by).await
    }

    async fn receiver(&self, id: ReceiverId) -> Result<Option<Receiver>, StoreError> {
        self.store.receiver(id).await
    }

    async fn receivers_by_id(&self, ids: &[ReceiverId]) -> Result<Vec<Receiver>, StoreError> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.store.receivers_by_id(ids).await
    }

    async fn receivers(
        &self,
        filter: &ReceiverFilter,
        page: PageRequest,
    ) -> Result<Page<Receiver>, StoreError> {
        self.store.receivers(filter, page).await
    }

    async fn add_header(
        &self,
        receiver: ReceiverId,
        key: &str,
        value: &str,
        by: &Author,
    ) -> Result<WebhookHeader, StoreError> {
        self.store.add_header(receiver, key, value, by).await
    }

    async fn update_header(
        &self,
        id: HeaderId,
        etag: &str,
        change: HeaderChange,
        by: &Author,
    ) -> Result<WebhookHeader, StoreError> {
        self.store.update_header(id, etag, change, by).await
    }

    async fn remove_header(
        &self,
        header: HeaderId,
        of: Option<ReceiverId>,
    ) -> Result<WebhookHeader, StoreError> {
        self.store.remove_header(header, of).await
    }

    async fn delete_receiver(
        &self,
        id: ReceiverId,
        etag: Option<&str>,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        self.store.delete_receiver(id, etag, by).await
    }

    async fn rotate_secret(
        &self,
        id: ReceiverId,
        secret: &SharedSecret,
        overlap: Duration,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        self.store.rotate_secret(id, secret, overlap, by).await
    }

    async fn headers_of(&self, receivers: &[ReceiverId]) -> Result<Vec<WebhookHeader>, StoreError> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        self.store.headers_of(receivers).await
    }
}

async fn nested_records_cost_one_question(database: TestDatabase) {
    let questions = Arc::new(AtomicUsize::new(0));
    let counter = questions.clone();
    let house = House::with(database, move |services| {
        services.receivers = Arc::new(Counting {
            store: services.receivers.clone(),
            questions: counter,
        });
    })
    .await;
    for _ in 0..12 {
        let (receiver, _) = house.receiver().await;
        house.subscription(receiver).await;
        house.subscription(receiver).await;
    }
    let query = "{ webhookSubscriptions { edges { node { id ...more } } } }
        fragment more on WebhookSubscription { receiver { id ... on WebhookReceiver {
          headers { key receiver { id } } subscriptions { receiver { name } } } } }";
    let data = house.data(query, json!({})).await;
    let edges = data["webhookSubscriptions"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 24);
    let receiver = &edges[23]["node"]["receiver"];
    assert_eq!(receiver["id"], 12);
    assert_eq!(receiver["subscriptions"].as_array().unwrap().len(), 2);
    // Receivers and headers once each; the receivers inside are known by then.
    assert_eq!(questions.load(Ordering::Relaxed), 2);
}
