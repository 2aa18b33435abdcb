//! What an operator reads: a line for each thing that matters, none for what is as usual, JSON on request.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use rowhook::{
    domain::{
        attempt::{Attempt, Outcome, Verdict},
        ids::{EventId, ReceiverId},
    },
    pipeline::delivery_log::DeliveryLog,
    telemetry::Outage,
};
use serde_json::Value;

use crate::support::{
    both::on_both, command::Shell, database::TestDatabase, house::House, receiver::Answer,
};

on_both!(a_receiver_in_trouble_is_two_lines);

/// Whatever is logged in this thread.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lines_of(work: impl FnOnce()) -> Vec<String> {
    let sink = Sink::default();
    let to = sink.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(move || to.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_fault_that_lasts_is_told_when_it_begins_and_when_it_is_over() {
    let lines = lines_of(|| {
        let mut outage = Outage::new("changes can not be read");
        outage.is_over();
        for _ in 0..1000 {
            outage.goes_on(&"the database is away");
        }
        outage.is_over();
        outage.is_over();
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].contains("WARN") && lines[0].contains("changes can not be read; trying again")
    );
    assert!(lines[0].contains("error=the database is away"));
    assert!(lines[1].contains("INFO") && lines[1].contains("over: changes can not be read"));
    assert!(lines[1].contains("tries=1000"), "{lines:?}");
}

fn outcome(receiver: i32, event: i64, verdict: Verdict) -> Outcome {
    Outcome {
        event_id: EventId(event),
        receiver_id: ReceiverId(receiver),
        attempts_before: 0,
        budget_used: 1,
        redelivery: 0,
        attempt: Some(Attempt {
            started_at: chrono::Utc::now(),
            duration: std::time::Duration::from_millis(1),
            answer: None,
            error: Some("refused".to_owned()),
        }),
        reason: None,
        verdict,
        due_at: None,
        health: None,
        recovered: false,
    }
}

#[test]
fn failures_are_told_for_each_receiver_and_not_for_each_attempt() {
    let retry = Verdict::Retry {
        after: std::time::Duration::from_secs(1),
        counted: true,
    };
    let lines = lines_of(|| {
        let mut log = DeliveryLog::default();
        for event in 1..=500 {
            log.written(
                [
                    outcome(1, event, retry),
                    outcome(2, event, Verdict::Delivered),
                ]
                .iter(),
            );
        }
        // Now and then one gets through.
        for event in 501..=1000 {
            log.written(
                [
                    outcome(1, event, Verdict::Delivered),
                    outcome(1, event, retry),
                ]
                .iter(),
            );
        }
        let given_up: Vec<_> = (1..=100)
            .map(|event| outcome(3, event, Verdict::Failed))
            .collect();
        log.written(given_up.iter());
    });
    let with = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(with("does not take deliveries"), 2, "{lines:#?}");
    assert_eq!(with("takes deliveries again"), 1, "{lines:#?}");
    assert_eq!(with("receiver=2"), 0, "{lines:#?}");
    let given_up: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("given up"))
        .collect();
    assert_eq!(given_up.len(), 1);
    for part in [
        "receiver=3",
        "events=100",
        "first_event=1",
        "error=\"refused\"",
    ] {
        assert!(given_up[0].contains(part), "{part} is not in {given_up:?}");
    }
    assert_eq!(lines.len(), 4, "{lines:#?}");
}

async fn a_receiver_in_trouble_is_two_lines(database: TestDatabase) {
    let house = House::of(database).await;
    let seen = Mutex::new(std::collections::HashMap::new());
    house.receiver.answer(move |delivery| {
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(delivery.event_id()).or_insert(0);
        *times += 1;
        Answer::Status(if *times < 3 { 503 } else { 200 })
    });
    let retry = ", retryPolicy: {initialDelayMs: 20, multiplier: 1.0, maxAttempts: 5}";
    house.register_for_items("/items", retry).await;
    // Eight failures: ten in a row would be a receiver that only fails, which is told apart.
    for id in 1..=4 {
        house
            .sql(&format!("insert into items values ({id}, 0, 'a')"))
            .await;
    }
    house.settled(4).await;
    let log = house.service.log_text();
    let with = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(with("a receiver does not take deliveries"), 1, "{log}");
    assert_eq!(with("a receiver takes deliveries again"), 1, "{log}");
    assert!(log.contains("503"), "{log}");
    assert!(!log.contains("whsec_"), "{log}");
    // Whatever else there is tells of the start.
    assert!(log.lines().count() < 12, "{log}");
}

#[test]
fn machines_get_json() {
    let mut shell = Shell::new();
    for (name, value) in [
        ("ROWHOOK_SAMPLE", "true"),
        ("ROWHOOK_LISTEN", "127.0.0.1:0"),
        ("ROWHOOK_LOG_FORMAT", "json"),
        ("ROWHOOK_UNHEARD", "1"),
    ] {
        shell.set(name, value);
    }
    let service = shell.start(&["serve"]);
    service.says("reading changes");
    let done = service.stop();
    assert_eq!(done.code, Some(0), "{done:?}");
    let mut messages = Vec::new();
    for line in done.err.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        assert!(
            line["timestamp"].is_string() && line["level"].is_string(),
            "{line}"
        );
        messages.push(line["fields"]["message"].as_str().unwrap().to_owned());
    }
    for wanted in [
        "ROWHOOK_UNHEARD",
        "triggers put on",
        "rowhook serves",
        "stopped",
    ] {
        assert!(
            messages.iter().any(|one| one.contains(wanted)),
            "{messages:?}"
        );
    }
}
