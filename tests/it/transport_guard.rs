//! The address guard with real sockets: what it refuses never sees a connection, and what it has
//! judged is what it dials.

use std::{net::SocketAddr, rc::Rc, sync::Arc};

use futures::future::join_all;
use rowhook::{
    domain::attempt::SendError,
    policy::egress::EgressPolicy,
    transport::{SystemResolver, TransportSettings},
};

use crate::{
    support::{
        names::{Lookup, Names},
        raw_server::{OK, RawServer, closed_port, silent_address},
    },
    transport::{LONG, request, settings, transport_of},
};

fn guarded() -> TransportSettings {
    TransportSettings {
        egress: EgressPolicy::default(),
        ..settings()
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[actix_rt::test]
async fn loopback_is_refused_in_every_spelling() {
    let server = RawServer::answering(OK).await;
    let transport = transport_of(guarded());
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "LocalHost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "[::]",
        "169.254.169.254",
    ] {
        for scheme in ["http", "https"] {
            let uri = format!("{scheme}://{host}:{port}/");
            let error = transport.post(request(uri, LONG)).await.unwrap_err();
            assert!(
                matches!(error, SendError::Forbidden { .. }),
                "{host}: {error:?}"
            );
            let words = error.to_string();
            assert!(
                words.contains("receivers.allow_private_networks"),
                "{words}"
            );
        }
    }
    assert_eq!(server.connections(), 0);
}

#[actix_rt::test]
async fn the_refusal_says_what_the_address_is() {
    let names = Names::always(&[address("10.1.2.3:443"), address("[fe80::1]:443")]);
    let settings = TransportSettings {
        resolver: names,
        ..guarded()
    };
    let outcome = transport_of(settings)
        .post(request("https://hooks.test/", LONG))
        .await;
    let expected = SendError::Forbidden {
        host: "hooks.test".into(),
        address: "10.1.2.3".into(),
        reason: "a private address".into(),
    };
    assert_eq!(outcome, Err(expected));
}

#[actix_rt::test]
async fn an_allowed_network_opens_all_its_spellings() {
    let server = RawServer::answering(OK).await;
    let transport = transport_of(settings());
    let port = server.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "127.1",
    ] {
        let uri = format!("http://{host}:{port}/");
        let answer = transport.post(request(uri, LONG)).await;
        assert!(answer.is_ok(), "{host}: {answer:?}");
        let received = server.received().pop().unwrap();
        assert_eq!(
            received.header("host"),
            Some(format!("{host}:{port}").as_str())
        );
    }
}

#[actix_rt::test]
async fn only_the_judged_addresses_of_a_name_are_dialled() {
    let allowed = RawServer::answering(OK).await;
    let forbidden = RawServer::start_at("127.0.0.2:0", |server, stream| async move {
        server.answer_all(stream, OK).await;
    })
    .await;
    let names = Names::new(vec![
        Lookup::Found(vec![
            address("10.0.0.1:80"),
            forbidden.address,
            allowed.address,
        ]),
        // What an attacker's name server says to whoever asks again.
        Lookup::Found(vec![forbidden.address]),
    ]);
    let one_address = format!("{}/32", allowed.address.ip());
    let resolver = Arc::clone(&names);
    let settings = TransportSettings {
        egress: EgressPolicy {
            allow: vec![one_address.parse().unwrap()],
        },
        resolver,
        ..settings()
    };
    let answer = transport_of(settings)
        .post(request("http://hooks.test:8080/", LONG))
        .await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(names.asked(), 1);
    assert_eq!((allowed.connections(), forbidden.connections()), (1, 0));
    let received = allowed.received().pop().unwrap();
    assert_eq!(received.header("host"), Some("hooks.test:8080"));
}

#[actix_rt::test]
async fn parallel_requests_share_a_lookup() {
    let server = RawServer::answering(OK).await;
    let names = Names::always(&[server.address]);
    let resolver = Arc::clone(&names);
    let transport = transport_of(TransportSettings {
        resolver,
        ..settings()
    });
    let posts = (0..16).map(|_| transport.post(request("http://hooks.test/", LONG)));
    assert!(join_all(posts).await.iter().all(Result::is_ok));
    assert_eq!(names.asked(), 1);
    assert_eq!(server.connections(), 16);
}

#[actix_rt::test]
async fn a_name_without_an_address_is_a_dns_fault() {
    let names = Names::new(vec![
        Lookup::Failed,
        Lookup::Found(Vec::new()),
        Lookup::Failed,
    ]);
    let transport = transport_of(TransportSettings {
        resolver: names,
        ..settings()
    });
    for detail in ["Name or service not known", "the name has no address"] {
        let error = transport
            .post(request("https://hooks.test/", LONG))
            .await
            .unwrap_err();
        let expected = SendError::Dns {
            host: "hooks.test".into(),
            detail: detail.into(),
        };
        assert_eq!(error, expected);
    }
}

#[actix_rt::test]
async fn a_dead_address_of_a_name_is_passed_over() {
    let server = RawServer::answering(OK).await;
    let (silent, _queue, _listener) = silent_address().await;
    for dead in [closed_port().await, silent] {
        let settings = TransportSettings {
            resolver: Names::always(&[dead, server.address]),
            ..settings()
        };
        let answer = transport_of(settings)
            .post(request("http://hooks.test/", LONG))
            .await;
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[actix_rt::test]
async fn deliveries_leave_from_the_bind_address() {
    let server = RawServer::answering(OK).await;
    let settings = TransportSettings {
        bind_address: Some("127.0.0.7".parse().unwrap()),
        // Only one of them is of the family that can be reached from there.
        resolver: Names::always(&[address("[::1]:9"), server.address]),
        egress: EgressPolicy {
            allow: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        },
        ..settings()
    };
    let transport = transport_of(settings);
    transport
        .post(request("http://hooks.test/", LONG))
        .await
        .unwrap();
    let port = server.address.port();
    let mapped = format!("http://[::ffff:127.0.0.1]:{port}/");
    transport.post(request(mapped, LONG)).await.unwrap();
    for peer in server.peers() {
        assert_eq!(peer.ip().to_string(), "127.0.0.7");
    }
}

#[actix_rt::test]
async fn a_bind_address_that_does_not_fit_is_rowhooks_own_fault() {
    let server = RawServer::answering(OK).await;
    for (bind, expected) in [
        (
            "192.0.2.1",
            "receivers.bind_address is an address of this machine",
        ),
        ("::1", "127.0.0.1 has no IPv6 address"),
    ] {
        let settings = TransportSettings {
            bind_address: Some(bind.parse().unwrap()),
            resolver: Arc::new(SystemResolver),
            ..settings()
        };
        let transport = transport_of(settings);
        let error = transport.post(request(server.uri("/"), LONG)).await;
        let error = Rc::new(error.unwrap_err());
        assert!(
            error.is_ours() && error.to_string().contains(expected),
            "{error}"
        );
    }
    assert_eq!(server.connections(), 0);
}
