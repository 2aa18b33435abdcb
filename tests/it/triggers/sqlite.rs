//! What only SQLite has: values of any type in any column, and its own kinds of tables.

use std::collections::BTreeMap;

use rowhook::{
    domain::resource::ResourceName,
    store::{
        catalogue::{InstallError, Installed, ResourceInstaller},
        sql::{
            catalogue::{LockPatience, SqlResourceInstaller},
            db::Dialect::Sqlite,
        },
    },
};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{json, value::RawValue};

use super::support::{Watched, entry, wanted};

/// A table with one column of each declared type.
const TYPED: &str =
    "create table items (id integer primary key, t text, r real, n numeric, b blob, x,
     f boolean, j json, d datetime)";

async fn row(items: &Watched, values: &str) -> String {
    let logged = items
        .logged(&format!(
            "delete from items; insert into items values (1, {values})"
        ))
        .await;
    logged.last().unwrap().row.clone()
}

#[tokio::test]
async fn every_storage_class_has_its_json() {
    let items = Watched::items(Sqlite, TYPED).await;
    assert_eq!(
        row(
            &items,
            "'text', 0.1, 9223372036854775807, x'00ff10', 'x', 1, '{\"b\" : 1.50, \"a\": [1]}', '2026-04-26 19:33:42'"
        )
        .await,
        r#"{"id":1,"t":"text","r":0.1,"n":9223372036854775807,"b":"AP8Q","x":"x","f":true,"j":{"b":1.50,"a":[1]},"d":"2026-04-26 19:33:42"}"#
    );
    assert_eq!(
        row(&items, "null, null, null, null, null, null, null, null").await,
        r#"{"id":1,"t":null,"r":null,"n":null,"b":null,"x":null,"f":null,"j":null,"d":null}"#
    );
}

#[tokio::test]
async fn no_value_fails_the_writer() {
    let items = Watched::items(Sqlite, TYPED).await;
    // A value of each kind in each column, whatever the column is declared as.
    for value in [
        "9e999",
        "-9e999",
        "x''",
        "x'ff'",
        "'{broken'",
        "''",
        "'\"'",
        "char(0)",
        "json('[1]')",
        "5e-324",
        "1.7976931348623157e308",
        "-9223372036854775808",
        "zeroblob(100)",
        "json_object('a', 1)",
        "'[1e999]'",
        "2",
        "'1.0'",
    ] {
        let values = [value; 8].join(", ");
        let logged = row(&items, &values).await;
        let members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&logged).unwrap_or_else(|error| panic!("{value}: {error}"));
        assert_eq!(members.len(), 9, "{value}");
    }
    let long = format!("'{}'", "[".repeat(5000));
    row(&items, &[long.as_str(); 8].join(", ")).await;
}

#[tokio::test]
async fn infinities_blobs_and_broken_json_are_strings() {
    let items = Watched::items(Sqlite, TYPED).await;
    assert_eq!(
        row(&items, "x'66', 9e999, -9e999, x'', 1.0, 2, '{broken', 12").await,
        r#"{"id":1,"t":"Zg==","r":"Infinity","n":"-Infinity","b":"","x":1.0,"f":2,"j":"{broken","d":12}"#
    );
    // What json() made is a text in a text column.
    assert_eq!(
        items.logged("update items set t = json('[1]')").await[0].row()["t"],
        json!("[1]")
    );
}

