//! The management API's door to receivers and their headers.
//!
//! Each mutation is one transaction. One that changes whether a receiver is active also closes or
//! opens the activity intervals of its subscriptions in that transaction, so that fan-out matches
//! every change with what was true when it committed (CONTRACT §7.1).

use async_trait::async_trait;

use crate::domain::{
    api_key::Author,
    client_identity::ClientIdentity,
    ids::{HeaderId, ReceiverId},
    receiver::{ContentType, Ordering, RateLimit, Receiver, RetryOverrides, WebhookHeader},
    receiver_health::HealthState,
    shared_secret::SharedSecret,
};
use std::time::Duration;

use super::{
    StoreError,
    page::{Page, PageRequest},
};

/// The fields of a receiver that a person sets.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiverFields {
    /// See [`Receiver::name`].
    pub name: String,
    /// See [`Receiver::description`].
    pub description: Option<String>,
    /// See [`Receiver::webhook_uri`].
    pub webhook_uri: String,
    /// See [`Receiver::content_type`].
    pub content_type: ContentType,
    /// See [`Receiver::expected_response_code`].
    pub expected_response_code: u16,
    /// See [`Receiver::active`].
    pub active: bool,
    /// See [`Receiver::rate_limit`].
    pub rate_limit: Option<RateLimit>,
    /// See [`Receiver::max_in_flight`].
    pub max_in_flight: Option<u32>,
    /// See [`Receiver::timeout`].
    pub timeout: Option<Duration>,
    /// See [`Receiver::retry`].
    pub retry: RetryOverrides,
    /// See [`Receiver::ordering`].
    pub ordering: Ordering,
    /// What is to become of the certificate that rowhook shows to it.
    pub client_identity: ClientIdentityChange,
}

/// What is to become of a receiver's client certificate. Its key is never read back, so it can not be among the
/// fields as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClientIdentityChange {
    /// It stays what it is; a new receiver has none.
    #[default]
    Keep,
    /// The receiver has none any more.
    Remove,
    /// This one; the key is sealed before it is stored.
    Set(ClientIdentity),
}

/// What is to become of a header; `None` leaves a part as it is.
#[derive(Clone, Default)]
pub struct HeaderChange {
    /// Its name.
    pub key: Option<String>,
    /// Its value; a secret, so this type does not print itself.
    pub value: Option<String>,
}

/// What lists of receivers can be narrowed by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceiverFilter {
    /// Only active, or only inactive ones.
    pub active: Option<bool>,
    /// Only those with exactly this name.
    pub name: Option<String>,
    /// Only those that have this text in their name, description or URI, in whatever letters' case the database can
    /// tell: SQLite knows that of ASCII alone.
    pub search: Option<String>,
    /// Only those that do so.
    pub health: Option<Vec<HealthState>>,
}

/// Receivers and headers, for the management API.
#[async_trait]
pub trait ReceiverStore: Send + Sync {
    /// Makes a receiver; the secret is sealed before it is stored.
    async fn create_receiver(
        &self,
        fields: ReceiverFields,
        secret: &SharedSecret,
        by: &Author,
    ) -> Result<Receiver, StoreError>;

    /// Replaces the fields of a receiver whose etag is still `etag`; [`StoreError::Conflict`] when it
    /// is not, [`StoreError::NotFound`] when there is none. Activating clears `inactive_reason`.
    async fn update_receiver(
        &self,
        id: ReceiverId,
        etag: &str,
        fields: ReceiverFields,
        by: &Author,
    ) -> Result<Receiver, StoreError>;

    /// Deletes a receiver and its subscriptions; where an etag is given, only while it still has that.
    /// When it has answered, no attempt for it starts any more, in any instance; what it is still owed is
    /// cancelled, the rest of a long queue after the answer. Events and attempts stay.
    async fn delete_receiver(
        &self,
        id: ReceiverId,
        etag: Option<&str>,
        by: &Author,
    ) -> Result<Receiver, StoreError>;

    /// Replaces the shared secret. The present one goes on signing beside it for `overlap`, and the one
    /// before it goes at once. Every attempt that starts once this has answered is signed so.
    async fn rotate_secret(
        &self,
        id: ReceiverId,
        secret: &SharedSecret,
        overlap: Duration,
        by: &Author,
    ) -> Result<Receiver, StoreError>;

    /// One receiver; deleted ones are not found.
    async fn receiver(&self, id: ReceiverId) -> Result<Option<Receiver>, StoreError>;

    /// Several at once, for nested lookups; deleted ones too, since events outlive them.
    async fn receivers_by_id(&self, ids: &[ReceiverId]) -> Result<Vec<Receiver>, StoreError>;

    /// A page, by any key.
    async fn receivers(
        &self,
        filter: &ReceiverFilter,
        page: PageRequest,
    ) -> Result<Page<Receiver>, StoreError>;

    /// Adds a header; the value is sealed before it is stored. [`StoreError::HeaderTaken`] when the
    /// receiver has one of that name.
    async fn add_header(
        &self,
        receiver: ReceiverId,
        key: &str,
        value: &str,
        by: &Author,
    ) -> Result<WebhookHeader, StoreError>;

    /// Changes a header whose etag is still `etag`; the value is sealed before it is stored.
    /// [`StoreError::HeaderTaken`] when the receiver has another one of the new name.
    async fn update_header(
        &self,
        id: HeaderId,
        etag: &str,
        change: HeaderChange,
        by: &Author,
    ) -> Result<WebhookHeader, StoreError>;

    /// Removes a header, where a receiver is given only of that one, and returns what it was.
    async fn remove_header(
        &self,
        header: HeaderId,
        of: Option<ReceiverId>,
    ) -> Result<WebhookHeader, StoreError>;

    /// The headers of several receivers, in id order.
    async fn headers_of(&self, receivers: &[ReceiverId]) -> Result<Vec<WebhookHeader>, StoreError>;
}
