//! Attempts: starting them as the throttle and the lease allow, and handing what came of them to the
//! recorder. An event is forgotten only when its outcome is written.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use chrono::{TimeDelta, Utc};
use tokio::task::{Id, JoinError};

use crate::{
    domain::{
        attempt::{Outcome, Verdict},
        event::DueEvent,
        ids::EventId,
        receiver::DeliveryTarget,
    },
    pipeline::{
        messages::Record,
        sender::attempt::{AttemptParts, Done, make},
    },
    telemetry::AttemptTrace,
};

use super::{RETRY, Sending, bodies::Held};

impl Sending {
    /// Starts what may go; returns when the throttle lets the next one pass.
    pub(super) fn start(&mut self, target: &Rc<DeliveryTarget>) -> Option<Instant> {
        let capacity = self.capacity(target);
        for id in self.view.startable(target.receiver.ordering, capacity) {
            // One that is not here is on its way, and an old one is read again in the next turn: nothing passes it, so that
            // the oldest goes first.
            if self.bodies.get(&id).is_none_or(Held::is_old) {
                break;
            }
            match self.start_one(id, target) {
                Started::Sent => {}
                Started::Throttled(next) => return Some(next),
                Started::NotOurs => return None,
            }
        }
        None
    }

    /// Starts one whose body is here, as the throttle and the lease allow.
    pub(super) fn start_one(&mut self, id: EventId, target: &Rc<DeliveryTarget>) -> Started {
        if let Some((throttle, since)) = &mut self.throttle
            && let Err(next) = throttle.take(since.elapsed())
        {
            return Started::Throttled(*since + next);
        }
        if !self.link.lease.held() || self.pulse.is_revoked() {
            return Started::NotOurs;
        }
        if let Some(held) = self.bodies.remove(&id) {
            self.send(held.event, target.clone());
        }
        Started::Sent
    }

    pub(super) fn send(&mut self, event: DueEvent, target: Rc<DeliveryTarget>) {
        self.view.start(event.id);
        self.rows_under_way.insert(event.id, event.rows);
        let now = Instant::now();
        self.last_sent = Some(now);
        self.tell_throttle();
        let Some(resource) = self.parts.versions.get(event.resource_id) else {
            let why = format!("resource version {} is unknown", event.resource_id);
            self.own_fault(&event, &why);
            return;
        };
        let defaults = &self.parts.defaults;
        let attempt = AttemptParts {
            event: event.clone(),
            resource,
            policy: target.receiver.retry.over(defaults.retry),
            timeout: target.receiver.timeout.unwrap_or(defaults.timeout),
            max_payload: defaults.max_payload,
            probe: self.health.probing.is_some(),
            transport: self.transport.clone(),
            traces: self.parts.status.traces().clone(),
            target,
        };
        let task = self.attempts.spawn_local(make(attempt));
        self.under_way.insert(task.id(), event);
    }

    pub(super) fn tell_throttle(&self) {
        let full_at = self
            .throttle
            .as_ref()
            .and_then(|(throttle, _)| Instant::now().checked_add(throttle.time_to_fill()));
        self.link.set_throttle_full_at(full_at);
    }

    pub(super) fn attempt_ended(&mut self, ended: Result<(Id, Done), JoinError>) {
        match ended {
            Ok((task, mut done)) => {
                self.under_way.remove(&task);
                self.count(&done);
                let trace = done.trace.take();
                let outcome = self.take_health(done);
                self.record(outcome, trace);
            }
            Err(error) => {
                // The task panicked: the event is at fault or rowhook is, the receiver is not.
                tracing::error!(receiver = self.receiver().0, %error, "an attempt panicked");
                if let Some(event) = self.under_way.remove(&error.id()) {
                    self.own_fault(&event, "an internal error, see the log");
                }
            }
        }
    }

    fn own_fault(&mut self, event: &DueEvent, why: &str) {
        let probe = self.health.probing.is_some();
        let done = Done::own_fault(event, self.receiver(), why, probe);
        let outcome = self.take_health(done);
        self.record(outcome, None);
    }

