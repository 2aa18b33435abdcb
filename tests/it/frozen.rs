//! An instance that is frozen in the middle of a page, and thaws when another one has taken its place: no
//! event twice, none lost.
//!
//! Two processes of the real binary on one PostgreSQL. The test holds a lock that the first one runs into inside
//! a page, stops it there (SIGSTOP) and lets the lock go; its lease ends, the second reads on; then it is let
//! go on.

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};

use crate::support::{
    database::TestDatabase,
    house::House,
    ledger::Ledger,
    service::{Service, Watched},
    wait::{until, until_ok},
};

/// It has read the page and what is in force, and not begun to write.
#[tokio::test]
async fn before_it_writes() {
    let lock = "lock table rowhook.activity_intervals in access exclusive mode";
    freezes_at(lock, "the cursor has moved on").await;
}

/// It is writing: the server does what it was told last and holds the cursor's row for a process that says
/// no more.
#[tokio::test]
async fn while_it_writes() {
    let lock = "select 1 from rowhook.capture_cursor for update";
    freezes_at(lock, "another instance reads changes now").await;
}

/// `thaws`: what the first one says then.
async fn freezes_at(lock: &str, thaws: &str) {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    house.register_for_items("/items", "").await;
    let items = Watched {
        name: "ITEM",
        table: "public.items",
        more: "",
    };
    let second = Service::start(&house.url, "", &[items]).await;
    house.sql("insert into items values (1, 0, 'a')").await;
    house.receiver.wait_for_events(1).await;
    assert!(!second.log_text().contains("reading changes"));

    let held = house.app.begin().await.unwrap();
    held.execute_unprepared(lock).await.unwrap();
    for _ in 0..20 {
        house.sql("update items set n = n + 1 where id = 1").await;
    }
    until_ok("the first one is inside a page", async || {
        let sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' \
                   and datname = current_database()";
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = house.app.query_one_raw(statement).await.unwrap().unwrap();
        let waiting: i64 = row.try_get_by_index(0).unwrap();
        if waiting > 0 { Ok(()) } else { Err(waiting) }
    })
    .await;
    house.service.signal("STOP");
    held.rollback().await.unwrap();

    // The second reads on, and sends too.
    house
        .sql("insert into items values (2, 0, 'meanwhile')")
        .await;
    house.receiver.wait_for_events(22).await;
    assert!(second.log_text().contains("reading changes"));
    house.service.signal("CONT");
    let said = || house.service.log_text().contains(thaws);
    until("the first one knows", said).await;

    house.sql("update items set n = n + 1").await;
    house.receiver.wait_for_events(24).await;
    house.settled(24).await;
    let faithful = Ledger::read(&house.app)
        .await
        .compare(&house.receiver.deliveries());
    assert_eq!((faithful.events, faithful.duplicates), (24, 0));
}
