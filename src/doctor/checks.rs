//! Each thing that the doctor looks at, and what it says of it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::{
    StoreError,
    capture::{CaptureView, OpenTransaction},
    catalogue::{
        InstallError, NOT_CONFIGURED, ResourceInstaller, TriggerState, WantedResource, take_off,
    },
    health::{DeadRows, Health, Identity, ReplicaSetting},
};

use super::report::{About, Report, Severity};

/// A change that waits longer while somebody reads says that reading does not keep up.
const LONG_LAG: Duration = Duration::from_secs(60);
/// A transaction that is open for longer holds up the telling of its own changes, and vacuum.
const LONG_OPEN: Duration = Duration::from_secs(300);
/// Fewer dead rows than this are no news in any table.
const MANY_DEAD: i64 = 1000;

/// What could not be looked at is a problem of its own.
pub(super) fn unseen(report: &mut Report, about: About, place: &str, error: &StoreError) {
    report.advise(
        Severity::Problem,
        about,
        place,
        format!("it can not be looked at: {error}"),
        "mend what the database says, and look again",
    );
}

/// Each watched table; whether all of their triggers fire, whatever a session calls itself.
pub async fn triggers(
    installer: &dyn ResourceInstaller,
    wanted: &[WantedResource],
    report: &mut Report,
) -> bool {
    let about = About::Triggers;
    let mut all_fire = true;
    for one in wanted {
        let place = format!("{} ({})", one.name, one.table);
        let found = installer.trigger_state(one).await;
        all_fire &= matches!(found, Ok(TriggerState::InForce));
        match found {
            Ok(TriggerState::InForce) => report.add(
                Severity::Ok,
                about,
                place,
                "its triggers are in force, and fire always",
            ),
            Ok(state) => {
                let text = state.advice(&one.table).unwrap_or_default();
                let (what, advice) = text.split_once("; ").unwrap_or((&text, ""));
                report.advise(Severity::Problem, about, place, what, advice);
            }
            Err(InstallError::Store(error)) => unseen(report, about, &place, &error),
            Err(error) => {
                let advice = "mend its [[resources]] entry or the table, then run `rowhook resources install`";
                report.advise(Severity::Problem, about, place, error.to_string(), advice);
            }
        }
    }
    match installer.installed().await {
        Ok(installed) => {
            for one in installed {
                if wanted.iter().all(|wanted| wanted.name != one.name) {
                    report.advise(
                        Severity::Note,
                        about,
                        format!("{} ({})", one.name, one.definition.table),
                        NOT_CONFIGURED,
                        take_off(&one.name),
                    );
                }
            }
        }
        Err(error) => unseen(report, about, "installed resources", &error),
    }
    all_fire
}

/// Settings under which sessions write as replicas do.
pub async fn replica_settings(health: &dyn Health, all_fire: bool, report: &mut Report) {
    let about = About::ReplicaRole;
    match health.replica_settings().await {
        Ok(settings) => {
            for setting in &settings {
                replica_setting(setting, all_fire, report);
            }
        }
        Err(error) => unseen(report, about, "session_replication_role", &error),
    }
}

