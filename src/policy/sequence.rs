//! Which numbers of a subscription's events are missing, as against dropped by retention.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};

/// The newest numbers of a subscription that events have.
#[derive(Clone, Debug)]
pub struct Numbers<'a> {
    /// Each with the time when its event was made, the highest first.
    pub found: &'a [(i64, DateTime<Utc>)],
    /// The last one that was given.
    pub last: i64,
    /// Whether `found` holds every event of the subscription that is kept.
    pub complete: bool,
    /// Retention may have dropped events that were made before this; `None`: it drops none.
    pub since: Option<DateTime<Utc>>,
}

/// The gaps, the highest first. Numbers are given in the order of time, so an event that was made after another one
/// which is too new to be dropped has not been dropped either: only such gaps are told.
pub fn gaps(numbers: &Numbers<'_>) -> Vec<RangeInclusive<i64>> {
    let mut gaps = Vec::new();
    let mut above = numbers.last + 1;
    for (number, made_at) in numbers.found {
        if numbers.since.is_some_and(|since| *made_at < since) {
            return gaps;
        }
        if number + 1 < above {
            gaps.push(number + 1..=above - 1);
        }
        above = *number;
    }
    if numbers.since.is_none() && numbers.complete && above > 1 {
        gaps.push(1..=above - 1);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: &[(i64, i64)], last: i64, since: Option<i64>) -> Vec<RangeInclusive<i64>> {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let found: Vec<_> = found.iter().map(|(n, made)| (*n, at(*made))).collect();
        gaps(&Numbers {
            found: &found,
            last,
            complete: true,
            since: since.map(at),
        })
    }

    #[test]
    fn every_number_is_missed_where_everything_is_kept() {
        assert!(told(&[(3, 9), (2, 9), (1, 9)], 3, None).is_empty());
        assert_eq!(told(&[(6, 9), (3, 8)], 8, None), [7..=8, 4..=5, 1..=2]);
        assert_eq!(told(&[], 2, None), [1..=2]);
        assert!(told(&[], 0, None).is_empty());
    }

    #[test]
    fn what_may_have_been_dropped_is_not_missed() {
        // 2 is owed still, and what was settled around it is gone.
        assert!(told(&[(6, 9), (5, 8), (2, 3)], 6, Some(5)).is_empty());
        assert!(told(&[], 6, Some(5)).is_empty());
        assert_eq!(told(&[(6, 9), (3, 8), (1, 2)], 8, Some(5)), [7..=8, 4..=5]);
    }

    #[test]
    fn a_look_that_ended_early_says_nothing_of_what_is_below() {
        let at = DateTime::UNIX_EPOCH;
        let numbers = Numbers {
            found: &[(9, at), (8, at)],
            last: 9,
            complete: false,
            since: None,
        };
        assert!(gaps(&numbers).is_empty());
    }
}
