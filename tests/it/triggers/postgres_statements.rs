//! PostgreSQL: each statement that can write a row is logged row by row, in the order in which the rows
//! changed.

use rowhook::store::sql::db::Dialect::Postgres;
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::support::Watched;
use crate::support::house::psql;

const ITEMS: &str = "create table items (id int primary key, n int, t text)";

async fn items() -> Watched {
    Watched::items(Postgres, ITEMS).await
}

#[tokio::test]
async fn bulk_statements_log_each_row() {
    let items = items().await;
    let all = items
        .told(
            "insert into items select g, 0, repeat('x', g % 7) from generate_series(1, 2000) g;
             update items set n = id % 3; update items set t = t where id < 1000;
             delete from items where id % 2 = 0",
        )
        .await;
    // Of the updates each third found its 0 already there.
    assert_eq!(all.len(), 2000 + 1334 + 1000);
    assert_eq!(all[2000], r#"~1{"n":0}"#);
    assert!(all[3334..].iter().all(|one| one.starts_with('-')));
    items.run("delete from items").await;
    items.compare().await;
}

#[tokio::test]
async fn copy_is_an_insert_of_each_row() {
    let items = items().await;
    psql(
        &items.database.url,
        "copy items from stdin;\n1\t5\tfive\n2\t\\N\t\\N\n\\.\n\
         begin;\ncopy items (id, t) from stdin with (format csv, freeze false);\n3,\"a,b\"\n\\.\ncommit;\n\
         begin;\ncopy items (id) from stdin;\n4\n\\.\nrollback;\n",
    );
    let told = items.told("").await;
    assert_eq!(told, [""; 0]);
    let rows: Vec<String> = items.log().await.into_iter().map(|one| one.row).collect();
    assert_eq!(
        rows,
        [
            r#"{"id":1,"n":5,"t":"five"}"#,
            r#"{"id":2,"n":null,"t":null}"#,
            r#"{"id":3,"n":null,"t":"a,b"}"#
        ]
    );
}

#[tokio::test]
async fn upserts_are_what_they_did() {
    let items = items().await;
    assert_eq!(
        items
            .told(
                "insert into items values (1, 1, 'a'), (2, 2, 'b');
                 insert into items values (1, 9, 'z'), (3, 3, 'c') on conflict do nothing;
                 insert into items values (1, 9, 'a'), (4, 4, 'd') on conflict (id) do update set n = excluded.n;
                 insert into items values (1, 9, 'a') on conflict (id) do update set n = excluded.n;
                 insert into items values (2, 0, 'b') on conflict (id) do update set n = 8 where items.n = 7;
                 insert into items values (2, 0, 'b') on conflict (id) do update set id = 20, t = null"
            )
            .await,
        [
            "+1",
            "+2",
            "+3",
            r#"~1{"n":1}"#,
            "+4",
            r#"~20{"id":2,"t":"b"}"#,
        ]
    );
}

#[tokio::test]
async fn merge_is_what_it_did() {
    let items = items().await;
    let version = items
        .tell("select current_setting('server_version_num')")
        .await;
    if version.unwrap().parse::<u32>().unwrap() < 150_000 {
        return;
    }
    assert_eq!(
        items
            .told(
                "insert into items values (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c');
                 merge into items i using (values (1, 10), (2, 2), (3, null), (4, 40)) as s (id, n) on i.id = s.id
                 when matched and s.n is null then delete
                 when matched then update set n = s.n
                 when not matched then insert values (s.id, s.n, 'new')"
            )
            .await,
        ["+1", "+2", "+3", r#"~1{"n":1}"#, "-3", "+4"]
    );
}

#[tokio::test]
async fn one_statement_can_write_several_times() {
    let items = items().await;
    assert_eq!(
        items
            .told(
                "insert into items values (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c');
                 with gone as (delete from items where id = 1 returning *),
                      more as (insert into items select id + 10, n, t from gone returning *)
                 update items set n = more.n from more where items.id = 2;
                 update items set t = o.t from items as o where o.id = items.id + 1;
                 delete from items using (values (3)) as v (id) where items.id = v.id"
            )
            .await,
        [
            "+1",
            "+2",
            "+3",
            "-1",
            "+11",
            r#"~2{"n":2}"#,
            r#"~2{"t":"b"}"#,
            "-3"
        ]
    );
}

#[tokio::test]
async fn views_rules_and_functions_are_ways_to_the_same_rows() {
    let items = items().await;
    items
        .run(
            "create view small as select id, n from items where n < 100 with check option;
             create view doubled as select id, n * 2 as m from items;
             create function undouble() returns trigger language plpgsql as $$ begin
                 if tg_op = 'INSERT' then insert into items values (new.id, new.m / 2); return new; end if;
                 if tg_op = 'UPDATE' then update items set n = new.m / 2 where id = old.id; return new; end if;
                 delete from items where id = old.id; return old;
             end $$;
             create trigger undouble instead of insert or update or delete on doubled
                 for each row execute function undouble();
             create table inbox (id int, n int);
             create rule passed as on insert to inbox do instead insert into items values (new.id, new.n);
             create rule also as on delete to inbox do also delete from items where id = old.id;
             create function made(int) returns int language sql as 'insert into items values ($1, 0) returning id';
             create procedure twice(int) language plpgsql as $$ begin
                 update items set n = n + 1 where id = $1; commit; update items set n = n + 1 where id = $1;
             end $$",
        )
        .await;
    assert_eq!(
        items
            .told(
                "insert into small values (1, 1); update small set n = 2; delete from small;
                 insert into doubled values (2, 8); update doubled set m = 10; delete from doubled where m = 10;
                 insert into inbox values (3, 3); alter table inbox disable rule passed;
                 insert into inbox values (3, 3); delete from inbox;
                 select made(4), made(5)"
            )
            .await,
        [
            "+1", r#"~1{"n":1}"#, "-1", "+2", r#"~2{"n":4}"#, "-2", "+3", "-3", "+4", "+5"
        ]
    );
    assert_eq!(
        items.told("call twice(4)").await,
        [r#"~4{"n":0}"#, r#"~4{"n":1}"#]
    );
}

#[tokio::test]
async fn what_an_exception_block_took_back_is_not_logged() {
    let items = items().await;
    assert_eq!(
        items
            .told(
                "do $$ begin
                     insert into items values (1, 1);
                     begin
                         update items set n = 2; insert into items values (2, 2); insert into items values (1, 1);
                     exception when unique_violation then
                         insert into items values (3, 3);
                     end;
                     begin update items set n = 7 where id = 3; exception when others then null; end;
                 end $$;
                 begin; savepoint a; delete from items; rollback to a; release a;
                 savepoint b; update items set n = 4 where id = 1; release b; commit"
            )
            .await,
        ["+1", "+3", r#"~3{"n":3}"#, r#"~1{"n":1}"#]
    );
    let failing = "update items set n = 5; select 1 / 0";
    assert!(items.app.execute_unprepared(failing).await.is_err());
    assert_eq!(items.told("").await, [""; 0]);
}

#[tokio::test]
async fn a_prepared_transaction_is_logged_when_it_commits() {
    let items = items().await;
    let name = items.database.url.rsplit('/').next().unwrap();
    items
        .run(&format!(
            "begin; insert into items values (1, 1); truncate items; insert into items values (2, 2);
             prepare transaction '{name}'"
        ))
        .await;
    assert_eq!(items.log().await, []);
    items.run(&format!("commit prepared '{name}'")).await;
    assert_eq!(items.told("").await, [""; 0]);
    assert_eq!(items.log().await.len(), 3);
}

#[tokio::test]
async fn keys_can_be_swapped_and_passed_on_in_one_statement() {
    let items = Watched::items(
        Postgres,
        "create table items (id int primary key deferrable initially immediate, t text)",
    )
    .await;
    items
        .run("insert into items values (1, 'a'), (2, 'b'), (3, 'c')")
        .await;
    assert_eq!(
        items
            .told("update items set id = 3 - id where id < 3")
            .await,
        [r#"~2{"id":1}"#, r#"~1{"id":2}"#]
    );
    assert_eq!(
        items.told("update items set id = id + 1").await,
        [r#"~4{"id":3}"#, r#"~3{"id":2}"#, r#"~2{"id":1}"#]
    );
    assert_eq!(
        items
            .told(
                "begin; set constraints all deferred; update items set id = 3 where id = 4;
                 update items set id = 4 where t = 'a'; commit"
            )
            .await,
        [r#"~3{"id":4}"#, r#"~4{"id":3}"#]
    );
}

#[tokio::test]
async fn each_writer_is_logged_after_the_one_it_waited_for() {
    let items = items().await;
    items.run("insert into items values (1, 0)").await;
    let first = items.app.begin().await.unwrap();
    first
        .execute_unprepared("update items set n = n + 1")
        .await
        .unwrap();
    let waiting = items.run("update items set n = n + 10");
    let committing = async {
        items
            .wait_for("exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())")
            .await;
        first.commit().await.unwrap();
    };
    tokio::join!(waiting, committing);
    items.compare().await;
    let log = items.log().await;
    assert_eq!(log[2].row, r#"{"id":1,"n":11,"t":null}"#);
    assert_eq!(log[2].old.as_deref(), Some(r#"{"n":1}"#));
}
