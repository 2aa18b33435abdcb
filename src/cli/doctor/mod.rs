//! `rowhook doctor`: looks at everything that capture rests on, and tells what is wrong and what to do.

mod account;
mod checks;
mod report;

use chrono::Utc;
use clap::Args;

use crate::{
    app,
    store::sql::{
        capture::SqlCaptureView, catalogue::SqlResourceInstaller, db::Db, health::SqlHealth,
        reconciliation::SqlReconciliation,
    },
};

use super::{ConfigArgs, Failure};
use report::{About, Report, Severity};

/// Look whether every change is seen and told of, and say what to do where not
///
/// It only looks: nothing is made or changed, whether the service runs or not. Exit code 0: no problem (there
/// may be notes and warnings); 1: there is one; 2: the configuration is wrong.
#[derive(Args)]
pub struct DoctorArgs {
    /// How many of the newest changes, and of the newest events, to compare with each other
    #[arg(long, value_name = "N", default_value_t = 10_000)]
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
    let mut report = Report::default();
    let health = SqlHealth::new(db.clone());
    if is_set_up(&db, &mut report).await {
        let installer = SqlResourceInstaller::new(db.clone());
        let all_fire = checks::triggers(&installer, &wanted, &mut report).await;
        checks::replica_settings(&health, all_fire, &mut report).await;
        let at_home = checks::identity(&health, &mut report).await;
        let view = SqlCaptureView::new(db.clone());
        checks::capture(&view, &mut report).await;
        checks::open_transaction(&view, &mut report).await;
        checks::rights(&health, &mut report).await;
        checks::dead_rows(&health, &mut report).await;
        checks::journal(&health, &mut report).await;
        let store = SqlReconciliation::new(db.clone());
        let keep = settings.retention.events;
        if at_home {
            account::reconcile(&store, args.changes, keep, Utc::now(), &mut report).await;
        }
    } else {
        checks::rights(&health, &mut report).await;
    }
    db.close().await?;
    report.print(args.json);
    match report.count(Severity::Problem) {
        0 => Ok(()),
        1 => Err(Failure::of_work("there is a problem")),
        count => Err(Failure::of_work(format!("there are {count} problems"))),
    }
}

/// Whether rowhook's own tables are there to be looked at.
async fn is_set_up(db: &Db, report: &mut Report) -> bool {
    let place = "migrations";
    match db.pending_migrations().await {
        Ok(0) => {
            report.add(Severity::Ok, About::Schema, place, "all are applied");
            return true;
        }
        Ok(pending) => report.advise(
            Severity::Problem,
            About::Schema,
            place,
            format!("{pending} are not applied, so no change is seen and nothing else can be told"),
            "run `rowhook migrate up` (`rowhook serve` does it by itself unless auto_migrate is off)",
        ),
        Err(error) => report.advise(
            Severity::Problem,
            About::Schema,
            place,
            format!("it can not be told whether they are applied: {error}"),
            "let rowhook's role read the tables of schema rowhook",
        ),
    }
    false
}
