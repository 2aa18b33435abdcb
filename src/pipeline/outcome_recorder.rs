//! Room 4: writes what came of attempts, in batches.
//!
//! Every sender (room 3) hands it outcomes and waits for the answer: an event leaves its sender only
//! when its outcome is written. While one batch is being written the next one gathers, and after one
//! of many for as long again: a quiet service writes at once and a busy one in large strokes. It never decides anything.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::{
    domain::attempt::{Outcome, Verdict},
    store::{StoreError, event_queue::OutcomeLog},
    telemetry::Outage,
};

use super::{
    delivery_log::DeliveryLog,
    lifeline::{BEAT, Lifeline},
    messages::{Finish, Record},
    status::Status,
};

/// Outcomes written in one statement at most.
const BATCH: usize = 500;
/// A batch of so many is followed by a pause: each statement costs as much as a dozen outcomes, and others wait for the
/// processor.
const MANY: usize = 8;
/// That pause is as long as the batch took, and no longer than this.
const LONGEST_GATHERING: Duration = Duration::from_millis(5);
/// The pause before a batch that could not be written is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// What the recorder works with.
#[derive(Clone)]
pub struct RecorderParts {
    /// Where outcomes are written.
    pub log: Arc<dyn OutcomeLog>,
    /// The board.
    pub status: Status,
}

/// What one sender handed over at once.
struct HandedOver {
    outcomes: Vec<Arc<Outcome>>,
    /// Gets what could not be written.
    answer: oneshot::Sender<Vec<Arc<Outcome>>>,
}

/// The stage.
pub struct OutcomeRecorder {
    parts: RecorderParts,
    lifeline: Lifeline,
    gathered: Vec<HandedOver>,
    writing: bool,
    finishing: bool,
    outage: Outage,
    log: DeliveryLog,
}

impl OutcomeRecorder {
    /// A new incarnation.
    pub fn new(parts: RecorderParts, lifeline: Lifeline) -> Self {
        Self {
            parts,
            lifeline,
            gathered: Vec::new(),
            writing: false,
            finishing: false,
            outage: Outage::new("outcomes can not be written"),
            log: DeliveryLog::default(),
        }
    }

    /// Begins to write what has gathered, unless a batch is under way.
    fn write(&mut self, ctx: &mut Context<Self>) {
        if self.writing {
            return;
        }
        if self.gathered.is_empty() {
            if self.finishing {
                ctx.stop();
            }
            return;
        }
        self.writing = true;
        let batch = self.next_batch();
        let outcomes: Rc<[_]> = batch
            .iter()
            .flat_map(|handed| handed.outcomes.iter().cloned())
            .collect();
        let work = self.lifeline.pulse().work();
        let (log, written) = (self.parts.log.clone(), outcomes.clone());
        let began = Instant::now();
        let write = async move {
            let results = record_all(&*log, &written).await;
            drop(work);
            results
        };
        ctx.spawn(write.into_actor(self).map(move |results, recorder, ctx| {
            let took = began.elapsed();
            recorder.written(batch, results, took, ctx);
        }));
    }

    /// What has gathered, up to the first that is too much for one statement.
    fn next_batch(&mut self) -> Vec<HandedOver> {
        let mut size = 0;
        let fits = self.gathered.iter().take_while(|handed| {
            let first = size == 0;
            size += handed.outcomes.len();
            first || size <= BATCH
        });
        let count = fits.count();
        let rest = self.gathered.split_off(count);
        std::mem::replace(&mut self.gathered, rest)
    }

    fn write_next(&mut self, ctx: &mut Context<Self>) {
        self.writing = false;
        self.write(ctx);
    }

    fn written(
        &mut self,
        batch: Vec<HandedOver>,
        results: Vec<Result<(), StoreError>>,
        took: Duration,
        ctx: &mut Context<Self>,
    ) {
        let mut failed = None;
        let tried = results.len();
        let mut well = Vec::with_capacity(tried);
        let mut results = results.into_iter();
        for HandedOver { outcomes, answer } in batch {
            let mut left = Vec::new();
            for (outcome, result) in outcomes.into_iter().zip(&mut results) {
                match result {
                    Ok(()) => {
                        self.count(&outcome);
                        well.push(outcome);
                    }
                    Err(error) => {
                        let tell = || format!("event {}: {error}", outcome.event_id);
                        failed.get_or_insert_with(tell);
                        left.push(outcome);
                    }
                }
            }
            // A sender that has ended meanwhile does not wait any more.
            let _gone = answer.send(left);
        }
        self.log.written(well.iter().map(|outcome| &**outcome));
        let pause = match failed {
            None => {
                self.outage.is_over();
                let many = tried >= MANY && !self.finishing;
                many.then(|| took.min(LONGEST_GATHERING))
            }
            Some(error) => {
                self.outage.goes_on(&error);
                Some(RETRY)
            }
        };
        match pause {
            None => self.write_next(ctx),
            Some(pause) => {
                ctx.run_later(pause, Self::write_next);
            }
        }
    }

    fn count(&self, outcome: &Outcome) {
        let metrics = self.parts.status.metrics();
        match outcome.verdict {
            Verdict::Delivered => metrics.events("delivered", 1),
            Verdict::Failed => metrics.events("failed", 1),
            Verdict::Retry { .. } => {}
        }
    }
}

/// Writes a batch. One that the database refuses is written outcome by outcome, so that a single one
/// it can not take holds up no other receiver.
async fn record_all(
    log: &dyn OutcomeLog,
    outcomes: &[Arc<Outcome>],
) -> Vec<Result<(), StoreError>> {
    match log.record(outcomes).await {
        Ok(()) => outcomes.iter().map(|_| Ok(())).collect(),
        Err(StoreError::Unavailable(why)) => {
            let away = |_| Err(StoreError::Unavailable(why.clone()));
            outcomes.iter().map(away).collect()
        }
        Err(error) if outcomes.len() == 1 => vec![Err(error)],
        Err(_) => {
            let mut results = Vec::with_capacity(outcomes.len());
            for outcome in outcomes {
                results.push(log.record(std::slice::from_ref(outcome)).await);
            }
            results
        }
    }
}

impl Actor for OutcomeRecorder {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(BATCH);
        ctx.run_interval(BEAT, |recorder, _| recorder.lifeline.pulse().beat());
    }
}

impl Handler<Record> for OutcomeRecorder {
    type Result = ResponseFuture<Vec<Arc<Outcome>>>;

    fn handle(&mut self, record: Record, ctx: &mut Context<Self>) -> Self::Result {
        let (answer, wait) = oneshot::channel();
        let outcomes = record.0;
        let all = outcomes.clone();
        self.gathered.push(HandedOver { outcomes, answer });
        if !self.writing {
            // After the messages that are in the mailbox now, so that they share the batch.
            ctx.run_later(Duration::ZERO, |recorder, ctx| recorder.write(ctx));
        }
        // The recorder ended before it could tell: none counts as written.
        Box::pin(async move { wait.await.unwrap_or(all) })
    }
}

impl Handler<Finish> for OutcomeRecorder {
    type Result = ();

    fn handle(&mut self, _: Finish, ctx: &mut Context<Self>) {
        self.finishing = true;
        self.write(ctx);
    }
}
