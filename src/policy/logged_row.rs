//! What a log row says: its key, what changed, and the members of a delivery's `data`.
//!
//! Fan-out asks it for keys, the sender for the body. Values stay the very text that the database
//! wrote: nothing is parsed into numbers and printed again, so every digit survives.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::domain::{action::Action, resource::ResourceDefinition};

/// Columns and the texts of their values, in table order.
type Members<'a> = IndexMap<Cow<'a, str>, &'a RawValue>;

/// A log row that can not be read; it names what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRow {
    /// Not the JSON that the triggers write.
    #[error("the logged row can not be read: {0}")]
    NotJson(#[from] serde_json::Error),
    /// An array of another length than the description of the table has columns.
    #[error("the logged row has {0} values, and its table's description {1} columns")]
    OtherColumns(usize, usize),
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
    /// Reads `row_data` and `old_values` of `logged_actions`, which were written for this description.
    ///
    /// A row is an array of the values of the description's columns: so PostgreSQL's triggers write it,
    /// since the names would be a quarter of what each change adds to the write-ahead log. Or it is an object:
    /// on SQLite, and on PostgreSQL while the table has other columns than its triggers know.
    pub fn parse(
        definition: &'a ResourceDefinition,
        row_data: &'a str,
        old_values: Option<&'a str>,
    ) -> Result<Self, UnreadableRow> {
        Ok(Self {
            row: if row_data.starts_with('[') {
                of_columns(definition, serde_json::from_str(row_data)?)?
            } else {
                serde_json::from_str(row_data)?
            },
            old_values: old_values.map(serde_json::from_str).transpose()?,
        })
    }

    /// The value of a column after the change, on a DELETE before it.
    pub fn value(&self, column: &str) -> Option<&'a RawValue> {
        self.row.get(column).copied()
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
        if definition
            .key
            .iter()
            .any(|column| old.contains_key(column.as_str()))
        {
            self.key(definition, true).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The columns that an UPDATE changed, in table order.
    pub fn changed_columns(&self) -> impl Iterator<Item = &str> {
        self.old_values
            .iter()
            .flat_map(|old| old.keys().map(AsRef::as_ref))
    }

    /// The whole row before the change, in table order; on CREATE there is none.
    pub fn before(&self, action: Action) -> Option<impl Iterator<Item = (&str, &'a RawValue)>> {
        let old = self.old_values.as_ref();
        (action != Action::Create).then(|| {
            self.row.iter().map(move |(name, now)| {
                let before = old.and_then(|old| old.get(name)).unwrap_or(now);
                (name.as_ref(), *before)
            })
        })
    }

    /// The whole row after the change, in table order; on DELETE there is none.
    pub fn after(&self, action: Action) -> Option<impl Iterator<Item = (&str, &'a RawValue)>> {
        (action != Action::Delete).then(|| members(&self.row))
    }

    /// [`before`](Self::before) as a JSON object.
    pub fn text_before(&self, action: Action) -> Option<String> {
        self.before(action).map(object_text)
    }

    /// [`after`](Self::after) as a JSON object.
    pub fn text_after(&self, action: Action) -> Option<String> {
        self.after(action).map(object_text)
    }

    /// `data.etag`: the etag column's value as text, else a hash of the row as a JSON object, so that it is
    /// the same in whichever form the row was logged.
    pub fn etag(&self, definition: &ResourceDefinition) -> String {
        let column = definition.etag.as_ref();
        match column.and_then(|column| self.value(column)) {
            Some(value) if value.get() != "null" => serde_json::from_str::<String>(value.get())
                .unwrap_or_else(|_| value.get().to_owned()),
            _ => {
                let mut row = String::new();
                self.write_row(&mut row);
                hex(&Sha256::digest(row.as_bytes())[..16])
            }
        }
    }

    /// The whole row as a JSON object.
    pub fn write_row(&self, out: &mut String) {
        write_object(out, members(&self.row));
    }

    /// The old values of the changed columns, `null` where there are none.
    pub fn write_old(&self, out: &mut String) {
        match &self.old_values {
            Some(old) => write_object(out, members(old)),
            None => out.push_str("null"),
        }
    }

    /// The new values of the changed columns: the same columns, in the same order.
    pub fn write_new(&self, out: &mut String) {
        let changed = self.changed_columns();
        write_object(
            out,
            changed.filter_map(|name| Some((name, self.value(name)?))),
        );
    }

    fn key(&self, definition: &ResourceDefinition, before: bool) -> Result<String, UnreadableRow> {
        let value = |column: &String| {
            let old = self.old_values.as_ref().filter(|_| before);
            old.and_then(|old| old.get(column.as_str()))
                .copied()
                .or_else(|| self.value(column))
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

/// An array's values under the names of the columns.
fn of_columns<'a>(
    definition: &'a ResourceDefinition,
    values: Vec<&'a RawValue>,
) -> Result<Members<'a>, UnreadableRow> {
    let columns = &definition.columns;
    if values.len() != columns.len() {
        return Err(UnreadableRow::OtherColumns(values.len(), columns.len()));
    }
    let names = columns
        .iter()
        .map(|column| Cow::Borrowed(column.name.as_str()));
    Ok(names.zip(values).collect())
}

fn members<'m, 'a>(members: &'m Members<'a>) -> impl Iterator<Item = (&'m str, &'a RawValue)> {
    members.iter().map(|(name, value)| (name.as_ref(), *value))
}

fn object_text<'v>(members: impl Iterator<Item = (&'v str, &'v RawValue)>) -> String {
    let mut text = String::new();
    write_object(&mut text, members);
    text
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

/// A description for tests: these columns, and the first is the key.
#[cfg(test)]
pub(crate) fn described(columns: &[&str]) -> ResourceDefinition {
    use crate::domain::resource::{Column, OnTruncate};
    let column = |name: &&str| Column {
        name: (*name).to_owned(),
        data_type: "text".to_owned(),
    };
    ResourceDefinition {
        table: "public.run_steps".to_owned(),
        columns: columns.iter().map(column).collect(),
        key: columns.iter().take(1).map(ToString::to_string).collect(),
        etag: None,
        exclude: Vec::new(),
        on_truncate: OnTruncate::Rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_says_the_same_as_an_object() {
        let definition = described(&["id", "a\"b", "n"]);
        let parse = |row| LoggedRow::parse(&definition, row, Some(r#"{"n": 1}"#)).unwrap();
        let array = parse(r#"[7, {"k": [1, 2]}, 1.50]"#);
        let object = parse(r#"{"id": 7, "a\"b" : {"k": [1, 2]}, "n":1.50}"#);
        for row in [&array, &object] {
            let mut text = String::new();
            row.write_row(&mut text);
            assert_eq!(text, r#"{"id":7,"a\"b":{"k": [1, 2]},"n":1.50}"#);
            assert_eq!(row.id(&definition).unwrap(), "7");
            let mut text = String::new();
            row.write_new(&mut text);
            assert_eq!(text, r#"{"n":1.50}"#);
        }
        assert_eq!(array.etag(&definition), object.etag(&definition));
    }

    #[test]
    fn an_array_of_another_length_is_not_guessed_at() {
        let definition = described(&["id", "n"]);
        for row in ["[]", "[1]", "[1, 2, 3]"] {
            let refused = LoggedRow::parse(&definition, row, None).err().unwrap();
            assert!(
                matches!(refused, UnreadableRow::OtherColumns(_, 2)),
                "{row}"
            );
        }
        assert!(LoggedRow::parse(&definition, "1", None).is_err());
    }
}
