//! `rowhook bench`: measures what rowhook promises, on the machine and the database at hand.
//!
//! Each scenario makes a database of its own, starts the very binary as a service, receivers as a process of their
//! own (`sink_process.rs`), changes rows and watches what comes (`house.rs`). Before that it measures what a client loop
//! without any database sends to the same receivers (`plain_http.rs`), since ratios to that limit hold across machines
//! where figures do not.

mod backlog;
mod flow;
mod house;
mod idle;
mod isolation;
mod latency;
mod pace;
mod plain_http;
mod process;
mod recovery;
mod report;
mod sick;
mod sink_process;
mod throttle;
mod usage;

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Failure, told_to_stop};
use house::House;
use report::{Report, Row};

/// Measure latency, rates and isolation on this machine
///
/// Each scenario makes a database of its own and drops it again, starts rowhook and receivers as processes, and
/// prints a table. The figures of one machine say little of another; each run measures what the same receivers
/// take from a bare client loop and prints the ratio to that.
#[derive(Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    Flow(flow::FlowArgs),
    Latency(latency::LatencyArgs),
    Backlog(backlog::BacklogArgs),
    Idle(idle::IdleArgs),
    Isolation(isolation::IsolationArgs),
    Throttle(throttle::ThrottleArgs),
    Recovery(recovery::RecoveryArgs),
    /// The receivers, for the scenarios
    #[command(hide = true)]
    Sink,
}

/// What every scenario is told.
#[derive(Args)]
struct Common {
    /// A PostgreSQL server where the user may create databases (postgres://user@host/postgres) [default: the embedded
    /// database]
    #[arg(
        long,
        value_name = "URL",
        env = "ROWHOOK_BENCH_SERVER",
        hide_env_values = true
    )]
    server: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How long the bare client loop is measured.
const LIMIT: Duration = Duration::from_secs(3);

impl Common {
    /// Measures in a house of its own, which is gone afterwards, also when somebody ends the bench meanwhile. `settings`:
    /// further lines of rowhook's configuration.
    async fn in_house<T>(
        &self,
        settings: &str,
        measure: impl AsyncFnOnce(&mut House) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut house = House::start(self.server.as_deref(), settings).await?;
        let measured = tokio::select! {
            measured = measure(&mut house) => measured,
            () = told_to_stop() => Err(Failure::of_work("ended before everything was measured")),
        };
        house.stop().await?;
        measured
    }

    /// Prints what came of a scenario; fails where a delivery did not come.
    fn tell<R: Row>(
        &self,
        scenario: &'static str,
        limit_per_second: f64,
        rows: Vec<R>,
    ) -> Result<(), Failure> {
        let missing: u64 = rows.iter().map(Row::missing).sum();
        let report = Report {
            scenario,
            database: match self.server {
                Some(_) => "postgres",
                None => "sqlite",
            },
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            limit_per_second,
            rows,
        };
        report.print(self.json)?;
        match missing {
            0 => Ok(()),
            missing => Err(Failure::of_work(format!(
                "{missing} deliveries did not come"
            ))),
        }
    }

    /// What the bare client loop does now.
    fn limit(&self) -> Result<f64, Failure> {
        report::progress("a bare client loop, for the limit of this machine");
        let sink = sink_process::Sink::start()?;
        plain_http::bare_limit(sink.address(), LIMIT)
    }
}

/// Runs the scenario.
pub async fn run(args: BenchArgs) -> Result<(), Failure> {
    match args.scenario {
        Scenario::Flow(args) => flow::run(args).await,
        Scenario::Latency(args) => latency::run(args).await,
        Scenario::Backlog(args) => backlog::run(args).await,
        Scenario::Idle(args) => idle::run(args).await,
        Scenario::Isolation(args) => isolation::run(args).await,
        Scenario::Throttle(args) => throttle::run(args).await,
        Scenario::Recovery(args) => recovery::run(args).await,
        Scenario::Sink => sink_process::serve().await,
    }
}
