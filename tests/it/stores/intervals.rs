//! Activity intervals through every transition: which setting a change is matched with is decided by when
//! it committed, and by nothing else (CONTRACT §7.1).

use rowhook::{
    domain::{
        action::Action, ids::SubscriptionId, receiver::Receiver, snapshot::Place,
        subscription::Subscription,
    },
    store::{
        delivery_targets::DeliveryTargets as _,
        receivers::{ReceiverFields, ReceiverStore as _},
        sql::db::Dialect,
        subscriptions::{SubscriptionChange, SubscriptionStore as _},
    },
};

use super::{House, ann, fields, fields_of};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    an_active_subscription_has_what_commits_after_it,
    an_inactive_subscription_has_nothing,
    a_subscription_that_pauses_misses_what_commits_meanwhile,
    an_inactive_receiver_makes_its_subscriptions_inactive,
    a_new_setting_takes_over_from_the_old_one,
    what_changes_no_setting_opens_nothing,
    rowhooks_own_deactivation_closes_too,
    a_deleted_receiver_s_subscription_stays_closed,
    ids_that_are_gone_from_the_log_still_count,
);

impl House {
    async fn change(&self) -> Place {
        stored::committed_change(&self.db).await
    }

    /// The setting that a change is matched with: `RUN_STEP UPDATE`, with `[columns]` where there are
    /// some. At most one interval may have it.
    async fn matched(&self, subscription: SubscriptionId, change: Place) -> Option<String> {
        let all = stored::intervals(&self.db, subscription).await;
        let mut covering = all.iter().filter(|interval| interval.covers(change));
        let first = covering.next().map(|interval| {
            let (resource, action) = (&interval.resource, interval.action);
            let columns = interval.changed_fields.as_ref();
            let columns = columns.map_or(String::new(), |columns| format!(" {columns:?}"));
            let filter = interval.filter.as_ref();
            let filter = filter.map_or(String::new(), |filter| format!(" if {filter}"));
            format!("{resource} {action}{columns}{filter}")
        });
        assert_eq!(covering.count(), 0, "{change:?} in several of {all:?}");
        assert!(all.iter().filter(|interval| interval.to.is_none()).count() <= 1);
        first
    }

    async fn has(&self, subscription: SubscriptionId, change: Place) -> bool {
        self.matched(subscription, change).await.is_some()
    }

    async fn set(&self, subscription: &mut Subscription, change: SubscriptionChange) {
        *subscription = self
            .store
            .update_subscription(subscription.id, &subscription.etag, change, &ann())
            .await
            .unwrap();
    }

    async fn set_active(&self, subscription: &mut Subscription, active: bool) {
        let change = SubscriptionChange {
            active: Some(active),
            ..SubscriptionChange::default()
        };
        self.set(subscription, change).await;
    }

    async fn set_receiver_active(&self, receiver: &mut Receiver, active: bool) {
        let wanted = ReceiverFields {
            active,
            ..fields_of(receiver)
        };
        *receiver = self
            .store
            .update_receiver(receiver.id, &receiver.etag, wanted, &ann())
            .await
            .unwrap();
    }
}

async fn an_active_subscription_has_what_commits_after_it(database: TestDatabase) {
    let house = House::of(database).await;
    // The very first change of a database is out too, or in.
    let receiver = house.receiver(true).await;
    let first = house.subscription(receiver.id, true).await;
    let before = house.change().await;
    let second = house.subscription(receiver.id, true).await;
    let after = house.change().await;
    assert!(house.has(first.id, before).await && house.has(first.id, after).await);
    assert!(!house.has(second.id, before).await);
    assert_eq!(
        house.matched(second.id, after).await.as_deref(),
        Some("RUN_STEP UPDATE")
    );
}