    pub(super) fn count(&self, done: &Done) {
        let metrics = self.parts.status.metrics();
        let outcome = match (&done.outcome.verdict, done.status) {
            (Verdict::Delivered, _) => "delivered",
            (_, Some(_)) => "refused",
            (_, None) => "unanswered",
        };
        if let Some(took) = done.took {
            metrics.attempt(done.outcome.receiver_id.0, outcome, took);
        }
        if done.outcome.verdict == Verdict::Delivered {
            let after = Utc::now() - done.occurred_at;
            metrics.delivered_after(after.as_seconds_f64());
        }
    }

    /// Keeps an outcome until it is written; [`Self::hand_over`] follows.
    fn record(&mut self, outcome: Outcome, trace: Option<AttemptTrace>) {
        if let Some(trace) = trace {
            let since = SystemTime::now();
            self.traced.insert(outcome.event_id, (trace, since));
        }
        self.unrecorded += 1;
        self.ended.push(Arc::new(outcome));
    }

    /// Hands the recorder what has ended since, all at once.
    pub(super) fn hand_over(&mut self) {
        if !self.ended.is_empty() {
            let ended = std::mem::take(&mut self.ended);
            self.write_down(ended, Duration::ZERO);
        }
    }

    fn write_down(&mut self, outcomes: Vec<Arc<Outcome>>, after: Duration) {
        let recorder = self.parts.recorder.clone();
        self.recording.spawn_local(async move {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            let left = recorder.ask(Record(outcomes.clone())).await;
            Recorded { outcomes, left }
        });
    }

    /// The recorder may be away for a while, or an outcome be refused: what is not written is handed over again.
    pub(super) async fn recorded(&mut self, recorded: Result<Recorded, JoinError>) {
        let Ok(Recorded { outcomes, left }) = recorded else {
            return;
        };
        // Nobody answered: they may be written or not, and writing one again changes nothing.
        let left = left.unwrap_or_else(|| outcomes.clone());
        for outcome in &outcomes {
            if !left.iter().any(|other| Arc::ptr_eq(outcome, other)) {
                self.unrecorded -= 1;
                self.trace_recorded(outcome.event_id);
                self.outcome_written(outcome).await;
            }
        }
        if !left.is_empty() {
            self.write_down(left, RETRY);
        }
    }

    fn trace_recorded(&mut self, event: EventId) {
        if !self.traced.is_empty()
            && let Some((trace, since)) = self.traced.remove(&event)
        {
            trace.recorded(since);
        }
    }

    /// An outcome is written: its rows are free, or what follows in them is parked.
    async fn outcome_written(&mut self, outcome: &Outcome) {
        let _work = self.pulse.work();
        let Some(rows) = self.rows_under_way.remove(&outcome.event_id) else {
            return;
        };
        if let Some(due_at) = outcome.due_at {
            self.trouble = true;
            let pause = (due_at - Utc::now()).max(TimeDelta::zero());
            let due = Instant::now() + pause.to_std().unwrap_or_default();
            self.due_at = self.due_at.min(due);
            if self.keeps_order() {
                let behind = self.view.drop_behind(outcome.event_id, rows);
                if let Err(error) = self.park(&behind).await {
                    // Where they are still ready in the database the next page finds them blocked.
                    tracing::warn!(receiver = self.receiver().0, %error, "events could not be parked");
                    self.build_view_anew();
                }
            }
        }
        self.view.finish(outcome.event_id, rows);
        if outcome.recovered {
            // With it what waits became due, and that is older than what is in view.
            self.build_view_anew();
        }
        if self.trouble && outcome.due_at.is_none() {
            self.settled_rows.extend(rows.iter());
        }
    }
}

/// What became of a start.
pub(super) enum Started {
    /// The attempt is under way.
    Sent,
    /// The next one may go then.
    Throttled(Instant),
    /// Another may send to this receiver now.
    NotOurs,
}

/// What the recorder made of outcomes.
pub(super) struct Recorded {
    outcomes: Vec<Arc<Outcome>>,
    /// Those of them that are not written; `None` when there was no answer.
    left: Option<Vec<Arc<Outcome>>>,
}
