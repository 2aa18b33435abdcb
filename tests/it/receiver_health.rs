//! Receivers that only fail: probed with one request at a time until one delivers, found well, given up after days.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use rowhook::{
    domain::{
        api_key::Author,
        attempt::SendError,
        ids::{EventId, ReceiverId},
        receiver_health::{HealthRecord, HealthState},
    },
    policy::receiver_health::HealthPolicy,
    store::{
        event_control::EventControl as _,
        receiver_health::ReceiverHealthStore as _,
        receivers::{ReceiverFields, ReceiverStore as _},
        sql::event_control::SqlEventControl,
    },
};

use serde_json::json;

use crate::{
    stores::fields_of,
    support::{
        both::on_both,
        database::TestDatabase,
        house::House,
        network::{Post, Reply},
        pipeline::{World, Write, retries},
        receiver::{Answer, Delivery},
        stored::{number, run},
        troubles::{Point, Trouble},
        wait::{until, until_ok},
    },
};

on_both!(
    one_request_at_a_time_and_no_attempt_is_used_up,
    the_backlog_goes_oldest_first_when_it_is_well_again,
    what_can_not_be_delivered_keeps_nobody_from_being_found_well,
    a_restart_goes_on_probing,
    a_receiver_that_sleeps_costs_no_sender,
    whoever_mends_something_need_not_wait,
    a_fault_of_our_own_makes_the_next_probe_wait,
    a_panic_makes_the_next_probe_wait,
    days_of_nothing_but_failure_deactivate,
    a_webhook_tells_of_receivers,
);

const HOUR: Duration = Duration::from_secs(3600);

/// Probed after three failures.
fn policy(first_pause: Duration) -> HealthPolicy {
    HealthPolicy {
        failures: 3,
        first_pause,
        longest_pause: first_pause * 2,
        ..HealthPolicy::default()
    }
}

/// A receiver that answers 500 until it is well. Two attempts for each event, the second one at once.
async fn sick(
    database: TestDatabase,
    policy: HealthPolicy,
) -> (World, ReceiverId, Arc<AtomicBool>) {
    let mut world = World::on(database).await;
    world.settings.delivery.health = policy;
    let left = world
        .receiver_with("left", |fields| {
            fields.retry = retries(Duration::from_millis(1), 2);
        })
        .await;
    let well = Arc::new(AtomicBool::new(false));
    let is_well = well.clone();
    world.network.script(move |_| {
        let status = if is_well.load(Ordering::SeqCst) {
            200
        } else {
            500
        };
        Reply::After(Duration::from_millis(2), status)
    });
    (world, left, well)
}

async fn record(world: &World, receiver: ReceiverId) -> Option<HealthRecord> {
    let found = world.management.health_of(&[receiver]).await;
    found.unwrap().remove(&receiver)
}

async fn becomes(world: &World, receiver: ReceiverId, state: HealthState) -> HealthRecord {
    until_ok(
        &format!("the receiver is {state:?}"),
        async || match record(world, receiver).await {
            Some(record) if record.state == state => Ok(()),
            other => Err(other),
        },
    )
    .await;
    record(world, receiver).await.unwrap()
}

/// Fan-out has made so many events.
async fn made(world: &World, events: i64) {
    until_ok("fan-out made its events", async || {
        match number(&world.db, "select count(*) from rowhook.events").await {
            count if count == events => Ok(()),
            count => Err(count),
        }
    })
    .await;
}

fn rows(from: i64, to: i64) -> Vec<Write> {
    (from..=to).map(Write::Row).collect()
}

/// Requests that began when another was under way, after the first `before`.
fn beside_another(world: &World, before: usize) -> usize {
    let posts = world.network.posts();
    let open_at = |began: u64| {
        let open = posts
            .iter()
            .filter(|post| post.began < began && post.ended.is_none_or(|ended| ended > began));
        open.count()
    };
    posts[before..]
        .iter()
        .filter(|post| open_at(post.began) > 0)
        .count()
}

