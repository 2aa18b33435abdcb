//! The command line: one file per command. 0 is success, 2 bad usage or configuration, 1 failure.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks to its user"
)]

mod api_client;
mod demo;
mod healthcheck;
mod keys;
mod migrate;
mod serve;

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    app::{self, StartError},
    config::{self, ConfigError, Settings},
    store::StoreError,
    telemetry::logs,
};

#[derive(Parser)]
#[command(
    name = "rowhook",
    version,
    about = "Turns committed database changes into signed webhooks",
    long_about = "rowhook watches the database itself: every committed row change of a watched table, \
                  whoever made it, becomes one signed HTTP POST per matching subscription.\n\n\
                  Try it: rowhook demo",
    propagate_version = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the main job on an embedded database: no set-up, nothing left behind
    Demo(demo::DemoArgs),
    /// Run the service
    Serve(serve::ServeArgs),
    /// Apply, take back or list the migrations of rowhook's own tables
    Migrate(migrate::MigrateArgs),
    /// Make API keys
    Keys(keys::KeysArgs),
    /// Ask a running service whether it is up, or ready
    Healthcheck(healthcheck::HealthcheckArgs),
}

/// Where the settings come from.
#[derive(Args)]
struct ConfigArgs {
    /// The configuration file [default: rowhook.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "ROWHOOK_CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn load(&self) -> Result<Settings, Failure> {
        let loaded = config::load(self.config.as_deref(), std::env::vars())?;
        for name in &loaded.unknown_variables {
            tracing::warn!("{name} is no setting of rowhook and is ignored");
        }
        Ok(loaded.settings)
    }
}

/// Why a command ends badly: what the user reads, and the exit code.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn of_usage(message: impl fmt::Display) -> Self {
        Self {
            code: 2,
            message: message.to_string(),
        }
    }

    fn of_work(message: impl fmt::Display) -> Self {
        Self {
            code: 1,
            message: message.to_string(),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::of_usage(error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        if error.is_configuration() {
            Self::of_usage(error)
        } else {
            Self::of_work(error)
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::of_work(error)
    }
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    logs::start(matches!(cli.command, Command::Demo(_)));
    // The one cryptography provider of this process; a second call would only say that it is there.
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    let done = app::block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Migrate(args) => migrate::run(args).await,
            Command::Keys(args) => keys::run(args).await,
            Command::Healthcheck(args) => healthcheck::run(args).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("rowhook: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// Resolves when the process is asked to end.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}
