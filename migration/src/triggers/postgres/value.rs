//! How a value of each PostgreSQL type becomes JSON text, and how two are told apart.
//!
//! `to_json` does most of it and goes on being right when a column's type is changed under the trigger;
//! what it would write otherwise than the contract says is written out here. Every expression stands
//! alone: with `pg_catalog` first in the search path it resolves to the same functions in any session.

use std::collections::BTreeSet;

use super::literal;
use crate::triggers::{json_string, quoted};

/// The type of a column, as far as its JSON form depends on it. Domains are their base type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A base type of `pg_catalog`, by its name there: `int4`, `timestamptz`.
    BuiltIn(String),
    /// A base type that an extension brought.
    Extension,
    /// An enum.
    Enum,
    /// A domain over an enum, for which the enums' operators are none.
    EnumDomain,
    /// An array of any number of dimensions.
    Array(Box<Shape>),
    /// A composite type: its fields in order.
    Composite(Vec<(String, Shape)>),
    /// A range over a type.
    Range(Box<Shape>),
    /// A multirange over a type.
    Multirange(Box<Shape>),
}

/// A session setting that the text of some type depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pin {
    /// The zone that a moment is written in.
    TimeZone,
    /// The form of dates inside ranges.
    DateStyle,
    /// The form of intervals.
    IntervalStyle,
    /// How many digits a float keeps.
    FloatDigits,
    /// The form of bytes inside an extension's types.
    Bytes,
    /// The currency's form.
    Monetary,
    /// Whether names of relations and functions are quoted.
    Identifiers,
}

impl Pin {
    const ALL: [Self; 7] = [
        Self::TimeZone,
        Self::DateStyle,
        Self::IntervalStyle,
        Self::FloatDigits,
        Self::Bytes,
        Self::Monetary,
        Self::Identifiers,
    ];
}

/// Types whose JSON form depends on no setting.
const SETTLED: &[&str] = &[
    "bit",
    "bool",
    "bpchar",
    "bytea",
    "char",
    "cid",
    "cidr",
    "date",
    "inet",
    "int2",
    "int4",
    "int8",
    "json",
    "jsonb",
    "jsonpath",
    "macaddr",
    "macaddr8",
    "name",
    "numeric",
    "oid",
    "pg_lsn",
    "text",
    "tid",
    "time",
    "timestamp",
    "timetz",
    "tsquery",
    "tsvector",
    "uuid",
    "varbit",
    "varchar",
    "xid",
    "xid8",
    "xml",
];

/// Types whose `=` holds only between values that are written alike.
const PLAINLY_EQUAL: &[&str] = &[
    "bit",
    "bool",
    "bytea",
    "char",
    "cid",
    "cidr",
    "date",
    "inet",
    "int2",
    "int4",
    "int8",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "oid",
    "pg_lsn",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "uuid",
    "varbit",
    "xid",
    "xid8",
];

impl Shape {
    /// The settings that have to be fixed while a value of this type is written.
    pub fn pins(&self) -> BTreeSet<Pin> {
        match self {
            Self::BuiltIn(name) => match name.as_str() {
                settled if SETTLED.contains(&settled) => BTreeSet::new(),
                "timestamptz" => [Pin::TimeZone].into(),
                "interval" => [Pin::IntervalStyle].into(),
                "float4" | "float8" | "point" | "line" | "lseg" | "box" | "path" | "polygon"
                | "circle" => [Pin::FloatDigits].into(),
                "money" => [Pin::Monetary].into(),
                reg if reg.starts_with("reg") => [Pin::Identifiers].into(),
                _ => Pin::ALL.into(),
            },
            // Nobody can know what an extension's output function looks at.
            Self::Extension => Pin::ALL.into(),
            Self::Enum | Self::EnumDomain => BTreeSet::new(),
            Self::Array(element) => element.pins(),
            Self::Composite(fields) => fields.iter().flat_map(|(_, one)| one.pins()).collect(),
            Self::Range(subtype) | Self::Multirange(subtype) => {
                let mut pins = subtype.pins();
                pins.insert(Pin::DateStyle);
                // Inside a range stands the text of a value and not its JSON.
                if subtype.holds_bytes() {
                    pins.insert(Pin::Bytes);
                }
                pins
            }
        }
    }