fn replica_setting(setting: &ReplicaSetting, all_fire: bool, report: &mut Report) {
    let of_role = setting.role.as_ref().map(|role| format!("role {role}"));
    let of_database = setting
        .database
        .as_ref()
        .map(|name| format!("database {name}"));
    let place = match (of_role, of_database) {
        (Some(role), Some(database)) => format!("{role} in {database}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "the whole server".to_owned(),
    };
    let what = "its sessions begin with session_replication_role = replica, under which ordinary triggers do \
                not fire";
    if all_fire {
        report.add(
            Severity::Note,
            About::ReplicaRole,
            place,
            format!("{what}; rowhook's are enabled ALWAYS, so its changes are logged all the same"),
        );
    } else {
        report.advise(
            Severity::Warning,
            About::ReplicaRole,
            place,
            format!("{what}; where one of rowhook's is not enabled ALWAYS, its changes are lost to receivers"),
            "mend the triggers that are named above, or reset the setting",
        );
    }
}

/// Whether this is the database in which the cursor means something.
/// Where it is another cluster's, nothing can be said of changes: `false`.
pub async fn identity(health: &dyn Health, report: &mut Report) -> bool {
    match health.identity().await {
        Ok(None) => {}
        Ok(Some(found)) => {
            whose(&found, report);
            return found.cluster == found.cursor_cluster;
        }
        Err(error) => unseen(report, About::Identity, "cursor", &error),
    }
    true
}

fn whose(found: &Identity, report: &mut Report) {
    let about = About::Identity;
    if found.is_standby {
        report.advise(
            Severity::Problem,
            about,
            "server",
            "it is a standby and takes no writes, so nothing can be captured or delivered from it",
            "point database_url at the primary server",
        );
    }
    if found.cluster != found.cursor_cluster {
        report.advise(
            Severity::Problem,
            about,
            "cursor",
            format!(
                "it belongs to cluster {}, and this is cluster {}: the database was restored or upgraded into \
                 another cluster, so no change is read and nothing is delivered",
                found.cursor_cluster, found.cluster
            ),
            "if this database is to work on, run `rowhook rebase`; it says first what would be delivered",
        );
    } else if found.cursor_is_ahead {
        report.advise(
            Severity::Problem,
            about,
            "cursor",
            "it has seen transactions that this database has not had: the database was set back to an earlier \
             state, and changes to come will be taken for ones that were told of",
            "restore a state that is not older than the cursor, or settle the cursor before anything is written",
        );
    } else if found.timeline != found.cursor_timeline {
        report.advise(
            Severity::Warning,
            about,
            "cursor",
            format!(
                "it was made on timeline {}, and this is timeline {}: the database failed over to another \
                 server, or was recovered; reading goes on, but changes that the old server had told of may \
                 be gone from this one",
                found.cursor_timeline, found.timeline
            ),
            "where the standby was not synchronous, compare receivers with the tables",
        );
    } else if found.changes_to_finish {
        report.add(
            Severity::Note,
            about,
            "cursor",
            "it belongs to this cluster; changes that were restored from another one are read first",
        );
    } else {
        report.add(
            Severity::Ok,
            about,
            "cursor",
            "it belongs to this cluster and timeline",
        );
    }
}

/// Who reads changes, how far they are read, and how long the oldest has waited.
pub async fn capture(view: &dyn CaptureView, report: &mut Report) {
    let about = About::Capture;
    let (state, lag) = match (view.state().await, view.lag().await) {
        (Ok(state), Ok(lag)) => (state, lag),
        (Err(error), _) | (_, Err(error)) => return unseen(report, about, "cursor", &error),
    };
    report.add(
        Severity::Ok,
        about,
        "watermark",
        format!(
            "{} (changes were fanned out last at {})",
            state.watermark,
            moment(state.fanned_out_at)
        ),
    );
    let waiting = format!("the oldest change that waits has waited {}", words(lag));
    let start =
        "start `rowhook serve`, or look at its log; another instance takes over within 6 seconds";
    match &state.poller {
        None if lag.is_zero() => report.add(
            Severity::Note,
            about,
            "poller",
            "nobody reads changes just now, and none waits; `rowhook serve` would",
        ),
        None => report.advise(
            Severity::Warning,
            about,
            "poller",
            format!("nobody reads changes, and {waiting}"),
            start,
        ),
        Some(poller) if lag > LONG_LAG => report.advise(
            Severity::Warning,
            about,
            "poller",
            format!("{poller} reads changes, and {waiting}"),
            "look at /readyz and the log of that instance: it may be catching up, or the database be slow",
        ),
        Some(poller) => {
            let behind = if lag.is_zero() {
                "and none waits".to_owned()
            } else {
                format!("and {waiting}")
            };
            report.add(
                Severity::Ok,
                about,
                "poller",
                format!("{poller} reads changes, {behind}"),
            );
        }
    }
}

/// The oldest transaction that has written something and is not over.
pub async fn open_transaction(view: &dyn CaptureView, report: &mut Report) {
    match view.oldest_open_transaction().await {
        Ok(None) => {}
        Ok(Some(found)) => open(&found, Utc::now(), report),
        Err(error) => unseen(report, About::OpenTransaction, "oldest", &error),
    }
}

fn open(found: &OpenTransaction, now: DateTime<Utc>, report: &mut Report) {
    let mut place = match (&found.prepared_as, found.pid) {
        (Some(name), _) => format!("prepared transaction {name:?}"),
        (None, Some(pid)) => format!("process {pid}"),
        (None, None) => "a session".to_owned(),
    };
    if let Some(application) = &found.application {
        place.push_str(&format!(" ({application})"));
    }
    let about = About::OpenTransaction;
    let waits = "its own changes are told of when it commits; it holds up no other's";
    let Some(since) = found.since else {
        report.advise(
            Severity::Note,
            about,
            place,
            format!("it has written something and is open, since when rowhook's role may not see; {waits}"),
            "`grant pg_read_all_stats` to rowhook's role lets it see",
        );
        return;
    };
    let age = (now - since).to_std().unwrap_or_default();
    let what = format!("open for {}, since {}; {waits}", words(age), moment(since));
    if age < LONG_OPEN {
        report.add(Severity::Note, about, place, what);
        return;
    }
    let end = match (&found.prepared_as, found.pid) {
        (Some(name), _) => format!("`commit prepared` or `rollback prepared` '{name}'"),
        (None, Some(pid)) => {
            format!("look what it waits for, or end it: select pg_terminate_backend({pid})")
        }
        (None, None) => "look what it waits for".to_owned(),
    };
    report.advise(
        Severity::Warning,
        about,
        place,
        format!("{what}, but vacuum can not clean up behind it"),
        end,
    );
}

/// What rowhook's role may do.
pub async fn rights(health: &dyn Health, report: &mut Report) {
    let about = About::Rights;
    let role = match health.role().await {
        Ok(None) => return,
        Ok(Some(role)) => role,
        Err(error) => return unseen(report, about, "role", &error),
    };
    for lacking in &role.lacks {
        report.advise(
            Severity::Problem,
            about,
            &lacking.role,
            format!("it lacks {} on {}", lacking.rights, lacking.on),
            format!(
                "grant {} on {} to {}",
                lacking.rights.to_lowercase(),
                lacking.on,
                lacking.role
            ),
        );
    }
    let more = match (role.is_superuser, role.bypasses_row_security) {
        (true, _) => {
            "it is a superuser: whoever gets hold of rowhook's password has the whole server"
        }
        (false, true) => "it bypasses row security, which rowhook has no use for",
        (false, false) => {
            if role.lacks.is_empty() {
                report.add(
                    Severity::Ok,
                    about,
                    &role.name,
                    "it has the rights that it needs",
                );
            }
            return;
        }
    };
    report.advise(
        Severity::Warning,
        about,
        &role.name,
        more,
        "let rowhook work as a role that owns schema rowhook and is no more than that; the triggers can be put \
         on by the tables' owner",
    );
}

/// What vacuum has left.
pub async fn dead_rows(health: &dyn Health, report: &mut Report) {
    match health.dead_rows().await {
        Ok(tables) => {
            for table in &tables {
                dead(table, report);
            }
        }
        Err(error) => unseen(report, About::DeadRows, "statistics", &error),
    }
}

fn dead(table: &DeadRows, report: &mut Report) {
    let vacuumed = match table.vacuumed_at {
        Some(at) => format!("vacuumed last at {}", moment(at)),
        None => "never vacuumed".to_owned(),
    };
    let what = format!("about {} rows, {} dead; {vacuumed}", table.live, table.dead);
    let place = &table.table;
    if table.dead > MANY_DEAD && table.dead > table.live / 2 {
        let advice = format!(
            "see that autovacuum gets to it: an old transaction may hold it up; `vacuum {place}` does it now"
        );
        report.advise(Severity::Note, About::DeadRows, place, what, advice);
    } else {
        report.add(Severity::Ok, About::DeadRows, place, what);
    }
}

/// How an embedded database keeps its journal.
pub async fn journal(health: &dyn Health, report: &mut Report) {
    let about = About::Journal;
    match health.journal_mode().await {
        Ok(None) => {}
        Ok(Some(mode)) if mode == "wal" => report.add(
            Severity::Ok,
            about,
            "journal_mode",
            "wal: readers and the writer do not wait for each other",
        ),
        Ok(Some(mode)) => report.advise(
            Severity::Warning,
            about,
            "journal_mode",
            format!("{mode}: readers and the writer wait for each other"),
            "`rowhook serve` sets it to wal at its start; see that the application does not set it back",
        ),
        Err(error) => unseen(report, about, "journal_mode", &error),
    }
}

pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn words(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_transaction_that_is_open_for_long_is_warned_of() {
        let now = Utc::now();
        let warned = |seconds| {
            let mut report = Report::default();
            let found = OpenTransaction {
                pid: Some(7),
                since: Some(now - TimeDelta::seconds(seconds)),
                application: None,
                prepared_as: None,
            };
            open(&found, now, &mut report);
            report.count(Severity::Warning)
        };
        assert_eq!((warned(200), warned(400)), (0, 1));
    }

    #[test]
    fn a_cursor_of_another_place_is_told() {
        let here = Identity {
            cursor_cluster: 1,
            cluster: 1,
            cursor_timeline: 1,
            timeline: 1,
            cursor_is_ahead: false,
            changes_to_finish: false,
            is_standby: false,
        };
        let worst = |found: &Identity| {
            let mut report = Report::default();
            whose(found, &mut report);
            let counts = [Severity::Problem, Severity::Warning];
            counts.map(|severity| report.count(severity))
        };
        assert_eq!(worst(&here), [0, 0]);
        let mut other = here.clone();
        other.timeline = 2;
        assert_eq!(worst(&other), [0, 1]);
        other.cursor_is_ahead = true;
        assert_eq!(worst(&other), [1, 0]);
        let mut other = here.clone();
        other.cluster = 2;
        assert_eq!(worst(&other), [1, 0]);
        let mut other = here;
        other.is_standby = true;
        assert_eq!(worst(&other), [1, 0]);
    }
}