async fn an_inactive_subscription_has_nothing(database: TestDatabase) {
    let house = House::of(database).await;
    let mut receiver = house.receiver(false).await;
    let mut sleeping = house.subscription(receiver.id, false).await;
    let waiting = house.subscription(receiver.id, true).await;
    let never = house.change().await;
    assert!(!house.has(sleeping.id, never).await && !house.has(waiting.id, never).await);
    house.set_receiver_active(&mut receiver, true).await;
    let for_one = house.change().await;
    assert!(!house.has(sleeping.id, for_one).await && house.has(waiting.id, for_one).await);
    house.set_active(&mut sleeping, true).await;
    let for_both = house.change().await;
    assert!(house.has(sleeping.id, for_both).await && house.has(waiting.id, for_both).await);
    for change in [never, for_one] {
        assert!(!house.has(sleeping.id, change).await);
    }
    assert!(!house.has(waiting.id, never).await);
}

async fn a_subscription_that_pauses_misses_what_commits_meanwhile(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await;
    let mut paused = house.subscription(receiver.id, true).await;
    let neighbour = house.subscription(receiver.id, true).await;
    let mut changes = Vec::new();
    for active in [true, false, true, false, true] {
        if active != paused.active {
            house.set_active(&mut paused, active).await;
        }
        changes.push((house.change().await, active));
    }
    for (change, active) in changes {
        assert_eq!(house.has(paused.id, change).await, active, "{change:?}");
        assert!(house.has(neighbour.id, change).await);
    }
    assert_eq!(stored::intervals(&house.db, paused.id).await.len(), 3);
    assert_eq!(stored::intervals(&house.db, neighbour.id).await.len(), 1);
}

async fn an_inactive_receiver_makes_its_subscriptions_inactive(database: TestDatabase) {
    let house = House::of(database).await;
    let mut receiver = house.receiver(true).await;
    let elsewhere = house.receiver(true).await;
    let plain = house.subscription(receiver.id, true).await;
    let mut switched = house.subscription(receiver.id, true).await;
    let sleeping = house.subscription(receiver.id, false).await;
    let stranger = house.subscription(elsewhere.id, true).await;
    let mut expected = Vec::new();
    let steps = [
        (true, true),
        (false, true),
        (false, false),
        (true, false),
        (true, true),
    ];
    for (receiver_active, subscription_active) in steps {
        if receiver_active != receiver.active {
            house
                .set_receiver_active(&mut receiver, receiver_active)
                .await;
        }
        if subscription_active != switched.active {
            house.set_active(&mut switched, subscription_active).await;
        }
        expected.push((house.change().await, receiver_active, subscription_active));
    }
    for (change, receiver_active, subscription_active) in expected {
        assert_eq!(house.has(plain.id, change).await, receiver_active);
        let both = receiver_active && subscription_active;
        assert_eq!(house.has(switched.id, change).await, both);
        assert!(!house.has(sleeping.id, change).await);
        assert!(house.has(stranger.id, change).await);
    }
}

