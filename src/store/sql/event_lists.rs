//! Finding the events of a list, through an index for whatever it is narrowed by, on both databases.
//!
//! The event log and the operator's orders ask for ids here and read the rows by id then. What is narrowed by status is
//! walked along what is not delivered, one state after the other, and an index of kinds gives ids in order only within
//! one action of one resource; so a list is merged from several walks, and each stops after as many ids as the
//! list has.

use sea_orm::{ConnectionTrait, EntityTrait, Value};

use entity::resources;

use super::{
    db::{Db, Dialect},
    records::numbers,
    rows::Cell,
};
use crate::{
    domain::{
        action::Action,
        event::EventState,
        ids::SubscriptionId,
        resource::{ResourceDefinition, ResourceName},
    },
    policy::logged_row::row_hash,
    store::{StoreError, event_log::EventFilter},
};

/// Walks that one list is merged from; with more a database would plan longer than it saves.
const WALKS: usize = 64;

/// Which ids of a list.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// What the list is narrowed by.
    pub filter: &'a EventFilter,
    /// Only events in these states, beside what the filter says.
    pub states: &'a [EventState],
    /// Only ids above this.
    pub above: Option<i64>,
    /// Only ids below this.
    pub below: Option<i64>,
    /// From the highest id to the lowest.
    pub newest_first: bool,
    /// How many at most.
    pub limit: u64,
    /// How many of the first to leave out.
    pub offset: u64,
}

impl<'a> Walk<'a> {
    /// The newest events of a list.
    pub fn newest(filter: &'a EventFilter, limit: u64) -> Self {
        Self {
            filter,
            states: &EventState::ALL,
            above: None,
            below: None,
            newest_first: true,
            limit,
            offset: 0,
        }
    }
}

/// The ids of a list, in its order.
pub(super) async fn ids(db: &Db, walk: &Walk<'_>) -> Result<Vec<i64>, StoreError> {
    let (sql, values) = ids_sql(db, walk).await?;
    let rows = db.query_all_raw(db.statement(&sql, values)).await?;
    rows.iter()
        .map(|row| Ok(row.try_get_by_index(0)?))
        .collect()
}

/// Whether a list has events between two ids.
pub(super) async fn any(
    db: &Db,
    filter: &EventFilter,
    above: Option<i64>,
    below: Option<i64>,
) -> Result<bool, StoreError> {
    let walk = Walk {
        above,
        below,
        ..Walk::newest(filter, 1)
    };
    Ok(!ids(db, &walk).await?.is_empty())
}

