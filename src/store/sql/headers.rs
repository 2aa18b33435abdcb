//! Custom headers of receivers on both databases.
//!
//! `receivers` hands the calls of its trait in. Values are sealed before they are written and opened only
//! on the way out; an error names the row and never the value.

use entity::headers::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ModelTrait, QueryFilter,
    QueryOrder,
};

use super::{
    faults::is_unique_violation,
    mutation,
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
    store::StoreError,
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
    let row = row.insert(&txn).await.map_err(|error| {
        if is_unique_violation(&error) {
            StoreError::Conflict
        } else {
            error.into()
        }
    })?;
    txn.commit().await?;
    open(&store.sealer, row)
}

/// Removes a header of that receiver and returns what it was.
pub(super) async fn remove(
    store: &SqlManagementStore,
    receiver: ReceiverId,
    header: HeaderId,
) -> Result<WebhookHeader, StoreError> {
    let txn = mutation::begin(&store.db).await?;
    lock_existing(&txn, receiver).await?;
    let row = Entity::find_by_id(header.0)
        .filter(Column::ReceiverId.eq(receiver.0))
        .one(&txn)
        .await?
        .ok_or(StoreError::NotFound {
            what: "webhook header",
            id: header.0.into(),
        })?;
    row.clone().delete(&txn).await?;
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
