//! The disk of the embedded database is full, for rowhook: it says so, holds what it has, and goes on by itself
//! when there is room.
//!
//! The size of the process's files is limited, so that it takes no rights and no disk. The application has no
//! such limit: what it commits meanwhile is owed.

use std::sync::atomic::{AtomicBool, Ordering};

use rowhook::store::{StoreError, sql::db::Dialect};
use sea_orm::ConnectionTrait as _;

use crate::support::{
    aftermath::{answer_is_read, nobody_is_charged, told_within},
    database::TestDatabase,
    house::House,
    ledger::Ledger,
    receiver::Answer,
    wait::until_ok,
};

/// Less than the database has already, and far more than the log that the service writes.
const FULL: u64 = 64 * 1024;
/// Whoever reads the log is told, and not flooded.
const LINES: usize = 20;

#[tokio::test]
async fn is_told_and_survived() {
    static GO: AtomicBool = AtomicBool::new(false);
    let house = House::of(TestDatabase::fresh(Dialect::Sqlite).await).await;
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
    house.sql("insert into items values (1, 0, 'x')").await;
    house.receiver.wait_for_events(1).await;

    // One is answered and can not be recorded, others commit and can not be read.
    house.service.limit_files(Some(FULL));
    GO.store(true, Ordering::SeqCst);
    for id in 2..=20 {
        house
            .sql(&format!("insert into items values ({id}, 0, 'x')"))
            .await;
    }
    answer_is_read(&house).await;
    let why = until_ok("it is told", async || {
        match house.service.http("GET", "/readyz", "").await.unwrap() {
            (503, why) => Ok(why),
            other => Err(other),
        }
    })
    .await;
    println!("{why}");
    assert!(why.contains("disk"), "{why}");
    until_ok("outcomes fail", async || {
        let log = house.service.log_text();
        let told = log.contains("outcomes can not be written") && log.contains("disk");
        if told { Ok(()) } else { Err(log) }
    })
    .await;
    // Long enough for everybody to try again a few times.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let (alive, _) = house.service.http("GET", "/healthz", "").await.unwrap();
    assert_eq!(alive, 200);
    assert_eq!(
        house.receiver.deliveries().len(),
        1,
        "nothing more is known of"
    );
    told_within(&house, LINES);

    house.service.limit_files(None);
    house.service.ready().await;
    house.sql("update items set n = n + 1").await;
    house.receiver.wait_for_events(40).await;
    house.settled(40).await;
    let ledger = Ledger::read(&house.app).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    assert_eq!((faithful.events, faithful.duplicates), (40, 0));
    nobody_is_charged(&house, receiver).await;
}

/// sqlx does not notice that, and what is begun on the connection next must not stay open when it is rolled back.
#[tokio::test]
async fn a_transaction_that_sqlite_has_ended_leaves_no_lock() {
    let database = TestDatabase::fresh(Dialect::Sqlite).await;
    let db = database.migrated().await;
    let txn = db.begin().await.unwrap();
    // It can not be less than there are.
    let limit = "pragma max_page_count = 1";
    txn.execute_unprepared(limit).await.unwrap();
    let large = "create table large as select zeroblob(1000000)";
    let full = StoreError::from(txn.execute_unprepared(large).await.unwrap_err());
    let is_away = matches!(&full, StoreError::Unavailable(why) if why.contains("full"));
    assert!(is_away, "{full:?}");
    drop(txn);
    // Each connection of the pool has its turn.
    for _ in 0..8 {
        let txn = db.begin().await.unwrap();
        let locks = "update rowhook_leases set holder = holder";
        txn.execute_unprepared(locks).await.unwrap();
        drop(txn);
    }
    let app = database.application().await;
    let write = "create table free (id integer)";
    app.execute_unprepared(write).await.unwrap();
}
