//! Whatever is killed in the middle of a load, every committed change arrives, in the order of its row.
//!
//! The load goes on while the processes are killed and come back. Afterwards the tables say what was
//! committed, and the receiver must have got just that: a few events twice, none other than it was, none
//! missing. The receiver takes its time, so that there is always something in flight.

use std::time::Duration;

use rowhook::store::sql::db::Dialect;

use crate::support::{
    both::on_both,
    cluster::Cluster,
    database::TestDatabase,
    house::House,
    ledger::{Faithful, Ledger},
    load::Load,
    receiver::Answer,
};

on_both!(rowhook_is_killed_twice, sigterm_finishes_what_is_in_flight);

/// So many events have come when something is killed for the first and the second time; the load makes
/// well over twice as many.
const KILL_AT: [usize; 2] = [60, 250];

async fn prepare(house: &House) {
    house
        .receiver
        .answer(|_| Answer::After(Duration::from_millis(5), 200));
    house.register_for_items("/items", "").await;
}

/// What came is what was committed.
async fn compare(house: &House, what: &str) -> Faithful {
    let ledger = Ledger::read(&house.app).await;
    assert!(ledger.changes() > 2 * KILL_AT[1], "{}", ledger.changes());
    house.receiver.wait_for_events(ledger.changes()).await;
    house.settled(ledger.changes()).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    println!(
        "{what}: {} events, {} deliveries more than that",
        faithful.events, faithful.duplicates
    );
    faithful
}

async fn rowhook_is_killed_twice(database: TestDatabase) {
    let mut house = House::of(database).await;
    prepare(&house).await;
    let load = Load::start(&house);
    for events in KILL_AT {
        house.receiver.wait_for_events(events).await;
        house.service.kill9();
        house.service.restart().await;
    }
    load.finish().await;
    compare(
        &house,
        &format!("rowhook killed twice on {:?}", house.dialect),
    )
    .await;
}

async fn sigterm_finishes_what_is_in_flight(database: TestDatabase) {
    let mut house = House::of(database).await;
    prepare(&house).await;
    let load = Load::start(&house);
    for events in KILL_AT {
        house.receiver.wait_for_events(events).await;
        let status = house.service.terminate().await;
        assert_eq!(status.code(), Some(0));
        house.service.restart().await;
    }
    load.finish().await;
    let what = format!("rowhook stopped twice on {:?}", house.dialect);
    let faithful = compare(&house, &what).await;
    assert_eq!(faithful.duplicates, 0, "what was in flight was recorded");
}

/// A house in a cluster of its own.
async fn house_in(cluster: &Cluster) -> House {
    let house = House::at(cluster.url("postgres"), Dialect::Postgres, "", "", &[]).await;
    prepare(&house).await;
    house
}

#[tokio::test]
async fn postgres_is_killed_twice() {
    let mut cluster = Cluster::start("").await;
    let house = house_in(&cluster).await;
    let load = Load::start(&house);
    for events in KILL_AT {
        house.receiver.wait_for_events(events).await;
        cluster.kill9();
        cluster.restart().await;
    }
    load.finish().await;
    compare(&house, "PostgreSQL killed twice").await;
    house.service.ready().await;
}

#[tokio::test]
async fn both_are_killed_at_once() {
    let mut cluster = Cluster::start("").await;
    let mut house = house_in(&cluster).await;
    let load = Load::start(&house);
    house.receiver.wait_for_events(KILL_AT[0]).await;
    cluster.kill9();
    house.service.kill9();
    cluster.restart().await;
    house.service.restart().await;
    load.finish().await;
    compare(&house, "both killed at once").await;
}
