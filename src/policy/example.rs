//! What a test delivery tells of: the newest logged row where there is one, else a row made up from the
//! table's shape. It is written as the triggers would write it, so the body is built from it like any other.
//!
//! Only logged columns occur, since nothing else is known here: excluded ones are in no description.

use std::fmt::Write as _;

use crate::domain::{
    action::Action,
    resource::{Column, ResourceDefinition},
};

use super::logged_row::{LoggedRow, write_json_string};

/// A row as `logged_actions` holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExampleRow {
    /// The row as the log writes it; on a delete the old one.
    pub row_data: String,
    /// Update: the old values of the changed columns.
    pub old_values: Option<String>,
}

/// The row that a test of this action tells of. `newest`: a logged row of the same description, whatever
/// was done to it; one that can not be read is as none.
pub fn example(
    definition: &ResourceDefinition,
    action: Action,
    newest: Option<ExampleRow>,
) -> ExampleRow {
    let readable = newest.filter(|row| {
        let parsed = LoggedRow::parse(definition, &row.row_data, row.old_values.as_deref());
        parsed.is_ok_and(|parsed| parsed.id(definition).is_ok())
    });
    let row = readable.unwrap_or_else(|| ExampleRow {
        row_data: made_up_row(definition),
        old_values: None,
    });
    let old_values = match action {
        Action::Create | Action::Delete => None,
        Action::Update => row
            .old_values
            .or_else(|| made_up_change(definition, &row.row_data)),
    };
    ExampleRow {
        row_data: row.row_data,
        old_values,
    }
}

fn made_up_row(definition: &ResourceDefinition) -> String {
    let mut text = String::from("{");
    for (index, column) in definition.columns.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_json_string(&mut text, &column.name);
        write!(text, ":{}", plausible(&column.data_type)[0])
            .expect("writing to a string does not fail");
    }
    text.push('}');
    text
}

/// One column had another value before: the first that is no part of the key and not the etag, else the
/// last one. `None` where there is no column at all.
fn made_up_change(definition: &ResourceDefinition, row_data: &str) -> Option<String> {
    let plain = |column: &&Column| {
        !definition.key.contains(&column.name) && definition.etag.as_ref() != Some(&column.name)
    };
    let column = definition.columns.iter().find(plain);
    let column = column.or_else(|| definition.columns.last())?;
    let row = LoggedRow::parse(definition, row_data, None).ok()?;
    let now: serde_json::Value = serde_json::from_str(row.value(&column.name)?.get()).ok()?;
    let before = plausible(&column.data_type).into_iter().find(|value| {
        let value: Result<serde_json::Value, _> = serde_json::from_str(value);
        value.is_ok_and(|value| value != now)
    })?;
    let mut text = String::from("{");
    write_json_string(&mut text, &column.name);
    write!(text, ":{before}}}").expect("writing to a string does not fail");
    Some(text)
}

