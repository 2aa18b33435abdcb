//! Many records in one statement, and what else both databases read in the same way.
//!
//! A batch of any size is one statement with the same text but for the unfolding, which is written here. PostgreSQL gets an
//! array for each column, which it reads three times as fast as a JSON array of records; SQLite, which has no arrays,
//! gets such a JSON array.

use std::{borrow::Cow, fmt::Write as _};

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{DbErr, QueryResult, Value};
use serde_json::json;

use super::db::Dialect;

/// The type of a record's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A 64-bit integer.
    Integer,
    /// A text.
    Text,
    /// A point in time.
    Time,
}

/// A record's value in a column of that type.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// SQL's null.
    Null,
    /// See [`Kind::Integer`].
    Integer(i64),
    /// See [`Kind::Text`]; without NUL (see [`storable`]).
    Text(&'a str),
    /// See [`Kind::Time`].
    Time(DateTime<Utc>),
}

macro_rules! fields_from_integers {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Field<'_> {
            fn from(value: $integer) -> Self {
                Self::Integer(value.into())
            }
        })*
    };
}

fields_from_integers!(i64, i32, i16, u16);

impl<'a> From<&'a str> for Field<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl From<DateTime<Utc>> for Field<'_> {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Time(value)
    }
}

impl<'a, T: Into<Field<'a>>> From<Option<T>> for Field<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The columns of records.
pub type Columns<const N: usize> = [(&'static str, Kind); N];

/// The records for an [`unfold`] of the same columns.
pub struct Batch<const N: usize> {
    dialect: Dialect,
    /// PostgreSQL: an array's text for each column. SQLite: the JSON array, in the first.
    texts: [String; N],
}

impl<const N: usize> Batch<N> {
    /// Without records. The columns say how many fields each will have.
    pub fn new(dialect: Dialect, _: &Columns<N>) -> Self {
        Self {
            dialect,
            texts: std::array::from_fn(|_| String::new()),
        }
    }

    /// Adds a record.
    pub fn push(&mut self, record: [Field<'_>; N]) {
        match self.dialect {
            Dialect::Postgres => {
                for (text, field) in self.texts.iter_mut().zip(record) {
                    text.push(if text.is_empty() { '{' } else { ',' });
                    push_element(text, field);
                }
            }
            Dialect::Sqlite => {
                if let Some(text) = self.texts.first_mut() {
                    text.push_str(if text.is_empty() { "[[" } else { ",[" });
                    for (place, field) in record.into_iter().enumerate() {
                        if place > 0 {
                            text.push(',');
                        }
                        push_json(text, field);
                    }
                    text.push(']');
                }
            }
        }
    }

    /// The values to bind, in the order of [`unfold`].
    pub fn into_values(self) -> impl Iterator<Item = Value> {
        let (count, open, close) = match self.dialect {
            Dialect::Postgres => (N, "{", "}"),
            Dialect::Sqlite => (1, "[", "]"),
        };
        self.texts.into_iter().take(count).map(move |mut text| {
            if text.is_empty() {
                text.push_str(open);
            }
            text.push_str(close);
            text.into()
        })
    }
}

/// An element of an array's text. Source: PostgreSQL's manual, "Array Input and Output Syntax".
fn push_element(text: &mut String, field: Field<'_>) {
    const WRITES: &str = "writing to a string does not fail";
    match field {
        Field::Null => text.push_str("NULL"),
        Field::Integer(number) => write!(text, "{number}").expect(WRITES),
        Field::Time(at) => text.push_str(&time(at)),
        Field::Text(value) => {
            text.push('"');
            let mut rest = value;
            while let Some(at) = rest.find(['"', '\\']) {
                text.push_str(&rest[..at]);
                text.push('\\');
                text.push_str(&rest[at..=at]);
                rest = &rest[at + 1..];
            }
            text.push_str(rest);
            text.push('"');
        }
    }
}

fn push_json(text: &mut String, field: Field<'_>) {
    const WRITES: &str = "writing to a string does not fail";
    match field {
        Field::Null => text.push_str("null"),
        Field::Integer(number) => write!(text, "{number}").expect(WRITES),
        Field::Time(at) => write!(text, "\"{}\"", time(at)).expect(WRITES),
        Field::Text(value) => write!(text, "{}", json!(value)).expect(WRITES),
    }
}

/// `b as (select … )`: the records of a [`Batch`] of these columns, as common table expression `b`, with a column
/// `position` that counts them in order. Their values are bound after the first `after` values.
pub fn unfold<const N: usize>(dialect: Dialect, after: usize, columns: &Columns<N>) -> String {
    let list = |each: &dyn Fn(usize, &str, Kind) -> String| {
        let each = |(place, (name, kind)): (usize, &(&str, Kind))| each(place, name, *kind);
        columns
            .iter()
            .enumerate()
            .map(each)
            .collect::<Vec<_>>()
            .join(", ")
    };
    match dialect {
        // How long an array is that was bound as text the planner does not know: it takes it for short, and looks each
        // record's row up through an index, however much was planned before for another batch.
        Dialect::Postgres => format!(
            "b as (select * from unnest({}) with ordinality as r({}, position))",
            list(&|place, _, kind| format!("${}::text::{}[]", after + 1 + place, kind.postgres())),
            list(&|_, name, _| name.to_owned()),
        ),
        Dialect::Sqlite => format!(
            "b as materialized (select {}, key as position from json_each(${}))",
            list(&|place, name, _| format!("value ->> {place} as {name}")),
            after + 1,
        ),
    }
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
pub fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}").into()
    } else {
        text.into()
    }
}

/// The database's present. SQLite shares the clock of this machine.
pub(super) fn now(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "clock_timestamp()",
        Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
    }
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
