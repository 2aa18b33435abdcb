//! PostgreSQL: how values of each type are written, whatever the session's settings are.

use rowhook::store::sql::db::Dialect::Postgres;

use super::support::{Watched, entry};

/// The declaration of a type, a value, and its JSON.
pub type Value = (&'static str, &'static str, &'static str);

/// Each common type.
const VALUES: &[Value] = &[
    ("smallint", "-7", "-7"),
    ("bigint", "9223372036854775807", "9223372036854775807"),
    (
        "numeric",
        "12345678901234567890.1234567890",
        "12345678901234567890.1234567890",
    ),
    ("numeric(9,2)", "1.5", "1.50"),
    ("numeric", "'NaN'", r#""NaN""#),
    ("numeric", "'-Infinity'", r#""-Infinity""#),
    ("real", "0.1", "0.1"),
    (
        "double precision",
        "0.1::float8 + 0.2::float8",
        "0.30000000000000004",
    ),
    ("double precision", "'Infinity'", r#""Infinity""#),
    ("double precision", "'NaN'", r#""NaN""#),
    ("boolean", "true", "true"),
    ("text", r#"E'q"\\\n\u20ac'"#, r#""q\"\\\n€""#),
    ("varchar(5)", "'abc'", r#""abc""#),
    ("char(4)", "'ab'", r#""ab  ""#),
    ("\"char\"", "'c'", r#""c""#),
    ("name", "'n'", r#""n""#),
    (
        "uuid",
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
        r#""a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11""#,
    ),
    ("date", "'2026-04-26'", r#""2026-04-26""#),
    ("time", "'19:33:42.108'", r#""19:33:42.108""#),
    ("timetz", "'19:33:42.5+05:30'", r#""14:03:42.5+00:00""#),
    (
        "timestamp",
        "'2026-04-26 19:33:42'",
        r#""2026-04-26T19:33:42""#,
    ),
    (
        "timestamptz",
        "'2026-04-26 19:33:42.108+02'",
        r#""2026-04-26T17:33:42.108+00:00""#,
    ),
    (
        "timestamptz(0)",
        "'2026-04-26 19:33:42.108+02'",
        r#""2026-04-26T17:33:42+00:00""#,
    ),
    ("timestamptz", "'-infinity'", r#""-infinity""#),
    (
        "timestamptz[]",
        "array['2026-04-26 19:33:42+02', null]::timestamptz[]",
        r#"["2026-04-26T17:33:42+00:00",null]"#,
    ),
    ("interval", "'1 day 02:03:04.5'", r#""1 day 02:03:04.5""#),
    ("bytea", r"'\x00ff10'", r#""AP8Q""#),
    (
        "bytea",
        "decode(repeat('ab', 60), 'hex')",
        r#""q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur""#,
    ),
    (
        "bytea[]",
        r"array['\x00', null, '\x']::bytea[]",
        r#"["AA==",null,""]"#,
    ),
    (
        "bytea[]",
        r"array[array['\x00', '\x01'], array['\x02', null]]::bytea[]",
        r#"[["AA==","AQ=="],["Ag==",null]]"#,
    ),
    ("bytea[]", "'{}'", "[]"),
    (
        "timetz[]",
        "array['10:00+02']::timetz[]",
        r#"["08:00:00+00:00"]"#,
    ),
    ("int[]", "array[[1,2],[3,null]]", "[[1,2],[3,null]]"),
    ("text[]", "array['a\"b', null]", r#"["a\"b",null]"#),
    (
        "json",
        r#"'{"b" : 1.50, "a": [1e2]}'"#,
        r#"{"b" : 1.50, "a": [1e2]}"#,
    ),
    (
        "jsonb",
        r#"'{"b" : 1.50, "a": null}'"#,
        r#"{"a": null, "b": 1.50}"#,
    ),
    ("json", "'null'", "null"),
    ("mood", "'so \"so\"'", r#""so \"so\"""#),
    ("mood[]", "array['ok']::mood[]", r#"["ok"]"#),
    ("positive", "5", "5"),
    ("hidden", r"'\x00'", r#""AA==""#),
    ("int4range", "'[1,5)'", r#""[1,5)""#),
    ("int4range", "'empty'", r#""empty""#),
    ("daterange", "'[2026-01-31,)'", r#""[2026-01-31,)""#),
    (
        "tsrange",
        "'[2026-01-31 10:00,infinity]'",
        r#""[\"2026-01-31 10:00:00\",infinity]""#,
    ),
    (
        "tstzrange",
        "'(2026-01-31 10:00+01,]'",
        r#""(\"2026-01-31T09:00:00+00:00\",)""#,
    ),
    ("tstzrange", "'empty'", r#""empty""#),
    (
        "tstzmultirange",
        "'{[2026-01-31 10:00+01,2026-02-01 10:00+01)}'",
        r#""{[\"2026-01-31T09:00:00+00:00\",\"2026-02-01T09:00:00+00:00\")}""#,
    ),
    ("inet", "'10.0.0.1/8'", r#""10.0.0.1/8""#),
    ("cidr", "'10.0.0.0/8'", r#""10.0.0.0/8""#),
    ("macaddr", "'08:00:2b:01:02:03'", r#""08:00:2b:01:02:03""#),
    ("bit varying(5)", "B'101'", r#""101""#),
    ("xml", "'<a>1</a>'", r#""<a>1</a>""#),
    ("point", "'(0.1,2)'", r#""(0.1,2)""#),
    ("tsvector", "'a b'", r#""'a' 'b'""#),
    ("oid", "42", r#""42""#),
    ("regclass", "'public.items'", r#""public.items""#),
    ("money", "1234.5::numeric", r#""$1,234.50""#),
    (
        "pair",
        r"row('\x00', '2026-04-26 19:33:42+02', '10:00+02')::pair",
        r#"{"b":"AA==","t":"2026-04-26T17:33:42+00:00","z":"08:00:00+00:00"}"#,
    ),
    (
        "pair",
        "row(null, null, null)::pair",
        r#"{"b":null,"t":null,"z":null}"#,
    ),
    (
        "pair[]",
        r"array[row('\x01', null, null)::pair, null]",
        r#"[{"b":"AQ==","t":null,"z":null},null]"#,
    ),
    ("plain", "row(1, 'x')::plain", r#"{"a":1,"b":"x"}"#),
];

const TYPES: &str =
    "create type mood as enum ('ok', 'so \"so\"'); create domain positive as int check (value > 0);
     create domain hidden as bytea; create type pair as (b bytea, t timestamptz, z timetz);
     create type plain as (a int, b text)";

/// A table with a column for each value, once these types are there.
pub fn typed_table(types: &str, values: &[Value]) -> String {
    let columns: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(n, (declared, ..))| format!("c{n} {declared}"))
        .collect();
    format!(
        "{types}; create table items (id int primary key, {})",
        columns.join(", ")
    )
}

/// The table's row as it is logged.
pub fn expected_row(values: &[Value]) -> String {
    let members: Vec<String> = values
        .iter()
        .enumerate()
        // White space around a value is the log's, not the value's.
        .map(|(n, (_, _, json))| format!("\"c{n}\":{}", json.trim()))
        .collect();
    format!("{{\"id\":1,{}}}", members.join(","))
}

/// The statement that writes that row.
pub fn insert_values(values: &[Value]) -> String {
    let values: Vec<&str> = values.iter().map(|(_, value, _)| *value).collect();
    format!("insert into public.items values (1, {})", values.join(", "))
}

/// Settings that change how a session writes and reads values.
const HOSTILE: &str = "set timezone = 'Asia/Kolkata'; set datestyle = 'SQL, DMY'; set intervalstyle = 'iso_8601';
     set extra_float_digits = -15; set bytea_output = 'escape'; set lc_monetary = 'C';
     set quote_all_identifiers = on; set standard_conforming_strings = off; set escape_string_warning = off;
     set transform_null_equals = on; set plpgsql.variable_conflict = 'use_variable'; set xmlbinary = 'hex';
     create schema if not exists hostile;
     create or replace function hostile.to_json(anyelement) returns json language sql as 'select ''1''::json';
     create or replace function hostile.concat(variadic text[]) returns text language sql as 'select ''x''';
     set search_path = hostile, public, pg_catalog";

/// `insert` under usual settings, since they also decide how values are read, and then `written` under others.
pub fn hostile(insert: &str, written: &str) -> String {
    format!(
        "create function fill() returns void language plpgsql set timezone = 'UTC'
         set standard_conforming_strings = on set search_path = public as $$ begin {insert}; end $$;
         {HOSTILE}; select public.fill(); {written}"
    )
}

#[tokio::test]
async fn every_type_is_written_as_the_contract_says() {
    let items = Watched::items(Postgres, &typed_table(TYPES, VALUES)).await;
    let row = |action| entry(action, &expected_row(VALUES), None);
    assert_eq!(items.texts(&insert_values(VALUES)).await, [row(1)]);
    assert_eq!(items.texts("delete from items").await, [row(3)]);
    items.run(&insert_values(VALUES)).await;
    assert_eq!(items.texts("truncate items").await, [row(3)]);
}

#[tokio::test]
async fn every_type_is_told_when_it_changes_and_when_it_does_not() {
    let items = Watched::items(Postgres, &typed_table(TYPES, VALUES)).await;
    items.run("insert into items (id) values (1)").await;
    for (n, (declared, value, json)) in VALUES.iter().enumerate() {
        let logged = items
            .logged(&format!("update items set c{n} = {value}"))
            .await;
        assert_eq!(logged.len(), 1, "{declared}");
        assert_eq!(
            logged[0].old.as_deref().unwrap(),
            format!("{{\"c{n}\":null}}")
        );
        let logged = items
            .logged(&format!("update items set c{n} = {value}"))
            .await;
        assert_eq!(logged, [], "{declared}");
        let logged = items.logged(&format!("update items set c{n} = null")).await;
        assert_eq!(
            logged[0].old.as_deref().unwrap(),
            format!("{{\"c{n}\":{json}}}")
        );
    }
}

#[tokio::test]
async fn session_settings_do_not_matter() {
    let items = Watched::items(Postgres, &typed_table(TYPES, VALUES)).await;
    let written = "update items set c0 = 1, c1 = 2; delete from items where id = 1;
         insert into items (id) values (2); truncate items";
    let logged = items
        .logged(&hostile(&insert_values(VALUES), written))
        .await;
    // fill() ran its triggers under its own settings; the others ran under the session's.
    assert_eq!(logged[0].row, expected_row(VALUES));
    assert_eq!(
        logged[1].old.as_deref(),
        Some(r#"{"c0":-7,"c1":9223372036854775807}"#)
    );
    let changed =
        expected_row(VALUES).replace("\"c0\":-7,\"c1\":9223372036854775807", "\"c0\":1,\"c1\":2");
    assert_eq!(logged[1].row, changed);
    assert_eq!(logged[2].row, changed);
    assert_eq!(logged.len(), 5);
}

#[tokio::test]
async fn values_that_are_equal_but_written_otherwise_are_changes() {
    let items = Watched::items(
        Postgres,
        "create collation lax (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
         create table items (id int primary key, n numeric, f float8, t text collate lax, i interval, c char(3))",
    )
    .await;
    items
        .run("insert into items values (1, 1.0, 0, 'a', '1 day', 'a')")
        .await;
    let logged = items
        .logged(
            "update items set n = 1.00; update items set f = '-0'; update items set t = 'A';
             update items set i = '24 hours'; update items set c = 'a  '",
        )
        .await;
    let old: Vec<_> = logged.iter().map(|one| one.old.clone().unwrap()).collect();
    assert_eq!(
        old,
        [
            r#"{"n":1.0}"#,
            r#"{"f":0}"#,
            r#"{"t":"a"}"#,
            r#"{"i":"1 day"}"#
        ]
    );
}
