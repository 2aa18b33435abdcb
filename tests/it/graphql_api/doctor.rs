//! `webhookDoctor` tells what `rowhook doctor` tells.

use serde_json::{Value, json};

use super::{House, failure};
use crate::{
    command_line::doctor::{doctor, shell},
    support::{both::on_both, database::TestDatabase, house::House as Running},
};

on_both!(it_tells_what_the_command_tells, it_is_for_admins);

const READ: &str = "{ webhookDoctor { severity area title place summary mend } }";

async fn it_tells_what_the_command_tells(database: TestDatabase) {
    let (url, dialect) = (database.url.clone(), database.dialect);
    let house = Running::of(database).await;
    house.register_for_items("/in", "").await;
    house.sql("insert into items (id, n) values (1, 1)").await;
    house.settled(1).await;

    let told = house.service.graphql(READ).await;
    let told = told["webhookDoctor"].as_array().unwrap().clone();
    let (_, report) = doctor(&shell(&url, dialect));
    let findings = report["findings"].as_array().unwrap();
    // What moves from one look to the next (a lag, a time) is left out.
    let key = |severity: &Value, area: &Value, place: &Value, mend: &Value| {
        let severity = severity.as_str().unwrap().to_uppercase();
        (
            severity,
            area.to_string(),
            place.to_string(),
            mend.to_string(),
        )
    };
    let by_api: Vec<_> = told
        .iter()
        .map(|one| key(&one["severity"], &one["area"], &one["place"], &one["mend"]))
        .collect();
    let by_command: Vec<_> = findings
        .iter()
        .map(|one| key(&one["severity"], &one["about"], &one["where"], &one["do"]))
        .collect();
    assert_eq!(by_api, by_command);
    let triggers: Vec<_> = told
        .iter()
        .filter(|one| one["area"] == "triggers")
        .collect();
    assert_eq!(triggers.len(), 1);
    assert_eq!(
        triggers[0]["summary"],
        "its triggers are in force, and fire always"
    );
    assert_eq!(triggers[0]["title"], "watched tables");
    assert_eq!(triggers[0]["mend"], Value::Null);
    assert!(told.iter().any(|one| one["area"] == "reconciliation"));
}

async fn it_is_for_admins(database: TestDatabase) {
    let house = House::of(database).await;
    let operator = house.ask_as(&house.operator, READ, json!({})).await;
    assert_eq!(failure(&operator).0, "FORBIDDEN");
    let admin = house.data(READ, json!({})).await;
    let finding = &admin["webhookDoctor"][0];
    assert_eq!(
        finding["severity"], "PROBLEM",
        "what the tests' doctor says"
    );
    assert_eq!(finding["mend"], "put them on");
    let many: String = (0..6)
        .map(|n| format!("a{n}: webhookDoctor {{ area }} "))
        .collect();
    let (code, _, _) = house.refused(&format!("{{ {many} }}"), json!({})).await;
    assert_eq!(code, "LIMIT");
}
