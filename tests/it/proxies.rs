//! Deliveries through a proxy: it is told addresses that were judged, the rest is between rowhook and the receiver,
//! and a fault is told as the side's whose it is.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rowhook::{
    domain::{
        attempt::{Phase, SendError},
        client_identity::ClientIdentity,
    },
    policy::{
        egress::EgressPolicy,
        proxy::{Proxies, Proxy as ProxySetting},
    },
    transport::{DeliveryRequest, TransportSettings, tls},
};
use serde_json::json;

use crate::{
    support::{
        both::on_both,
        certificates::{Authority, Dates},
        database::TestDatabase,
        house::House,
        names::{Lookup, Names},
        proxy::{Does, Proxy},
        raw_server::{OK, RawServer, closed_port, silent_address},
    },
    transport::{LONG, SHORT, request, settings, transport_of},
};

on_both!(the_service_delivers_through_its_proxy);

/// What names resolve to: addresses for documentation, at which nothing can be.
const FIRST: &str = "203.0.113.7:443";
const SECOND: &str = "203.0.113.8:443";

fn named(addresses: &[&str]) -> Arc<Names> {
    let addresses: Vec<SocketAddr> = addresses.iter().map(|one| one.parse().unwrap()).collect();
    Names::always(&addresses)
}

fn proxies(uri: &str) -> Proxies {
    let proxy = ProxySetting::parse(uri, "receivers.proxy").unwrap();
    Proxies::new(Some(proxy.clone()), Some(proxy))
}

/// Settings of a deployment whose only way out is this proxy.
fn behind(uri: &str) -> TransportSettings {
    TransportSettings {
        egress: EgressPolicy {
            allow: vec!["203.0.113.0/24".parse().unwrap()],
        },
        resolver: named(&[FIRST]),
        proxies: proxies(uri),
        ..settings()
    }
}

fn uri_of(proxy: &Proxy) -> String {
    format!("http://ann:hunter2@{}", proxy.address)
}

async fn fault(settings: TransportSettings, timeout: Duration) -> SendError {
    let transport = transport_of(settings);
    let outcome = transport.post(request("http://hooks.test/", timeout)).await;
    let error = outcome.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("YW5u"),
        "{shown}"
    );
    error
}

#[actix_rt::test]
async fn https_goes_through_to_the_receiver_itself() {
    let authority = Authority::new();
    // TLS is the receiver's from end to end, so it can ask for a certificate too.
    let acceptor = authority.demanding_acceptor("hooks.test");
    let pair = authority.client("rowhook", Dates::Valid);
    let identity = Arc::new(ClientIdentity::new(pair.certificate, pair.key));
    let server = RawServer::start(move |server, stream| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.unwrap();
            assert_eq!(stream.get_ref().1.server_name(), Some("hooks.test"));
            server.answer_all(stream, OK).await;
        }
    })
    .await;
    let to = server.address;
    let proxy = Proxy::start(move |_| Does::ConnectsHaltingly(to)).await;
    // What the name resolves to next is nothing that anybody asks.
    let names = Names::new(vec![
        Lookup::Found(vec![FIRST.parse().unwrap()]),
        Lookup::Found(vec!["10.0.0.1:443".parse().unwrap()]),
    ]);
    let transport = transport_of(TransportSettings {
        allow_http: false,
        tls: Arc::new(tls::client_config(Some(authority.pem().as_bytes())).unwrap()),
        resolver: names.clone(),
        ..behind(&uri_of(&proxy))
    });
    for _ in 0..3 {
        let request = DeliveryRequest {
            client_identity: Some(Arc::clone(&identity)),
            ..request("https://hooks.test/in", LONG)
        };
        assert_eq!(transport.post(request).await.unwrap().status, 200);
    }
    assert_eq!((names.asked(), server.connections()), (1, 1));
    assert_eq!(proxy.targets(), [FIRST]);
    let told = proxy.told().concat();
    assert!(told.contains("\r\nhost: 203.0.113.7:443\r\n"), "{told}");
    assert!(
        told.contains("\r\nproxy-authorization: Basic YW5uOmh1bnRlcjI=\r\n"),
        "{told}"
    );
    assert!(!told.contains("hooks.test"), "{told}");
    let received = server.received();
    assert_eq!(received.len(), 3);
    for request in received {
        assert_eq!(request.line, "POST /in HTTP/1.1");
        assert_eq!(request.header("host"), Some("hooks.test"));
        assert_eq!(request.header("proxy-authorization"), None);
    }
}

#[actix_rt::test]
async fn plain_http_goes_through_a_tunnel_too() {
    let server = RawServer::answering(OK).await;
    let to = server.address;
    let proxy = Proxy::start(move |_| Does::Connects(to)).await;
    let transport = transport_of(TransportSettings {
        resolver: named(&["203.0.113.7:8080"]),
        ..behind(&format!("http://{}", proxy.address))
    });
    for _ in 0..2 {
        let answer = transport
            .post(request("http://hooks.test:8080/in", LONG))
            .await;
        assert_eq!(answer.unwrap().status, 200);
    }
    assert_eq!(proxy.targets(), ["203.0.113.7:8080"]);
    assert!(!proxy.told().concat().contains("authorization"));
    let received = server.received().pop().unwrap();
    assert_eq!(received.line, "POST /in HTTP/1.1");
    assert_eq!(received.header("host"), Some("hooks.test:8080"));
}