/// How many events a list has. This one is as slow as the list is long.
pub(super) async fn count(db: &Db, filter: &EventFilter) -> Result<u64, StoreError> {
    let narrowed = Narrowed::by(db, filter, &EventState::ALL).await?;
    let sql = format!(
        "select count(*) from rowhook.events e where {}",
        narrowed.shared
    );
    let row = db
        .query_one_raw(db.statement(&sql, narrowed.values))
        .await?
        .ok_or_else(|| StoreError::corrupt("an aggregate returned no row"))?;
    let count: i64 = row.try_get_by_index(0)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The statement for the ids of a list, and its values.
pub async fn ids_sql(db: &Db, walk: &Walk<'_>) -> Result<(String, Vec<Value>), StoreError> {
    let narrowed = Narrowed::by(db, walk.filter, walk.states).await?;
    let order = if walk.newest_first { "desc" } else { "asc" };
    let walks: Vec<String> = narrowed
        .each
        .iter()
        .map(|one| {
            let shared = &narrowed.shared;
            let (mut sql, id, by) = match one {
                Along::Events(own) => (format!("{EVENTS} where {shared} and {own}"), "e.id", None),
                Along::Undelivered { state, of } => (
                    format!("{UNDELIVERED} where {shared} and u.state = {state}"),
                    "u.event_id",
                    of.as_deref(),
                ),
            };
            // Of one receiver on PostgreSQL: a range of one value, so that no index but the receivers' has the order that
            // is asked for, and pairs, so that it begins where the page does.
            let pairs = by.filter(|_| db.dialect() == Dialect::Postgres);
            match (by, pairs) {
                (_, Some(of)) => sql.push_str(&format!(
                    " and u.receiver_id >= {of} and u.receiver_id <= {of}"
                )),
                (Some(of), None) => sql.push_str(&format!(" and u.receiver_id = {of}")),
                (None, None) => {}
            }
            for (bound, sign) in [(walk.above, '>'), (walk.below, '<')] {
                match (bound, pairs) {
                    (None, _) => {}
                    (Some(bound), None) => sql.push_str(&format!(" and {id} {sign} {bound}")),
                    (Some(bound), Some(of)) => sql.push_str(&format!(
                        " and (u.receiver_id, u.event_id) {sign} ({of}, {bound})"
                    )),
                }
            }
            let first = pairs.map_or_else(String::new, |_| format!("u.receiver_id {order}, "));
            format!("{sql} order by {first}{id} {order}")
        })
        .collect();
    Ok((
        merged(&walks, order, walk.limit, walk.offset),
        narrowed.values,
    ))
}

/// What a walk goes along.
enum Along {
    /// The events that satisfy this.
    Events(String),
    /// What is in this state and not delivered, of everybody or of the receiver that this expression gives.
    Undelivered { state: i16, of: Option<String> },
}

const EVENTS: &str = "rowhook.events as e";
const UNDELIVERED: &str = "rowhook.undelivered as u join rowhook.events as e on e.id = u.event_id";

/// The newest events of each of these subscriptions (bound as `$1`): pairs of subscription and event.
pub fn ids_of_sql(dialect: Dialect, limit: u64, offset: u64) -> String {
    let walks = |subscription: &str| {
        let walk = format!("{EVENTS} where e.subscription_id = {subscription} order by e.id desc");
        merged(&[walk], "desc", limit, offset)
    };
    match dialect {
        Dialect::Postgres => format!(
            "select s.id, x.id from unnest($1::bigint[]) as s(id) cross join lateral ({}) as x",
            walks("s.id")
        ),
        Dialect::Sqlite => format!(
            "select s.value, x.id from json_each($1) as s join rowhook.events as x on x.id in ({})",
            walks("s.value")
        ),
    }
}

/// The value for [`ids_of_sql`].
pub(super) fn subscriptions(dialect: Dialect, ids: &[SubscriptionId]) -> Value {
    numbers(dialect, ids.iter().map(|id| id.0.into()))
}

/// One list of several walks: none of them goes further than the list does.
fn merged(walks: &[String], order: &str, limit: u64, offset: u64) -> String {
    let far = limit.saturating_add(offset);
    let each: Vec<String> = walks
        .iter()
        .enumerate()
        .map(|(index, walk)| {
            format!("select id from (select e.id from {walk} limit {far}) as w{index}")
        })
        .collect();
    format!(
        "select id from ({}) as u order by id {order} limit {limit} offset {offset}",
        each.join(" union all ")
    )
}

/// A filter as SQL.
struct Narrowed {
    /// What holds in each walk.
    shared: String,
    /// What makes each walk one.
    each: Vec<Along>,
    values: Vec<Value>,
}

impl Narrowed {
    async fn by(db: &Db, filter: &EventFilter, states: &[EventState]) -> Result<Self, StoreError> {
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
        let mut values: Vec<Value> = Vec::new();
        let mut shared = String::from("1 = 1");
        let mut add = |condition: &str, value: Value| {
            values.push(value);
            shared.push_str(&format!(" and e.{condition} ${}", values.len()));
        };
        if let Some(id) = subscription_id {
            add("subscription_id =", id.0.into());
        }
        if let Some(id) = receiver_id {
            add("receiver_id =", id.0.into());
        }
        if let Some(action) = action {
            add("action =", action.code().into());
        }
        if let Some(id) = transaction_id {
            add("transaction_id =", id.0.into());
        }
        if let Some(id) = row_id {
            add("row_id =", id.clone().into());
        }
        if let Some(at) = occurred_after {
            add("occurred_at >=", (*at).into());
        }
        if let Some(at) = occurred_before {
            add("occurred_at <", (*at).into());
        }
        let wanted: Vec<i16> = states
            .iter()
            .filter(|state| status.is_none_or(|status| state.status() == status))
            .map(|state| state.code())
            .collect();
        let all_states = wanted.len() == EventState::ALL.len();
        if !all_states {
            shared.push_str(&format!(" and e.state in ({})", list(&wanted)));
        }
        let versions = if resource.is_some() || action.is_some() || row_id.is_some() {
            versions(db, resource.as_ref()).await?
        } else {
            Vec::new()
        };
        if resource.is_some() {
            let ids: Vec<i32> = versions.iter().map(|version| version.0).collect();
            shared.push_str(&format!(" and e.resource_id in ({})", list(&ids)));
        }
        if let Some(id) = row_id {
            let hashes = versions.iter().map(|(_, of)| row_hash(&of.table, id));
            let mut hashes: Vec<i64> = hashes.collect();
            hashes.sort_unstable();
            hashes.dedup();
            shared.push_str(&format!(" and e.row_hash in ({})", list(&hashes)));
        }
        let few = row_id.is_some() || transaction_id.is_some();
        let owned = receiver_id.is_some() || subscription_id.is_some();
        let mut each = Vec::new();
        if few || all_states || wanted.contains(&EventState::Delivered.code()) {
            let kinds = if few || owned {
                Vec::new()
            } else {
                kinds(resource.as_ref(), *action, &versions)
            };
            // In the words of the index; of the states `shared` speaks.
            if kinds.is_empty() || kinds.len() > WALKS {
                each.push(Along::Events("1 = 1".to_owned()));
            } else {
                each.extend(kinds.into_iter().map(Along::Events));
            }
            if !few && !all_states {
                let delivered = EventState::Delivered.code();
                for along in &mut each {
                    if let Along::Events(own) = along {
                        own.push_str(&format!(" and e.state = {delivered}"));
                    }
                }
            }
        }
        if !few && !all_states {
            let of = match (receiver_id, subscription_id) {
                (Some(id), _) => Some(id.0.to_string()),
                // A subscription has one receiver. (A range of one value, so that its own index is taken.)
                (None, Some(SubscriptionId(id))) => Some(format!(
                    "(select f.receiver_id from rowhook.events f
                      where f.subscription_id >= {id} and f.subscription_id <= {id}
                      order by f.subscription_id limit 1)"
                )),
                (None, None) => None,
            };
            let undelivered = wanted
                .iter()
                .filter(|state| **state != EventState::Delivered.code());
            each.extend(undelivered.map(|state| Along::Undelivered {
                state: *state,
                of: of.clone(),
            }));
        }
        if each.is_empty() {
            // In none of the wanted states: no event is.
            each.push(Along::Events("1 = 0".to_owned()));
        }
        Ok(Self {
            shared,
            each,
            values,
        })
    }
}

