//! The command line: one file per command. 0 is success, 2 bad usage or configuration, 1 failure.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks to its user"
)]

mod api_client;
mod bench;
mod demo;
mod doctor;
mod healthcheck;
mod instances;
mod keys;
mod listen;
mod migrate;
mod rebase;
mod resources;
mod schema;
mod serve;
mod verify;

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    app::{self, StartError},
    config::{self, ConfigError, Settings, UnknownVariable},
    domain::shared_secret::SharedSecret,
    store::{
        StoreError,
        sql::{connect::ConnectError, migrations::MigrateError},
    },
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
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Doctor(doctor::DoctorArgs),
    Instances(instances::InstancesArgs),
    Migrate(migrate::MigrateArgs),
    Rebase(rebase::RebaseArgs),
    Resources(resources::ResourcesArgs),
    Keys(keys::KeysArgs),
    Listen(listen::ListenArgs),
    Verify(verify::VerifyArgs),
    Schema(schema::SchemaArgs),
    /// Print a completion script for your shell
    ///
    /// bash:  rowhook completions bash > ~/.local/share/bash-completion/completions/rowhook
    /// zsh:   rowhook completions zsh > "${fpath[1]}/_rowhook"
    /// fish:  rowhook completions fish > ~/.config/fish/completions/rowhook.fish
    #[command(verbatim_doc_comment)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    Bench(bench::BenchArgs),
    Healthcheck(healthcheck::HealthcheckArgs),
}

/// Where the settings come from.
#[derive(Args)]
struct ConfigArgs {
    /// The configuration file [default: rowhook.toml, if it is there]
    #[arg(long, value_name = "FILE", env = "ROWHOOK_CONFIG", global = true)]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn load(&self) -> Result<Settings, Failure> {
        let loaded = config::load(self.config.as_deref(), std::env::vars())?;
        for UnknownVariable { name, nearest } in &loaded.unknown_variables {
            match nearest {
                Some(nearest) => tracing::warn!(
                    "{name} is no setting of rowhook and is ignored; did you mean {nearest}?"
                ),
                None => tracing::warn!("{name} is no setting of rowhook and is ignored"),
            }
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

/// A shared secret from the command line or the environment; the message never repeats it.
fn parse_secret(text: &str) -> Result<SharedSecret, Failure> {
    SharedSecret::parse(text.trim()).map_err(|error| {
        Failure::of_usage(format!(
            "--secret: {error}; give the sharedSecret that createWebhookReceiver answered"
        ))
    })
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

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        StartError::from(error).into()
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        Self::of_work(error)
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
            Command::Doctor(args) => doctor::run(args).await,
            Command::Instances(args) => instances::run(args).await,
            Command::Migrate(args) => migrate::run(args).await,
            Command::Rebase(args) => rebase::run(args).await,
            Command::Keys(args) => keys::run(args).await,
            Command::Resources(args) => resources::run(args).await,
            Command::Listen(args) => listen::run(args).await,
            Command::Verify(args) => verify::run(&args),
            Command::Schema(args) => schema::run(&args),
            Command::Completions { shell } => {
                let mut command = Cli::command();
                clap_complete::generate(shell, &mut command, "rowhook", &mut std::io::stdout());
                Ok(())
            }
            Command::Bench(args) => bench::run(args).await,
            Command::Healthcheck(args) => healthcheck::run(args).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for line in failure.message.lines() {
                eprintln!("rowhook: {line}");
            }
            ExitCode::from(failure.code)
        }
    }
}

/// Resolves when the process is asked to end, from this call on and not only once it is awaited: in a container, where this
/// is process 1, a signal that nobody listens for is lost.
fn told_to_stop() -> impl Future<Output = ()> {
    let [terminate, interrupt] =
        [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok());
    let heard = async |signal: Option<Signal>| match signal {
        Some(mut signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    };
    async move {
        tokio::select! {
            () = heard(terminate) => {}
            () = heard(interrupt) => {}
        }
    }
}
