//! PostgreSQL: the less common types, at their ends, inside each other and behind domains.

use rowhook::store::sql::db::Dialect::Postgres;

use super::{
    postgres_values::{Value, expected_row, hostile, insert_values, typed_table},
    support::{Watched, entry},
};

/// Each type: its declaration, a value, and its JSON.
const VALUES: &[Value] = &[
    ("integer", "-2147483648", "-2147483648"),
    ("numeric", "'Infinity'", r#""Infinity""#),
    ("numeric", "1e-30", "0.000000000000000000000000000001"),
    (
        "numeric[]",
        "array['NaN', '-Infinity', 1.10, null]::numeric[]",
        r#"["NaN","-Infinity",1.10,null]"#,
    ),
    ("real", "'-Infinity'", r#""-Infinity""#),
    ("real", "1e-45", "1e-45"),
    (
        "double precision",
        "1.7976931348623157e308",
        "1.7976931348623157e+308",
    ),
    ("double precision", "'-0'", "-0"),
    (
        "text",
        r"E'\u0001\u007f\u2028 \U0001F600'",
        "\"\\u0001\u{7f}\u{2028} 😀\"",
    ),
    ("date", "'0044-03-15 BC'", r#""0044-03-15 BC""#),
    ("date", "'infinity'", r#""infinity""#),
    ("date", "'12345-06-07'", r#""12345-06-07""#),
    ("timestamp", "'infinity'", r#""infinity""#),
    (
        "timestamp",
        "'2026-04-26 23:59:59.999999'",
        r#""2026-04-26T23:59:59.999999""#,
    ),
    (
        "timestamptz",
        "'0044-03-15 00:00:00+00 BC'",
        r#""0044-03-15T00:00:00+00:00 BC""#,
    ),
    (
        "timestamptz",
        "'12345-06-07 08:09:10.000001+14'",
        r#""12345-06-06T18:09:10.000001+00:00""#,
    ),
    ("time", "'24:00'", r#""24:00:00""#),
    ("timetz", "'24:00:00+00'", r#""00:00:00+00:00""#),
    ("timetz", "'00:30:00+14:00'", r#""10:30:00+00:00""#),
    (
        "interval",
        "'-1 mons +2 days -03:00:00.000001'",
        r#""-1 mons +2 days -03:00:00.000001""#,
    ),
    ("int[]", "'[2:3]={1,2}'", "[1,2]"),
    ("int[]", "'{}'", "[]"),
    (
        "int[]",
        "'{{{1,2},{3,4}},{{5,6},{7,null}}}'",
        "[[[1,2],[3,4]],[[5,6],[7,null]]]",
    ),
    (
        "bytea[]",
        r#"E'{{{"\\\\x00","\\\\x01"}},{{"\\\\x02",null}}}'::bytea[]"#,
        r#"[[["AA==","AQ=="]],[["Ag==",null]]]"#,
    ),
    (
        "bytea[]",
        r#"E'[0:1]={"\\\\x00","\\\\x01"}'::bytea[]"#,
        r#"["AA==","AQ=="]"#,
    ),
    (
        "double precision[]",
        "array['NaN', 'Infinity', 0.1]::float8[]",
        r#"["NaN","Infinity",0.1]"#,
    ),
    (
        "date[]",
        "array['2026-01-31', null]::date[]",
        r#"["2026-01-31",null]"#,
    ),
    (
        "json[]",
        r#"array['{"a" :1}', '[]']::json[]"#,
        r#"[{"a" :1},[]]"#,
    ),
    (
        "jsonb[]",
        r#"array['{"a" :1}', null]::jsonb[]"#,
        r#"[{"a": 1},null]"#,
    ),
    (
        "json",
        r#"E'{ "a" : 1,\n\t"a":2, "n": 1E400, "z": -0.0, "u": "\\u00e9\\u0000" }'"#,
        "{ \"a\" : 1,\n\t\"a\":2, \"n\": 1E400, \"z\": -0.0, \"u\": \"\\u00e9\\u0000\" }",
    ),
    ("json", r#"'  "text"  '"#, r#"  "text"  "#),
    (
        "jsonb",
        r#"'{"n": 1e20, "m": 0.10, "k": [{}, [], ""]}'"#,
        r#"{"k": [{}, [], ""], "m": 0.10, "n": 100000000000000000000}"#,
    ),
    (
        "jsonb",
        "'12345678901234567890.12345678901234567890'",
        "12345678901234567890.12345678901234567890",
    ),
    ("jsonpath", "'$.a[*]'", r#""$.\"a\"[*]""#),
    ("bit(3)", "B'101'", r#""101""#),
    (
        "bit(3)[]",
        "array[B'101', null]::bit(3)[]",
        r#"["101",null]"#,
    ),
    (
        "macaddr8",
        "'08:00:2b:01:02:03:04:05'",
        r#""08:00:2b:01:02:03:04:05""#,
    ),
    ("inet", "'::ffff:1.2.3.4/100'", r#""::ffff:1.2.3.4/100""#),
    (
        "inet[]",
        "array['10.0.0.1', '::1']::inet[]",
        r#"["10.0.0.1","::1"]"#,
    ),
    (
        "uuid[]",
        "array['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', null]::uuid[]",
        r#"["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",null]"#,
    ),
    ("money", "(-12.3)::numeric", r#""-$12.30""#),
    ("money[]", "array[1::numeric::money]", r#"["$1.00"]"#),
    (
        "xid8",
        "'18446744073709551615'",
        r#""18446744073709551615""#,
    ),
    ("pg_lsn", "'16/B374D848'", r#""16/B374D848""#),
    ("int2vector", "'1 2'", "[1,2]"),
    ("tsquery", "'a & !b'", r#""'a' & !'b'""#),
    ("line", "'{1,2,3}'", r#""{1,2,3}""#),
    ("lseg", "'[(1,2),(3,4)]'", r#""[(1,2),(3,4)]""#),
    ("box", "'(3,4),(1,2)'", r#""(3,4),(1,2)""#),
    ("path", "'[(1,2),(3,4)]'", r#""[(1,2),(3,4)]""#),
    ("polygon", "'((1,2),(3,4))'", r#""((1,2),(3,4))""#),
    ("circle", "'<(1,2),0.1>'", r#""<(1,2),0.1>""#),
    ("numrange", "'[1.50,NaN]'", r#""[1.50,NaN]""#),
    (
        "int8range",
        "'[1,9223372036854775807)'",
        r#""[1,9223372036854775807)""#,
    ),
    (
        "int4range[]",
        "array['[1,2]', 'empty', null]::int4range[]",
        r#"["[1,3)","empty",null]"#,
    ),
    ("int4multirange", "'{[1,2],[5,7)}'", r#""{[1,3),[5,7)}""#),
    ("nummultirange", "'{}'", r#""{}""#),
    (
        "datemultirange",
        "'{[2026-01-01,2026-01-03)}'",
        r#""{[2026-01-01,2026-01-03)}""#,
    ),
    ("tstzmultirange", "'{}'", r#""{}""#),
    (
        "tstzmultirange[]",
        "array['{[2026-01-31 10:00+01,)}']::tstzmultirange[]",
        r#"["{[\"2026-01-31T09:00:00+00:00\",)}"]"#,
    ),
    (
        "tstzrange[]",
        "array['[2026-01-31 10:00+01,infinity)', null]::tstzrange[]",
        r#"["[\"2026-01-31T09:00:00+00:00\",\"infinity\")",null]"#,
    ),
    (
        "letters",
        r#"'["a""b","c,d")'"#,
        r#""[\"a\"\"b\",\"c,d\")""#,
    ),
    ("floats", "'[0.1,Infinity]'", r#""[0.1,Infinity]""#),
    (
        "moments",
        "'[2026-01-31 10:00+01,2026-02-01 10:00+01]'",
        r#""[\"2026-01-31T09:00:00+00:00\",\"2026-02-01T09:00:00+00:00\"]""#,
    ),
    (
        "chunks",
        r"chunks(E'\\x00', E'\\xff')",
        r#""[\"\\\\x00\",\"\\\\xff\")""#,
    ),
    (
        "mood[]",
        "'{{ok,sad},{sad,null}}'",
        r#"[["ok","sad"],["sad",null]]"#,
    ),
    ("moody", "'sad'", r#""sad""#),
    ("moody[]", "array['sad', null]::moody[]", r#"["sad",null]"#),
    (
        "span",
        "'[2026-01-31 10:00+01,)'",
        r#""[\"2026-01-31T09:00:00+00:00\",)""#,
    ),
    (
        "spans",
        "'{[2026-01-31 10:00+01,)}'",
        r#""{[\"2026-01-31T09:00:00+00:00\",)}""#,
    ),
    ("numbers", "'{1,2,null}'", "[1,2,null]"),
    ("numbers[]", "array['{1,2}', '{}']::numbers[]", "[[1,2],[]]"),
    (
        "blobs",
        r"array[E'\\x00', null]::bytea[]",
        r#"["AA==",null]"#,
    ),
    (
        "blobs[]",
        r"array[array[E'\\x00']::blobs, null]::blobs[]",
        r#"[["AA=="],null]"#,
    ),
    (
        "place",
        r#"row(1.50, 'NaN', 'a"b')::spot"#,
        r#"{"x":1.50,"y":"NaN","t":"a\"b"}"#,
    ),
    (
        "place[]",
        "array[row(1, 2, null)::spot]::place[]",
        r#"[{"x":1,"y":2,"t":null}]"#,
    ),
    (
        "nested",
        r#"row(row(1, 2, 'x')::spot, array['ok']::mood[], '[2026-01-31 10:00+01,)', E'\\xff', '{"a":  1}', '1 mon')::nested"#,
        r#"{"s":{"x":1,"y":2,"t":"x"},"m":["ok"],"r":"[\"2026-01-31T09:00:00+00:00\",)","b":"/w==","j":{"a":  1},"i":"1 mon"}"#,
    ),
    (
        "when_",
        "'2026-01-31 10:00+01'",
        r#""2026-01-31T09:00:00+00:00""#,
    ),
    ("xml", r#"'<a b="1">&lt;</a>'"#, r#""<a b=\"1\">&lt;</a>""#),
];

const TYPES: &str =
    "create type mood as enum ('ok', 'sad'); create domain moody as mood check (value <> 'ok');
     create domain numbers as int[]; create domain span as tstzrange; create domain spans as tstzmultirange; create domain blobs as bytea[];
     create type spot as (x numeric, y float8, t text); create domain place as spot;
     create domain when_ as timestamptz;
     create type letters as range (subtype = text); create type floats as range (subtype = float8);
     create type moments as range (subtype = when_); create type chunks as range (subtype = bytea);
     create type nested as (s spot, m mood[], r tstzrange, b bytea, j json, i interval)";

async fn items() -> Watched {
    Watched::items(Postgres, &typed_table(TYPES, VALUES)).await
}

#[tokio::test]
async fn every_type_is_written_as_the_contract_says() {
    let items = items().await;
    let row = |action| entry(action, &expected_row(VALUES), None);
    assert_eq!(items.texts(&insert_values(VALUES)).await, [row(1)]);
    assert_eq!(items.texts("delete from items").await, [row(3)]);
    items.run(&insert_values(VALUES)).await;
    assert_eq!(items.texts("truncate items").await, [row(3)]);
    items.run(&insert_values(VALUES)).await;
    items.run_at("repeatable read", "truncate items").await;
    assert_eq!(items.log().await.last().unwrap().row, expected_row(VALUES));
}

#[tokio::test]
async fn every_type_is_told_when_it_changes_and_when_it_does_not() {
    let items = items().await;
    items.run("insert into items (id) values (1)").await;
    for (n, (declared, value, json)) in VALUES.iter().enumerate() {
        let set = format!("update items set c{n} = {value}");
        let logged = items
            .texts(&format!("{set}; {set}; update items set c{n} = null"))
            .await;
        let old: Vec<_> = logged.into_iter().map(|one| one.2.unwrap()).collect();
        let expected = [format!("{{\"c{n}\":null}}"), format!("{{\"c{n}\":{json}}}")];
        assert_eq!(old, expected, "{declared}");
    }
}

#[tokio::test]
async fn session_settings_do_not_matter() {
    let items = items().await;
    let written = "update items set c0 = 1; delete from items";
    let logged = items
        .logged(&hostile(&insert_values(VALUES), written))
        .await;
    assert_eq!(logged[0].row, expected_row(VALUES));
    assert_eq!(logged.len(), 3);
    let changed = expected_row(VALUES).replace("\"c0\":-2147483648", "\"c0\":1");
    assert_eq!(logged[1].row, changed);
    assert_eq!(logged[2].row, changed);
}

#[tokio::test]
async fn extensions_types_are_written_as_their_owners_say() {
    let schema = "create extension if not exists hstore; create extension if not exists citext";
    let items = Watched::database(Postgres, "").await;
    let there =
        "select count(*)::text from pg_available_extensions where name in ('hstore', 'citext')";
    if items.tell(there).await.as_deref() != Some("2") {
        return;
    }
    items
        .run(&format!(
            "{schema}; create table items (id citext primary key, h hstore, a citext[])"
        ))
        .await;
    items
        .install(&super::support::wanted("items"))
        .await
        .unwrap();
    assert_eq!(
        items
            .texts(
                "insert into items values ('Ab', 'a=>1, b=>NULL', array['x', 'Y']::citext[]);
                 update items set id = 'AB', h = 'b=>NULL, a=>1'; truncate items"
            )
            .await,
        [
            entry(
                1,
                r#"{"id":"Ab","h":{"a": "1", "b": null},"a":["x","Y"]}"#,
                None
            ),
            entry(
                2,
                r#"{"id":"AB","h":{"a": "1", "b": null},"a":["x","Y"]}"#,
                Some(r#"{"id":"Ab"}"#)
            ),
            entry(
                3,
                r#"{"id":"AB","h":{"a": "1", "b": null},"a":["x","Y"]}"#,
                None
            ),
        ]
    );
}
