//! Event logs that something is wrong with.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use rowhook::{
    domain::{
        attempt::Attempt,
        ids::{EventId, ReceiverId, SubscriptionId},
    },
    store::{
        StoreError,
        event_log::{EventFilter, EventLog, EventMark, LastAttempt, LoggedEvent},
        page::{Page, PageRequest},
    },
};
use tokio::sync::Semaphore;

/// A log that panics when one event is asked for and is away when a page is; otherwise it is empty.
pub enum OddLog {
    /// A list is refused.
    Broken,
    /// A list waits for a permit.
    Slow(Arc<Semaphore>),
}

#[async_trait]
impl EventLog for OddLog {
    async fn event(&self, _: EventId) -> Result<Option<LoggedEvent>, StoreError> {
        panic!("hunter2")
    }

    async fn events(
        &self,
        _: &EventFilter,
        _: u32,
        _: u64,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        match self {
            Self::Broken => Err(StoreError::Refused("relation hunter2".to_owned())),
            Self::Slow(permits) => {
                permits.acquire().await.unwrap().forget();
                Ok(Vec::new())
            }
        }
    }

    async fn event_page(
        &self,
        _: &EventFilter,
        _: PageRequest,
    ) -> Result<Page<LoggedEvent>, StoreError> {
        Err(StoreError::Unavailable("hunter2".to_owned()))
    }

    async fn events_of(
        &self,
        _: &[SubscriptionId],
        _: u32,
        _: u64,
    ) -> Result<HashMap<SubscriptionId, Vec<LoggedEvent>>, StoreError> {
        Ok(HashMap::new())
    }

    async fn marks(
        &self,
        _: &EventFilter,
        _: u32,
    ) -> Result<Vec<(EventId, EventMark)>, StoreError> {
        Ok(Vec::new())
    }

    async fn events_by_id(
        &self,
        _: &[EventId],
        _: &EventFilter,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        Ok(Vec::new())
    }

    async fn count(&self, _: &EventFilter) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn last_attempts(
        &self,
        _: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, LastAttempt>, StoreError> {
        Ok(HashMap::new())
    }

    async fn attempts(&self, _: EventId) -> Result<Vec<(i32, Attempt)>, StoreError> {
        Ok(Vec::new())
    }
}