#[actix_rt::test]
async fn the_guard_judges_before_the_proxy_is_asked() {
    let proxy = Proxy::start(|_| Does::Nothing).await;
    for address in ["10.0.0.1:80", "169.254.169.254:80", "[fd00::1]:80"] {
        let settings = TransportSettings {
            resolver: named(&[address]),
            ..behind(&uri_of(&proxy))
        };
        let error = fault(settings, LONG).await;
        assert!(matches!(error, SendError::Forbidden { .. }), "{error}");
    }
    // Of several addresses, those that may be connected to are told.
    proxy.now(|_| Does::Answers("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
    let settings = TransportSettings {
        resolver: named(&["10.0.0.1:443", FIRST, SECOND]),
        ..behind(&uri_of(&proxy))
    };
    fault(settings, LONG).await;
    assert_eq!(proxy.targets(), [FIRST, SECOND]);
}

#[actix_rt::test]
async fn the_next_address_is_tried_where_one_can_not_be_reached() {
    let server = RawServer::answering(OK).await;
    let to = server.address;
    let proxy = Proxy::start(move |target| match target {
        FIRST => Does::Answers("HTTP/1.1 504 Gateway Timeout\r\n\r\n"),
        _ => Does::Connects(to),
    })
    .await;
    let transport = transport_of(TransportSettings {
        resolver: named(&[FIRST, SECOND]),
        ..behind(&uri_of(&proxy))
    });
    let answer = transport.post(request("http://hooks.test/", LONG)).await;
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(proxy.targets(), [FIRST, SECOND]);
}

#[actix_rt::test]
async fn who_is_exempt_is_sent_to_directly() {
    let server = RawServer::answering(OK).await;
    let proxy = Proxy::start(|_| Does::Nothing).await;
    // Loopback always is.
    let loopback = TransportSettings {
        proxies: proxies(&uri_of(&proxy)),
        ..settings()
    };
    let answer = transport_of(loopback)
        .post(request(server.uri("/"), LONG))
        .await;
    assert_eq!(answer.unwrap().status, 200);
    // 0.0.0.0 is this machine too, and no loopback address.
    let address = format!("0.0.0.0:{}", server.address.port());
    let (exempt, unread) = proxies(&uri_of(&proxy)).except(["hooks.test"]);
    assert!(unread.is_empty());
    let here = |proxies| TransportSettings {
        egress: EgressPolicy {
            allow: vec!["0.0.0.0/32".parse().unwrap()],
        },
        resolver: named(&[&address]),
        proxies,
        ..settings()
    };
    let answer = transport_of(here(exempt))
        .post(request("http://hooks.test/", LONG))
        .await;
    assert_eq!(answer.unwrap().status, 200);
    assert!(proxy.told().is_empty());
    fault(here(proxies(&uri_of(&proxy))), SHORT).await;
    assert_eq!(proxy.targets(), [address]);
}

#[actix_rt::test]
async fn each_answer_of_a_proxy_is_told_as_whose_it_is() {
    let proxy = Proxy::start(|_| Does::Nothing).await;
    let bare = format!("http://{}", proxy.address);
    let full = uri_of(&proxy);
    for (uri, answer, ours, says) in [
        (
            &bare,
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            true,
            "asks for a user and a password (407)",
        ),
        (
            &full,
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            true,
            "does not accept the user and password (407)",
        ),
        (
            &full,
            "HTTP/1.0 405 Method Not Allowed\r\n\r\n",
            true,
            "answered CONNECT with 405",
        ),
        (
            &full,
            "HTTP/1.1 501 Not Implemented\r\n\r\n",
            true,
            "answered CONNECT with 501",
        ),
        (
            &full,
            "HTTP/1.1 302 Found\r\nlocation: http://login/\r\n\r\n",
            true,
            "answered CONNECT with 302",
        ),
        (
            &full,
            "SSH-2.0-OpenSSH_9.6\r\n\r\n",
            true,
            "does not answer as an HTTP proxy does",
        ),
        (&full, "", true, "closed the connection without an answer"),
        (
            &full,
            "HTTP/1.1 200 O",
            true,
            "closed the connection without an answer",
        ),
        (
            &full,
            "HTTP/1.1 403 Forbidden\r\n\r\n",
            false,
            "203.0.113.7:443 is forbidden there",
        ),
        (
            &full,
            "HTTP/1.1 500 Unable to connect\r\n\r\n",
            false,
            "203.0.113.7:443 can not be reached from there",
        ),
        (
            &full,
            "HTTP/1.1 502 Bad Gateway\r\n\r\n",
            false,
            "203.0.113.7:443 can not be reached from there",
        ),
        (
            &full,
            "HTTP/1.1 503 Service Unavailable\r\n\r\n",
            false,
            "(it answered 503)",
        ),
        (
            &full,
            "HTTP/1.1 504 Gateway Timeout\r\n\r\n",
            false,
            "(it answered 504)",
        ),
    ] {
        proxy.now(move |_| Does::Answers(answer));
        let error = fault(behind(uri), LONG).await;
        let words = error.to_string();
        assert!(words.contains(says), "{answer:?}: {words}");
        assert_eq!(error.is_ours(), ours, "{answer:?}: {words}");
        if ours {
            let place = format!("the proxy {} (receivers.proxy) ", proxy.address);
            assert!(words.contains(&place), "{words}");
        } else {
            assert!(
                words.starts_with("the proxy could not connect to hooks.test: "),
                "{words}"
            );
        }
    }
    // A tunnel that nobody answers in: the receiver may be what is silent.
    proxy.now(|_| Does::Nothing);
    let error = fault(behind(&full), SHORT).await;
    let expected = SendError::Timeout {
        after: SHORT,
        phase: Phase::Connect,
    };
    assert_eq!(error, expected);
}

#[actix_rt::test]
async fn a_proxy_that_is_not_there_is_the_operators() {
    let closed = format!("http://ann:hunter2@{}", closed_port().await);
    let error = fault(behind(&closed), LONG).await;
    let words = error.to_string();
    assert!(
        error.is_ours() && words.contains("refused the connection"),
        "{words}"
    );
    let (silent, _queue, _listener) = silent_address().await;
    let error = fault(behind(&format!("http://ann:hunter2@{silent}")), SHORT).await;
    let words = error.to_string();
    assert!(
        error.is_ours() && words.contains("took no connection within 250 ms"),
        "{words}"
    );
    let unknown = TransportSettings {
        resolver: Names::new(vec![
            Lookup::Found(vec![FIRST.parse().unwrap()]),
            Lookup::Failed,
        ]),
        ..behind("http://ann:hunter2@proxy.test:3128")
    };
    let error = fault(unknown, LONG).await;
    let words = error.to_string();
    assert!(
        error.is_ours()
            && words.contains("the proxy proxy.test:3128 (receivers.proxy) did not resolve"),
        "{words}"
    );
}

async fn the_service_delivers_through_its_proxy(database: TestDatabase) {
    let proxy = Proxy::start(|_| Does::Answers("HTTP/1.1 407 No\r\n\r\n")).await;
    let settings = format!("[receivers]\nproxy = \"{}\"\n", uri_of(&proxy));
    let mut house = House::with(database, &settings, "", &[]).await;
    let document = "mutation { createWebhookReceiver(input: {name: \"a\",
        webhookUri: \"http://203.0.113.7:8080/hook\", retryPolicy: {maxAttempts: 1}}) {
        webhookReceiver { id sharedSecret } } }";
    let made = house.service.graphql(document).await;
    let record = &made["createWebhookReceiver"]["webhookReceiver"];
    house
        .receiver
        .expect_signed("/hook", record["sharedSecret"].as_str().unwrap());
    let receiver = record["id"].as_i64().unwrap();
    house.subscribe(receiver, "ITEM", "CREATE", "").await;
    house.sql("insert into items (id, n) values (1, 1)").await;
    // The proxy's refusal uses up none of the receiver's attempts, of which there is one.
    let tried = async || {
        let events = house.events("").await;
        events
            .first()
            .is_some_and(|event| event["attemptCount"] != json!(0))
    };
    while !tried().await {
        tokio::time::sleep(crate::support::service::LOOK_AGAIN).await;
    }
    let event = house.events("").await[0].clone();
    assert_eq!(event["status"], "pending", "{event}");
    let words = event["error"].as_str().unwrap();
    assert!(
        words.contains("(receivers.proxy) does not accept the user and password (407)"),
        "{words}"
    );
    let to = house.receiver.address();
    proxy.now(move |_| Does::Connects(to));
    // rowhook would wait half a minute for its operator.
    let again = format!(
        "mutation {{ redeliverWebhookEvent(id: {}) {{ webhookEvent {{ id }} }} }}",
        event["id"]
    );
    house.service.graphql(&again).await;
    house.wait_for_count("status: \"delivered\"", 1).await;
    let delivery = house.receiver.deliveries().pop().unwrap();
    assert_eq!(delivery.headers["host"], "203.0.113.7:8080");
    assert!(
        proxy
            .targets()
            .iter()
            .all(|target| target == "203.0.113.7:8080")
    );
    house.service.terminate().await;
    let log = house.service.log_text();
    assert!(log.contains("deliveries go through a proxy"), "{log}");
    assert!(
        !log.contains("hunter2") && !log.contains("YW5uOmh1bnRlcjI"),
        "{log}"
    );
}
