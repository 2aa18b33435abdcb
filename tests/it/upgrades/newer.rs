//! A newer release has migrated: the older program goes on while the names of the migrations say that it can, and says
//! why where it can not.

use rowhook::store::sql::{db::Dialect, migrations::MigrateError};
use serde_json::Value;

use crate::support::{
    both::on_both, command::Shell, database::TestDatabase, house::House, wait::until,
};

on_both!(
    an_older_program_goes_on_while_it_can,
    an_unmarked_migration_of_somebody_else_is_not_trusted,
    pending_ones_are_told,
);

/// What a later release might do first: what older programs write still fits.
const EXPAND: (&str, &str) = (
    "m9001_expand_note",
    "alter table rowhook.receivers add column note text",
);
/// And once nobody uses what was there before.
const CONTRACT: (&str, &str) = (
    "m9002_contract_9001_note",
    "alter table rowhook.receivers drop column note",
);

async fn apply(house: &House, (name, sql): (&str, &str)) {
    let record = format!("insert into rowhook.migrations_here values ('{name}', 1785000000);");
    let (table, sql) = match house.dialect {
        Dialect::Postgres => ("rowhook.rowhook_migrations", sql.to_owned()),
        Dialect::Sqlite => ("rowhook_migrations", sql.replace("rowhook.", "rowhook_")),
    };
    let record = record.replace("rowhook.migrations_here", table);
    house.sql(&format!("begin; {sql}; {record} commit;")).await;
}

fn shell(house: &House) -> Shell {
    let shell = Shell::on(&house.url);
    shell.write(
        "rowhook.toml",
        "[[resources]]\nname = \"ITEM\"\ntable = \"items\"\n",
    );
    shell
}

async fn an_older_program_goes_on_while_it_can(database: TestDatabase) {
    let mut house = House::of(database).await;
    house.register_for_items("/items", "").await;
    let shell = shell(&house);
    let status = shell.run(&["migrate", "status"]).well();
    assert!(
        !status.contains("unknown") && !status.contains("pending"),
        "{status}"
    );

    apply(&house, EXPAND).await;
    until("the running one knows", || {
        let log = house.service.log_text();
        log.contains("so that this one can go on") && log.contains(EXPAND.0)
    })
    .await;
    house.register_for_items("/more", "").await;
    house.sql("insert into items values (1, 0, 'x')").await;
    house.settled(2).await;
    house.service.terminate().await;
    house.service.restart().await;
    house.sql("insert into items values (2, 0, 'x')").await;
    house.settled(4).await;

    let status = shell.run(&["migrate", "status"]).well();
    let line = status.lines().last().unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words, [EXPAND.0, "unknown", "2026-07-25T17:20:00Z"]);
    shell.run(&["serve", "--check"]).well();
    let down = shell.run(&["migrate", "down"]).fault(1);
    assert!(
        down.contains(EXPAND.0) && down.contains("take them back"),
        "{down}"
    );

    apply(&house, CONTRACT).await;
    assert_eq!(house.service.ends().await.code(), Some(1));
    let log = house.service.log_text();
    let why = "too old for its tables: a newer one has applied migration m9002_contract_9001_note, which needs \
               programs that know m9001";
    assert!(log.contains(why), "{log}");
    for arguments in [
        &["serve"][..],
        &["serve", "--check"],
        &["migrate", "up"],
        &["migrate", "status"],
        &["resources", "list"],
        &["keys", "list"],
        &["instances"],
    ] {
        let fault = shell.run(arguments).fault(1);
        assert!(fault.contains(why), "{arguments:?}: {fault}");
    }
    let doctor = shell.run(&["doctor"]);
    assert!(doctor.out.contains(why), "{doctor:?}");
    let json = shell.run(&["migrate", "status", "--json"]);
    assert_eq!(json.code, Some(1));
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["unknown"], 2);
    assert_eq!(json["pending"], 0);
    assert!(json["tooNew"].as_str().unwrap().contains(why), "{json}");
    let newest = json["migrations"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["name"], CONTRACT.0);
    assert_eq!(newest["state"], "unknown");
}

async fn an_unmarked_migration_of_somebody_else_is_not_trusted(database: TestDatabase) {
    let house = House::of(database).await;
    apply(&house, ("m9001_note", EXPAND.1)).await;
    let fault = shell(&house).run(&["migrate", "up"]).fault(1);
    assert!(
        fault.contains("m9001_note, whose name does not say"),
        "{fault}"
    );
}

async fn pending_ones_are_told(database: TestDatabase) {
    let db = database.migrated().await;
    assert_eq!(db.migrate_down(2).await.unwrap(), 2);
    let shell = Shell::on(&database.url);
    let status = shell.run(&["migrate", "status"]);
    assert_eq!(status.code, Some(1));
    let pending = |line: &&str| line.ends_with("pending");
    assert_eq!(status.out.lines().filter(pending).count(), 2, "{status:?}");
    assert!(status.err.contains("rowhook migrate up"), "{status:?}");

    // A newer program's beside those that are missing: the order of releases was not kept.
    let table = match database.dialect {
        Dialect::Postgres => "rowhook.rowhook_migrations",
        Dialect::Sqlite => "rowhook_migrations",
    };
    let application = database.application().await;
    let sql = format!("insert into {table} values ('{}', 1785000000)", EXPAND.0);
    sea_orm::ConnectionTrait::execute_unprepared(&application, &sql)
        .await
        .unwrap();
    let refused = db.migrate_up().await;
    assert!(
        matches!(&refused, Err(MigrateError::NewerStands { newest }) if newest == EXPAND.0),
        "{refused:?}"
    );
    let taken = format!("delete from {table} where version = '{}'", EXPAND.0);
    sea_orm::ConnectionTrait::execute_unprepared(&application, &taken)
        .await
        .unwrap();
    assert_eq!(db.migrate_up().await.unwrap(), 2);
    shell.run(&["migrate", "status"]).well();
}
