//! Several instances on one PostgreSQL, each a process of the real binary: each receiver is sent to by one of
//! them at a time, and who goes, in whatever way, is followed.
//!
//! Each instance sends from an address of its own, so the receiver sees who sent what.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use rowhook::store::sql::db::Dialect;
use rowhook::{pipeline::leases::RENEW_EVERY, store::leases::LEASE};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::Value;

use crate::support::{
    database::TestDatabase,
    house::{House, items},
    ledger::Ledger,
    load::Load,
    receiver::{Answer, Delivery},
    service::{Service, Watched},
    throttled::assert_throttled,
    wait::{DEADLINE, until, until_ok},
};

/// A change is captured and delivered again so soon after its instance was killed (the contract's promise).
const FOLLOWED_WITHIN: Duration = Duration::from_secs(10);

/// A table beside `items`, for a receiver of its own.
const TICK: Watched = Watched {
    name: "TICK",
    table: "public.ticks",
    more: "",
};
/// It.
const TICKS: &str = "create table ticks (id bigint primary key)";

/// The address that an instance sends from.
fn address(instance: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, 10 + instance).into()
}

/// The setting for it.
fn sending_from(instance: u8) -> String {
    format!("[receivers]\nbind_address = \"{}\"\n", address(instance))
}

/// The first instance, and whom it sends to.
async fn first_instance() -> House {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    House::with(database, &sending_from(1), TICKS, &[TICK]).await
}

/// Another one beside it, which is ready.
async fn instance(house: &House, number: u8) -> Service {
    let watched = [items(Dialect::Postgres), TICK];
    Service::start(&house.url, &sending_from(number), &watched).await
}

/// What came to a path, without test deliveries.
fn came_to<'a>(deliveries: &'a [Delivery], path: &str) -> Vec<&'a Delivery> {
    deliveries
        .iter()
        .filter(|one| one.path == path && one.headers.contains_key("x-rowhook-sequence"))
        .collect()
}

