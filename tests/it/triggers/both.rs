//! What holds on both databases.

use rowhook::{
    domain::resource::OnTruncate,
    store::{
        catalogue::{InstallError, Installed, ResourceInstaller, WantedResource},
        sql::db::Dialect,
    },
};
use serde_json::json;

use super::support::{Watched, entry, wanted};
use crate::support::database::TestDatabase;

const ITEMS: &str =
    "create table items (id integer primary key, name text, qty integer, secret text)";

#[tokio::test]
async fn each_operation_is_logged_with_the_whole_row_and_what_changed() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(dialect, ITEMS).await;
        assert_eq!(
            items
                .texts("insert into items values (1, 'bolt', 5, 's')")
                .await,
            [entry(
                1,
                r#"{"id":1,"name":"bolt","qty":5,"secret":"s"}"#,
                None
            )]
        );
        assert_eq!(
            items
                .texts("update items set qty = 6, name = 'nut' where id = 1")
                .await,
            [entry(
                2,
                r#"{"id":1,"name":"nut","qty":6,"secret":"s"}"#,
                Some(r#"{"name":"bolt","qty":5}"#)
            )]
        );
        assert_eq!(
            items.texts("delete from items").await,
            [entry(
                3,
                r#"{"id":1,"name":"nut","qty":6,"secret":"s"}"#,
                None
            )]
        );
    }
}

#[tokio::test]
async fn nulls_are_told_both_ways() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(dialect, ITEMS).await;
        items
            .run("insert into items values (1, 'a', null, null)")
            .await;
        let logged = items
            .logged(
                "update items set qty = 1, name = null;
                 update items set qty = null;
                 update items set qty = null, name = null",
            )
            .await;
        assert_eq!(logged.len(), 2);
        assert_eq!(logged[0].old(), json!({"name": "a", "qty": null}));
        assert_eq!(logged[0].row()["name"], json!(null));
        assert_eq!(logged[1].old(), json!({"qty": 1}));
    }
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_no_change() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(dialect, ITEMS).await;
        items
            .run("insert into items values (1, 'a', 2, 'c'), (2, 'b', null, null)")
            .await;
        let logged = items
            .logged(
                "update items set name = name, qty = qty; update items set qty = 2 where id = 1",
            )
            .await;
        assert_eq!(logged, []);
    }
}

#[tokio::test]
async fn excluded_columns_are_nowhere() {
    for dialect in TestDatabase::BOTH {
        let mut excluding = wanted("items");
        excluding.exclude = vec!["secret".into()];
        let items = Watched::with(dialect, ITEMS, &excluding).await;
        items
            .run(
                "insert into items values (1, 'a', 2, 'hidden');
                 update items set secret = 'hidden too';
                 update items set secret = 'hidden three', qty = 3;
                 delete from items",
            )
            .await;
        let log = items.log().await;
        assert_eq!(
            log.iter().map(|one| one.action).collect::<Vec<_>>(),
            [1, 2, 3]
        );
        assert_eq!(log[1].old(), json!({"qty": 2}));
        assert!(!format!("{log:?}").contains("hidden"), "{log:?}");
        assert!(!format!("{log:?}").contains("secret"), "{log:?}");
    }
}

#[tokio::test]
async fn what_was_rolled_back_is_not_logged() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(dialect, ITEMS).await;
        let logged = items
            .logged(
                "begin; insert into items values (1, 'a', 1, null); rollback;
                 begin; insert into items values (2, 'b', 1, null);
                 savepoint s; update items set qty = 2; rollback to s;
                 update items set qty = 3; commit",
            )
            .await;
        let seen: Vec<_> = logged.iter().map(|one| (one.action, one.row())).collect();
        assert_eq!(
            seen,
            [
                (1, json!({"id": 2, "name": "b", "qty": 1, "secret": null})),
                (2, json!({"id": 2, "name": "b", "qty": 3, "secret": null})),
            ]
        );
    }
}

#[tokio::test]
async fn a_changed_key_is_an_update_with_both_keys() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(
            dialect,
            "create table items (a integer, b text, n integer, primary key (b, a))",
        )
        .await;
        let (resource, _) = items.install(&wanted("items")).await.unwrap();
        assert_eq!(resource.definition.key, ["b", "a"]);
        items.run("insert into items values (1, 'x', 0)").await;
        let logged = items.logged("update items set a = 2").await;
        assert_eq!(logged.len(), 1);
        assert_eq!(
            (logged[0].row(), logged[0].old()),
            (json!({"a": 2, "b": "x", "n": 0}), json!({"a": 1}),)
        );
    }
}

