//! Instances that come and go in every way at random, while an application writes: what arrives is what committed, each
//! row in order, and no throttle is exceeded.
//!
//! Each instance has a way of its own to the database, so that one can be cut off while the others go on. One that is frozen
//! wakes before its leases end: a request that is frozen between its last look at the lease and the network is the
//! contract's one exception.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use rowhook::store::{leases::LEASE, sql::db::Dialect};
use sea_orm::ConnectionTrait as _;

use crate::{
    instances::{TICK, TICKS, sending_from},
    support::{
        database::TestDatabase,
        database_road::DatabaseRoad,
        house::{House, items},
        ledger::Ledger,
        load::Load,
        receiver::{Answer, Delivery},
        seed::{lasting, seed},
        service::Service,
        throttled::assert_throttled,
    },
};

/// Beside the one that the house has.
const FURTHER: u8 = 2;
/// The pause between two faults.
const CALM: std::ops::Range<u64> = 300..1500;
const PER_SECOND: f64 = 30.0;
const BURST: usize = 5;
/// Receivers of every change of `items`: one that is throttled, one that refuses some, and some that take all.
const PATHS: [&str; 6] = ["/throttled", "/refuses", "/a", "/b", "/c", "/d"];

/// What happens to an instance.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Killed,
    Stopped,
    Frozen,
    /// Its connections to the database hang; new ones are well.
    CutOff,
    /// Its way to the database is slow for a while.
    Slow,
}

const FAULTS: [Fault; 5] = [
    Fault::Killed,
    Fault::Stopped,
    Fault::Frozen,
    Fault::CutOff,
    Fault::Slow,
];

struct Instance {
    service: Service,
    road: DatabaseRoad,
}

async fn meet(instance: &mut Instance, fault: Fault, random: &mut StdRng) {
    let pause = Duration::from_millis(random.random_range(0..2500));
    match fault {
        Fault::Killed => {
            instance.service.kill9();
            tokio::time::sleep(pause).await;
            instance.service.restart().await;
        }
        Fault::Stopped => {
            instance.service.terminate().await;
            tokio::time::sleep(pause).await;
            instance.service.restart().await;
        }
        Fault::Frozen => {
            assert!(pause < LEASE / 2);
            instance.service.signal("STOP");
            tokio::time::sleep(pause).await;
            instance.service.signal("CONT");
        }
        Fault::CutOff => instance.road.hang(),
        Fault::Slow => {
            instance.road.slow_down(Duration::from_millis(100));
            tokio::time::sleep(pause).await;
            instance.road.slow_down(Duration::ZERO);
        }
    }
}

/// `ROWHOOK_TEST_SECONDS` makes it go on for longer, `ROWHOOK_TEST_SEED` repeats it as far as a race of processes can be
/// repeated.
#[tokio::test]
async fn nothing_is_lost_whoever_comes_and_goes() {
    let seed = seed();
    println!("ROWHOOK_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let house = House::with(database, &sending_from(1), TICKS, &[TICK]).await;
    for path in PATHS {
        let more = match path {
            "/throttled" => format!(", rateLimit: {{perSecond: {PER_SECOND}, burst: {BURST}}}"),
            "/refuses" => {
                ", retryPolicy: {initialDelayMs: 50, multiplier: 1.0, maxAttempts: 100}".to_owned()
            }
            _ => String::new(),
        };
        house.register_for_items(path, &more).await;
    }
    house.receiver.answer(|delivery| {
        let refused = delivery.path == "/refuses" && rand::random_ratio(1, 5);
        Answer::After(Duration::from_millis(3), if refused { 503 } else { 200 })
    });
    let mut instances = Vec::new();
    for number in 2..2 + FURTHER {
        let road = DatabaseRoad::to(&house.url).await;
        let watched = [items(Dialect::Postgres), TICK];
        let service = Service::start(&road.url, &sending_from(number), &watched).await;
        instances.push(Instance { service, road });
    }

    let (began, lasts) = (Instant::now(), lasting(Duration::from_secs(20)));
    let load = Load::start(&house);
    let mut faults = 0;
    while began.elapsed() < lasts {
        tokio::time::sleep(Duration::from_millis(random.random_range(CALM))).await;
        let which = random.random_range(0..instances.len());
        let fault = *FAULTS.choose(&mut random).unwrap();
        println!("{:?}: instance {} is {fault:?}", began.elapsed(), which + 2);
        meet(&mut instances[which], fault, &mut random).await;
        // The rows that all writers share go on changing after those have finished.
        let more = "update items set n = n + 1 where id between 0 and 4";
        house.app.execute_unprepared(more).await.unwrap();
        faults += 1;
    }
    load.finish().await;
    let ledger = Ledger::read(&house.app).await;
    println!("{faults} faults, {} changes", ledger.changes());

    let settled = |all: &[Delivery]| {
        PATHS.iter().all(|path| {
            let of_path = all.iter().filter(|one| one.path == *path);
            let events: BTreeSet<_> = of_path.map(Delivery::event_id).collect();
            events.len() >= ledger.changes()
        })
    };
    house
        .receiver
        .wait_until("every change at each receiver", settled)
        .await;
    house.wait_for_count("status: \"pending\"", 0).await;
    let all = house.receiver.deliveries();
    for path in PATHS {
        let own: Vec<&Delivery> = all.iter().filter(|one| one.path == path).collect();
        let came: Vec<Delivery> = own.iter().map(|one| (*one).clone()).collect();
        let faithful = ledger.compare(&came);
        let from: BTreeSet<_> = own.iter().map(|one| one.from).collect();
        println!("{path}: {faithful:?}, sent by {from:?}");
        if path == "/throttled" {
            assert_throttled(&own, PER_SECOND, BURST);
        }
    }
}