async fn one_request_at_a_time_and_no_attempt_is_used_up(database: TestDatabase) {
    let (mut world, left, well) = sick(database, policy(Duration::from_millis(50))).await;
    world.start();
    assert_eq!(record(&world, left).await, None);
    // One row each, so that nothing but health holds them back.
    world.write(&rows(1, 40)).await;
    let seen = becomes(&world, left, HealthState::Probing).await;
    assert!(
        seen.reason
            .unwrap()
            .ends_with("failures in a row, the last: answered 500, expected 200")
    );
    until("some probes were sent", || world.network.posts().len() > 15).await;
    // Up to four were under way when the third failure was seen.
    assert_eq!(beside_another(&world, 8), 0);
    let used = "select count(*) from rowhook.events where budget_used > 0";
    let used = number(&world.db, used).await;
    assert!((3..=7).contains(&used), "{used}");
    let settled = "select count(*) from rowhook.events where state in (3, 4)";
    let settled = number(&world.db, settled).await;
    assert!(
        settled <= 3,
        "{settled} were given up, with two attempts each"
    );
    let failures = record(&world, left).await.unwrap().health.failures.unwrap();
    assert!(failures.count > 10, "{failures:?}");
    well.store(true, Ordering::SeqCst);
    let seen = becomes(&world, left, HealthState::Healthy).await;
    assert_eq!((seen.reason, seen.health.failures), (None, None));
    world.finish().await;
}

async fn the_backlog_goes_oldest_first_when_it_is_well_again(database: TestDatabase) {
    let (mut world, _, well) = sick(database, policy(Duration::from_millis(200))).await;
    let with_room = |fields: &mut ReceiverFields| {
        fields.retry = retries(HOUR, 50);
        fields.max_in_flight = Some(1);
    };
    let other = world.receiver_with("other", with_room).await;
    world.start();
    world.write(&rows(1, 10)).await;
    becomes(&world, other, HealthState::Probing).await;
    // Before each that failed was probed with.
    well.store(true, Ordering::SeqCst);
    world.write(&rows(11, 40)).await;
    becomes(&world, other, HealthState::Healthy).await;
    // Though the retry policy says an hour.
    until("everything has come", || {
        world.network.delivered("other").len() == 40
    })
    .await;
    world
        .network
        .assert_order_per_row(|post| post.receiver == "left");
    let order = world.network.delivered("other");
    let sorted = order[1..].is_sorted();
    assert!(sorted, "after the probe that found it well: {order:?}");
    world.finish().await;
}

