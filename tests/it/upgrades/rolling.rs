//! A fleet of two is restarted one after the other while the application writes, as an upgrade does it.

use rowhook::store::sql::db::Dialect::Postgres;

use crate::support::{
    database::TestDatabase,
    house::{House, items},
    ledger::Ledger,
    load::Load,
    service::Service,
};

#[tokio::test]
async fn nothing_is_lost_and_nothing_comes_twice() {
    let mut house = House::of(TestDatabase::fresh(Postgres).await).await;
    let mut second = Service::start(&house.url, "", &[items(Postgres)]).await;
    house.register_for_items("/items", "").await;
    house.register_for_items("/others", "").await;
    let load = Load::start(&house);
    house.receiver.wait_for_events(20).await;
    assert_eq!(house.service.terminate().await.code(), Some(0));
    house.service.restart().await;
    assert_eq!(second.terminate().await.code(), Some(0));
    second.restart().await;
    load.finish().await;

    let ledger = Ledger::read(&house.app).await;
    house.settled(2 * ledger.changes()).await;
    let all = house.receiver.deliveries();
    for path in ["/items", "/others"] {
        let own = all.iter().filter(|one| one.path == path);
        let own: Vec<_> = own.cloned().collect();
        let faithful = ledger.compare(&own);
        assert_eq!(
            (faithful.events, faithful.duplicates),
            (ledger.changes(), 0),
            "{path}"
        );
    }
}
