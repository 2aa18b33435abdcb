//! The management API's door to test deliveries: events that someone asked for to see whether a receiver
//! works.
//!
//! Such an event belongs to a receiver and to no subscription, tells of no change and has no sequence
//! number. It is sent like any other, once: an attempt that fails ends it.

use async_trait::async_trait;

use crate::{
    domain::{
        action::Action,
        ids::{EventId, ReceiverId, ResourceId},
    },
    policy::example::ExampleRow,
};

use super::StoreError;

/// A test delivery that is to be made.
#[derive(Clone, Debug)]
pub struct NewTest {
    /// Who it goes to.
    pub receiver_id: ReceiverId,
    /// The version of the table's description.
    pub resource_id: ResourceId,
    /// The row operation that it plays.
    pub action: Action,
    /// `data.id` as JSON text.
    pub row_id: String,
    /// What it tells of.
    pub row: ExampleRow,
}

/// Making test deliveries.
#[async_trait]
pub trait TestDeliveries: Send + Sync {
    /// A row that was logged under this version: of the newest change of this action, else of the newest
    /// one of any action. `None` where none is found among the newest changes.
    async fn newest_row(
        &self,
        resource: ResourceId,
        action: Action,
    ) -> Result<Option<ExampleRow>, StoreError>;

    /// Owes the receiver a test. [`StoreError::Conflict`] when it is inactive,
    /// [`StoreError::NotFound`] when there is none.
    async fn send_test(&self, test: NewTest) -> Result<EventId, StoreError>;
}
