//! Keeps the stages up: starts each from a factory, sees it stop, panic or stand still, and starts it
//! again with backoff.
//!
//! actix' own supervisor does not re-create an actor that panicked, and nothing in actix catches a
//! panic. What a stage was doing is in the database, so a new incarnation simply goes on. One that
//! stands still can not be killed, as threads can not: it is given up, its pulse revoked so that it
//! changes nothing if it wakes, and the new one gets a thread of its own.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use actix::prelude::*;
use tokio::sync::oneshot;

use super::{
    lifeline::{BEAT, Ended, Lifeline, Patience, Pulse},
    messages::Finish,
    status::{StageKind, Status},
};

/// When stages are given up and how fast they come back.
#[derive(Clone, Copy, Debug)]
pub struct GuardianSettings {
    /// When a stage counts as standing still.
    pub patience: Patience,
    /// The pause before the first restart; each further one within `memory` doubles it.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// Restarts are forgotten after this.
    pub memory: Duration,
    /// So many restarts within `memory` mean that the stage can not be kept up.
    pub failing_after: usize,
}

impl Default for GuardianSettings {
    fn default() -> Self {
        Self {
            patience: Patience::default(),
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(10),
            memory: Duration::from_secs(60),
            failing_after: 5,
        }
    }
}

/// Starts an incarnation of a stage on a thread and returns where it is told to finish.
pub type Factory = Box<dyn Fn(&ArbiterHandle, Lifeline) -> Recipient<Finish> + Send>;

struct Incarnation {
    number: u64,
    pulse: Pulse,
    finish: Recipient<Finish>,
}

struct Stage {
    kind: StageKind,
    factory: Factory,
    arbiter: Arbiter,
    running: Option<Incarnation>,
    restarts: VecDeque<Instant>,
}

/// The keeper of the stages that live as long as the service.
pub struct Guardian {
    stages: Vec<Stage>,
    incarnations: u64,
    settings: GuardianSettings,
    status: Status,
    finishing: Option<Finishing>,
    /// Its own: it beats at each look.
    pulse: Pulse,
}

/// Shutdown: this stage and those that come after it in the list have been told to finish and are not
/// started again. Those before it are kept up, since whoever finishes still hands work to them.
struct Finishing {
    stage: usize,
    done: Option<oneshot::Sender<()>>,
}

impl Guardian {
    /// `stages` are started in this order, so name the sink first: whoever hands work on finds its
    /// receiver there. They are finished in the opposite order.
    pub fn new(
        stages: Vec<(StageKind, Factory)>,
        settings: GuardianSettings,
        status: Status,
    ) -> Self {
        Self {
            stages: stages
                .into_iter()
                .map(|(kind, factory)| Stage {
                    kind,
                    factory,
                    arbiter: Arbiter::new(),
                    running: None,
                    restarts: VecDeque::new(),
                })
                .collect(),
            incarnations: 0,
            settings,
            status,
            finishing: None,
            pulse: Pulse::default(),
        }
    }

    fn start(&mut self, index: usize, ctx: &mut Context<Self>) {
        self.incarnations += 1;
        let number = self.incarnations;
        let me = ctx.address();
        let lifeline = Lifeline::new(move |how| {
            me.do_send(StageEnded { index, number, how });
        });
        let stage = &mut self.stages[index];
        let pulse = lifeline.pulse().clone();
        let finish = (stage.factory)(&stage.arbiter.handle(), lifeline);
        stage.running = Some(Incarnation {
            number,
            pulse,
            finish,
        });
        self.status.stage_up(stage.kind);
    }

    /// Starts a stage again after a pause that grows with its recent restarts.
    fn restart(&mut self, index: usize, how: Ended, ctx: &mut Context<Self>) {
        let settings = self.settings;
        let stage = &mut self.stages[index];
        stage.running = None;
        let now = Instant::now();
        stage.restarts.push_back(now);
        while stage
            .restarts
            .front()
            .is_some_and(|at| now - *at > settings.memory)
        {
            stage.restarts.pop_front();
        }
        let recent = stage.restarts.len();
        let doublings = u32::try_from(recent - 1).unwrap_or(u32::MAX).min(16);
        let pause = settings
            .first_pause
            .saturating_mul(1 << doublings)
            .min(settings.longest_pause);
        let failing = recent >= settings.failing_after;
        self.status.stage_restarts(stage.kind, how, failing);
        tracing::error!(
            stage = %stage.kind,
            how = how.words(),
            recent,
            pause_ms = pause.as_millis() as u64,
            "a stage ended and is started again"
        );
        ctx.run_later(pause, move |guardian, ctx| {
            if !guardian.is_told(index) && guardian.stages[index].running.is_none() {
                guardian.start(index, ctx);
            }
        });
    }

