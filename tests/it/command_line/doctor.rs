//! `rowhook doctor`: each finding provoked, and silence where nothing is wrong.

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use serde_json::Value;

use crate::support::{
    both::on_both,
    command::Shell,
    database::TestDatabase,
    house::House,
    stored::{number, run, texts},
    wait::until_ok,
};

on_both!(
    a_healthy_house_with_traffic_is_well,
    it_looks_and_makes_nothing,
    triggers_that_do_not_log_are_problems,
);

/// A shell in which `items` is configured.
pub fn shell(url: &str, dialect: Dialect) -> Shell {
    let shell = Shell::on(url);
    let table = match dialect {
        Dialect::Postgres => "public.items",
        Dialect::Sqlite => "items",
    };
    shell.write(
        "rowhook.toml",
        &format!("[[resources]]\nname = \"ITEM\"\ntable = \"{table}\"\n"),
    );
    shell
}

/// What the doctor says, with its exit code.
pub fn doctor(shell: &Shell) -> (i32, Value) {
    let done = shell.run(&["doctor", "--json"]);
    let report = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
    (done.code.unwrap(), report)
}

/// Findings about something, as `severity where: what → do`.
pub fn about(report: &Value, about: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .filter(|finding| finding["about"] == about)
        .map(|finding| {
            let [severity, place, what, advice] =
                ["severity", "where", "what", "do"].map(|key| text(&finding[key]));
            format!("{severity} {place}: {what} → {advice}")
        })
        .collect()
}

/// What it warns of, but for the tests' own role, which is a superuser.
pub fn wrong(report: &Value) -> Vec<&Value> {
    let findings = report["findings"].as_array().unwrap();
    let wrong = |finding: &&Value| {
        ["warning", "problem"].contains(&finding["severity"].as_str().unwrap())
            && finding["about"] != "rights"
    };
    findings.iter().filter(wrong).collect()
}

/// With `items` watched, and nobody who serves.
async fn watched(database: &TestDatabase) -> (Shell, DatabaseConnection) {
    let application = database.application().await;
    let table = "create table items (id bigint primary key, n bigint not null)";
    application.execute_unprepared(table).await.unwrap();
    let shell = shell(&database.url, database.dialect);
    shell.run(&["resources", "install"]).well();
    (shell, application)
}

