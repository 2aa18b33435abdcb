//! Events and their attempts, as the management API reads them, on both databases.
//!
//! Nothing is written here: fan-out makes events and the outcome recorder writes what came of them. A list
//! is found in `events` alone, through its primary key or an index; what the resource was called and the
//! logged row are then fetched by id for the rows of that page only.

use std::collections::HashMap;

use async_trait::async_trait;
use entity::{
    events::{Column, Entity, Model},
    logged_actions, resources,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};

use super::{attempt_rows, db::Db, page, rows::Cell};
use crate::{
    domain::{
        action::Action,
        attempt::Attempt,
        event::{EventState, EventStatus},
        ids::{EventId, ReceiverId, SubscriptionId, TransactionId},
        resource::{ResourceDefinition, ResourceName},
    },
    store::{
        StoreError,
        event_log::{EventFilter, EventLog, LoggedEvent},
        page::{Page, PageRequest},
    },
};

/// The log of events.
#[derive(Clone)]
pub struct SqlEventLog {
    db: Db,
}

impl SqlEventLog {
    /// A log on this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Adds what the rows refer to.
    async fn with_changes(&self, rows: Vec<Model>) -> Result<Vec<LoggedEvent>, StoreError> {
        let resources = self.resources(&rows).await?;
        let mut changes = self.changes(&rows).await?;
        rows.into_iter()
            .map(|row| {
                let cell = Cell::new("events", row.id);
                let resource = resources.get(&row.resource_id).ok_or_else(|| {
                    cell.corrupt("resource_id", "there is no such resource version")
                })?;
                // Several events of one page may tell of the same change.
                let change = row.change_id.and_then(|id| changes.get_mut(&id)).cloned();
                from_row(row, resource.clone(), change)
            })
            .collect()
    }

    /// The resource versions that the rows were made under.
    async fn resources(
        &self,
        rows: &[Model],
    ) -> Result<HashMap<i32, (ResourceName, ResourceDefinition)>, StoreError> {
        let ids = distinct(rows.iter().map(|row| row.resource_id));
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        resources::Entity::find()
            .filter(resources::Column::Id.is_in(ids))
            .all(&self.db)
            .await?
            .into_iter()
            .map(|row| {
                let cell = Cell::new("resources", row.id);
                let name = row
                    .name
                    .parse()
                    .map_err(|error| cell.corrupt("name", error))?;
                let definition = serde_json::from_str(&row.definition)
                    .map_err(|error| cell.corrupt("definition", error))?;
                Ok((row.id, (name, definition)))
            })
            .collect()
    }

    /// The logged rows that are still kept.
    async fn changes(
        &self,
        rows: &[Model],
    ) -> Result<HashMap<i64, logged_actions::Model>, StoreError> {
        let ids = distinct(rows.iter().filter_map(|row| row.change_id));
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(logged_actions::Entity::find()
            .filter(logged_actions::Column::Id.is_in(ids))
            .all(&self.db)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect())
    }
}

#[async_trait]
impl EventLog for SqlEventLog {
    async fn event(&self, id: EventId) -> Result<Option<LoggedEvent>, StoreError> {
        let row = Entity::find_by_id(id.0).one(&self.db).await?;
        let found = self.with_changes(row.into_iter().collect()).await?;
        Ok(found.into_iter().next())
    }

    async fn events(
        &self,
        filter: &EventFilter,
        limit: u32,
        offset: u64,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let rows = Entity::find()
            .filter(condition(filter))
            .order_by_desc(Column::Id)
            .limit(u64::from(limit))
            .offset(offset)
            .all(&self.db)
            .await?;
        self.with_changes(rows).await
    }

    async fn event_page(
        &self,
        filter: &EventFilter,
        request: PageRequest,
    ) -> Result<Page<LoggedEvent>, StoreError> {
        // The API's list runs from the newest to the oldest, whatever the request says.
        let request = PageRequest {
            newest_first: true,
            ..request
        };
        let list = Entity::find().filter(condition(filter));
        let page = page::fetch(&self.db, list, Column::Id, |row| row.id, request).await?;
        Ok(Page {
            items: self.with_changes(page.items).await?,
            has_previous: page.has_previous,
            has_next: page.has_next,
            total: page.total,
        })
    }