    fn holds_bytes(&self) -> bool {
        match self {
            Self::BuiltIn(name) => name == "bytea",
            Self::Extension | Self::Enum | Self::EnumDomain => false,
            Self::Array(inner) | Self::Range(inner) | Self::Multirange(inner) => {
                inner.holds_bytes()
            }
            Self::Composite(fields) => fields.iter().any(|(_, one)| one.holds_bytes()),
        }
    }

    /// Whether `to_json` would write it otherwise than the contract says, or would call a cast to json
    /// that the type's owner made: the function runs with its own owner's rights.
    fn is_written_out(&self) -> bool {
        match self {
            Self::BuiltIn(name) => matches!(name.as_str(), "bytea" | "timetz"),
            Self::Extension => false,
            Self::Enum | Self::EnumDomain | Self::Range(_) | Self::Multirange(_) => true,
            Self::Array(element) => element.is_written_out(),
            Self::Composite(fields) => fields.iter().any(|(_, one)| one.is_written_out()),
        }
    }

    /// An SQL expression with the JSON text of `value`, never null.
    pub fn json(&self, value: &str) -> String {
        self.json_at(value, 0)
    }

    /// `depth` keeps the names in nested queries apart.
    fn json_at(&self, value: &str, depth: usize) -> String {
        if !self.is_written_out() {
            return format!("coalesce(to_json({value}), 'null')");
        }
        match self {
            Self::BuiltIn(name) if name == "bytea" => format!(
                "coalesce('\"' || replace(encode({value}, 'base64'), chr(10), '') || '\"', 'null')"
            ),
            // In UTC a timetz ends in +00; the contract's zone has its minutes too.
            Self::BuiltIn(_) => {
                format!("coalesce(to_json(timezone('UTC', {value})::text || ':00'), 'null')")
            }
            Self::Extension | Self::Enum | Self::EnumDomain => unless_null(value, &written(value)),
            Self::Range(subtype) if is_moment(subtype) => {
                unless_null(value, &format!("to_json({})::text", moments(value)))
            }
            Self::Multirange(subtype) if is_moment(subtype) => {
                let one = format!("r{depth}");
                let all = format!(
                    "(select string_agg({}, ',') from unnest({value}) as {one})",
                    moments(&one)
                );
                unless_null(value, &format!("to_json(concat('{{', {all}, '}}'))::text"))
            }
            Self::Range(_) | Self::Multirange(_) => unless_null(value, &written(value)),
            Self::Array(element) => array(value, element, depth),
            Self::Composite(fields) => {
                let fields = fields.iter().map(|(name, shape)| {
                    let field = format!("({value}).{}", quoted(name));
                    (name.as_str(), shape.json_at(&field, depth))
                });
                // IS NULL would take a value of nothing but nulls for null.
                format!(
                    "case when {value} is not distinct from null then 'null' else {} end",
                    object(fields)
                )
            }
        }
    }

    /// An SQL expression that `json_build_array` writes as the same JSON text.
    pub fn element(&self, value: &str) -> String {
        if !self.is_written_out() {
            return value.to_owned();
        }
        match self {
            Self::Enum => {
                format!("case when {value} is not null then to_json(format('%s', {value})) end")
            }
            _ => format!("({})::json", self.json(value)),
        }
    }

    /// An SQL condition: two values are not written alike.
    pub fn differ(&self, old: &str, new: &str) -> String {
        match self {
            Self::BuiltIn(name) => match name.as_str() {
                plain if PLAINLY_EQUAL.contains(&plain) => {
                    format!("{old} is distinct from {new}")
                }
                // A collation may hold different letters for equal.
                "text" | "varchar" => {
                    format!("{old} collate \"C\" is distinct from {new} collate \"C\"")
                }
                // 1.0 = 1.00, but the database holds the digits.
                "numeric" => format!(
                    "({old} is distinct from {new} or scale({old}) is distinct from scale({new}))"
                ),
                // 0 = -0.
                "float4" | "float8" => {
                    format!("{name}send({old}) is distinct from {name}send({new})")
                }
                _ => image(old, new),
            },
            Self::Enum => format!("{old} is distinct from {new}"),
            Self::Extension
            | Self::EnumDomain
            | Self::Array(_)
            | Self::Composite(_)
            | Self::Range(_)
            | Self::Multirange(_) => image(old, new),
        }
    }
}

/// Compares the bytes, which works for types that have no equality.
fn image(old: &str, new: &str) -> String {
    format!("row({old})::record *<> row({new})::record")
}

