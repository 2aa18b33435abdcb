//! Counting what became of attempts: which stretch of time one falls into, which kind it is, and what the
//! counts say.
//!
//! The outcome log counts and the statistics read; a latency is kept as one of about a hundred kinds, each a
//! fifth longer than the one before, so that counts of many receivers and instances can be added up.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};

use crate::domain::stats::{DeliveryStats, Latency};

/// Seconds in a slot.
pub(super) const SLOT: i64 = 15;
/// Full slots that rates are told of: a minute.
const RATE_SLOTS: i64 = 4;
/// Full slots that shares and latencies are told of: five minutes.
const SLOTS: i64 = 20;
/// Kinds to each doubling of a latency.
const PER_DOUBLING: f64 = 4.0;

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// No delivery.
    Failed,
    /// A delivery whose latency tells nothing: one of old history, or by hand.
    Untimed,
    /// A delivery with its latency, as a step of the scale.
    Timed(u8),
}

impl Kind {
    /// A delivery that took so long since the commit.
    pub fn timed(latency: Duration) -> Self {
        let milliseconds = latency.as_secs_f64() * 1000.0;
        let step = (milliseconds.max(1.0).log2() * PER_DOUBLING).ceil();
        // Saturates: the scale ends beyond all time.
        Self::Timed(step as u8)
    }

    /// The number in `delivery_counts.kind`.
    pub fn code(self) -> i16 {
        match self {
            Self::Failed => -1,
            Self::Untimed => -2,
            Self::Timed(step) => step.into(),
        }
    }

    /// The kind behind a stored number.
    pub fn from_code(code: i16) -> Option<Self> {
        match code {
            -1 => Some(Self::Failed),
            -2 => Some(Self::Untimed),
            step => u8::try_from(step).ok().map(Self::Timed),
        }
    }
}

/// The slot of a moment.
pub fn slot(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(SLOT)
}

/// The slots that statistics of this moment are made from; those before them are over.
pub fn slots(now: DateTime<Utc>) -> std::ops::RangeInclusive<i64> {
    slot(now) - SLOTS..=slot(now)
}

/// The first slot that rates of this moment are made from.
pub fn first_rate_slot(now: DateTime<Utc>) -> i64 {
    slot(now) - RATE_SLOTS
}

/// Counts of one receiver, or of all: of the slots of rates, and of all slots.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    recent: BTreeMap<Kind, u64>,
    whole: BTreeMap<Kind, u64>,
}

impl Tally {
    /// Adds counts of a kind.
    pub fn add(&mut self, kind: Kind, recent: u64, whole: u64) {
        *self.recent.entry(kind).or_default() += recent;
        *self.whole.entry(kind).or_default() += whole;
    }

    /// What the counts say at this moment.
    pub fn stats(&self, now: DateTime<Utc>) -> DeliveryStats {
        let split = |counts: &BTreeMap<Kind, u64>| {
            let failed = counts.get(&Kind::Failed).copied().unwrap_or_default();
            let all: u64 = counts.values().sum();
            ((all - failed) as f64, failed as f64)
        };
        let (delivered, failed) = split(&self.recent);
        let began = first_rate_slot(now) * SLOT;
        let seconds = now.timestamp_millis() as f64 / 1000.0 - began as f64;
        let (good, bad) = split(&self.whole);
        DeliveryStats {
            delivered_per_second: delivered / seconds,
            failed_per_second: failed / seconds,
            success_rate: (good + bad > 0.0).then(|| good / (good + bad)),
            latency: latency(&self.whole),
        }
    }
}

/// What counts of each kind come to.
pub(super) struct Summed {
    pub(super) delivered: u64,
    pub(super) failed: u64,
    pub(super) latency: Option<Latency>,
}

/// Sums counts of each kind up.
pub(super) fn summed(counts: &BTreeMap<Kind, u64>) -> Summed {
    let failed = counts.get(&Kind::Failed).copied().unwrap_or_default();
    Summed {
        delivered: counts.values().sum::<u64>() - failed,
        failed,
        latency: latency(counts),
    }
}

fn latency(counts: &BTreeMap<Kind, u64>) -> Option<Latency> {
    let timed: Vec<(u8, u64)> = counts
        .iter()
        .filter_map(|(kind, count)| match kind {
            Kind::Timed(step) => Some((*step, *count)),
            Kind::Failed | Kind::Untimed => None,
        })
        .collect();
    Some(Latency {
        p50: quantile(&timed, 0.5)?,
        p99: quantile(&timed, 0.99)?,
    })
}

/// The middle of the step in which the quantile lies, in milliseconds.
fn quantile(timed: &[(u8, u64)], share: f64) -> Option<f64> {
    let all: u64 = timed.iter().map(|(_, count)| count).sum();
    let wanted = (all as f64 * share).ceil().max(1.0);
    let mut seen = 0;
    for (step, count) in timed {
        seen += count;
        if seen as f64 >= wanted {
            return Some(((f64::from(*step) - 0.5) / PER_DOUBLING).exp2());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-04-26T19:33:37.500Z".parse().unwrap()
    }

    #[test]
    fn a_latency_is_told_within_a_tenth() {
        for milliseconds in [2_u64, 3, 10, 117, 5000, 86_400_000, 30 * 86_400_000] {
            let mut tally = Tally::default();
            tally.add(Kind::timed(Duration::from_millis(milliseconds)), 1, 1);
            let told = tally.stats(now()).latency.unwrap();
            let off = told.p50 / milliseconds as f64;
            assert!((0.9..1.1).contains(&off), "{milliseconds}: {told:?}");
            assert_eq!(told.p50, told.p99);
        }
        assert_eq!(Kind::timed(Duration::ZERO), Kind::Timed(0));
        assert_eq!(Kind::timed(Duration::MAX), Kind::Timed(255));
    }

    #[test]
    fn quantiles_are_of_all_deliveries() {
        let mut tally = Tally::default();
        tally.add(Kind::timed(Duration::from_millis(10)), 0, 98);
        tally.add(Kind::timed(Duration::from_millis(1000)), 0, 2);
        tally.add(Kind::Failed, 0, 1000);
        let told = tally.stats(now()).latency.unwrap();
        assert!((9.0..11.0).contains(&told.p50), "{told:?}");
        assert!((900.0..1100.0).contains(&told.p99), "{told:?}");
    }

    #[test]
    fn rates_are_of_the_last_minute_and_shares_of_five() {
        let mut tally = Tally::default();
        assert_eq!(tally.stats(now()), DeliveryStats::default());
        tally.add(Kind::Untimed, 135, 200);
        tally.add(Kind::Failed, 27, 600);
        let told = tally.stats(now());
        // Four full slots and half of the present one: 67.5 s.
        assert_eq!(
            (told.delivered_per_second, told.failed_per_second),
            (2.0, 0.4)
        );
        assert_eq!((told.success_rate, told.latency), (Some(0.25), None));
        assert_eq!(slots(now()).count(), 21);
        assert_eq!(first_rate_slot(now()), slots(now()).end() - 4);
    }

    #[test]
    fn kinds_are_read_back() {
        for kind in [
            Kind::Failed,
            Kind::Untimed,
            Kind::Timed(0),
            Kind::Timed(255),
        ] {
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(Kind::from_code(-3), None);
    }
}
