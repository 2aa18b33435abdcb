//! PostgreSQL: what the installer touches and what it leaves alone, roles and locks.

use std::time::{Duration, Instant};

use rowhook::store::{
    catalogue::{InstallError, Installed, ResourceInstaller},
    sql::{
        catalogue::{LockPatience, SqlResourceInstaller},
        db::{Db, Dialect::Postgres},
    },
};
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::support::{PARTITIONED, Watched, wanted};

#[tokio::test]
async fn what_is_no_table_of_the_users_is_refused() {
    let items = Watched::database(
        Postgres,
        "create table items (id int); create temporary table tt (id int); create view v as select 1 as id;
         create materialized view m as select 1 as id; create sequence s; create type ct as (id int);
         create foreign data wrapper far; create server there foreign data wrapper far;
         create foreign table f (id int) server there; create index i on items (id)",
    )
    .await;
    let temporary = "select relnamespace::regnamespace || '.tt' from pg_class where relname = 'tt'";
    let temporary = items.tell(temporary).await.unwrap();
    for (table, reason) in [
        (
            temporary.as_str(),
            "it is a temporary table, which nobody else can see",
        ),
        ("v", "it is a view; watch the tables it reads"),
        ("m", "it is a view; watch the tables it reads"),
        (
            "f",
            "it is a foreign table, whose changes are made elsewhere",
        ),
        ("s", "it is no table"),
        ("ct", "it is no table"),
        ("i", "it is no table"),
        ("pg_class", "it is a system table"),
        ("pg_catalog.pg_proc", "it is a system table"),
        ("information_schema.tables", "it is a system table"),
        ("rowhook.events", "it is one of rowhook's own tables"),
    ] {
        let mut keyed = wanted(table);
        keyed.key = vec!["id".into()];
        let error = items.install(&keyed).await.unwrap_err();
        assert!(
            matches!(error, InstallError::Unwatchable { .. }),
            "{table}: {error}"
        );
        assert!(error.to_string().contains(reason), "{table}: {error}");
    }
    let error = items.install(&wanted("items")).await.unwrap_err();
    assert!(
        matches!(&error, InstallError::NoKey { table, .. } if table == "public.items"),
        "{error}"
    );
    let mend = "name the columns that identify a row as `key`";
    assert!(error.to_string().contains(mend), "{error}");
    let mut keyed = wanted("items");
    keyed.key = vec!["id".into()];
    items.install(&keyed).await.unwrap();
}

#[tokio::test]
async fn installing_again_touches_nothing() {
    let items = Watched::items(Postgres, PARTITIONED).await;
    let state = "select string_agg(x, ';') from (
         select t.xmin::text || t.oid from pg_trigger t union all select p.xmin::text || p.oid from pg_proc p
         union all select c.xmin::text || c.relfilenode from pg_class c
         union all select r.xmin::text || r.id from rowhook.resources r) as s(x)";
    let before = items.tell(state).await;
    // Not even a lock that conflicts with a reader's or writer's.
    let writer = items.app.begin().await.unwrap();
    writer
        .execute_unprepared("lock table items in access exclusive mode")
        .await
        .unwrap();
    let wanted = wanted("items");
    let installing = tokio::time::timeout(Duration::from_secs(10), items.install(&wanted));
    let (_, installed) = installing.await.expect("it waits for a lock").unwrap();
    assert_eq!(installed, Installed::Unchanged);
    writer.rollback().await.unwrap();
    assert_eq!(items.tell(state).await, before);
}

#[tokio::test]
async fn a_new_version_alone_needs_no_lock_on_the_table() {
    let items = Watched::items(Postgres, "create table items (id int primary key, n int)").await;
    let writer = items.app.begin().await.unwrap();
    writer
        .execute_unprepared("insert into items values (1, 1)")
        .await
        .unwrap();
    let mut other = wanted("items");
    other.exclude = vec!["n".into()];
    items.install(&other).await.unwrap();
    writer.commit().await.unwrap();
}

