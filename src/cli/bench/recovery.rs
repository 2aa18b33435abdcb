//! A receiver that was down while changes came: how soon it gets them when it is back, and how fast.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    http::sink::Receipt,
    sample::load::{LoadTable, now_micros},
};

use super::{
    super::Failure,
    Common,
    house::{House, Registered},
    report::{Row, cell, latencies, milliseconds, progress, quantile, seconds},
    sink_process::Sink,
};

/// How soon and how fast a backlog drains when its receiver is back
///
/// A receiver answers 503 for a while, and so it is probed. Then it takes deliveries again. "first after" is how long
/// it takes from then to the first delivery, which the interval between probes decides; "drained in" goes
/// from the first delivery to the last. The first line is the same backlog of a receiver that was never down.
/// Meanwhile another receiver gets changes of another table, whose latency is shown.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct RecoveryArgs {
    /// Events that wait
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    waiting: u64,
    /// How long the receiver is down; longer where it has not been found out by then
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = humantime::parse_duration)]
    down: Duration,
    /// Requests per second of the throttled receiver
    #[arg(long, value_name = "R", default_value_t = 1000)]
    throttle: u32,
    #[command(flatten)]
    common: Common,
}

/// The receiver that is down, and the one beside it.
const DOWN: u32 = 1;
const BESIDE: u32 = 2;
/// Changes per second of the one beside it.
const RATE: f64 = 50.0;
/// How long the other's latency is measured at least, and how long deliveries are waited for.
const AT_LEAST: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Serialize)]
struct Measured {
    was_down_seconds: f64,
    throttle_per_second: Option<u32>,
    waiting: u64,
    first_after_seconds: Option<f64>,
    drained_seconds: f64,
    deliveries_per_second: f64,
    of_throttle: Option<f64>,
    of_first_line: f64,
    of_limit: f64,
    out_of_order: usize,
    beside_p50_ms: Option<f64>,
    beside_p99_ms: Option<f64>,
    missing: u64,
}

impl Row for Measured {
    const HEADINGS: &'static [&'static str] = &[
        "down s",
        "throttle",
        "waiting",
        "first after s",
        "drained in s",
        "deliveries/s",
        "of the throttle",
        "of the first line",
        "of the limit",
        "out of order",
        "beside it: p50 ms",
        "p99 ms",
        "missing",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            cell(Some(self.was_down_seconds), 0),
            self.throttle_per_second
                .map_or_else(|| "–".to_owned(), |rate| rate.to_string()),
            self.waiting.to_string(),
            cell(self.first_after_seconds, 1),
            cell(Some(self.drained_seconds), 1),
            cell(Some(self.deliveries_per_second), 0),
            cell(self.of_throttle, 3),
            cell(Some(self.of_first_line), 2),
            cell(Some(self.of_limit), 3),
            self.out_of_order.to_string(),
            cell(self.beside_p50_ms, 1),
            cell(self.beside_p99_ms, 1),
            self.missing.to_string(),
        ]
    }

    fn missing(&self) -> u64 {
        self.missing
    }
}

/// Measures and prints.
pub async fn run(args: RecoveryArgs) -> Result<(), Failure> {
    let limit = args.common.limit()?;
    let mut rows: Vec<Measured> = Vec::new();
    for (down, throttle) in [
        (Duration::ZERO, None),
        (args.down, None),
        (args.down, Some(args.throttle)),
    ] {
        progress(&format!("{} events wait, down for {down:?}", args.waiting));
        let measure =
            async |house: &mut House| measure(args.waiting, down, throttle, limit, house).await;
        let mut measured = args.common.in_house("", measure).await?;
        if let Some(first) = rows.first() {
            measured.of_first_line = measured.deliveries_per_second / first.deliveries_per_second;
        }
        rows.push(measured);
    }
    args.common.tell("recovery", limit, rows)
}

