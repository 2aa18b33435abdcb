//! Events on their way from fan-out to a sender, past the database.
//!
//! Fan-out has in memory what it has just written. A sender that runs and has seen all that was there before takes it from
//! here, bodies and all, and need not read it. The database stays where events are: what finds no room here, or finds
//! nobody who waits for it, is read from there, and what is here is lost without harm when either side ends.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::domain::event::DueEvent;

/// Events that fit: a second's worth for a receiver that takes two thousand requests a second.
pub const EVENTS: usize = 2000;
/// Bytes of them.
pub const BYTES: u64 = 2 << 20;

/// A sender's.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<HandedOver>);

/// What was handed over since the sender looked last.
#[derive(Debug, Default)]
pub struct HandedOver {
    /// In the order of their ids.
    pub events: Vec<DueEvent>,
    bytes: u64,
    /// When the first of them came.
    pub since: Option<Instant>,
    /// Others were written meanwhile that are not here: the database knows which.
    pub missed: bool,
}

impl Inbox {
    /// All that was written for the receiver in one transaction, after whatever was handed over before.
    pub fn put(&self, events: Vec<DueEvent>) {
        let mut inbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: u64 = events.iter().map(DueEvent::bytes).sum();
        let fits = inbox.events.len() + events.len() <= EVENTS && inbox.bytes + bytes <= BYTES;
        if inbox.missed || !fits {
            // With one missing the others are of no use either: a row's events go in their order.
            *inbox = HandedOver::all_missed();
            return;
        }
        inbox.bytes += bytes;
        inbox.since.get_or_insert_with(Instant::now);
        inbox.events.extend(events);
    }

    /// Events may have been written that were not handed over.
    pub fn miss(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = HandedOver::all_missed();
    }

    /// Takes what is here.
    pub fn take(&self) -> HandedOver {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is anything to take.
    pub fn is_empty(&self) -> bool {
        let inbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inbox.events.is_empty() && !inbox.missed
    }
}

impl HandedOver {
    fn all_missed() -> Self {
        Self {
            missed: true,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        action::Action,
        event::RowHashes,
        ids::{EventId, ResourceId, SubscriptionId, TransactionId},
    };

    fn event(id: i64, bytes: usize) -> DueEvent {
        DueEvent {
            id: EventId(id),
            subscription_id: SubscriptionId(1),
            sequence: Some(id),
            resource_id: ResourceId(1),
            action: Action::Create,
            transaction_id: TransactionId(1),
            occurred_at: chrono::DateTime::UNIX_EPOCH,
            row_id: "1".into(),
            rows: RowHashes {
                row: 1,
                previous: None,
            },
            attempt_count: 0,
            budget_used: 0,
            redelivery: 0,
            row_data: "x".repeat(bytes).into(),
            old_values: None,
        }
    }

    fn ids(inbox: &Inbox) -> (Vec<i64>, bool) {
        let handed = inbox.take();
        let ids = handed.events.iter().map(|event| event.id.0);
        (ids.collect(), handed.missed)
    }

    #[test]
    fn what_is_handed_over_is_taken_once_and_in_order() {
        let inbox = Inbox::default();
        assert!(inbox.is_empty());
        inbox.put(vec![event(1, 1), event(2, 1)]);
        inbox.put(vec![event(3, 1)]);
        assert!(!inbox.is_empty());
        assert_eq!(ids(&inbox), (vec![1, 2, 3], false));
        assert_eq!(ids(&inbox), (vec![], false));
    }

    #[test]
    fn what_does_not_fit_takes_the_rest_with_it() {
        let inbox = Inbox::default();
        inbox.put(vec![event(1, 1)]);
        inbox.put(vec![event(2, BYTES as usize)]);
        inbox.put(vec![event(3, 1)]);
        assert!(!inbox.is_empty(), "there is something to read");
        assert_eq!(ids(&inbox), (vec![], true));
        inbox.put((1..=EVENTS as i64).map(|id| event(id, 1)).collect());
        inbox.put(vec![event(501, 1)]);
        assert_eq!(ids(&inbox), (vec![], true));
        inbox.put(vec![event(502, 1)]);
        assert_eq!(ids(&inbox), (vec![502], false));
    }

    #[test]
    fn what_was_missed_once_is_missed_until_it_is_read() {
        let inbox = Inbox::default();
        inbox.put(vec![event(1, 1)]);
        inbox.miss();
        inbox.put(vec![event(2, 1)]);
        assert_eq!(ids(&inbox), (vec![], true));
    }
}
