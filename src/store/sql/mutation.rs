//! What every mutation of the management API has in common: its transaction, its locks, its stamps.
//!
//! Receivers' and subscriptions' stores start here. Locks are always taken in the same order, the
//! receiver's row and then its subscriptions' rows in id order, so mutations wait for each other and
//! never deadlock, and whoever holds them sees everything that decides which intervals are open. On SQLite
//! the transaction itself is the lock: there is one writer.
//!
//! Nothing here decides or changes anything.

use chrono::{DateTime, SubsecRound as _, Utc};
use entity::{receivers, subscriptions};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::db::{Db, Txn};
use crate::store::StoreError;

/// Starts a mutation's transaction. The argument of `intervals` needs a fresh snapshot for each
/// statement, and a mutation that has answered must be there after a crash, whatever the server's
/// defaults are.
pub(super) async fn begin(db: &Db) -> Result<Txn, StoreError> {
    let txn = db.begin().await?;
    txn.make_durable().await?;
    Ok(txn)
}

/// Locks a receiver's row, deleted or not.
pub(super) async fn lock_receiver(
    txn: &Txn,
    id: i32,
) -> Result<Option<receivers::Model>, StoreError> {
    Ok(receivers::Entity::find_by_id(id)
        .lock_exclusive()
        .one(txn)
        .await?)
}

/// Locks the rows of a receiver's subscriptions that are not deleted. The receiver's own row is locked
/// already, so none can be added meanwhile.
pub(super) async fn lock_subscriptions(
    txn: &Txn,
    receiver_id: i32,
) -> Result<Vec<subscriptions::Model>, StoreError> {
    Ok(subscriptions::Entity::find()
        .filter(subscriptions::Column::ReceiverId.eq(receiver_id))
        .filter(subscriptions::Column::DeletedAt.is_null())
        .order_by_asc(subscriptions::Column::Id)
        .lock_exclusive()
        .all(txn)
        .await?)
}

/// Locks one subscription's row. The receiver's row is locked already.
pub(super) async fn lock_subscription(
    txn: &Txn,
    id: i32,
) -> Result<Option<subscriptions::Model>, StoreError> {
    Ok(subscriptions::Entity::find_by_id(id)
        .lock_exclusive()
        .one(txn)
        .await?)
}

/// The time as both databases keep it: to the microsecond.
pub(super) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// A fresh etag: 128 random bits.
pub(super) fn new_etag() -> String {
    format!("{:032x}", rand::random::<u128>())
}
