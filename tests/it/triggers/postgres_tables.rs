//! PostgreSQL: TRUNCATE, other triggers, partitions, and tables that change under the triggers.

use rowhook::{
    domain::resource::OnTruncate,
    store::{
        catalogue::{Installed, ResourceInstaller},
        sql::db::Dialect::Postgres,
    },
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::support::{Logged, PARTITIONED, Watched, entry, wanted};

#[tokio::test]
async fn truncate_is_what_the_resource_says() {
    let schema = "create table items (id int primary key, n int)";
    let mut one = wanted("items");
    let items = Watched::with(Postgres, schema, &one).await;
    items.run("insert into items values (1, 2), (2, 3)").await;
    assert_eq!(
        items.texts("truncate items").await,
        [
            entry(3, r#"{"id":1,"n":2}"#, None),
            entry(3, r#"{"id":2,"n":3}"#, None)
        ]
    );
    one.on_truncate = OnTruncate::Refuse;
    items.install(&one).await.unwrap();
    items.run("insert into items values (1, 2)").await;
    let error = items
        .app
        .execute_unprepared("truncate items")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("refuses TRUNCATE of"), "{error}");
    assert_eq!(
        items
            .tell("select count(*)::text from items")
            .await
            .unwrap(),
        "1"
    );
    one.on_truncate = OnTruncate::Ignore;
    items.install(&one).await.unwrap();
    assert_eq!(items.logged("truncate items").await, []);
    assert_eq!(
        items
            .tell("select count(*)::text from items")
            .await
            .unwrap(),
        "0"
    );
}

#[tokio::test]
async fn a_users_triggers_come_after_and_before_in_the_right_order() {
    let items = Watched::items(
        Postgres,
        r#"create table items (id int primary key, n int);
         create function before() returns trigger language plpgsql as $$ begin new.n := new.n * 10; return new; end $$;
         create function after() returns trigger language plpgsql as
         $$ begin update items set n = n + 1 where id = new.id; return null; end $$;
         create trigger "!a" before insert on items for each row execute function before();
         create trigger "!" after insert on items for each row execute function after()"#,
    )
    .await;
    assert_eq!(
        items.texts("insert into items values (1, 1)").await,
        [
            entry(1, r#"{"id":1,"n":10}"#, None),
            entry(2, r#"{"id":1,"n":11}"#, Some(r#"{"n":10}"#)),
        ]
    );
}

#[tokio::test]
async fn triggers_fire_for_a_replication_role_too() {
    let items = Watched::items(Postgres, "create table items (id int primary key)").await;
    let logged = items
        .logged(
            "set session_replication_role = replica; insert into items values (1); truncate items",
        )
        .await;
    assert_eq!(logged.len(), 2);
}

#[tokio::test]
async fn partitions_are_logged_however_they_are_written() {
    let items = Watched::items(Postgres, PARTITIONED).await;
    let rows = |logged: Vec<Logged>| -> Vec<(i32, String)> {
        logged
            .into_iter()
            .map(|one| (one.action, one.row))
            .collect()
    };
    let row = |action, id: i32| (action, format!("{{\"id\":{id},\"n\":1,\"b\":null}}"));
    assert_eq!(
        rows(
            items
                .logged(
                    "insert into items values (1, 1), (101, 1); insert into low values (2, 1);
             insert into high values (null, 1, 102)"
                )
                .await
        ),
        [row(1, 1), row(1, 101), row(1, 2), row(1, 102)]
    );
    assert_eq!(
        items
            .logged("update items set n = 1; update high set n = 1")
            .await,
        []
    );
    let logged = items.logged("update high set n = 2 where id = 102").await;
    assert_eq!(logged[0].row, r#"{"id":102,"n":2,"b":null}"#);
    assert_eq!(logged[0].old.as_deref(), Some(r#"{"n":1}"#));
    // PostgreSQL moves a row to another partition by a DELETE and an INSERT.
    let moved = rows(items.logged("update items set id = 103 where id = 1").await);
    assert_eq!(moved, [row(3, 1), row(1, 103)]);
    assert_eq!(rows(items.logged("truncate low").await), [row(3, 2)]);
    assert_eq!(items.logged("truncate items").await.len(), 3);
    assert!(items.installer.in_force(&wanted("items")).await.unwrap());
}

#[tokio::test]
async fn a_partition_that_came_later_is_logged_and_noticed() {
    let items = Watched::items(Postgres, PARTITIONED).await;
    items
        .run("create table later partition of items for values from (200) to (300)")
        .await;
    assert_eq!(
        items
            .logged("insert into later values (201, 1); insert into items values (202, 1)")
            .await
            .len(),
        2
    );
    assert_eq!(items.logged("truncate items").await.len(), 2);
    assert!(!items.installer.in_force(&wanted("items")).await.unwrap());
    assert_eq!(
        items.install(&wanted("items")).await.unwrap().1,
        Installed::Changed
    );
    assert_eq!(
        items
            .logged("insert into later values (201, 1); truncate later")
            .await
            .len(),
        2
    );
    // A partition whose triggers somebody disabled is mended.
    items.run("alter table low disable trigger all").await;
    assert!(!items.installer.in_force(&wanted("items")).await.unwrap());
    items.install(&wanted("items")).await.unwrap();
    assert_eq!(
        items
            .logged("insert into low values (1, 1); truncate low")
            .await
            .len(),
        2
    );
    items
        .installer
        .uninstall(&wanted("items").name)
        .await
        .unwrap();
    assert_eq!(
        items
            .tell("select count(*)::text from pg_trigger where tgname like ' rowhook%'")
            .await
            .unwrap(),
        "0"
    );
}

#[tokio::test]
async fn the_application_goes_on_when_the_table_changes_under_the_triggers() {
    let items = Watched::items(
        Postgres,
        "create table items (id int primary key, n int, t text, secret text, b bytea)",
    )
    .await;
    // One connection, so that the functions were already compiled when the table changes.
    let logged = items
        .logged(
            r"insert into items values (1, 1, 'a', 's', '\x00');
             update items set n = 2;
             alter table items alter column n type text using n::text;
             update items set n = 'two';
             alter table items drop column t;
             update items set n = 'three';
             alter table items rename column secret to hidden;
             update items set hidden = 'x', n = 'four';
             alter table items add column more int;
             update items set more = 1;
             alter table items rename to renamed;
             update renamed set n = 'five';
             truncate renamed",
        )
        .await;
    let seen: Vec<_> = logged.iter().map(|one| (one.action, one.old())).collect();
    assert_eq!(
        seen,
        [
            (1, json!(null)),
            (2, json!({"n": 1})),
            (2, json!({"n": "2"})),
            (2, json!({"n": "two"})),
            (2, json!({"n": "three"})),
            (2, json!({"n": "four"})),
            (3, json!(null)),
        ]
    );
    assert_eq!(logged[4].row()["n"], json!("four"));
    assert!(!logged[4].row.contains("hidden"), "{}", logged[4].row);
}
