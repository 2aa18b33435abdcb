//! How the receiver does, from one attempt to the next, and the turns of a sender whose receiver is only probed.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};

use crate::{
    domain::{
        attempt::{Outcome, Verdict},
        ids::EventId,
        receiver::DeliveryTarget,
        receiver_health::HealthState,
    },
    pipeline::{lifeline::Work, sender::attempt::Done},
    policy::{
        judge::GONE,
        receiver_health::{HealthPolicy, Seen, Sign, after, is_given_up},
    },
    store::StoreError,
};

use super::{Farewell, LINGER, LONGEST_NAP, PAGE, Sending, Trial, Turn, settling::Started};

/// Tests that are looked for at once.
const TESTS: u32 = 16;
/// The pause after an event that was found to be owed no more: there may be many.
const NOT_OWED: Duration = Duration::from_millis(50);
/// Farther than any attempt is put off.
const EVER: TimeDelta = TimeDelta::days(36_500);

impl Sending {
    /// Takes what an attempt says of the receiver into its outcome.
    pub(super) fn take_health(&mut self, done: Done) -> Outcome {
        let mut outcome = done.outcome;
        let now = Utc::now();
        let error = outcome
            .attempt
            .as_ref()
            .and_then(|attempt| attempt.error.as_deref());
        let seen = Seen {
            sign: done.says,
            error: error.unwrap_or("no reason is known"),
            probe: done.probe,
            floor: match outcome.verdict {
                Verdict::Retry { after, .. } => after,
                Verdict::Delivered | Verdict::Failed => Duration::ZERO,
            },
            now,
            spread: rand::random(),
        };
        let policy = self.parts.defaults.health;
        let before = self.health.state();
        self.trial = match done.says {
            Sign::Took => self.trial.and_then(Trial::goes_on),
            Sign::Failed => self.trial.map(|_| Trial::of(&policy)),
            Sign::Nothing => self.trial,
        };
        if let Some(health) = after(&self.health, &policy, &seen) {
            outcome.recovered = self.health.probing.is_some() && health.probing.is_none();
            if outcome.recovered {
                self.trial = Some(Trial::of(&policy));
            }
            outcome.health = Some(health.clone());
            self.health = health;
            self.tell_state(before);
        }
        if let (true, Some(probing), Verdict::Retry { .. }) =
            (done.probe, self.health.probing, outcome.verdict)
        {
            outcome.due_at = Some(probing.next_at);
        }
        let begun = outcome.attempt.as_ref().map(|attempt| attempt.started_at);
        if done.gone {
            if begun > self.deactivated_at {
                let why = format!("the receiver answered {GONE} Gone; activate it when it is back");
                self.farewell = Some(Farewell { uri: done.uri, why });
            }
        } else if done.probe
            && done.says == Sign::Failed
            && is_given_up(&self.health, &policy, now)
            && let Some(failures) = &self.health.failures
        {
            self.farewell = Some(Farewell {
                uri: done.uri,
                why: format!(
                    "nothing but failures since {}, the last: {}; activate it when it is mended",
                    failures.since.format("%Y-%m-%d %H:%M UTC"),
                    failures.error
                ),
            });
        }
        outcome
    }

    fn tell_state(&self, before: HealthState) {
        let receiver = self.receiver().0;
        match (before, self.health.state()) {
            (HealthState::Probing, HealthState::Healthy) => {
                tracing::info!(
                    receiver,
                    "a receiver that was probed takes deliveries again"
                );
            }
            (HealthState::Healthy | HealthState::Failing, HealthState::Probing) => {
                let failures = self.health.failures.as_ref();
                tracing::warn!(
                    receiver,
                    failures = failures.map(|failures| failures.count),
                    error = failures.map(|failures| failures.error.as_str()),
                    "a receiver only fails; it gets one request at a time until it takes one"
                );
            }
            _ => {}
        }
    }

