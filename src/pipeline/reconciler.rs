//! Compares changes with events and events with their attempts, again and again, and tells what does not agree.
//!
//! Beside the path of a change, not on it: nobody hands it work and it wakes nobody. About every ten minutes the instance
//! that polls makes a round over the newest changes (`store/reconciliation.rs` says what is compared), page by page, with
//! a pause after each page that is as long as the page took, so that half of the time belongs to the others. A stage of
//! its own and no part of `catalogue_watch`: a round may take long, and tables are to be looked at meanwhile.
//!
//! Each difference is told once in the log, not in each round anew; how many there are stands in a metric and, in words,
//! in the notes that `webhookCapture` shows. It mends nothing: what has happened to the records somebody has to find out.

use std::{collections::HashSet, rc::Rc, sync::Arc, time::Duration};

use actix::prelude::*;
use chrono::TimeDelta;
use tokio::sync::Notify;

use crate::{
    domain::retention::Keep,
    store::{
        StoreError,
        capture_notes::{CaptureNotes, Reconciled},
        reconciliation::{Account, Difference, Reach, Reconciliation},
        retention::RetentionStore,
    },
    telemetry::Outage,
};

use super::{
    lifeline::{BEAT, Lifeline, Pulse},
    messages::Finish,
    status::Status,
};

/// While a round goes on, retention goes on dropping: what will be old in a moment is left out.
const MARGIN: TimeDelta = TimeDelta::minutes(10);
/// No round takes longer, or it is given up.
const LONGEST_ROUND: Duration = Duration::from_secs(600);
/// So many differences of a round are told one by one.
const TOLD: usize = 20;
/// So many are kept for `webhookCapture`.
const EXAMPLES: usize = 5;

/// How far it looks, and the rhythm.
#[derive(Clone, Copy, Debug)]
pub struct ReconcilerSettings {
    /// So many of the newest changes, and of the newest events.
    pub newest: u32,
    /// How long events are kept: what retention may have dropped is not missed.
    pub keep: Keep,
    /// After so long the first round begins: a start has more urgent things to do.
    pub first_round: Duration,
    /// The pause between two rounds.
    pub between_rounds: Duration,
}

/// What the stage works with.
#[derive(Clone)]
pub struct ReconcilerParts {
    /// Compares.
    pub store: Arc<dyn Reconciliation>,
    /// Whose clock says what retention may have dropped.
    pub retention: Arc<dyn RetentionStore>,
    /// What `webhookCapture` shows.
    pub notes: Arc<dyn CaptureNotes>,
    /// How far it looks.
    pub settings: ReconcilerSettings,
    /// The board, which says whether this instance polls.
    pub status: Status,
}

/// The stage; its work is one loop beside the mailbox.
pub struct Reconciler {
    parts: ReconcilerParts,
    lifeline: Lifeline,
    finish: Rc<Notify>,
}

impl Reconciler {
    /// A new incarnation.
    pub fn new(parts: ReconcilerParts, lifeline: Lifeline) -> Self {
        Self {
            parts,
            lifeline,
            finish: Rc::new(Notify::new()),
        }
    }
}

impl Actor for Reconciler {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(BEAT, |stage, _| stage.lifeline.pulse().beat());
        let mut rounds = Rounds {
            parts: self.parts.clone(),
            pulse: self.lifeline.pulse().clone(),
            told: HashSet::new(),
            outage: Outage::new("changes can not be compared with events"),
        };
        let finish = self.finish.clone();
        let work = async move {
            tokio::select! {
                // At once, also in the middle of a round: it only looks.
                () = finish.notified() => {}
                () = rounds.run() => {}
            }
        };
        ctx.spawn(work.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Finish> for Reconciler {
    type Result = ();

    fn handle(&mut self, _: Finish, _: &mut Context<Self>) {
        self.finish.notify_one();
    }
}

struct Rounds {
    parts: ReconcilerParts,
    pulse: Pulse,
    /// What the last round found and the log has told of.
    told: HashSet<Difference>,
    outage: Outage,
}

impl Rounds {
    /// Until the keeper gives this incarnation up.
    async fn run(&mut self) {
        let settings = self.parts.settings;
        tokio::time::sleep(settings.first_round).await;
        while !self.pulse.is_revoked() {
            if self.parts.status.polls() {
                match self.round().await {
                    Ok(()) => self.outage.is_over(),
                    Err(error) => self.outage.goes_on(&error),
                }
            } else {
                // Whoever polls says what there is.
                self.parts.status.metrics().reconciliation_differences(0);
            }
            tokio::time::sleep(settings.between_rounds).await;
        }
    }

    async fn round(&mut self) -> Result<(), StoreError> {
        let ReconcilerSettings { newest, keep, .. } = self.parts.settings;
        let now = self.parts.retention.now().await?;
        let reach = Reach {
            newest,
            since: keep.until(now).map(|since| since + MARGIN),
            gently: true,
        };
        // A round has no marks of progress that its keeper could see, so its time is limited here.
        let round = self.parts.store.reconcile(&reach);
        let Ok(account) = tokio::time::timeout(LONGEST_ROUND, round).await else {
            let why = format!("a round took longer than {} s", LONGEST_ROUND.as_secs());
            return Err(StoreError::Unavailable(why));
        };
        let account = account?;
        let certain: Vec<&Difference> = account
            .differences
            .iter()
            .filter(|difference| !difference.is_in_doubt())
            .collect();
        let differences = certain.len() as u64 + account.more;
        self.parts
            .status
            .metrics()
            .reconciliation_differences(differences);
        self.tell(&certain, &account);
        let example = |difference: &Difference| {
            let words = difference.words();
            format!("{}: {}; {}", words.place, words.what, words.advice)
        };
        let examples = certain.iter().take(EXAMPLES);
        let what = Reconciled {
            ran_at: now,
            changes: account.changes - account.not_fanned_out,
            owed: account.owed,
            found: account.found,
            events: account.events,
            differences,
            examples: examples.map(|one| example(one)).collect(),
        };
        self.parts.notes.reconciled(&what).await
    }

    /// What was not told in an earlier round.
    fn tell(&mut self, certain: &[&Difference], account: &Account) {
        let new: Vec<_> = certain
            .iter()
            .filter(|difference| !self.told.contains(**difference))
            .collect();
        for difference in new.iter().take(TOLD) {
            let words = difference.words();
            tracing::warn!(
                at = words.place,
                what = words.what,
                advice = words.advice,
                "changes, events and attempts do not agree"
            );
        }
        if new.len() > TOLD {
            let (count, unnamed) = (new.len() - TOLD, account.more);
            tracing::warn!(
                count,
                unnamed,
                "further differences; `rowhook doctor` sorts them by kind"
            );
        }
        self.told = certain.iter().map(|one| (*one).clone()).collect();
    }
}
