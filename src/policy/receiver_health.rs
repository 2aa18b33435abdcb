//! What an attempt's end says of its receiver: when one that only fails is probed instead of sent to, how
//! often, and when it is given up (CONTRACT §7.7).
//!
//! A pure state machine. The sender feeds it, one receiver's attempts in the order in which they end.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::receiver_health::{Failures, Probing, ReceiverHealth};

use super::backoff::JITTER;

/// When a receiver is probed, and when it is given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthPolicy {
    /// After so many failures in a row it is probed.
    pub failures: u32,
    /// The pause before the first probe.
    pub first_pause: Duration,
    /// Each further pause is this many times the one before.
    pub multiplier: u32,
    /// No pause is longer, its spread aside.
    pub longest_pause: Duration,
    /// After so long with nothing but failures it is deactivated.
    pub given_up_after: Duration,
}

impl Default for HealthPolicy {
    /// CONTRACT §7.7: after 10 failures, first after 5 s, up to 5 minutes, for 5 days. Pauses double: 5 minutes are
    /// reached with the seventh probe, some five minutes after the first.
    fn default() -> Self {
        Self {
            failures: 10,
            first_pause: Duration::from_secs(5),
            multiplier: 2,
            longest_pause: Duration::from_secs(300),
            given_up_after: Duration::from_secs(5 * 24 * 3600),
        }
    }
}

/// What an attempt says of its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It took a delivery.
    Took,
    /// It did not, or could not be reached.
    Failed,
    /// The fault was rowhook's own, nothing was sent, or it was a test: it says nothing.
    Nothing,
}

/// The end of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What it says of the receiver.
    pub sign: Sign,
    /// Of a failure: the error in words.
    pub error: &'a str,
    /// Whether it was a probe: those that were under way when probing began move no pause.
    pub probe: bool,
    /// The receiver asked to be left alone for so long.
    pub floor: Duration,
    /// When it ended.
    pub now: DateTime<Utc>,
    /// Random in `0.0..1.0`.
    pub spread: f64,
}

/// How the receiver does after an attempt; `None`: as before.
pub fn after(
    health: &ReceiverHealth,
    policy: &HealthPolicy,
    seen: &Seen<'_>,
) -> Option<ReceiverHealth> {
    let revision = health.revision + 1;
    match seen.sign {
        // Another probe now would fail by the same fault.
        Sign::Nothing if seen.probe && !seen.floor.is_zero() => {
            let probing = health.probing?;
            Some(ReceiverHealth {
                probing: Some(Probing {
                    next_at: seen.now + TimeDelta::from_std(seen.floor).unwrap_or_default(),
                    ..probing
                }),
                revision,
                ..health.clone()
            })
        }
        Sign::Nothing => None,
        Sign::Took if health.failures.is_none() && health.probing.is_none() => None,
        Sign::Took => Some(ReceiverHealth {
            revision,
            ..ReceiverHealth::default()
        }),
        Sign::Failed => {
            let before = health.failures.as_ref();
            let count = before.map_or(1, |failures| failures.count.saturating_add(1));
            let probing = match health.probing {
                Some(probing) if seen.probe => {
                    let pause = probing.pause * policy.multiplier;
                    Some(next(pause.min(policy.longest_pause), seen))
                }
                Some(probing) => Some(probing),
                None if count >= policy.failures => Some(next(policy.first_pause, seen)),
                None => None,
            };
            Some(ReceiverHealth {
                failures: Some(Failures {
                    count,
                    since: before
                        .map_or(seen.now, |failures| failures.since + untried(health, seen)),
                    error: seen.error.to_owned(),
                }),
                probing,
                revision,
            })
        }
    }
}

/// A probe that is later than this was not made because rowhook did not run, and not because it was busy.
const LATE: TimeDelta = TimeDelta::minutes(10);

/// For how long nobody tried: what a receiver did meanwhile is not known, so those are no days of failure.
fn untried(health: &ReceiverHealth, seen: &Seen<'_>) -> TimeDelta {
    let probing = health.probing.filter(|_| seen.probe);
    let late = probing.map_or(TimeDelta::zero(), |probing| seen.now - probing.next_at);
    if late > LATE { late } else { TimeDelta::zero() }
}

fn next(pause: Duration, seen: &Seen<'_>) -> Probing {
    let spread_out = pause.mul_f64(1.0 - JITTER + 2.0 * JITTER * seen.spread);
    let floor = if seen.probe {
        seen.floor
    } else {
        Duration::ZERO
    };
    Probing {
        next_at: seen.now + TimeDelta::from_std(spread_out.max(floor)).unwrap_or_default(),
        pause,
    }
}

