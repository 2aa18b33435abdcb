//! A server takes over: one that had not got everything, a standby that lagged or a backup that was recovered; and one that had,
//! while the old one comes back as a standby.

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};

use crate::support::{
    cluster::Cluster,
    command::Shell,
    database_road::DatabaseRoad,
    house::{House, items},
    ledger::Ledger,
    service::Service,
    wait::{until, until_ok},
};

#[tokio::test]
async fn reading_goes_on_and_no_event_id_comes_twice() {
    let mut primary = Cluster::start("").await;
    let url = primary.url("postgres");
    let house = House::at(url, Dialect::Postgres, "", "", &[]).await;
    house.register_for_items("/items", "").await;
    let insert = async |ids: std::ops::RangeInclusive<i64>| {
        for id in ids {
            let insert = format!("insert into items values ({id}, 0, 'x')");
            // The application's connections went with the old server; each is found out by using it.
            until_ok("an insert", async || {
                house.app.execute_unprepared(&insert).await
            })
            .await;
        }
    };
    insert(1..=10).await;
    house.settled(10).await;

    // What comes after this the other server never gets.
    primary.kill9();
    let mut other = primary.copy();
    primary.restart().await;
    insert(11..=20).await;
    house.settled(20).await;
    let known = house.receiver.wait_for_events(20).await;
    primary.kill9();
    other.take_the_place_of(&primary).await;

    insert(21..=25).await;
    let all = house.receiver.wait_for_events(25).await;
    let newest = known.iter().map(|one| one.event_id()).max().unwrap();
    let after: Vec<_> = all.iter().filter(|one| one.event_id() > newest).collect();
    let rows: Vec<_> = after.iter().map(|one| one.data()["id"].as_i64()).collect();
    assert_eq!(rows, (21..=25).map(Some).collect::<Vec<_>>());
    assert!(after.iter().all(|one| one.event_id() > 1_000_000));
    until("the failover is told", || {
        house
            .service
            .log_text()
            .contains("failed over to another server")
    })
    .await;
}

/// As a managed PostgreSQL does it: a standby that has everything is promoted, the old primary comes back as a standby, and for a
/// while the name still leads there.
#[tokio::test]
async fn a_name_may_lead_to_the_old_primary_for_a_while() {
    let mut primary = Cluster::start("").await;
    primary.shut_down();
    let mut other = primary.copy();
    primary.restart().await;
    other.follow(&primary).await;
    let url = primary.url("postgres");
    let road = DatabaseRoad::to(&url).await;
    let mut house = House::at(url, Dialect::Postgres, "", "", &[]).await;
    house.service.terminate().await;
    house.service = Service::start(&road.url, "", &[items(Dialect::Postgres)]).await;
    house.register_for_items("/items", "").await;
    house
        .sql("insert into items select g, 0, 'x' from generate_series(1, 10) g")
        .await;
    house.receiver.wait_for_events(10).await;
    house.settled(10).await;
    // What it had written is at the other, too.
    let behind = "select 1 from pg_stat_replication where replay_lsn = pg_current_wal_lsn()";
    until_ok("the standby has everything", async || {
        let found = house
            .app
            .query_one_raw(Statement::from_string(DbBackend::Postgres, behind));
        found.await.unwrap().ok_or("it is behind")
    })
    .await;

    primary.kill9();
    other.promote().await;
    primary.stand_by().await;
    // Connections are made to it, and are not taken.
    let told = || house.service.log_text().contains("the server is a standby");
    until("a standby is told", told).await;
    let (status, why) = house.service.http("GET", "/readyz", "").await.unwrap();
    assert_eq!(status, 503, "{why}");

    road.lead_to(&other.url("postgres"));
    house.app = Database::connect(other.url("postgres")).await.unwrap();
    house
        .sql("insert into items select g, 0, 'x' from generate_series(11, 20) g")
        .await;
    let all = house.receiver.wait_for_events(20).await;
    house.settled(20).await;
    house.service.ready().await;
    let ledger = Ledger::read(&house.app).await;
    assert_eq!(ledger.compare(&all).duplicates, 0);
}

#[tokio::test]
async fn whoever_is_given_a_standby_is_told_so() {
    let mut server = Cluster::start("").await;
    server.shut_down();
    server.stand_by().await;
    let url = server.url("postgres");
    let why = Shell::on(&url).run(&["migrate", "up"]).fault(1);
    assert!(why.contains("is a standby"), "{why}");
}
