//! API keys: hashes only, never a key.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::domain::{
    api_key::{Identity, Role},
    ids::ApiKeyId,
};

use super::StoreError;

/// An API key's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What people call it, and what the records it makes carry.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The first letters of the key.
    pub prefix: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What becomes of the last key with role admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastAdminKey {
    /// It can not be revoked: there is no other way in.
    Stays,
    /// It can: there is another way in, a configured key or the command line.
    MayGo,
}

/// API keys.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// Makes a key of 256 random bits and returns it with its record: the only time it can be read.
    async fn create_key(&self, name: &str, role: Role) -> Result<(ApiKey, String), StoreError>;

    /// Who a key belongs to; `None` when there is no such key or it was revoked.
    async fn authenticate(&self, key: &str) -> Result<Option<Identity>, StoreError>;

    /// Every key's record, in id order.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes a key; it answers 401 from then on. [`StoreError::LastAdminKey`] when that would leave no
    /// key with role admin and `last` does not allow it, also where two revoke each other at once.
    async fn revoke_key(&self, id: ApiKeyId, last: LastAdminKey) -> Result<ApiKey, StoreError>;
}