#[tokio::test]
async fn reals_keep_the_digits_that_tell_them() {
    let items = Watched::items(
        Sqlite,
        "create table items (id integer primary key, r real)",
    )
    .await;
    for value in [
        0.1,
        -0.5,
        1.0,
        1e15,
        123_456_789.123,
        1.0 / 3.0,
        1e22,
        1.5e-7,
        2.5e-30,
        1e60,
        9_007_199_254_740_993.0,
        f64::from(f32::MAX),
        0.000_123_456_789_012_345_6,
    ] {
        let logged = row(&items, &format!("{value:e}")).await;
        let digits = logged
            .trim_start_matches(r#"{"id":1,"r":"#)
            .trim_end_matches('}');
        assert_eq!(digits.parse::<f64>().unwrap(), value, "{logged}");
    }
    assert_eq!(row(&items, "1.10").await, r#"{"id":1,"r":1.1}"#);
}

#[tokio::test]
async fn base64_is_right_for_every_length_and_byte() {
    use base64::Engine;
    let items = Watched::items(
        Sqlite,
        "create table items (id integer primary key, b blob)",
    )
    .await;
    let bytes: Vec<u8> = (0..=255).rev().chain(0..=255).collect();
    for length in [0, 1, 2, 3, 4, 5, 255, 256, 511, 512] {
        let hex: String = bytes[..length]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let expected = base64::engine::general_purpose::STANDARD.encode(&bytes[..length]);
        assert_eq!(
            row(&items, &format!("x'{hex}'")).await,
            format!(r#"{{"id":1,"b":"{expected}"}}"#)
        );
    }
}

#[tokio::test]
async fn changes_are_told_by_how_values_are_written() {
    let items = Watched::items(
        Sqlite,
        "create table items (id integer primary key, t text collate nocase, x)",
    )
    .await;
    items.run("insert into items values (1, 'a', 1)").await;
    let logged = items
        .logged(
            "update items set t = 'A'; update items set x = 1.0; update items set t = 'A', x = 1.0",
        )
        .await;
    let old: Vec<_> = logged.iter().map(|one| one.old.clone().unwrap()).collect();
    assert_eq!(old, [r#"{"t":"a"}"#, r#"{"x":1}"#]);
}

#[tokio::test]
async fn tables_without_rowid_and_generated_columns_are_logged() {
    let items = Watched::items(
        Sqlite,
        "create table items (k text primary key, n integer, twice integer as (n * 2) stored,
                             thrice integer as (n * 3)) without rowid",
    )
    .await;
    assert_eq!(
        items
            .texts("insert into items (k, n) values ('a', 2); update items set n = 3")
            .await,
        [
            entry(1, r#"{"k":"a","n":2,"twice":4,"thrice":6}"#, None),
            entry(
                2,
                r#"{"k":"a","n":3,"twice":6,"thrice":9}"#,
                Some(r#"{"n":2,"twice":4,"thrice":6}"#)
            ),
        ]
    );
}

#[tokio::test]
async fn upsert_is_an_update_and_replace_a_delete_where_triggers_recurse() {
    let items = Watched::items(
        Sqlite,
        "create table items (id integer primary key, n integer)",
    )
    .await;
    items.run("insert into items values (1, 1)").await;
    let actions = async |sql: &str| -> Vec<i32> {
        items
            .logged(sql)
            .await
            .iter()
            .map(|one| one.action)
            .collect()
    };
    assert_eq!(
        actions("insert into items values (1, 2) on conflict (id) do update set n = excluded.n")
            .await,
        [2]
    );
    assert_eq!(
        actions("insert or ignore into items values (1, 3)").await,
        [0; 0]
    );
    assert_eq!(
        actions("insert or replace into items values (1, 4)").await,
        [1]
    );
    assert_eq!(
        actions("pragma recursive_triggers = on; insert or replace into items values (1, 5)").await,
        [3, 1]
    );
}

#[tokio::test]
async fn a_users_trigger_finds_the_change_already_logged() {
    let schema = "create table items (id integer primary key, n integer);
         create trigger aaa after insert on items begin update items set n = n + 1 where id = new.id; end";
    let items = Watched::items(Sqlite, schema).await;
    let expected = [
        entry(1, r#"{"id":1,"n":1}"#, None),
        entry(2, r#"{"id":1,"n":2}"#, Some(r#"{"n":1}"#)),
    ];
    assert_eq!(
        items.texts("insert into items values (1, 1)").await,
        expected
    );
    // One that came later would fire first, so the next look puts rowhook's before it again.
    items
        .run(
            "drop trigger aaa; delete from items;
             create trigger later after insert on items begin update items set n = n + 1 where id = new.id; end",
        )
        .await;
    assert_eq!(
        items.install(&wanted("items")).await.unwrap().1,
        Installed::Changed
    );
    assert_eq!(
        items.texts("insert into items values (1, 1)").await,
        expected
    );
    assert_eq!(
        items.install(&wanted("items")).await.unwrap().1,
        Installed::Unchanged
    );
}

#[tokio::test]
async fn a_trigger_that_was_dropped_or_altered_comes_back() {
    let items = Watched::items(
        Sqlite,
        "create table items (id integer primary key, n integer)",
    )
    .await;
    items.run("drop trigger rowhook_item_delete").await;
    assert!(!items.installer.in_force(&wanted("items")).await.unwrap());
    assert_eq!(
        items.install(&wanted("items")).await.unwrap().1,
        Installed::Changed
    );
    // A rename rewrites the triggers; the resource is then described anew.
    items.run("alter table items rename column n to m").await;
    let (resource, installed) = items.install(&wanted("items")).await.unwrap();
    assert_eq!(
        (installed, resource.definition.columns[1].name.as_str()),
        (Installed::Changed, "m")
    );
    assert_eq!(
        items.logged("insert into items values (1, 2)").await[0].row,
        r#"{"id":1,"m":2}"#
    );
}

#[tokio::test]
async fn virtual_and_system_tables_are_refused() {
    let items = Watched::database(
        Sqlite,
        "create table items (id integer primary key autoincrement);
         create virtual table words using fts5(word)",
    )
    .await;
    for table in ["words", "sqlite_sequence", "rowhook_migrations"] {
        let error = items.install(&wanted(table)).await.unwrap_err();
        assert!(
            matches!(error, InstallError::Unwatchable { .. }),
            "{table}: {error}"
        );
    }
    // Names are found in any case, as SQLite does.
    let (resource, _) = items.install(&wanted("MAIN.Items")).await.unwrap();
    assert_eq!(resource.definition.table, "items");
}

#[tokio::test]
async fn another_processs_write_lock_is_not_waited_for_without_end() {
    let items = Watched::database(Sqlite, "create table items (id integer primary key)").await;
    let writer = items.app.begin().await.unwrap();
    writer
        .execute_unprepared("insert into items values (1)")
        .await
        .unwrap();
    let patience = LockPatience {
        tries: 1,
        ..LockPatience::default()
    };
    let hasty = SqlResourceInstaller::with_patience(items.db.clone(), patience);
    let error = hasty.install(&wanted("items")).await.unwrap_err();
    assert!(
        matches!(error, InstallError::Locked { tries: 1, .. }),
        "{error}"
    );
    writer.commit().await.unwrap();
    hasty.install(&wanted("items")).await.unwrap();
    let name: ResourceName = "ITEM".parse().unwrap();
    assert_eq!(hasty.uninstall(&name).await.unwrap(), Installed::Changed);
}
