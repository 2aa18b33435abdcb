//! Instances that come and go in every way at random, each on a host of its own, while an application writes: what arrives
//! is what committed, each row in order, and no throttle is exceeded.
//!
//! Troubles overlap: each host has its own, and the database is killed too. An instance that is frozen wakes before its
//! leases end: a request that is frozen between its last look at the lease and the network is the contract's one
//! exception.

use std::{
    cell::Cell,
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use rowhook::store::{leases::LEASE, sql::db::Dialect};

use crate::support::{
    cluster::Cluster,
    house::{House, items},
    ledger::Ledger,
    load::Load,
    receiver::{Answer, Delivery, Receiver},
    seed::{lasting, seed},
    service::Service,
    throttled::assert_throttled,
    wires::{self, DATABASE, EVERYBODY, RECEIVERS, Way, Wire},
};

/// Instances, unless `ROWHOOK_TEST_INSTANCES` says another number.
const INSTANCES: u8 = 3;
/// The pause between two troubles of a host.
const CALM: std::ops::Range<u64> = 300..3000;
/// How long a wire is in trouble at most: at times longer than a lease lasts and an attempt may take.
const WIRE: Duration = Duration::from_secs(15);
/// How long an instance is away or frozen.
const AWAY: std::ops::Range<u64> = 0..2500;
/// The longest pause between two kills of the database; there is one in a short run too.
const DATABASE_LIVES: Duration = Duration::from_secs(150);
/// Transactions of each of the application's writers, of some four changes each.
const TRANSACTIONS: u32 = 3000;
/// The shortest pause between two of them.
const PAUSE: Duration = Duration::from_millis(250);
const PER_SECOND: f64 = 40.0;
const BURST: usize = 5;
/// Receivers of every change of `items`: one that is throttled, one that refuses some, and some that take all.
const PATHS: [&str; 10] = [
    "/throttled",
    "/refuses",
    "/a",
    "/b",
    "/c",
    "/d",
    "/e",
    "/f",
    "/g",
    "/h",
];

/// What happens to an instance or its host.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Killed,
    Stopped,
    Frozen,
    /// Its wire is pulled.
    CutOff,
    /// What goes one way gets lost.
    Lost(Way),
    /// Its wire is slow.
    Slow,
}

const TROUBLES: [Trouble; 9] = [
    Trouble::Killed,
    Trouble::Stopped,
    Trouble::Frozen,
    Trouble::CutOff,
    Trouble::Lost(Way::ToDatabase),
    Trouble::Lost(Way::FromDatabase),
    Trouble::Lost(Way::ToReceivers),
    Trouble::Lost(Way::FromReceivers),
    Trouble::Slow,
];

async fn millis(random: &mut StdRng, range: std::ops::Range<u64>) {
    tokio::time::sleep(Duration::from_millis(random.random_range(range))).await;
}

/// More often short than long.
async fn wire_trouble(random: &mut StdRng) {
    let part = random.random_range(0.0..1.0) * random.random_range(0.0..1.0);
    tokio::time::sleep(WIRE.mul_f64(part)).await;
}

struct Instance {
    number: u8,
    wire: Wire,
    service: Service,
}

impl Instance {
    async fn meet(&mut self, trouble: Trouble, random: &mut StdRng) {
        match trouble {
            Trouble::Killed => {
                self.service.kill9();
                millis(random, AWAY).await;
                self.service.restart_persistently().await;
            }
            Trouble::Stopped => {
                self.service.terminate().await;
                millis(random, AWAY).await;
                self.service.restart_persistently().await;
            }
            Trouble::Frozen => {
                assert!(Duration::from_millis(AWAY.end) < LEASE / 2);
                self.service.signal("STOP");
                millis(random, AWAY).await;
                self.service.signal("CONT");
            }
            Trouble::CutOff => {
                self.wire.pull();
                wire_trouble(random).await;
                self.wire.plug();
            }
            Trouble::Lost(way) => {
                self.wire.lose(way, true);
                wire_trouble(random).await;
                self.wire.lose(way, false);
            }
            Trouble::Slow => {
                self.wire.narrow(true);
                wire_trouble(random).await;
                self.wire.narrow(false);
            }
        }
    }

    /// One trouble after the other until the time is over; then all is well.
    async fn live(&mut self, seed: u64, run: &Run) {
        let mut random = StdRng::seed_from_u64(seed);
        loop {
            millis(&mut random, CALM).await;
            let trouble = *TROUBLES.choose(&mut random).unwrap();
            if matches!(trouble, Trouble::Frozen) {
                // Its leases are fresh before it is frozen.
                tokio::time::sleep(LEASE / 2).await;
                if run.database_was_away_lately() {
                    continue;
                }
            }
            if run.is_over() {
                return;
            }
            run.tell(&format!("instance {}: {trouble:?}", self.number));
            self.meet(trouble, &mut random).await;
        }
    }
}

