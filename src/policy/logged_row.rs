//! What a log row says: its key, what changed, and the members of a delivery's `data`.
//!
//! Fan-out asks it for keys, the sender for the body. Values stay the very text that the database
//! wrote: nothing is parsed into numbers and printed again, so every digit survives.

use indexmap::IndexMap;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::domain::{action::Action, resource::ResourceDefinition};

/// A log row's JSON object: column to the text of its value, in table order.
type Members<'a> = IndexMap<String, &'a RawValue>;

/// A log row that can not be read; it names what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRow {
    /// Not a JSON object.
    #[error("the logged row is no JSON object: {0}")]
    NotJson(#[from] serde_json::Error),
    /// A column of the key is missing.
    #[error("the logged row has no column {0:?}, which is part of the key")]
    NoKey(String),
}

/// A parsed log row.
pub struct LoggedRow<'a> {
    row: Members<'a>,
    old_values: Option<Members<'a>>,
}

impl<'a> LoggedRow<'a> {
    /// Reads `row_data` and `old_values` of `logged_actions`.
    pub fn parse(row_data: &'a str, old_values: Option<&'a str>) -> Result<Self, UnreadableRow> {
        Ok(Self {
            row: serde_json::from_str(row_data)?,
            old_values: old_values.map(serde_json::from_str).transpose()?,
        })
    }

    /// `data.id` as JSON text: the key's own value, or an object of the key's columns.
    pub fn id(&self, definition: &ResourceDefinition) -> Result<String, UnreadableRow> {
        self.key(definition, false)
    }

    /// The id that the row had before, when this change gave it another.
    pub fn previous_id(
        &self,
        definition: &ResourceDefinition,
    ) -> Result<Option<String>, UnreadableRow> {
        let Some(old) = &self.old_values else {
            return Ok(None);
        };
        if definition.key.iter().any(|column| old.contains_key(column)) {
            self.key(definition, true).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The columns that an UPDATE changed, in table order.
    pub fn changed_columns(&self) -> impl Iterator<Item = &str> {
        self.old_values
            .iter()
            .flat_map(|old| old.keys().map(String::as_str))
    }

    /// The whole row before the change, in table order; on CREATE there is none.
    pub fn before(&self, action: Action) -> Option<impl Iterator<Item = (&str, &'a RawValue)>> {
        let old = self.old_values.as_ref();
        (action != Action::Create).then(|| {
            self.row.iter().map(move |(name, now)| {
                let before = old.and_then(|old| old.get(name)).unwrap_or(now);
                (name.as_str(), *before)
            })
        })
    }

    /// The whole row after the change, in table order; on DELETE there is none.
    pub fn after(&self, action: Action) -> Option<impl Iterator<Item = (&str, &'a RawValue)>> {
        (action != Action::Delete)
            .then(|| self.row.iter().map(|(name, value)| (name.as_str(), *value)))
    }

    /// `data.etag`: the etag column's value as text, else a hash of the row.
    pub fn etag(&self, definition: &ResourceDefinition, row_data: &str) -> String {
        let column = definition.etag.as_ref();
        match column.and_then(|column| self.row.get(column)) {
            Some(value) if value.get() != "null" => serde_json::from_str::<String>(value.get())
                .unwrap_or_else(|_| value.get().to_owned()),
            _ => hex(&Sha256::digest(row_data.as_bytes())[..16]),
        }
    }

    /// The whole row as a JSON object.
    pub fn write_row(&self, out: &mut String) {
        write_object(
            out,
            self.row.iter().map(|(name, value)| (name.as_str(), *value)),
        );
    }

    /// The old values of the changed columns, `null` where there are none.
    pub fn write_old(&self, out: &mut String) {
        match &self.old_values {
            Some(old) => {
                write_object(out, old.iter().map(|(name, value)| (name.as_str(), *value)));
            }
            None => out.push_str("null"),
        }
    }

    /// The new values of the changed columns: the same columns, in the same order.
    pub fn write_new(&self, out: &mut String) {
        let changed = self.changed_columns();
        write_object(
            out,
            changed.filter_map(|name| self.row.get(name).map(|value| (name, *value))),
        );
    }

    fn key(&self, definition: &ResourceDefinition, before: bool) -> Result<String, UnreadableRow> {
        let value = |column: &String| {
            let old = self.old_values.as_ref().filter(|_| before);
            old.and_then(|old| old.get(column))
                .or_else(|| self.row.get(column))
                .copied()
                .ok_or_else(|| UnreadableRow::NoKey(column.clone()))
        };
        if let [column] = definition.key.as_slice() {
            return Ok(value(column)?.get().to_owned());
        }
        let mut members = Vec::with_capacity(definition.key.len());
        for column in &definition.key {
            members.push((column.as_str(), value(column)?));
        }
        let mut text = String::new();
        write_object(&mut text, members.into_iter());
        Ok(text)
    }
}

/// The row's identity within its table as 64 bits: what order per row goes by. It is stored with the
/// event, so it must be the same in every version of rowhook.
pub fn row_hash(table: &str, id: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update(table.as_bytes());
    hash.update([0]);
    hash.update(id.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let (first, _) = digest
        .split_first_chunk::<8>()
        .expect("a SHA-256 digest has 32 bytes");
    i64::from_be_bytes(*first)
}

fn write_object<'v>(out: &mut String, members: impl Iterator<Item = (&'v str, &'v RawValue)>) {
    out.push('{');
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_json_string(out, name);
        out.push(':');
        out.push_str(value.get());
    }
    out.push('}');
}

/// A JSON string literal.
pub(super) fn write_json_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
