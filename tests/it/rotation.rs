//! A secret is replaced while deliveries go on: a receiver that knows either secret verifies each delivery
//! during the overlap, and only the new one counts after it.

use std::time::Instant;

use rowhook::{
    domain::shared_secret::SharedSecret,
    policy::signature::{ion_message, verify_ion, verify_standard},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::support::{
    both::on_both, database::TestDatabase, house::House, receiver::Delivery, service::DEADLINE,
};

on_both!(both_secrets_sign_until_the_overlap_ends);

#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Whether `webhook-signature`, `x-ion-signature` and `x-ion-signature-previous` verify with a secret.
fn verified(delivery: &Delivery, secret: &str) -> [bool; 3] {
    let secret = SharedSecret::parse(secret).unwrap();
    let headers = &delivery.headers;
    let seconds = headers["webhook-timestamp"].parse().unwrap();
    let standard = verify_standard(
        &secret,
        &headers["webhook-id"],
        seconds,
        &delivery.bytes,
        &headers["webhook-signature"],
    );
    let parts: Parts = serde_json::from_str(&delivery.text).unwrap();
    let uri = format!("http://{}{}", headers["host"], delivery.path);
    let message = ion_message(&uri, parts.data.get()).unwrap();
    let ion = |name: &str| {
        let header = headers.get(name);
        header.is_some_and(|header| verify_ion(&secret, &message, header))
    };
    [
        standard,
        ion("x-ion-signature"),
        ion("x-ion-signature-previous"),
    ]
}

/// How many signatures `webhook-signature` carries, and whether there is a previous one of ours.
fn signatures(delivery: &Delivery) -> (usize, bool) {
    let headers = &delivery.headers;
    (
        headers["webhook-signature"].split(' ').count(),
        headers.contains_key("x-ion-signature-previous"),
    )
}

struct Scene {
    house: House,
    receiver: i64,
    rows: usize,
}

impl Scene {
    async fn rotate(&self, overlap: &str) -> String {
        let receiver = self.receiver;
        let data = self
            .house
            .service
            .graphql(&format!(
                "mutation {{ rotateWebhookReceiverSecret(input: {{id: {receiver} {overlap}}}) {{
                   webhookReceiver {{ sharedSecret }} }} }}"
            ))
            .await;
        let secret = &data["rotateWebhookReceiverSecret"]["webhookReceiver"]["sharedSecret"];
        let secret = secret.as_str().unwrap().to_owned();
        self.house.receiver.expect_signed("/hook", &secret);
        secret
    }

    /// The delivery of one more change.
    async fn next(&mut self) -> Delivery {
        self.rows += 1;
        let rows = self.rows;
        let sql = format!("insert into items (id, n) values ({rows}, 1)");
        self.house.sql(&sql).await;
        let all = self.house.receiver.wait_for_events(rows).await;
        all.into_iter()
            .find(|delivery| delivery.data()["id"] == rows)
            .unwrap()
    }
}

async fn both_secrets_sign_until_the_overlap_ends(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.register("/hook", "").await;
    house.subscribe(receiver, "ITEM", "CREATE", "").await;
    let mut scene = Scene {
        house,
        receiver,
        rows: 0,
    };
    let first = scene.rotate(", overlapSeconds: 0").await;
    let delivery = scene.next().await;
    assert_eq!(signatures(&delivery), (1, false));
    assert_eq!(verified(&delivery, &first), [true, true, false]);

    // The new one first, and a receiver that still has the old one verifies too.
    let second = scene.rotate("").await;
    let delivery = scene.next().await;
    assert_eq!(signatures(&delivery), (2, true));
    assert_eq!(verified(&delivery, &second), [true, true, false]);
    assert_eq!(verified(&delivery, &first), [true, false, true]);
    let new = delivery.headers["webhook-signature"]
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    let mut new_alone = delivery.clone();
    new_alone
        .headers
        .insert("webhook-signature".to_owned(), new);
    assert!(verified(&new_alone, &second)[0]);

    // Twice within an overlap: the oldest of the three goes.
    let third = scene.rotate("").await;
    let delivery = scene.next().await;
    assert_eq!(signatures(&delivery), (2, true));
    assert_eq!(verified(&delivery, &third), [true, true, false]);
    assert_eq!(verified(&delivery, &second), [true, false, true]);
    assert_eq!(verified(&delivery, &first), [false, false, false]);

    // With no overlap the old one is not used from the answer on, while a sender runs.
    let fourth = scene.rotate(", overlapSeconds: 0").await;
    let delivery = scene.next().await;
    assert_eq!(signatures(&delivery), (1, false));
    assert_eq!(verified(&delivery, &fourth), [true, true, false]);
    assert_eq!(verified(&delivery, &third), [false, false, false]);

    // The overlap is over, as the table has it.
    let fifth = scene.rotate(", overlapSeconds: 3600").await;
    assert_eq!(signatures(&scene.next().await), (2, true));
    let table = if scene.house.url.starts_with("sqlite") {
        "rowhook_receivers"
    } else {
        "rowhook.receivers"
    };
    let over = format!("update {table} set previous_secret_until = '2020-01-01T00:00:00+00:00'");
    scene.house.sql(&over).await;
    let began = Instant::now();
    let delivery = loop {
        let delivery = scene.next().await;
        if signatures(&delivery) == (1, false) {
            break delivery;
        }
        assert!(began.elapsed() < DEADLINE, "the old secret still signs");
    };
    assert_eq!(verified(&delivery, &fifth), [true, true, false]);
    assert_eq!(verified(&delivery, &fourth), [false, false, false]);
    assert_eq!(signatures(&scene.next().await), (1, false));
}
