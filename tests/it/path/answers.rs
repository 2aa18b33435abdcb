//! How deliveries go out: failures and their end, the throttle, a bulk change, order.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rowhook::store::sql::db::Dialect;

use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House,
    ledger::Ledger,
    receiver::{Answer, Delivery},
};

on_both!(
    a_receiver_that_fails_gets_everything_when_it_is_back,
    an_event_that_fails_for_good_lets_the_next_pass,
    the_throttle_is_exact,
    a_bulk_change_of_several_pages,
    a_slow_receiver_costs_the_others_nothing,
);

async fn a_receiver_that_fails_gets_everything_when_it_is_back(database: TestDatabase) {
    let house = House::of(database).await;
    // Each event is refused, broken off, and taken: three attempts, also of those that wait in a row.
    let seen = std::sync::Mutex::new(std::collections::HashMap::new());
    house.receiver.answer(move |delivery: &Delivery| {
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(delivery.event_id()).or_insert(0);
        *times += 1;
        match *times {
            1 => Answer::Status(503),
            2 => Answer::Reset,
            _ => Answer::Status(200),
        }
    });
    let retry = ", retryPolicy: {initialDelayMs: 20, multiplier: 1.0, maxAttempts: 5}";
    house.register_for_items("/items", retry).await;
    house
        .sql(
            "insert into items values (1, 0, 'a'); insert into items values (2, 0, 'b');
             update items set n = n + 1; update items set n = n + 1 where id = 2;
             insert into gone select id, n from items where id = 1; delete from items where id = 1",
        )
        .await;
    let ledger = Ledger::read(&house.app).await;
    assert_eq!(ledger.changes(), 6);
    house.settled(6).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    assert_eq!(faithful.duplicates, 12);
    for event in house.events("").await {
        assert_eq!(event["status"], "delivered");
        assert_eq!(event["attemptCount"], 3);
        let attempts = event["deliveryAttempts"].as_array().unwrap();
        let statuses: Vec<_> = attempts
            .iter()
            .map(|one| one["responseStatus"].as_i64())
            .collect();
        assert_eq!(statuses, [Some(503), None, Some(200)]);
    }
}

async fn an_event_that_fails_for_good_lets_the_next_pass(database: TestDatabase) {
    let house = House::of(database).await;
    house.receiver.answer(|delivery| {
        let refused = delivery.data()["new"]["n"] == 1;
        Answer::Status(if refused { 500 } else { 200 })
    });
    let retry = ", retryPolicy: {initialDelayMs: 20, multiplier: 1.0, maxAttempts: 3}";
    house.register_for_items("/items", retry).await;
    house
        .sql(
            "insert into items values (1, 0, 'a'); update items set n = n + 1;
             update items set n = n + 1; insert into items values (2, 0, 'b')",
        )
        .await;
    house.settled(4).await;
    let of_row_1: Vec<i64> = house
        .receiver
        .deliveries()
        .iter()
        .filter(|one| one.data()["id"] == 1)
        .map(|one| one.data()["new"]["n"].as_i64().unwrap())
        .collect();
    assert_eq!(
        of_row_1,
        [0, 1, 1, 1, 2],
        "order per row, through the failure"
    );
    let failed = house.events("status: \"failed\"").await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["attemptCount"], 3);
    let error = failed[0]["error"].as_str().unwrap();
    assert!(error.contains("500"), "{error}");
}

async fn the_throttle_is_exact(database: TestDatabase) {
    const PER_SECOND: f64 = 20.0;
    let house = House::of(database).await;
    let limit = ", rateLimit: {perSecond: 20, burst: 1}, retryPolicy: {initialDelayMs: 20}";
    house.register_for_items("/items", limit).await;
    // Retries count: every fifth is refused at first.
    let refused = std::sync::Mutex::new(HashSet::new());
    house.receiver.answer(move |delivery| {
        let event = delivery.event_id();
        let refuse = event % 5 == 0 && refused.lock().unwrap().insert(event);
        Answer::Status(if refuse { 500 } else { 200 })
    });
    let rows: Vec<String> = (1..=40).map(|id| format!("({id}, 0, 'x')")).collect();
    house
        .sql(&format!("insert into items values {}", rows.join(", ")))
        .await;
    let deliveries = house
        .receiver
        .wait_until("2 s of them", |all| all.len() >= 41)
        .await;
    // Any window: k requests need (k - 1) / 20 s between their starts. Receipts lie closer where a busy
    // machine was late to read the first; that is all that is allowed for.
    let late = 0.5;
    for (first, from) in deliveries.iter().enumerate() {
        for (further, to) in deliveries[first + 1..].iter().enumerate() {
            let least = (further + 1) as f64 / PER_SECOND - late;
            let took = to.at.duration_since(from.at).as_secs_f64();
            assert!(took >= least, "{} requests in {took} s", further + 2);
        }
    }
    // And being late is the exception.
    let half = Duration::from_secs_f64(0.5 / PER_SECOND);
    let bunched = deliveries
        .windows(2)
        .filter(|two| two[1].at - two[0].at < half);
    assert!(bunched.count() < deliveries.len() / 4);
    let last = deliveries.last().unwrap();
    println!("41 requests at 20/s in {:?}", last.at - deliveries[0].at);
}

async fn a_bulk_change_of_several_pages(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/items", "").await;
    let (series, transaction) = match house.dialect {
        Dialect::Postgres => ("select g, 0, 'bulk' from generate_series(1, 2500) g", ""),
        Dialect::Sqlite => (
            "with recursive s(g) as (select 1 union all select g + 1 from s where g < 2500)
             select g, 0, 'bulk' from s",
            "immediate",
        ),
    };
    // One transaction of 5,000 changes, and while it is read and sent, small ones.
    house
        .sql(&format!(
            "begin {transaction}; insert into items {series}; update items set n = n + 1; commit"
        ))
        .await;
    for id in 5001..=5020 {
        house
            .sql(&format!("insert into items values ({id}, 0, 'small')"))
            .await;
    }
    let ledger = Ledger::read(&house.app).await;
    assert_eq!(ledger.changes(), 5020);
    house.receiver.wait_for_events(5020).await;
    house.settled(5020).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    assert_eq!(faithful.duplicates, 0);
}

async fn a_slow_receiver_costs_the_others_nothing(database: TestDatabase) {
    let house = House::of(database).await;
    let slow = house.register("/slow", ", maxInFlight: 2").await;
    house.subscribe(slow, "ITEM", "CREATE", "").await;
    let quick = house.register("/quick", "").await;
    house.subscribe(quick, "ITEM", "CREATE", "").await;
    static HOLD: AtomicBool = AtomicBool::new(true);
    house
        .receiver
        .answer(|delivery| match delivery.path.as_str() {
            "/slow" if HOLD.load(Ordering::SeqCst) => Answer::After(Duration::from_secs(60), 200),
            _ => Answer::Status(200),
        });
    let rows: Vec<String> = (1..=100).map(|id| format!("({id}, 0, 'x')")).collect();
    house
        .sql(&format!("insert into items values {}", rows.join(", ")))
        .await;
    let deliveries = house
        .receiver
        .wait_until("all of the quick one's", |all| {
            all.iter().filter(|one| one.path == "/quick").count() == 100
        })
        .await;
    // Two at once, and each waits for its five seconds.
    let slow = deliveries.iter().filter(|one| one.path == "/slow").count();
    assert!(slow <= 4, "{slow}");
}