/// Whether there was nothing but failure for so long that it is given up: it is probed, and its first failure in a
/// row is that long ago.
pub fn is_given_up(health: &ReceiverHealth, policy: &HealthPolicy, now: DateTime<Utc>) -> bool {
    let since = health.failures.as_ref().map(|failures| failures.since);
    let lasts = since.and_then(|since| (now - since).to_std().ok());
    health.probing.is_some() && lasts.is_some_and(|lasts| lasts >= policy.given_up_after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::receiver_health::HealthState;

    const POLICY: fn() -> HealthPolicy = HealthPolicy::default;

    fn start() -> DateTime<Utc> {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn seen(sign: Sign, probe: bool, now: DateTime<Utc>) -> Seen<'static> {
        Seen {
            sign,
            error: "answered 500, expected 200",
            probe,
            floor: Duration::ZERO,
            now,
            spread: 0.5,
        }
    }

    fn failed(health: &ReceiverHealth, probe: bool, now: DateTime<Utc>) -> ReceiverHealth {
        after(health, &POLICY(), &seen(Sign::Failed, probe, now)).unwrap()
    }

    /// A receiver that fails ten times in ten seconds.
    fn probed() -> ReceiverHealth {
        let mut health = ReceiverHealth::default();
        for second in 0..10 {
            assert_ne!(health.state(), HealthState::Probing, "{second}");
            health = failed(&health, false, start() + TimeDelta::seconds(second));
        }
        health
    }

    #[test]
    fn ten_failures_in_a_row_and_none_less() {
        let health = probed();
        assert_eq!(health.state(), HealthState::Probing);
        assert_eq!(health.revision, 10);
        let mut mixed = ReceiverHealth::default();
        for round in 0..50 {
            mixed = failed(&mixed, false, start());
            assert_eq!(mixed.state(), HealthState::Failing);
            if round % 9 == 8 {
                mixed = after(&mixed, &POLICY(), &seen(Sign::Took, false, start())).unwrap();
                assert_eq!(mixed.state(), HealthState::Healthy);
            }
        }
    }

    #[test]
    fn what_says_nothing_changes_nothing() {
        let well = ReceiverHealth::default();
        for (health, sign) in [
            (&well, Sign::Took),
            (&well, Sign::Nothing),
            (&probed(), Sign::Nothing),
        ] {
            assert_eq!(after(health, &POLICY(), &seen(sign, true, start())), None);
        }
    }

    #[test]
    fn a_week_of_nothing_but_failure() {
        let mut health = probed();
        let (mut now, mut pauses) = (start() + TimeDelta::seconds(9), Vec::new());
        // Those that were under way fail too, and move nothing.
        let next_at = health.probing.unwrap().next_at;
        for _ in 0..15 {
            health = failed(&health, false, now);
        }
        assert_eq!(health.probing.unwrap().next_at, next_at);
        while now < start() + TimeDelta::days(7) && !is_given_up(&health, &POLICY(), now) {
            let next_at = health.probing.unwrap().next_at;
            pauses.push((next_at - now).num_seconds());
            now = next_at;
            health = failed(&health, true, now);
        }
        assert_eq!(pauses[..8], [5, 10, 20, 40, 80, 160, 300, 300]);
        assert!(pauses[8..].iter().all(|pause| *pause == 300));
        assert_eq!((now - start()).num_days(), 5, "{now}");
        let first = health.failures.unwrap().since;
        assert_eq!(first, start(), "counted from the first failure");
    }

    #[test]
    fn days_in_which_nobody_tried_are_no_days_of_failure() {
        let health = probed();
        let four_days_off = start() + TimeDelta::days(4);
        let mut health = failed(&health, true, four_days_off);
        assert!(!is_given_up(
            &health,
            &POLICY(),
            start() + TimeDelta::days(6)
        ));
        // A probe that is a little late counts as any.
        let since = health.failures.as_ref().unwrap().since;
        let late = health.probing.unwrap().next_at + TimeDelta::minutes(9);
        health = failed(&health, true, late);
        assert_eq!(health.failures.as_ref().unwrap().since, since);
        assert!(is_given_up(&health, &POLICY(), since + TimeDelta::days(5)));
    }

    #[test]
    fn one_delivery_ends_it() {
        let well = after(&probed(), &POLICY(), &seen(Sign::Took, true, start())).unwrap();
        assert_eq!(well.state(), HealthState::Healthy);
        assert_eq!((well.failures, well.probing), (None, None));
    }

    #[test]
    fn a_few_failures_long_ago_are_not_days_of_failure() {
        let old = failed(&ReceiverHealth::default(), false, start());
        let week_later = start() + TimeDelta::days(7);
        let now_and_then = failed(&old, false, week_later);
        assert!(!is_given_up(&now_and_then, &POLICY(), week_later));
    }

    #[test]
    fn probes_are_spread_and_wait_for_as_long_as_the_receiver_asks() {
        let pause = |spread, floor| {
            let seen = Seen {
                spread,
                floor: Duration::from_secs(floor),
                ..seen(Sign::Nothing, true, start())
            };
            let next = next(Duration::from_secs(300), &seen);
            (next.next_at - start()).num_seconds()
        };
        assert_eq!(pause(0.0, 0), 240);
        assert_eq!(pause(1.0, 0), 360);
        assert_eq!(pause(1.0, 1000), 1000);
    }
}
