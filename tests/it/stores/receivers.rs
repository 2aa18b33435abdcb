//! Receivers and their headers: made, read, changed under an etag, told apart when deleted.

use std::time::Duration;

use rowhook::{
    domain::{
        api_key::Author,
        ids::{HeaderId, ReceiverId},
        receiver::{ContentType, Ordering, RateLimit, RetryOverrides},
        shared_secret::SharedSecret,
    },
    store::{
        StoreError,
        delivery_targets::DeliveryTargets as _,
        receivers::{ReceiverFields, ReceiverStore as _},
    },
};

use super::{House, ann, fields, fields_of};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    a_receiver_reads_back_as_it_was_made,
    an_update_replaces_the_fields_and_the_etag,
    an_update_needs_the_present_etag,
    a_deleted_receiver_is_not_found,
    a_deactivation_keeps_its_reason_until_someone_activates,
    headers_are_one_per_name_and_receiver,
    a_delivery_target_has_everything_opened,
    a_stored_word_that_does_not_parse_is_named,
);

async fn a_receiver_reads_back_as_it_was_made(database: TestDatabase) {
    let house = House::of(database).await;
    let full = ReceiverFields {
        name: "Größe ≠ 1".to_owned(),
        description: Some(String::new()),
        content_type: ContentType::CloudEvents,
        expected_response_code: 599,
        active: false,
        rate_limit: Some(RateLimit {
            per_second: 0.1,
            burst: u32::try_from(i32::MAX).unwrap(),
        }),
        max_in_flight: Some(1),
        timeout: Some(Duration::from_millis(1)),
        retry: RetryOverrides {
            max_attempts: Some(3),
            initial_delay: Some(Duration::ZERO),
            multiplier: Some(1.1),
            max_delay: Some(Duration::from_secs(400 * 24 * 60 * 60)),
        },
        ordering: Ordering::None,
        ..fields("")
    };
    for fields in [fields("plain"), full] {
        let secret = SharedSecret::generate();
        let made = house
            .store
            .create_receiver(fields.clone(), &secret, &ann())
            .await
            .unwrap();
        assert_eq!(fields_of(&made), fields);
        assert_eq!((&made.created_by, &made.updated_by), (&ann(), &ann()));
        assert_eq!(made.created_at, made.updated_at);
        assert_eq!(made.inactive_reason, None);
        assert_eq!(made.etag.len(), 32);
        let read = house.store.receiver(made.id).await.unwrap();
        assert_eq!(read, Some(made));
    }
    assert_eq!(house.store.receiver(ReceiverId(99)).await.unwrap(), None);
}

async fn an_update_replaces_the_fields_and_the_etag(database: TestDatabase) {
    let house = House::of(database).await;
    let made = house.receiver(true).await;
    let other = house.receiver(true).await;
    let bob = Author {
        id: None,
        name: "admin".to_owned(),
    };
    let wanted = ReceiverFields {
        description: Some("what for".to_owned()),
        timeout: Some(Duration::from_secs(9)),
        ..fields("renamed")
    };
    let changed = house
        .store
        .update_receiver(made.id, &made.etag, wanted.clone(), &bob)
        .await
        .unwrap();
    assert_eq!(fields_of(&changed), wanted);
    assert_eq!((&changed.created_by, &changed.updated_by), (&ann(), &bob));
    assert_eq!(changed.created_at, made.created_at);
    assert!(changed.updated_at >= made.updated_at);
    assert_ne!(changed.etag, made.etag);
    assert_eq!(
        house.store.receiver(made.id).await.unwrap(),
        Some(changed.clone())
    );
    // Taken back to the default, and the neighbour left alone.
    let back = house
        .store
        .update_receiver(made.id, &changed.etag, fields("renamed"), &bob)
        .await
        .unwrap();
    assert_eq!((back.description, back.timeout), (None, None));
    assert_eq!(house.store.receiver(other.id).await.unwrap(), Some(other));
}

