//! `rowhook migrate`: the schema of rowhook's own tables.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use serde_json::{Value, json};

use crate::{
    app::{self, StartError},
    config::Settings,
    store::{
        schema::{Migration, Schema, State},
        sql::{db::Db, migrations::MigrateError},
    },
};

use super::{ConfigArgs, Failure};

/// Apply, take back or list the migrations of rowhook's own tables
#[derive(Args)]
pub struct MigrateArgs {
    #[command(subcommand)]
    direction: Direction,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Subcommand)]
enum Direction {
    /// Apply every pending migration
    Up,
    /// Take the newest migrations back; what they hold is lost
    Down {
        /// How many
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// List the migrations: applied since when, pending, or unknown to this program
    ///
    /// Exit code 0: every migration that this program knows is applied, and it can work with those that it does not
    /// know; 1: some are pending, or the tables need a newer release; 2: the configuration is wrong.
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Does it and tells what was done.
pub async fn run(args: MigrateArgs) -> Result<(), Failure> {
    let settings: Settings = args.config.load()?;
    let db = match args.direction {
        Direction::Up => Db::connect(&settings.database_url, 2).await?,
        Direction::Down { .. } | Direction::Status { .. } => {
            app::connect_existing(&settings).await?
        }
    };
    match args.direction {
        Direction::Up => match db.migrate_up().await? {
            0 => println!("nothing to do: every migration is applied"),
            count => println!("{count} applied"),
        },
        Direction::Down { steps } => {
            let count = db.migrate_down(steps).await?;
            println!("{count} taken back");
        }
        Direction::Status { json } => {
            let schema = db.schema().await?;
            if json {
                println!("{}", as_json(&schema));
            } else {
                println!("{}", as_table(&schema));
            }
            schema.is_not_too_new().map_err(MigrateError::from)?;
            match schema.count(State::Pending) {
                0 => {}
                pending => return Err(StartError::Pending(pending).into()),
            }
        }
    }
    Ok(())
}

fn as_table(schema: &Schema) -> String {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_header(["MIGRATION", "STATE", "APPLIED"]);
    for one in schema.migrations() {
        let at = one.applied_at.map(written).unwrap_or_default();
        table.add_row([&*one.name, one.state.word(), &*at]);
    }
    table.trim_fmt()
}

fn as_json(schema: &Schema) -> Value {
    let one = |one: &Migration| json!({ "name": one.name, "state": one.state.word(), "appliedAt": one.applied_at.map(written) });
    json!({
        "migrations": schema.migrations().iter().map(one).collect::<Vec<_>>(),
        "pending": schema.count(State::Pending),
        "unknown": schema.count(State::Unknown),
        "tooNew": schema.is_not_too_new().err().map(|why| why.to_string()),
    })
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
