//! What an attempt's answer means for its event.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{
    attempt::{Answer, SendError, Verdict},
    receiver::RetryPolicy,
};

use super::backoff::delay_after;

/// The status by which a receiver says that it is gone for good (RFC 9110 §15.5.11).
pub const GONE: u16 = 410;

/// The pause after an attempt that failed by rowhook's own fault.
pub const OWN_FAULT_PAUSE: Duration = Duration::from_secs(30);

/// What the judge knows beside the answer.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The only status that counts as delivered.
    pub expected: u16,
    /// The number of this attempt within the present retry budget, from 1.
    pub attempt: u32,
    /// The receiver's retry policy.
    pub policy: &'a RetryPolicy,
    /// Now, for a `Retry-After` that names a date.
    pub now: DateTime<Utc>,
    /// Random in `0.0..1.0`.
    pub spread: f64,
    /// The receiver is only probed: no failure uses up its event.
    pub probe: bool,
}

/// Delivered only by exactly the expected status within the time.
pub fn judge(result: &Result<Answer, SendError>, seen: &Circumstances<'_>) -> Verdict {
    let uncounted = |after| Verdict::Retry {
        after,
        counted: false,
    };
    let retry_after = match result {
        Ok(answer) if answer.status == seen.expected => return Verdict::Delivered,
        // The receiver is deactivated for it; its events stay pending for when it is activated again.
        Ok(answer) if answer.status == GONE => {
            return uncounted(seen.policy.initial_delay);
        }
        Ok(answer) => retry_after(answer, seen.now),
        Err(error) if error.is_ours() => return uncounted(OWN_FAULT_PAUSE),
        Err(_) => None,
    };
    if seen.probe {
        // As long as the receiver asks for; when the next probe goes is its health's to say.
        let floor = retry_after.unwrap_or_default();
        return uncounted(floor.min(seen.policy.max_delay));
    }
    match delay_after(seen.attempt, seen.policy, retry_after, seen.spread) {
        Some(after) => Verdict::Retry {
            after,
            counted: true,
        },
        None => Verdict::Failed,
    }
}

/// `Retry-After` of a 429 or 503: seconds or an HTTP date (RFC 9110 §10.2.3).
fn retry_after(answer: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    if !matches!(answer.status, 429 | 503) {
        return None;
    }
    let (_, value) = answer
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after")?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(value.trim()).ok()?;
    (date.with_timezone(&Utc) - now).to_std().ok()
}

/// Why an answer is no delivery, in words; `None` when it is one.
pub fn fault(result: &Result<Answer, SendError>, expected: u16) -> Option<String> {
    match result {
        Ok(answer) if answer.status == expected => None,
        Ok(answer) if (300..400).contains(&answer.status) => Some(format!(
            "answered {}, a redirect, which rowhook does not follow; register the final address",
            answer.status
        )),
        Ok(answer) => Some(format!("answered {}, expected {expected}", answer.status)),
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, header: Option<&str>, attempt: u32) -> Verdict {
        let answer = Answer {
            status,
            headers: header
                .map(|value| ("retry-after".to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
            body: String::new(),
        };
        judge(
            &Ok(answer),
            &Circumstances {
                expected: 200,
                attempt,
                policy: &RetryPolicy::default(),
                now: "2026-11-21T10:00:00Z".parse().unwrap(),
                spread: 0.5,
                probe: false,
            },
        )
    }

    fn retry(seconds: u64) -> Verdict {
        Verdict::Retry {
            after: Duration::from_secs(seconds),
            counted: true,
        }
    }

    #[test]
    fn only_the_expected_status_is_a_delivery() {
        assert_eq!(verdict(200, None, 1), Verdict::Delivered);
        for other in [201, 204, 301, 404, 500] {
            assert_eq!(verdict(other, None, 1), retry(5), "{other}");
        }
        assert_eq!(verdict(500, None, 12), Verdict::Failed);
    }

    #[test]
    fn gone_costs_the_event_nothing() {
        let uncounted = Verdict::Retry {
            after: Duration::from_secs(5),
            counted: false,
        };
        assert_eq!(verdict(410, None, 12), uncounted);
    }

    #[test]
    fn retry_after_counts_on_429_and_503_alone() {
        assert_eq!(verdict(503, Some("90"), 1), retry(90));
        assert_eq!(
            verdict(429, Some("Sat, 21 Nov 2026 10:02:00 GMT"), 1),
            retry(120)
        );
        assert_eq!(
            verdict(429, Some("Sat, 21 Nov 2026 09:00:00 GMT"), 1),
            retry(5)
        );
        assert_eq!(verdict(500, Some("90"), 1), retry(5));
        assert_eq!(verdict(503, Some("soon"), 1), retry(5));
    }
}
