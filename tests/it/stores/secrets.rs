//! Secrets at rest: whoever reads the tables reads no secret, and no error or `Debug` shows one.

use std::sync::Arc;

use rowhook::{
    domain::shared_secret::SharedSecret,
    policy::seal::Sealer,
    store::{
        StoreError, delivery_targets::DeliveryTargets as _, receivers::ReceiverStore as _,
        sql::receivers::SqlManagementStore,
    },
};

use super::{House, KEY, ann, fields};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    the_tables_hold_no_secret,
    a_store_with_another_key_says_so_and_no_more,
    one_kind_of_secret_can_not_stand_in_for_another,
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
