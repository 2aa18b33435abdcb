//! Healthy receivers alone, and beside sick ones: their latency and their rate should be the same.
//!
//! The sick ones have work all the time: changes of another table wait for them when the measurement begins, and
//! further ones come. What writing those costs is there in every line, so that a line differs from the first one by
//! what is sick alone.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::{http::sink::Receipt, sample::load::LoadTable};

use super::{
    super::Failure,
    Common,
    house::{House, Registered},
    report::{Row, cell, latencies, median, milliseconds, progress, quantile, seconds, unique},
    sink_process::Sink,
};

/// Healthy receivers' latency and rate, alone and beside sick ones
///
/// The sick ones hang, refuse, reset, take three seconds, answer without end, speak no TLS, have no name, or
/// answer 500, in turn. First changes come at a steady rate: p50, p99 and max are from just before a change
/// is committed to its receipt. Then many changes are committed at once: how many deliveries per second follow.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct IsolationArgs {
    /// Healthy receivers; each gets every change
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    healthy: u32,
    /// Sick receivers beside them, one measurement for each number
    #[arg(
        long,
        value_name = "N,N…",
        value_delimiter = ',',
        default_value = "0,8,100"
    )]
    sick: Vec<usize>,
    /// Changes per second while latency is measured
    #[arg(long, value_name = "R", default_value_t = 50.0)]
    rate: f64,
    /// For how long latency is measured
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = humantime::parse_duration)]
    time: Duration,
    /// Rounds in which the measurements take turns, so that what else the machine does meets all of them; each figure is
    /// the median over the rounds
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Deliveries while the rate is measured
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    deliveries: u64,
    #[command(flatten)]
    common: Common,
}

/// Changes of the other table that wait for each sick receiver when the measurement begins.
const WAITING: u64 = 100;
/// Further ones per second.
const FURTHER: f64 = 1.0;
/// How long the sick ones are tried before the measurement begins.
const BEFORE: Duration = Duration::from_secs(3);
/// How long deliveries are waited for.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Serialize)]
struct Measured {
    sick: usize,
    healthy: u32,
    latency_p50_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    latency_max_ms: Option<f64>,
    deliveries_per_second: f64,
    of_limit: f64,
    of_first_line: f64,
    peak_memory_mib: Option<f64>,
    processor_seconds: Option<f64>,
    missing: u64,
    repeated: u64,
}

impl Row for Measured {
    const HEADINGS: &'static [&'static str] = &[
        "healthy",
        "sick",
        "p50 ms",
        "p99 ms",
        "max ms",
        "deliveries/s",
        "of the first line",
        "of the limit",
        "memory MiB",
        "CPU s",
        "missing",
        "repeated",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.healthy.to_string(),
            self.sick.to_string(),
            cell(self.latency_p50_ms, 1),
            cell(self.latency_p99_ms, 1),
            cell(self.latency_max_ms, 1),
            cell(Some(self.deliveries_per_second), 0),
            cell(Some(self.of_first_line), 2),
            cell(Some(self.of_limit), 3),
            cell(self.peak_memory_mib, 0),
            cell(self.processor_seconds, 1),
            self.missing.to_string(),
            self.repeated.to_string(),
        ]
    }

    fn missing(&self) -> u64 {
        self.missing
    }
}

/// Measures and prints.
pub async fn run(args: IsolationArgs) -> Result<(), Failure> {
    let mut limits = Vec::new();
    let mut rounds: Vec<Vec<Measured>> = args.sick.iter().map(|_| Vec::new()).collect();
    for round in 1..=args.rounds {
        let limit = args.common.limit()?;
        limits.push(limit);
        for (sick, measured) in args.sick.iter().zip(&mut rounds) {
            let (healthy, of) = (args.healthy, args.rounds);
            progress(&format!(
                "round {round} of {of}: {healthy} healthy receivers beside {sick} sick ones"
            ));
            let measure = async |house: &mut House| measure(&args, house, *sick, limit).await;
            measured.push(args.common.in_house("", measure).await?);
        }
    }
    let mut rows: Vec<Measured> = rounds
        .iter()
        .map(|rounds| Measured::median(rounds))
        .collect();
    let first = rows.first().map(|row| row.deliveries_per_second);
    for row in &mut rows {
        row.of_first_line = first.map_or(1.0, |first| row.deliveries_per_second / first);
    }
    let limit = median(limits.into_iter());
    args.common.tell("isolation", limit, rows)
}

