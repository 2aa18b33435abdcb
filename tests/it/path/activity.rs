//! Who gets which changes: subscriptions and receivers that are made, paused and woken in mid-stream.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::ConnectionTrait as _;
use tokio::task::JoinHandle;

use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House,
    receiver::{Answer, Delivery},
    service::{DEADLINE, LOOK_AGAIN},
};

on_both!(
    a_subscription_gets_exactly_what_commits_while_it_is_active,
    what_waits_for_an_inactive_receiver_is_delivered_when_it_is_activated,
    gone_deactivates_and_activation_delivers,
);

/// Commits `update items set n = n + 1` again and again.
struct Stream {
    committed: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Stream {
    async fn start(house: &House) -> Self {
        house
            .sql("insert into items values (1, 0, 'counter')")
            .await;
        let (committed, stop) = (
            Arc::new(AtomicI64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (app, count, told) = (house.app.clone(), committed.clone(), stop.clone());
        let task = tokio::spawn(async move {
            while !told.load(Ordering::SeqCst) {
                let sql = "update items set n = n + 1 where id = 1";
                app.execute_unprepared(sql).await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            committed,
            stop,
            task,
        }
    }

    /// The last change that is known to have committed.
    fn committed(&self) -> i64 {
        self.committed.load(Ordering::SeqCst)
    }

    /// Waits until a further change has committed that began after this call; returns its count.
    async fn next(&self) -> i64 {
        // The one that runs now may have begun before.
        let wanted = self.committed() + 2;
        while self.committed() < wanted {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        wanted
    }

    async fn end(self) -> i64 {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
        self.committed.load(Ordering::SeqCst)
    }
}

fn count(delivery: &Delivery) -> i64 {
    delivery.data()["new"]["n"].as_i64().unwrap()
}

async fn a_subscription_gets_exactly_what_commits_while_it_is_active(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.register("/items", "").await;
    let stream = Stream::start(&house).await;
    stream.next().await;
    // From and to: what committed before the call, and what began after the answer.
    let before_creation = stream.committed();
    let subscription = house.subscribe(receiver, "ITEM", "UPDATE", "").await;
    let after_creation = stream.next().await;
    let before_pause = stream.next().await;
    house
        .update("Subscription", subscription, "active: false")
        .await;
    let after_pause = stream.next().await;
    let before_resumption = stream.committed();
    house
        .update("Subscription", subscription, "active: true")
        .await;
    let after_resumption = stream.next().await;
    stream.next().await;
    let last = stream.end().await;
    let deliveries = house
        .receiver
        .wait_until("the last change", |deliveries| {
            deliveries.iter().any(|delivery| count(delivery) == last)
        })
        .await;
    let counts: Vec<i64> = deliveries.iter().map(count).collect();
    let sequences: Vec<i64> = deliveries.iter().map(Delivery::sequence).collect();
    let whole: Vec<i64> = (1..).take(counts.len()).collect();
    assert_eq!(sequences, whole);
    let first = counts[0];
    assert!(
        before_creation < first && first <= after_creation,
        "{first}"
    );
    // One gap, where it was paused; no other.
    let gaps: Vec<(i64, i64)> = counts
        .windows(2)
        .filter(|two| two[1] != two[0] + 1)
        .map(|two| (two[0], two[1]))
        .collect();
    let [(paused, resumed)] = gaps[..] else {
        panic!("gaps: {gaps:?}");
    };
    assert!(before_pause <= paused && paused < after_pause, "{paused}");
    assert!(
        before_resumption < resumed && resumed <= after_resumption,
        "{resumed}"
    );
}

/// A sender looks at its receiver's settings once a second, so that long after a receiver was
/// deactivated a request may still start; what is added is for the way of that request.
const LAST_START: Duration = Duration::from_secs(2);

async fn what_waits_for_an_inactive_receiver_is_delivered_when_it_is_activated(
    database: TestDatabase,
) {
    let house = House::of(database).await;
    // It fails until it is active again, so that something waits.
    house
        .receiver
        .answer(|delivery| Answer::Status(if delivery.path == "/items" { 500 } else { 200 }));
    let retry = ", retryPolicy: {initialDelayMs: 200, multiplier: 1.0, maxAttempts: 100}";
    let receiver = house.register_for_items("/items", retry).await;
    house
        .sql("insert into items values (1, 0, 'a'); insert into items values (2, 0, 'b')")
        .await;
    house.receiver.wait_for_events(2).await;
    house.update("Receiver", receiver, "active: false").await;
    let deactivated = Instant::now();
    // Another receiver gets later changes, two a second: it tells that they were read, and the time.
    let limit = ", rateLimit: {perSecond: 2, burst: 1}";
    let other = house.register("/other", limit).await;
    house.subscribe(other, "ITEM", "CREATE", "").await;
    let of_other = |all: &[Delivery]| all.iter().filter(|one| one.path == "/other").count();
    house
        .sql("insert into items select 100 + id, 0, 'x' from items")
        .await;
    for id in 3..=9 {
        house
            .sql(&format!("insert into items values ({id}, 0, 'not for it')"))
            .await;
    }
    house
        .receiver
        .wait_until("nine of the other's", |all| of_other(all) == 9)
        .await;
    assert!(deactivated.elapsed() > LAST_START + Duration::from_secs(1));
    let pending = format!("status: \"pending\", receiverId: {receiver}");
    assert_eq!(house.count(&pending).await, 2);
    let of_it: Vec<Delivery> = house.receiver.deliveries();
    let of_it = of_it.iter().filter(|one| one.path == "/items");
    let last = of_it.map(|one| one.at).max().unwrap();
    assert!(last < deactivated + LAST_START, "{:?}", last - deactivated);
    house.receiver.answer(|_| Answer::Status(200));
    house.update("Receiver", receiver, "active: true").await;
    house
        .sql("insert into items values (10, 0, 'for both')")
        .await;
    house.settled(2 + 9 + 2).await;
    let mut rows: Vec<i64> = house
        .receiver
        .deliveries()
        .iter()
        .filter(|one| one.path == "/items")
        .map(|one| one.data()["id"].as_i64().unwrap())
        .collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows, [1, 2, 10]);
}

async fn gone_deactivates_and_activation_delivers(database: TestDatabase) {
    let house = House::of(database).await;
    house.receiver.answer(|_| Answer::Status(410));
    let retry = ", retryPolicy: {initialDelayMs: 100}";
    let receiver = house.register_for_items("/items", retry).await;
    house.sql("insert into items values (1, 0, 'a')").await;
    house.receiver.wait_for_events(1).await;
    let read = format!("{{ webhookReceiver(id: {receiver}) {{ active inactiveReason }} }}");
    let began = Instant::now();
    let record = loop {
        let record = house.service.graphql(&read).await["webhookReceiver"].take();
        if record["active"] == false {
            break record;
        }
        assert!(began.elapsed() < DEADLINE, "{record}");
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    let reason = record["inactiveReason"].as_str().unwrap();
    assert!(reason.contains("410"), "{reason}");
    assert_eq!(house.count("status: \"pending\"").await, 1);
    house.receiver.answer(|_| Answer::Status(200));
    house.update("Receiver", receiver, "active: true").await;
    house.settled(1).await;
    let event = house.events("").await.remove(0);
    assert_eq!(event["status"], "delivered");
}
