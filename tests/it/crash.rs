//! Whatever is killed in the middle of a load, every committed change arrives, in the order of its row.
//!
//! The load goes on while the processes are killed and come back. Afterwards the tables say what was
//! committed, and the receiver must have got just that: a few events twice, none other than it was, none
//! missing. The receiver takes its time, so that there is always something in flight.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rowhook::store::sql::db::Dialect;
use sea_orm::{
    ConnectionTrait as _, DbBackend, DbErr, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait as _,
};

use crate::support::{
    aftermath::{answer_is_read, comes_once_more},
    both::on_both,
    cluster::Cluster,
    database::TestDatabase,
    house::House,
    ledger::{Faithful, Ledger},
    load::Load,
    receiver::Answer,
    service::{DEADLINE, LOOK_AGAIN, signal},
};

on_both!(
    rowhook_is_killed_twice,
    sigterm_finishes_what_is_in_flight,
    killed_between_the_answer_and_its_record,
);

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

/// The receiver has answered and the answer was read, but the database is held so that it can not be written
/// down. The event comes once more, with the same id.
async fn killed_between_the_answer_and_its_record(database: TestDatabase) {
    let go: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let mut house = House::of(database).await;
    house.receiver.answer(move |_| Answer::Once(go, 200));
    house.register_for_items("/items", "").await;
    house.sql("insert into items values (1, 0, 'x')").await;
    house.receiver.wait_for_events(1).await;
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let held = house.app.begin_with_options(options).await.unwrap();
    if house.dialect == Dialect::Postgres {
        let lock = "lock table rowhook.events in exclusive mode";
        held.execute_unprepared(lock).await.unwrap();
    }
    go.store(true, Ordering::SeqCst);
    answer_is_read(&house).await;
    house.service.kill9();
    held.rollback().await.unwrap();
    house.service.restart().await;
    comes_once_more(&house).await;
    house.sql("update items set n = n + 1").await;
    house.receiver.wait_for_events(2).await;
    house.settled(2).await;
    let ledger = Ledger::read(&house.app).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    assert_eq!((faithful.events, faithful.duplicates), (2, 1));
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

/// A transaction that rolls back takes an id, and a crash may give the same id to another one: what
/// tells of the first is not on disk yet. Whoever remembers "seen up to this id" over the crash misses
/// the second. The service is held still meanwhile, so that it finds out only afterwards.
#[tokio::test]
async fn transaction_ids_that_a_crash_gives_anew_are_not_skipped() {
    // Nothing but a commit brings the log to disk.
    let cluster = Cluster::start("wal_writer_delay = '10s'\nautovacuum = off").await;
    let house = house_in(&cluster).await;
    let mut given_anew = 0;
    for attempt in 0..10 {
        let first = attempt * 100;
        let unseen = "begin; select pg_current_xact_id(); rollback;";
        house.sql(&unseen.repeat(50)).await;
        let before = next_transaction(&house).await.unwrap();
        let checkpointer = number(&house, CHECKPOINTER).await.unwrap();
        wait_for_a_poll(&house).await;
        house.service.signal("STOP");
        // A process of the server is killed: the server ends all others and starts from its log.
        let process = number(&house, "select pg_backend_pid()::bigint")
            .await
            .unwrap();
        signal(u32::try_from(process).unwrap(), "KILL");
        let began = Instant::now();
        while !matches!(number(&house, CHECKPOINTER).await, Ok(other) if other != checkpointer) {
            assert!(began.elapsed() < DEADLINE, "the server does not come back");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let after = next_transaction(&house).await.unwrap();
        for id in first..first + 60 {
            house
                .sql(&format!("insert into items values ({id}, 0, 'committed')"))
                .await;
        }
        house.service.signal("CONT");
        let ledger = Ledger::read(&house.app).await;
        // Any commit brings the log to disk, and so does that of the last delivery's outcome.
        house.settled(ledger.changes()).await;
        // A lease that was renewed in between may have done so: once more, then.
        given_anew = before - after;
        if given_anew > 0 {
            break;
        }
    }
    assert!(given_anew > 0, "no attempt gave ids anew");
    println!("{given_anew} transaction ids were given anew");
    Ledger::read(&house.app)
        .await
        .compare(&house.receiver.deliveries());
}

/// A process that every run of the server has one of.
const CHECKPOINTER: &str =
    "select pid::bigint from pg_stat_activity where backend_type = 'checkpointer'";

async fn number(house: &House, sql: &str) -> Result<i64, DbErr> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = house.app.query_one_raw(statement).await?;
    row.unwrap().try_get_by_index(0)
}

async fn next_transaction(house: &House) -> Result<i64, DbErr> {
    let sql = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    number(house, sql).await
}

/// Waits until the service has looked for changes after this call.
async fn wait_for_a_poll(house: &House) {
    let began = number(
        house,
        "select (extract(epoch from clock_timestamp()) * 1e6)::bigint",
    );
    let sql = format!(
        "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and state = 'idle'
         and query like '%pg_current_snapshot() as snapshot%'
         and extract(epoch from query_start) * 1e6 > {}",
        began.await.unwrap()
    );
    let began = Instant::now();
    while number(house, &sql).await.unwrap() == 0 {
        assert!(began.elapsed() < DEADLINE, "nobody polls");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
