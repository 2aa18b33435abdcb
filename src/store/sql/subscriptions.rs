//! Subscriptions on both databases.
//!
//! The management API hands mutations in. Each is one transaction that locks the receiver's row first and
//! the subscription's then, and settles the activity interval before it commits.

use async_trait::async_trait;
use entity::{
    receivers,
    subscriptions::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};

use super::{
    db::Txn,
    intervals, mutation,
    page::{Keys, fetch},
    receivers::{SqlManagementStore, lock_existing},
    rows::{Cell, author},
};
use crate::{
    domain::{
        api_key::Author,
        ids::{ReceiverId, SubscriptionId},
        subscription::Subscription,
    },
    store::{
        StoreError,
        page::{Page, PageRequest, Place, SortKey, SortValue},
        subscriptions::{
            NewSubscription, SubscriptionChange, SubscriptionFilter, SubscriptionStore,
        },
    },
};

#[async_trait]
impl SubscriptionStore for SqlManagementStore {
    async fn create_subscription(
        &self,
        new: NewSubscription,
        by: &Author,
    ) -> Result<Subscription, StoreError> {
        let now = mutation::now();
        let author_id = by.id.map(|id| id.0);
        let txn = mutation::begin(&self.db).await?;
        let receiver = lock_existing(&txn, new.receiver_id).await?;
        let row = ActiveModel {
            receiver_id: Set(new.receiver_id.0),
            resource: Set(new.resource.as_str().to_owned()),
            action: Set(new.action.as_str().to_owned()),
            active: Set(new.active),
            changed_fields: Set(new.changed_fields.as_deref().map(to_json)),
            filter: Set(new.filter),
            created_by_id: Set(author_id),
            created_by_name: Set(by.name.clone()),
            updated_by_id: Set(author_id),
            updated_by_name: Set(by.name.clone()),
            created_at: Set(now),
            updated_at: Set(now),
            etag: Set(mutation::new_etag()),
            ..Default::default()
        };
        let row = row.insert(&txn).await?;
        intervals::settle(&txn, &receiver, std::slice::from_ref(&row)).await?;
        txn.commit().await?;
        from_row(row)
    }

    async fn update_subscription(
        &self,
        id: SubscriptionId,
        etag: &str,
        change: SubscriptionChange,
        by: &Author,
    ) -> Result<Subscription, StoreError> {
        let txn = mutation::begin(&self.db).await?;
        let (receiver, old) = lock_existing_subscription(&txn, id, Some(etag)).await?;
        let mut row = old.into_active_model();
        set_changed(&mut row, change);
        stamp(&mut row, by);
        let row = row.update(&txn).await?;
        intervals::settle(&txn, &receiver, std::slice::from_ref(&row)).await?;
        txn.commit().await?;
        from_row(row)
    }

