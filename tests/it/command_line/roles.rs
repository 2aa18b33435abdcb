//! Serving as a role that owns nothing: what it can do, and what it says where it can not.

use std::sync::atomic::{AtomicU32, Ordering};

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};

use super::doctor::shell;
use crate::support::{command::Shell, database::TestDatabase};

/// A role with rights on rowhook's own tables and nothing else; roles belong to the whole server.
async fn lesser_role(application: &DatabaseConnection) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let role = format!("it_lesser_{}_{number}", std::process::id());
    application
        .execute_unprepared(&format!(
            "create role {role} login; grant usage on schema rowhook to {role};
             grant select, insert, update, delete on all tables in schema rowhook to {role};
             grant usage on all sequences in schema rowhook to {role};
             grant execute on all functions in schema rowhook to {role};
             revoke all on function rowhook.log_item(), rowhook.truncate_item() from {role};
             grant pg_monitor to {role}"
        ))
        .await
        .unwrap();
    role
}

fn shell_as(database: &TestDatabase, role: &str) -> Shell {
    let (head, tail) = database.url.split_once("rowhook@").unwrap();
    let shell = shell(&format!("{head}{role}@{tail}"), Dialect::Postgres);
    let file = shell.folder.path().join("rowhook.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let often = format!("admin_key = \"k\"\n[capture]\nlook_at_tables = \"1s\"\n{config}");
    std::fs::write(file, often).unwrap();
    shell
}

#[actix_rt::test]
async fn a_lesser_role_serves_what_another_one_installed() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let application = database.application().await;
    let items = "create table items (id bigint primary key, n bigint not null)";
    application.execute_unprepared(items).await.unwrap();
    let owner = shell(&database.url, Dialect::Postgres);
    owner.run(&["resources", "install"]).well();
    let role = lesser_role(&application).await;
    let lesser = shell_as(&database, &role);

    let serving = lesser.start(&["serve"]);
    serving.says("reading changes");
    // What it can not mend it says once, with what to run.
    let drop = "drop trigger \" rowhook_item\" on items";
    application.execute_unprepared(drop).await.unwrap();
    let line = serving.says("this role may not");
    assert!(line.contains("WARN"), "{line}");
    assert!(
        line.contains("not all of its triggers were on it"),
        "{line}"
    );
    assert!(line.contains("rowhook resources install"), "{line}");
    owner.run(&["resources", "install"]).well();
    serving.says("over: resource ITEM");
    let done = serving.stop();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(!done.err.contains("ERROR"), "{done:?}");

    // Where they are not in force it does not start, and says what to do.
    application.execute_unprepared(drop).await.unwrap();
    let fault = lesser.run(&["serve"]).fault(2);
    assert!(
        fault.contains("may not put triggers on") && fault.contains("rowhook resources install"),
        "{fault}"
    );
    application
        .execute_unprepared(&format!("drop owned by {role}; drop role {role}"))
        .await
        .unwrap();
}
