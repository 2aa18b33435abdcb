//! Filters that could not judge a change: told when one begins, and once a minute while it goes on.
//!
//! Fan-out tells of each; the event is made all the same. Every failure is counted
//! (`rowhook_filter_failures_total`), and `testWebhookFilter` gives the reason for each change.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::{
    domain::ids::{ChangeId, SubscriptionId},
    policy::filter::FilterFailure,
};

/// The pause between two lines about the same subscription.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What was told of whom.
#[derive(Debug, Default)]
pub struct FilterFailures(HashMap<SubscriptionId, Told>);

#[derive(Debug)]
struct Told {
    at: Instant,
    /// Failures since then.
    silent: u64,
}

impl FilterFailures {
    /// A subscription's filter failed on a change.
    pub fn add(&mut self, subscription: SubscriptionId, change: ChangeId, failure: &FilterFailure) {
        self.add_at(subscription, change, failure, Instant::now());
    }

    fn add_at(
        &mut self,
        subscription: SubscriptionId,
        change: ChangeId,
        failure: &FilterFailure,
        now: Instant,
    ) -> bool {
        let before = match self.0.get_mut(&subscription) {
            Some(told) if now - told.at < AGAIN_AFTER => {
                told.silent += 1;
                return false;
            }
            Some(told) => told.silent,
            None => 0,
        };
        // Whoever is not heard of for so long begins anew.
        self.0.retain(|_, told| now - told.at < AGAIN_AFTER);
        self.0.insert(subscription, Told { at: now, silent: 0 });
        tracing::warn!(
            subscription = subscription.0,
            change = change.0,
            reason = %failure,
            not_told = before,
            "a filter failed, so the change is delivered; testWebhookFilter shows the reason for each change"
        );
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::filter::Filters;
    use crate::{
        domain::action::Action,
        policy::{
            filter::FilterInput,
            logged_row::{LoggedRow, described},
        },
    };

    #[test]
    fn one_line_a_minute_for_each_subscription() {
        let definition = described(&[]);
        let row = LoggedRow::parse(&definition, "{}", None).unwrap();
        let run = "RUN".parse().unwrap();
        let input = FilterInput::new(&row, &run, Action::Create);
        let failure = Filters::default().judge("old.x == 1", &input).unwrap_err();
        let mut told = FilterFailures::default();
        let begin = Instant::now();
        let mut tell = |subscription, after| {
            let at = begin + Duration::from_secs(after);
            told.add_at(SubscriptionId(subscription), ChangeId(1), &failure, at)
        };
        assert!(tell(1, 0));
        assert!(!tell(1, 59));
        assert!(tell(2, 59));
        assert!(tell(1, 60));
        assert!(!tell(2, 61));
    }
}
