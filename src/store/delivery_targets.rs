//! The senders' door to receivers: whom they speak to, and how.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{ids::ReceiverId, receiver::DeliveryTarget};

use super::StoreError;

/// How old may be what a sender knows, when an attempt starts, of its receiver and of what is still owed.
/// So much later, at the latest, what a mutation set holds for every attempt that starts.
pub const KNOWLEDGE_AGE: Duration = Duration::from_secs(1);

/// Receivers as senders see them.
#[async_trait]
pub trait DeliveryTargets: Send + Sync {
    /// The record, its opened secrets, headers and health; `None` when there is no such receiver or it was
    /// deleted. An inactive one is returned as it is. At most three statements.
    async fn delivery_target(&self, id: ReceiverId) -> Result<Option<DeliveryTarget>, StoreError>;

    /// Deactivates a receiver for a reason that rowhook itself found (a 410, nothing but failure for
    /// days), which its record then shows, and closes its subscriptions' intervals like any
    /// deactivation. False when it was not active any more; its record is then left alone.
    async fn deactivate(&self, id: ReceiverId, reason: &str) -> Result<bool, StoreError>;
}
