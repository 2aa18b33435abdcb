//! Receivers to which nothing is sent: what they cost.

use std::time::Duration;

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use crate::sample::load::LoadTable;

use super::{
    super::Failure,
    Common,
    house::{House, Registered},
    latency::Latency,
    report::{Row, cell, latencies, progress},
    sink_process::Sink,
    usage::ServerUsage,
};

/// What receivers cost to which nothing is sent
///
/// So many receivers are subscribed to a table that does not change, rowhook is killed and started again: how long until it
/// is ready, its memory, and what it and its database do while nothing happens. Then one more receiver gets changes of
/// another table.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct IdleArgs {
    /// Idle receivers, one measurement for each number
    #[arg(
        long,
        value_name = "N,N…",
        value_delimiter = ',',
        default_value = "0,10000"
    )]
    receivers: Vec<u32>,
    /// For how long nothing happens, and for how long latency is measured then
    #[arg(long, value_name = "DURATION", default_value = "20s", value_parser = humantime::parse_duration)]
    time: Duration,
    #[command(flatten)]
    common: Common,
}

/// Receivers that are made at once.
const AT_ONCE: usize = 8;
/// Changes per second for the one more.
const RATE: f64 = 50.0;
/// How long the last deliveries are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Measured {
    receivers: u32,
    ready_after_seconds: f64,
    peak_memory_mib: Option<f64>,
    rowhook_share: Option<f64>,
    database_share: Option<f64>,
    #[serde(flatten)]
    latency: Latency,
    missing: u64,
}

impl Row for Measured {
    const HEADINGS: &'static [&'static str] = &[
        "idle receivers",
        "ready after s",
        "memory MiB",
        "rowhook, of a processor",
        "database, of a processor",
        Latency::HEADINGS[0],
        Latency::HEADINGS[1],
        Latency::HEADINGS[2],
        Latency::HEADINGS[3],
        "missing",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            self.receivers.to_string(),
            cell(Some(self.ready_after_seconds), 2),
            cell(self.peak_memory_mib, 0),
            cell(self.rowhook_share, 4),
            cell(self.database_share, 4),
        ];
        cells.extend(self.latency.cells());
        cells.push(self.missing.to_string());
        cells
    }

    fn missing(&self) -> u64 {
        self.missing
    }
}

/// Measures and prints.
pub async fn run(args: IdleArgs) -> Result<(), Failure> {
    let limit = args.common.limit()?;
    let mut rows = Vec::new();
    for receivers in &args.receivers {
        progress(&format!("{receivers} idle receivers"));
        let measure = async |house: &mut House| measure(&args, *receivers, house).await;
        rows.push(args.common.in_house("", measure).await?);
    }
    args.common.tell("idle", limit, rows)
}

async fn measure(args: &IdleArgs, receivers: u32, house: &mut House) -> Result<Measured, Failure> {
    let mut sink = Sink::start()?;
    let (all, uri) = (&*house, sink.uri(0));
    stream::iter(0..receivers)
        .map(|_| async {
            all.register(&Registered::plain(uri.clone(), LoadTable::Others))
                .await
        })
        .buffer_unordered(AT_ONCE)
        .try_for_each(|_| std::future::ready(Ok(())))
        .await?;
    house.stop_service();
    let ready_after_seconds = house.start_service().await?.as_secs_f64();

    let before = (house.usage(), ServerUsage::so_far(&house.load).await?);
    tokio::time::sleep(args.time).await;
    let after = (house.usage(), ServerUsage::so_far(&house.load).await?);
    let share = |used: Duration| used.as_secs_f64() / args.time.as_secs_f64();
    let rowhook = before.0.zip(after.0);
    let database = before.1.zip(after.1);

    let busy = Registered::plain(sink.uri(1), LoadTable::Items);
    house.register(&busy).await?;
    let changes = House::write_at(&house.load, LoadTable::Items, 1, RATE, args.time).await?;
    sink.wait(PATIENCE, |receipts| receipts.len() as u64 >= changes)
        .await?;
    Ok(Measured {
        receivers,
        ready_after_seconds,
        peak_memory_mib: house.usage().map(|usage| usage.peak_mib()),
        rowhook_share: rowhook.map(|(before, after)| share(after.processor - before.processor)),
        database_share: database
            .map(|(before, after)| share(after.rest.saturating_sub(before.rest))),
        latency: Latency::of(&latencies(sink.receipts.iter())),
        missing: changes.saturating_sub(sink.receipts.len() as u64),
    })
}