/// Two different values, as JSON texts, that a column of this type may hold.
fn plausible(data_type: &str) -> [String; 2] {
    let of = data_type.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| of.contains(word));
    let two = |one: &str, other: &str| [one.to_owned(), other.to_owned()];
    let zone = if of.contains("with time zone") || of.contains("timestamptz") {
        "+00:00"
    } else {
        ""
    };
    if of.ends_with("[]") {
        two("[]", "null")
    } else if has(&["range"]) {
        two("\"empty\"", "null")
    } else if has(&["interval"]) {
        two("\"1 day\"", "\"2 days\"")
    } else if has(&["point"]) {
        two("\"(1,2)\"", "\"(3,4)\"")
    } else if has(&["bool"]) {
        two("true", "false")
    } else if has(&["int", "serial"]) {
        two("1", "2")
    } else if has(&["numeric", "decimal", "real", "double", "float"]) {
        two("1.5", "2.5")
    } else if has(&["timestamp", "datetime"]) {
        [
            format!("\"2026-01-02T12:00:00{zone}\""),
            format!("\"2026-01-01T12:00:00{zone}\""),
        ]
    } else if has(&["date"]) {
        two("\"2026-01-02\"", "\"2026-01-01\"")
    } else if has(&["time"]) {
        [format!("\"12:00:00{zone}\""), format!("\"11:00:00{zone}\"")]
    } else if has(&["uuid"]) {
        two(
            "\"6f1d2c3b-4a59-4e68-8f70-112233445566\"",
            "\"0a1b2c3d-4e5f-4a6b-8c7d-8e9fa0b1c2d3\"",
        )
    } else if has(&["json"]) {
        two("{\"example\":true}", "{}")
    } else if has(&["bytea", "blob"]) {
        two("\"AQID\"", "\"AQI=\"")
    } else {
        // `varchar(4)` holds no longer one.
        let room = of
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .and_then(|(length, _)| length.trim().parse().ok())
            .unwrap_or(usize::MAX);
        ["example", "before"].map(|word| format!("\"{}\"", &word[..word.len().min(room)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resource::OnTruncate;

    fn table(columns: &[(&str, &str)]) -> ResourceDefinition {
        ResourceDefinition {
            table: "public.things".to_owned(),
            columns: columns
                .iter()
                .map(|(name, data_type)| Column {
                    name: (*name).to_owned(),
                    data_type: (*data_type).to_owned(),
                })
                .collect(),
            key: vec!["id".to_owned()],
            etag: Some("_etag".to_owned()),
            exclude: vec!["password".to_owned()],
            on_truncate: OnTruncate::Rows,
        }
    }

    #[test]
    fn a_row_is_made_up_from_the_shape() {
        let definition = table(&[
            ("id", "bigint"),
            ("_etag", "text"),
            ("na\"me", "character varying(3)"),
            ("at", "timestamp with time zone"),
            ("tags", "text[]"),
            ("x", "numeric(10,2)"),
        ]);
        let made = example(&definition, Action::Update, None);
        assert_eq!(
            made.row_data,
            r#"{"id":1,"_etag":"example","na\"me":"exa","at":"2026-01-02T12:00:00+00:00","tags":[],"x":1.5}"#
        );
        assert_eq!(made.old_values.as_deref(), Some(r#"{"na\"me":"bef"}"#));
        assert_eq!(example(&definition, Action::Create, None).old_values, None);
    }

    #[test]
    fn the_newest_row_is_taken_letter_by_letter() {
        let definition = table(&[("id", "bigint"), ("n", "integer")]);
        let newest = |old: Option<&str>| ExampleRow {
            row_data: r#"{"id": 7, "n": 1.10}"#.to_owned(),
            old_values: old.map(str::to_owned),
        };
        let real = newest(Some(r#"{"n":5}"#));
        assert_eq!(
            example(&definition, Action::Update, Some(real.clone())),
            real
        );
        let deleted = example(&definition, Action::Delete, Some(real));
        assert_eq!(deleted, newest(None));
        let changed = example(&definition, Action::Update, Some(newest(None)));
        assert_eq!(changed.old_values.as_deref(), Some(r#"{"n":1}"#));
        let unreadable = ExampleRow {
            row_data: r#"{"n":1}"#.to_owned(),
            old_values: None,
        };
        let made = example(&definition, Action::Create, Some(unreadable));
        assert_eq!(made.row_data, r#"{"id":1,"n":1}"#);
    }

    #[test]
    fn the_value_before_differs_and_a_table_may_be_all_key() {
        let definition = table(&[("id", "bigint")]);
        let newest = ExampleRow {
            row_data: r#"{"id":1}"#.to_owned(),
            old_values: None,
        };
        let changed = example(&definition, Action::Update, Some(newest));
        assert_eq!(changed.old_values.as_deref(), Some(r#"{"id":2}"#));
    }
}