async fn a_healthy_house_with_traffic_is_well(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/well", "").await;
    let shell = shell(&house.url, house.dialect);
    for id in 0..20 {
        let sql = format!(
            "insert into items (id, n) values ({id}, 1); update items set n = 2 where id = {id}"
        );
        house.sql(&sql).await;
    }
    // While it delivers, and when it has.
    let (code, report) = doctor(&shell);
    assert_eq!((code, wrong(&report)), (0, vec![]), "{report:#}");
    house.settled(40).await;
    let (code, report) = doctor(&shell);
    assert_eq!((code, wrong(&report)), (0, vec![]), "{report:#}");
    assert_eq!(report["healthy"], true);
    let found = about(&report, "capture");
    assert!(found[1].contains("reads changes"), "{found:?}");
    assert!(
        about(&report, "triggers")[0].starts_with("ok ITEM"),
        "{report:#}"
    );
    let text = shell.run(&["doctor"]).well();
    assert!(text.contains("\n  ok       ITEM ("), "{text}");
    assert!(text.contains("0 problems"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
}

async fn it_looks_and_makes_nothing(database: TestDatabase) {
    let application = database.application().await;
    let table = "create table items (id bigint primary key, n bigint not null)";
    application.execute_unprepared(table).await.unwrap();
    let shell = shell(&database.url, database.dialect);
    let (code, report) = doctor(&shell);
    assert_eq!(code, 1, "{report:#}");
    let schema = about(&report, "schema");
    assert!(schema[0].contains("rowhook migrate up"), "{schema:?}");
    let (made, mode) = match database.dialect {
        Dialect::Postgres => (
            "select nspname::text from pg_namespace where nspname = 'rowhook'",
            None,
        ),
        Dialect::Sqlite => (
            "select name from sqlite_master where name like 'rowhook%' or name like 'seaql%'",
            Some("pragma journal_mode"),
        ),
    };
    let rows = |sql: &str| {
        application.query_all_raw(sea_orm::Statement::from_string(
            application.get_database_backend(),
            sql,
        ))
    };
    assert!(rows(made).await.unwrap().is_empty());
    if let Some(mode) = mode {
        // As the application made it.
        let row = rows(mode).await.unwrap().remove(0);
        assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "delete");
        let elsewhere = Shell::on("sqlite://nowhere.db");
        elsewhere.write("rowhook.toml", "sample = true\n");
        assert_eq!(elsewhere.run(&["doctor"]).code, Some(2));
        assert!(!elsewhere.folder.path().join("nowhere.db").exists());
        elsewhere.write("rowhook.toml", "");
        assert_eq!(
            elsewhere.run(&["doctor"]).code,
            Some(2),
            "nothing is watched"
        );
    }
}

async fn triggers_that_do_not_log_are_problems(database: TestDatabase) {
    let (shell, application) = watched(&database).await;
    let (code, report) = doctor(&shell);
    assert_eq!((code, wrong(&report)), (0, vec![]), "{report:#}");
    let found = about(&report, "capture");
    assert!(found[1].starts_with("note poller: nobody"), "{found:?}");

    application
        .execute_unprepared("insert into items values (1, 1)")
        .await
        .unwrap();
    let (code, report) = doctor(&shell);
    let found = about(&report, "capture");
    assert_eq!(code, 0);
    assert!(
        found[1].starts_with("warning poller: nobody reads changes, and the oldest"),
        "{found:?}"
    );
    assert!(found[1].contains("→ start `rowhook serve`"), "{found:?}");

    application
        .execute_unprepared("alter table items add column more text")
        .await
        .unwrap();
    let (code, report) = doctor(&shell);
    assert_eq!(code, 1);
    let found = about(&report, "triggers");
    assert!(
        found[0].starts_with("problem ITEM (") && found[0].contains("not those"),
        "{found:?}"
    );
    assert!(
        found[0].contains("→ run `rowhook resources install`"),
        "{found:?}"
    );
    shell.run(&["resources", "install"]).well();
    assert_eq!(doctor(&shell).0, 0);

    let db = database.migrated().await;
    if database.dialect == Dialect::Postgres {
        let disable = "alter table public.items disable trigger user";
        application.execute_unprepared(disable).await.unwrap();
        let (code, report) = doctor(&shell);
        let found = about(&report, "triggers");
        assert!(code == 1 && found[0].contains("are disabled"), "{found:?}");
        shell.run(&["resources", "install"]).well();
    }
    let (name, drop) = match database.dialect {
        Dialect::Postgres => (
            "select min(tgname)::text from pg_trigger where tgrelid = 'public.items'::regclass",
            " on public.items",
        ),
        Dialect::Sqlite => (
            "select min(name) from sqlite_master where type = 'trigger' and tbl_name = 'items'",
            "",
        ),
    };
    let name = texts(&db, name).await.remove(0);
    let sql = format!("drop trigger \"{name}\"{drop}");
    application.execute_unprepared(&sql).await.unwrap();
    let done = shell.run(&["doctor"]);
    assert!(done.out.contains("  problem  ITEM"), "{done:?}");
    assert!(done.out.contains("not all triggers are on"), "{done:?}");
    assert_eq!(done.fault(1), "there is a problem");
    application
        .execute_unprepared("drop table items")
        .await
        .unwrap();
    let (code, report) = doctor(&shell);
    let found = about(&report, "triggers");
    assert!(
        code == 1 && found[0].contains("there is no table"),
        "{found:?}"
    );
    shell.write("rowhook.toml", "sample = true\n");
    let found = about(&doctor(&shell).1, "triggers");
    let left = found
        .iter()
        .find(|finding| finding.starts_with("note ITEM"));
    assert!(
        left.unwrap().contains("resources uninstall ITEM"),
        "{found:?}"
    );
}

#[actix_rt::test]
async fn what_postgresql_has_around_capture() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let (shell, application) = watched(&database).await;
    let db = database.migrated().await;
    let (_, name) = database.url.rsplit_once('/').unwrap();

    // A transaction that has written something and goes on.
    let txn = sea_orm::TransactionTrait::begin(&application)
        .await
        .unwrap();
    txn.execute_unprepared("set local application_name = 'till'; insert into items values (1, 1)")
        .await
        .unwrap();
    let (code, report) = doctor(&shell);
    let found = about(&report, "open-transaction");
    assert_eq!(code, 0);
    assert!(
        found[0].starts_with("note process") && found[0].contains("(till)"),
        "{found:?}"
    );
    txn.rollback().await.unwrap();
    assert!(about(&doctor(&shell).1, "open-transaction").is_empty());

    // Sessions that begin as replicas: no harm while the triggers fire always.
    let sql = format!("alter database {name} set session_replication_role = replica");
    application.execute_unprepared(&sql).await.unwrap();
    let found = about(&doctor(&shell).1, "replica-role");
    assert!(
        found[0].starts_with(&format!("note database {name}: ")),
        "{found:?}"
    );
    assert!(
        found[0].contains("ALWAYS, so its changes are logged"),
        "{found:?}"
    );
    let enable = "alter table public.items enable trigger user";
    application.execute_unprepared(enable).await.unwrap();
    let (code, report) = doctor(&shell);
    let found = about(&report, "replica-role");
    assert!(
        code == 1 && found[0].starts_with("warning database"),
        "{found:?}"
    );
    let sql = format!("alter database {name} reset session_replication_role");
    application.execute_unprepared(&sql).await.unwrap();
    shell.run(&["resources", "install"]).well();
    assert!(about(&doctor(&shell).1, "replica-role").is_empty());

    // A cursor that is not this database's.
    let identity = || about(&doctor(&shell).1, "identity").remove(0);
    assert!(identity().starts_with("ok cursor"), "{}", identity());
    run(
        &db,
        "update rowhook.capture_cursor set timeline = timeline + 1",
        [],
    )
    .await;
    assert!(
        identity().starts_with("warning cursor: it was made on timeline"),
        "{}",
        identity()
    );
    let before = texts(&db, "select watermark from rowhook.capture_cursor")
        .await
        .remove(0);
    let ahead = "update rowhook.capture_cursor set watermark = '900000000:900000000:'";
    run(&db, ahead, []).await;
    assert!(
        identity().contains("set back to an earlier"),
        "{}",
        identity()
    );
    let restored = "update rowhook.capture_cursor set watermark = $1, timeline = timeline - 1, \
                    system_identifier = system_identifier - 1";
    run(&db, restored, [before.into()]).await;
    assert!(
        identity().starts_with("problem cursor: it belongs to cluster"),
        "{}",
        identity()
    );
    let sql = "update rowhook.capture_cursor set system_identifier = system_identifier + 1";
    run(&db, sql, []).await;

    // Rows that nobody sees any more.
    let sql = "alter table rowhook.events set (autovacuum_enabled = false)";
    run(&db, sql, []).await;
    let sql = "insert into rowhook.events (subscription_id, receiver_id, resource_id, action, \
               transaction_id, occurred_at, created_at, row_id, row_hash, state, ended_at) \
               select 0, 1, 1, 1, 1, now(), now(), '1', 1, 3, now() from generate_series(1, 3000)";
    run(&db, sql, []).await;
    run(&db, "delete from rowhook.events", []).await;
    let dead = "select n_dead_tup from pg_stat_user_tables where schemaname = 'rowhook' \
                and relname = 'events'";
    until_ok("the server has counted", async || {
        let counted = number(&db, dead).await;
        if counted >= 3000 {
            Ok(())
        } else {
            Err(counted)
        }
    })
    .await;
    let (code, report) = doctor(&shell);
    let found = about(&report, "dead-rows");
    assert!(
        code == 0 && found[1].starts_with("note rowhook.events: "),
        "{found:?}"
    );
    assert!(
        found[0].starts_with("ok rowhook.logged_actions: "),
        "{found:?}"
    );
}

