//! What goes over the wire for a delivery, and what comes back for each way in which it can fail.

use std::{
    cell::RefCell,
    io,
    rc::Rc,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rowhook::{
    domain::attempt::{Answer, KEPT_RESPONSE_BYTES, Phase, SendError},
    policy::{egress::EgressPolicy, proxy::Proxies},
    telemetry::Metrics,
    transport::{
        DeliveryRequest, HttpTransportFactory, SystemResolver, Transport, TransportFactory,
        TransportSettings, tls,
    },
};
use rustls::ClientConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, oneshot},
    task::spawn_local,
};

use crate::support::{
    certificates::Authority,
    names::{Lookup, Names},
    raw_server::{OK, RawServer, closed_port, reset, silent_address},
};

/// Far more than anything here takes.
pub const LONG: Duration = Duration::from_secs(20);
/// Soon over, where it is to be over.
pub const SHORT: Duration = Duration::from_millis(250);

/// Reading the system's roots takes longer than most tests. The machine may have none.
static TRUSTING_NOBODY_HERE: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    Arc::new(tls::client_config(Some(Authority::new().pem().as_bytes())).unwrap())
});

/// Settings that reach loopback over http.
pub fn settings() -> TransportSettings {
    TransportSettings {
        egress: EgressPolicy {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
        },
        allow_http: true,
        tls: Arc::clone(&TRUSTING_NOBODY_HERE),
        bind_address: None,
        resolver: Arc::new(SystemResolver),
        metrics: Metrics::default(),
        proxies: Proxies::default(),
    }
}

pub fn transport_of(settings: TransportSettings) -> Rc<dyn Transport> {
    HttpTransportFactory::new(settings).for_this_thread()
}

pub fn request(uri: impl Into<String>, timeout: Duration) -> DeliveryRequest {
    DeliveryRequest {
        uri: uri.into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: Bytes::from_static(b"{}"),
        timeout,
        client_identity: None,
    }
}

async fn post(uri: impl Into<String>) -> Result<Answer, SendError> {
    transport_of(settings()).post(request(uri, LONG)).await
}

/// The server answers the first request of each connection with these bytes, then resets it.
async fn post_to_one_that_resets_after(answer: &'static [u8]) -> Result<Answer, SendError> {
    let server = RawServer::start(move |server, mut stream| async move {
        server.receive(&mut stream).await;
        stream.write_all(answer).await.unwrap();
        reset(stream);
    })
    .await;
    post(server.uri("/")).await
}

fn broken_words(outcome: Result<Answer, SendError>) -> String {
    match outcome {
        Err(SendError::Broken { detail, .. }) => detail,
        other => panic!("expected a broken connection: {other:?}"),
    }
}

#[actix_rt::test]
async fn the_wire_carries_what_was_given_and_little_else() {
    let server = RawServer::answering(OK).await;
    let body = Bytes::from_static(b"{\"name\": \"Z\xc3\xbcrich\"}");
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "rowhook/0.1.0"),
        ("webhook-signature", "v1,abc= v1,def="),
        ("x-name", "Zürich  two blanks"),
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("host", "somewhere.else"),
        ("content-length", "999"),
    ];
    let answer = transport_of(settings())
        .post(DeliveryRequest {
            uri: server.uri("/a/../Hook//x?q=%7e&r"),
            headers: headers.map(|(k, v)| (k.into(), v.into())).to_vec(),
            body: body.clone(),
            timeout: LONG,
            client_identity: None,
        })
        .await
        .unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    let received = server.received().pop().unwrap();
    assert_eq!(received.line, "POST /a/../Hook//x?q=%7e&r HTTP/1.1");
    assert_eq!(received.body, body);
    let mut headers = received.headers;
    // awc writes the time into every request, and nothing turns that off.
    headers.retain(|line| !line.starts_with("date: "));
    assert_eq!(
        headers,
        [
            format!("content-length: {}", body.len()),
            "content-type: application/json".to_owned(),
            format!("host: {}", server.address),
            "user-agent: rowhook/0.1.0".to_owned(),
            "webhook-signature: v1,abc= v1,def=".to_owned(),
            "x-name: Zürich  two blanks".to_owned(),
            "x-twice: 1".to_owned(),
            "x-twice: 2".to_owned(),
        ]
    );
}

