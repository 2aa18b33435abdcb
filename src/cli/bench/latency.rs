//! How long a change is on its way, at a steady rate that is far from the most.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::sample::load::LoadTable;

use super::{
    super::Failure,
    Common,
    house::{House, Registered},
    report::{Row, cell, latencies, milliseconds, progress, quantile},
    sink_process::Sink,
};

/// How long a change is on its way, from its commit to its receipt
///
/// Changes are committed at a steady rate, one at a time. Latency goes from just before the commit, so that it includes
/// the commit itself. On PostgreSQL the second line is with capture.notify.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LatencyArgs {
    /// Changes per second
    #[arg(long, value_name = "R", default_value_t = 50.0)]
    rate: f64,
    /// For how long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration)]
    time: Duration,
    #[command(flatten)]
    common: Common,
}

/// How long deliveries are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Measured {
    notify: bool,
    changes: u64,
    #[serde(flatten)]
    latency: Latency,
    processor_share: Option<f64>,
    missing: u64,
}

/// Quantiles in milliseconds.
#[derive(Serialize)]
pub struct Latency {
    latency_p50_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    latency_p999_ms: Option<f64>,
    latency_max_ms: Option<f64>,
}

impl Latency {
    /// The table's headings.
    pub const HEADINGS: [&'static str; 4] = ["p50 ms", "p99 ms", "p99.9 ms", "max ms"];

    /// Of these, in microseconds and in order.
    pub fn of(sorted: &[u64]) -> Self {
        let at = |share| milliseconds(quantile(sorted, share));
        Self {
            latency_p50_ms: at(0.5),
            latency_p99_ms: at(0.99),
            latency_p999_ms: at(0.999),
            latency_max_ms: at(1.0),
        }
    }

    /// The cells.
    pub fn cells(&self) -> [String; 4] {
        let all = [
            self.latency_p50_ms,
            self.latency_p99_ms,
            self.latency_p999_ms,
            self.latency_max_ms,
        ];
        all.map(|figure| cell(figure, 1))
    }
}

impl Row for Measured {
    const HEADINGS: &'static [&'static str] = &[
        "notify",
        "changes",
        Latency::HEADINGS[0],
        Latency::HEADINGS[1],
        Latency::HEADINGS[2],
        Latency::HEADINGS[3],
        "of a processor",
        "missing",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.notify.to_string(), self.changes.to_string()];
        cells.extend(self.latency.cells());
        cells.extend([cell(self.processor_share, 3), self.missing.to_string()]);
        cells
    }

    fn missing(&self) -> u64 {
        self.missing
    }
}

/// Measures and prints.
pub async fn run(args: LatencyArgs) -> Result<(), Failure> {
    let limit = args.common.limit()?;
    let mut rows = Vec::new();
    for notify in [false, true] {
        if notify && args.common.server.is_none() {
            continue;
        }
        progress(&format!("{:?}, capture.notify = {notify}", args.time));
        let settings = format!("capture.notify = {notify}\n");
        let measure = async |house: &mut House| measure(&args, notify, house).await;
        rows.push(args.common.in_house(&settings, measure).await?);
    }
    args.common.tell("latency", limit, rows)
}

async fn measure(args: &LatencyArgs, notify: bool, house: &House) -> Result<Measured, Failure> {
    let mut sink = Sink::start()?;
    let receiver = Registered::plain(sink.uri(1), LoadTable::Items);
    house.register(&receiver).await?;
    let before = house.usage();
    let changes = House::write_at(&house.load, LoadTable::Items, 1, args.rate, args.time).await?;
    let after = house.usage();
    let came = |receipts: &[_]| receipts.len() as u64 >= changes;
    sink.wait(PATIENCE, came).await?;
    let share = before.zip(after).map(|(before, after)| {
        (after.processor - before.processor).as_secs_f64() / args.time.as_secs_f64()
    });
    Ok(Measured {
        notify,
        changes,
        latency: Latency::of(&latencies(sink.receipts.iter())),
        processor_share: share,
        missing: changes.saturating_sub(sink.receipts.len() as u64),
    })
}
