//! `rowhook instances`: who shares the database, looked at from outside.

use rowhook::store::sql::db::Dialect;
use serde_json::{Value, json};

use crate::support::{
    both::on_both, command::Shell, database::TestDatabase, house::House, wait::until_ok,
};

on_both!(those_that_run_are_listed, it_looks_and_makes_nothing);

async fn those_that_run_are_listed(database: TestDatabase) {
    let mut house = House::of(database).await;
    let shell = Shell::on(&house.url);
    let list =
        || -> Value { serde_json::from_str(&shell.run(&["instances", "--json"]).well()).unwrap() };
    until_ok("it has said so", async || {
        let all = list();
        if all[0]["readsChanges"] == true {
            Ok(())
        } else {
            Err(all)
        }
    })
    .await;
    let read = "{ webhookInstances { name host process version startedAt running readsChanges receivers } }";
    let told = house.service.graphql(read).await;
    let mut listed = list();
    let one = listed[0].as_object_mut().unwrap();
    assert!(one.remove("heardAt").unwrap().is_string());
    let mut wanted = told["webhookInstances"].clone();
    if house.dialect == Dialect::Sqlite {
        // It writes nothing of itself there.
        wanted[0]["version"] = Value::Null;
        wanted[0]["startedAt"] = Value::Null;
    } else {
        assert!(one["startedAt"].is_string());
        wanted[0]["startedAt"] = one["startedAt"].clone();
    }
    assert_eq!(listed, wanted);
    assert_eq!(listed[0]["process"], json!(house.service.process()));

    let table = shell.run(&["instances"]).well();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    let name = listed[0]["name"].as_str().unwrap();
    for part in [name, " runs ", " yes "] {
        assert!(lines[1].contains(part), "{table}");
    }
    house.service.terminate().await;
    let table = shell.run(&["instances"]).well();
    assert!(table.contains("no instance runs"), "{table}");
    assert_eq!(list(), json!([]));
}

async fn it_looks_and_makes_nothing(database: TestDatabase) {
    let shell = Shell::on(&database.url);
    let done = shell.run(&["instances"]);
    match database.dialect {
        Dialect::Postgres => assert!(done.fault(1).contains("rowhook migrate up")),
        Dialect::Sqlite => {
            assert_ne!(done.code, Some(0), "{done:?}");
            assert!(!std::path::Path::new(database.url.trim_start_matches("sqlite://")).exists());
        }
    }
}