async fn a_new_setting_takes_over_from_the_old_one(database: TestDatabase) {
    let house = House::of(database).await;
    let mut receiver = house.receiver(true).await;
    let mut subscription = house.subscription(receiver.id, true).await;
    let none = SubscriptionChange::default;
    let steps = [
        (none(), "RUN_STEP UPDATE"),
        (
            SubscriptionChange {
                resource: Some("PART".parse().unwrap()),
                ..none()
            },
            "PART UPDATE",
        ),
        (
            SubscriptionChange {
                action: Some(Action::Create),
                ..none()
            },
            "PART CREATE",
        ),
        (
            SubscriptionChange {
                changed_fields: Some(Some(vec!["status".to_owned()])),
                ..none()
            },
            "PART CREATE [\"status\"]",
        ),
        (
            SubscriptionChange {
                changed_fields: Some(None),
                ..none()
            },
            "PART CREATE",
        ),
        (
            SubscriptionChange {
                filter: Some(Some("new.n > 1".to_owned())),
                ..none()
            },
            "PART CREATE if new.n > 1",
        ),
        (
            SubscriptionChange {
                filter: Some(Some("new.n > 2".to_owned())),
                ..none()
            },
            "PART CREATE if new.n > 2",
        ),
        (
            SubscriptionChange {
                filter: Some(None),
                ..none()
            },
            "PART CREATE",
        ),
    ];
    let mut expected = Vec::new();
    for (change, setting) in steps {
        house.set(&mut subscription, change).await;
        expected.push((house.change().await, Some(setting)));
    }
    // A setting that changes while nothing is in force counts from the activation on.
    house.set_receiver_active(&mut receiver, false).await;
    let back = SubscriptionChange {
        resource: Some("RUN_STEP".parse().unwrap()),
        ..none()
    };
    house.set(&mut subscription, back).await;
    expected.push((house.change().await, None));
    house.set_receiver_active(&mut receiver, true).await;
    expected.push((house.change().await, Some("RUN_STEP CREATE")));
    for (change, setting) in expected {
        let matched = house.matched(subscription.id, change).await;
        assert_eq!(matched.as_deref(), setting, "{change:?}");
    }
}

async fn what_changes_no_setting_opens_nothing(database: TestDatabase) {
    let house = House::of(database).await;
    let mut receiver = house.receiver(true).await;
    let mut subscription = house.subscription(receiver.id, true).await;
    let same = SubscriptionChange {
        active: Some(true),
        resource: Some(subscription.resource.clone()),
        action: Some(subscription.action),
        changed_fields: Some(subscription.changed_fields.clone()),
        filter: Some(subscription.filter.clone()),
    };
    house.set(&mut subscription, same).await;
    let renamed = fields("renamed");
    receiver = house
        .store
        .update_receiver(receiver.id, &receiver.etag, renamed, &ann())
        .await
        .unwrap();
    house
        .store
        .add_header(receiver.id, "x-tenant", "a", &ann())
        .await
        .unwrap();
    assert_eq!(stored::intervals(&house.db, subscription.id).await.len(), 1);
    // Neither does a mutation that is refused.
    let stale = house
        .store
        .update_subscription(
            subscription.id,
            "stale",
            SubscriptionChange {
                active: Some(false),
                ..SubscriptionChange::default()
            },
            &ann(),
        )
        .await;
    assert!(stale.is_err());
    let all = stored::intervals(&house.db, subscription.id).await;
    assert!(all.len() == 1 && all[0].to.is_none());
}

async fn rowhooks_own_deactivation_closes_too(database: TestDatabase) {
    let house = House::of(database).await;
    let mut receiver = house.receiver(true).await;
    let subscription = house.subscription(receiver.id, true).await;
    let before = house.change().await;
    house.store.deactivate(receiver.id, "410").await.unwrap();
    let after = house.change().await;
    assert!(house.has(subscription.id, before).await);
    assert!(!house.has(subscription.id, after).await);
    receiver = house.store.receiver(receiver.id).await.unwrap().unwrap();
    house.set_receiver_active(&mut receiver, true).await;
    let again = house.change().await;
    assert!(house.has(subscription.id, again).await);
    assert!(!house.has(subscription.id, after).await);
}

async fn a_deleted_receiver_s_subscription_stays_closed(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await;
    let mut subscription = house.subscription(receiver.id, true).await;
    let before = house.change().await;
    let delete = "update rowhook.receivers set deleted_at = updated_at where id = $1";
    stored::run(&house.db, delete, [receiver.id.0.into()]).await;
    // The next mutation of the subscription finds that it is in force no more.
    house
        .set(&mut subscription, SubscriptionChange::default())
        .await;
    let after = house.change().await;
    assert!(house.has(subscription.id, before).await);
    assert!(!house.has(subscription.id, after).await);
}