fn is_moment(shape: &Shape) -> bool {
    matches!(shape, Shape::BuiltIn(name) if name == "timestamptz")
}

fn unless_null(value: &str, json: &str) -> String {
    format!("case when {value} is null then 'null' else {json} end")
}

/// The type's own text form as a JSON string. `format` asks the output function; a cast to text could
/// be one that the type's owner made.
fn written(value: &str) -> String {
    format!("to_json(format('%s', {value}))::text")
}

/// A range of moments as PostgreSQL writes ranges, with its bounds as ISO 8601.
fn moments(range: &str) -> String {
    format!(
        "case when isempty({range}) then 'empty' else concat(\
         case when lower_inc({range}) then '[' else '(' end, to_json(lower({range})), ',', \
         to_json(upper({range})), case when upper_inc({range}) then ']' else ')' end) end"
    )
}

/// An array of any dimensions: the elements in storage order, and before and after each as many
/// brackets as dimensions begin and end there.
fn array(value: &str, element: &Shape, depth: usize) -> String {
    let (e, d) = (format!("e{depth}"), format!("d{depth}"));
    let json = element.json_at(&format!("{e}.v"), depth + 1);
    let size: Vec<String> = (1..=6)
        .map(|n| {
            format!("case when {d} <= {n} then coalesce(array_length({value}, {n}), 1) else 1 end")
        })
        .collect();
    let size = size.join(" * ");
    let brackets = |bracket: char, index: String| {
        format!(
            "repeat('{bracket}', (select count(*) from generate_series(1, array_ndims({value})) \
             as {d} where {index} % ({size}) = 0)::integer)"
        )
    };
    let (open, close) = (
        brackets('[', format!("({e}.i - 1)")),
        brackets(']', format!("{e}.i")),
    );
    format!(
        "case when {value} is null then 'null' when cardinality({value}) = 0 then '[]' else \
         (select string_agg(concat({open}, {json}, {close}), ',' order by {e}.i) from \
         (select unnest({value}) as v, generate_series(1, cardinality({value})) as i) as {e}) end"
    )
}

/// An SQL expression with a JSON array of these elements. A function takes a hundred arguments, so the
/// elements of a wide table come from several calls, whose brackets are taken off where they meet.
pub fn array_of(elements: &[String]) -> String {
    let calls: Vec<String> = elements
        .chunks(80)
        .map(|chunk| format!("json_build_array({})", chunk.join(", ")))
        .collect();
    let [one] = calls.as_slice() else {
        let inner: Vec<String> = calls
            .iter()
            .map(|call| format!("', ', substr(left({call}::text, -1), 2)"))
            .collect();
        return format!("concat('[', substr({}, 3), ']')", concatenation(&inner, 40));
    };
    one.clone()
}

/// An SQL expression with a JSON object of these members, in this order.
fn object<'a>(members: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut pieces = Vec::new();
    for (index, (name, json)) in members.enumerate() {
        let before = if index == 0 { '{' } else { ',' };
        pieces.push(format!(
            "{}, {json}",
            literal(&format!("{before}{}:", json_string(name)))
        ));
    }
    pieces.push("'}'".to_owned());
    concatenation(&pieces, 40)
}

/// `concat` of any number of pieces: a function takes a hundred arguments, so larger ones nest.
/// `each` pieces go into one call (a piece may be two arguments).
pub fn concatenation(pieces: &[String], each: usize) -> String {
    let calls: Vec<String> = pieces
        .chunks(each)
        .map(|chunk| format!("concat({})", chunk.join(",\n            ")))
        .collect();
    match calls.as_slice() {
        [one] => one.clone(),
        many => concatenation(many, each),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_has_more_than_a_hundred_arguments() {
        let pieces: Vec<String> = (0..1600).map(|n| format!("'a', {n}")).collect();
        let sql = concatenation(&pieces, 40);
        assert_eq!(sql.matches("concat(").count(), 41);
        assert_eq!(sql.matches("'a'").count(), 1600);
    }

    #[test]
    fn a_table_without_such_types_pins_nothing() {
        let plain = |name: &str| Shape::BuiltIn(name.into());
        assert!(plain("int4").pins().is_empty());
        assert!(Shape::Array(Box::new(plain("text"))).pins().is_empty());
        assert_eq!(plain("timestamptz").pins(), [Pin::TimeZone].into());
        assert_eq!(plain("something_new").pins().len(), 7);
    }
}
