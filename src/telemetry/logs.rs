//! The log: one line per thing that matters, to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    EnvFilter,
    filter::{Directive, LevelFilter},
};

/// The variable that sets what is logged: `info` by default, for example `rowhook=debug`.
const LEVEL: &str = "ROWHOOK_LOG";
/// The variable that sets how: `text` (the default) or `json`.
const FORMAT: &str = "ROWHOOK_LOG_FORMAT";

fn quiet_library(name: &str) -> Directive {
    format!("{name}=warn")
        .parse()
        .expect("a fixed directive is valid")
}

/// Starts logging; `quiet` logs warnings only, unless the variable says otherwise.
pub fn start(quiet: bool) {
    let default = if quiet {
        LevelFilter::WARN
    } else {
        LevelFilter::INFO
    };
    let filter = EnvFilter::builder()
        .with_default_directive(default.into())
        .with_env_var(LEVEL)
        .from_env_lossy()
        // Libraries that tell of each statement and worker.
        .add_directive(quiet_library("sqlx"))
        .add_directive(quiet_library("sea_orm_migration"))
        .add_directive(quiet_library("actix_server"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // A second start, as tests make it, keeps the first one's settings.
    let _first_wins = if std::env::var(FORMAT).is_ok_and(|format| format == "json") {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}