#[tokio::test]
async fn names_may_have_any_letters() {
    let table = r#""Purchase ""Orders"" $rowhook$ 'ü""#;
    let column = r#""it's ""a\b"" %s $rowhook$ {x}:, ?1 rowhook.items""#;
    let key = r#"it's "a\b" %s $rowhook$ {x}:, ?1 rowhook.items"#;
    for dialect in TestDatabase::BOTH {
        let schema = format!(
            "create table {table} (id integer primary key, {column} text, \"Id\"\"\" text)"
        );
        let items = Watched::with(dialect, &schema, &wanted(table)).await;
        let logged = items
            .logged(&format!(
                "insert into {table} values (1, 'a', 'b'); update {table} set {column} = 'c'; delete from {table}"
            ))
            .await;
        assert_eq!(logged.len(), 3);
        assert_eq!(logged[1].row(), json!({"id": 1, (key): "c", "Id\"": "b"}));
        assert_eq!(logged[1].old(), json!({(key): "a"}));
        assert!(items.installer.in_force(&wanted(table)).await.unwrap());
    }
}

#[tokio::test]
async fn texts_survive_whatever_they_hold() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(dialect, ITEMS).await;
        let text = "quote \" back \\ line\n tab\t bell\u{7} euro € \u{1F600} \u{2028} '";
        let logged = items
            .logged(&format!(
                "insert into items values (1, '{}', 1, '')",
                text.replace('\'', "''")
            ))
            .await;
        assert_eq!(logged[0].row()["name"], json!(text));
    }
}

#[tokio::test]
async fn wide_tables_are_logged_whole() {
    for dialect in TestDatabase::BOTH {
        for columns in [60, 600] {
            let names: Vec<String> = (1..=columns).map(|n| format!("c{n}")).collect();
            let schema = format!(
                "create table items (id integer primary key, {})",
                names
                    .iter()
                    .map(|name| format!("{name} integer"))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            let items = Watched::items(dialect, &schema).await;
            let logged = items
                .logged(&format!(
                    "insert into items (id, c1, c{columns}) values (1, 2, 3);
                     update items set c51 = 4, c{columns} = null;
                     update items set c51 = 4"
                ))
                .await;
            assert_eq!(logged.len(), 2);
            let row = logged[1].row();
            assert_eq!(row.as_object().unwrap().len(), columns + 1);
            assert_eq!(row.as_object().unwrap().keys().nth(51).unwrap(), "c51");
            let last = format!("c{columns}");
            assert_eq!(logged[1].old(), json!({"c51": null, (last): 3}));
        }
    }
}

#[tokio::test]
async fn installing_again_changes_nothing_and_another_definition_is_another_version() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(dialect, ITEMS).await;
        let (first, installed) = items.install(&wanted("items")).await.unwrap();
        assert_eq!(installed, Installed::Unchanged);
        assert_eq!(first.aliases.len(), 1);
        items.run("insert into items values (1, 'a', 1, 's')").await;

        let mut other = wanted("items");
        other.exclude = vec!["secret".into()];
        assert!(!items.installer.in_force(&other).await.unwrap());
        let (second, installed) = items.install(&other).await.unwrap();
        assert_eq!(installed, Installed::Changed);
        assert_ne!(second.id, first.id);
        items.run("update items set qty = 2").await;

        let log = items.log().await;
        assert_eq!(
            [log[0].resource, log[1].resource],
            [first.id.0, second.id.0]
        );
        let versions = items
            .installer
            .versions(&[second.id, first.id])
            .await
            .unwrap();
        assert_eq!(versions.len(), 2);
        assert_eq!(versions[0].definition, first.definition);
        assert_eq!(versions[1].definition, second.definition);
        assert_eq!(versions[1].definition.exclude, ["secret"]);

        // Another order in the configuration, or an alias, is no other definition.
        other.aliases.clear();
        other.exclude = vec!["SECRET".into()];
        assert_eq!(items.install(&other).await.unwrap().1, Installed::Unchanged);
    }
}

#[tokio::test]
async fn a_changed_table_is_noticed() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(dialect, ITEMS).await;
        items.run("alter table items add column extra text").await;
        assert!(!items.installer.in_force(&wanted("items")).await.unwrap());
        let (resource, installed) = items.install(&wanted("items")).await.unwrap();
        assert_eq!(installed, Installed::Changed);
        assert_eq!(resource.definition.columns.len(), 5);
        let logged = items
            .logged("insert into items (id, extra) values (1, 'e')")
            .await;
        assert_eq!(logged[0].row()["extra"], json!("e"));
    }
}

#[tokio::test]
async fn a_resource_can_move_to_another_table() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(
            dialect,
            &format!("{ITEMS}; create table others (id integer primary key)"),
        )
        .await;
        items.install(&wanted("others")).await.unwrap();
        let logged = items
            .logged("insert into items values (1, 'a', 1, 's'); insert into others values (7)")
            .await;
        assert_eq!(logged.len(), 1);
        assert_eq!(logged[0].row, r#"{"id":7}"#);
    }
}

