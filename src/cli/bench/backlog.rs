//! A receiver for which very much waits, and what another one notices of it.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::{http::sink::Receipt, sample::load::LoadTable};

use super::{
    super::Failure,
    Common,
    house::{House, Registered},
    latency::Latency,
    pace::{until_fanned_out, write_all},
    report::{Row, cell, latencies, progress},
    sink_process::Sink,
};

/// Memory and another receiver's latency while very much waits for one
///
/// Events wait behind a throttle of 50 a second. Another receiver gets the changes of another table, whose latency is shown.
/// Then rowhook is killed and started again: how long until it is ready, and its memory from then on.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct BacklogArgs {
    /// Events that wait, one measurement for each number
    #[arg(
        long,
        value_name = "N,N…",
        value_delimiter = ',',
        default_value = "0,1000000"
    )]
    waiting: Vec<u64>,
    /// Changes per second of the other table
    #[arg(long, value_name = "R", default_value_t = 50.0)]
    rate: f64,
    /// For how long latency is measured
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    time: Duration,
    #[command(flatten)]
    common: Common,
}

/// The receiver for which it waits, and the other one.
const CROWDED: u32 = 1;
const BESIDE: u32 = 2;
/// Requests per second of the first.
const THROTTLE: f64 = 50.0;
/// Rows in a transaction.
const AT_ONCE: u64 = 10_000;
/// How long the events are waited for, and the last deliveries.
const PATIENCE: Duration = Duration::from_secs(3600);
const LAST: Duration = Duration::from_secs(30);
/// How long rowhook runs after it was killed.
const AFTER_START: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Measured {
    waiting: u64,
    #[serde(flatten)]
    latency: Latency,
    of_throttle: Option<f64>,
    peak_memory_mib: Option<f64>,
    ready_after_seconds: f64,
    peak_memory_after_start_mib: Option<f64>,
    missing: u64,
}

impl Row for Measured {
    const HEADINGS: &'static [&'static str] = &[
        "waiting",
        Latency::HEADINGS[0],
        Latency::HEADINGS[1],
        Latency::HEADINGS[2],
        Latency::HEADINGS[3],
        "of the throttle",
        "memory MiB",
        "ready after s",
        "memory then MiB",
        "missing",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.waiting.to_string()];
        cells.extend(self.latency.cells());
        cells.extend([
            cell(self.of_throttle, 3),
            cell(self.peak_memory_mib, 0),
            cell(Some(self.ready_after_seconds), 1),
            cell(self.peak_memory_after_start_mib, 0),
            self.missing.to_string(),
        ]);
        cells
    }

    fn missing(&self) -> u64 {
        self.missing
    }
}

/// Measures and prints.
pub async fn run(args: BacklogArgs) -> Result<(), Failure> {
    let limit = args.common.limit()?;
    let mut rows = Vec::new();
    for waiting in &args.waiting {
        progress(&format!("{waiting} events wait"));
        let measure = async |house: &mut House| measure(&args, *waiting, house).await;
        rows.push(args.common.in_house("", measure).await?);
    }
    args.common.tell("backlog", limit, rows)
}

async fn measure(args: &BacklogArgs, waiting: u64, house: &mut House) -> Result<Measured, Failure> {
    let mut sink = Sink::start()?;
    let crowded = Registered {
        settings: json!({"rateLimit": {"perSecond": THROTTLE}}),
        ..Registered::plain(sink.uri(CROWDED), LoadTable::Items)
    };
    house.register(&crowded).await?;
    write_all(&house.load, waiting, AT_ONCE).await?;
    until_fanned_out(house, &mut sink, PATIENCE).await?;
    let beside = Registered::plain(sink.uri(BESIDE), LoadTable::Others);
    house.register(&beside).await?;
    let before = sink.receipts.len();
    // The first row of this table was the marker.
    let last = House::write_at(&house.load, LoadTable::Others, 2, args.rate, args.time).await?;
    let owed = last - 1;
    sink.wait(LAST, |receipts| of(receipts, BESIDE).count() as u64 >= owed)
        .await?;
    let measured = &sink.receipts[before..];
    let latency = Latency::of(&latencies(of(measured, BESIDE)));
    let throttled = of(measured, CROWDED).count() as f64 / (THROTTLE * args.time.as_secs_f64());
    let came = of(&sink.receipts, BESIDE).count() as u64;

    let memory = |house: &House| house.usage().map(|usage| usage.peak_mib());
    let peak_memory_mib = memory(house);
    house.stop_service();
    let ready_after_seconds = house.start_service().await?.as_secs_f64();
    tokio::time::sleep(AFTER_START.min(args.time)).await;
    Ok(Measured {
        waiting,
        latency,
        of_throttle: (waiting > 0).then_some(throttled),
        peak_memory_mib,
        ready_after_seconds,
        peak_memory_after_start_mib: memory(house),
        missing: owed.saturating_sub(came),
    })
}

fn of(receipts: &[Receipt], receiver: u32) -> impl Iterator<Item = &Receipt> {
    receipts
        .iter()
        .filter(move |receipt| receipt.receiver == receiver)
}
