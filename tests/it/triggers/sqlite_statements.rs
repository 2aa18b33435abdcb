//! SQLite: each statement that can write a row is logged row by row, in the order in which the rows changed.

use rowhook::store::sql::db::Dialect::Sqlite;

use super::support::{Watched, wanted};

#[tokio::test]
async fn statements_log_what_they_did() {
    let kinds = ["integer primary key", "text primary key", "int primary key"];
    for (kind, more) in kinds.into_iter().zip(["", " without rowid", " strict"]) {
        let items = Watched::items(
            Sqlite,
            &format!("create table items (id {kind}, n integer, twice integer as (n * 2)){more}"),
        )
        .await;
        let told = items
            .told(
                "insert into items (id, n) values (1, 1), (2, 2), (3, 3);
                 insert into items (id, n) values (1, 9), (4, 4) on conflict do nothing;
                 insert into items (id, n) values (1, 9), (5, 5) on conflict (id) do update set n = excluded.n;
                 insert into items (id, n) values (1, 9) on conflict (id) do update set n = excluded.n;
                 insert or ignore into items (id, n) values (2, 0); update or ignore items set id = 2 where id = 3;
                 update items set n = n; update items set id = 30, n = 31 where id = 3;
                 update items set n = o.n + 1 from items as o where items.id = 2 and o.id = 5;
                 delete from items where id in (1, 2); delete from items",
            )
            .await;
        let seen: Vec<String> = told.iter().map(|one| one.replace('"', "")).collect();
        assert_eq!(
            seen,
            [
                "+1",
                "+2",
                "+3",
                "+4",
                "~1{n:1,twice:2}",
                "+5",
                "~30{id:3,n:3,twice:6}",
                "~2{n:2,twice:4}",
                "-1",
                "-2",
                // In the order of the key, which is a text in one of them.
                seen[10].as_str(),
                seen[11].as_str(),
                seen[12].as_str(),
            ],
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_passed_on_is_followed() {
    let schema = "create table items (id integer primary key, t text)";
    let items = Watched::items(Sqlite, schema).await;
    // SQLite checks each row, so a swap takes three statements.
    let logged = items
        .logged(
            "insert into items values (1, 'a'), (2, 'b');
             begin; update items set id = -1 where id = 1; update items set id = 1 where id = 2;
             update items set id = 2 where id = -1; commit",
        )
        .await;
    let old: Vec<_> = logged.iter().map(|one| one.old()["id"].clone()).collect();
    assert_eq!(old[2..], [1, 2, -1]);
    items.compare().await;
}

#[tokio::test]
async fn foreign_keys_actions_are_changes_of_the_rows_that_they_reach() {
    let items = Watched::database(
        Sqlite,
        "create table owners (id integer primary key);
         create table items (id integer primary key,
             a integer references owners on delete cascade on update cascade,
             b integer references owners on delete set null on update set null,
             c integer default 1 references owners on delete set default,
             parent integer references items on delete cascade on update cascade)",
    )
    .await;
    items.install(&wanted("items")).await.unwrap();
    items
        .run("insert into owners values (1), (2), (3), (4), (5)")
        .await;
    assert_eq!(
        items
            .told(
                "insert into items values (1, 2, null, 1, null), (2, null, 3, 1, null), (3, null, null, 4, 2),
                     (4, 5, 5, 1, 3);
                 delete from owners where id = 2; delete from owners where id = 3; delete from owners where id = 4;
                 update owners set id = 50 where id = 5; update items set id = id + 10;
                 delete from items where id = 12"
            )
            .await
            .len(),
        4 + 1 + 1 + 1 + 2 + 3 + 2 + 3
    );
}

#[tokio::test]
async fn a_users_triggers_may_change_the_row_again_or_delete_it() {
    let items = Watched::items(
        Sqlite,
        "create table items (id integer primary key, n integer);
         create trigger again after update on items when new.n between 1 and 3
             begin update items set n = new.n + 1 where id = new.id; end;
         create trigger gone after insert on items when new.n = 7
             begin delete from items where id = new.id; end;
         create trigger next after update on items when new.n = 20
             begin update items set n = 21 where id > new.id; end",
    )
    .await;
    assert_eq!(
        items
            .told(
                "insert into items values (1, 0), (2, 7), (3, 3); update items set n = 1 where id = 1;
                 update items set n = 5"
            )
            .await,
        [
            "+1",
            "+2",
            "-2",
            "+3",
            r#"~1{"n":0}"#,
            r#"~1{"n":1}"#,
            r#"~1{"n":2}"#,
            r#"~3{"n":3}"#
        ]
    );
    // Rows that a trigger changed before the statement came to them.
    items.told("update items set n = 20").await;
}
