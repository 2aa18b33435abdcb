//! What the log says of deliveries: a receiver that begins to fail, one that is well again, events that
//! were given up. Single attempts stand in the database; here they would bury everything else.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::domain::{
    attempt::{Outcome, Verdict},
    ids::{EventId, ReceiverId},
};

/// The pause between two lines about the failures of one receiver.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How one receiver does.
#[derive(Debug)]
struct Health {
    /// That it fails was told, and not yet that it is well again.
    told_failing: bool,
    /// Failures since the last line.
    failures: u64,
    next_line: Instant,
}

/// How the receivers do that have failed since this began.
#[derive(Debug, Default)]
pub struct DeliveryLog {
    receivers: HashMap<ReceiverId, Health>,
}

/// Events of one receiver that were given up.
struct GivenUp<'a> {
    first: EventId,
    events: u64,
    why: &'a str,
}

impl DeliveryLog {
    /// Tells what is worth a line in a batch that was written.
    pub fn written<'a>(&mut self, outcomes: impl Iterator<Item = &'a Outcome>) {
        let mut given_up = HashMap::new();
        for outcome in outcomes {
            match outcome.verdict {
                Verdict::Delivered => self.delivered(outcome.receiver_id),
                Verdict::Retry { .. } => self.failed(outcome),
                Verdict::Failed => {
                    self.failed(outcome);
                    let of = given_up.entry(outcome.receiver_id);
                    let of = of.or_insert_with(|| GivenUp {
                        first: outcome.event_id,
                        events: 0,
                        why: why(outcome),
                    });
                    of.events += 1;
                }
            }
        }
        for (receiver, GivenUp { first, events, why }) in given_up {
            tracing::warn!(
                receiver = receiver.0,
                events,
                first_event = first.0,
                error = why,
                "events were given up"
            );
        }
    }

    fn failed(&mut self, outcome: &Outcome) {
        let now = Instant::now();
        let health = self.receivers.entry(outcome.receiver_id);
        let health = health.or_insert(Health {
            told_failing: false,
            failures: 0,
            next_line: now,
        });
        health.failures += 1;
        if now >= health.next_line {
            tracing::warn!(
                receiver = outcome.receiver_id.0,
                event = outcome.event_id.0,
                failures = health.failures,
                error = why(outcome),
                "a receiver does not take deliveries; trying again"
            );
            health.told_failing = true;
            health.failures = 0;
            health.next_line = now + AGAIN_AFTER;
        }
    }

    fn delivered(&mut self, receiver: ReceiverId) {
        let Some(health) = self.receivers.get_mut(&receiver) else {
            return;
        };
        if health.told_failing {
            health.told_failing = false;
            tracing::info!(receiver = receiver.0, "a receiver takes deliveries again");
        } else if Instant::now() >= health.next_line {
            self.receivers.remove(&receiver);
        }
    }
}

fn why(outcome: &Outcome) -> &str {
    let attempt = outcome.attempt.as_ref();
    attempt
        .and_then(|attempt| attempt.error.as_deref())
        .or(outcome.reason.as_deref())
        .unwrap_or("no reason is known")
}
