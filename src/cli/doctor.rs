//! `rowhook doctor`: prints what a look at everything that capture rests on has found.

use std::io::IsTerminal as _;

use chrono::Utc;
use clap::Args;

use crate::{
    app,
    doctor::{self, Doors, Severity},
    store::sql::{
        capture::SqlCaptureView, catalogue::SqlResourceInstaller, health::SqlHealth,
        reconciliation::SqlReconciliation,
    },
};

use super::{ConfigArgs, Failure};

/// Look whether every change is seen and told of, and say what to do where not
///
/// It only looks: nothing is made or changed, whether the service runs or not. Exit code 0: no problem (there
/// may be notes and warnings); 1: there is one; 2: the configuration is wrong.
#[derive(Args)]
pub struct DoctorArgs {
    /// How many of the newest changes, and of the newest events, to compare with each other
    #[arg(long, value_name = "N", default_value_t = doctor::CHANGES)]
    changes: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Looks and tells.
pub async fn run(args: DoctorArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    app::check(&settings)?;
    let db = app::connect_to_look(&settings).await?;
    let wanted = app::needed_resources(&settings, db.dialect())?;
    let doors = Doors {
        installer: &SqlResourceInstaller::new(db.clone()),
        wanted: &wanted,
        health: &SqlHealth::new(db.clone()),
        capture: &SqlCaptureView::new(db.clone()),
        reconciliation: &SqlReconciliation::new(db.clone()),
        keep: settings.retention.events,
    };
    let schema = db.schema().await;
    let schema = schema.map_err(|error| error.to_string());
    let report = doctor::examine(doors, schema, args.changes, Utc::now()).await;
    db.close().await?;
    if args.json {
        println!("{}", report.json());
    } else {
        print!("{}", report.text(std::io::stdout().is_terminal()));
    }
    match report.count(Severity::Problem) {
        0 => Ok(()),
        1 => Err(Failure::of_work("there is a problem")),
        count => Err(Failure::of_work(format!("there are {count} problems"))),
    }
}