async fn an_update_needs_the_present_etag(database: TestDatabase) {
    let house = House::of(database).await;
    let made = house.receiver(true).await;
    let update = |etag: String, name: &'static str| {
        let (store, id) = (house.store.clone(), made.id);
        async move { store.update_receiver(id, &etag, fields(name), &ann()).await }
    };
    update(made.etag.clone(), "first").await.unwrap();
    let late = update(made.etag.clone(), "late").await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    let read = house.store.receiver(made.id).await.unwrap().unwrap();
    assert_eq!(read.name, "first");
    // Of two that read the same etag, one wins.
    let (one, two) = tokio::join!(
        update(read.etag.clone(), "one"),
        update(read.etag.clone(), "two")
    );
    assert_eq!(u8::from(one.is_ok()) + u8::from(two.is_ok()), 1);
    let unknown = house
        .store
        .update_receiver(ReceiverId(99), &read.etag, fields("x"), &ann())
        .await;
    assert!(
        matches!(unknown, Err(StoreError::NotFound { id: 99, .. })),
        "{unknown:?}"
    );
}

async fn a_deleted_receiver_is_not_found(database: TestDatabase) {
    let house = House::of(database).await;
    let (kept, gone) = (house.receiver(true).await, house.receiver(true).await);
    let delete = "update rowhook.receivers set deleted_at = updated_at where id = $1";
    stored::run(&house.db, delete, [gone.id.0.into()]).await;
    let store = &house.store;
    assert_eq!(store.receiver(gone.id).await.unwrap(), None);
    assert!(store.delivery_target(gone.id).await.unwrap().is_none());
    assert!(!store.deactivate(gone.id, "410").await.unwrap());
    let by = ann();
    let update = store.update_receiver(gone.id, &gone.etag, fields("x"), &by);
    assert!(matches!(update.await, Err(StoreError::NotFound { .. })));
    let header = store.add_header(gone.id, "a", "b", &by);
    assert!(matches!(header.await, Err(StoreError::NotFound { .. })));
    // Events outlive their receiver, so nested look-ups still find it.
    let both = store.receivers_by_id(&[gone.id, kept.id]).await.unwrap();
    assert_eq!(both, [kept, gone]);
}

async fn a_deactivation_keeps_its_reason_until_someone_activates(database: TestDatabase) {
    let house = House::of(database).await;
    let store = &house.store;
    let made = house.receiver(true).await;
    assert!(store.deactivate(made.id, "it answered 410").await.unwrap());
    assert!(!store.deactivate(made.id, "again").await.unwrap());
    let off = store.receiver(made.id).await.unwrap().unwrap();
    assert!(!off.active);
    assert_eq!(off.inactive_reason.as_deref(), Some("it answered 410"));
    assert_eq!(off.updated_by.name, "rowhook");
    assert_ne!(off.etag, made.etag);
    let renamed = ReceiverFields {
        name: "renamed".to_owned(),
        ..fields_of(&off)
    };
    let still = store
        .update_receiver(off.id, &off.etag, renamed, &ann())
        .await
        .unwrap();
    assert_eq!(still.inactive_reason.as_deref(), Some("it answered 410"));
    let on = store
        .update_receiver(off.id, &still.etag, fields("x"), &ann())
        .await
        .unwrap();
    assert_eq!((on.active, on.inactive_reason), (true, None));
    let by_hand = ReceiverFields {
        active: false,
        ..fields("x")
    };
    let off = store
        .update_receiver(off.id, &on.etag, by_hand, &ann())
        .await
        .unwrap();
    assert_eq!((off.active, off.inactive_reason), (false, None));
}