async fn measure(
    waiting: u64,
    down: Duration,
    throttle: Option<u32>,
    limit: f64,
    house: &House,
) -> Result<Measured, Failure> {
    let mut sink = Sink::start()?;
    let settings = match throttle {
        None => json!({}),
        Some(rate) => json!({"rateLimit": {"perSecond": rate}}),
    };
    let register = |receiver, table, settings: Value| Registered {
        uri: sink.uri(receiver),
        table,
        settings,
        filter: None,
    };
    let mut was_down = Duration::ZERO;
    let id = house
        .register(&register(DOWN, LoadTable::Items, settings))
        .await?;
    house
        .register(&register(BESIDE, LoadTable::Others, json!({})))
        .await?;
    let beside = tokio::task::spawn_local({
        let load = house.load.clone();
        async move { House::write_at(&load, LoadTable::Others, 1, RATE, down + 2 * PATIENCE).await }
    });
    let insert = house.load.insert(LoadTable::Items, 1, waiting);
    if down.is_zero() {
        insert.await.map_err(Failure::of_work)?;
    } else {
        sink.set_down(DOWN, true).await?;
        insert.await.map_err(Failure::of_work)?;
        let began = Instant::now();
        probed(house, id, began + down + PATIENCE).await?;
        tokio::time::sleep(down.saturating_sub(began.elapsed())).await;
        sink.set_down(DOWN, false).await?;
        was_down = began.elapsed();
    }
    let (up, began) = (now_micros(), Instant::now());
    let all = |receipts: &[Receipt]| {
        receipts.len() as u64 >= waiting && taken(receipts).count() as u64 >= waiting
    };
    sink.wait(PATIENCE, all).await?;
    tokio::time::sleep(AT_LEAST.saturating_sub(began.elapsed())).await;
    sink.look().await?;
    beside.abort();

    let times: Vec<u64> = taken(&sink.receipts).map(|receipt| receipt.at).collect();
    let (first, last) = (times.first().copied(), times.last().copied());
    let drained = seconds(first.unwrap_or(0), last.unwrap_or(0));
    let rate = times.len() as f64 / drained;
    let until = last.unwrap_or(0).max(up + AT_LEAST.as_micros() as u64);
    let meanwhile = first.unwrap_or(0)..=until;
    let beside = |receipt: &&Receipt| receipt.receiver == BESIDE && meanwhile.contains(&receipt.at);
    let latencies = latencies(sink.receipts.iter().filter(beside));
    Ok(Measured {
        was_down_seconds: was_down.as_secs_f64(),
        throttle_per_second: throttle,
        waiting,
        first_after_seconds: first
            .filter(|_| !down.is_zero())
            .map(|first| seconds(up, first)),
        drained_seconds: drained,
        deliveries_per_second: rate,
        of_throttle: throttle.map(|throttle| rate / f64::from(throttle)),
        of_first_line: 1.0,
        of_limit: rate / limit,
        out_of_order: out_of_order(&sink.receipts),
        beside_p50_ms: milliseconds(quantile(&latencies, 0.5)),
        beside_p99_ms: milliseconds(quantile(&latencies, 0.99)),
        missing: waiting.saturating_sub(times.len() as u64),
    })
}

/// Waits until the receiver is probed.
async fn probed(house: &House, id: i64, until: Instant) -> Result<(), Failure> {
    let ask = format!("{{ webhookReceiver(id: {id}) {{ health }} }}");
    loop {
        let answer = house.ask(&ask).await?;
        if answer["webhookReceiver"]["health"] == "PROBING" {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(Failure::of_work(
                "the receiver answers nothing but errors, and is still not told to be failing",
            ));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The first delivery of each event that the receiver took.
fn taken(receipts: &[Receipt]) -> impl Iterator<Item = &Receipt> {
    let mut seen = std::collections::HashSet::new();
    receipts
        .iter()
        .filter(|receipt| receipt.receiver == DOWN && receipt.taken)
        .filter(move |receipt| seen.insert(receipt.event_id))
}

/// How many events came after one that was committed later, by more than there may be in flight at once.
fn out_of_order(receipts: &[Receipt]) -> usize {
    const IN_FLIGHT: u64 = 16;
    let mut newest = 0;
    // The first one is the probe that was taken, for which any event may be chosen.
    taken(receipts)
        .skip(1)
        .filter(|receipt| {
            newest = receipt.event_id.max(newest);
            receipt.event_id + IN_FLIGHT < newest
        })
        .count()
}
