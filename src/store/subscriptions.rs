//! The management API's door to subscriptions.
//!
//! Each mutation writes the activity interval in its own transaction: when it has answered, every
//! change that commits later is matched with what it set (CONTRACT §7.1).

use async_trait::async_trait;

use crate::domain::{
    action::Action,
    api_key::Author,
    ids::{ReceiverId, SubscriptionId},
    resource::ResourceName,
    subscription::Subscription,
};

use super::{
    StoreError,
    page::{Page, PageRequest},
};

/// A new subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSubscription {
    /// Its receiver.
    pub receiver_id: ReceiverId,
    /// The canonical resource name.
    pub resource: ResourceName,
    /// The action.
    pub action: Action,
    /// Whether it starts active.
    pub active: bool,
    /// UPDATE fires only when one of these columns changed.
    pub changed_fields: Option<Vec<String>>,
    /// A CEL expression that has been checked: only changes of which it holds fire.
    pub filter: Option<String>,
}

/// The fields of a subscription that can change; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriptionChange {
    /// See [`Subscription::active`].
    pub active: Option<bool>,
    /// See [`Subscription::resource`].
    pub resource: Option<ResourceName>,
    /// See [`Subscription::action`].
    pub action: Option<Action>,
    /// See [`Subscription::changed_fields`]; `Some(None)` takes the restriction away.
    pub changed_fields: Option<Option<Vec<String>>>,
    /// See [`Subscription::filter`]; `Some(None)` takes it away.
    pub filter: Option<Option<String>>,
}

/// What lists of subscriptions can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriptionFilter {
    /// Only those of this receiver.
    pub receiver_id: Option<ReceiverId>,
    /// Only those of this resource.
    pub resource: Option<ResourceName>,
    /// Only those of this action.
    pub action: Option<Action>,
    /// Only active, or only inactive ones.
    pub active: Option<bool>,
}

/// Subscriptions, for the management API.
#[async_trait]
pub trait SubscriptionStore: Send + Sync {
    /// Makes a subscription; [`StoreError::NotFound`] when there is no such receiver.
    async fn create_subscription(
        &self,
        new: NewSubscription,
        by: &Author,
    ) -> Result<Subscription, StoreError>;

    /// Changes a subscription whose etag is still `etag`.
    async fn update_subscription(
        &self,
        id: SubscriptionId,
        etag: &str,
        change: SubscriptionChange,
        by: &Author,
    ) -> Result<Subscription, StoreError>;

    /// Deletes a subscription; where an etag is given, only while it still has that. When it has
    /// answered, no attempt for it starts any more, in any instance; what it is still owed is cancelled, the
    /// rest of a long queue after the answer. Events and attempts stay.
    async fn delete_subscription(
        &self,
        id: SubscriptionId,
        etag: Option<&str>,
        by: &Author,
    ) -> Result<Subscription, StoreError>;

    /// One subscription; deleted ones are not found.
    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, StoreError>;

    /// Several at once, for nested lookups; deleted ones too, since events outlive them.
    async fn subscriptions_by_id(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<Vec<Subscription>, StoreError>;

    /// The subscriptions of several receivers, in id order; deleted ones are left out.
    async fn subscriptions_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<Vec<Subscription>, StoreError>;

    /// A page, by the id or the last change; subscriptions have no name.
    async fn subscriptions(
        &self,
        filter: &SubscriptionFilter,
        page: PageRequest,
    ) -> Result<Page<Subscription>, StoreError>;
}
