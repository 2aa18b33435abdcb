//! Deleting while the pipeline runs: nothing is sent once the deletion has answered, what is under way is
//! not repeated, and what others are owed goes on.

use std::time::Duration;

use rowhook::{
    domain::{
        action::Action,
        api_key::Author,
        ids::{ReceiverId, SubscriptionId},
        receiver::{RateLimit, RetryOverrides},
    },
    store::{
        receivers::ReceiverStore as _,
        subscriptions::{NewSubscription, SubscriptionStore as _},
    },
};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    network::{Gate, Post, Reply},
    pipeline::{World, Write},
    stored::{number, texts},
    wait::until,
};

on_both!(
    a_throttled_queue_ends_with_its_subscription,
    a_receiver_gets_nothing_once_its_deletion_has_answered,
    what_is_under_way_is_not_repeated,
    what_is_delivered_after_all_counts,
    what_is_parked_behind_a_cancelled_event_goes_on,
    what_was_committed_before_is_logged_and_not_sent,
);

const WAITING: i16 = 1;
const PARKED: i16 = 2;
const DELIVERED: i16 = 3;
const CANCELLED: i16 = 5;

async fn subscriptions(world: &World, receiver: ReceiverId) -> Vec<SubscriptionId> {
    let found = world.management.subscriptions_of(&[receiver]).await;
    found.unwrap().iter().map(|one| one.id).collect()
}

/// One more subscription to every change.
async fn another_subscription(world: &World, receiver_id: ReceiverId) -> SubscriptionId {
    let new = NewSubscription {
        receiver_id,
        resource: "THING".parse().unwrap(),
        action: Action::Update,
        active: true,
        changed_fields: None,
        filter: None,
    };
    let by = Author::rowhook();
    world
        .management
        .create_subscription(new, &by)
        .await
        .unwrap()
        .id
}

async fn delete(world: &World, subscription: SubscriptionId) {
    let by = Author::rowhook();
    let deleted = world
        .management
        .delete_subscription(subscription, None, &by)
        .await;
    assert!(!deleted.unwrap().active);
}

fn of(posts: &[Post], subscription: SubscriptionId) -> usize {
    let wanted = i64::from(subscription.0);
    let of = posts.iter().filter(|post| post.subscription == wanted);
    of.count()
}

/// Both queues wait for the throttle, with bodies in the sender's hands; the other one goes on to its end.
async fn a_throttled_queue_ends_with_its_subscription(database: TestDatabase) {
    let mut world = World::on(database).await;
    let receiver = world
        .receiver_with("left", |fields| {
            fields.rate_limit = Some(RateLimit {
                per_second: 20.0,
                burst: 1,
            });
        })
        .await;
    let goes = subscriptions(&world, receiver).await[0];
    let stays = another_subscription(&world, receiver).await;
    let writes: Vec<Write> = (1..=60).map(Write::Row).collect();
    world.write(&writes).await;
    world.start();
    let network = world.network.clone();
    until("both are being sent", || {
        let posts = network.posts();
        of(&posts, goes) >= 3 && of(&posts, stays) >= 3
    })
    .await;
    delete(&world, goes).await;
    let at_answer = of(&world.network.posts(), goes);
    assert!(at_answer < 60, "there was nothing left to cancel");
    until("the other one is sent", || {
        of(&network.posts(), stays) == 60
    })
    .await;
    let cancelled = i64::try_from(60 - at_answer).unwrap();
    world
        .states_are(&[(DELIVERED, 120 - cancelled), (CANCELLED, cancelled)])
        .await;
    assert_eq!(of(&world.network.posts(), goes), at_answer);
    world.finish().await;
}