#[actix_rt::test]
async fn the_host_header_names_the_port_unless_it_is_the_schemes_own() {
    let server = RawServer::answering(OK).await;
    let settings = TransportSettings {
        resolver: Names::always(&[server.address]),
        ..settings()
    };
    let transport = transport_of(settings);
    for (authority, expected) in [
        ("Hooks.Example", "Hooks.Example"),
        ("hooks.example:80", "hooks.example"),
        ("hooks.example:443", "hooks.example:443"),
        ("hooks.example:8080", "hooks.example:8080"),
    ] {
        let uri = format!("http://{authority}?token=1");
        transport.post(request(uri, LONG)).await.unwrap();
        let received = server.received().pop().unwrap();
        assert_eq!(received.header("host"), Some(expected));
        assert_eq!(received.line, "POST /?token=1 HTTP/1.1");
    }
}

#[actix_rt::test]
async fn the_answer_comes_back_whole() {
    let server = RawServer::answering(
        "HTTP/1.1 503 Busy\r\nX-B: 2\r\nRetry-After: 7\r\nX-A: 1\r\nX-A: \u{fc}\r\n\
         Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\n\0\u{e9}\r\n0\r\n\r\n"
            .replace("\u{e9}", "e"),
    )
    .await;
    let answer = post(server.uri("/")).await.unwrap();
    let pairs = [
        ("retry-after", "7"),
        ("transfer-encoding", "chunked"),
        ("x-a", "1"),
        ("x-a", "\u{fc}"),
        ("x-b", "2"),
    ];
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers, pairs.map(|(k, v)| (k.into(), v.into())));
    assert_eq!(answer.body, "abc\u{fffd}e");
}

