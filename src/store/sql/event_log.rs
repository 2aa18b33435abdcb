//! Events and their attempts, as the management API reads them, on both databases.
//!
//! Nothing is written here: fan-out makes events and the outcome recorder writes what came of them. The ids
//! of a list are found in `events` alone (`event_lists`); its rows, what the resource was called and the
//! logged rows are then fetched by id.

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

use super::{
    attempt_rows,
    db::Db,
    event_lists::{self, Walk},
    last_attempts,
    records::numbers,
    rows::Cell,
    test_payload,
};
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
        event_log::{EventFilter, EventLog, EventMark, LastAttempt, LoggedEvent},
        page::{Page, PageRequest, Place},
    },
};

/// Events read with one statement, well below what either database binds in one.
const IDS_AT_ONCE: usize = 1000;

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

    /// The events with these ids. What has ceased to match since they were found is left out.
    async fn newest_first(
        &self,
        filter: &EventFilter,
        ids: Vec<i64>,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = Entity::find()
            .filter(Column::Id.is_in(ids))
            .filter(condition(filter))
            .order_by_desc(Column::Id)
            .all(&self.db)
            .await?;
        self.with_changes(rows).await
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
        let walk = Walk {
            offset,
            ..Walk::newest(filter, limit.into())
        };
        let ids = event_lists::ids(&self.db, &walk).await?;
        self.newest_first(filter, ids).await
    }

    async fn events_of(
        &self,
        subscriptions: &[SubscriptionId],
        limit: u32,
        offset: u64,
    ) -> Result<HashMap<SubscriptionId, Vec<LoggedEvent>>, StoreError> {
        let dialect = self.db.dialect();
        let sql = event_lists::ids_of_sql(dialect, limit.into(), offset);
        let values = [event_lists::subscriptions(dialect, subscriptions)];
        let rows = self
            .db
            .query_all_raw(self.db.statement(&sql, values))
            .await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            ids.push(row.try_get_by_index(1)?);
        }
        let mut found: HashMap<SubscriptionId, Vec<LoggedEvent>> = HashMap::new();
        for some in ids.chunks(IDS_AT_ONCE) {
            for event in self
                .newest_first(&EventFilter::default(), some.to_vec())
                .await?
            {
                found.entry(event.subscription_id).or_default().push(event);
            }
        }
        for events in found.values_mut() {
            events.sort_unstable_by_key(|event| std::cmp::Reverse(event.id.0));
        }
        Ok(found)
    }

    async fn marks(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<(EventId, EventMark)>, StoreError> {
        let (ids, values) =
            event_lists::ids_sql(&self.db, &Walk::newest(filter, limit.into())).await?;
        let sql = format!(
            "select e.id, e.state, e.attempt_count, e.redelivery
             from ({ids}) as newest join rowhook.events as e on e.id = newest.id"
        );
        let rows = self
            .db
            .query_all_raw(self.db.statement(&sql, values))
            .await?;
        rows.iter()
            .map(|row| {
                let id: i64 = row.try_get_by_index(0)?;
                let code: i16 = row.try_get_by_index(1)?;
                let state = EventState::from_code(code).ok_or_else(|| {
                    let cell = Cell::new("events", id);
                    cell.corrupt("state", format_args!("{code} stands for nothing"))
                })?;
                let mark = EventMark {
                    state,
                    attempt_count: row.try_get_by_index(2)?,
                    redelivery: row.try_get_by_index(3)?,
                };
                Ok((EventId(id), mark))
            })
            .collect()
    }

    async fn events_by_id(
        &self,
        ids: &[EventId],
        filter: &EventFilter,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let ids = ids.iter().map(|id| id.0).collect();
        self.newest_first(filter, ids).await
    }

    async fn count(&self, filter: &EventFilter) -> Result<u64, StoreError> {
        event_lists::count(&self.db, filter).await
    }

    async fn event_page(
        &self,
        filter: &EventFilter,
        request: PageRequest,
    ) -> Result<Page<LoggedEvent>, StoreError> {
        let id = |place: &Option<Place>| place.as_ref().map(|place| place.id);
        let (after, before) = (id(&request.after), id(&request.before));
        let (above, below) = if request.descending {
            (before, after)
        } else {
            (after, before)
        };
        let from_high = request.descending != request.backward;
        let walk = Walk {
            above,
            below,
            newest_first: from_high,
            ..Walk::newest(filter, request.limit.into())
        };
        let ids = event_lists::ids(&self.db, &walk).await?;
        let ends = ids.iter().min().copied().zip(ids.iter().max().copied());
        // An empty page stands at the end of the range that it would have started from.
        let (older, newer) = match (ends, from_high) {
            (Some((low, high)), _) => (Some((None, Some(low))), Some((Some(high), None))),
            (None, true) => (
                Some((None, below)),
                below.map(|below| (Some(below - 1), None)),
            ),
            (None, false) => (
                above.map(|above| (None, Some(above + 1))),
                Some((above, None)),
            ),
        };
        let any = async |range: Option<(Option<i64>, Option<i64>)>| match range {
            Some((above, below)) => event_lists::any(&self.db, filter, above, below).await,
            None => Ok(false),
        };
        let (older, newer) = (any(older).await?, any(newer).await?);
        let mut items = self.newest_first(filter, ids).await?;
        if !request.descending {
            items.reverse();
        }
        let (has_previous, has_next) = if request.descending {
            (newer, older)
        } else {
            (older, newer)
        };
        Ok(Page {
            items,
            has_previous,
            has_next,
            total: None,
        })
    }

    async fn last_attempts(
        &self,
        receivers: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, LastAttempt>, StoreError> {
        let dialect = self.db.dialect();
        let sql = last_attempts::last_attempts_sql(dialect);
        let values = [numbers(dialect, receivers.iter().map(|id| id.0.into()))];
        let rows = self
            .db
            .query_all_raw(self.db.statement(&sql, values))
            .await?;
        rows.iter().map(last_attempts::read).collect()
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
fn condition(filter: &EventFilter) -> Condition {
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
    let (row_data, old_values) = match &row.payload {
        Some(payload) => {
            let test = test_payload::read(payload);
            let test = test.map_err(|error| cell.corrupt("payload", error))?;
            (Some(test.row_data), test.old_values)
        }
        None => match change {
            Some(change) => (Some(change.row_data), change.old_values),
            None => (None, None),
        },
    };
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
        old_values,
    })
}
