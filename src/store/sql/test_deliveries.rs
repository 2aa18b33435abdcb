//! Making test deliveries, on both databases.
//!
//! The management API asks for them. What is written here is an event like any other to the senders, but
//! that it has neither sequence nor change and carries what it tells of itself (`test_payload`).

use async_trait::async_trait;
use entity::receivers;
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, Value};

use super::{
    db::Db,
    mutation, receiver_health,
    records::{read_user_text, user_text},
    test_payload,
};
use crate::{
    domain::{
        action::Action,
        event::EventStatus,
        ids::{EventId, ReceiverId, ResourceId},
    },
    policy::example::ExampleRow,
    store::{
        StoreError,
        test_deliveries::{NewTest, TestDeliveries},
    },
};

/// Changes looked at for one of the wanted resource, the newest first: what costs a few milliseconds. The
/// log has no index by resource, since each of the application's writes would pay for it.
const LOOKED_AT: i64 = 10_000;
/// What a test's event says of its subscription: none ever has this id.
const NO_SUBSCRIPTION: i32 = 0;
/// What it says of its transaction: there was none.
const NO_TRANSACTION: i64 = 0;

/// Test deliveries.
#[derive(Clone)]
pub struct SqlTestDeliveries {
    db: Db,
}

impl SqlTestDeliveries {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Among the newest changes the id of one of this resource, of this action if there is one, and
    /// whether it is.
    async fn among_the_newest(
        &self,
        resource: ResourceId,
        action: Action,
    ) -> Result<Option<(i64, bool)>, StoreError> {
        let sql = "select l.id, l.action from (select id, resource_id, action
                       from rowhook.logged_actions order by id desc limit $3) l
                   where l.resource_id = $1
                   order by case when l.action = $2 then 0 else 1 end, l.id desc limit 1";
        let values: [Value; 3] = [resource.0.into(), action.code().into(), LOOKED_AT.into()];
        let row = self
            .db
            .query_one_raw(self.db.statement(sql, values))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let found: i16 = row.try_get("", "action")?;
        Ok(Some((row.try_get("", "id")?, found == action.code())))
    }

    /// The change of the newest event of this resource and action.
    async fn of_the_newest_event(
        &self,
        resource: ResourceId,
        action: Action,
    ) -> Result<Option<i64>, StoreError> {
        let sql = "select n.change_id from (select change_id from rowhook.events
                       where resource_id = $1 and action = $2 order by id desc limit 100) n
                   where n.change_id is not null limit 1";
        let values: [Value; 2] = [resource.0.into(), action.code().into()];
        let row = self
            .db
            .query_one_raw(self.db.statement(sql, values))
            .await?;
        Ok(row.map(|row| row.try_get("", "change_id")).transpose()?)
    }

    async fn logged_row(&self, id: i64) -> Result<Option<ExampleRow>, StoreError> {
        let dialect = self.db.dialect();
        let sql = format!(
            "select {} as row_data, {} as old_values from rowhook.logged_actions where id = $1",
            user_text(dialect, "row_data"),
            user_text(dialect, "old_values"),
        );
        let row = self
            .db
            .query_one_raw(self.db.statement(&sql, [id.into()]))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let row_data = read_user_text(dialect, &row, "row_data")?;
        let old_values = read_user_text(dialect, &row, "old_values")?;
        Ok(row_data.map(|row_data| ExampleRow {
            row_data,
            old_values,
        }))
    }
}

#[async_trait]
impl TestDeliveries for SqlTestDeliveries {
    async fn newest_row(
        &self,
        resource: ResourceId,
        action: Action,
    ) -> Result<Option<ExampleRow>, StoreError> {
        let newest = self.among_the_newest(resource, action).await?;
        let fitting = match newest {
            Some((id, true)) => Some(id),
            _ => self.of_the_newest_event(resource, action).await?,
        };
        match fitting.or(newest.map(|(id, _)| id)) {
            Some(id) => self.logged_row(id).await,
            None => Ok(None),
        }
    }

    async fn send_test(&self, test: NewTest) -> Result<EventId, StoreError> {
        let txn = mutation::begin(&self.db).await?;
        // Locked, so that a deletion or a deactivation that comes later finds the event.
        let ReceiverId(id) = test.receiver_id;
        let receiver = receivers::Entity::find_by_id(id)
            .lock_shared()
            .one(&txn)
            .await?
            .filter(|receiver| receiver.deleted_at.is_none());
        match receiver {
            None => {
                return Err(StoreError::NotFound {
                    what: "webhook receiver",
                    id: id.into(),
                });
            }
            Some(receiver) if !receiver.active => return Err(StoreError::Conflict),
            Some(_) => {}
        }
        let now = mutation::now();
        // A row of its own: it waits for no event of the row that it tells of, and none waits for it.
        let row_hash: i64 = rand::random();
        let sql = "insert into rowhook.events (subscription_id, receiver_id, resource_id, action,
                       transaction_id, occurred_at, created_at, row_id, row_hash, payload)
                   values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9) returning id";
        let values: [Value; 9] = [
            NO_SUBSCRIPTION.into(),
            id.into(),
            test.resource_id.0.into(),
            test.action.code().into(),
            NO_TRANSACTION.into(),
            now.into(),
            test.row_id.into(),
            row_hash.into(),
            test_payload::written(&test.row)?.into(),
        ];
        let row = txn
            .query_one_raw(txn.statement(sql, values))
            .await?
            .ok_or_else(|| StoreError::corrupt("an insert returned no id"))?;
        let event = EventId(row.try_get("", "id")?);
        receiver_health::probe_now(&txn, [id]).await?;
        txn.commit().await?;
        self.db.event_counts().add(EventStatus::Pending, 1);
        Ok(event)
    }
}
