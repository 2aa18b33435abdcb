//! Who counts the events that come to a status by what people do: replays, redeliveries, tests, cancellations, deletions.
//!
//! A store tells it after its transaction has committed, so what is told has happened.

use std::{fmt, sync::Arc};

use crate::domain::event::EventStatus;

/// Told of each batch. The default tells nobody.
#[derive(Clone, Default)]
pub struct EventCounts(Option<Arc<dyn Fn(EventStatus, u64) + Send + Sync>>);

impl EventCounts {
    /// Tells this.
    pub fn new(told: impl Fn(EventStatus, u64) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    /// So many events came to this status.
    pub fn add(&self, status: EventStatus, count: u64) {
        if let Some(told) = &self.0 {
            told(status, count);
        }
    }
}

impl fmt::Debug for EventCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventCounts")
            .field(&self.0.is_some())
            .finish()
    }
}