#[tokio::test]
async fn two_resources_can_watch_one_table() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::items(dialect, ITEMS).await;
        let mut second = wanted("items");
        second.name = "ITEM_NAME".parse().unwrap();
        second.exclude = vec!["qty".into(), "secret".into()];
        items.install(&second).await.unwrap();
        assert!(items.installer.in_force(&wanted("items")).await.unwrap());
        items.run("insert into items values (1, 'a', 1, 's')").await;
        assert_eq!(items.logged("update items set qty = 2").await.len(), 1);
        assert_eq!(items.logged("update items set name = 'b'").await.len(), 2);
        items.installer.uninstall(&second.name).await.unwrap();
        assert_eq!(items.logged("update items set name = 'c'").await.len(), 1);
    }
}

#[tokio::test]
async fn tables_are_found_with_their_keys() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::database(
            dialect,
            &format!(
                "{ITEMS}; create table \"Odd One\" (a integer, b text); create view v as select 1"
            ),
        )
        .await;
        let tables = items.installer.tables().await.unwrap();
        let names: Vec<_> = tables.iter().map(|one| one.table.as_str()).collect();
        match dialect {
            Dialect::Postgres => {
                assert_eq!(names, ["public.\"Odd One\"", "public.items"]);
            }
            Dialect::Sqlite => {
                assert_eq!(names, ["\"Odd One\"", "items"]);
            }
        }
        assert_eq!(tables[1].primary_key, ["id"]);
        assert_eq!(tables[0].primary_key, Vec::<String>::new());
        // What is proposed can be installed.
        items.install(&wanted(&tables[1].table)).await.unwrap();
    }
}

#[tokio::test]
async fn each_mistake_is_told() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::database(
            dialect,
            &format!(
                "{ITEMS}; create table keyless (a integer, b text); create view v as select 1 as id"
            ),
        )
        .await;
        let refusal = async |change: &dyn Fn(&mut WantedResource)| {
            let mut one = wanted("items");
            change(&mut one);
            let described = items.installer.describe(&one).await.unwrap_err();
            let installed = items.install(&one).await.unwrap_err();
            assert_eq!(described.to_string(), installed.to_string());
            installed
        };
        for table in ["nowhere", "other.items", "a b c", "", "\"items", "a.b.c.d"] {
            let error = refusal(&|one| one.table = table.into()).await;
            assert!(
                matches!(error, InstallError::NoTable { .. }),
                "{table}: {error}"
            );
        }
        type Change = fn(&mut WantedResource);
        let settings: [(&str, Change); 3] = [
            ("key", |one| one.key = vec!["nothing".into()]),
            ("etag", |one| one.etag = Some("nothing".into())),
            ("exclude", |one| one.exclude = vec!["nothing".into()]),
        ];
        for (setting, change) in settings {
            let error = refusal(&change).await;
            assert!(
                matches!(&error, InstallError::NoColumn { setting: found, .. } if *found == setting),
                "{error}"
            );
            assert!(error.to_string().contains("nothing"), "{error}");
        }
        let error = refusal(&|one| one.table = "keyless".into()).await;
        assert!(matches!(error, InstallError::NoKey { .. }), "{error}");
        let error = refusal(&|one| one.exclude = vec!["id".into()]).await;
        assert!(matches!(error, InstallError::KeyExcluded { .. }), "{error}");
        let error = refusal(&|one| {
            one.etag = Some("name".into());
            one.exclude = vec!["name".into()];
        })
        .await;
        assert!(
            matches!(error, InstallError::EtagExcluded { .. }),
            "{error}"
        );
        let error = refusal(&|one| one.table = "v".into()).await;
        assert!(matches!(error, InstallError::Unwatchable { .. }), "{error}");
        let own = match dialect {
            Dialect::Postgres => "rowhook.events",
            Dialect::Sqlite => "rowhook_events",
        };
        let error = refusal(&|one| one.table = own.into()).await;
        assert!(matches!(error, InstallError::Unwatchable { .. }), "{error}");
        // Nothing of it left anything behind.
        assert_eq!(items.db_versions().await, 0);
        let mut keyed = wanted("keyless");
        keyed.key = vec!["a".into()];
        keyed.etag = Some("b".into());
        keyed.on_truncate = OnTruncate::Refuse;
        items.install(&keyed).await.unwrap();
    }
}

#[tokio::test]
async fn uninstalling_leaves_no_trace() {
    for dialect in TestDatabase::BOTH {
        let items = Watched::database(dialect, ITEMS).await;
        let before = items.schema().await;
        let one = wanted("items");
        let (resource, _) = items.install(&one).await.unwrap();
        items.run("insert into items values (1, 'a', 1, 's')").await;
        assert_ne!(items.schema().await, before);
        assert_eq!(
            items.installer.uninstall(&one.name).await.unwrap(),
            Installed::Changed
        );
        assert_eq!(items.schema().await, before);
        assert_eq!(items.logged("update items set qty = 9").await, []);
        assert_eq!(
            items.installer.uninstall(&one.name).await.unwrap(),
            Installed::Unchanged
        );
        // What was logged keeps its meaning; a new start is a new version.
        assert_eq!(
            items
                .installer
                .versions(&[resource.id])
                .await
                .unwrap()
                .len(),
            1
        );
        assert_ne!(items.install(&one).await.unwrap().0.id, resource.id);
    }
}
