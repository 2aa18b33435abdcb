//! Receivers on both databases.
//!
//! The management API hands mutations in; senders read through `delivery_targets`. Each mutation is one
//! transaction, which also settles the activity intervals of the receiver's subscriptions when it
//! changes whether the receiver is active. Deletion and what becomes of secrets stand in `deletion` and
//! `secrets`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use entity::receivers::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait as _, IntoActiveModel, QueryFilter, QueryOrder,
    sea_query::{Expr, Func},
};

use super::{
    db::{Db, Dialect, Txn},
    headers, intervals, mutation,
    page::{Keys, fetch},
    receiver_health,
    rows::{Cell, author, to_column, to_millis},
};
use crate::{
    domain::{
        api_key::Author,
        ids::{HeaderId, ReceiverId},
        receiver::{RateLimit, Receiver, RetryOverrides, WebhookHeader},
        shared_secret::SharedSecret,
    },
    policy::seal::{Purpose, SealError, Sealer},
    store::{
        StoreError,
        page::{Page, PageRequest, Place, SortKey, SortValue},
        receivers::{
            ClientIdentityChange, HeaderChange, ReceiverFields, ReceiverFilter, ReceiverStore,
        },
    },
};

/// What the contract calls them.
pub(super) const RECEIVER: &str = "webhook receiver";

/// The management side of the database: receivers, headers, subscriptions.
#[derive(Clone)]
pub struct SqlManagementStore {
    pub(super) db: Db,
    pub(super) sealer: Arc<Sealer>,
}

impl SqlManagementStore {
    /// A store on this database whose secrets this sealer keeps.
    pub fn new(db: Db, sealer: Arc<Sealer>) -> Self {
        Self { db, sealer }
    }

    /// Seals a text for storage.
    pub(super) fn seal(&self, purpose: Purpose, plain: &str) -> Result<String, StoreError> {
        self.sealer
            .seal(purpose, plain)
            .map_err(|error: SealError| StoreError::Refused(error.to_string()))
    }

    fn set_fields(&self, row: &mut ActiveModel, fields: ReceiverFields) -> Result<(), StoreError> {
        match &fields.client_identity {
            ClientIdentityChange::Keep => {}
            ClientIdentityChange::Remove => {
                row.client_certificate = Set(None);
                row.client_key = Set(None);
            }
            ClientIdentityChange::Set(identity) => {
                row.client_key = Set(Some(self.seal(Purpose::ClientKey, identity.expose_key())?));
                row.client_certificate = Set(Some(identity.certificate().to_owned()));
            }
        }
        set_plain_fields(row, fields)
    }
}

#[async_trait]
impl ReceiverStore for SqlManagementStore {
    async fn create_receiver(
        &self,
        fields: ReceiverFields,
        secret: &SharedSecret,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        let now = mutation::now();
        let author_id = by.id.map(|id| id.0);
        let mut row = ActiveModel {
            shared_secret: Set(self.seal(Purpose::SharedSecret, secret.expose())?),
            created_by_id: Set(author_id),
            created_by_name: Set(by.name.clone()),
            created_at: Set(now),
            ..Default::default()
        };
        self.set_fields(&mut row, fields)?;
        stamp(&mut row, by);
        row.updated_at = Set(now);
        let txn = mutation::begin(&self.db).await?;
        let row = row.insert(&txn).await?;
        txn.commit().await?;
        from_row(row)
    }

    async fn update_receiver(
        &self,
        id: ReceiverId,
        etag: &str,
        fields: ReceiverFields,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        let txn = mutation::begin(&self.db).await?;
        let old = lock_existing(&txn, id).await?;
        if old.etag != etag {
            return Err(StoreError::Conflict);
        }
        let was_active = old.active;
        let mut row = old.into_active_model();
        // A reason belongs to the deactivation that gave it: it stays until someone activates, and a
        // person who deactivates gives none.
        if fields.active || was_active {
            row.inactive_reason = Set(None);
        }
        self.set_fields(&mut row, fields)?;
        stamp(&mut row, by);
        self.tend_secrets(&mut row)?;
        let row = save(&txn, row, was_active).await?;
        receiver_health::probe_now(&txn, [row.id]).await?;
        txn.commit().await?;
        from_row(row)
    }

    async fn delete_receiver(
        &self,
        id: ReceiverId,
        etag: Option<&str>,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        self.delete_receiver_and_its_events(id, etag, by).await
    }

