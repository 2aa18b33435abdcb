//! Secrets at rest: whoever reads the tables reads no secret, and no error or `Debug` shows one.

use std::{sync::Arc, time::Duration};

use rowhook::{
    domain::{client_identity::ClientIdentity, shared_secret::SharedSecret},
    policy::seal::Sealer,
    store::{
        StoreError,
        delivery_targets::DeliveryTargets as _,
        receivers::{ClientIdentityChange, ReceiverFields, ReceiverStore as _},
        sql::receivers::SqlManagementStore,
    },
};

use super::{House, KEY, ann, fields, fields_of};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    the_tables_hold_no_secret,
    a_store_with_another_key_says_so_and_no_more,
    one_kind_of_secret_can_not_stand_in_for_another,
    a_rotated_key_seals_at_the_next_write,
    a_key_that_is_gone_does_not_stop_a_pause,
    a_rotation_keeps_two_secrets_and_drops_the_older_one,
    an_old_secret_goes_when_its_time_is_up,
    a_client_key_is_sealed_and_sealed_anew,
);

const VALUE: &str = "Bearer hunter2";

async fn the_tables_hold_no_secret(database: TestDatabase) {
    let house = House::of(database).await;
    let secret = SharedSecret::generate();
    let made = house
        .store
        .create_receiver(fields("x"), &secret, &ann())
        .await
        .unwrap();
    let header = house
        .store
        .add_header(made.id, "authorization", VALUE, &ann())
        .await
        .unwrap();
    let sealed = "select shared_secret from rowhook.receivers \
                  union all select value from rowhook.headers";
    let raw = stored::texts(&house.db, sealed).await;
    assert_eq!(raw.len(), 2);
    for text in &raw {
        assert!(text.starts_with("v1."), "{text}");
        assert!(!text.contains("hunter2") && !text.contains(secret.expose()));
    }
    let target = house.store.delivery_target(made.id).await.unwrap().unwrap();
    let shown = format!("{made:?} {header:?} {target:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(secret.expose()));
    assert!(
        !shown.contains("whsec_") && !shown.contains("v1."),
        "{shown}"
    );
}

async fn a_store_with_another_key_says_so_and_no_more(database: TestDatabase) {
    let house = House::of(database).await;
    let made = house.receiver(true).await;
    house
        .store
        .add_header(made.id, "authorization", VALUE, &ann())
        .await
        .unwrap();
    let sealed_by = Sealer::new(KEY, vec![]).current_key_id().to_owned();
    let other = SqlManagementStore::new(
        house.db.clone(),
        Arc::new(Sealer::new([9; 32], vec![[8; 32]])),
    );
    let error = other.delivery_target(made.id).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StoreError::Corrupt(_)));
    assert!(text.contains("receivers 1, column shared_secret"), "{text}");
    assert!(text.contains(&sealed_by), "{text}");
    let text = other.headers_of(&[made.id]).await.unwrap_err().to_string();
    assert!(text.contains("headers 1, column value"), "{text}");
    assert!(!text.contains("hunter2"));
    // The record itself needs no secret.
    assert!(other.receiver(made.id).await.unwrap().is_some());
    // The key may be an earlier one.
    let rotated =
        SqlManagementStore::new(house.db.clone(), Arc::new(Sealer::new([9; 32], vec![KEY])));
    assert_eq!(
        rotated.headers_of(&[made.id]).await.unwrap()[0].value,
        VALUE
    );
}

async fn one_kind_of_secret_can_not_stand_in_for_another(database: TestDatabase) {
    let house = House::of(database).await;
    let made = house.receiver(true).await;
    house
        .store
        .add_header(made.id, "authorization", VALUE, &ann())
        .await
        .unwrap();
    let swap = "update rowhook.headers set value = (select shared_secret from rowhook.receivers)";
    stored::run(&house.db, swap, []).await;
    let error = house.store.headers_of(&[made.id]).await.unwrap_err();
    assert!(
        error.to_string().contains("headers 1, column value"),
        "{error}"
    );
}

const NEXT_KEY: [u8; 32] = [9; 32];
const DAY: Duration = Duration::from_secs(86_400);
const SEALED: &str = "select shared_secret from rowhook.receivers \
                      union all select previous_secret from rowhook.receivers \
                      where previous_secret is not null \
                      union all select value from rowhook.headers";

fn with_next_key(house: &House) -> SqlManagementStore {
    SqlManagementStore::new(house.db.clone(), Arc::new(Sealer::new(NEXT_KEY, vec![KEY])))
}

