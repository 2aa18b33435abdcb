//! The latest attempt of each receiver of a page.
//!
//! No index leads there, and none will: each delivery would pay for it. What was tried last is mostly among a few
//! events that are found through the indexes there are, so those are looked at and no more.

use sea_orm::QueryResult;

use super::{db::Dialect, rows::Cell};
use crate::{
    domain::{
        event::EventState,
        ids::{EventId, ReceiverId},
    },
    store::{
        StoreError,
        event_log::{LAST_ATTEMPT_WALK, LastAttempt},
    },
};

/// The latest attempt of each receiver bound as `$1`, as far as a few steps along its events lead to one.
pub fn last_attempts_sql(dialect: Dialect) -> String {
    let (receivers, of) = match dialect {
        Dialect::Postgres => ("(select unnest($1::bigint[]) as id)", range as Of),
        Dialect::Sqlite => ("(select value as id from json_each($1))", equal as Of),
    };
    let events = |narrowed: &str| {
        let (is, order) = of("e.receiver_id", "e.id", "desc");
        format!(
            "select e.id, e.attempted_at from rowhook.events as e where {is}{narrowed}
             order by {order} limit {LAST_ATTEMPT_WALK}"
        )
    };
    let (ready, waiting) = (EventState::Ready.code(), EventState::Waiting.code());
    let queue = |state: i16, direction: &str, limit: u32| {
        let (is, order) = of("u.receiver_id", "u.event_id", direction);
        format!(
            "select u.event_id as id from rowhook.undelivered as u where {is} and u.state = {state}
             order by {order} limit {limit}"
        )
    };
    // Where many wait for their first attempt, those before them; where the newest wait behind a failed one, that one.
    let head = queue(ready, "asc", 1);
    let before_head = match dialect {
        Dialect::Postgres => format!(" and (e.receiver_id, e.id) <= (r.id, ({head}))"),
        Dialect::Sqlite => format!(" and e.id <= ({head})"),
    };
    let failing = format!(
        "select e.id, e.attempted_at from ({}) as q join rowhook.events as e on e.id = q.id",
        queue(waiting, "desc", LAST_ATTEMPT_WALK)
    );
    let walks = [events(""), events(&before_head), failing]
        .iter()
        .enumerate()
        .map(|(index, walk)| format!("select id, attempted_at from ({walk}) as w{index}"))
        .collect::<Vec<_>>()
        .join(" union all ");
    format!(
        "select r.id as receiver_id, x.id, x.attempted_at, x.duration_ms, x.response_status, x.error
         from {receivers} as r join rowhook.events as x on x.id = (
           select t.id from ({walks}) as t where t.attempted_at is not null
           order by t.attempted_at desc, t.id desc limit 1)"
    )
}

/// The condition that a row is of receiver `r`, and the order of its events along its index.
type Of = fn(receiver: &str, id: &str, direction: &str) -> (String, String);

fn equal(receiver: &str, id: &str, direction: &str) -> (String, String) {
    (format!("{receiver} = r.id"), format!("{id} {direction}"))
}

/// A range of one value, so that on PostgreSQL no index but the receivers' has the order that is asked for.
fn range(receiver: &str, id: &str, direction: &str) -> (String, String) {
    (
        format!("{receiver} >= r.id and {receiver} <= r.id"),
        format!("{receiver} {direction}, {id} {direction}"),
    )
}

/// A row of [`last_attempts_sql`].
pub(super) fn read(row: &QueryResult) -> Result<(ReceiverId, LastAttempt), StoreError> {
    let receiver: i64 = row.try_get("", "receiver_id")?;
    let receiver = i32::try_from(receiver).map_err(StoreError::corrupt)?;
    let event: i64 = row.try_get("", "id")?;
    let cell = Cell::new("events", event);
    let status: Option<i16> = row.try_get("", "response_status")?;
    let duration: Option<i32> = row.try_get("", "duration_ms")?;
    let attempt = LastAttempt {
        event_id: EventId(event),
        started_at: row.try_get("", "attempted_at")?,
        duration: cell
            .millis("duration_ms", duration.map(i64::from))?
            .unwrap_or_default(),
        response_status: status
            .map(|status| cell.number("response_status", status))
            .transpose()?,
        error: row.try_get("", "error")?,
    };
    Ok((ReceiverId(receiver), attempt))
}
