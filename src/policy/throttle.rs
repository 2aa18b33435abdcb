//! A receiver's throttle: GCRA by governor, with the clock as an argument.
//!
//! In any window of t seconds at most `burst + per_second × t` requests start (CONTRACT §7.6). It is
//! exact because one sender owns a receiver at a time; where another may have been running shortly
//! before, the limiter starts empty.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, FakeRelativeClock},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use crate::domain::receiver::RateLimit;

type Limiter = RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, NoOpMiddleware<Nanos>>;

/// The limiter of one receiver, fed with the time since it was made.
pub struct Throttle {
    limit: RateLimit,
    limiter: Limiter,
    clock: FakeRelativeClock,
    /// governor's clock stands here.
    advanced: Duration,
}

/// Whether a bucket starts with its burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nobody has sent for long enough: the burst is there.
    Full,
    /// Someone may have just sent: the burst has to be earned.
    Empty,
}

impl Throttle {
    /// A limiter whose time begins now.
    pub fn new(limit: RateLimit, start: Start) -> Self {
        let clock = FakeRelativeClock::default();
        let burst = NonZeroU32::new(limit.burst).unwrap_or(NonZeroU32::MIN);
        // The longest period governor counts is about 584 years; the shortest is a nanosecond.
        let period = Duration::try_from_secs_f64(1.0 / limit.per_second)
            .unwrap_or(Duration::from_secs(3600 * 24 * 365))
            .max(Duration::from_nanos(1));
        let quota = Quota::with_period(period)
            .expect("the period is at least a nanosecond")
            .allow_burst(burst);
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
        let throttle = Self {
            limit,
            limiter,
            clock,
            advanced: Duration::ZERO,
        };
        if start == Start::Empty {
            // The whole burst is taken at once; a bucket that was just made always has it.
            let _taken = throttle.limiter.check_n(burst);
        }
        throttle
    }

    /// The limit it keeps.
    pub fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Takes one send at time `at` since the start, or tells when the next one may be asked for.
    pub fn take(&mut self, at: Duration) -> Result<(), Duration> {
        if let Some(step) = at.checked_sub(self.advanced) {
            self.clock.advance(step);
            self.advanced = at;
        }
        self.limiter.check().map_err(|refused| {
            // The wait that governor computes from its own clock, which stands at `at`.
            self.advanced + refused.wait_time_from(self.clock.now())
        })
    }

    /// How long after the last send the bucket is full again, at most.
    pub fn time_to_fill(&self) -> Duration {
        Duration::try_from_secs_f64(f64::from(self.limit.burst) / self.limit.per_second)
            .unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(limit: RateLimit, start: Start, for_seconds: f64) -> Vec<Duration> {
        let mut throttle = Throttle::new(limit, start);
        let (mut at, mut taken) = (Duration::ZERO, Vec::new());
        while at.as_secs_f64() <= for_seconds {
            match throttle.take(at) {
                Ok(()) => taken.push(at),
                Err(next) => at = next,
            }
        }
        taken
    }

    #[test]
    fn no_window_holds_more_than_burst_plus_rate_and_all_of_it_is_used() {
        for (per_second, burst) in [(10.0, 1), (10.0, 5), (0.5, 1), (333.3, 20), (0.1, 2)] {
            let seconds = 40.0 / per_second;
            let taken = starts(RateLimit { per_second, burst }, Start::Full, seconds);
            for (index, from) in taken.iter().enumerate() {
                for (count, to) in taken[index..].iter().enumerate() {
                    let allowed = f64::from(burst) + per_second * (*to - *from).as_secs_f64();
                    assert!((count + 1) as f64 <= allowed + 1e-6, "{per_second} {burst}");
                }
            }
            let most = f64::from(burst) + per_second * seconds;
            assert!(
                taken.len() as f64 >= most - 1.0,
                "{} of {most}",
                taken.len()
            );
        }
    }

    #[test]
    fn an_empty_start_earns_its_burst() {
        let limit = RateLimit {
            per_second: 2.0,
            burst: 10,
        };
        assert_eq!(starts(limit, Start::Full, 0.0).len(), 10);
        let empty = starts(limit, Start::Empty, 5.0);
        assert_eq!(empty.len(), 10);
        assert_eq!(empty[0], Duration::from_millis(500));
    }
}