    fn is_told(&self, index: usize) -> bool {
        let finishing = self.finishing.as_ref();
        finishing.is_some_and(|finishing| finishing.stage <= index)
    }

    /// The present incarnation has ended or was given up.
    fn ended(&mut self, index: usize, how: Ended, ctx: &mut Context<Self>) {
        if !self.is_told(index) {
            self.restart(index, how, ctx);
            return;
        }
        self.stages[index].running = None;
        if let Some(finishing) = &mut self.finishing
            && finishing.stage == index
            && let Some(done) = finishing.done.take()
        {
            // Nobody waits any more when the grace period has passed.
            let _gone = done.send(());
        }
    }

    fn look(&mut self, ctx: &mut Context<Self>) {
        if self.pulse.was_away() {
            for running in self.stages.iter().flat_map(|stage| &stage.running) {
                running.pulse.excuse();
            }
        }
        self.pulse.beat();
        for index in 0..self.stages.len() {
            let settings = self.settings;
            let stage = &mut self.stages[index];
            let Some(running) = &stage.running else {
                continue;
            };
            if running.pulse.stands_still(settings.patience) {
                running.pulse.revoke();
                running.finish.do_send(Finish);
                let given_up = std::mem::replace(&mut stage.arbiter, Arbiter::new());
                given_up.stop();
                self.ended(index, Ended::Hung, ctx);
            } else if stage
                .restarts
                .back()
                .is_some_and(|at| at.elapsed() > settings.memory)
            {
                stage.restarts.clear();
                self.status.stage_steady(stage.kind);
            }
        }
    }
}

impl Actor for Guardian {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        for index in 0..self.stages.len() {
            self.start(index, ctx);
        }
        ctx.run_interval(BEAT, Self::look);
    }
}

/// A stage's lifeline was dropped.
#[derive(Message)]
#[rtype(result = "()")]
struct StageEnded {
    index: usize,
    number: u64,
    how: Ended,
}

impl Handler<StageEnded> for Guardian {
    type Result = ();

    fn handle(&mut self, ended: StageEnded, ctx: &mut Context<Self>) {
        let StageEnded { index, number, how } = ended;
        let stage = &mut self.stages[index];
        // One that was given up may end much later: by then another runs.
        if stage
            .running
            .as_ref()
            .is_none_or(|running| running.number != number)
        {
            return;
        }
        self.ended(index, how, ctx);
    }
}

/// Finishes every stage, the source first, and answers when the last one has ended or the time is up.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FinishAll {
    /// How long all of them together may take.
    pub grace: Duration,
}

impl Handler<FinishAll> for Guardian {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, all: FinishAll, ctx: &mut Context<Self>) -> Self::Result {
        let deadline = tokio::time::Instant::now() + all.grace;
        let me = ctx.address();
        let order: Vec<usize> = (0..self.stages.len()).rev().collect();
        let finish = async move {
            for index in order {
                let (done, wait) = oneshot::channel();
                let told = me.send(FinishStage { index, done }).await;
                if told.is_err() || tokio::time::timeout_at(deadline, wait).await.is_err() {
                    tracing::warn!("the grace period ended before every stage had finished");
                    break;
                }
            }
        };
        Box::pin(finish.into_actor(self).map(|(), guardian, ctx| {
            for stage in &guardian.stages {
                stage.arbiter.stop();
            }
            ctx.stop();
        }))
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct FinishStage {
    index: usize,
    done: oneshot::Sender<()>,
}

impl Handler<FinishStage> for Guardian {
    type Result = ();

    fn handle(&mut self, stage: FinishStage, _: &mut Context<Self>) {
        let FinishStage { index, done } = stage;
        let done = match &self.stages[index].running {
            Some(running) => {
                running.finish.do_send(Finish);
                Some(done)
            }
            // It was waiting to be started again: there is nothing to finish.
            None => {
                let _nobody_waits = done.send(());
                None
            }
        };
        self.finishing = Some(Finishing { stage: index, done });
    }
}