impl Measured {
    /// Of several rounds, for each figure; what is missing or came twice did so in any of them.
    fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure));
        let known = |figure: fn(&Self) -> Option<f64>| {
            let all: Option<Vec<f64>> = rounds.iter().map(figure).collect();
            all.filter(|all| !all.is_empty())
                .map(|all| median(all.into_iter()))
        };
        let first = rounds.first();
        Self {
            sick: first.map_or(0, |first| first.sick),
            healthy: first.map_or(0, |first| first.healthy),
            latency_p50_ms: known(|one| one.latency_p50_ms),
            latency_p99_ms: known(|one| one.latency_p99_ms),
            latency_max_ms: known(|one| one.latency_max_ms),
            deliveries_per_second: of(|one| one.deliveries_per_second),
            of_limit: of(|one| one.of_limit),
            of_first_line: 1.0,
            peak_memory_mib: known(|one| one.peak_memory_mib),
            processor_seconds: known(|one| one.processor_seconds),
            missing: rounds.iter().map(|one| one.missing).sum(),
            repeated: rounds.iter().map(|one| one.repeated).sum(),
        }
    }
}

async fn measure(
    args: &IsolationArgs,
    house: &House,
    sick: usize,
    limit: f64,
) -> Result<Measured, Failure> {
    let mut sink = Sink::start()?;
    for number in 0..sick {
        house
            .register(&Registered::plain(
                sink.sick_uri(number).to_owned(),
                LoadTable::Others,
            ))
            .await?;
    }
    for number in 1..=args.healthy {
        house
            .register(&Registered::plain(sink.uri(number), LoadTable::Items))
            .await?;
    }
    let insert = house.load.insert(LoadTable::Others, 1, WAITING);
    insert.await.map_err(Failure::of_work)?;
    let further = tokio::task::spawn_local({
        let (load, args_time) = (house.load.clone(), args.time);
        async move {
            let time = BEFORE + args_time + 2 * PATIENCE;
            House::write_at(&load, LoadTable::Others, WAITING + 1, FURTHER, time).await
        }
    });
    tokio::time::sleep(BEFORE).await;

    let last = House::write_at(&house.load, LoadTable::Items, 1, args.rate, args.time).await?;
    let healthy = u64::from(args.healthy);
    let live = last * healthy;
    // Counting what is unique costs this machine something: only once it may be enough.
    let came = |receipts: &[Receipt], number: u64| {
        receipts.len() as u64 >= number && unique(receipts.iter()) >= number
    };
    sink.wait(PATIENCE, |receipts| came(receipts, live)).await?;
    let latencies = latencies(sink.receipts.iter());
    let before = sink.receipts.len();

    let rows = args.deliveries.div_ceil(healthy);
    let insert = house.load.insert(LoadTable::Items, last + 1, rows);
    insert.await.map_err(Failure::of_work)?;
    let owed = live + rows * healthy;
    sink.wait(PATIENCE, |receipts| came(receipts, owed)).await?;
    further.abort();
    let bulk = &sink.receipts[before..];
    let (first, last) = (
        bulk.iter().map(|one| one.made_at).min(),
        bulk.iter().map(|one| one.at).max(),
    );
    let took = seconds(first.unwrap_or(0), last.unwrap_or(0));
    let rate = bulk.len() as f64 / took;
    let unique = unique(sink.receipts.iter());
    let usage = house.usage();
    house.tell_if_fewer(unique, owed);
    Ok(Measured {
        sick,
        healthy: args.healthy,
        latency_p50_ms: milliseconds(quantile(&latencies, 0.5)),
        latency_p99_ms: milliseconds(quantile(&latencies, 0.99)),
        latency_max_ms: milliseconds(quantile(&latencies, 1.0)),
        deliveries_per_second: rate,
        of_limit: rate / limit,
        of_first_line: 1.0,
        peak_memory_mib: usage.map(|usage| usage.peak_mib()),
        processor_seconds: usage.map(|usage| usage.processor.as_secs_f64()),
        missing: owed.saturating_sub(unique),
        repeated: sink.receipts.len() as u64 - unique,
    })
}