#[tokio::test]
async fn whatever_was_altered_is_mended() {
    let items = Watched::items(Postgres, "create table items (id int primary key, n int)").await;
    for alteration in [
        "alter table items disable trigger user",
        "alter table items enable trigger all",
        "alter table items enable replica trigger \" rowhook_item\"",
        "drop trigger \" rowhook_item\" on items",
        "drop trigger \" rowhook_item_truncate\" on items",
        "create or replace trigger \" rowhook_item\" after insert or update or delete on items for each row
         when (pg_trigger_depth() = 0) execute function rowhook.log_item();
         alter table items enable always trigger \" rowhook_item\"",
        "create or replace trigger \" rowhook_item\" after insert or delete on items for each row
         execute function rowhook.log_item(); alter table items enable always trigger \" rowhook_item\"",
        "create trigger more after insert on items for each row execute function rowhook.log_item()",
        "grant execute on function rowhook.log_item() to public",
        "alter function rowhook.log_item() security invoker",
        "alter function rowhook.truncate_item() set search_path = public",
        "create or replace function rowhook.log_item() returns trigger language plpgsql security definer
         set search_path = pg_catalog, pg_temp as 'begin return null; end'",
        "drop function rowhook.log_item() cascade",
    ] {
        items.run(alteration).await;
        assert!(!items.installer.in_force(&wanted("items")).await.unwrap(), "{alteration}");
        assert_eq!(items.install(&wanted("items")).await.unwrap().1, Installed::Changed, "{alteration}");
        assert!(items.installer.in_force(&wanted("items")).await.unwrap(), "{alteration}");
        let logged = items
            .logged("insert into items values (1, 1); update items set n = n; update items set n = 2; truncate items")
            .await;
        assert_eq!(logged.iter().map(|one| one.action).collect::<Vec<_>>(), [1, 2, 3], "{alteration}");
    }
}

/// Another connection to the same database, as a role that exists for one test.
async fn connection_as(items: &Watched, role: &str) -> Db {
    let (head, tail) = items.database.url.split_once("rowhook@").unwrap();
    Db::connect(&format!("{head}{role}@{tail}"), 2)
        .await
        .unwrap()
}

/// A role of its own for a test; roles belong to the whole server.
fn role(kind: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "it_{kind}_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

#[tokio::test]
async fn a_role_that_may_write_the_table_can_not_touch_the_log() {
    let items = Watched::items(Postgres, "create table items (id int primary key, n int)").await;
    let writer = role("writer");
    items
        .run(&format!(
            "create role {writer} login; grant select, insert, update, delete, truncate on items to {writer};
             grant all on schema public to {writer}"
        ))
        .await;
    let as_writer = connection_as(&items, &writer).await;
    // Its changes are logged, though it has no right on anything of rowhook's.
    as_writer
        .raw()
        .execute_unprepared("insert into public.items values (1, 1); update public.items set n = 2; truncate public.items")
        .await
        .unwrap();
    assert_eq!(items.log().await.len(), 3);
    for forbidden in [
        "insert into rowhook.logged_actions (resource_id, action, row_data) values (1, 1, '{}')",
        "delete from rowhook.logged_actions",
        "truncate rowhook.logged_actions",
        "select rowhook.log_item()",
        "create table public.mine (id int, n int);
         create trigger t after insert on public.mine for each row execute function rowhook.log_item()",
        "alter table public.items disable trigger all",
    ] {
        let error = as_writer.raw().execute_unprepared(forbidden).await.unwrap_err();
        let words = error.to_string();
        assert!(
            words.contains("permission denied") || words.contains("must be owner"),
            "{forbidden}: {words}"
        );
    }
    // The function is closed by itself, not only by the schema around it.
    items
        .run(&format!("grant usage on schema rowhook to {writer}"))
        .await;
    let attached = "create trigger t after insert on public.theirs for each row execute function rowhook.log_item()";
    as_writer
        .raw()
        .execute_unprepared("create table public.theirs (id int, n int)")
        .await
        .unwrap();
    let error = as_writer
        .raw()
        .execute_unprepared(attached)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("permission denied for function"),
        "{error}"
    );
    // Not even with the right to execute it, as after a restore without privileges.
    items
        .run(&format!(
            "grant execute on function rowhook.log_item() to {writer}"
        ))
        .await;
    let forged = "create table public.mine (id int, n int);
         create trigger t after insert on public.mine for each row execute function rowhook.log_item();
         insert into public.mine values (1, 1)";
    let error = as_writer
        .raw()
        .execute_unprepared(forged)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("and of no other table"),
        "{error}"
    );
    assert_eq!(items.log().await.len(), 3);
    as_writer.close().await.unwrap();
    items
        .run(&format!("drop owned by {writer}; drop role {writer}"))
        .await;
}

