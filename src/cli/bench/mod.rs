//! `rowhook bench`: measures what rowhook promises, on the machine and the database at hand.
//!
//! Each scenario makes a database of its own, starts the very binary as a service, receivers as a process of their
//! own (`sink_process.rs`), changes rows and watches what comes (`house.rs`). Before that it measures what a client loop
//! without any database sends to the same receivers (`plain_http.rs`), since ratios to that limit hold across machines
//! where figures do not.

mod house;
mod isolation;
mod plain_http;
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
    /// Measures in a house of its own, which is gone afterwards, also when somebody ends the bench meanwhile.
    async fn in_house<T>(
        &self,
        measure: impl AsyncFnOnce(&House) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let house = House::start(self.server.as_deref()).await?;
        let measured = tokio::select! {
            measured = measure(&house) => measured,
            () = told_to_stop() => Err(Failure::of_work("ended before everything was measured")),
        };
        house.stop().await?;
        measured
    }

    fn database(&self) -> &'static str {
        if self.server.is_some() {
            "postgres"
        } else {
            "sqlite"
        }
    }

    /// What the bare client loop does now.
    fn limit(&self) -> Result<f64, Failure> {
        report::progress("a bare client loop, for the limit of this machine");
        let sink = sink_process::Sink::start()?;
        plain_http::bare_limit(sink.address(), LIMIT)
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs the scenario.
pub async fn run(args: BenchArgs) -> Result<(), Failure> {
    match args.scenario {
        Scenario::Isolation(args) => isolation::run(args).await,
        Scenario::Throttle(args) => throttle::run(args).await,
        Scenario::Recovery(args) => recovery::run(args).await,
        Scenario::Sink => sink_process::serve().await,
    }
}
