//! A database that is far away: its answers are slow, or stop coming on connections that nobody closes.

use std::time::{Duration, Instant};

use rowhook::{app::GRACE, store::sql::db::Dialect};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};

use crate::support::{
    database::TestDatabase,
    database_road::DatabaseRoad,
    house::{House, items},
    ledger::Ledger,
    receiver::Delivery,
    service::{LOOK_AGAIN, Service},
    throttled::assert_throttled,
    wait::until_ok,
};

/// What a stop may take beyond the time that it gives to what is in flight.
const BEYOND_GRACE: Duration = Duration::from_secs(8);

async fn far_away(settings: &str) -> (DatabaseRoad, House) {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let road = DatabaseRoad::to(&database.url).await;
    let house = House::reached_at(database, &road.url, settings).await;
    (road, house)
}

/// Each question takes three of these: the pool asks before it and after it whether the connection is well.
#[tokio::test]
async fn slow_answers_cost_no_lease_and_no_order() {
    const SLOW: Duration = Duration::from_millis(120);
    let (road, house) = far_away("").await;
    house.register_for_items("/items", "").await;
    let limit = ", rateLimit: {perSecond: 5, burst: 2}";
    let throttled = house.register("/throttled", limit).await;
    house.subscribe(throttled, "ITEM", "CREATE", "").await;
    // It would take over whatever is given up.
    let near = Service::start(&house.url, "", &[items(Dialect::Postgres)]).await;
    house.sql("insert into items values (1, 0, 'x')").await;
    house.receiver.wait_for_events(2).await;

    road.slow_down(SLOW);
    house
        .sql("insert into items select g, 0, 'x' from generate_series(2, 20) g")
        .await;
    for _ in 0..3 {
        house.sql("update items set n = n + 1").await;
    }
    let ledger = Ledger::read(&house.app).await;
    let events = ledger.changes() + 20;
    house.receiver.wait_for_events(events).await;
    house.settled(events).await;
    let (throttled, rest): (Vec<Delivery>, Vec<Delivery>) = house
        .receiver
        .deliveries()
        .into_iter()
        .partition(|one| one.path == "/throttled");
    assert_eq!(ledger.compare(&rest).duplicates, 0);
    assert_eq!(throttled.len(), 20);
    assert_throttled(&throttled.iter().collect::<Vec<_>>(), 5.0, 2);
    let (log, of_near) = (house.service.log_text(), near.log_text());
    assert!(!log.contains("another instance"), "{log}");
    assert!(!of_near.contains("reading changes"), "{of_near}");
    house.service.ready().await;
}

/// All connections of the pool are in use when they hang, so all have to be replaced.
#[tokio::test]
async fn connections_that_hang_are_replaced() {
    const CONNECTIONS: usize = 4;
    // A stage that stands still in a statement is given up after a minute.
    const NOTICED_WITHIN: Duration = Duration::from_secs(80);
    let settings = format!("database_connections = {CONNECTIONS}");
    let (road, house) = far_away(&settings).await;
    for receiver in 0..2 * CONNECTIONS {
        house.register_for_items(&format!("/{receiver}"), "").await;
    }
    house.sql("insert into items values (1, 0, 'x')").await;
    house.receiver.wait_for_events(2 * CONNECTIONS).await;

    let held = house.app.begin().await.unwrap();
    held.execute_unprepared("lock table rowhook.receivers in access exclusive mode")
        .await
        .unwrap();
    until_ok("every connection is in use", async || {
        let sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' \
                   and datname = current_database()";
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = held.query_one_raw(statement).await.unwrap().unwrap();
        let waiting: i64 = row.try_get_by_index(0).unwrap();
        if waiting >= i64::try_from(CONNECTIONS).unwrap() {
            Ok(())
        } else {
            Err(waiting)
        }
    })
    .await;
    let opened = road.opened();
    road.hang();
    let hung = Instant::now();
    held.rollback().await.unwrap();
    house.sql("update items set n = n + 1").await;
    while house.receiver.events() < 4 * CONNECTIONS {
        assert!(hung.elapsed() < NOTICED_WITHIN, "nothing is delivered");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    println!("connections were replaced within {:?}", hung.elapsed());
    assert!(road.opened() > opened);
    house.service.ready().await;
    // As many at once as there may be.
    let asked = (0..4 * CONNECTIONS).map(|_| house.count("status: \"delivered\""));
    futures::future::join_all(asked).await;
    house.settled(4 * CONNECTIONS).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_database_that_hangs() {
    let (road, mut house) = far_away("").await;
    house.register_for_items("/items", "").await;
    house.sql("insert into items values (1, 0, 'x')").await;
    house.receiver.wait_for_events(1).await;
    road.hang_for_good();
    let began = Instant::now();
    let status = house.service.terminate().await;
    let took = began.elapsed();
    println!("stopped within {took:?}");
    assert_eq!(status.code(), Some(0));
    assert!(took < GRACE + BEYOND_GRACE, "{took:?}");
}
