//! Looks at everything that capture rests on, and tells what is wrong and what to do.
//!
//! `rowhook doctor` prints it, and the API answers it (`webhookDoctor`); whoever asks hands in the doors to look
//! through. It only looks: nothing is made or changed, whether the service runs or not.

mod account;
mod checks;
mod report;

use chrono::{DateTime, Utc};

use crate::{
    domain::retention::Keep,
    store::{
        capture::CaptureView,
        catalogue::{ResourceInstaller, WantedResource},
        health::Health,
        reconciliation::Reconciliation,
        schema::{Schema, State},
    },
};

pub use report::{About, Finding, Report, Severity};

/// Of the newest changes, and of the newest events, so many are compared unless somebody says how many.
pub const CHANGES: u32 = 10_000;

/// What is looked through and what is expected.
#[derive(Clone, Copy)]
pub struct Doors<'a> {
    /// The tables' triggers.
    pub installer: &'a dyn ResourceInstaller,
    /// The tables that are to have some.
    pub wanted: &'a [WantedResource],
    /// What stands around capture.
    pub health: &'a dyn Health,
    /// How far capture is.
    pub capture: &'a dyn CaptureView,
    /// Changes and events.
    pub reconciliation: &'a dyn Reconciliation,
    /// How long events are kept.
    pub keep: Keep,
}

/// Looks at everything. `schema`: which migrations are applied, or why that can not be told. Of the newest
/// changes and events so many are compared.
pub async fn examine(
    doors: Doors<'_>,
    schema: Result<Schema, String>,
    changes: u32,
    now: DateTime<Utc>,
) -> Report {
    let mut report = Report::default();
    if !is_set_up(schema, &mut report) {
        checks::rights(doors.health, &mut report).await;
        return report;
    }
    let all_fire = checks::triggers(doors.installer, doors.wanted, &mut report).await;
    checks::replica_settings(doors.health, all_fire, &mut report).await;
    let at_home = checks::identity(doors.health, &mut report).await;
    checks::capture(doors.capture, &mut report).await;
    checks::open_transaction(doors.capture, &mut report).await;
    checks::rights(doors.health, &mut report).await;
    checks::dead_rows(doors.health, &mut report).await;
    checks::journal(doors.health, &mut report).await;
    if at_home {
        account::reconcile(doors.reconciliation, changes, doors.keep, now, &mut report).await;
    }
    report
}

/// Whether rowhook's own tables are there to be looked at.
fn is_set_up(schema: Result<Schema, String>, report: &mut Report) -> bool {
    let place = "migrations";
    let looked = schema.map(|schema| (schema.is_not_too_new(), schema.count(State::Pending)));
    match looked {
        Ok((Ok(()), 0)) => {
            report.add(Severity::Ok, About::Schema, place, "all are applied");
            return true;
        }
        Ok((Err(too_new), _)) => report.advise(
            Severity::Problem,
            About::Schema,
            place,
            too_new.to_string(),
            "use the newer release's rowhook",
        ),
        Ok((Ok(()), pending)) => report.advise(
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
