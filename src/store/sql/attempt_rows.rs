//! Attempts as rows hold them: the latest one inline in `events`, earlier ones in `attempts`, with the same
//! columns. The event log reads them through here; the outcome recorder writes them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::events;
use sea_orm::QueryResult;

use super::rows::Cell;
use crate::{
    domain::{
        attempt::{Answer, Attempt},
        ids::EventId,
    },
    store::StoreError,
};

/// The columns of an attempt.
struct Columns {
    attempted_at: DateTime<Utc>,
    duration_ms: i32,
    response_status: Option<i16>,
    response_headers: Option<String>,
    response_data: Option<String>,
    error: Option<String>,
}

/// The latest attempt of an event; `None` when none was made.
pub(super) fn latest(row: &events::Model) -> Result<Option<Attempt>, StoreError> {
    let cell = Cell::new("events", row.id);
    row.attempted_at
        .map(|attempted_at| {
            let columns = Columns {
                attempted_at,
                duration_ms: row.duration_ms.unwrap_or_default(),
                response_status: row.response_status,
                response_headers: row.response_headers.clone(),
                response_data: row.response_data.clone(),
                error: row.error.clone(),
            };
            attempt(cell, columns)
        })
        .transpose()
}

/// One row of the statement that reads both tables: the attempt's number, then its columns.
pub(super) fn numbered(id: EventId, row: &QueryResult) -> Result<(i32, Attempt), StoreError> {
    let number = row.try_get_by_index(0)?;
    let columns = Columns {
        attempted_at: row.try_get_by_index(1)?,
        duration_ms: row.try_get_by_index::<Option<i32>>(2)?.unwrap_or_default(),
        response_status: row.try_get_by_index(3)?,
        response_headers: row.try_get_by_index(4)?,
        response_data: row.try_get_by_index(5)?,
        error: row.try_get_by_index(6)?,
    };
    Ok((
        number,
        attempt(Cell::new("attempts of event", id.0), columns)?,
    ))
}

fn attempt(cell: Cell, columns: Columns) -> Result<Attempt, StoreError> {
    let answer = columns
        .response_status
        .map(|status| {
            Ok::<_, StoreError>(Answer {
                status: cell.number("response_status", status)?,
                headers: headers(cell, columns.response_headers.as_deref())?,
                body: columns.response_data.unwrap_or_default(),
            })
        })
        .transpose()?;
    Ok(Attempt {
        started_at: columns.attempted_at,
        duration: Duration::from_millis(cell.number("duration_ms", columns.duration_ms)?),
        answer,
        error: columns.error,
    })
}

/// A JSON array of [name, value] pairs: headers may come more than once, and their order is kept.
fn headers(cell: Cell, stored: Option<&str>) -> Result<Vec<(String, String)>, StoreError> {
    stored.map_or(Ok(Vec::new()), |text| {
        serde_json::from_str(text).map_err(|error| cell.corrupt("response_headers", error))
    })
}
