//! How many changes per second become deliveries, and what each costs.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::{
    http::sink::Receipt,
    sample::load::{LoadTable, now_micros},
};

use super::{
    super::Failure,
    Common,
    house::{House, Registered},
    pace::{MARKER, Paced, until_fanned_out, write_all},
    report::{Row, cell, latencies, milliseconds, progress, quantile, seconds, unique},
    sink_process::Sink,
    usage::{ServerUsage, Usage},
};

/// How many changes per second become deliveries
///
/// "singles" and "tens": an application commits one row, or ten, at a time on four connections, as fast as rowhook keeps
/// up: the next commit waits while 2,000 deliveries have not come. "bulk": one statement changes many rows. "waiting":
/// many events wait behind a throttle that is lifted. "unread": many changes wait while rowhook is stopped.
/// "fifty" and "thousand": each change goes to so many receivers. "lanes": a hundred receivers each get a hundredth of the
/// changes, by a filter. CPU time is for one delivery; that of the application's own connections, its
/// triggers among it, stands apart.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct FlowArgs {
    /// What to measure, one line for each [default: all but thousand]
    #[arg(long, value_name = "LINE,LINE…", value_delimiter = ',')]
    lines: Option<Vec<Line>>,
    /// For how long changes are committed
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = humantime::parse_duration)]
    time: Duration,
    /// Rows that are changed at once, and events that wait
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,
    /// Instances of rowhook that share the database; PostgreSQL only
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=20))]
    instances: u8,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Line {
    Singles,
    Tens,
    Bulk,
    Waiting,
    Unread,
    Fifty,
    Thousand,
    Lanes,
}

/// Deliveries on their way while the application writes at full speed.
const ON_THEIR_WAY: u64 = 2000;
/// And for each receiver that gets every change.
const FOR_EACH: u64 = 10;
/// What comes in the beginning is left out: connections are being opened.
const WARM_UP: Duration = Duration::from_secs(2);
/// Rows in a transaction, where they are to wait.
const AT_ONCE: u64 = 10_000;
/// How long deliveries are waited for.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Serialize)]
struct Measured {
    line: Line,
    receivers: u32,
    commits_per_second: Option<f64>,
    deliveries_per_second: f64,
    of_limit: f64,
    latency_p50_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    rowhook_micros: Option<f64>,
    database_micros: Option<f64>,
    application_micros: Option<f64>,
    peak_memory_mib: Option<f64>,
    missing: u64,
    repeated: u64,
}

impl Row for Measured {
    const HEADINGS: &'static [&'static str] = &[
        "changes",
        "receivers",
        "commits/s",
        "deliveries/s",
        "of the limit",
        "p50 ms",
        "p99 ms",
        "rowhook µs",
        "database µs",
        "application µs",
        "memory MiB",
        "missing",
        "repeated",
    ];

    fn cells(&self) -> Vec<String> {
        let name = self.line.to_possible_value();
        vec![
            name.map_or_else(String::new, |name| name.get_name().to_owned()),
            self.receivers.to_string(),
            cell(self.commits_per_second, 0),
            cell(Some(self.deliveries_per_second), 0),
            cell(Some(self.of_limit), 3),
            cell(self.latency_p50_ms, 0),
            cell(self.latency_p99_ms, 0),
            cell(self.rowhook_micros, 0),
            cell(self.database_micros, 0),
            cell(self.application_micros, 0),
            cell(self.peak_memory_mib, 0),
            self.missing.to_string(),
            self.repeated.to_string(),
        ]
    }

    fn missing(&self) -> u64 {
        self.missing
    }
}

/// Measures and prints.
pub async fn run(args: FlowArgs) -> Result<(), Failure> {
    if args.instances > 1 && args.common.server.is_none() {
        return Err(Failure::of_usage(
            "--instances needs --server: an embedded database has one instance",
        ));
    }
    let limit = args.common.limit()?;
    let all = Line::value_variants().iter().copied();
    let lines = args.lines.clone();
    let lines = lines.unwrap_or_else(|| all.filter(|line| *line != Line::Thousand).collect());
    let mut rows = Vec::new();
    for line in lines {
        progress(&format!("{line:?}"));
        let measure = async |house: &mut House| {
            house.share_among(usize::from(args.instances)).await?;
            measure(&args, line, limit, house).await
        };
        rows.push(args.common.in_house("", measure).await?);
    }
    args.common.tell("flow", limit, rows)
}

impl Line {
    fn receivers(self) -> u32 {
        match self {
            Self::Singles | Self::Tens | Self::Bulk | Self::Waiting | Self::Unread => 1,
            Self::Fifty => 50,
            Self::Thousand => 1000,
            Self::Lanes => 100,
        }
    }

    /// Which of the rows a receiver gets.
    fn filter(self, receiver: u32) -> Option<String> {
        (self == Self::Lanes).then(|| format!("new.lane == {}", receiver - 1))
    }

    fn deliveries_per_row(self) -> u64 {
        match self {
            Self::Lanes => 1,
            _ => u64::from(self.receivers()),
        }
    }

    /// What is committed at full speed; none where everything is committed before.
    fn pace(self, time: Duration) -> Option<Paced> {
        let rows = match self {
            Self::Bulk | Self::Waiting | Self::Unread => return None,
            Self::Tens | Self::Lanes => 10,
            Self::Singles | Self::Fifty | Self::Thousand => 1,
        };
        let deliveries_per_row = self.deliveries_per_row();
        Some(Paced {
            rows,
            deliveries_per_row,
            on_their_way: ON_THEIR_WAY.max(FOR_EACH * deliveries_per_row),
            time,
        })
    }
}

