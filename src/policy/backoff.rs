//! When a failed attempt is followed by the next one (CONTRACT §7.7).

use std::time::Duration;

use crate::domain::receiver::RetryPolicy;

/// Each delay is spread by this much to either side, so that a crowd of retries does not come back as
/// one.
pub const JITTER: f64 = 0.2;

/// The pause after attempt number `attempt` (from 1), or `None` when the budget is used up.
///
/// `spread` is random in `0.0..1.0`. A `Retry-After` is a floor, capped at the maximum delay.
pub fn delay_after(
    attempt: u32,
    policy: &RetryPolicy,
    retry_after: Option<Duration>,
    spread: f64,
) -> Option<Duration> {
    if attempt >= policy.max_attempts {
        return None;
    }
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let plain = policy.initial_delay.as_secs_f64() * policy.multiplier.powi(exponent);
    let capped = plain.min(policy.max_delay.as_secs_f64());
    let spread_out = capped * (1.0 - JITTER + 2.0 * JITTER * spread);
    let floor = retry_after.unwrap_or_default().min(policy.max_delay);
    Some(Duration::from_secs_f64(spread_out).max(floor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_schedule_is_the_contracts() {
        let policy = RetryPolicy::default();
        let pauses: Vec<u64> = (1..=12)
            .map_while(|attempt| delay_after(attempt, &policy, None, 0.5))
            .map(|pause| pause.as_secs())
            .collect();
        assert_eq!(
            pauses,
            [
                5, 20, 80, 320, 1280, 5120, 20480, 21600, 21600, 21600, 21600
            ]
        );
        let hours = pauses.iter().sum::<u64>() as f64 / 3600.0;
        assert!((31.0..32.0).contains(&hours), "{hours}");
    }

    #[test]
    fn the_spread_is_a_fifth_to_either_side() {
        let policy = RetryPolicy::default();
        let pause = |spread| delay_after(1, &policy, None, spread).unwrap().as_secs_f64();
        assert!((pause(0.0) - 4.0).abs() < 1e-9);
        assert!((pause(1.0) - 6.0).abs() < 1e-9);
    }

    #[test]
    fn retry_after_is_a_floor_with_a_cap() {
        let policy = RetryPolicy::default();
        let pause = |seconds| {
            delay_after(1, &policy, Some(Duration::from_secs(seconds)), 0.5).map(|p| p.as_secs())
        };
        assert_eq!(pause(1), Some(5));
        assert_eq!(pause(60), Some(60));
        assert_eq!(pause(1_000_000), Some(21600));
    }
}
