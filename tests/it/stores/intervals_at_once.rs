//! Mutations of a receiver and its subscriptions at the same time, while changes commit: in the end
//! exactly what is in force has an open interval, and no change was ever in two.

use rowhook::{
    domain::{
        action::Action,
        ids::{ReceiverId, SubscriptionId},
    },
    store::{
        StoreError,
        receivers::{ReceiverFields, ReceiverStore as _},
        sql::{db::Dialect, receivers::SqlManagementStore},
        subscriptions::{SubscriptionChange, SubscriptionStore as _},
    },
};

use super::{House, ann, fields_of, run_step_updates};
use crate::support::{both::on_both, database::TestDatabase, stored};

/// The race that chance seldom finds (SQLite's one writer can not have it): a deactivation has begun and
/// not committed when a subscription of that receiver is made, activated, and the receiver changed.
#[tokio::test]
async fn a_mutation_waits_for_the_receivers_present_one() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    let receiver = house.receiver(true).await;
    let sleeping = house.subscription(receiver.id, false).await;
    let deactivation = house.db.begin().await.unwrap();
    stored::lock_receiver(&deactivation, receiver.id).await;
    stored::deactivate(&deactivation, receiver.id).await;
    let tasks = [
        tokio::spawn({
            let store = house.store.clone();
            async move {
                let new = run_step_updates(receiver.id);
                store.create_subscription(new, &ann()).await.map(drop)
            }
        }),
        tokio::spawn({
            let store = house.store.clone();
            async move {
                let change = SubscriptionChange {
                    active: Some(true),
                    ..SubscriptionChange::default()
                };
                store
                    .update_subscription(sleeping.id, &sleeping.etag, change, &ann())
                    .await
                    .map(drop)
            }
        }),
        tokio::spawn({
            let (store, receiver) = (house.store.clone(), receiver.clone());
            async move {
                store
                    .update_receiver(receiver.id, &receiver.etag, fields_of(&receiver), &ann())
                    .await
                    .map(drop)
            }
        }),
    ];
    // Each of them waits by now, or has gone ahead.
    let settled = async || {
        let gone = tasks.iter().filter(|task| task.is_finished()).count();
        stored::waiting_for_a_lock(&house.db).await + gone == tasks.len()
    };
    while !settled().await {
        tokio::task::yield_now().await;
    }
    deactivation.commit().await.unwrap();
    let [made, activated, changed] = tasks;
    made.await.unwrap().unwrap();
    activated.await.unwrap().unwrap();
    let changed = changed.await.unwrap();
    assert!(matches!(changed, Err(StoreError::Conflict)), "{changed:?}");
    for subscription in house.store.subscriptions_of(&[receiver.id]).await.unwrap() {
        let all = stored::intervals(&house.db, subscription.id).await;
        assert!(subscription.active && all.is_empty(), "{all:?}");
    }
}

on_both!(mutations_at_once_leave_the_right_intervals);

const ROUNDS: usize = 12;
const SUBSCRIPTIONS: usize = 4;

/// Reads the receiver and flips it, again and again; a conflict is somebody else's turn.
async fn flip_receiver(store: SqlManagementStore, id: ReceiverId) {
    for _ in 0..ROUNDS {
        let read = store.receiver(id).await.unwrap().unwrap();
        let flipped = ReceiverFields {
            active: !read.active,
            ..fields_of(&read)
        };
        match store.update_receiver(id, &read.etag, flipped, &ann()).await {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// The same with a subscription, its activity and its setting in turn.
async fn flip_subscription(store: SqlManagementStore, id: SubscriptionId) {
    for round in 0..ROUNDS {
        let read = store.subscription(id).await.unwrap().unwrap();
        let change = if round % 2 == 0 {
            SubscriptionChange {
                active: Some(!read.active),
                ..SubscriptionChange::default()
            }
        } else {
            SubscriptionChange {
                action: Some(Action::ALL[round % 3]),
                ..SubscriptionChange::default()
            }
        };
        match store
            .update_subscription(id, &read.etag, change, &ann())
            .await
        {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn mutations_at_once_leave_the_right_intervals(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await;
    let mut subscriptions = Vec::new();
    for index in 0..SUBSCRIPTIONS {
        subscriptions.push(house.subscription(receiver.id, index % 2 == 0).await);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..2 {
        tasks.spawn(flip_receiver(house.store.clone(), receiver.id));
    }
    for subscription in &subscriptions {
        for _ in 0..2 {
            tasks.spawn(flip_subscription(house.store.clone(), subscription.id));
        }
    }
    // A subscription that comes while its receiver flips must not be left behind either.
    let store = house.store.clone();
    tasks.spawn(async move {
        for _ in 0..ROUNDS {
            let new = run_step_updates(receiver.id);
            store.create_subscription(new, &ann()).await.unwrap();
        }
    });
    let db = house.db.clone();
    let changes = tokio::spawn(async move {
        let mut places = Vec::new();
        for _ in 0..ROUNDS * 4 {
            places.push(stored::committed_change(&db).await);
        }
        places
    });
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let changes = changes.await.unwrap();

    let receiver = house.store.receiver(receiver.id).await.unwrap().unwrap();
    let subscriptions = house.store.subscriptions_of(&[receiver.id]).await.unwrap();
    assert_eq!(subscriptions.len(), SUBSCRIPTIONS + ROUNDS);
    for subscription in subscriptions {
        let all = stored::intervals(&house.db, subscription.id).await;
        let open: Vec<_> = all.iter().filter(|one| one.to.is_none()).collect();
        let in_force = receiver.active && subscription.active;
        assert_eq!(
            open.len(),
            usize::from(in_force),
            "{subscription:?} {all:?}"
        );
        if let [open] = open[..] {
            assert_eq!(open.resource, subscription.resource);
            assert_eq!(open.action, subscription.action);
            assert_eq!(open.changed_fields, subscription.changed_fields);
        }
        for change in &changes {
            let covering = all.iter().filter(|one| one.covers(*change)).count();
            assert!(covering <= 1, "{change:?} in {covering} of {all:?}");
        }
    }
}