    /// What is written of the receiver may be newer than what is known here: somebody mended something.
    pub(super) fn learn_health(&mut self) {
        let Some(target) = &self.target else { return };
        if target.health.revision > self.health.revision {
            let was_probed = self.health.probing.is_some();
            self.health = target.health.clone();
            if was_probed && self.health.probing.is_none() {
                self.build_view_anew();
            }
        }
    }

    /// A turn while the receiver is probed: one request at a time, a test at once, anything else when it is time.
    pub(super) async fn probe(
        &mut self,
        target: Rc<DeliveryTarget>,
        work: &Work,
    ) -> Result<Turn, StoreError> {
        let Some(probing) = self.health.probing else {
            return Ok(Turn::Wait(Duration::ZERO));
        };
        if !self.attempts.is_empty() || self.unrecorded > 0 {
            return Ok(Turn::Wait(LONGEST_NAP));
        }
        let pause = (probing.next_at - Utc::now()).to_std().unwrap_or_default();
        let mut chosen = self.next_test(work).await?;
        if chosen.is_none() && pause.is_zero() {
            chosen = self.next_probe(&target, work).await?;
        }
        let Some(id) = chosen else {
            return Ok(self.sleep(pause));
        };
        self.load_these(vec![id], work).await?;
        // What came before may have taken long, and what starts now goes by what is known now.
        let Some(target) = self.settings(work).await? else {
            return Ok(Turn::End);
        };
        if !self.bodies.contains_key(&id) {
            // Not owed any more.
            return Ok(Turn::Wait(NOT_OWED));
        }
        match self.start_one(id, &target) {
            Started::Sent => Ok(Turn::Wait(LONGEST_NAP)),
            Started::Throttled(next) => {
                let wait = next.saturating_duration_since(Instant::now());
                Ok(Turn::Wait(wait.min(LONGEST_NAP)))
            }
            Started::NotOurs => Ok(Turn::End),
        }
    }

    /// Nothing may go now. A receiver that waits for minutes costs no sender: the dispatcher starts one in time.
    fn sleep(&mut self, pause: Duration) -> Turn {
        self.view.clear();
        self.bodies.clear();
        self.reread();
        let idle_from = if pause > LINGER {
            self.throttle_full_at().unwrap_or_else(Instant::now)
        } else {
            self.idle_from()
        };
        if Instant::now() >= idle_from
            && (pause > LINGER || pause.is_zero())
            && !self.link.is_woken()
        {
            return Turn::End;
        }
        if pause.is_zero() {
            return Turn::Wait(LONGEST_NAP);
        }
        Turn::Wait(pause.min(LONGEST_NAP))
    }

    async fn next_test(&mut self, work: &Work) -> Result<Option<EventId>, StoreError> {
        let tests = self.parts.queue.tests(self.receiver(), TESTS).await?;
        work.goes_on();
        let first = tests.first().map(|test| test.id);
        for test in tests {
            self.view.offer(test);
        }
        Ok(first)
    }

    /// Any event that may go, whether it is due or not: were it always the first, one that can not be delivered would
    /// keep the receiver from being found well.
    async fn next_probe(
        &mut self,
        target: &DeliveryTarget,
        work: &Work,
    ) -> Result<Option<EventId>, StoreError> {
        self.fill(target, work).await?;
        let waiting = self
            .parts
            .queue
            .due(self.receiver(), Utc::now() + EVER, PAGE);
        for event in waiting.await? {
            self.view.offer(event);
        }
        work.goes_on();
        let may_go = self
            .view
            .startable(target.receiver.ordering, self.view.len());
        let any = rand::random_range(0..may_go.len().max(1));
        Ok(may_go.get(any).copied())
    }
}

impl Trial {
    /// From its beginning.
    fn of(policy: &HealthPolicy) -> Self {
        Self {
            at_once: 1,
            left: policy.failures,
        }
    }

    /// After one more delivery; `None`: it is over.
    fn goes_on(self) -> Option<Self> {
        let left = self.left.checked_sub(1).filter(|left| *left > 0)?;
        Some(Self {
            at_once: self.at_once.saturating_mul(2),
            left,
        })
    }
}
