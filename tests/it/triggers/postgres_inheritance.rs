//! PostgreSQL: tables that inherit from a watched one are part of it.

use rowhook::{
    domain::resource::OnTruncate,
    store::{
        catalogue::{InstallError, Installed, ResourceInstaller, TriggerState},
        sql::db::Dialect::Postgres,
    },
};
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::support::{Watched, wanted};

/// A table, two that inherit from it with columns in other places, and one that inherits from both.
const FAMILY: &str = "create table items (id int primary key, n int);
     create table one (extra text, n int, id int primary key) inherits (items);
     create table side (x int);
     create table two () inherits (side, items);
     create table heir (more bytea) inherits (one, two)";

#[tokio::test]
async fn rows_are_captured_through_the_root_and_directly() {
    let items = Watched::items(Postgres, FAMILY).await;
    assert_eq!(
        items
            .told(
                "insert into items values (1, 1); insert into one (id, n, extra) values (2, 2, 'a');
                 insert into two (id, n, x) values (3, 3, 9); insert into heir (id, n) values (4, 4);
                 update items set n = n + 10 where id <> 3; update only items set n = 0;
                 update one set extra = 'b'; update one set extra = 'c', n = 5 where id = 2;
                 update two set x = 1; update heir set id = 40;
                 delete from items where id > 3; delete from two"
            )
            .await,
        [
            "+1",
            "+2",
            "+3",
            "+4",
            r#"~1{"n":1}"#,
            r#"~2{"n":2}"#,
            r#"~4{"n":4}"#,
            r#"~1{"n":11}"#,
            r#"~2{"n":12}"#,
            r#"~40{"id":4}"#,
            "-40",
            "-3"
        ]
    );
    // Only what the root has is told.
    let log = items.log().await;
    assert_eq!(log[1].row, r#"{"id":2,"n":2}"#);
    assert!(items.installer.in_force(&wanted("items")).await.unwrap());
}

#[tokio::test]
async fn truncate_reaches_those_that_inherit_and_only_does_not() {
    for level in ["read committed", "repeatable read"] {
        let items = Watched::items(Postgres, FAMILY).await;
        let fill = "insert into items values (1, 1); insert into one (id) values (2);
             insert into two (id) values (3); insert into heir (id) values (4)";
        let truncate = async |sql: &str| {
            items.told(fill).await;
            let transaction = items.app.begin().await.unwrap();
            let begin =
                format!("set transaction isolation level {level}; select count(*) from items");
            transaction.execute_unprepared(&begin).await.unwrap();
            items.run("update items set n = 7 where id <> 1").await;
            transaction.execute_unprepared(sql).await.unwrap();
            transaction.commit().await.unwrap();
            items.compare().await;
            let left = items
                .tell("select count(*)::text from items")
                .await
                .unwrap();
            items.run("delete from items").await;
            left
        };
        assert_eq!(truncate("truncate items").await, "0", "{level}");
        assert_eq!(truncate("truncate only items").await, "3", "{level}");
        assert_eq!(truncate("truncate one").await, "2", "{level}");
        assert_eq!(truncate("truncate only one, two").await, "1", "{level}");
    }
}

#[tokio::test]
async fn each_setting_of_truncate_holds_for_them() {
    let mut one = wanted("items");
    one.on_truncate = OnTruncate::Refuse;
    let items = Watched::with(Postgres, FAMILY, &one).await;
    for table in ["items", "only items", "two", "only heir"] {
        let truncate = format!("truncate {table}");
        let error = items.app.execute_unprepared(&truncate).await.unwrap_err();
        assert!(error.to_string().contains("refuses TRUNCATE"), "{error}");
    }
    one.on_truncate = OnTruncate::Ignore;
    items.install(&one).await.unwrap();
    let logged = items
        .logged("insert into two (id) values (1); truncate two; truncate items")
        .await;
    assert_eq!(logged.len(), 1);
}

#[tokio::test]
async fn those_that_come_and_go_are_noticed() {
    let items = Watched::items(Postgres, FAMILY).await;
    let one = wanted("items");
    let state = async || items.installer.trigger_state(&one).await.unwrap();
    let triggers = "select count(*)::text from pg_trigger t where not tgisinternal and tgrelid = ";
    items.run("create table three () inherits (two)").await;
    assert_eq!(state().await, TriggerState::Missing);
    assert_eq!(items.install(&one).await.unwrap().1, Installed::Changed);
    assert_eq!(state().await, TriggerState::InForce);
    assert_eq!(
        items
            .told("insert into three (id) values (3); truncate items")
            .await,
        ["+3", "-3"]
    );
    // One that inherits no more is let alone.
    items
        .run("alter table heir no inherit one; alter table heir no inherit two")
        .await;
    assert_eq!(items.install(&one).await.unwrap().1, Installed::Changed);
    let heir = items.tell(&format!("{triggers} 'heir'::regclass")).await;
    assert_eq!(heir.unwrap(), "0");
    items.run("drop table three").await;
    assert_eq!(items.install(&one).await.unwrap().1, Installed::Changed);
    // One whose triggers were disabled or dropped is mended.
    items.run("alter table two disable trigger all").await;
    assert_eq!(state().await, TriggerState::Disabled);
    items.install(&one).await.unwrap();
    items.run("drop trigger \" rowhook_item\" on one").await;
    assert_eq!(state().await, TriggerState::Missing);
    items.install(&one).await.unwrap();
    assert_eq!(items.install(&one).await.unwrap().1, Installed::Unchanged);
    assert_eq!(
        items
            .told("insert into one (id, n) values (1, 1); update items set n = 2")
            .await
            .len(),
        2
    );
    items.installer.uninstall(&one.name).await.unwrap();
    for table in ["items", "one", "two", "heir"] {
        let left = items.tell(&format!("{triggers} '{table}'::regclass")).await;
        assert_eq!(left.unwrap(), "0", "{table}");
    }
    items.run("insert into one (id) values (2)").await;
    assert_eq!(items.log().await.len(), 4);
}

#[tokio::test]
async fn it_may_be_watched_by_itself_as_well() {
    let items = Watched::items(Postgres, FAMILY).await;
    let mut one = wanted("one");
    one.name = "ONE".parse().unwrap();
    let (resource, _) = items.install(&one).await.unwrap();
    items
        .run(
            "insert into one (id, n, extra) values (1, 1, 'a'); update items set n = 2; update one set extra = 'b'").await;
    items.run_at("serializable", "truncate items").await;
    items.compare().await;
    items.compare_version(resource.id.0, "one").await;
    assert_eq!(items.log().await.len(), 3 + 4);
    let tables = items.installer.tables().await.unwrap();
    assert!(tables.iter().any(|table| table.table == "public.items"));
    assert!(tables.iter().any(|table| table.table == "public.two"));
}

#[tokio::test]
async fn temporary_ones_are_left_out_and_foreign_ones_refused() {
    let items = Watched::items(Postgres, FAMILY).await;
    let session = items.app.begin().await.unwrap();
    session
        .execute_unprepared(
            "create temporary table passing () inherits (items); insert into passing values (1, 1)",
        )
        .await
        .unwrap();
    session.commit().await.unwrap();
    assert!(items.installer.in_force(&wanted("items")).await.unwrap());
    items
        .run(
            "create foreign data wrapper far; create server there foreign data wrapper far;
             create foreign table abroad () inherits (items) server there",
        )
        .await;
    let error = items.install(&wanted("items")).await.unwrap_err();
    assert!(matches!(error, InstallError::Unwatchable { .. }), "{error}");
    assert!(
        error.to_string().contains("foreign table inherits"),
        "{error}"
    );
}

#[tokio::test]
async fn a_restored_family_is_told_by_its_names() {
    let items = Watched::items(Postgres, FAMILY).await;
    // As after a dump and restore: the same tables and triggers, under other oids.
    items
        .run(
            "create temporary table kept as select string_agg(pg_get_triggerdef(t.oid), ';') as sql
                 from pg_trigger t where t.tgfoid::regproc::text like 'rowhook.%item' and tgrelid <> 'heir'::regclass;
             drop table items cascade; drop table side;
             create table items (id int primary key, n int); create table one (extra text) inherits (items);
             create table two () inherits (items);
             do $$ begin execute (select sql from kept); end $$",
        )
        .await;
    let told = items
        .told("insert into items values (1, 1); insert into one values (2, 2); insert into two values (3, 3); truncate items")
        .await;
    assert_eq!(told.len(), 6);
    assert!(!items.installer.in_force(&wanted("items")).await.unwrap());
    items.install(&wanted("items")).await.unwrap();
    assert_eq!(items.told("insert into two values (4, 4)").await, ["+4"]);
}
