//! The management API's door to figures on deliveries, true across instances.
//!
//! Every question is bounded, however many events there are: what waits is counted up to a limit, and how
//! deliveries went is read from counts of the last minutes.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::{
    domain::{
        ids::ReceiverId,
        stats::{DeliveryStats, QueueStats, StatsStep},
    },
    policy::history::Steps,
};

use super::StoreError;

/// Figures on deliveries.
#[async_trait]
pub trait StatsStore: Send + Sync {
    /// What waits, whoever it is for.
    async fn queue(&self) -> Result<QueueStats, StoreError>;

    /// What waits for each of these receivers.
    async fn queues_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, QueueStats>, StoreError>;

    /// How deliveries went, whoever they were for.
    async fn deliveries(&self) -> Result<DeliveryStats, StoreError>;

    /// How deliveries to each of these receivers went.
    async fn deliveries_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, DeliveryStats>, StoreError>;

    /// How deliveries went in each of these steps, to a receiver or to all.
    async fn history(
        &self,
        of: Option<ReceiverId>,
        steps: Steps,
    ) -> Result<Vec<StatsStep>, StoreError>;
}