/// What was measured between two moments, in microseconds since 1970.
struct Stretch {
    from: u64,
    to: u64,
    commits: Option<u64>,
}

async fn measure(
    args: &FlowArgs,
    line: Line,
    limit: f64,
    house: &mut House,
) -> Result<Measured, Failure> {
    let mut sink = Sink::start()?;
    let mut receivers = Vec::new();
    for number in 1..=line.receivers() {
        let settings = match line {
            // Nothing but the first one goes before it is lifted.
            Line::Waiting => json!({"rateLimit": {"perSecond": 0.01, "burst": 1}}),
            _ => json!({}),
        };
        let receiver = Registered {
            uri: sink.uri(number),
            table: LoadTable::Items,
            settings,
            filter: line.filter(number),
        };
        receivers.push(house.register(&receiver).await?);
    }
    let prepared = prepare(args, line, house, &mut sink).await?;
    let before = (house.usage(), ServerUsage::so_far(&house.load).await?);
    let skipped = sink.receipts.len();
    let mut stretch = act(args, line, house, &mut sink, &receivers).await?;

    let rows = prepared.unwrap_or_else(|| match line.pace(args.time) {
        Some(pace) => stretch.commits.unwrap_or(0) * pace.rows,
        None => args.rows,
    });
    let owed = rows * line.deliveries_per_row();
    let came = |receipts: &[Receipt]| {
        receipts.len() as u64 >= owed && unique(measured_deliveries(receipts)) >= owed
    };
    sink.wait(PATIENCE, came).await?;
    let after = (house.usage(), ServerUsage::so_far(&house.load).await?);

    let measured = &sink.receipts[skipped..];
    if stretch.commits.is_none() {
        stretch.to = measured.iter().map(|one| one.at).max().unwrap_or(0);
        if stretch.from == 0 {
            stretch.from = measured.iter().map(|one| one.at).min().unwrap_or(0);
        }
    }
    let within = |receipt: &&Receipt| (stretch.from..=stretch.to).contains(&receipt.at);
    let took = seconds(stretch.from, stretch.to);
    let rate = measured.iter().filter(within).count() as f64 / took;
    let latencies = match stretch.commits {
        Some(_) => latencies(measured.iter().filter(within)),
        None => Vec::new(),
    };
    let each = |time: Duration| time.as_secs_f64() * 1e6 / measured.len() as f64;
    let used = |of: fn(&Usage) -> Duration| {
        // A service that was started meanwhile has used nothing before.
        let before = before.0.as_ref().map_or(Duration::ZERO, of);
        after.0.as_ref().map(|usage| each(of(usage) - before))
    };
    let server = |of: fn(&ServerUsage) -> Duration| {
        let (before, after) = before.1.as_ref().zip(after.1.as_ref())?;
        Some(each(of(after).saturating_sub(of(before))))
    };
    let unique = unique(measured_deliveries(&sink.receipts));
    house.tell_if_fewer(unique, owed);
    // The full time, the beginning among it.
    let commits = |commits: u64| commits as f64 / args.time.as_secs_f64();
    Ok(Measured {
        line,
        receivers: line.receivers(),
        commits_per_second: stretch.commits.map(commits),
        deliveries_per_second: rate,
        of_limit: rate / limit,
        latency_p50_ms: milliseconds(quantile(&latencies, 0.5)),
        latency_p99_ms: milliseconds(quantile(&latencies, 0.99)),
        rowhook_micros: used(|usage| usage.processor),
        database_micros: server(|usage| usage.rest),
        application_micros: server(|usage| usage.application),
        peak_memory_mib: after.0.map(|usage| usage.peak_mib()),
        missing: owed.saturating_sub(unique),
        repeated: measured_deliveries(&sink.receipts).count() as u64 - unique,
    })
}

/// What is to be there when measuring begins: how many rows that were.
async fn prepare(
    args: &FlowArgs,
    line: Line,
    house: &mut House,
    sink: &mut Sink,
) -> Result<Option<u64>, Failure> {
    match line {
        Line::Waiting => {
            write_all(&house.load, args.rows, AT_ONCE).await?;
            until_fanned_out(house, sink, PATIENCE).await?;
        }
        Line::Unread => {
            house.stop_service();
            write_all(&house.load, args.rows, AT_ONCE).await?;
        }
        _ => return Ok(None),
    }
    Ok(Some(args.rows))
}

/// Lets happen what is measured; from when on, and until when where that is known.
async fn act(
    args: &FlowArgs,
    line: Line,
    house: &mut House,
    sink: &mut Sink,
    receivers: &[i64],
) -> Result<Stretch, Failure> {
    let (mut from, mut to, mut commits) = (0, 0, None);
    if let Some(pace) = line.pace(args.time) {
        let warm_up = WARM_UP.min(args.time / 4).as_micros() as u64;
        from = now_micros() + warm_up;
        commits = Some(pace.write(&house.load, sink).await?);
        to = now_micros();
    } else if line == Line::Bulk {
        write_all(&house.load, args.rows, args.rows).await?;
        from = now_micros();
    } else if line == Line::Unread {
        house.start_service().await?;
    } else {
        for receiver in receivers {
            house.lift_throttle(*receiver).await?;
        }
    }
    Ok(Stretch { from, to, commits })
}

fn measured_deliveries(receipts: &[Receipt]) -> impl Iterator<Item = &Receipt> {
    receipts.iter().filter(|receipt| receipt.receiver != MARKER)
}