#[tokio::test]
async fn a_role_without_the_right_is_told() {
    let items = Watched::database(Postgres, "create table items (id int primary key, n int)").await;
    let stranger = role("stranger");
    items
        .run(&format!(
            "create role {stranger} login; grant all on items to {stranger};
             grant all on schema rowhook to {stranger}; grant all on all tables in schema rowhook to {stranger}"
        ))
        .await;
    let as_stranger = connection_as(&items, &stranger).await;
    let installer = SqlResourceInstaller::new(as_stranger.clone());
    let error = installer
        .install(&wanted("public.items"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, InstallError::NoRight { detail, .. } if detail.contains("must be owner")),
        "{error}"
    );
    assert_eq!(items.db_versions().await, 0);
    // It is enough to own the table; nobody needs to be a superuser.
    items
        .run(&format!("alter table items owner to {stranger}"))
        .await;
    let wanted = wanted("public.items");
    assert_eq!(
        installer.install(&wanted).await.unwrap().1,
        Installed::Changed
    );
    assert_eq!(
        items
            .logged("insert into items values (1, 1); truncate items")
            .await
            .len(),
        2
    );
    assert_eq!(
        installer.uninstall(&wanted.name).await.unwrap(),
        Installed::Changed
    );
    items.run("alter table items owner to current_user").await;
    as_stranger.close().await.unwrap();
    items
        .run(&format!("drop owned by {stranger}; drop role {stranger}"))
        .await;
}

#[tokio::test]
async fn a_table_in_use_is_let_alone_after_the_last_try() {
    let items = Watched::database(Postgres, PARTITIONED).await;
    let patience = LockPatience {
        timeout: Duration::from_millis(150),
        tries: 3,
        pause: Duration::from_millis(20),
    };
    let hasty = SqlResourceInstaller::with_patience(items.db.clone(), patience);
    // Its transaction stays open, and so its lock.
    let holder = items.app.begin().await.unwrap();
    holder
        .execute_unprepared("insert into items values (1, 1)")
        .await
        .unwrap();
    let wanted = wanted("items");
    let installing = hasty.install(&wanted);
    let writing = async {
        // Others write all the while; none is held up for longer than the lock timeout and a bit.
        let mut longest = Duration::ZERO;
        for n in 2..60 {
            let started = Instant::now();
            items
                .run(&format!("insert into items values ({n}, 1)"))
                .await;
            longest = longest.max(started.elapsed());
        }
        longest
    };
    let (installed, longest) = tokio::join!(installing, writing);
    let error = installed.unwrap_err();
    assert!(
        matches!(
            error,
            InstallError::Locked {
                tries: 3,
                timeout_ms: 150,
                ..
            }
        ),
        "{error}"
    );
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    holder.commit().await.unwrap();
    hasty.install(&wanted).await.unwrap();
    // A lock on one partition alone is not waited for with the others held.
    let holder = items.app.begin().await.unwrap();
    holder
        .execute_unprepared("insert into high values (null, 1, 150)")
        .await
        .unwrap();
    let error = hasty.uninstall(&wanted.name).await.unwrap_err();
    assert!(matches!(error, InstallError::Locked { .. }), "{error}");
    holder.commit().await.unwrap();
    assert_eq!(
        hasty.uninstall(&wanted.name).await.unwrap(),
        Installed::Changed
    );
}

#[tokio::test]
async fn two_instances_install_one_after_the_other() {
    let items = Watched::database(Postgres, "create table items (id int primary key)").await;
    let wanted = wanted("items");
    let other = SqlResourceInstaller::new(items.database.migrated().await);
    let (one, two) = tokio::join!(items.install(&wanted), other.install(&wanted));
    assert_eq!(one.unwrap().0.id, two.unwrap().0.id);
    assert_eq!(items.db_versions().await, 1);
    assert_eq!(items.logged("insert into items values (1)").await.len(), 1);
}

#[tokio::test]
async fn unqualified_names_follow_the_search_path_but_never_into_rowhooks_schema() {
    let items = Watched::database(
        Postgres,
        "create table public.events (id int primary key); create table public.\"Items\" (id int primary key)",
    )
    .await;
    let (resource, _) = items.install(&wanted("Events")).await.unwrap();
    assert_eq!(resource.definition.table, "public.events");
    let error = items.install(&wanted("Items")).await.unwrap_err();
    assert!(matches!(error, InstallError::NoTable { .. }), "{error}");
    let (resource, _) = items.install(&wanted("public.\"Items\"")).await.unwrap();
    assert_eq!(resource.definition.table, "public.\"Items\"");
}
