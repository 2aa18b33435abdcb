//! A (resource, action) of one receiver.

use chrono::{DateTime, Utc};

use super::{
    action::Action,
    api_key::Author,
    ids::{ReceiverId, SubscriptionId},
    resource::ResourceName,
};

/// A subscription's record.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Its receiver.
    pub receiver_id: ReceiverId,
    /// The canonical resource name.
    pub resource: ResourceName,
    /// The action it fires on.
    pub action: Action,
    /// An inactive subscription gets no events.
    pub active: bool,
    /// UPDATE fires only when one of these columns changed.
    pub changed_fields: Option<Vec<String>>,
    /// A CEL expression: only changes of which it holds fire.
    pub filter: Option<String>,
    /// Who made it.
    pub created_by: Author,
    /// Who changed it last.
    pub updated_by: Author,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// Changes with each change of the record.
    pub etag: String,
}
