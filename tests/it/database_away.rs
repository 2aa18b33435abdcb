//! The database is away for half a minute: it is said, nothing is lost, nobody is charged for it, and it is over
//! by itself.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rowhook::store::sql::db::Dialect;
use sea_orm::ConnectionTrait as _;

use crate::support::{
    aftermath::{nobody_is_charged, told_within},
    cluster::Cluster,
    house::House,
    ledger::Ledger,
    receiver::Answer,
    service::{LOOK_AGAIN, Service},
    wait::until_ok,
};

/// As long as the contract's example.
const AWAY: Duration = Duration::from_secs(30);
/// `/readyz` says so after this at the latest, and never takes longer to answer: whoever asks gives up soon.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// Whoever reads the log is told, and not flooded: a line for each connection and each stage.
const LINES: usize = 40;

/// The answer of `/readyz`, which has come in time, and `/healthz` is well.
async fn readiness(service: &Service) -> (u16, String) {
    let (alive, _) = service.http("GET", "/healthz", "").await.unwrap();
    assert_eq!(alive, 200, "the process is up");
    let asked = Instant::now();
    let answer = service.http("GET", "/readyz", "").await.unwrap();
    assert!(asked.elapsed() < TOLD_WITHIN, "{:?}", asked.elapsed());
    answer
}

#[tokio::test]
async fn for_half_a_minute() {
    static GO: AtomicBool = AtomicBool::new(false);
    let mut cluster = Cluster::start("").await;
    let house = House::at(cluster.url("postgres"), Dialect::Postgres, "", "", &[]).await;
    // One is under way when the database goes, and is answered when it is gone.
    house.receiver.answer(|delivery| {
        if delivery.data()["id"] == 1 {
            Answer::Once(&GO, 200)
        } else {
            Answer::Status(200)
        }
    });
    let receiver = house
        .register_for_items("/items", ", timeoutMs: 60000")
        .await;
    house
        .sql("insert into items values (1, 0, 'x'), (2, 0, 'x')")
        .await;
    house.receiver.wait_for_events(2).await;
    house.wait_for_count("status: \"delivered\"", 1).await;

    cluster.shut_down();
    let gone = Instant::now();
    GO.store(true, Ordering::SeqCst);
    let why = loop {
        match readiness(&house.service).await {
            (503, why) => break why,
            other => assert!(gone.elapsed() < TOLD_WITHIN, "{other:?}"),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    println!("not ready after {:?}: {why}", gone.elapsed());
    assert!(why.contains("the database can not be reached"), "{why}");
    while gone.elapsed() < AWAY {
        assert_eq!(readiness(&house.service).await.0, 503);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    cluster.restart().await;
    house.service.ready().await;

    for sql in [
        "insert into items values (3, 0, 'x')",
        "update items set n = n + 1",
    ] {
        // The application's connections went with the server; each is found out by using it.
        until_ok("a change", async || house.app.execute_unprepared(sql).await).await;
    }
    let ledger = Ledger::read(&house.app).await;
    house.receiver.wait_for_events(6).await;
    house.settled(6).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    assert_eq!((faithful.events, faithful.duplicates), (6, 0));
    nobody_is_charged(&house, receiver).await;
    told_within(&house, LINES);
}
