//! `rowhook resources install` and `uninstall`: afterwards the catalogue is as it was.

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};

use super::doctor::shell;
use crate::support::{both::on_both, command::Shell, database::TestDatabase};

on_both!(installing_and_uninstalling_leaves_no_trace);

/// Everything that the catalogue holds, line by line. Statistics and what vacuum sets are left out; a table that had
/// triggers says so (`relhastriggers`) until it is vacuumed, which is done first.
const POSTGRES: [&str; 4] = [
    "select 'trigger ' || (to_jsonb(t))::text from pg_trigger t order by 1",
    "select 'function ' || (to_jsonb(p))::text from pg_proc p where p.oid >= 16384 order by 1",
    "select 'class ' || (to_jsonb(c) - '{reltuples,relpages,relallvisible,relallfrozen,relfrozenxid,relminmxid}'::text[])::text
     from pg_class c order by 1",
    "select 'depend ' || (to_jsonb(d))::text from pg_depend d union all
     select 'shdepend ' || (to_jsonb(d))::text from pg_shdepend d
     where d.dbid = (select oid from pg_database where datname = current_database()) union all
     select 'acl ' || (to_jsonb(d))::text from pg_default_acl d union all
     select 'description ' || (to_jsonb(d))::text from pg_description d where d.objoid >= 16384 order by 1",
];
const SQLITE: [&str; 1] = [
    "select type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') from sqlite_master order by 1",
];

async fn snapshot(application: &DatabaseConnection, dialect: Dialect) -> Vec<String> {
    if dialect == Dialect::Postgres {
        application.execute_unprepared("vacuum").await.unwrap();
    }
    let statements: &[&str] = match dialect {
        Dialect::Postgres => &POSTGRES,
        Dialect::Sqlite => &SQLITE,
    };
    let mut lines = Vec::new();
    for sql in statements {
        let statement = Statement::from_string(application.get_database_backend(), *sql);
        let rows = application.query_all_raw(statement).await.unwrap();
        lines.extend(
            rows.iter()
                .map(|row| row.try_get_by_index::<String>(0).unwrap()),
        );
    }
    lines
}

async fn installing_and_uninstalling_leaves_no_trace(database: TestDatabase) {
    let application = database.application().await;
    let items = match database.dialect {
        Dialect::Postgres => {
            "create table items (id int primary key, n int) partition by range (id);
             create table low partition of items for values from (0) to (100);
             create function theirs() returns trigger language plpgsql as 'begin return new; end';
             create trigger theirs before update on items for each row execute function theirs();
             insert into items values (1, 1)"
        }
        Dialect::Sqlite => {
            "create table items (id integer primary key, n integer);
             create trigger theirs after update on items begin select 1; end;
             insert into items values (1, 1)"
        }
    };
    application.execute_unprepared(items).await.unwrap();
    let shell: Shell = shell(&database.url, database.dialect);
    // rowhook's own tables stay: `rowhook migrate down` takes them away.
    shell.run(&["migrate", "up"]).well();
    let before = snapshot(&application, database.dialect).await;
    for _ in 0..2 {
        shell.run(&["resources", "install"]).well();
        assert_ne!(snapshot(&application, database.dialect).await, before);
        application
            .execute_unprepared("update items set n = n + 1")
            .await
            .unwrap();
        shell.run(&["resources", "uninstall"]).well();
    }
    let after = snapshot(&application, database.dialect).await;
    let only = |one: &[String], other: &[String]| {
        let only = one.iter().filter(|line| !other.contains(line));
        only.cloned().collect::<Vec<_>>()
    };
    assert_eq!(only(&after, &before), Vec::<String>::new(), "came");
    assert_eq!(only(&before, &after), Vec::<String>::new(), "went");
    application
        .execute_unprepared("update items set n = n + 1")
        .await
        .unwrap();
}
