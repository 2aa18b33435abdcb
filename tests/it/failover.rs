//! A server takes over that had not got everything: a standby that lagged, or a backup that was recovered.

use rowhook::store::sql::db::Dialect;

use crate::support::{
    cluster::Cluster,
    house::House,
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
                use sea_orm::ConnectionTrait as _;
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
