//! `rowhook migrate`: the schema of rowhook's own tables.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};

use crate::{app, config::Settings, store::sql::db::Db};

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
    /// List the migrations and whether they are applied
    Status,
}

/// Does it and tells what was done.
pub async fn run(args: MigrateArgs) -> Result<(), Failure> {
    let settings: Settings = args.config.load()?;
    let db = match args.direction {
        Direction::Up => Db::connect(&settings.database_url, 2).await?,
        Direction::Down { .. } | Direction::Status => app::connect_existing(&settings).await?,
    };
    match args.direction {
        Direction::Up => match db.migrate_up().await? {
            0 => println!("nothing to do: every migration is applied"),
            count => println!("{count} applied"),
        },
        Direction::Down { steps } => {
            db.migrate_down(steps).await?;
            println!("{steps} taken back");
        }
        Direction::Status => {
            let mut table = Table::new();
            table.load_style(NOTHING).set_header(["MIGRATION", "STATE"]);
            for (name, applied) in db.migrations().await? {
                table.add_row([name, if applied { "applied" } else { "pending" }.to_owned()]);
            }
            println!("{}", table.trim_fmt());
        }
    }
    Ok(())
}
