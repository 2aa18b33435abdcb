//! What senders ask of receivers, on both databases: one read of three statements, and the deactivation
//! that rowhook decides itself.

use std::sync::Arc;

use async_trait::async_trait;
use entity::receivers;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{
    headers, mutation, receiver_health,
    receivers::{SqlManagementStore, from_row, lock_existing, save, stamp},
    rows::Cell,
};
use crate::{
    domain::{
        api_key::Author, client_identity::ClientIdentity, ids::ReceiverId,
        receiver::DeliveryTarget, shared_secret::SharedSecret,
    },
    policy::seal::Purpose,
    store::{StoreError, delivery_targets::DeliveryTargets},
};

#[async_trait]
impl DeliveryTargets for SqlManagementStore {
    async fn delivery_target(&self, id: ReceiverId) -> Result<Option<DeliveryTarget>, StoreError> {
        let row = receivers::Entity::find_by_id(id.0)
            .filter(receivers::Column::DeletedAt.is_null())
            .one(&self.db)
            .await?;
        let Some(mut row) = row else {
            return Ok(None);
        };
        let secret = self.open(id, "shared_secret", &row.shared_secret)?;
        let previous_secret = match (row.previous_secret.take(), row.previous_secret_until) {
            (Some(sealed), Some(until)) => {
                Some((self.open(id, "previous_secret", &sealed)?, until))
            }
            _ => None,
        };
        let client_identity = match (&row.client_certificate, &row.client_key) {
            (Some(certificate), Some(sealed)) => {
                let key = self.open_text(id, "client_key", Purpose::ClientKey, sealed)?;
                Some(Arc::new(ClientIdentity::new(certificate.clone(), key)))
            }
            _ => None,
        };
        Ok(Some(DeliveryTarget {
            receiver: from_row(row)?,
            secret,
            previous_secret,
            headers: headers::of(self, &[id]).await?,
            health: receiver_health::of(&self.db, id).await?,
            client_identity,
        }))
    }

    async fn deactivate(&self, id: ReceiverId, reason: &str) -> Result<bool, StoreError> {
        let txn = mutation::begin(&self.db).await?;
        let old = match lock_existing(&txn, id).await {
            Ok(old) => old,
            Err(StoreError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        if !old.active {
            return Ok(false);
        }
        let mut row = old.into_active_model();
        row.active = Set(false);
        row.inactive_reason = Set(Some(reason.to_owned()));
        stamp(&mut row, &Author::rowhook());
        self.tend_secrets(&mut row)?;
        save(&txn, row, true).await?;
        txn.commit().await?;
        Ok(true)
    }
}

impl SqlManagementStore {
    /// Opens a stored shared secret.
    pub(super) fn open(
        &self,
        id: ReceiverId,
        column: &'static str,
        sealed: &str,
    ) -> Result<SharedSecret, StoreError> {
        let plain = self.open_text(id, column, Purpose::SharedSecret, sealed)?;
        SharedSecret::parse(&plain)
            .map_err(|error| Cell::new("receivers", id.0).corrupt(column, error))
    }

    fn open_text(
        &self,
        id: ReceiverId,
        column: &'static str,
        purpose: Purpose,
        sealed: &str,
    ) -> Result<String, StoreError> {
        self.sealer
            .open(purpose, sealed)
            .map_err(|error| Cell::new("receivers", id.0).corrupt(column, error))
    }
}
