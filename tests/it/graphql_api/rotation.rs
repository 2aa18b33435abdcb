//! A receiver's secret through the API: shown once, renewed on demand.

use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(a_rotation_shows_the_new_secret_once, an_overlap_has_limits);

const ROTATE: &str = "mutation($input: RotateWebhookReceiverSecretInput!) {
    rotateWebhookReceiverSecret(input: $input) {
      webhookReceiver { id sharedSecret _etag updatedBy { name } } } }";

async fn a_rotation_shows_the_new_secret_once(database: TestDatabase) {
    let house = House::of(database).await;
    let (id, etag) = house.receiver().await;
    let rotate = json!({"input": {"id": id}});
    let first = house.data(ROTATE, rotate.clone()).await;
    let first = &first["rotateWebhookReceiverSecret"]["webhookReceiver"];
    assert_eq!(first["id"], id);
    assert_ne!(first["_etag"], json!(etag));
    let second = house.data(ROTATE, rotate).await;
    let second = &second["rotateWebhookReceiverSecret"]["webhookReceiver"];
    for secret in [&first["sharedSecret"], &second["sharedSecret"]] {
        assert!(secret.as_str().unwrap().starts_with("whsec_"));
    }
    assert_ne!(first["sharedSecret"], second["sharedSecret"]);
    let read = "query($id: Int!) { webhookReceiver(id: $id) { sharedSecret } }";
    let read = house.data(read, json!({"id": id})).await;
    assert_eq!(read["webhookReceiver"]["sharedSecret"], Value::Null);
    // A day unless the caller says otherwise.
    let kept = "select cast(count(*) as text) from rowhook.receivers
                where previous_secret is not null and previous_secret_until is not null";
    assert_eq!(stored::texts(&house.db, kept).await, ["1"]);
    let input = json!({"input": {"id": id, "overlapSeconds": 0}});
    house.data(ROTATE, input).await;
    assert_eq!(stored::texts(&house.db, kept).await, ["0"]);
    let input = json!({"input": {"id": 999}});
    assert_eq!(house.refused(ROTATE, input).await.0, "NOT_FOUND");
}

async fn an_overlap_has_limits(database: TestDatabase) {
    let house = House::of(database).await;
    let (id, _) = house.receiver().await;
    for wrong in [json!(-1), json!(2_592_001), json!(1.5), json!("x")] {
        let input = json!({"input": {"id": id, "overlapSeconds": wrong}});
        let (code, message, path) = house.refused(ROTATE, input).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", "overlapSeconds"])),
            "{wrong}: {message}"
        );
    }
    let input = json!({"input": {"id": id, "overlapSeconds": 2_592_000}});
    house.data(ROTATE, input).await;
}