#[actix_rt::test]
async fn connections_are_used_again() {
    let server = RawServer::answering(OK).await;
    let transport = transport_of(settings());
    for _ in 0..5 {
        transport
            .post(request(server.uri("/"), LONG))
            .await
            .unwrap();
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(server.received().len(), 5);
}

#[actix_rt::test]
async fn a_connection_that_the_server_closed_is_not_used_again() {
    let server = RawServer::start(|server, mut stream| async move {
        server.receive(&mut stream).await;
        stream.write_all(OK).await.unwrap();
    })
    .await;
    let transport = transport_of(settings());
    for _ in 0..5 {
        transport
            .post(request(server.uri("/"), LONG))
            .await
            .unwrap();
        // The server has closed by now; something that waits lets the reactor see its farewell.
        tokio::net::TcpStream::connect(server.address)
            .await
            .unwrap();
    }
    assert_eq!(server.received().len(), 5);
}

#[actix_rt::test]
async fn idle_connections_are_given_up_in_the_end() {
    let closed = Rc::new(Notify::new());
    let notify = Rc::clone(&closed);
    let server = RawServer::start(move |server, stream| {
        let notify = Rc::clone(&notify);
        async move {
            server.answer_all(stream, OK).await;
            notify.notify_one();
        }
    })
    .await;
    let transport = transport_of(settings());
    transport
        .post(request(server.uri("/"), LONG))
        .await
        .unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    transport
        .post(request(server.uri("/"), LONG))
        .await
        .unwrap();
    assert_eq!(server.connections(), 2);
    tokio::time::timeout(LONG, closed.notified()).await.unwrap();
}

/// How the server sees each connection end: at its first request without an answer, or after one with.
async fn farewells(answered: bool) -> io::Result<usize> {
    let (tell, told) = oneshot::channel();
    let tell = RefCell::new(Some(tell));
    let server = RawServer::start(move |server, mut stream| {
        let tell = tell.take().unwrap();
        async move {
            server.receive(&mut stream).await;
            if answered {
                stream.write_all(OK).await.unwrap();
            }
            tell.send(stream.read(&mut [0]).await).unwrap();
        }
    })
    .await;
    let transport = transport_of(settings());
    let outcome = transport.post(request(server.uri("/"), SHORT)).await;
    assert_eq!(outcome.is_ok(), answered);
    drop(transport);
    tokio::time::timeout(LONG, told).await.unwrap().unwrap()
}

#[actix_rt::test]
async fn a_connection_whose_request_is_given_up_is_reset() {
    let reset = farewells(false).await.unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
}

#[actix_rt::test]
async fn an_idle_connection_is_closed_in_good_order() {
    assert_eq!(farewells(true).await.unwrap(), 0);
}

#[actix_rt::test]
async fn slow_receivers_do_not_hold_up_another() {
    let server = RawServer::start(|server, mut stream| async move {
        let received = server.receive(&mut stream).await.unwrap();
        if received.line.contains("/slow") {
            std::future::pending::<()>().await;
        }
        stream.write_all(OK).await.unwrap();
    })
    .await;
    let transport = transport_of(settings());
    // More than awc's own limit of 100, and all at one host, so that they share one of the clients.
    for _ in 0..150 {
        let (transport, uri) = (Rc::clone(&transport), server.uri("/slow"));
        spawn_local(async move { transport.post(request(uri, 3 * LONG)).await });
    }
    while server.received().len() < 100 {
        tokio::task::yield_now().await;
    }
    let answer = transport.post(request(server.uri("/quick"), LONG)).await;
    assert!(answer.is_ok(), "{answer:?}");
}

#[actix_rt::test]
async fn a_redirect_is_an_answer() {
    let elsewhere = RawServer::answering(OK).await;
    let server = RawServer::answering(format!(
        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        elsewhere.uri("/")
    ))
    .await;
    let answer = post(server.uri("/")).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(elsewhere.connections(), 0);
    assert_eq!(server.received().len(), 1);
}

#[actix_rt::test]
async fn a_compressed_answer_is_left_as_it_is() {
    let server = RawServer::answering(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd",
    )
    .await;
    assert_eq!(post(server.uri("/")).await.unwrap().body, "abcd");
    let received = server.received().pop().unwrap();
    assert_eq!(received.header("accept-encoding"), None);
    assert_eq!(received.header("user-agent"), None);
}

#[actix_rt::test]
async fn an_endless_body_is_cut_and_its_connection_dropped() {
    let (gone, client_left) = oneshot::channel();
    let gone = Rc::new(std::cell::Cell::new(Some(gone)));
    let server = RawServer::start(move |server, mut stream| {
        let gone = Rc::clone(&gone);
        async move {
            server.receive(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n")
                .await
                .unwrap();
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
            gone.take().unwrap().send(()).unwrap();
        }
    })
    .await;
    let answer = post(server.uri("/")).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, "x".repeat(KEPT_RESPONSE_BYTES));
    tokio::time::timeout(LONG, client_left)
        .await
        .unwrap()
        .unwrap();
}

#[actix_rt::test]
async fn a_body_that_stops_past_the_cut_is_not_waited_for() {
    let server = RawServer::start(|server, mut stream| async move {
        server.receive(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let body = "ü".repeat(KEPT_RESPONSE_BYTES);
        stream
            .write_all(&body.as_bytes()[1..=KEPT_RESPONSE_BYTES])
            .await
            .unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let answer = post(server.uri("/")).await.unwrap();
    // The half of a character at the start is an error, the one at the cut is not.
    assert_eq!(
        answer.body,
        format!("\u{fffd}{}", "ü".repeat(KEPT_RESPONSE_BYTES / 2 - 1))
    );
}

#[actix_rt::test]
async fn a_flood_of_headers_is_cut_but_retry_after_stays() {
    // 1 KiB each, so that they fill the room to the last byte.
    let filler: String = (0..60)
        .map(|n| format!("a-{n:02}: {}\r\n", "y".repeat(1020)))
        .collect();
    let server = RawServer::answering(format!(
        "HTTP/1.1 429 Slow\r\n{filler}retry-after: 3\r\ncontent-length: 0\r\n\r\n"
    ))
    .await;
    let answer = post(server.uri("/")).await.unwrap();
    let size: usize = answer.headers.iter().map(|(k, v)| k.len() + v.len()).sum();
    assert!(size < 17 * 1024, "{size}");
    assert!(answer.headers.contains(&("retry-after".into(), "3".into())));
}

/// The phase in which the time of a request runs out, which must be soon after its limit.
async fn phase_at_the_end(settings: TransportSettings, request: DeliveryRequest) -> Phase {
    phase_at_the_end_with(&*transport_of(settings), request).await
}

async fn phase_at_the_end_with(transport: &dyn Transport, request: DeliveryRequest) -> Phase {
    let started = Instant::now();
    let outcome = transport.post(request).await;
    let took = started.elapsed();
    assert!(SHORT <= took && took < LONG, "{took:?}");
    match outcome {
        Err(SendError::Timeout { after, phase }) if after == SHORT => phase,
        other => panic!("expected a timeout: {other:?}"),
    }
}

#[actix_rt::test]
async fn time_runs_out_while_the_name_is_looked_up() {
    let settings = TransportSettings {
        resolver: Names::new(vec![Lookup::Silent]),
        ..settings()
    };
    let phase = phase_at_the_end(settings, request("http://hooks.test/", SHORT)).await;
    assert_eq!(phase, Phase::Connect);
}

#[actix_rt::test]
async fn time_runs_out_while_connecting() {
    let (address, _queue, _listener) = silent_address().await;
    let phase = phase_at_the_end(settings(), request(format!("http://{address}/"), SHORT)).await;
    assert_eq!(phase, Phase::Connect);
}

#[actix_rt::test]
async fn time_runs_out_in_the_tls_handshake() {
    let server = RawServer::start(|_, stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let phase = phase_at_the_end(
        settings(),
        request(format!("https://{}/", server.address), SHORT),
    )
    .await;
    assert_eq!(phase, Phase::Connect);
    assert_eq!(server.connections(), 1);
}

#[actix_rt::test]
async fn time_runs_out_while_waiting_for_the_answer() {
    let server = RawServer::start(|server, mut stream| async move {
        // Once an answer, so that the second request is on a connection already in use.
        server.receive(&mut stream).await;
        stream.write_all(OK).await.unwrap();
        server.receive(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let transport = transport_of(settings());
    transport
        .post(request(server.uri("/"), LONG))
        .await
        .unwrap();
    let phase = phase_at_the_end_with(&*transport, request(server.uri("/"), SHORT)).await;
    assert_eq!(phase, Phase::Answer);
    assert_eq!(server.connections(), 1);
}

#[actix_rt::test]
async fn time_runs_out_on_a_server_that_accepts_and_reads_nothing() {
    let server = RawServer::start(|_, stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let mut large = request(server.uri("/"), SHORT);
    large.body = Bytes::from(vec![b' '; 32 << 20]);
    let phase = phase_at_the_end(settings(), large).await;
    assert_eq!(phase, Phase::Answer);
}

#[actix_rt::test]
async fn time_runs_out_on_a_dripping_body() {
    let server = RawServer::start(|server, mut stream| async move {
        server.receive(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n";
        stream.write_all(head).await.unwrap();
        while stream.write_all(b".").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let phase = phase_at_the_end(settings(), request(server.uri("/"), SHORT)).await;
    assert_eq!(phase, Phase::Body);
}

#[actix_rt::test]
async fn a_closed_port_refuses() {
    let address = closed_port().await;
    let error = post(format!("http://{address}/")).await.unwrap_err();
    let expected = SendError::Connect {
        host: "127.0.0.1".into(),
        detail: format!("{address} refused the connection"),
    };
    assert_eq!(error, expected);
}

#[actix_rt::test]
async fn a_connection_that_breaks_is_told_by_where_it_broke() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc";
    for (answer, expected) in [
        (&b""[..], "the receiver reset it before the answer"),
        (
            half,
            "the receiver reset it in the middle of the answer's body",
        ),
    ] {
        let words = broken_words(post_to_one_that_resets_after(answer).await);
        assert_eq!(words, expected);
    }
}

#[actix_rt::test]
async fn a_connection_that_ends_is_told_by_where_it_ended() {
    for (answer, expected) in [
        ("", "the receiver closed it without an answer"),
        ("HTTP/1.1 200", "the head of the answer broke off"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc",
            "the receiver closed it in the middle of the answer's body",
        ),
    ] {
        let server = RawServer::start(move |server, mut stream| async move {
            server.receive(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        assert_eq!(
            broken_words(post(server.uri("/")).await),
            expected,
            "{answer:?}"
        );
    }
}

#[actix_rt::test]
async fn what_is_no_http_is_told_so() {
    let server = RawServer::answering("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    let words = broken_words(post(server.uri("/")).await);
    assert!(
        words.contains("not HTTP/1.1") && words.contains("check the port"),
        "{words}"
    );
    let server =
        RawServer::answering(format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(200_000))).await;
    let words = broken_words(post(server.uri("/")).await);
    assert_eq!(words, "the head of the answer is larger than 128 KiB");
}

#[actix_rt::test]
async fn a_uri_that_can_not_be_used_is_told_so() {
    let closed = TransportSettings {
        allow_http: false,
        ..settings()
    };
    let transport = transport_of(closed);
    for (uri, expected) in [
        ("http://127.0.0.1:1/", "must use https"),
        ("https://me:secret@example.com/", "credentials"),
        ("ftp://example.com/", "must begin with https://"),
        ("/hook", "must begin with https://"),
        ("https://exa mple.com/", "invalid uri character"),
    ] {
        let error = transport.post(request(uri, LONG)).await.unwrap_err();
        let SendError::Uri(words) = error else {
            panic!("{uri}: {error:?}");
        };
        assert!(
            words.contains(expected) && !words.contains("secret"),
            "{uri}: {words}"
        );
    }
}

#[actix_rt::test]
async fn a_header_that_can_not_be_sent_is_named_without_its_value() {
    for (name, value) in [("x-key", "se\ncret"), ("x key", "secret")] {
        let mut bad = request("http://127.0.0.1:1/", LONG);
        bad.headers.push((name.into(), value.into()));
        let error = transport_of(settings()).post(bad).await.unwrap_err();
        assert_eq!(error, SendError::Header { name: name.into() });
        assert!(!error.to_string().contains("cret"));
    }
}