    async fn attempts(&self, id: EventId) -> Result<Vec<(i32, Attempt)>, StoreError> {
        // One statement, so that an attempt which is moved while it runs is neither lost nor doubled.
        let sql = "select number, attempted_at, duration_ms, response_status, response_headers, \
                   response_data, error from rowhook.attempts where event_id = $1 \
                   union all \
                   select attempt_count, attempted_at, duration_ms, response_status, \
                   response_headers, response_data, error from rowhook.events \
                   where id = $1 and attempted_at is not null \
                   order by 1";
        self.db
            .query_all_raw(self.db.statement(sql, [id.0.into()]))
            .await?
            .into_iter()
            .map(|row| attempt_rows::numbered(id, &row))
            .collect()
    }
}

/// Every given restriction, all of them at once.
pub(super) fn condition(filter: &EventFilter) -> Condition {
    let EventFilter {
        subscription_id,
        receiver_id,
        status,
        resource,
        action,
        transaction_id,
        row_id,
        occurred_after,
        occurred_before,
    } = filter;
    Condition::all()
        .add_option(subscription_id.map(|id| Column::SubscriptionId.eq(id.0)))
        .add_option(receiver_id.map(|id| Column::ReceiverId.eq(id.0)))
        .add_option(status.map(|status| Column::State.is_in(states(status))))
        .add_option(resource.as_ref().map(|name| {
            // Every version that ever had the name. There are few, so they cost nothing.
            let versions = resources::Entity::find()
                .select_only()
                .column(resources::Column::Id)
                .filter(resources::Column::Name.eq(name.as_str()));
            Column::ResourceId.in_subquery(versions.into_query())
        }))
        .add_option(action.map(|action| Column::Action.eq(action.code())))
        .add_option(transaction_id.map(|id| Column::TransactionId.eq(id.0)))
        .add_option(row_id.as_ref().map(|id| Column::RowId.eq(id)))
        .add_option(occurred_after.map(|at| Column::OccurredAt.gte(at)))
        .add_option(occurred_before.map(|at| Column::OccurredAt.lt(at)))
}

/// The stored states that the API calls by one word.
fn states(status: EventStatus) -> impl Iterator<Item = i16> {
    EventState::ALL
        .into_iter()
        .filter(move |state| state.status() == status)
        .map(EventState::code)
}

fn distinct<T: Ord>(ids: impl Iterator<Item = T>) -> Vec<T> {
    let mut ids: Vec<T> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The event in a row. The row's `error` is the latest attempt's where there was one.
fn from_row(
    row: Model,
    (resource, definition): (ResourceName, ResourceDefinition),
    change: Option<logged_actions::Model>,
) -> Result<LoggedEvent, StoreError> {
    let cell = Cell::new("events", row.id);
    let unknown = |column: &'static str, code: i16| {
        cell.corrupt(column, format_args!("{code} stands for nothing"))
    };
    let last_attempt = attempt_rows::latest(&row)?;
    let (row_data, old_values) = change
        .map(|change| (change.row_data, change.old_values))
        .unzip();
    Ok(LoggedEvent {
        id: EventId(row.id),
        sequence: row.sequence,
        subscription_id: SubscriptionId(row.subscription_id),
        receiver_id: ReceiverId(row.receiver_id),
        resource,
        definition,
        action: Action::from_code(row.action).ok_or_else(|| unknown("action", row.action))?,
        state: EventState::from_code(row.state).ok_or_else(|| unknown("state", row.state))?,
        transaction_id: TransactionId(row.transaction_id),
        row_id: row.row_id,
        occurred_at: row.occurred_at,
        created_at: row.created_at,
        attempt_count: row.attempt_count,
        next_attempt_at: row.due_at,
        error: row.error.filter(|_| last_attempt.is_none()),
        last_attempt,
        row_data,
        old_values: old_values.flatten(),
    })
}
