//! How deliveries went in steps of equal length: how long steps may be, which counts belong to them, and how long counts
//! of each fineness are kept.
//!
//! Counts are kept in stretches of time, which get longer as they get older: 15 seconds for five minutes (`tally`), a
//! minute for two hours, ten minutes for a day and a little. A step is made of whole stretches.

use std::{collections::BTreeMap, ops::RangeInclusive};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::stats::StatsStep;

use super::tally::{Kind, SLOT, summed};

/// Seconds of a stretch, and how long stretches of that length are kept before they become part of longer ones, or are
/// dropped. The last has two hours more than a day, since steps may begin before what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grain {
    /// How long a stretch is.
    pub seconds: i64,
    /// For how many seconds there are such stretches.
    pub kept: i64,
}

/// What the outcome log counts in.
pub const COUNTED: Grain = Grain {
    seconds: SLOT,
    kept: 300,
};
/// What that becomes.
pub const MINUTES: Grain = Grain {
    seconds: 60,
    kept: 2 * 3600,
};
/// What that becomes, until it is dropped.
pub const TENS: Grain = Grain {
    seconds: 600,
    kept: 27 * 3600,
};

impl Grain {
    /// The stretch of a moment.
    pub fn slot(self, at: DateTime<Utc>) -> i64 {
        at.timestamp().div_euclid(self.seconds)
    }

    /// The first stretch that is still kept at this moment.
    pub fn first_kept(self, now: DateTime<Utc>) -> i64 {
        self.slot(now) - self.kept / self.seconds
    }
}

/// Steps up to now, the last of which is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The step in which now is, counted since 1970.
    last: i64,
    /// How many there are.
    count: i64,
    /// Seconds of each.
    seconds: i64,
    now: i64,
    grain: Grain,
}

impl Steps {
    /// Steps for the last so many seconds: as many as are wanted, or fewer where the counts are not as fine.
    pub fn new(now: DateTime<Utc>, seconds: u32, wanted: u32) -> Self {
        let (span, wanted) = (i64::from(seconds), i64::from(wanted.max(1)));
        let of = |grain: Grain| {
            let stretches = ceil(ceil(span, wanted), grain.seconds).max(1);
            let step = stretches * grain.seconds;
            Self {
                last: now.timestamp().div_euclid(step),
                count: ceil(span, step).max(1),
                seconds: step,
                now: now.timestamp(),
                grain,
            }
        };
        let fits = |steps: &Self| steps.count * steps.seconds <= steps.grain.kept;
        let fine = [COUNTED, MINUTES].into_iter().map(of).find(fits);
        fine.unwrap_or_else(|| of(TENS))
    }

    /// Seconds of a step.
    pub fn seconds(&self) -> i64 {
        self.seconds
    }

    /// When the first step begins, in seconds since 1970.
    pub fn from(&self) -> i64 {
        (self.last - self.count + 1) * self.seconds
    }

    /// The kept stretches of this length that may belong to these steps; none where steps are finer.
    pub fn slots(&self, grain: Grain) -> RangeInclusive<i64> {
        if grain.seconds > self.grain.seconds {
            #[expect(clippy::reversed_empty_ranges, reason = "none is what is meant")]
            return 1..=0;
        }
        self.from().div_euclid(grain.seconds)..=self.now.div_euclid(grain.seconds)
    }

    /// Each step, the oldest first, from the counts of each kind in each step since 1970.
    pub fn told(&self, counts: &BTreeMap<i64, BTreeMap<Kind, u64>>) -> Vec<StatsStep> {
        let nothing = BTreeMap::new();
        let step = |number: i64| {
            let sum = summed(counts.get(&number).unwrap_or(&nothing));
            StatsStep {
                from: DateTime::UNIX_EPOCH + TimeDelta::seconds(number * self.seconds),
                seconds: self.seconds,
                delivered: sum.delivered,
                failed: sum.failed,
                latency: sum.latency,
            }
        };
        (self.last - self.count + 1..=self.last).map(step).collect()
    }
}

fn ceil(what: i64, by: i64) -> i64 {
    (what + by - 1).div_euclid(by)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-04-26T19:33:37.500Z".parse().unwrap()
    }

    #[test]
    fn steps_are_made_of_whole_stretches() {
        let of = |seconds, wanted| {
            let steps = Steps::new(now(), seconds, wanted);
            (steps.seconds, steps.count, steps.grain.seconds)
        };
        assert_eq!(of(3600, 60), (60, 60, 60));
        assert_eq!(of(300, 20), (15, 20, 15));
        assert_eq!(of(60, 240), (15, 4, 15), "no finer than what is counted");
        assert_eq!(of(600, 240), (60, 10, 60));
        assert_eq!(of(7200, 7), (1200, 6, 600), "minutes do not reach so far");
        assert_eq!(of(86_400, 24), (3600, 24, 600));
        assert_eq!(of(86_400, 240), (600, 144, 600));
        assert_eq!(of(86_400, 1), (86_400, 1, 600));
    }

    #[test]
    fn what_is_asked_for_is_kept() {
        for seconds in (60..=86_400).step_by(37) {
            for wanted in [1, 2, 7, 12, 60, 133, 240] {
                let steps = Steps::new(now(), seconds, wanted);
                let told = steps.told(&BTreeMap::new());
                assert!(told.len() <= wanted as usize);
                let first = told[0].from.timestamp();
                assert_eq!(first, steps.from());
                // All of it, but for the part of the present step that is still to come.
                assert!(now().timestamp() - first > i64::from(seconds) - steps.seconds);
                let kept = steps.grain.first_kept(now()) * steps.grain.seconds;
                assert!(kept <= first, "{seconds} {wanted}");
                // A stretch that is no longer kept as fine as this lies before the steps.
                assert_eq!(first % steps.grain.seconds, 0);
                assert!(told[told.len() - 1].from <= now());
            }
        }
    }

    #[test]
    fn coarser_stretches_belong_to_coarser_steps() {
        let steps = Steps::new(now(), 300, 20);
        assert_eq!(steps.slots(COUNTED).count(), 20);
        assert_eq!(steps.slots(MINUTES).count(), 0);
        let steps = Steps::new(now(), 3600, 60);
        assert_eq!(steps.slots(MINUTES).count(), 60);
        assert_eq!(steps.slots(TENS).count(), 0);
        let steps = Steps::new(now(), 86_400, 24);
        assert_eq!(steps.slots(TENS).count(), 23 * 6 + 4);
    }

    #[test]
    fn a_step_without_deliveries_is_there() {
        let steps = Steps::new(now(), 300, 5);
        let kinds = BTreeMap::from([
            (Kind::timed(Duration::from_millis(100)), 3),
            (Kind::Untimed, 1),
            (Kind::Failed, 2),
        ]);
        let told = steps.told(&BTreeMap::from([(now().timestamp() / 60, kinds)]));
        let numbers: Vec<_> = told.iter().map(|one| (one.delivered, one.failed)).collect();
        assert_eq!(numbers, [(0, 0), (0, 0), (0, 0), (0, 0), (4, 2)]);
        assert_eq!(told[0].latency, None);
        assert!((90.0..110.0).contains(&told[4].latency.unwrap().p50));
        assert_eq!(
            told[4].from,
            "2026-04-26T19:33:00Z".parse::<DateTime<Utc>>().unwrap()
        );
    }
}
