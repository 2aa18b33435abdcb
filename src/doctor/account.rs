//! Changes against events: what the doctor says of it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::{
    domain::retention::Keep,
    store::reconciliation::{Account, Difference, Reach, Reconciliation},
};

use super::{
    checks::{moment, unseen},
    report::{About, Report, Severity},
};

/// While it looks, retention goes on dropping: what will be old in a moment is left out.
const MARGIN: TimeDelta = TimeDelta::minutes(1);
/// So many differences of a kind are told one by one.
const TOLD: usize = 20;

/// Compares the newest changes with their events, as far back as `keep` lets events stay.
pub async fn reconcile(
    store: &dyn Reconciliation,
    newest: u32,
    keep: Keep,
    now: DateTime<Utc>,
    report: &mut Report,
) {
    let reach = Reach {
        newest,
        since: keep.until(now).map(|since| since + MARGIN),
        gently: false,
    };
    match store.reconcile(&reach).await {
        Ok(account) => tell(&account, report),
        Err(error) => unseen(report, About::Reconciliation, "changes", &error),
    }
}

fn tell(account: &Account, report: &mut Report) {
    let about = About::Reconciliation;
    report.set_looked_at(json!({
        "changes": account.changes, "oldest": account.oldest, "notFannedOut": account.not_fanned_out,
        "owed": account.owed, "found": account.found, "subscriptions": account.subscriptions,
        "events": account.events, "differences": account.differences.len() as u64 + account.more,
    }));
    let back = account.oldest.map_or(String::new(), |oldest| {
        format!(", back to {}", moment(oldest))
    });
    let waiting = match account.not_fanned_out {
        0 => String::new(),
        count => format!(" ({count} of them wait to be fanned out)"),
    };
    report.add(
        Severity::Ok,
        about,
        "looked at",
        format!(
            "the newest {} changes{back}{waiting}: {} events owed, {} found; the numbers of {} subscriptions, and the \
             states of the newest {} events",
            account.changes, account.owed, account.found, account.subscriptions, account.events
        ),
    );
    for kind in [About::Reconciliation, About::Sequence, About::EventStates] {
        let of_kind: Vec<_> = account
            .differences
            .iter()
            .filter(|difference| of(difference) == kind)
            .collect();
        for difference in of_kind.iter().take(TOLD) {
            name(difference, report);
        }
        if of_kind.len() > TOLD {
            report.add(
                Severity::Note,
                kind,
                "and more",
                format!("{} further ones", of_kind.len() - TOLD),
            );
        }
    }
    if account.more > 0 {
        let what = format!("{} further differences of any kind", account.more);
        report.add(Severity::Problem, about, "and more", what);
    }
}

fn of(difference: &Difference) -> About {
    match difference {
        Difference::Missing { .. } | Difference::Surplus { .. } => About::Reconciliation,
        Difference::Gap { .. } => About::Sequence,
        Difference::Inconsistent { .. } => About::EventStates,
    }
}

fn name(difference: &Difference, report: &mut Report) {
    let severity = match difference {
        _ if difference.is_in_doubt() => Severity::Note,
        Difference::Inconsistent { .. } => Severity::Warning,
        Difference::Missing { .. } | Difference::Surplus { .. } | Difference::Gap { .. } => {
            Severity::Problem
        }
    };
    let words = difference.words();
    report.advise(
        severity,
        of(difference),
        words.place,
        words.what,
        words.advice,
    );
}
