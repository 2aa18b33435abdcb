//! Receivers that cut the connection, at each stage of a delivery: the attempt is written down in words that tell
//! where, and the event is delivered by the next one. (`transport.rs` has more kinds of answers that break off.)

use std::{cell::Cell, rc::Rc};

use rowhook::store::sql::db::Dialect;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;

use crate::support::{
    both::on_both,
    certificates::{Authority, Dates},
    database::TestDatabase,
    house::House,
    raw_server::{OK, RawServer, closed_port},
    wait::until_ok,
};

on_both!(a_connection_may_be_cut_anywhere);

/// Where the receiver cuts its first connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// It does not listen yet.
    Refused,
    /// As soon as it is there.
    Accepted,
    /// After the first bytes of TLS.
    Handshake,
    /// With the request's head.
    RequestsHead,
    /// In the middle of the request's body.
    RequestsBody,
    /// In the middle of its answer's first line.
    AnswersHead,
    /// In the middle of its answer's body.
    AnswersBody,
    /// After an answer that says so.
    Farewell,
    /// After an answer that does not, and nothing is under way.
    Idle,
    /// After an answer that does not, when the next request comes.
    NextRequest,
}

/// What its log says of it, in one of these wordings; none: it costs no attempt.
const CUTS: [(Cut, &[&str]); 10] = [
    (Cut::Refused, &["refused the connection"]),
    (Cut::Accepted, &BEFORE_AN_ANSWER),
    (
        Cut::Handshake,
        &["the server closed the connection during the handshake"],
    ),
    (Cut::RequestsHead, &BEFORE_AN_ANSWER),
    (Cut::RequestsBody, &BEFORE_AN_ANSWER),
    (Cut::AnswersHead, &["the head of the answer broke off"]),
    (
        Cut::AnswersBody,
        &["the receiver closed it in the middle of the answer's body"],
    ),
    (Cut::Farewell, &[]),
    (Cut::Idle, &[]),
    (Cut::NextRequest, &BEFORE_AN_ANSWER),
];

/// How far the request had come, and how much of it was read, decides.
const BEFORE_AN_ANSWER: [&str; 4] = [
    "the receiver closed it without an answer",
    "the receiver closed it while sending",
    "the receiver reset it while sending",
    "the receiver reset it before the answer",
];

/// One connection of a receiver. `done`: a kept connection was cut.
async fn serve(
    cut: Cut,
    acceptor: Rc<TlsAcceptor>,
    done: Rc<Cell<bool>>,
    server: RawServer,
    mut stream: TcpStream,
) {
    let first = server.connections() == 1;
    match cut {
        Cut::Handshake if !first => {
            let stream = acceptor.accept(stream).await.unwrap();
            server.answer_all(stream, OK).await;
        }
        Cut::Handshake => {
            let _hello = stream.read_u8().await;
        }
        Cut::Farewell => {
            server.receive(&mut stream).await;
            let closing = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            stream.write_all(closing).await.unwrap();
        }
        Cut::Idle => {
            // It has two to begin with.
            while server.receive(&mut stream).await.is_some() {
                stream.write_all(OK).await.unwrap();
                if server.received().len() == 2 {
                    break;
                }
            }
        }
        Cut::NextRequest if !done.get() => {
            server.receive(&mut stream).await;
            stream.write_all(OK).await.unwrap();
            // rowhook may have closed it meanwhile: then the next one is cut.
            done.set(stream.read_u8().await.is_ok());
        }
        _ if !first || matches!(cut, Cut::Refused | Cut::NextRequest) => {
            server.answer_all(stream, OK).await;
        }
        Cut::Refused | Cut::NextRequest | Cut::Accepted => {}
        Cut::RequestsHead => {
            read_to(&mut stream, |bytes| {
                bytes.windows(4).any(|four| four == b"\r\n\r\n")
            })
            .await;
        }
        Cut::RequestsBody => read_to(&mut stream, |bytes| bytes.len() > BODY / 2).await,
        Cut::AnswersHead => {
            server.receive(&mut stream).await;
            stream.write_all(b"HTTP/1.1 20").await.unwrap();
        }
        Cut::AnswersBody => {
            server.receive(&mut stream).await;
            let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc";
            stream.write_all(half).await.unwrap();
        }
    }
}

