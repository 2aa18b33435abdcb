//! PostgreSQL: TRUNCATE deletes what is there when it has its lock, whatever its transaction can see.

use rowhook::{
    domain::resource::OnTruncate,
    store::{
        catalogue::ResourceInstaller,
        sql::{
            catalogue::SqlResourceInstaller,
            db::{Db, Dialect::Postgres},
        },
    },
};
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::support::{Logged, PARTITIONED, Watched, attempt, wanted};

/// The isolation levels under which a transaction keeps the snapshot of its first statement.
const STALE: [&str; 2] = ["repeatable read", "serializable"];

/// What was deleted since, by the first column and in its order.
fn deleted(logged: &[Logged]) -> Vec<i64> {
    let deletions = logged.iter().filter(|one| one.action == 3);
    let mut ids: Vec<i64> = deletions
        .map(|one| one.row()["id"].as_i64().unwrap())
        .collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn rows_that_a_stale_snapshot_does_not_show_are_deleted_too() {
    for level in STALE {
        let items = Watched::items(
            Postgres,
            "create table items (id int primary key, n int, at timestamptz default '2026-01-01 00:00+00')",
        )
        .await;
        items
            .run("insert into items select g, 0 from generate_series(1, 4) g")
            .await;
        let stale = items.app.begin().await.unwrap();
        stale
            .execute_unprepared(&format!(
                "set transaction isolation level {level}; set local timezone = 'Asia/Kolkata';
                 insert into items values (10, 0); select count(*) from items"
            ))
            .await
            .unwrap();
        // Others insert, change and delete, and commit, after its snapshot.
        items
            .run("insert into items values (5, 0); update items set n = 1 where id in (1, 5); delete from items where id = 2")
            .await;
        items
            .run("begin; insert into items values (6, 0); rollback")
            .await;
        stale
            .execute_unprepared("update items set n = 2 where id = 3; truncate items; insert into items values (7, 0)")
            .await
            .unwrap();
        stale.commit().await.unwrap();
        assert_eq!(deleted(&items.log().await), [1, 2, 3, 4, 5, 10], "{level}");
        // Each with what stood in it, so that whoever follows has what is left: row 7.
        items.compare().await;
        assert_eq!(
            items
                .tell("select count(*)::text from items")
                .await
                .unwrap(),
            "1"
        );
        let leftover = "select count(*)::text from rowhook.fresh_reads";
        assert_eq!(items.tell(leftover).await.unwrap(), "0");
    }
}

#[tokio::test]
async fn a_truncate_that_waited_sees_what_it_waited_for() {
    for level in ["read committed", "repeatable read", "serializable"] {
        let items =
            Watched::items(Postgres, "create table items (id int primary key, n int)").await;
        items.run("insert into items values (1, 0), (2, 0)").await;
        let writer = items.app.begin().await.unwrap();
        writer
            .execute_unprepared("insert into items values (3, 0); update items set n = 1 where id = 1; delete from items where id = 2")
            .await
            .unwrap();
        let truncating = async {
            let truncating = items.app.begin().await.unwrap();
            let sql = format!("set transaction isolation level {level}; select 1; truncate items");
            truncating.execute_unprepared(&sql).await.unwrap();
            truncating.commit().await.unwrap();
        };
        let committing = async {
            items
                .wait_for("exists (select from pg_locks where not granted and relation = 'items'::regclass)")
                .await;
            writer.commit().await.unwrap();
        };
        tokio::join!(truncating, committing);
        assert_eq!(deleted(&items.log().await), [1, 2, 3], "{level}");
        items.compare().await;
    }
}

#[tokio::test]
async fn partitions_that_a_stale_snapshot_does_not_show_are_read_too() {
    for level in STALE {
        let items = Watched::items(Postgres, PARTITIONED).await;
        items.run("insert into items values (1, 1), (101, 1)").await;
        let stale = items.app.begin().await.unwrap();
        stale
            .execute_unprepared(&format!(
                "set transaction isolation level {level}; select 1"
            ))
            .await
            .unwrap();
        items
            .run(
                "create table later partition of items for values from (200) to (300);
                 insert into items values (2, 1), (201, 1); update items set n = 5 where id = 101",
            )
            .await;
        stale.execute_unprepared("truncate items").await.unwrap();
        stale.commit().await.unwrap();
        assert_eq!(deleted(&items.log().await), [1, 2, 101, 201], "{level}");
        items.compare().await;

        let stale = items.app.begin().await.unwrap();
        stale
            .execute_unprepared(&format!(
                "set transaction isolation level {level}; select 1"
            ))
            .await
            .unwrap();
        items.run("insert into items values (3, 1), (103, 1)").await;
        stale.execute_unprepared("truncate low").await.unwrap();
        stale.commit().await.unwrap();
        items.compare().await;
        assert_eq!(
            items
                .tell("select count(*)::text from items")
                .await
                .unwrap(),
            "1"
        );
    }
}

#[tokio::test]
async fn a_table_that_has_changed_under_the_triggers_is_read_as_it_is() {
    let items = Watched::items(
        Postgres,
        "create table items (id int primary key, t int, b text, j json)",
    )
    .await;
    items
        .run(r#"insert into items values (1, 1, 'b', '"\u0000\u0000\\u0000"'), (2, 2, 'b', null)"#)
        .await;
    items.run("alter table items drop column b").await;
    items.run_at("repeatable read", "truncate items").await;
    let log = items.log().await;
    assert_eq!(log[2].row, r#"{"id":1,"t":1,"j":"\ufffd\ufffd\\u0000"}"#);
    assert_eq!(log.len(), 4);
    let logged = items
        .logged("insert into items values (3, 3); truncate items")
        .await;
    assert_eq!(logged[1].row, r#"{"id":3,"t":3,"j":null}"#);
}

#[tokio::test]
async fn where_foreign_keys_do_not_act_a_stale_truncate_is_refused() {
    let items = Watched::items(Postgres, "create table items (id int primary key)").await;
    items.run("insert into items values (1)").await;
    let refused = "set local session_replication_role = replica; truncate items";
    let error = attempt(&items.app, "serializable", refused)
        .await
        .unwrap_err();
    assert!(
        error.contains("can not log TRUNCATE of public.items"),
        "{error}"
    );
    assert_eq!(
        items
            .tell("select count(*)::text from items")
            .await
            .unwrap(),
        "1"
    );
    items
        .run("begin; set local session_replication_role = replica; truncate items; commit")
        .await;
    items.compare().await;
}

#[tokio::test]
async fn a_cascade_deletes_the_rows_of_every_table_it_empties() {
    for level in ["read committed", "repeatable read"] {
        let items = Watched::items(
            Postgres,
            "create table items (id int generated by default as identity primary key);
             create table parts (id int primary key, item int references items);
             create table notes (id int primary key, part int references parts)",
        )
        .await;
        let mut versions = Vec::new();
        for (name, table) in [("PART", "parts"), ("NOTE", "notes")] {
            let mut one = wanted(table);
            one.name = name.parse().unwrap();
            versions.push((items.install(&one).await.unwrap().0.id.0, table));
        }
        items
            .run(
                "insert into items default values; insert into items default values;
                 insert into parts values (5, 1), (6, 2); insert into notes values (7, 5)",
            )
            .await;
        items
            .run_at(
                level,
                "truncate items restart identity cascade; insert into items default values",
            )
            .await;
        items.compare().await;
        for (version, table) in versions {
            items.compare_version(version, table).await;
        }
        let log = items.log().await;
        assert_eq!(deleted(&log), [1, 2, 5, 6, 7], "{level}");
        assert_eq!(log.last().unwrap().row, r#"{"id":1}"#);
    }
}

#[tokio::test]
async fn what_is_rolled_back_was_no_truncate() {
    let items = Watched::items(Postgres, "create table items (id int primary key)").await;
    items.run("insert into items values (1)").await;
    items.run("begin; truncate items; rollback").await;
    items
        .run_at(
            "repeatable read",
            "savepoint s; truncate items; rollback to s",
        )
        .await;
    assert_eq!(items.log().await.len(), 1);
    // An empty table has nothing to tell; one that was filled and emptied in one transaction has.
    items.run("truncate items; truncate items").await;
    items
        .run("begin; insert into items values (2); truncate items; insert into items values (2); commit")
        .await;
    assert_eq!(deleted(&items.log().await), [1, 2]);
    items.compare().await;
}

#[tokio::test]
async fn each_setting_holds_for_partitions_and_stale_snapshots() {
    let mut one = wanted("items");
    one.on_truncate = OnTruncate::Refuse;
    let items = Watched::with(Postgres, PARTITIONED, &one).await;
    items.run("insert into items values (1, 1), (101, 1)").await;
    for truncate in ["truncate items", "truncate low", "truncate items cascade"] {
        for level in ["read committed", "repeatable read"] {
            let error = attempt(&items.app, level, truncate).await.unwrap_err();
            assert!(error.contains("ITEM refuses TRUNCATE"), "{error}");
        }
    }
    one.on_truncate = OnTruncate::Ignore;
    items.install(&one).await.unwrap();
    let before = items.log().await.len();
    items
        .run_at("serializable", "truncate low; truncate items")
        .await;
    assert_eq!(items.log().await.len(), before);
    one.on_truncate = OnTruncate::Rows;
    items.install(&one).await.unwrap();
    items.run("insert into items values (2, 1)").await;
    items.run_at("serializable", "truncate items").await;
    assert_eq!(deleted(&items.log().await), [2]);
    items.installer.uninstall(&one.name).await.unwrap();
    let left = "select count(*)::text from pg_proc where proname like '%_item' and pronamespace = 'rowhook'::regnamespace";
    assert_eq!(items.tell(left).await.unwrap(), "0");
}

#[tokio::test]
async fn a_policy_that_binds_the_owner_too_stops_a_truncate_that_could_not_be_logged() {
    let owner = format!("it_owner_{}", std::process::id());
    let items = Watched::database(
        Postgres,
        &format!(
            "create role {owner} login; grant all on schema rowhook, public to {owner};
             grant all on all tables in schema rowhook to {owner}; create table items (id int primary key);
             alter table items owner to {owner}"
        ),
    )
    .await;
    let (head, tail) = items.database.url.split_once("rowhook@").unwrap();
    let url = format!("{head}{owner}@{tail}");
    let db = Db::connect(&url, 2).await.unwrap();
    let installer = SqlResourceInstaller::new(db.clone());
    installer.install(&wanted("public.items")).await.unwrap();
    // An owner who is no superuser: the rows are found, under a stale snapshot too.
    items.run("insert into items values (1), (2)").await;
    items.run_at("repeatable read", "truncate items").await;
    assert_eq!(deleted(&items.log().await), [1, 2]);
    items
        .run(
            "insert into items values (3); alter table items enable row level security, force row level security;
             create policy none on items using (false) with check (true)",
        )
        .await;
    for level in ["read committed", "repeatable read"] {
        match attempt(db.raw(), level, "truncate public.items").await {
            Err(error) => assert!(error.contains("row-level security policy"), "{error}"),
            // A foreign key's action is not bound.
            Ok(()) => assert_eq!(deleted(&items.log().await), [1, 2, 3]),
        }
    }
    db.close().await.unwrap();
    items
        .run(&format!(
            "reassign owned by {owner} to current_user; drop owned by {owner}; drop role {owner}"
        ))
        .await;
}
