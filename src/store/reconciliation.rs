//! The door to reconciliation: the changes that are kept against the events that they were owed and the events that
//! there are. It only looks, in small steps outside of transactions, so whoever asks may do it while everything runs.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::ids::{ChangeId, EventId, SubscriptionId};

use super::StoreError;

/// How far back to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// So many of the newest changes, so many of the newest events, and so many of each subscription's newest numbers
    /// (of these 1,000 at most).
    pub newest: u32,
    /// Nothing that is older: retention may have dropped events from before. `None`: everything is kept.
    pub since: Option<DateTime<Utc>>,
    /// Whether there is time: after each page a pause that is as long as the page took, so that half of the time belongs
    /// to the others.
    pub gently: bool,
}

/// What does not agree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Difference {
    /// A change that a subscription was owed an event of, and there is none.
    Missing {
        /// Who was owed it.
        subscription: SubscriptionId,
        /// The change.
        change: ChangeId,
        /// The change committed about when the subscription began or ceased to be active. While a mutation runs, either
        /// is right, and afterwards nobody can tell.
        at_the_edge: bool,
    },
    /// An event that nobody was owed.
    Surplus {
        /// Whose event it is.
        subscription: SubscriptionId,
        /// The change that it tells of.
        change: ChangeId,
        /// The event.
        event: EventId,
        /// As with [`Difference::Missing`].
        at_the_edge: bool,
    },
    /// Numbers of a subscription that no event has.
    Gap {
        /// Whose numbers they are.
        subscription: SubscriptionId,
        /// The first one.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// An event whose record contradicts itself.
    Inconsistent {
        /// The event.
        event: EventId,
        /// What is wrong with it.
        fault: StateFault,
    },
}

/// How an event's record contradicts itself, or the record of its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateFault {
    /// Delivered, failed or cancelled, but nothing says when.
    SettledWithoutEnd,
    /// Owed, but it has ended.
    OwedWithEnd,
    /// It waits for its next attempt, but nothing says until when.
    WaitingWithoutTime,
    /// Delivered, but no attempt is recorded, or none that was answered.
    DeliveredWithoutAnswer,
    /// It counts more attempts than are recorded.
    AttemptsMissing,
    /// In a state that there is not.
    UnknownState,
}

/// A difference in words, one place for whoever tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceWords {
    /// Where: the subscription or the event.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: &'static str,
}

const AT_THE_EDGE: &str =
    "; it committed as the subscription began or ceased to be active, where either may be right";

impl Difference {
    /// Whether nobody can tell if it is one.
    pub fn is_in_doubt(&self) -> bool {
        match self {
            Self::Missing { at_the_edge, .. } | Self::Surplus { at_the_edge, .. } => *at_the_edge,
            Self::Gap { .. } | Self::Inconsistent { .. } => false,
        }
    }

    /// What people are told of it.
    pub fn words(&self) -> DifferenceWords {
        let edge = if self.is_in_doubt() { AT_THE_EDGE } else { "" };
        match self {
            Self::Missing {
                subscription,
                change,
                ..
            } => DifferenceWords {
                place: format!("subscription {subscription}"),
                what: format!(
                    "change {change} is missing: it was owed an event, and there is none{edge}"
                ),
                advice: "look at the log of the instance that read it; `replayWebhookChanges` makes the event anew",
            },
            Self::Surplus {
                subscription,
                change,
                event,
                ..
            } => DifferenceWords {
                place: format!("subscription {subscription}"),
                what: format!(
                    "event {event} of change {change} is too much: it was not owed{edge}"
                ),
                advice: "find out who wrote it; `cancelWebhookEvents` stops it where it is still owed",
            },
            Self::Gap {
                subscription,
                from,
                to,
            } => DifferenceWords {
                place: format!("subscription {subscription}"),
                what: if from == to {
                    format!("no event has number {from}")
                } else {
                    format!("no event has a number from {from} to {to}")
                },
                advice: "find out who deleted events; the receiver takes it for a delivery that it missed",
            },
            Self::Inconsistent { event, fault } => DifferenceWords {
                place: format!("event {event}"),
                what: fault.words().to_owned(),
                advice: "find out who wrote it; `redeliverWebhookEvents` or `cancelWebhookEvents` sets it right",
            },
        }
    }
}

impl StateFault {
    fn words(self) -> &'static str {
        match self {
            Self::SettledWithoutEnd => "it is settled, but nothing says since when",
            Self::OwedWithEnd => "it is owed, but has ended",
            Self::WaitingWithoutTime => "it waits, but nothing says until when",
            Self::DeliveredWithoutAnswer => {
                "it is delivered, but no attempt that was answered is recorded"
            }
            Self::AttemptsMissing => "it counts more attempts than are recorded",
            Self::UnknownState => "its state is none",
        }
    }
}

/// What was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Changes that were looked at.
    pub changes: u64,
    /// When the oldest of them was logged.
    pub oldest: Option<DateTime<Utc>>,
    /// Of these so many were left out, since they are not fanned out yet.
    pub not_fanned_out: u64,
    /// Events that they were owed.
    pub owed: u64,
    /// Live events that there are of them.
    pub found: u64,
    /// Subscriptions whose numbers were looked at.
    pub subscriptions: u64,
    /// Events whose state was looked at.
    pub events: u64,
    /// What does not agree, [`Account::NAMED`] at most.
    pub differences: Vec<Difference>,
    /// Further ones that are not named.
    pub more: u64,
}

impl Account {
    /// So many differences are named: enough to see what happened, and no more than memory holds.
    pub const NAMED: usize = 1000;

    /// Adds one.
    pub fn differs(&mut self, difference: Difference) {
        if self.differences.len() < Self::NAMED {
            self.differences.push(difference);
        } else {
            self.more += 1;
        }
    }
}

/// Comparing changes with events.
#[async_trait]
pub trait Reconciliation: Send + Sync {
    /// Compares what is kept. A change counts once the cursor has passed it; its events were committed with that, so
    /// what goes on meanwhile makes no difference.
    async fn reconcile(&self, reach: &Reach) -> Result<Account, StoreError>;
}