async fn read_to(stream: &mut TcpStream, far_enough: impl Fn(&[u8]) -> bool) {
    let mut bytes = Vec::new();
    while !far_enough(&bytes) {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

/// Of a request's body, more than is read at once.
const BODY: usize = 300_000;

/// Two rows at once, sent one after the other, then another.
async fn a_connection_may_be_cut_anywhere(database: TestDatabase) {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem");
    std::fs::write(&bundle, authority.pem()).unwrap();
    let settings = format!("[receivers]\nca_bundle = '{}'\n", bundle.display());
    let house = House::with(database, &settings, "", &[]).await;
    let acceptor = Rc::new(authority.acceptor("127.0.0.1", Dates::Valid));
    let late = closed_port().await;
    let done = Rc::new(Cell::new(false));
    let start = async |cut: Cut, at: String| {
        let (acceptor, done) = (acceptor.clone(), done.clone());
        let handler =
            move |server, stream| serve(cut, acceptor.clone(), done.clone(), server, stream);
        RawServer::start_at(&at, handler).await
    };
    let mut receivers = Vec::new();
    for (cut, words) in CUTS {
        let server = match cut {
            Cut::Refused => None,
            _ => Some(start(cut, "127.0.0.1:0".to_owned()).await),
        };
        let address = server.as_ref().map_or(late, |server| server.address);
        let scheme = if cut == Cut::Handshake {
            "https"
        } else {
            "http"
        };
        let data = house
            .service
            .graphql(&format!(
                "mutation {{ createWebhookReceiver(input: {{name: \"{cut:?}\", webhookUri: \"{scheme}://{address}/\",
                 maxInFlight: 1, retryPolicy: {{initialDelayMs: 20, multiplier: 1.0}}}})
                 {{ webhookReceiver {{ id }} }} }}"
            ))
            .await;
        let id = data["createWebhookReceiver"]["webhookReceiver"]["id"]
            .as_i64()
            .unwrap();
        house.subscribe(id, "ITEM", "CREATE", "").await;
        receivers.push((cut, words, id, server));
    }

    let text = match house.dialect {
        Dialect::Postgres => format!("repeat('x', {BODY})"),
        Dialect::Sqlite => format!("hex(zeroblob({}))", BODY / 2),
    };
    house
        .sql(&format!(
            "insert into items values (1, 0, {text}), (2, 0, {text})"
        ))
        .await;
    let of_refused = receivers
        .iter()
        .find(|one| one.0 == Cut::Refused)
        .unwrap()
        .2;
    until_ok("one is refused", async || {
        let events = house.events(&format!("receiverId: {of_refused}")).await;
        if events
            .iter()
            .any(|one| one["attemptCount"].as_i64() > Some(0))
        {
            Ok(())
        } else {
            Err(events)
        }
    })
    .await;
    let listens = start(Cut::Refused, late.to_string()).await;
    house.settled(2 * CUTS.len()).await;
    let mut rows = 2;
    // A machine that is very slow over the first two lets the kept connection go.
    while rows < 3 || !done.get() {
        rows += 1;
        assert!(rows < 10, "no connection is kept");
        house
            .sql(&format!("insert into items values ({rows}, 0, 'x')"))
            .await;
        house.settled(rows * CUTS.len()).await;
    }

    for (cut, words, id, server) in receivers {
        let events = house
            .events(&format!("receiverId: {id}, status: \"delivered\""))
            .await;
        assert_eq!(events.len(), rows, "{cut:?}");
        let attempts = events
            .iter()
            .flat_map(|event| event["deliveryAttempts"].as_array().unwrap());
        let errors: Vec<&str> = attempts.filter_map(|one| one["error"].as_str()).collect();
        println!("{cut:?}: {errors:?}");
        let told = |error: &&str| words.iter().any(|words| error.contains(words));
        assert!(errors.iter().all(told), "{cut:?}: {errors:?}");
        match cut {
            // It may have been tried again before it listened.
            Cut::Refused => assert!(!errors.is_empty()),
            _ => assert_eq!(
                errors.len(),
                usize::from(!words.is_empty()),
                "{cut:?}: {errors:?}"
            ),
        }
        let server = server.as_ref().unwrap_or(&listens);
        if cut == Cut::Farewell {
            assert_eq!(server.connections(), rows);
        }
        // What came whole at last are the events, each with its own id.
        for event in &events {
            let id = event["id"].to_string();
            let whole = server.received();
            assert!(
                whole
                    .iter()
                    .any(|one| one.header("webhook-id") == Some(&id)),
                "{cut:?}"
            );
        }
    }
}