/// `secret_key` becomes one of `previous_secret_keys`: everything is still read, and what is written is
/// sealed with the new one, whoever writes it for whatever reason.
async fn a_rotated_key_seals_at_the_next_write(database: TestDatabase) {
    let house = House::of(database).await;
    let store = &house.store;
    let (first, second) = (SharedSecret::generate(), SharedSecret::generate());
    let made = store
        .create_receiver(fields("x"), &first, &ann())
        .await
        .unwrap();
    let rotated = store
        .rotate_secret(made.id, &second, DAY, &ann())
        .await
        .unwrap();
    let header = store
        .add_header(made.id, "authorization", VALUE, &ann())
        .await
        .unwrap();
    let old = format!("v1.{}.", Sealer::new(KEY, vec![]).current_key_id());
    let new = format!("v1.{}.", Sealer::new(NEXT_KEY, vec![]).current_key_id());
    let sealed_by = async |id: &str| {
        let all = stored::texts(&house.db, SEALED).await;
        all.iter().filter(|text| text.starts_with(id)).count()
    };
    assert_eq!(sealed_by(&old).await, 3);

    let next = with_next_key(&house);
    let reads = async |store: &SqlManagementStore| {
        let target = store.delivery_target(made.id).await.unwrap().unwrap();
        assert_eq!(target.secret.expose(), second.expose());
        assert_eq!(target.previous_secret.unwrap().0.expose(), first.expose());
        assert_eq!(target.headers[0].value, VALUE);
    };
    reads(&next).await;
    assert_eq!(sealed_by(&old).await, 3, "reading writes nothing");
    let renamed = ReceiverFields {
        name: "y".to_owned(),
        ..fields_of(&rotated)
    };
    next.update_receiver(made.id, &rotated.etag, renamed, &ann())
        .await
        .unwrap();
    assert_eq!((sealed_by(&old).await, sealed_by(&new).await), (1, 2));
    let change = rowhook::store::receivers::HeaderChange {
        key: Some("x-renamed".to_owned()),
        value: None,
    };
    next.update_header(header.id, &header.etag, change, &ann())
        .await
        .unwrap();
    assert_eq!((sealed_by(&old).await, sealed_by(&new).await), (0, 3));
    // The old key can go now.
    let alone = SqlManagementStore::new(house.db.clone(), Arc::new(Sealer::new(NEXT_KEY, vec![])));
    reads(&alone).await;
}

async fn a_key_that_is_gone_does_not_stop_a_pause(database: TestDatabase) {
    let house = House::of(database).await;
    let made = house.receiver(true).await;
    let before = stored::texts(&house.db, SEALED).await;
    let other = SqlManagementStore::new(house.db.clone(), Arc::new(Sealer::new(NEXT_KEY, vec![])));
    let paused = ReceiverFields {
        active: false,
        ..fields_of(&made)
    };
    let paused = other
        .update_receiver(made.id, &made.etag, paused, &ann())
        .await;
    assert!(!paused.unwrap().active);
    assert_eq!(
        stored::texts(&house.db, SEALED).await,
        before,
        "what it can not open stays"
    );
    assert!(house.store.delivery_target(made.id).await.is_ok());
}

async fn a_rotation_keeps_two_secrets_and_drops_the_older_one(database: TestDatabase) {
    let house = House::of(database).await;
    let store = &house.store;
    let secrets: Vec<SharedSecret> = (0..4).map(|_| SharedSecret::generate()).collect();
    let made = store
        .create_receiver(fields("x"), &secrets[0], &ann())
        .await
        .unwrap();
    let stands = async || {
        let target = store.delivery_target(made.id).await.unwrap().unwrap();
        let previous = target.previous_secret;
        (
            target.secret.expose().to_owned(),
            previous.map(|(secret, until)| (secret.expose().to_owned(), until)),
        )
    };
    let mut etag = made.etag;
    for at in [1, 2] {
        let before = chrono::Utc::now();
        let after = store
            .rotate_secret(made.id, &secrets[at], DAY, &ann())
            .await
            .unwrap();
        assert_ne!(after.etag, etag);
        etag = after.etag;
        let (secret, previous) = stands().await;
        let (previous, until) = previous.unwrap();
        assert_eq!(secret, secrets[at].expose());
        assert_eq!(previous, secrets[at - 1].expose());
        let lasts = until - before;
        assert!(lasts >= chrono::TimeDelta::days(1) - chrono::TimeDelta::seconds(1));
        assert!(lasts < chrono::TimeDelta::days(1) + chrono::TimeDelta::minutes(5));
    }
    let raw = stored::texts(&house.db, SEALED).await;
    assert!(raw.iter().all(|text| text.starts_with("v1.")), "{raw:?}");
    let now = Duration::ZERO;
    store
        .rotate_secret(made.id, &secrets[3], now, &ann())
        .await
        .unwrap();
    assert_eq!(stands().await, (secrets[3].expose().to_owned(), None));
    assert_eq!(stored::texts(&house.db, SEALED).await.len(), 1);
}