async fn ids_that_are_gone_from_the_log_still_count(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await;
    let before = house.change().await;
    // As retention does.
    stored::run(&house.db, "delete from rowhook.logged_actions", []).await;
    let subscription = house.subscription(receiver.id, true).await;
    let after = house.change().await;
    assert!(!house.has(subscription.id, before).await);
    assert!(house.has(subscription.id, after).await);
}

/// What SQLite's one writer makes impossible: a change whose transaction is open across a mutation. It
/// belongs to what was true when it committed, however long before it was written.
#[tokio::test]
async fn a_transaction_that_is_open_across_a_mutation_counts_from_its_commit() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    let receiver = house.receiver(true).await;
    let mut subscription = house.subscription(receiver.id, true).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        let txn = house.db.begin().await.unwrap();
        open.push((stored::open_change(&txn).await, txn));
    }
    let mut expected = Vec::new();
    let mut commit = async |house: &House, setting: Option<&'static str>| {
        let (place, txn): (Place, rowhook::store::sql::db::Txn) = open.pop().unwrap();
        txn.commit().await.unwrap();
        expected.push((place, setting));
        // One that begins and commits here keeps the ids from being in commit order.
        expected.push((house.change().await, setting));
    };
    commit(&house, Some("RUN_STEP UPDATE")).await;
    house.set_active(&mut subscription, false).await;
    commit(&house, None).await;
    house.set_active(&mut subscription, true).await;
    commit(&house, Some("RUN_STEP UPDATE")).await;
    let moved = SubscriptionChange {
        resource: Some("PART".parse().unwrap()),
        ..SubscriptionChange::default()
    };
    house.set(&mut subscription, moved).await;
    commit(&house, Some("PART UPDATE")).await;
    let late = house.subscription(receiver.id, true).await;
    commit(&house, Some("PART UPDATE")).await;
    for (index, (change, setting)) in expected.iter().enumerate() {
        let matched = house.matched(subscription.id, *change).await;
        assert_eq!(matched.as_deref(), *setting, "{index}: {change:?}");
        assert_eq!(house.has(late.id, *change).await, index >= 8, "{index}");
    }
}

/// A server whose default is a stronger isolation level takes no snapshot per statement by itself.
#[tokio::test]
async fn the_servers_default_isolation_level_changes_nothing() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let name = database.url.rsplit_once('/').unwrap().1.to_owned();
    let house = House::of(database).await;
    let strict =
        format!("alter database {name} set default_transaction_isolation = 'repeatable read'");
    stored::run(&house.db, &strict, []).await;
    let url = house.database.url.clone();
    let db = rowhook::store::sql::db::Db::connect(&url, 4).await.unwrap();
    let sealer = std::sync::Arc::new(rowhook::policy::seal::Sealer::new(super::KEY, vec![]));
    let store = rowhook::store::sql::receivers::SqlManagementStore::new(db.clone(), sealer);
    let mut receiver = house.receiver(true).await;
    let subscription = house.subscription(receiver.id, true).await;
    // The mutation waits for this lock with its transaction begun; a change commits meanwhile, and then
    // a mutation of the subscription answers before it goes on.
    let holder = house.db.begin().await.unwrap();
    stored::lock_receiver(&holder, receiver.id).await;
    let off = ReceiverFields {
        active: false,
        ..fields_of(&receiver)
    };
    let waiting = tokio::spawn({
        let (id, etag) = (receiver.id, receiver.etag.clone());
        async move { store.update_receiver(id, &etag, off, &ann()).await }
    });
    while stored::waiting_for_a_lock(&house.db).await == 0 {
        tokio::task::yield_now().await;
    }
    let meanwhile = house.change().await;
    holder.commit().await.unwrap();
    receiver = waiting.await.unwrap().unwrap();
    assert!(!receiver.active);
    // Its position was taken after the wait, so the change that committed before is still in.
    assert!(house.has(subscription.id, meanwhile).await);
    let after = house.change().await;
    assert!(!house.has(subscription.id, after).await);
    db.close().await.unwrap();
}