    async fn delete_subscription(
        &self,
        id: SubscriptionId,
        etag: Option<&str>,
        by: &Author,
    ) -> Result<Subscription, StoreError> {
        self.delete_subscription_and_its_events(id, etag, by).await
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, StoreError> {
        Entity::find_by_id(id.0)
            .filter(Column::DeletedAt.is_null())
            .one(&self.db)
            .await?
            .map(from_row)
            .transpose()
    }

    async fn subscriptions_by_id(
        &self,
        ids: &[SubscriptionId],
    ) -> Result<Vec<Subscription>, StoreError> {
        Entity::find()
            .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
            .order_by_asc(Column::Id)
            .all(&self.db)
            .await?
            .into_iter()
            .map(from_row)
            .collect()
    }

    async fn subscriptions_of(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<Vec<Subscription>, StoreError> {
        Entity::find()
            .filter(Column::ReceiverId.is_in(receivers.iter().map(|id| id.0)))
            .filter(Column::DeletedAt.is_null())
            .order_by_asc(Column::Id)
            .all(&self.db)
            .await?
            .into_iter()
            .map(from_row)
            .collect()
    }

    async fn subscriptions(
        &self,
        filter: &SubscriptionFilter,
        request: PageRequest,
    ) -> Result<Page<Subscription>, StoreError> {
        let mut list = Entity::find().filter(Column::DeletedAt.is_null());
        if let Some(receiver) = filter.receiver_id {
            list = list.filter(Column::ReceiverId.eq(receiver.0));
        }
        if let Some(resource) = &filter.resource {
            list = list.filter(Column::Resource.eq(resource.as_str()));
        }
        if let Some(action) = filter.action {
            list = list.filter(Column::Action.eq(action.as_str()));
        }
        if let Some(active) = filter.active {
            list = list.filter(Column::Active.eq(active));
        }
        let key = request.key;
        let keys = Keys {
            id: Column::Id,
            by: match key {
                SortKey::Id | SortKey::Name => None,
                SortKey::UpdatedAt => Some(Column::UpdatedAt),
            },
        };
        let place = |row: &Model| Place {
            id: row.id.into(),
            value: match key {
                SortKey::Id | SortKey::Name => None,
                SortKey::UpdatedAt => Some(SortValue::Moment(row.updated_at)),
            },
        };
        fetch(&self.db, list, keys, place, request)
            .await?
            .try_map(from_row)
    }
}

/// Locks a subscription that is not deleted, and its receiver before it. Where an etag is given, it must
/// still be that one's.
pub(super) async fn lock_existing_subscription(
    txn: &Txn,
    id: SubscriptionId,
    etag: Option<&str>,
) -> Result<(receivers::Model, Model), StoreError> {
    let missing = || StoreError::NotFound {
        what: "webhook subscription",
        id: id.0.into(),
    };
    // Its receiver never changes, so it can be read before the receiver's lock is held.
    let receiver_id = Entity::find_by_id(id.0)
        .one(txn)
        .await?
        .ok_or_else(missing)?
        .receiver_id;
    let receiver = mutation::lock_receiver(txn, receiver_id)
        .await?
        .ok_or_else(missing)?;
    let row = mutation::lock_subscription(txn, id.0)
        .await?
        .filter(|row| row.deleted_at.is_none())
        .ok_or_else(missing)?;
    if etag.is_some_and(|etag| etag != row.etag) {
        return Err(StoreError::Conflict);
    }
    Ok((receiver, row))
}

/// Who changed it, when, and a new etag.
pub(super) fn stamp(row: &mut ActiveModel, by: &Author) {
    row.updated_by_id = Set(by.id.map(|id| id.0));
    row.updated_by_name = Set(by.name.clone());
    row.updated_at = Set(mutation::now());
    row.etag = Set(mutation::new_etag());
}

/// Sets what the change names, and leaves the rest.
fn set_changed(row: &mut ActiveModel, change: SubscriptionChange) {
    let SubscriptionChange {
        active,
        resource,
        action,
        changed_fields,
        filter,
    } = change;
    if let Some(active) = active {
        row.active = Set(active);
    }
    if let Some(resource) = resource {
        row.resource = Set(resource.as_str().to_owned());
    }
    if let Some(action) = action {
        row.action = Set(action.as_str().to_owned());
    }
    if let Some(changed_fields) = changed_fields {
        row.changed_fields = Set(changed_fields.as_deref().map(to_json));
    }
    if let Some(filter) = filter {
        row.filter = Set(filter);
    }
}

fn to_json(columns: &[String]) -> String {
    serde_json::to_string(columns).expect("strings are always JSON")
}

/// The record in a row.
pub(super) fn from_row(row: Model) -> Result<Subscription, StoreError> {
    let cell = Cell::new("subscriptions", row.id);
    Ok(Subscription {
        id: SubscriptionId(row.id),
        receiver_id: ReceiverId(row.receiver_id),
        resource: row
            .resource
            .parse()
            .map_err(|error| cell.corrupt("resource", error))?,
        action: row
            .action
            .parse()
            .map_err(|error| cell.corrupt("action", error))?,
        active: row.active,
        changed_fields: row
            .changed_fields
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| cell.corrupt("changed_fields", error))?,
        filter: row.filter,
        created_by: author(row.created_by_id, row.created_by_name),
        updated_by: author(row.updated_by_id, row.updated_by_name),
        created_at: row.created_at,
        updated_at: row.updated_at,
        etag: row.etag,
    })
}
