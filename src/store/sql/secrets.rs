//! What becomes of stored secrets over time: the rotation of a shared secret, and texts that a previous
//! sealing key sealed.
//!
//! Called by the mutations of receivers and headers inside their transactions. Senders read what stands
//! here through `delivery_targets`.

use std::time::Duration;

use entity::receivers::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr,
};

use super::{
    mutation, receiver_health,
    receivers::{SqlManagementStore, from_row, lock_existing, save, stamp},
};
use crate::{
    domain::{api_key::Author, ids::ReceiverId, receiver::Receiver, shared_secret::SharedSecret},
    policy::seal::Purpose,
    store::StoreError,
};

impl SqlManagementStore {
    /// Makes `secret` the receiver's, and the present one the previous one for as long as the overlap is.
    pub(super) async fn replace_secret(
        &self,
        id: ReceiverId,
        secret: &SharedSecret,
        overlap: Duration,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        let sealed = self.seal(Purpose::SharedSecret, secret.expose())?;
        let txn = mutation::begin(&self.db).await?;
        let old = lock_existing(&txn, id).await?;
        let was_active = old.active;
        let until = mutation::now() + overlap;
        let previous = (!overlap.is_zero()).then(|| old.shared_secret.clone());
        let mut row = old.into_active_model();
        row.previous_secret_until = Set(previous.is_some().then_some(until));
        row.previous_secret = Set(previous);
        row.shared_secret = Set(sealed);
        stamp(&mut row, by);
        self.tend_secrets(&mut row)?;
        let row = save(&txn, row, was_active).await?;
        receiver_health::probe_now(&txn, [row.id]).await?;
        txn.commit().await?;
        self.senders_know(id).await?;
        from_row(row)
    }

    /// Each write of a receiver drops a previous secret whose time is up, and seals with the current key
    /// what another one sealed.
    pub(super) fn tend_secrets(&self, row: &mut ActiveModel) -> Result<(), StoreError> {
        let until = row.previous_secret_until.as_ref();
        if until.is_some_and(|until| until <= mutation::now()) {
            row.previous_secret = Set(None);
            row.previous_secret_until = Set(None);
        }
        let shared = self.sealed_anew(Purpose::SharedSecret, row.shared_secret.as_ref())?;
        if shared != *row.shared_secret.as_ref() {
            row.shared_secret = Set(shared);
        }
        if let Some(previous) = row.previous_secret.as_ref().clone() {
            let anew = self.sealed_anew(Purpose::SharedSecret, &previous)?;
            if anew != previous {
                row.previous_secret = Set(Some(anew));
            }
        }
        if let Some(key) = row.client_key.as_ref().clone() {
            let anew = self.sealed_anew(Purpose::ClientKey, &key)?;
            if anew != key {
                row.client_key = Set(Some(anew));
            }
        }
        Ok(())
    }

    /// The same text under the current key. One whose key is not known stays as it is: whoever needs it is
    /// told then, and a receiver can be paused or renamed without it.
    pub(super) fn sealed_anew(&self, purpose: Purpose, sealed: &str) -> Result<String, StoreError> {
        if self.sealer.is_current(sealed) {
            return Ok(sealed.to_owned());
        }
        match self.sealer.open(purpose, sealed) {
            Ok(plain) => self.seal(purpose, &plain),
            Err(_) => Ok(sealed.to_owned()),
        }
    }

    /// Drops every previous secret whose time is up. They are not used any more, so they need not lie
    /// there until their receivers are written the next time.
    pub(super) async fn drop_expired_secrets(&self) -> Result<(), StoreError> {
        let txn = self.db.begin().await?;
        Entity::update_many()
            .col_expr(Column::PreviousSecret, Expr::value(None::<String>))
            .col_expr(
                Column::PreviousSecretUntil,
                Expr::value(None::<chrono::DateTime<chrono::Utc>>),
            )
            .filter(Column::PreviousSecretUntil.lte(mutation::now()))
            .exec(&txn)
            .await?;
        txn.commit().await
    }
}
