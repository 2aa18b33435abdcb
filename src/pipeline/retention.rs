//! Drops what has been kept long enough: settled events with their attempts, and changes of which no
//! event tells.
//!
//! Beside the path of a change, not on it: nobody hands it work and it wakes nobody. Now and then it makes
//! a pass through the tables in small steps, with a pause after each that is at least as long as the step
//! took, so that half of the time belongs to the others. The instance that polls does it; no lease of its
//! own, since two passes at once cost only the reading. What a pass can not finish the next one
//! begins anew. What may go is decided in the store; how long things are kept, by the settings.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use tokio::sync::Notify;

use crate::{
    domain::{
        ids::{ChangeId, EventId},
        retention::Keep,
    },
    store::{StoreError, retention::RetentionStore},
};

use super::{
    lifeline::{BEAT, Lifeline, Pulse},
    messages::Finish,
    status::Status,
};

/// The shortest pause between two steps.
const BREATH: Duration = Duration::from_millis(10);
/// So often the changes are walked from the first one on, see [`Passes::first_change`].
const WALK_ALL: Duration = Duration::from_secs(24 * 3600);

/// How long things are kept, and the rhythm.
#[derive(Clone, Copy, Debug)]
pub struct RetentionSettings {
    /// Events, counted from their end.
    pub events: Keep,
    /// Changes, counted from when they were made.
    pub changes: Keep,
    /// Rows that a step looks at, and drops at most.
    pub rows_per_step: u32,
    /// After so long the first pass begins: a start has more urgent things to do.
    pub first_pass: Duration,
    /// The pause between two passes.
    pub between_passes: Duration,
}

/// What the stage works with.
#[derive(Clone)]
pub struct RetentionParts {
    /// The tables.
    pub store: Arc<dyn RetentionStore>,
    /// How long things are kept.
    pub settings: RetentionSettings,
    /// The board, which says whether this instance polls.
    pub status: Status,
}

/// The stage; its work is one loop beside the mailbox.
pub struct Retention {
    parts: RetentionParts,
    lifeline: Lifeline,
    finish: Rc<Notify>,
}

impl Retention {
    /// A new incarnation.
    pub fn new(parts: RetentionParts, lifeline: Lifeline) -> Self {
        Self {
            parts,
            lifeline,
            finish: Rc::new(Notify::new()),
        }
    }
}

impl Actor for Retention {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(BEAT, |stage, _| stage.lifeline.pulse().beat());
        let mut passes = Passes {
            parts: self.parts.clone(),
            pulse: self.lifeline.pulse().clone(),
            walked: ChangeId(0),
            walked_all: None,
        };
        let finish = self.finish.clone();
        let work = async move {
            tokio::select! {
                // At once, also in the middle of a step: its transaction is rolled back, and nobody waits
                // for what the next pass does as well.
                () = finish.notified() => {}
                () = passes.run() => {}
            }
        };
        ctx.spawn(work.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Finish> for Retention {
    type Result = ();

    fn handle(&mut self, _: Finish, _: &mut Context<Self>) {
        self.finish.notify_one();
    }
}

/// What a pass has dropped so far.
#[derive(Default)]
struct Dropped {
    events: u64,
    changes: u64,
}

struct Passes {
    parts: RetentionParts,
    pulse: Pulse,
    /// Up to here the changes that could go are gone.
    walked: ChangeId,
    walked_all: Option<Instant>,
}

impl Passes {
    /// Until the keeper gives this incarnation up.
    async fn run(&mut self) {
        let settings = self.parts.settings;
        tokio::time::sleep(settings.first_pass).await;
        while !self.pulse.is_revoked() {
            if self.parts.status.polls() {
                self.pass().await;
            }
            tokio::time::sleep(settings.between_passes).await;
        }
    }

    async fn pass(&mut self) {
        let began = Instant::now();
        let mut dropped = Dropped::default();
        let result = self.walk(&mut dropped).await;
        let Dropped { events, changes } = dropped;
        if events > 0 || changes > 0 {
            let ms = began.elapsed().as_millis() as u64;
            tracing::info!(
                events,
                changes,
                ms,
                "dropped what had been kept long enough"
            );
        }
        if let Err(error) = result {
            tracing::warn!(%error, "dropping what is old failed; the next pass tries again");
        }
    }

    /// Events first: a change goes once no event tells of it.
    async fn walk(&mut self, dropped: &mut Dropped) -> Result<(), StoreError> {
        let parts = self.parts.clone();
        let RetentionSettings {
            events,
            changes,
            rows_per_step: limit,
            ..
        } = parts.settings;
        if (events, changes) == (Keep::Forever, Keep::Forever) {
            return Ok(());
        }
        let now = parts.store.now().await?;
        if let Some(before) = events.until(now) {
            let mut after = Some(EventId(0));
            while let Some(from) = after {
                let step = parts.store.drop_events(before, from, limit);
                let step = self.breathe_after(step).await?;
                dropped.events += step.dropped;
                after = step.next;
            }
        }
        if let Some(before) = changes.until(now) {
            let mut after = Some(self.first_change());
            while let Some(from) = after {
                self.walked = from;
                let step = parts.store.drop_changes(before, from, limit);
                let step = self.breathe_after(step).await?;
                dropped.changes += step.dropped;
                after = step.next;
            }
        }
        Ok(())
    }

    /// Where events are kept longer than changes, most of the old changes stay for the sake of their
    /// events, and a walk through all of them at each pass would read the log over and over. There a pass
    /// goes on where the last one ended, and once a day one finds those whose events have gone since.
    fn first_change(&mut self) -> ChangeId {
        let settings = self.parts.settings;
        let few_stay = match (settings.events, settings.changes) {
            (Keep::For(events), Keep::For(changes)) => events <= changes,
            (Keep::Forever, _) | (_, Keep::Forever) => false,
        };
        let is_due = self.walked_all.is_none_or(|at| at.elapsed() > WALK_ALL);
        if few_stay || is_due {
            self.walked_all = Some(Instant::now());
            return ChangeId(0);
        }
        self.walked
    }

    /// A step, and the pause after it.
    async fn breathe_after<T>(
        &self,
        step: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let work = self.pulse.work();
        let done = step.await;
        drop(work);
        if self.pulse.is_revoked() {
            return Err(StoreError::Unavailable(
                "this pass was given up by its keeper".to_owned(),
            ));
        }
        tokio::time::sleep(began.elapsed().max(BREATH)).await;
        done
    }
}
