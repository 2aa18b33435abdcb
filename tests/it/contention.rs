//! Many writers on few rows: each key's changes arrive in the order in which they were committed, the changes
//! of a transaction carry its id, and what arrives is what the application's own audit says was committed;
//! also while rowhook and PostgreSQL are killed at random.
//!
//! `ROWHOOK_TEST_SEED` gives the writers and the kills a seed, `ROWHOOK_TEST_SECONDS` lets the kills go on for
//! so long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rowhook::store::sql::db::Dialect;
use sea_orm::DbBackend;

use crate::support::{
    audit::Audit,
    both::on_both,
    cluster::Cluster,
    database::TestDatabase,
    house::House,
    receiver::{Answer, Delivery},
    rivals::{Rivals, Tally, tables, watched},
    seed::{lasting, seed},
};

on_both!(rivals_for_few_rows);

/// Of each writer, where nothing is killed.
const TRANSACTIONS: u32 = 60;

fn backend(dialect: Dialect) -> DbBackend {
    match dialect {
        Dialect::Postgres => DbBackend::Postgres,
        Dialect::Sqlite => DbBackend::Sqlite,
    }
}

/// A receiver of every change of the rivals.
async fn subscribe(house: &House) {
    let retry = ", retryPolicy: {initialDelayMs: 100, multiplier: 1.0, maxAttempts: 100}";
    let receiver = house.register("/rivals", retry).await;
    for action in ["CREATE", "UPDATE", "DELETE"] {
        house.subscribe(receiver, "RIVAL", action, "").await;
    }
}

/// Waits until what was committed has come, and compares.
async fn compare(house: &House, tally: Tally, what: &str) {
    let audit = Audit::read(&house.app, house.dialect).await;
    house.receiver.wait_for_events(audit.changes()).await;
    house.settled(audit.changes()).await;
    let faithful = audit.compare(&house.receiver.deliveries());
    println!(
        "{what}: {tally:?}, {} events, {} deliveries more than that",
        faithful.events, faithful.duplicates
    );
    assert!(faithful.events > 20);
}

async fn rivals_for_few_rows(database: TestDatabase) {
    let seed = seed();
    println!("ROWHOOK_TEST_SEED={seed}");
    let dialect = database.dialect;
    let rivals = watched(backend(dialect));
    let house = House::with(database, "", &tables(), &[rivals]).await;
    subscribe(&house).await;
    let rivals = Rivals::start(&house.app, seed, TRANSACTIONS, Duration::ZERO);
    let tally = rivals.finish().await;
    compare(&house, tally, &format!("rivals on {dialect:?}")).await;
}

/// In the everyday suite.
const LASTS: Duration = Duration::from_secs(12);
/// The longest pause of a writer between two transactions, so that deliveries keep up.
const PAUSE: Duration = Duration::from_millis(400);
/// The longest time between two kills: every second time one comes hard upon the other, while nobody has taken
/// the dead one's place yet, and every second time there is time to go on in.
const QUIET: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(14)];
/// The longest time that something is away.
const AWAY: Duration = Duration::from_millis(500);

/// What was done to the processes.
#[derive(Clone, Copy, Debug, Default)]
struct Kills {
    rowhook: u32,
    postgres: u32,
    frozen: u32,
}

#[tokio::test]
async fn rivals_among_random_kills() {
    let seed = seed();
    println!("ROWHOOK_TEST_SEED={seed}");
    let lasts = lasting(LASTS);
    let mut chance = StdRng::seed_from_u64(seed);
    // Little but commits brings the log to disk, so that a crash gives transaction ids anew.
    let mut cluster = Cluster::start("wal_writer_delay = '10s'").await;
    let url = cluster.url("postgres");
    let rivals = watched(DbBackend::Postgres);
    let mut house = House::at(url, Dialect::Postgres, "", &tables(), &[rivals]).await;
    subscribe(&house).await;
    let refused = Arc::new(AtomicUsize::new(0));
    let (count, refusals) = (refused.clone(), AtomicUsize::new(0));
    house.receiver.answer(move |_: &Delivery| {
        if refusals.fetch_add(1, Ordering::SeqCst) % 50 == 7 {
            count.fetch_add(1, Ordering::SeqCst);
            return Answer::Status(500);
        }
        Answer::After(Duration::from_millis(2), 200)
    });
    let began = Instant::now();
    let rivals = Rivals::start(&house.app, seed, u32::MAX, PAUSE);
    let mut kills = Kills::default();
    for quiet in QUIET.into_iter().cycle() {
        if began.elapsed() > lasts {
            break;
        }
        tokio::time::sleep(quiet.mul_f64(chance.random())).await;
        kill(&mut house, &mut cluster, &mut chance, &mut kills).await;
    }
    rivals.stop();
    let tally = rivals.finish().await;
    let written = began.elapsed();
    compare(&house, tally, &format!("{kills:?}")).await;
    println!(
        "written in {written:?}, everything had come after {:?}; {} answers were 500",
        began.elapsed(),
        refused.load(Ordering::SeqCst)
    );
    assert!(kills.rowhook + kills.postgres > 0);
    house.service.ready().await;
}

/// Kills one or both, or freezes rowhook, and brings everything back.
async fn kill(house: &mut House, cluster: &mut Cluster, chance: &mut StdRng, kills: &mut Kills) {
    let what = chance.random_range(0..10);
    if what == 9 {
        kills.frozen += 1;
        house.service.signal("STOP");
        // Sometimes longer than its leases last.
        let long = Duration::from_secs(if chance.random_bool(0.3) { 8 } else { 1 });
        tokio::time::sleep(long).await;
        house.service.signal("CONT");
        return;
    }
    let (rowhook, postgres) = (what < 6, what >= 5);
    if rowhook {
        kills.rowhook += 1;
        house.service.kill9();
    }
    if postgres {
        kills.postgres += 1;
        if chance.random() {
            cluster.kill9();
        } else {
            cluster.stop_at_once();
        }
    }
    tokio::time::sleep(AWAY.mul_f64(chance.random())).await;
    if postgres {
        cluster.restart().await;
    }
    if rowhook {
        house.service.restart().await;
    }
}