#[actix_rt::test]
async fn a_role_with_too_many_rights_and_one_with_too_few() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let (shell, application) = watched(&database).await;
    let found = about(&doctor(&shell).1, "rights");
    assert!(found[0].contains("it is a superuser"), "{found:?}");

    let (base, name) = database.url.rsplit_once('/').unwrap();
    let role = format!("{name}_role");
    let (scheme, host) = base.split_once("://").unwrap();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    for sql in [
        format!("create role {role} login password 'doctor'"),
        format!("grant usage on schema rowhook to {role}"),
        format!("grant select, insert, update, delete on all tables in schema rowhook to {role}"),
        format!("revoke update, delete on rowhook.events from {role}"),
    ] {
        application.execute_unprepared(&sql).await.unwrap();
    }
    let narrow = self::shell(
        &format!("{scheme}://{role}:doctor@{host}/{name}"),
        Dialect::Postgres,
    );
    let (code, report) = doctor(&narrow);
    let found = about(&report, "rights");
    let grant = format!("→ grant update, delete on rowhook.events to {role}");
    assert_eq!((code, found.len()), (1, 1), "{report:#}");
    assert!(
        found[0].starts_with("problem") && found[0].ends_with(&grant),
        "{found:?}"
    );
    let give = format!("grant update, delete on rowhook.events to {role}");
    application.execute_unprepared(&give).await.unwrap();
    let (code, report) = doctor(&narrow);
    let found = about(&report, "rights");
    assert!(code == 0 && found[0].starts_with("ok "), "{report:#}");
    let bypass = format!("alter role {role} bypassrls");
    application.execute_unprepared(&bypass).await.unwrap();
    let found = about(&doctor(&narrow).1, "rights");
    assert!(found[0].contains("bypasses row security"), "{found:?}");
    // A role belongs to the whole server.
    for sql in [format!("drop owned by {role}"), format!("drop role {role}")] {
        application.execute_unprepared(&sql).await.unwrap();
    }
}
