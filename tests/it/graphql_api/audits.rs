//! The audits of the public npm package `graphql-http`: GraphQL over HTTP to the letter.

use std::{path::Path, process::Command};

use serde_json::Value;

use super::{ADMIN, House};
use crate::support::{both::on_both, database::TestDatabase};

on_both!(every_audit_passes);

/// MUST, SHOULD and MAY alike.
async fn every_audit_passes(database: TestDatabase) {
    let house = House::of(database).await;
    let modules = std::env::var_os("ROWHOOK_TEST_NODE_MODULES").expect(
        "ROWHOOK_TEST_NODE_MODULES names no folder with graphql-http: run the tests with tests/run",
    );
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/graphql_http_audits.cjs");
    let mut audits = Command::new("node");
    audits
        .arg(script)
        .arg(format!("http://{}/graphql", house.address))
        .arg(ADMIN)
        .env("NODE_PATH", modules);
    let ran = tokio::task::spawn_blocking(move || audits.output());
    let output = ran.await.unwrap().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let results: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // So many the package had when this was written.
    assert!(results.len() >= 61, "{said}");
    let bad: Vec<&Value> = results.iter().filter(|one| one["status"] != "ok").collect();
    assert!(bad.is_empty(), "{bad:#?}");
}
