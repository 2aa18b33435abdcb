//! Room 4: writes what came of attempts, in batches.
//!
//! Every sender (room 3) hands it outcomes and waits for the answer: an event leaves its sender only
//! when its outcome is written. While one batch is being written the next one gathers, so a quiet
//! service writes at once and a busy one in large strokes. It never decides anything.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::{
    domain::attempt::{Outcome, Verdict},
    store::{StoreError, event_queue::OutcomeLog},
};

use super::{
    lifeline::{BEAT, Lifeline},
    messages::{Finish, Record},
    status::Status,
};

/// Outcomes written in one statement at most.
const BATCH: usize = 500;
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

type Answer = oneshot::Sender<Result<(), StoreError>>;

/// The stage.
pub struct OutcomeRecorder {
    parts: RecorderParts,
    lifeline: Lifeline,
    gathered: Vec<(Outcome, Answer)>,
    writing: bool,
    finishing: bool,
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
        let rest = self.gathered.split_off(self.gathered.len().min(BATCH));
        let batch = std::mem::replace(&mut self.gathered, rest);
        let (outcomes, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let outcomes = Rc::new(outcomes);
        let work = self.lifeline.pulse().work();
        let (log, written) = (self.parts.log.clone(), outcomes.clone());
        let write = async move {
            let result = log.record(&written).await;
            drop(work);
            result
        };
        ctx.spawn(write.into_actor(self).map(move |result, recorder, ctx| {
            recorder.written(&outcomes, answers, result, ctx);
        }));
    }

    fn written(
        &mut self,
        outcomes: &[Outcome],
        answers: Vec<Answer>,
        result: Result<(), StoreError>,
        ctx: &mut Context<Self>,
    ) {
        self.writing = false;
        match result {
            Ok(()) => {
                for answer in answers {
                    // A sender that has ended meanwhile does not wait any more.
                    let _gone = answer.send(Ok(()));
                }
                self.count(outcomes);
                self.write(ctx);
            }
            Err(error) => {
                tracing::warn!(%error, outcomes = outcomes.len(), "outcomes could not be written");
                for answer in answers {
                    let _gone = answer.send(Err(StoreError::Unavailable(error.to_string())));
                }
                ctx.run_later(RETRY, |recorder, ctx| recorder.write(ctx));
            }
        }
    }

    fn count(&self, outcomes: &[Outcome]) {
        let metrics = self.parts.status.metrics();
        let of = |verdict: fn(&Verdict) -> bool| {
            outcomes.iter().filter(|o| verdict(&o.verdict)).count() as u64
        };
        metrics.events("delivered", of(|v| matches!(v, Verdict::Delivered)));
        metrics.events("failed", of(|v| matches!(v, Verdict::Failed)));
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
    type Result = ResponseFuture<Result<(), StoreError>>;

    fn handle(&mut self, record: Record, ctx: &mut Context<Self>) -> Self::Result {
        let (answer, wait) = oneshot::channel();
        self.gathered.push((record.0, answer));
        if !self.writing {
            // After the messages that are in the mailbox now, so that they share the batch.
            ctx.run_later(Duration::ZERO, |recorder, ctx| recorder.write(ctx));
        }
        Box::pin(async move {
            wait.await
                .unwrap_or_else(|_| Err(StoreError::Unavailable("the recorder ended".to_owned())))
        })
    }
}

impl Handler<Finish> for OutcomeRecorder {
    type Result = ();

    fn handle(&mut self, _: Finish, ctx: &mut Context<Self>) {
        self.finishing = true;
        self.write(ctx);
    }
}