/// Numbers of ours, so that they can stand in the text; of none there is no member.
pub(super) fn list<N: ToString>(numbers: &[N]) -> String {
    let numbers: Vec<String> = numbers.iter().map(N::to_string).collect();
    if numbers.is_empty() {
        "null".to_owned()
    } else {
        numbers.join(", ")
    }
}

/// What each action of each version of a resource is, where a list is narrowed by them.
fn kinds(
    resource: Option<&ResourceName>,
    action: Option<Action>,
    versions: &[(i32, ResourceDefinition)],
) -> Vec<String> {
    if resource.is_none() && action.is_none() {
        return Vec::new();
    }
    let actions = [Action::Create, Action::Update, Action::Delete];
    let wanted = actions
        .iter()
        .filter(|one| action.is_none_or(|action| action == **one));
    wanted
        .flat_map(|one| {
            let of = move |(id, _): &(i32, _)| {
                format!("e.resource_id = {id} and e.action = {}", one.code())
            };
            versions.iter().map(of)
        })
        .collect()
}

/// The versions of a resource, or of all. There are few: a change of the table's description makes one.
pub(super) async fn versions(
    db: &Db,
    name: Option<&ResourceName>,
) -> Result<Vec<(i32, ResourceDefinition)>, StoreError> {
    resources::Entity::find()
        .all(db)
        .await?
        .into_iter()
        .filter(|row| name.is_none_or(|name| name.as_str() == row.name))
        .map(|row| {
            let cell = Cell::new("resources", row.id);
            let definition = serde_json::from_str(&row.definition)
                .map_err(|error| cell.corrupt("definition", error))?;
            Ok((row.id, definition))
        })
        .collect()
}
