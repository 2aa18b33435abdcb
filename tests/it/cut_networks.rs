//! The network between an instance and its receivers is cut: what the instance's system still holds of a request that was
//! given up does not arrive later, when newer events of the row have been delivered.

use rowhook::store::sql::db::Dialect;

use crate::support::{
    cluster::Cluster,
    house::{House, items},
    ledger::Ledger,
    receiver::Receiver,
    service::Service,
    wait::{until, until_ok},
    wires::{self, DATABASE, EVERYBODY, RECEIVERS, Way, Wire},
};

/// An attempt is given up soon, and made again at once.
const QUICK: &str =
    ", timeoutMs: 1000, retryPolicy: {initialDelayMs: 50, multiplier: 1.0, maxAttempts: 100}";

#[tokio::test]
async fn a_request_that_timed_out_does_not_come_later() {
    if wires::are_laid("cut_networks::a_request_that_timed_out_does_not_come_later") {
        after_a_cut(async |service| {
            let told = || service.log_text().contains("no complete answer within");
            until("the attempt is given up", told).await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_request_of_one_that_was_killed_does_not_come_later() {
    if wires::are_laid("cut_networks::a_request_of_one_that_was_killed_does_not_come_later") {
        after_a_cut(async |service| {
            service.kill9();
            service.restart().await;
        })
        .await;
    }
}

/// A request is on its way while none gets through, and `is_given_up`.
async fn after_a_cut(is_given_up: impl AsyncFnOnce(&mut Service)) {
    let cluster = Cluster::open_to(EVERYBODY, "").await;
    let url = cluster.url("postgres");
    let mut house = House::at(url, Dialect::Postgres, "", "", &[]).await;
    house.receiver = Receiver::start_at(RECEIVERS).await;
    house.register_for_items("/items", QUICK).await;
    house.service.terminate().await;
    let wire = Wire::to_host(1);
    let url = cluster.url_at(DATABASE, "postgres");
    house.service = Service::start_on(&wire, &url, "", &[items(Dialect::Postgres)]).await;
    house.sql("insert into items values (1, 0, 'x')").await;
    house.receiver.wait_for_events(1).await;

    // The connection is there, so what goes into it waits in the system.
    wire.lose(Way::ToReceivers, true);
    house.sql("update items set n = n + 1").await;
    until_ok("the second request", async || {
        let metrics = house.service.http("GET", "/metrics", "").await.unwrap().1;
        let reused = "rowhook_requests_total{connection=\"reused\"} 1";
        if metrics.contains(reused) {
            Ok(())
        } else {
            Err(metrics)
        }
    })
    .await;
    is_given_up(&mut house.service).await;
    wire.lose(Way::ToReceivers, false);

    for _ in 0..5 {
        house.sql("update items set n = n + 1").await;
    }
    house.receiver.wait_for_events(7).await;
    // Whatever is still to be sent again has come by then.
    until("nothing is left in the system", || wire.unsent().is_empty()).await;
    house.settled(7).await;
    let ledger = Ledger::read(&house.app).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    assert_eq!(faithful.duplicates, 0);
}