/// The time that it lasts, and what happened so far.
struct Run {
    began: Instant,
    ends: Instant,
    troubles: Cell<usize>,
    database_back: Cell<Option<Instant>>,
}

impl Run {
    fn lasting(time: Duration) -> Self {
        let began = Instant::now();
        Self {
            began,
            ends: began + time,
            troubles: Cell::new(0),
            database_back: Cell::new(None),
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() > self.ends
    }

    fn tell(&self, what: &str) {
        self.troubles.set(self.troubles.get() + 1);
        println!("{:.1} s: {what}", self.began.elapsed().as_secs_f64());
    }

    /// A lease may not be renewed as yet.
    fn database_was_away_lately(&self) -> bool {
        let back = self.database_back.get();
        back.is_some_and(|back| back.elapsed() < LEASE)
    }
}

/// The database is killed and comes back.
async fn end_and_begin(cluster: &mut Cluster, random: &mut StdRng, run: &Run) {
    loop {
        let left = run.ends.saturating_duration_since(Instant::now());
        let most = DATABASE_LIVES.min(left);
        let lives = most.mul_f64(random.random_range(0.3..0.9));
        tokio::time::sleep(lives).await;
        run.tell("the database: killed");
        // For as long as it is away, too.
        run.database_back.set(Some(run.ends));
        cluster.kill9();
        millis(random, AWAY).await;
        cluster.restart().await;
        run.database_back.set(Some(Instant::now()));
        if run.ends.saturating_duration_since(Instant::now()) < DATABASE_LIVES {
            return;
        }
    }
}

fn how_many() -> u8 {
    match std::env::var("ROWHOOK_TEST_INSTANCES") {
        Ok(number) => number
            .parse()
            .expect("ROWHOOK_TEST_INSTANCES is no small whole number"),
        Err(_) => INSTANCES,
    }
}

/// `ROWHOOK_TEST_SECONDS` makes it go on for longer, `ROWHOOK_TEST_SEED` repeats it as far as a race of processes can be
/// repeated.
#[tokio::test]
async fn nothing_is_lost_whoever_comes_and_goes() {
    if !wires::are_laid("instances_at_random::nothing_is_lost_whoever_comes_and_goes") {
        return;
    }
    let seed = seed();
    println!("ROWHOOK_TEST_SEED={seed}");
    let settings = "max_connections = 400\nfsync = off";
    let mut cluster = Cluster::open_to(EVERYBODY, settings).await;
    let url = cluster.url("postgres");
    let mut house = House::at(url, Dialect::Postgres, "", "", &[]).await;
    house.receiver = Receiver::start_at(RECEIVERS).await;
    for path in PATHS {
        // Whatever trouble a wire makes, nothing fails for good.
        let again = "retryPolicy: {initialDelayMs: 50, multiplier: 1.0, maxAttempts: 100}";
        // One at a time: a request that a pulled wire holds up comes later than it went.
        let limit =
            format!("maxInFlight: 1, rateLimit: {{perSecond: {PER_SECOND}, burst: {BURST}}}");
        let limit = if path == "/throttled" { &*limit } else { "" };
        let more = format!(", {again}, {limit}");
        house.register_for_items(path, &more).await;
    }
    house.receiver.answer(|delivery| {
        let refused = delivery.path == "/refuses" && rand::random_ratio(1, 5);
        Answer::After(Duration::from_millis(20), if refused { 503 } else { 200 })
    });
    let url = cluster.url_at(DATABASE, "postgres");
    let mut instances = Vec::new();
    for number in 1..=how_many() {
        let wire = Wire::to_host(number);
        let service = Service::start_on(&wire, &url, "", &[items(Dialect::Postgres)]).await;
        instances.push(Instance {
            number,
            wire,
            service,
        });
    }
    // Nobody is without trouble.
    house.service.terminate().await;

    let time = lasting(Duration::from_secs(25));
    let run = Run::lasting(time);
    let load = Load::going_on(&house, run.ends, PAUSE.max(time / TRANSACTIONS));
    let mut random = StdRng::seed_from_u64(seed);
    let lives = instances.iter_mut().map(|instance| {
        let seed = seed.wrapping_add(instance.number.into());
        instance.live(seed, &run)
    });
    tokio::join!(
        join_all(lives),
        end_and_begin(&mut cluster, &mut random, &run)
    );
    load.finish().await;
    let ledger = Ledger::read(&house.app).await;
    let (troubles, changes) = (run.troubles.get(), ledger.changes());
    println!("{troubles} troubles, {changes} changes");

    house.receiver.wait_for_events(changes * PATHS.len()).await;
    house.service.restart().await;
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