    async fn rotate_secret(
        &self,
        id: ReceiverId,
        secret: &SharedSecret,
        overlap: Duration,
        by: &Author,
    ) -> Result<Receiver, StoreError> {
        self.replace_secret(id, secret, overlap, by).await
    }

    async fn receiver(&self, id: ReceiverId) -> Result<Option<Receiver>, StoreError> {
        Entity::find_by_id(id.0)
            .filter(Column::DeletedAt.is_null())
            .one(&self.db)
            .await?
            .map(from_row)
            .transpose()
    }

    async fn receivers_by_id(&self, ids: &[ReceiverId]) -> Result<Vec<Receiver>, StoreError> {
        Entity::find()
            .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
            .order_by_asc(Column::Id)
            .all(&self.db)
            .await?
            .into_iter()
            .map(from_row)
            .collect()
    }

    async fn receivers(
        &self,
        filter: &ReceiverFilter,
        request: PageRequest,
    ) -> Result<Page<Receiver>, StoreError> {
        let mut list = Entity::find().filter(Column::DeletedAt.is_null());
        if let Some(active) = filter.active {
            list = list.filter(Column::Active.eq(active));
        }
        if let Some(name) = &filter.name {
            list = list.filter(Column::Name.eq(name));
        }
        if let Some(text) = &filter.search {
            list = list.filter(holds(self.db.dialect(), text));
        }
        if let Some(states) = &filter.health {
            list = list.filter(receiver_health::one_of(states));
        }
        let key = request.key;
        let keys = Keys {
            id: Column::Id,
            by: match key {
                SortKey::Id => None,
                SortKey::Name => Some(Column::Name),
                SortKey::UpdatedAt => Some(Column::UpdatedAt),
            },
        };
        let place = |row: &Model| Place {
            id: row.id.into(),
            value: match key {
                SortKey::Id => None,
                SortKey::Name => Some(SortValue::Text(row.name.clone())),
                SortKey::UpdatedAt => Some(SortValue::Moment(row.updated_at)),
            },
        };
        fetch(&self.db, list, keys, place, request)
            .await?
            .try_map(from_row)
    }

    async fn add_header(
        &self,
        receiver: ReceiverId,
        key: &str,
        value: &str,
        by: &Author,
    ) -> Result<WebhookHeader, StoreError> {
        headers::add(self, receiver, key, value, by).await
    }

    async fn update_header(
        &self,
        id: HeaderId,
        etag: &str,
        change: HeaderChange,
        by: &Author,
    ) -> Result<WebhookHeader, StoreError> {
        headers::update(self, id, etag, change, by).await
    }

    async fn remove_header(
        &self,
        header: HeaderId,
        of: Option<ReceiverId>,
    ) -> Result<WebhookHeader, StoreError> {
        headers::remove(self, header, of).await
    }

    async fn headers_of(&self, receivers: &[ReceiverId]) -> Result<Vec<WebhookHeader>, StoreError> {
        headers::of(self, receivers).await
    }
}

/// The text stands in a receiver's texts. Receivers are few, and no pattern is made of it.
fn holds(dialect: Dialect, text: &str) -> Condition {
    let place = match dialect {
        Dialect::Postgres => "strpos",
        Dialect::Sqlite => "instr",
    };
    let columns = [Column::Name, Column::Description, Column::WebhookUri];
    columns.into_iter().fold(Condition::any(), |any, column| {
        let texts = [Expr::col(column), Expr::val(text)].map(|one| Func::lower(one).into());
        let texts: [Expr; 2] = texts;
        any.add(Expr::from(Func::cust(place).args(texts)).gt(0))
    })
}

/// Locks a receiver that is not deleted.
pub(super) async fn lock_existing(txn: &Txn, id: ReceiverId) -> Result<Model, StoreError> {
    mutation::lock_receiver(txn, id.0)
        .await?
        .filter(|row| row.deleted_at.is_none())
        .ok_or(StoreError::NotFound {
            what: RECEIVER,
            id: id.0.into(),
        })
}

