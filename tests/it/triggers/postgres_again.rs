//! PostgreSQL: rows that change because others did, by foreign keys and by the user's own triggers, and
//! that change again while the statement that changed them first still runs.

use rowhook::store::sql::db::Dialect::Postgres;

use super::support::{Watched, wanted};

#[tokio::test]
async fn foreign_keys_actions_are_changes_of_the_rows_that_they_reach() {
    let items = Watched::items(
        Postgres,
        "create table owners (id int primary key);
         create table items (id int primary key,
             a int references owners on delete cascade on update cascade,
             b int references owners on delete set null on update set null,
             c int default 1 references owners on delete set default on update set default);
         create table parts (id int primary key, item int references items on delete cascade on update cascade);
         insert into owners select generate_series(1, 9)",
    )
    .await;
    let mut parts = wanted("parts");
    parts.name = "PART".parse().unwrap();
    let (part, _) = items.install(&parts).await.unwrap();
    assert_eq!(
        items
            .told(
                "insert into items values (1, 2, null, 1), (2, null, 3, 1), (3, null, null, 4), (4, 5, 5, 5);
                 delete from owners where id = 2; delete from owners where id = 3; delete from owners where id = 4;
                 update owners set id = 50 where id = 5"
            )
            .await,
        [
            "+1",
            "+2",
            "+3",
            "+4",
            "-1",
            r#"~2{"b":3}"#,
            r#"~3{"c":4}"#,
            r#"~4{"a":5}"#,
            r#"~4{"b":5}"#,
            r#"~4{"c":5}"#,
        ]
    );
    items
        .run(
            "insert into parts select g, 4 from generate_series(1, 3) g; update items set id = 40 where id = 4;
             delete from owners where id = 50",
        )
        .await;
    items.compare_version(part.id.0, "parts").await;
    let log = items.log().await;
    let log = log.iter().filter(|one| one.resource == part.id.0);
    let actions: Vec<i32> = log.map(|one| one.action).collect();
    assert_eq!(actions, [1, 1, 1, 2, 2, 2, 3, 3, 3]);
}

#[tokio::test]
async fn a_table_that_refers_to_itself_is_logged_in_order() {
    let items = Watched::items(
        Postgres,
        "create table items (id int primary key, parent int references items on delete cascade on update cascade)",
    )
    .await;
    items
        .run("insert into items select g, nullif(g / 2, 0) from generate_series(1, 15) g")
        .await;
    let told = items.told("update items set id = id + 100").await;
    assert_eq!(told.len(), 15 + 14);
    let told = items.told("delete from items where id = 102").await;
    assert_eq!(told.len(), 7);
    assert_eq!(told[0], "-102");
    items.told("delete from items where id % 3 = 0").await;
}

#[tokio::test]
async fn a_users_trigger_may_change_the_row_before() {
    let items = Watched::items(
        Postgres,
        "create table items (id int primary key, n int, seen int default 0);
         create function before() returns trigger language plpgsql as $$ begin
             if tg_op = 'DELETE' then
                 if old.n < 0 then return null; end if;
                 return old;
             end if;
             if new.n = 13 then return null; end if;
             new.seen := new.seen + 1; return new;
         end $$;
         create trigger z before insert or update or delete on items for each row execute function before()",
    )
    .await;
    assert_eq!(
        items
            .told(
                "insert into items values (1, 1), (2, 13), (3, -3); update items set n = n; update items set n = 13;
                 delete from items"
            )
            .await,
        ["+1", "+3", r#"~1{"seen":1}"#, r#"~3{"seen":1}"#, "-1"]
    );
    // One that puts back what the statement changed.
    items
        .run(
            "create function undone() returns trigger language plpgsql as $$ begin return old; end $$;
             create trigger zz before update on items for each row execute function undone()",
        )
        .await;
    assert_eq!(items.told("update items set n = 9").await, [""; 0]);
}

#[tokio::test]
async fn a_users_trigger_may_change_the_row_again_or_delete_it() {
    let items = Watched::items(
        Postgres,
        r#"create table items (id int primary key, n int);
         create function after() returns trigger language plpgsql as $$ begin
             if new.n between 1 and 3 then update items set n = n + 1 where id = new.id; end if;
             if new.n = 4 then update items set id = -new.id, n = 0 where id = new.id; end if;
             if new.n = 7 then delete from items where id = new.id; end if;
             if new.n = 8 then
                 delete from items where id = new.id; insert into items values (new.id, 9);
             end if;
             return null;
         end $$;
         create trigger "!" after insert or update on items for each row execute function after()"#,
    )
    .await;
    assert_eq!(
        items.told("insert into items values (1, 2), (2, 7)").await,
        [
            "+1",
            r#"~1{"n":2}"#,
            r#"~1{"n":3}"#,
            r#"~-1{"id":1,"n":4}"#,
            "+2",
            "-2"
        ]
    );
    assert_eq!(
        items.told("update items set n = 8").await,
        [r#"~-1{"n":0}"#, "--1", "+-1"]
    );
    assert_eq!(
        items
            .told("insert into items values (-1, 1) on conflict (id) do update set n = 7")
            .await,
        [r#"~-1{"n":9}"#, "--1"]
    );
}

#[tokio::test]
async fn deferred_triggers_write_at_commit() {
    let items = Watched::items(
        Postgres,
        "create table items (id int primary key, n int);
         create function late() returns trigger language plpgsql as $$ begin
             update items set n = n * 10 where id = new.id; return null;
         end $$;
         create constraint trigger late after insert on items deferrable initially deferred
             for each row execute function late()",
    )
    .await;
    assert_eq!(
        items
            .told(
                "begin; insert into items values (1, 1), (2, 2); update items set n = 3 where id = 1;
                 delete from items where id = 2; commit"
            )
            .await,
        ["+1", "+2", r#"~1{"n":1}"#, "-2", r#"~1{"n":3}"#]
    );
}

#[tokio::test]
async fn statement_triggers_come_after_all_rows() {
    let items = Watched::items(
        Postgres,
        r#"create table items (id int primary key, n int);
         create function total() returns trigger language plpgsql as $$ begin
             update items set n = (select sum(n) from items where id <> 0) where id = 0; return null;
         end $$;
         create trigger " " after insert or update or delete on items for each statement
             when (pg_trigger_depth() = 0) execute function total()"#,
    )
    .await;
    assert_eq!(
        items
            .told("insert into items values (0, 0), (1, 1), (2, 2); update items set n = n + 1")
            .await,
        [
            "+0",
            "+1",
            "+2",
            r#"~0{"n":0}"#,
            r#"~1{"n":1}"#,
            r#"~2{"n":2}"#,
            r#"~0{"n":3}"#,
            r#"~0{"n":4}"#,
        ]
    );
}
