//! Traces from the commit to the response: what a collector gets, and what receivers are told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value, trace::v1::Span,
};
use prost::Message as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House,
    receiver::{Answer, Delivery},
    wait::until_ok,
};

on_both!(
    an_event_is_a_trace_from_its_commit_to_its_last_attempt,
    a_trace_outlives_the_process,
    what_is_not_sampled_is_told_to_receivers_alone,
    without_tracing_nothing_is_told,
);

/// A collector: keeps the spans that it is sent, and the names of the services that they are of.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    services: Arc<Mutex<BTreeSet<String>>>,
}

impl Collector {
    /// Starts one, and returns the settings that name it.
    async fn start(more: &str) -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let collector = serving.clone();
                tokio::spawn(async move { collector.take(stream).await });
            }
        });
        let settings = format!("[tracing]\nendpoint = \"http://{address}\"\n{more}\n");
        (collector, settings)
    }

    /// Each request on a connection.
    async fn take(&self, mut stream: TcpStream) {
        let mut read = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                    break end + 4;
                }
                if stream.read_buf(&mut read).await.unwrap_or_default() == 0 {
                    return;
                }
            };
            let head = String::from_utf8(read[..end].to_vec())
                .unwrap()
                .to_lowercase();
            assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
            assert!(
                head.contains("content-type: application/x-protobuf"),
                "{head}"
            );
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            while read.len() < end + length {
                assert!(stream.read_buf(&mut read).await.unwrap() > 0);
            }
            self.keep(&read[end..end + length]);
            read.drain(..end + length);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    }

    fn keep(&self, body: &[u8]) {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        for resource in request.resource_spans {
            for attribute in resource.resource.unwrap().attributes {
                if attribute.key == "service.name" {
                    let name = format!("{:?}", attribute.value);
                    self.services.lock().unwrap().insert(name);
                }
            }
            for scope in resource.scope_spans {
                self.spans.lock().unwrap().extend(scope.spans);
            }
        }
    }

    /// Waits until there are so many spans. They come in batches, every few seconds.
    async fn wait_for(&self, count: usize) -> Vec<Span> {
        until_ok("spans arrive", async || {
            let spans = self.spans.lock().unwrap().clone();
            match spans.len() >= count {
                true => Ok(spans),
                false => Err(spans),
            }
        })
        .await
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Its attributes as text.
fn attributes(span: &Span) -> BTreeMap<String, String> {
    let text = |value: &any_value::Value| match value {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = span.attributes.iter().map(|one| {
        let value = one.value.as_ref().unwrap().value.as_ref().unwrap();
        (one.key.clone(), text(value))
    });
    pairs.collect()
}

/// The parts of a `traceparent`, which is what W3C Trace Context says it must be: trace, span, flags.
fn traceparent(delivery: &Delivery) -> (String, String, String) {
    let header = &delivery.headers["traceparent"];
    let parts: Vec<&str> = header.split('-').collect();
    let [version, trace, span, flags] = parts[..] else {
        panic!("{header}");
    };
    assert_eq!(version, "00", "{header}");
    assert_eq!(
        (trace.len(), span.len(), flags.len()),
        (32, 16, 2),
        "{header}"
    );
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(header.chars().all(|c| is_hex(c) || c == '-'), "{header}");
    assert!(trace.contains(|c| c != '0') && span.contains(|c| c != '0'));
    (trace.to_owned(), span.to_owned(), flags.to_owned())
}

async fn an_event_is_a_trace_from_its_commit_to_its_last_attempt(database: TestDatabase) {
    let (collector, settings) = Collector::start("").await;
    let house = House::with(database, &settings, "", &[]).await;
    let tries = Mutex::new(0);
    house.receiver.answer(move |_| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        Answer::Status(if *tries == 1 { 503 } else { 200 })
    });
    let retry = ", retryPolicy: {initialDelayMs: 20}";
    let receiver = house.register_for_items("/items?token=hidden", retry).await;
    house.sql("insert into items values (1, 0, 'a')").await;
    house.settled(1).await;
    let deliveries = house.receiver.deliveries();
    let (first, second) = (traceparent(&deliveries[0]), traceparent(&deliveries[1]));
    assert_eq!((deliveries.len(), &first.0), (2, &second.0), "one trace");
    assert_ne!(first.1, second.1, "each attempt is a span of its own");
    assert_eq!((first.2.as_str(), second.2.as_str()), ("01", "01"));

    let spans = collector.wait_for(6).await;
    let text = format!("{spans:#?}");
    assert_eq!(spans.len(), 6, "{text}");
    assert!(
        spans.iter().all(|span| hex(&span.trace_id) == first.0),
        "{text}"
    );
    let named =
        |name: &str| -> Vec<&Span> { spans.iter().filter(|span| span.name == name).collect() };
    let [change] = named("change committed")[..] else {
        panic!("{text}");
    };
    assert!(change.parent_span_id.is_empty(), "{text}");
    let occurred: chrono::DateTime<chrono::Utc> = deliveries[0].body["occurred_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let millis = i64::try_from(change.start_time_unix_nano / 1_000_000).unwrap();
    assert_eq!(
        millis,
        occurred.timestamp_millis(),
        "it begins with the commit"
    );
    let told = attributes(change);
    assert_eq!(
        told["rowhook.event_id"],
        deliveries[0].event_id().to_string()
    );
    assert_eq!(
        (
            told["rowhook.resource"].as_str(),
            told["rowhook.action"].as_str()
        ),
        ("ITEM", "create")
    );
    let [fan_out] = named("fan-out")[..] else {
        panic!("{text}");
    };
    assert_eq!(fan_out.parent_span_id, change.span_id);
    let attempts = named("POST");
    for (attempt, (_, span, _)) in attempts.iter().zip([&first, &second]) {
        assert_eq!(&hex(&attempt.span_id), span);
        assert_eq!(attempt.parent_span_id, change.span_id);
        assert!(attempt.start_time_unix_nano >= fan_out.start_time_unix_nano);
        let told = attributes(attempt);
        assert_eq!(told["http.request.method"], "POST");
        assert_eq!(told["server.address"], "127.0.0.1");
        assert!(told["url.full"].ends_with("/items"), "{told:?}");
        assert_eq!(told["rowhook.receiver_id"], receiver.to_string());
        let recorded = named("recorded")
            .into_iter()
            .find(|span| span.parent_span_id == attempt.span_id);
        assert!(recorded.unwrap().start_time_unix_nano >= attempt.end_time_unix_nano);
    }
    let (failed, delivered) = (attributes(attempts[0]), attributes(attempts[1]));
    assert_eq!(failed["http.response.status_code"], "503");
    assert_eq!(failed["error.type"], "503");
    assert!(!failed.contains_key("http.request.resend_count"));
    assert_eq!(delivered["http.response.status_code"], "200");
    assert_eq!(delivered["http.request.resend_count"], "1");
    assert!(!delivered.contains_key("error.type"));
    let services = format!("{:?}", collector.services.lock().unwrap());
    assert!(services.contains("rowhook"), "{services}");
    assert!(
        !text.contains("hidden"),
        "a query may hold a secret: {text}"
    );
}

async fn a_trace_outlives_the_process(database: TestDatabase) {
    let (collector, settings) = Collector::start("").await;
    let mut house = House::with(database, &settings, "", &[]).await;
    house.receiver.answer(|_| Answer::Status(503));
    let retry = ", retryPolicy: {initialDelayMs: 3600000}";
    house.register_for_items("/items", retry).await;
    house.sql("insert into items values (1, 0, 'a')").await;
    house.receiver.wait_for_events(1).await;
    // What is left is sent before the process ends.
    assert!(house.service.terminate().await.success());
    let spans = collector.wait_for(4).await;
    house.receiver.answer(|_| Answer::Status(200));
    house.service.restart().await;
    let id = house.receiver.deliveries()[0].event_id();
    let again =
        format!("mutation {{ redeliverWebhookEvent(id: {id}) {{ webhookEvent {{ id }} }} }}");
    house.service.graphql(&again).await;
    house.settled(1).await;
    let deliveries = house.receiver.deliveries();
    assert_eq!(deliveries.len(), 2);
    let trace = traceparent(&deliveries[0]).0;
    assert_eq!(trace, traceparent(&deliveries[1]).0);
    let change = spans.iter().find(|span| span.name == "change committed");
    let later = collector.wait_for(6).await;
    let last = later.iter().rfind(|span| span.name == "POST").unwrap();
    assert_eq!(hex(&last.trace_id), trace);
    assert_eq!(last.parent_span_id, change.unwrap().span_id);
}

async fn what_is_not_sampled_is_told_to_receivers_alone(database: TestDatabase) {
    let (collector, settings) = Collector::start("sample_ratio = 0.0").await;
    let mut house = House::with(database, &settings, "", &[]).await;
    house.register_for_items("/items", "").await;
    house.sql("insert into items values (1, 0, 'a')").await;
    house.settled(1).await;
    assert_eq!(traceparent(&house.receiver.deliveries()[0]).2, "00");
    assert!(house.service.terminate().await.success());
    assert!(collector.spans.lock().unwrap().is_empty());
}

async fn without_tracing_nothing_is_told(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/items", "").await;
    house.sql("insert into items values (1, 0, 'a')").await;
    house.settled(1).await;
    let headers = &house.receiver.deliveries()[0].headers;
    assert!(!headers.contains_key("traceparent"), "{headers:?}");
}
