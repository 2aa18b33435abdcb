//! Many records in one bound value: a JSON array that the statement unfolds into rows.
//!
//! One statement and one value for a batch of any size, with the same text on both databases but for
//! the unfolding, which is written here.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{DbErr, QueryResult, Value};

use super::db::Dialect;

/// The type of a record's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A 64-bit integer.
    Integer,
    /// A text.
    Text,
    /// A point in time, written by [`time`].
    Time,
}

/// `b as (select … )`: the records of the JSON array bound as `value`, as common table expression `b`,
/// with a column `position` that counts them in order.
pub fn unfold(dialect: Dialect, value: &str, columns: &[(&str, Kind)]) -> String {
    let mut text = String::from("b as materialized (select ");
    match dialect {
        Dialect::Postgres => {
            for (name, _) in columns {
                write!(text, "r.{name}, ").expect("writing to a string does not fail");
            }
            write!(
                text,
                "r.position from rows from (json_to_recordset({value}::json) as ("
            )
            .expect("writing to a string does not fail");
            for (index, (name, kind)) in columns.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                write!(text, "{comma}{name} {}", kind.postgres())
                    .expect("writing to a string does not fail");
            }
            text.push_str(")) with ordinality as r(");
            for (name, _) in columns {
                write!(text, "{name}, ").expect("writing to a string does not fail");
            }
            text.push_str("position))");
        }
        Dialect::Sqlite => {
            for (name, _) in columns {
                write!(text, "value ->> '$.{name}' as {name}, ")
                    .expect("writing to a string does not fail");
            }
            write!(text, "key as position from json_each({value}))")
                .expect("writing to a string does not fail");
        }
    }
    text
}

impl Kind {
    fn postgres(self) -> &'static str {
        match self {
            Self::Integer => "bigint",
            Self::Text => "text",
            Self::Time => "timestamptz",
        }
    }
}

/// A time as both databases read it, and as SQLite compares it: as text.
pub fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// A column whose text is the user's. SQLite lets an application store text that is no UTF-8, so there it
/// is read as bytes.
pub fn user_text(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Postgres => column.to_owned(),
        Dialect::Sqlite => format!("cast({column} as blob)"),
    }
}

/// The value of a [`user_text`]; what is no UTF-8 is replaced, since JSON could not carry it.
pub fn read_user_text(
    dialect: Dialect,
    row: &QueryResult,
    column: &str,
) -> Result<Option<String>, DbErr> {
    match dialect {
        Dialect::Postgres => row.try_get("", column),
        Dialect::Sqlite => {
            let bytes: Option<Vec<u8>> = row.try_get("", column)?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        }
    }
}

/// A text that PostgreSQL can hold: it has no NUL.
pub fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// `column` is one of the numbers bound as `value`.
pub fn one_of(dialect: Dialect, column: &str, value: &str) -> String {
    match dialect {
        Dialect::Postgres => format!("{column} = any({value})"),
        Dialect::Sqlite => format!("{column} in (select value from json_each({value}))"),
    }
}

/// The value for [`one_of`].
pub fn numbers(dialect: Dialect, values: impl IntoIterator<Item = i64>) -> Value {
    let list: Vec<i64> = values.into_iter().collect();
    match dialect {
        Dialect::Postgres => list.into(),
        Dialect::Sqlite => serde_json::json!(list).to_string().into(),
    }
}
