//! Connections are kept: what opens them, what uses them again, and what the metrics say of it.

use rowhook::{telemetry::Metrics, transport::TransportSettings};
use tokio::io::AsyncWriteExt as _;

use crate::{
    support::{
        both::on_both,
        database::TestDatabase,
        house::House,
        raw_server::{OK, RawServer, closed_port},
    },
    transport::{LONG, request, settings, transport_of},
};

on_both!(the_service_tells_how_often_it_used_a_connection_again);

const MANY: usize = 50;

/// Connections opened, requests on new ones, requests on used ones.
fn counted(metrics: &str) -> [usize; 3] {
    let of = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |count| count.trim().parse().unwrap())
    };
    [
        of("rowhook_connections_opened_total "),
        of("rowhook_requests_total{connection=\"new\"} "),
        of("rowhook_requests_total{connection=\"reused\"} "),
    ]
}

/// What is counted when a server is sent to [`MANY`] times, one after the other.
async fn counted_at(server: &RawServer) -> [usize; 3] {
    let metrics = Metrics::default();
    let transport = transport_of(TransportSettings {
        metrics: metrics.clone(),
        ..settings()
    });
    for _ in 0..MANY {
        let answer = transport.post(request(server.uri("/"), LONG)).await;
        assert_eq!(answer.unwrap().status, 200);
    }
    counted(&metrics.render())
}

#[actix_rt::test]
async fn one_connection_serves_many_deliveries() {
    let server = RawServer::answering(OK).await;
    assert_eq!(counted_at(&server).await, [1, 1, MANY - 1]);
    assert_eq!(server.connections(), 1);
}

#[actix_rt::test]
async fn a_receiver_that_closes_costs_a_connection_each_time() {
    let server = RawServer::start(|server, mut stream| async move {
        let closing = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
        server.receive(&mut stream).await;
        stream.write_all(closing).await.unwrap();
    })
    .await;
    assert_eq!(counted_at(&server).await, [MANY, MANY, 0]);
    assert_eq!(server.connections(), MANY);
}

#[actix_rt::test]
async fn an_attempt_without_a_connection_is_no_request() {
    let metrics = Metrics::default();
    let transport = transport_of(TransportSettings {
        metrics: metrics.clone(),
        ..settings()
    });
    let uri = format!("http://{}/", closed_port().await);
    assert!(transport.post(request(uri, LONG)).await.is_err());
    assert_eq!(counted(&metrics.render()), [0, 0, 0]);
}

async fn the_service_tells_how_often_it_used_a_connection_again(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.register("/hook", ", maxInFlight: 1").await;
    house.subscribe(receiver, "ITEM", "CREATE", "").await;
    for row in 0..MANY {
        let sql = format!("insert into items (id, n) values ({row}, 1)");
        house.sql(&sql).await;
    }
    house.receiver.wait_for_events(MANY).await;
    let (_, metrics) = house.service.http("GET", "/metrics", "").await.unwrap();
    let [opened, new, reused] = counted(&metrics);
    assert_eq!(new + reused, MANY, "{metrics}");
    // One at a time on one thread. A connection is given up after a while, and a busy machine takes its time.
    assert_eq!(opened, new, "{metrics}");
    assert!((1..=5).contains(&opened), "{metrics}");
}