/// Writes a changed receiver, and settles its subscriptions' intervals when it (de)activates them.
pub(super) async fn save(
    txn: &Txn,
    row: ActiveModel,
    was_active: bool,
) -> Result<Model, StoreError> {
    let row = row.update(txn).await?;
    if row.active != was_active {
        let subscriptions = mutation::lock_subscriptions(txn, row.id).await?;
        intervals::settle(txn, &row, &subscriptions).await?;
        receiver_health::switched(txn, &row).await?;
    }
    Ok(row)
}

/// Who changed it, when, and a new etag.
pub(super) fn stamp(row: &mut ActiveModel, by: &Author) {
    row.updated_by_id = Set(by.id.map(|id| id.0));
    row.updated_by_name = Set(by.name.clone());
    row.updated_at = Set(mutation::now());
    row.etag = Set(mutation::new_etag());
}

fn set_plain_fields(row: &mut ActiveModel, fields: ReceiverFields) -> Result<(), StoreError> {
    // Every field by name: a new one that is not stored does not compile.
    let ReceiverFields {
        name,
        description,
        webhook_uri,
        content_type,
        expected_response_code,
        active,
        rate_limit,
        max_in_flight,
        timeout,
        retry,
        ordering,
        client_identity: _,
    } = fields;
    row.name = Set(name);
    row.description = Set(description);
    row.webhook_uri = Set(webhook_uri);
    row.content_type = Set(content_type.as_str().to_owned());
    row.expected_response_code = Set(to_column("expectedResponseCode", expected_response_code)?);
    row.active = Set(active);
    row.rate_per_second = Set(rate_limit.map(|limit| limit.per_second));
    row.rate_burst = Set(rate_limit
        .map(|limit| to_column("rateLimit.burst", limit.burst))
        .transpose()?);
    row.max_in_flight = Set(max_in_flight
        .map(|count| to_column("maxInFlight", count))
        .transpose()?);
    row.timeout_ms = Set(to_millis("timeoutMs", timeout)?);
    row.retry_max_attempts = Set(retry
        .max_attempts
        .map(|count| to_column("retryPolicy.maxAttempts", count))
        .transpose()?);
    row.retry_initial_delay_ms = Set(to_millis(
        "retryPolicy.initialDelayMs",
        retry.initial_delay,
    )?);
    row.retry_multiplier = Set(retry.multiplier);
    row.retry_max_delay_ms = Set(to_millis("retryPolicy.maxDelayMs", retry.max_delay)?);
    row.ordering = Set(ordering.as_str().to_owned());
    Ok(())
}

/// The record in a row; its secrets stay sealed behind.
pub(super) fn from_row(row: Model) -> Result<Receiver, StoreError> {
    let cell = Cell::new("receivers", row.id);
    let rate_limit = match (row.rate_per_second, row.rate_burst) {
        (None, _) => None,
        (Some(per_second), None) => Some(RateLimit {
            per_second,
            burst: RateLimit::default_burst(per_second),
        }),
        (Some(per_second), Some(burst)) => Some(RateLimit {
            per_second,
            burst: cell.number("rate_burst", burst)?,
        }),
    };
    Ok(Receiver {
        id: ReceiverId(row.id),
        name: row.name,
        description: row.description,
        webhook_uri: row.webhook_uri,
        content_type: row
            .content_type
            .parse()
            .map_err(|error| cell.corrupt("content_type", error))?,
        expected_response_code: cell
            .number("expected_response_code", row.expected_response_code)?,
        active: row.active,
        inactive_reason: row.inactive_reason,
        rate_limit,
        max_in_flight: row
            .max_in_flight
            .map(|count| cell.number("max_in_flight", count))
            .transpose()?,
        timeout: cell.millis("timeout_ms", row.timeout_ms)?,
        retry: RetryOverrides {
            max_attempts: row
                .retry_max_attempts
                .map(|count| cell.number("retry_max_attempts", count))
                .transpose()?,
            initial_delay: cell.millis("retry_initial_delay_ms", row.retry_initial_delay_ms)?,
            multiplier: row.retry_multiplier,
            max_delay: cell.millis("retry_max_delay_ms", row.retry_max_delay_ms)?,
        },
        ordering: row
            .ordering
            .parse()
            .map_err(|error| cell.corrupt("ordering", error))?,
        client_certificate: row.client_certificate,
        created_by: author(row.created_by_id, row.created_by_name),
        updated_by: author(row.updated_by_id, row.updated_by_name),
        created_at: row.created_at,
        updated_at: row.updated_at,
        etag: row.etag,
    })
}