async fn a_receiver_gets_nothing_once_its_deletion_has_answered(database: TestDatabase) {
    let mut world = World::on(database).await;
    let receiver = world
        .receiver_with("left", |fields| {
            fields.rate_limit = Some(RateLimit {
                per_second: 20.0,
                burst: 1,
            });
        })
        .await;
    world.receiver("right").await;
    let writes: Vec<Write> = (1..=60).map(Write::Row).collect();
    world.write(&writes).await;
    world.start();
    let network = world.network.clone();
    let left = || {
        let posts = network.posts();
        posts.iter().filter(|post| post.receiver == "left").count()
    };
    until("it is being sent to", || left() >= 3).await;
    let by = Author::rowhook();
    let deleted = world.management.delete_receiver(receiver, None, &by).await;
    assert!(!deleted.unwrap().active);
    let at_answer = left();
    assert!(at_answer < 60, "there was nothing left to cancel");
    // Committed after the answer: the other receiver's alone.
    world.touch(1).await;
    until("the other receiver has it", || {
        network.delivered("right").len() == 61
    })
    .await;
    let sent = i64::try_from(at_answer).unwrap();
    world
        .states_are(&[(DELIVERED, 61 + sent), (CANCELLED, 60 - sent)])
        .await;
    // The sender lets go of what is deleted.
    let held = "select count(*) from rowhook.leases where kind = 'receiver' and subject = 1
                and holder like 'instance%' and throttle_full_at is null";
    while number(&world.db, held).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(left(), at_answer);
    world.finish().await;
}

/// One event is under way when its subscription is deleted.
async fn under_way(database: TestDatabase, status: u16) -> (World, Gate, SubscriptionId) {
    let mut world = World::on(database).await;
    let receiver = world.receiver("left").await;
    let subscription = subscriptions(&world, receiver).await[0];
    let gate = Gate::shut();
    let held = gate.clone();
    world
        .network
        .script(move |_| Reply::Gate(held.clone(), status));
    world.start();
    world.touch(1).await;
    let network = world.network.clone();
    until("it is under way", || network.posts().len() == 1).await;
    delete(&world, subscription).await;
    world.states_are(&[(CANCELLED, 1)]).await;
    (world, gate, subscription)
}

async fn what_is_under_way_is_not_repeated(database: TestDatabase) {
    let (mut world, gate, _) = under_way(database, 500).await;
    gate.open();
    let made = "select count(*) from rowhook.events where attempt_count = 1 and due_at is null";
    while number(&world.db, made).await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.states_are(&[(CANCELLED, 1)]).await;
    world.finish().await;
    assert_eq!(world.network.posts().len(), 1);
}

async fn what_is_delivered_after_all_counts(database: TestDatabase) {
    let (mut world, gate, _) = under_way(database, 200).await;
    gate.open();
    world.states_are(&[(DELIVERED, 1)]).await;
    world.finish().await;
    assert_eq!(world.network.posts().len(), 1);
}

/// Two subscriptions of one receiver share its rows: when the first one's event waits, the second one's is
/// parked behind it.
async fn what_is_parked_behind_a_cancelled_event_goes_on(database: TestDatabase) {
    let mut world = World::on(database).await;
    let hour = Some(Duration::from_secs(3600));
    let receiver = world
        .receiver_with("left", |fields| {
            fields.retry = RetryOverrides {
                max_attempts: Some(3),
                initial_delay: hour,
                multiplier: Some(1.0),
                max_delay: hour,
            };
        })
        .await;
    let goes = subscriptions(&world, receiver).await[0];
    another_subscription(&world, receiver).await;
    let fails = i64::from(goes.0);
    world
        .network
        .script(move |post| Reply::Status(if post.subscription == fails { 503 } else { 200 }));
    world.start();
    world.touch(1).await;
    world.states_are(&[(WAITING, 1), (PARKED, 1)]).await;
    delete(&world, goes).await;
    world.states_are(&[(DELIVERED, 1), (CANCELLED, 1)]).await;
    world.finish().await;
}

/// The poller was behind: the log has what the subscription was owed, and nobody sends it.
async fn what_was_committed_before_is_logged_and_not_sent(database: TestDatabase) {
    let mut world = World::on(database).await;
    let receiver = world.receiver("left").await;
    world.receiver("right").await;
    let goes = subscriptions(&world, receiver).await[0];
    world.touch(1).await;
    world.touch(2).await;
    delete(&world, goes).await;
    world.touch(3).await;
    world.start();
    world.states_are(&[(DELIVERED, 3), (CANCELLED, 2)]).await;
    world.finish().await;
    let numbers = format!(
        "select cast(sequence as text) from rowhook.events where subscription_id = {goes} order by id"
    );
    assert_eq!(texts(&world.db, &numbers).await, ["1", "2"]);
    assert!(world.network.delivered("left").is_empty());
    assert!(subscriptions(&world, receiver).await.is_empty());
}
