//! How long something is kept.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is never dropped.
    Forever,
    /// For this long.
    For(Duration),
}

impl Keep {
    /// What was over before this need not be kept any more; `None`: everything is kept. That is so too
    /// where the time is longer than a calendar can tell.
    pub fn until(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Forever => None,
            Self::For(time) => now.checked_sub_signed(TimeDelta::from_std(time).ok()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_for_ever_or_longer_than_time_is_never_over() {
        let now = DateTime::from_timestamp(1_000_000_000, 0).unwrap();
        let until = |seconds| Keep::For(Duration::from_secs(seconds)).until(now);
        assert_eq!(until(10), DateTime::from_timestamp(999_999_990, 0));
        assert_eq!(until(u64::MAX), None);
        assert_eq!(until(300_000 * 366 * 24 * 3600), None);
        assert_eq!(Keep::Forever.until(now), None);
    }
}
