//! Custom headers of receivers on both databases.
//!
//! `receivers` hands the calls of its trait in. Values are sealed before they are written and opened only
//! on the way out; an error names the row and never the value.

use entity::headers::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel,
    ModelTrait, QueryFilter, QueryOrder,
};

use super::{
    db::Txn,
    faults::is_unique_violation,
    mutation, receiver_health,
    receivers::{SqlManagementStore, lock_existing},
    rows::Cell,
};
use crate::{
    domain::{
        api_key::Author,
        ids::{HeaderId, ReceiverId},
        receiver::WebhookHeader,
    },
    policy::seal::{Purpose, Sealer},
    store::{StoreError, receivers::HeaderChange},
};

/// Adds a header; its name is kept in lower case, so that one name is one header however it is written.
pub(super) async fn add(
    store: &SqlManagementStore,
    receiver: ReceiverId,
    key: &str,
    value: &str,
    by: &Author,
) -> Result<WebhookHeader, StoreError> {
    let sealed = store.seal(Purpose::HeaderValue, value)?;
    let now = mutation::now();
    let author_id = by.id.map(|id| id.0);
    let txn = mutation::begin(&store.db).await?;
    lock_existing(&txn, receiver).await?;
    let row = ActiveModel {
        receiver_id: Set(receiver.0),
        key: Set(key.to_ascii_lowercase()),
        value: Set(sealed),
        created_by_id: Set(author_id),
        created_by_name: Set(by.name.clone()),
        updated_by_id: Set(author_id),
        updated_by_name: Set(by.name.clone()),
        created_at: Set(now),
        updated_at: Set(now),
        etag: Set(mutation::new_etag()),
        ..Default::default()
    };
    let row = row.insert(&txn).await;
    let row = row.map_err(|error| taken(error, receiver, key))?;
    receiver_health::probe_now(&txn, [receiver.0]).await?;
    txn.commit().await?;
    open(&store.sealer, row)
}

/// The database refuses a second header of a name.
fn taken(error: DbErr, receiver: ReceiverId, key: &str) -> StoreError {
    if is_unique_violation(&error) {
        let key = key.to_ascii_lowercase();
        StoreError::HeaderTaken { receiver, key }
    } else {
        error.into()
    }
}

/// Locks the receiver of a header and reads it then; neither may be gone.
async fn lock_owner(txn: &Txn, header: HeaderId) -> Result<Model, StoreError> {
    let missing = || StoreError::NotFound {
        what: "webhook header",
        id: header.0.into(),
    };
    let find = || Entity::find_by_id(header.0).one(txn);
    // A header never changes its receiver, so it can be read before the receiver's lock is held.
    let owner = ReceiverId(find().await?.ok_or_else(missing)?.receiver_id);
    match lock_existing(txn, owner).await {
        Ok(_) => find().await?.ok_or_else(missing),
        Err(StoreError::NotFound { .. }) => Err(missing()),
        Err(error) => Err(error),
    }
}

/// Changes a header whose etag is still `etag`.
pub(super) async fn update(
    store: &SqlManagementStore,
    id: HeaderId,
    etag: &str,
    change: HeaderChange,
    by: &Author,
) -> Result<WebhookHeader, StoreError> {
    let txn = mutation::begin(&store.db).await?;
    let old = lock_owner(&txn, id).await?;
    if old.etag != etag {
        return Err(StoreError::Conflict);
    }
    let receiver = ReceiverId(old.receiver_id);
    let key = change.key.unwrap_or_else(|| old.key.clone());
    let value = match &change.value {
        Some(value) => store.seal(Purpose::HeaderValue, value)?,
        None => store.sealed_anew(Purpose::HeaderValue, &old.value)?,
    };
    let mut row = old.into_active_model();
    row.key = Set(key.to_ascii_lowercase());
    row.value = Set(value);
    row.updated_by_id = Set(by.id.map(|id| id.0));
    row.updated_by_name = Set(by.name.clone());
    row.updated_at = Set(mutation::now());
    row.etag = Set(mutation::new_etag());
    let row = row.update(&txn).await;
    let row = row.map_err(|error| taken(error, receiver, &key))?;
    receiver_health::probe_now(&txn, [receiver.0]).await?;
    txn.commit().await?;
    open(&store.sealer, row)
}

/// Removes a header, where a receiver is given only of that one, and returns what it was.
pub(super) async fn remove(
    store: &SqlManagementStore,
    header: HeaderId,
    of: Option<ReceiverId>,
) -> Result<WebhookHeader, StoreError> {
    let txn = mutation::begin(&store.db).await?;
    if let Some(receiver) = of {
        lock_existing(&txn, receiver).await?;
    }
    let row = lock_owner(&txn, header).await?;
    if of.is_some_and(|receiver| receiver.0 != row.receiver_id) {
        return Err(StoreError::NotFound {
            what: "webhook header",
            id: header.0.into(),
        });
    }
    row.clone().delete(&txn).await?;
    receiver_health::probe_now(&txn, [row.receiver_id]).await?;
    txn.commit().await?;
    open(&store.sealer, row)
}

/// The headers of several receivers, in id order.
pub(super) async fn of(
    store: &SqlManagementStore,
    receivers: &[ReceiverId],
) -> Result<Vec<WebhookHeader>, StoreError> {
    Entity::find()
        .filter(Column::ReceiverId.is_in(receivers.iter().map(|id| id.0)))
        .order_by_asc(Column::Id)
        .all(&store.db)
        .await?
        .into_iter()
        .map(|row| open(&store.sealer, row))
        .collect()
}

/// The record in a row, its value opened.
fn open(sealer: &Sealer, row: Model) -> Result<WebhookHeader, StoreError> {
    let value = sealer
        .open(Purpose::HeaderValue, &row.value)
        .map_err(|error| Cell::new("headers", row.id).corrupt("value", error))?;
    Ok(WebhookHeader {
        id: HeaderId(row.id),
        receiver_id: ReceiverId(row.receiver_id),
        key: row.key,
        value,
        etag: row.etag,
    })
}
