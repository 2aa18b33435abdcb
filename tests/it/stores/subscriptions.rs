//! Subscriptions: made, read, changed under an etag, told apart when deleted.

use rowhook::{
    domain::{
        action::Action,
        ids::{ReceiverId, SubscriptionId},
    },
    store::{
        StoreError,
        subscriptions::{NewSubscription, SubscriptionChange, SubscriptionStore as _},
    },
};

use super::{House, ann, run_step_updates};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    a_subscription_reads_back_as_it_was_made,
    a_change_leaves_what_it_does_not_name,
    a_change_needs_the_present_etag,
    a_deleted_subscription_is_not_found,
);

async fn a_subscription_reads_back_as_it_was_made(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await;
    let columns = [
        None,
        Some(vec![]),
        Some(vec!["a \"b\"".to_owned(), "ä".to_owned()]),
    ];
    for (changed_fields, action) in columns.into_iter().zip(Action::ALL) {
        let filter = changed_fields
            .as_ref()
            .map(|_| "new.\"ä\" == 'é'".to_owned());
        let new = NewSubscription {
            changed_fields: changed_fields.clone(),
            filter: filter.clone(),
            action,
            active: action == Action::Update,
            ..run_step_updates(receiver.id)
        };
        let made = house.store.create_subscription(new, &ann()).await.unwrap();
        assert_eq!(made.receiver_id, receiver.id);
        assert_eq!(made.resource.as_str(), "RUN_STEP");
        assert_eq!(made.action, action);
        assert_eq!(made.active, action == Action::Update);
        assert_eq!(made.changed_fields, changed_fields);
        assert_eq!(made.filter, filter);
        assert_eq!((&made.created_by, &made.updated_by), (&ann(), &ann()));
        assert_eq!(made.created_at, made.updated_at);
        let read = house.store.subscription(made.id).await.unwrap();
        assert_eq!(read, Some(made));
    }
    let nobody = house
        .store
        .create_subscription(run_step_updates(ReceiverId(99)), &ann())
        .await;
    assert!(matches!(nobody, Err(StoreError::NotFound { id: 99, .. })));
}

async fn a_change_leaves_what_it_does_not_name(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await;
    let new = NewSubscription {
        changed_fields: Some(vec!["status".to_owned()]),
        filter: Some("new.n > 1".to_owned()),
        ..run_step_updates(receiver.id)
    };
    let made = house.store.create_subscription(new, &ann()).await.unwrap();
    let change = SubscriptionChange {
        resource: Some("PART".parse().unwrap()),
        ..SubscriptionChange::default()
    };
    let moved = house
        .store
        .update_subscription(made.id, &made.etag, change, &ann())
        .await
        .unwrap();
    assert_eq!(moved.resource.as_str(), "PART");
    assert_eq!(
        (moved.action, moved.active, &moved.changed_fields),
        (made.action, made.active, &made.changed_fields)
    );
    assert_eq!(moved.filter.as_deref(), Some("new.n > 1"));
    assert_ne!(moved.etag, made.etag);
    let change = SubscriptionChange {
        active: Some(false),
        action: Some(Action::Delete),
        changed_fields: Some(None),
        filter: Some(None),
        ..SubscriptionChange::default()
    };
    let off = house
        .store
        .update_subscription(made.id, &moved.etag, change, &ann())
        .await
        .unwrap();
    assert_eq!(
        (
            off.resource.as_str(),
            off.action,
            off.active,
            &off.changed_fields
        ),
        ("PART", Action::Delete, false, &None)
    );
    assert_eq!(off.filter, None);
    assert_eq!(house.store.subscription(made.id).await.unwrap(), Some(off));
}

async fn a_change_needs_the_present_etag(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await;
    let made = house.subscription(receiver.id, true).await;
    let off = || SubscriptionChange {
        active: Some(false),
        ..SubscriptionChange::default()
    };
    let store = &house.store;
    store
        .update_subscription(made.id, &made.etag, off(), &ann())
        .await
        .unwrap();
    let late = store
        .update_subscription(made.id, &made.etag, off(), &ann())
        .await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    let unknown = store
        .update_subscription(SubscriptionId(99), &made.etag, off(), &ann())
        .await;
    assert!(matches!(unknown, Err(StoreError::NotFound { id: 99, .. })));
}

async fn a_deleted_subscription_is_not_found(database: TestDatabase) {
    let house = House::of(database).await;
    let (one, two) = (house.receiver(true).await, house.receiver(true).await);
    let gone = house.subscription(one.id, true).await;
    let kept = house.subscription(one.id, true).await;
    let other = house.subscription(two.id, false).await;
    let delete = "update rowhook.subscriptions set deleted_at = updated_at where id = $1";
    stored::run(&house.db, delete, [gone.id.0.into()]).await;
    let store = &house.store;
    assert_eq!(store.subscription(gone.id).await.unwrap(), None);
    let change = SubscriptionChange::default();
    let by = ann();
    let update = store.update_subscription(gone.id, &gone.etag, change, &by);
    assert!(matches!(update.await, Err(StoreError::NotFound { .. })));
    let of = store.subscriptions_of(&[two.id, one.id]).await.unwrap();
    assert_eq!(of, [kept.clone(), other.clone()]);
    let ids = [other.id, gone.id, kept.id];
    let all = store.subscriptions_by_id(&ids).await.unwrap();
    assert_eq!(all, [gone, kept, other]);
}
