//! API keys on both databases: made, looked up by their hash, revoked.
//!
//! The API's door and `rowhook keys` call it. A key is `rhk_` and base64url of 32 random bytes; it is
//! returned once and only its SHA-256 is kept (a plain hash is enough for 256 random bits). Nothing is
//! cached: a revoked key is refused from its revocation on, in every instance.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use entity::api_keys::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::{db::Db, mutation, rows::Cell};
use crate::{
    domain::{
        api_key::{Author, Identity, Role},
        ids::ApiKeyId,
    },
    store::{
        StoreError,
        api_keys::{ApiKey, ApiKeyStore, LastAdminKey},
    },
};

/// What every key starts with, so that scanners for leaked secrets can know it.
const PREFIX: &str = "rhk_";
/// Letters of a key that its record shows: the prefix and 48 of its 256 bits.
const SHOWN: usize = 12;
/// `last_used_at` is exact to this.
const USE_GRAIN: Duration = Duration::from_secs(60);

/// API keys.
#[derive(Clone)]
pub struct SqlApiKeyStore {
    db: Db,
    /// When this process last set about writing each key's `last_used_at`: at most one write a minute
    /// and key is under way, also when the database refuses or delays them all.
    noted: Arc<Mutex<HashMap<i32, Instant>>>,
}

impl SqlApiKeyStore {
    /// A store on this database.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            noted: Arc::default(),
        }
    }

    /// Notes that a key was used, behind the caller's back: authentication neither waits for it nor
    /// fails with it.
    fn note_use(&self, row: &Model) {
        let now = mutation::now();
        let grain = TimeDelta::from_std(USE_GRAIN).expect("a minute is a TimeDelta");
        if row.last_used_at.is_some_and(|at| now - at < grain) || !self.is_turn(row.id) {
            return;
        }
        let (db, id) = (self.db.clone(), row.id);
        tokio::spawn(async move {
            // Another instance may have noted it meanwhile.
            let stale = Condition::any()
                .add(Column::LastUsedAt.is_null())
                .add(Column::LastUsedAt.lte(now - grain));
            let write = async {
                let txn = db.begin().await?;
                Entity::update_many()
                    .col_expr(Column::LastUsedAt, Expr::value(now))
                    .filter(Column::Id.eq(id))
                    .filter(stale)
                    .exec(&txn)
                    .await?;
                txn.commit().await
            };
            if let Err(error) = write.await {
                tracing::debug!(key_id = id, %error, "the use of an API key was not noted");
            }
        });
    }

    /// Whether this process has not tried to note this key's use within the last minute; if so, it does
    /// now.
    fn is_turn(&self, id: i32) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if noted
            .get(&id)
            .is_some_and(|at| now.duration_since(*at) < USE_GRAIN)
        {
            return false;
        }
        noted.insert(id, now);
        true
    }
}

#[async_trait]
impl ApiKeyStore for SqlApiKeyStore {
    async fn create_key(&self, name: &str, role: Role) -> Result<(ApiKey, String), StoreError> {
        let key = format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
        );
        let row = ActiveModel {
            name: Set(name.to_owned()),
            role: Set(role.as_str().to_owned()),
            prefix: Set(key[..SHOWN].to_owned()),
            key_hash: Set(hash(&key)),
            created_at: Set(mutation::now()),
            last_used_at: Set(None),
            revoked_at: Set(None),
            ..Default::default()
        };
        let txn = mutation::begin(&self.db).await?;
        let row = row.insert(&txn).await?;
        txn.commit().await?;
        Ok((from_row(row)?, key))
    }

    async fn authenticate(&self, key: &str) -> Result<Option<Identity>, StoreError> {
        let hash = hash(key);
        let row = Entity::find()
            .filter(Column::KeyHash.eq(&hash))
            .one(&self.db)
            .await?;
        // The index compares letter by letter, so its time may tell how far a guessed *hash* matches,
        // which nobody can steer; the comparison that decides takes the same time for all.
        let Some(row) = row.filter(|row| {
            bool::from(row.key_hash.as_bytes().ct_eq(hash.as_bytes())) && row.revoked_at.is_none()
        }) else {
            return Ok(None);
        };
        self.note_use(&row);
        let key = from_row(row)?;
        Ok(Some(Identity {
            author: Author {
                id: Some(key.id),
                name: key.name,
            },
            role: key.role,
        }))
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Entity::find()
            .order_by_asc(Column::Id)
            .all(&self.db)
            .await?
            .into_iter()
            .map(from_row)
            .collect()
    }

    async fn revoke_key(&self, id: ApiKeyId, last: LastAdminKey) -> Result<ApiKey, StoreError> {
        let txn = mutation::begin(&self.db).await?;
        if last == LastAdminKey::Stays {
            // All of them are locked, always in the same order: of two that revoke each other the second
            // one sees what the first one did.
            let admins = Entity::find()
                .filter(Column::Role.eq(Role::Admin.as_str()))
                .filter(Column::RevokedAt.is_null())
                .order_by_asc(Column::Id)
                .lock_exclusive()
                .all(&txn)
                .await?;
            if matches!(&admins[..], [only] if only.id == id.0) {
                return Err(StoreError::LastAdminKey { id });
            }
        }
        // The first revocation's time stays.
        Entity::update_many()
            .col_expr(Column::RevokedAt, Expr::value(mutation::now()))
            .filter(Column::Id.eq(id.0))
            .filter(Column::RevokedAt.is_null())
            .exec(&txn)
            .await?;
        let row = Entity::find_by_id(id.0).one(&txn).await?;
        txn.commit().await?;
        row.map(from_row).transpose()?.ok_or(StoreError::NotFound {
            what: "API key",
            id: id.0.into(),
        })
    }
}

/// SHA-256 in lower-case hexadecimal.
fn hash(key: &str) -> String {
    Sha256::digest(key.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The record in a row, without the hash.
fn from_row(row: Model) -> Result<ApiKey, StoreError> {
    let cell = Cell::new("api_keys", row.id);
    Ok(ApiKey {
        id: ApiKeyId(row.id),
        name: row.name,
        role: row
            .role
            .parse()
            .map_err(|error| cell.corrupt("role", error))?,
        prefix: row.prefix,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
    })
}