async fn what_can_not_be_delivered_keeps_nobody_from_being_found_well(database: TestDatabase) {
    let (mut world, _, _) = sick(database, policy(Duration::from_millis(20))).await;
    let left = world
        .receiver_with("other", |fields| fields.retry = retries(HOUR, 2))
        .await;
    let all_fail = Arc::new(AtomicBool::new(true));
    let fail = all_fail.clone();
    world.network.script(move |post| {
        let poison = post.change == 1;
        Reply::Status(if poison || fail.load(Ordering::SeqCst) {
            500
        } else {
            200
        })
    });
    world.start();
    world.write(&rows(1, 3)).await;
    becomes(&world, left, HealthState::Probing).await;
    all_fail.store(false, Ordering::SeqCst);
    world.write(&rows(4, 8)).await;
    // The poisoned one is given up by its own budget, once the receiver takes others.
    until("the others have come", || {
        world.network.delivered("other").len() == 7
    })
    .await;
    let of_it = "select count(*) from rowhook.events where receiver_id = 2 and state = 4";
    until_ok("the poisoned one has failed", async || {
        match number(&world.db, of_it).await {
            1 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    assert!(!world.network.delivered("other").contains(&1));
    world.finish().await;
}

async fn a_restart_goes_on_probing(database: TestDatabase) {
    let (mut world, left, well) = sick(database, policy(HOUR)).await;
    world.start();
    world.write(&rows(1, 20)).await;
    let before = becomes(&world, left, HealthState::Probing).await;
    world.kill().await;
    let posts = world.network.posts().len();
    world.start();
    world.write(&rows(21, 30)).await;
    made(&world, 30).await;
    // What is new does not wake it either: a scan finds it asleep.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(
        world.network.posts().len(),
        posts,
        "nothing is sent for an hour"
    );
    let after = record(&world, left).await.unwrap();
    assert_eq!(after.health.probing, before.health.probing);
    assert_eq!(after.since, before.since);
    well.store(true, Ordering::SeqCst);
    let sql = "update rowhook.receiver_health set probe_at = $1, revision = revision + 1000";
    run(&world.db, sql, [Utc::now().into()]).await;
    becomes(&world, left, HealthState::Healthy).await;
    world.finish().await;
}

async fn a_receiver_that_sleeps_costs_no_sender(database: TestDatabase) {
    let (mut world, left, _) = sick(database, policy(HOUR)).await;
    world.start();
    world.write(&rows(1, 20)).await;
    becomes(&world, left, HealthState::Probing).await;
    // Its lease was given back, and nobody takes it again.
    let given_back = "select count(*) from rowhook.leases where kind = 'receiver' and throttle_full_at is not null";
    until_ok("no sender runs", async || {
        match number(&world.db, given_back).await {
            1 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    // Once the dispatcher has looked, what comes new starts none either.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    world.troubles.provoke(Point::Acquire, Trouble::Unavailable);
    world.write(&rows(1, 20)).await;
    made(&world, 40).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(world.troubles.met(Point::Acquire), 0);
    world.finish().await;
}

async fn whoever_mends_something_need_not_wait(database: TestDatabase) {
    let (mut world, left, well) = sick(database, policy(HOUR)).await;
    world.start();
    world.write(&rows(1, 20)).await;
    becomes(&world, left, HealthState::Probing).await;
    let by = Author::rowhook();
    let posts = world.network.posts().len();
    // It is still sick: one probe for a redelivery, one for a change of its record.
    let control = SqlEventControl::new(world.db.clone());
    control.redeliver(EventId(5)).await.unwrap();
    until("a probe went at once", || {
        world.network.posts().len() == posts + 1
    })
    .await;
    until_ok("the next one is far again", async || {
        let record = record(&world, left).await.unwrap();
        let next = record.health.probing.map(|probing| probing.next_at);
        if next > Some(Utc::now() + TimeDelta::minutes(30)) {
            Ok(())
        } else {
            Err(next)
        }
    })
    .await;
    well.store(true, Ordering::SeqCst);
    let made = world.management.receiver(left).await.unwrap().unwrap();
    let header = world
        .management
        .add_header(left, "x-mended", "yes", &by)
        .await;
    header.unwrap();
    becomes(&world, left, HealthState::Healthy).await;
    let read = world.management.receiver(left).await.unwrap().unwrap();
    assert_eq!(read.etag, made.etag, "health is no part of the record");
    world.finish().await;
}

async fn a_fault_of_our_own_makes_the_next_probe_wait(database: TestDatabase) {
    the_next_probe_waits_after(database, |_| {
        Reply::Fails(SendError::Local {
            detail: "no address is left".to_owned(),
        })
    })
    .await;
}

async fn a_panic_makes_the_next_probe_wait(database: TestDatabase) {
    the_next_probe_waits_after(database, |_| panic!("on purpose")).await;
}

async fn the_next_probe_waits_after(
    database: TestDatabase,
    fault: impl FnMut(&Post) -> Reply + Send + 'static,
) {
    let (mut world, left, _) = sick(database, policy(Duration::from_millis(50))).await;
    world.start();
    world.write(&rows(1, 20)).await;
    becomes(&world, left, HealthState::Probing).await;
    world.network.script(fault);
    until_ok("the next probe waits", async || {
        let record = record(&world, left).await.unwrap();
        let next = record.health.probing.map(|probing| probing.next_at);
        if next > Some(Utc::now() + TimeDelta::seconds(20)) {
            Ok(())
        } else {
            Err(next)
        }
    })
    .await;
    let posts = world.network.posts().len();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(world.network.posts().len(), posts);
    world.finish().await;
}

async fn days_of_nothing_but_failure_deactivate(database: TestDatabase) {
    let (mut world, left, well) = sick(database, policy(Duration::from_millis(300))).await;
    world.start();
    world.write(&rows(1, 20)).await;
    becomes(&world, left, HealthState::Probing).await;
    let sql = "update rowhook.receiver_health set failing_since = $1, revision = revision + 1000";
    run(&world.db, sql, [(Utc::now() - TimeDelta::days(4)).into()]).await;
    let posts = world.network.posts().len();
    until("four days are no reason", || {
        world.network.posts().len() > posts + 2
    })
    .await;
    assert_eq!(
        record(&world, left).await.unwrap().state,
        HealthState::Probing
    );
    run(&world.db, sql, [(Utc::now() - TimeDelta::days(5)).into()]).await;
    let seen = becomes(&world, left, HealthState::Inactive).await;
    let receiver = world.management.receiver(left).await.unwrap().unwrap();
    let why = receiver.inactive_reason.clone().unwrap();
    assert!(why.starts_with("nothing but failures since 20"), "{why}");
    assert!(why.contains("answered 500, expected 200"), "{why}");
    assert_eq!(seen.reason, Some(why));
    // What waits, waits; and goes when somebody activates it.
    let owed = "select count(*) from rowhook.events where state in (0, 1, 2)";
    assert!(number(&world.db, owed).await >= 15);
    well.store(true, Ordering::SeqCst);
    let fields = ReceiverFields {
        active: true,
        ..fields_of(&receiver)
    };
    let by = Author::rowhook();
    let activated = world
        .management
        .update_receiver(left, &receiver.etag, fields, &by)
        .await;
    activated.unwrap();
    until_ok("nothing is owed", async || {
        match number(&world.db, owed).await {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await;
    assert_eq!(
        record(&world, left).await.unwrap().state,
        HealthState::Healthy
    );
    world.finish().await;
}

async fn a_webhook_tells_of_receivers(database: TestDatabase) {
    let settings = "[receivers]\nannounce_health = true\n";
    let house = House::with(database, settings, "", &[]).await;
    let sick = house
        .register_for_items(
            "/sick",
            ", retryPolicy: {initialDelayMs: 20, multiplier: 1.0}",
        )
        .await;
    let told = house.register("/told", "").await;
    let settled =
        "new.state in [\"PROBING\", \"INACTIVE\"] || old.state in [\"PROBING\", \"INACTIVE\"]";
    let filter = format!(", filter: {}", serde_json::json!(settled));
    house
        .subscribe(told, "WEBHOOK_RECEIVER_HEALTH", "CREATE", "")
        .await;
    house
        .subscribe(told, "WEBHOOK_RECEIVER_HEALTH", "UPDATE", &filter)
        .await;
    let well = Arc::new(AtomicBool::new(false));
    let is_well = well.clone();
    house.receiver.answer(move |delivery| {
        let fails = delivery.path == "/sick" && !is_well.load(Ordering::SeqCst);
        Answer::Status(if fails { 503 } else { 200 })
    });
    house.sql("insert into items values (1, 1, 'first')").await;
    let of_it = |deliveries: &[Delivery]| -> Vec<Delivery> {
        let told = deliveries.iter().filter(|one| one.path == "/told");
        told.cloned().collect()
    };
    let came = house
        .receiver
        .wait_until("it begins to fail, and is probed", |all| {
            of_it(all).len() == 2
        })
        .await;
    let came = of_it(&came);
    let began = &came[0].data()["new"];
    assert_eq!(
        (
            &began["receiver_id"],
            &began["receiver_name"],
            &began["state"]
        ),
        (&json!(sick), &json!("/sick"), &json!("FAILING"))
    );
    assert!(
        began.get("failures").is_none(),
        "what moves is left out: {began}"
    );
    let probed = came[1].data();
    assert_eq!(probed["id"], json!(sick));
    assert_eq!(probed["old"]["state"], "FAILING");
    assert_eq!(probed["new"]["state"], "PROBING");
    let reason = probed["new"]["reason"].as_str().unwrap();
    assert_eq!(
        reason,
        "10 failures in a row, the last: answered 503, expected 200"
    );
    well.store(true, Ordering::SeqCst);
    // The first probe goes after 5 seconds.
    let came = house
        .receiver
        .wait_until("it is well again", |all| of_it(all).len() == 3)
        .await;
    let again = of_it(&came)[2].data().clone();
    assert_eq!(again["old"]["state"], "PROBING");
    assert_eq!(
        again["new"],
        json!({"state": "HEALTHY", "reason": null, "since": again["new"]["since"]})
    );
}
