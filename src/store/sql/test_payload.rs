//! `events.payload`: what a test delivery tells of, since there is no change to look it up in.
//!
//! Written by `test_deliveries`, read with the event by the senders' queue and the event log: the same text
//! each time, so that every attempt and `requestData` are the same bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{policy::example::ExampleRow, store::StoreError};

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    row: &'a RawValue,
    #[serde(borrow)]
    old: Option<&'a RawValue>,
}

/// The column's text.
pub(super) fn written(row: &ExampleRow) -> Result<String, StoreError> {
    let raw = |text| serde_json::from_str::<&RawValue>(text).map_err(StoreError::corrupt);
    let stored = Stored {
        row: raw(&row.row_data)?,
        old: row.old_values.as_deref().map(raw).transpose()?,
    };
    serde_json::to_string(&stored).map_err(StoreError::corrupt)
}

/// What stands in it.
pub(super) fn read(payload: &str) -> Result<ExampleRow, StoreError> {
    let stored: Stored<'_> = serde_json::from_str(payload).map_err(StoreError::corrupt)?;
    Ok(ExampleRow {
        row_data: stored.row.get().to_owned(),
        old_values: stored.old.map(|old| old.get().to_owned()),
    })
}
