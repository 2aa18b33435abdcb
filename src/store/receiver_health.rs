//! How receivers do, for the management API and the figures.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::domain::{
    ids::ReceiverId,
    receiver_health::{HealthRecord, HealthState},
};

use super::StoreError;

/// What senders have seen of receivers.
#[async_trait]
pub trait ReceiverHealthStore: Send + Sync {
    /// How these do. One that never failed and was never switched off is left out.
    async fn health_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, HealthRecord>, StoreError>;

    /// How many receivers are in each state; one that no receiver is in may be left out.
    async fn states(&self) -> Result<HashMap<HealthState, u64>, StoreError>;

    /// Each receiver in the order of ids, with its name and its state.
    async fn each_state(&self) -> Result<Vec<(ReceiverId, String, HealthState)>, StoreError>;
}