async fn headers_are_one_per_name_and_receiver(database: TestDatabase) {
    let house = House::of(database).await;
    let store = &house.store;
    let (one, two) = (house.receiver(true).await, house.receiver(false).await);
    let add = |id, key, value| async move { store.add_header(id, key, value, &ann()).await };
    let first = add(one.id, "X-Tenant", "a").await.unwrap();
    assert_eq!(
        (first.key.as_str(), first.value.as_str()),
        ("x-tenant", "a")
    );
    let doubled = add(one.id, "x-tenant", "b").await;
    let taken = matches!(&doubled, Err(StoreError::HeaderTaken { receiver, key })
        if *receiver == one.id && key == "x-tenant");
    assert!(taken, "{doubled:?}");
    let second = add(one.id, "x-other", "").await.unwrap();
    let third = add(two.id, "x-tenant", "c").await.unwrap();
    assert_eq!(
        store.headers_of(&[two.id, one.id]).await.unwrap(),
        [first.clone(), second, third.clone()]
    );
    // Another receiver's header is not this one's to remove.
    let foreign = store.remove_header(first.id, Some(two.id)).await;
    assert!(matches!(foreign, Err(StoreError::NotFound { .. })));
    assert_eq!(
        store.remove_header(first.id, Some(one.id)).await.unwrap(),
        first
    );
    let gone = store.remove_header(first.id, Some(one.id)).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })));
    let never = store.remove_header(HeaderId(99), Some(one.id)).await;
    assert!(matches!(never, Err(StoreError::NotFound { id: 99, .. })));
    add(one.id, "x-tenant", "d").await.unwrap();
    assert_eq!(store.headers_of(&[two.id]).await.unwrap(), [third]);
    let nobody = add(ReceiverId(99), "x", "y").await;
    assert!(matches!(nobody, Err(StoreError::NotFound { id: 99, .. })));
}

async fn a_delivery_target_has_everything_opened(database: TestDatabase) {
    let house = House::of(database).await;
    let store = &house.store;
    let secret = SharedSecret::generate();
    let inactive = ReceiverFields {
        active: false,
        ..fields("target")
    };
    let made = store
        .create_receiver(inactive, &secret, &ann())
        .await
        .unwrap();
    let header = store
        .add_header(made.id, "x-tenant", "a", &ann())
        .await
        .unwrap();
    let target = store.delivery_target(made.id).await.unwrap().unwrap();
    assert_eq!(target.receiver, made);
    assert_eq!(target.secret.expose(), secret.expose());
    assert_eq!(target.headers, [header]);
    assert!(target.previous_secret.is_none());
    // As a rotation leaves it.
    let rotate = "update rowhook.receivers set previous_secret = shared_secret, \
                  previous_secret_until = created_at where id = $1";
    stored::run(&house.db, rotate, [made.id.0.into()]).await;
    let target = store.delivery_target(made.id).await.unwrap().unwrap();
    let (previous, until) = target.previous_secret.unwrap();
    assert_eq!(previous.expose(), secret.expose());
    assert_eq!(until, made.created_at);
    assert!(
        store
            .delivery_target(ReceiverId(99))
            .await
            .unwrap()
            .is_none()
    );
}

async fn a_stored_word_that_does_not_parse_is_named(database: TestDatabase) {
    let house = House::of(database).await;
    let made = house.receiver(true).await;
    for (column, value) in [
        ("content_type", "'xml'"),
        ("ordering", "'ANY'"),
        ("max_in_flight", "-1"),
        ("timeout_ms", "-1"),
    ] {
        let spoil = format!("update rowhook.receivers set {column} = {value}");
        stored::run(&house.db, &spoil, []).await;
        let error = house.store.receiver(made.id).await.unwrap_err();
        let place = format!("receivers {}, column {column}:", made.id);
        assert!(
            matches!(&error, StoreError::Corrupt(text) if text.starts_with(&place)),
            "{error}"
        );
        let mend = format!(
            "update rowhook.receivers set {column} = {}",
            match column {
                "content_type" => "'json'",
                "ordering" => "'NONE'",
                _ => "null",
            }
        );
        stored::run(&house.db, &mend, []).await;
    }
}