async fn an_old_secret_goes_when_its_time_is_up(database: TestDatabase) {
    let house = House::of(database).await;
    let store = &house.store;
    let expire = "update rowhook.receivers set previous_secret_until = $1";
    let past = || [(chrono::Utc::now() - chrono::TimeDelta::seconds(1)).into()];
    let rotated = async || {
        let made = house.receiver(true).await;
        let secret = SharedSecret::generate();
        store
            .rotate_secret(made.id, &secret, DAY, &ann())
            .await
            .unwrap()
    };
    let one = rotated().await;
    assert_eq!(stored::texts(&house.db, SEALED).await.len(), 2);
    // By the next write,
    stored::run(&house.db, expire, past()).await;
    store
        .update_receiver(one.id, &one.etag, fields("y"), &ann())
        .await
        .unwrap();
    assert_eq!(stored::texts(&house.db, SEALED).await.len(), 1);
    // or at the next start; one whose time is not up stays.
    rotated().await;
    store.tidy().await.unwrap();
    assert_eq!(stored::texts(&house.db, SEALED).await.len(), 3);
    stored::run(&house.db, expire, past()).await;
    store.tidy().await.unwrap();
    assert_eq!(stored::texts(&house.db, SEALED).await.len(), 2);
}

const CLIENT_KEY: &str = "select client_key from rowhook.receivers where client_key is not null";

/// The texts need be no PEM: the store takes what was checked.
async fn a_client_key_is_sealed_and_sealed_anew(database: TestDatabase) {
    let house = House::of(database).await;
    let store = &house.store;
    let identity = ClientIdentity::new("a chain".to_owned(), "hunter2's key".to_owned());
    let with_it = ReceiverFields {
        client_identity: ClientIdentityChange::Set(identity.clone()),
        ..fields("x")
    };
    let made = store
        .create_receiver(with_it, &SharedSecret::generate(), &ann())
        .await
        .unwrap();
    assert_eq!(made.client_certificate.as_deref(), Some("a chain"));
    let stands = async |store: &SqlManagementStore| {
        let target = store.delivery_target(made.id).await.unwrap().unwrap();
        assert!(!format!("{made:?} {target:?} {identity:?}").contains("hunter2"));
        target.client_identity.map(|found| (*found).clone())
    };
    assert_eq!(stands(store).await, Some(identity.clone()));
    let old = format!("v1.{}.", Sealer::new(KEY, vec![]).current_key_id());
    let new = format!("v1.{}.", Sealer::new(NEXT_KEY, vec![]).current_key_id());
    assert!(stored::texts(&house.db, CLIENT_KEY).await[0].starts_with(&old));

    // Any write with the next key seals it anew, and leaves it what it is.
    let next = with_next_key(&house);
    let renamed = next
        .update_receiver(made.id, &made.etag, fields("y"), &ann())
        .await
        .unwrap();
    assert!(stored::texts(&house.db, CLIENT_KEY).await[0].starts_with(&new));
    assert_eq!(stands(&next).await, Some(identity.clone()));
    let error = store
        .delivery_target(made.id)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("receivers 1, column"), "{error}");

    // Another secret under its column is not taken for it.
    let swap = "update rowhook.receivers set client_key = shared_secret";
    stored::run(&house.db, swap, []).await;
    let error = next.delivery_target(made.id).await.unwrap_err().to_string();
    assert!(error.contains("receivers 1, column client_key"), "{error}");

    let removed = ReceiverFields {
        client_identity: ClientIdentityChange::Remove,
        ..fields("y")
    };
    let removed = next
        .update_receiver(made.id, &renamed.etag, removed, &ann())
        .await
        .unwrap();
    assert_eq!(removed.client_certificate, None);
    assert_eq!(stands(&next).await, None);
    assert!(stored::texts(&house.db, CLIENT_KEY).await.is_empty());
}