async fn number(house: &House, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = house.app.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// So many that each of three instances gets some, but for two runs in a hundred thousand.
const RECEIVERS: usize = 30;

/// An instance as another one lists it: its process, whether it runs, reads changes, and is the one that answers.
type Listed = (i64, bool, bool, bool);

/// All of them, in the order of their processes.
async fn listed_by(one: &Service) -> Vec<Listed> {
    let data = one
        .graphql("{ webhookInstances { process running readsChanges answering } }")
        .await;
    let list = data["webhookInstances"].as_array().unwrap().iter();
    let is = |one: &Value, what: &str| one[what].as_bool().unwrap();
    let listed = |one: &Value| {
        let process = Value::as_i64(&one["process"]).unwrap();
        (
            process,
            is(one, "running"),
            is(one, "readsChanges"),
            is(one, "answering"),
        )
    };
    let mut all: Vec<Listed> = list.map(listed).collect();
    all.sort_unstable();
    all
}

/// Each takes those that are its own, although one alone reads the changes.
#[tokio::test]
async fn three_share_many_receivers() {
    const THROTTLED: &str = "/0";
    const PER_SECOND: f64 = 40.0;
    const BURST: usize = 4;
    let house = first_instance().await;
    let (second, third) = tokio::join!(instance(&house, 2), instance(&house, 3));
    let instances = [&house.service, &second, &third];
    let know = || {
        let all = instances.iter();
        all.copied()
            .all(|one| one.log_text().contains("instances=3"))
    };
    until("each knows of the others", know).await;
    let mut processes = instances.map(|one| i64::from(one.process()));
    processes.sort_unstable();
    for one in instances {
        let answers = i64::from(one.process());
        let reads = i64::from(house.service.process());
        let wanted = processes.map(|process| (process, true, process == reads, process == answers));
        assert_eq!(listed_by(one).await, wanted);
    }
    for receiver in 0..RECEIVERS {
        let path = format!("/{receiver}");
        let limit = format!(", rateLimit: {{perSecond: {PER_SECOND}, burst: {BURST}}}");
        let limit = if path == THROTTLED { &*limit } else { "" };
        house.register_for_items(&path, limit).await;
    }
    let rows = "insert into items select g, 0, 'x' from generate_series(1, 20) g";
    house.sql(rows).await;
    for _ in 0..4 {
        house.sql("update items set n = n + 1").await;
    }
    let ledger = Ledger::read(&house.app).await;
    let events = RECEIVERS * ledger.changes();
    house.receiver.wait_for_events(events).await;
    house.settled(events).await;

    let all = house.receiver.deliveries();
    let mut senders = BTreeSet::new();
    for receiver in 0..RECEIVERS {
        let came = came_to(&all, &format!("/{receiver}"));
        let own: Vec<Delivery> = came.iter().map(|one| (*one).clone()).collect();
        assert_eq!(ledger.compare(&own).duplicates, 0, "receiver {receiver}");
        let mut in_turn: Vec<IpAddr> = came.iter().map(|one| one.from).collect();
        in_turn.dedup();
        let distinct: BTreeSet<_> = in_turn.iter().copied().collect();
        assert_eq!(
            in_turn.len(),
            distinct.len(),
            "receiver {receiver} was sent to by two at a time: {in_turn:?}"
        );
        senders.extend(distinct);
    }
    assert_eq!(senders, (1..=3).map(address).collect(), "everybody sends");
    assert_throttled(&came_to(&all, THROTTLED), PER_SECOND, BURST);
    let holders = "select count(distinct holder) from rowhook.leases where kind = 'receiver'";
    assert_eq!(number(&house, holders).await, 3);
}

/// Who has sent since, and to which of the receivers.
fn sent_since(all: &[Delivery], since: Instant) -> BTreeMap<IpAddr, BTreeSet<&str>> {
    let mut sent: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for one in all.iter().filter(|one| one.at > since) {
        sent.entry(one.from).or_default().insert(&one.path);
    }
    sent
}

/// Receivers that are sent to all the time change hands in an orderly way, so nothing comes twice.
#[tokio::test]
async fn one_that_comes_takes_its_share_and_gives_it_back() {
    let house = first_instance().await;
    for receiver in 0..RECEIVERS {
        house.register_for_items(&format!("/{receiver}"), "").await;
    }
    let rows = "insert into items select g, 0, 'x' from generate_series(1, 3) g";
    house.sql(rows).await;
    let app = house.app.clone();
    let busy = tokio::spawn(async move {
        // It ends at last, so that waiting in vain does.
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            app.execute_unprepared("update items set n = n + 1 where id = 1")
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    house.receiver.wait_for_events(RECEIVERS).await;
    let mut second = instance(&house, 2).await;
    let joined = Instant::now();
    let fair = |all: &[Delivery]| {
        let sent = sent_since(all, joined);
        // Of thirty it gets fewer than four once in a hundred thousand runs.
        sent.get(&address(2)).is_some_and(|own| own.len() >= 4)
    };
    house
        .receiver
        .wait_until("a share of the second", fair)
        .await;
    println!("shared after {:?}", joined.elapsed());

    let its = format!("holder like '%/{}/%'", second.process());
    assert_eq!(second.terminate().await.code(), Some(0));
    let left = Instant::now();
    // What it had it has given back, and it waits for nobody to find out that it is gone.
    let kept = format!("select count(*) from rowhook.leases where expires_at > now() and {its}");
    assert_eq!(number(&house, &kept).await, 0);
    let listed = format!("select count(*) from rowhook.instances where {its}");
    assert_eq!(number(&house, &listed).await, 0);
    let all_again = |all: &[Delivery]| {
        let sent = sent_since(all, left);
        sent.get(&address(1))
            .is_some_and(|own| own.len() == RECEIVERS)
    };
    house
        .receiver
        .wait_until("all of them by the first", all_again)
        .await;
    println!("taken back after {:?}", left.elapsed());

    busy.abort();
    let _cancelled = busy.await;
    let ledger = Ledger::read(&house.app).await;
    let events = RECEIVERS * ledger.changes();
    house.receiver.wait_for_events(events).await;
    house.settled(events).await;
    let all = house.receiver.deliveries();
    for receiver in 0..RECEIVERS {
        let came = came_to(&all, &format!("/{receiver}"));
        let own: Vec<Delivery> = came.into_iter().cloned().collect();
        assert_eq!(ledger.compare(&own).duplicates, 0, "receiver {receiver}");
    }
}

/// The bucket of the throttled receiver takes longer to fill than a takeover takes: whoever began with a full one
/// would send more than it may.
#[tokio::test]
async fn one_that_is_killed_is_followed() {
    const BURST: usize = 30;
    let mut house = first_instance().await;
    house.register_for_items("/items", "").await;
    let limit = format!(", rateLimit: {{perSecond: 2, burst: {BURST}}}");
    let throttled = house.register("/ticks", &limit).await;
    house.subscribe(throttled, "TICK", "CREATE", "").await;
    house
        .receiver
        .answer(|_| Answer::After(Duration::from_millis(5), 200));
    // More than can be sent while this lasts.
    house
        .sql("insert into ticks select generate_series(1, 500)")
        .await;
    house.receiver.wait_for_events(BURST).await;
    // What the first one sends to already stays with it for longer than this lasts.
    let second = instance(&house, 2).await;
    let load = Load::start(&house);
    house.receiver.wait_for_events(BURST + 60).await;

    let first = i64::from(house.service.process());
    house.service.kill9();
    let killed = Instant::now();
    house.service = second;
    house
        .sql("insert into items values (99999, 0, 'new')")
        .await;
    let is_new = |one: &Delivery| one.data()["id"] == 99999;
    let all = house
        .receiver
        .wait_until("a change from after the kill", |all| all.iter().any(is_new))
        .await;
    let by_second = |one: &&Delivery| one.at > killed && one.from == address(2);
    let first_of_second = all.iter().find(by_second).unwrap().at - killed;
    let new = all.iter().find(|one| is_new(one)).unwrap().at - killed;
    println!("followed after {first_of_second:?}, a new change came after {new:?}");
    assert!(new < FOLLOWED_WITHIN, "{new:?}");
    assert!(first_of_second < FOLLOWED_WITHIN, "{first_of_second:?}");

    load.finish().await;
    let ledger = Ledger::read(&house.app).await;
    house
        .receiver
        .wait_until("all changes of items, and ticks by the second", |all| {
            let ticks = came_to(all, "/ticks");
            let of_items = came_to(all, "/items").into_iter();
            let events: BTreeSet<_> = of_items.map(Delivery::event_id).collect();
            let by_second = |one: &&&Delivery| one.from == address(2);
            events.len() >= ledger.changes() && ticks.iter().filter(by_second).count() > 2
        })
        .await;
    let second = i64::from(house.service.process());
    let mut wanted = [(first, false, false, false), (second, true, true, true)];
    wanted.sort_unstable();
    assert_eq!(
        listed_by(&house.service).await,
        wanted,
        "who was killed is seen"
    );
    let owed = "resource: ITEM, status: \"pending\"";
    house.wait_for_count(owed, 0).await;
    let all = house.receiver.deliveries();
    let of_items: Vec<Delivery> = came_to(&all, "/items").into_iter().cloned().collect();
    ledger.compare(&of_items);
    assert_throttled(&came_to(&all, "/ticks"), 2.0, BURST);
}

/// A lease that was not given back would last at least from its last renewal on.
#[tokio::test]
async fn one_that_is_stopped_hands_over_at_once() {
    let mut house = first_instance().await;
    house.register_for_items("/items", "").await;
    house
        .receiver
        .answer(|_| Answer::After(Duration::from_millis(300), 200));
    house.sql("insert into items values (0, 0, 'x')").await;
    house.receiver.wait_for_events(1).await;
    let second = instance(&house, 2).await;
    house
        .sql("insert into items select g, 0, 'x' from generate_series(1, 40) g")
        .await;
    house.receiver.wait_for_events(11).await;
    let status = house.service.terminate().await;
    assert_eq!(status.code(), Some(0));
    let stopped = Instant::now();
    house.service = second;
    house.sql("insert into items values (100, 0, 'new')").await;
    let all = house
        .receiver
        .wait_until("a change from after the stop", |all| {
            all.iter().any(|one| one.data()["id"] == 100)
        })
        .await;
    let new = all.iter().find(|one| one.data()["id"] == 100).unwrap();
    let took = new.at - stopped;
    println!("handed over within {took:?}");
    assert!(took < LEASE - RENEW_EVERY, "{took:?}");
    assert_eq!(new.from, address(2));
    house.receiver.wait_for_events(42).await;
    house.settled(42).await;
    let ledger = Ledger::read(&house.app).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    assert_eq!(faithful.duplicates, 0, "what was in flight was recorded");
}

/// It stands still between two requests that its throttle keeps apart, so none is under way.
#[tokio::test]
async fn one_that_was_frozen_sends_nothing_when_it_wakes() {
    const EVENTS: usize = 3;
    let house = first_instance().await;
    let limit = ", rateLimit: {perSecond: 0.2, burst: 1}";
    house.register_for_items("/items", limit).await;
    house
        .sql("insert into items select g, 0, 'x' from generate_series(1, 3) g")
        .await;
    house.receiver.wait_for_events(1).await;
    // What the first one sends to already stays with it for longer than this lasts.
    let second = instance(&house, 2).await;
    until_ok("the first one is recorded", async || {
        match number(
            &house,
            "select count(*) from rowhook.events where state = 3",
        )
        .await
        {
            1 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    house.service.signal("STOP");
    assert_eq!(house.receiver.events(), 1, "it was frozen too late");

    let by_second = |one: &Delivery| one.from == address(2);
    house
        .receiver
        .wait_until("one by the second", |all| all.iter().any(by_second))
        .await;
    house.service.signal("CONT");
    let knows = || {
        house
            .service
            .log_text()
            .contains("another instance reads changes now")
    };
    until("the first one knows", knows).await;
    house.receiver.wait_for_events(EVENTS).await;
    house.settled(EVENTS).await;
    let all = house.receiver.deliveries();
    let from: Vec<_> = all.iter().map(|one| one.from).collect();
    let mut wanted = vec![address(2); EVENTS];
    wanted[0] = address(1);
    assert_eq!(from, wanted);
    let ledger = Ledger::read(&house.app).await;
    assert_eq!(ledger.compare(&all).duplicates, 0);
    let all: Vec<&Delivery> = all.iter().collect();
    assert_throttled(&all, 0.2, 1);
    drop(second);
}
