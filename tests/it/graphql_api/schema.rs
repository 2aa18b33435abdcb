//! The schema that clients are written against.

use std::{path::Path, process::Command};

use rowhook::{
    domain::{
        ids::ResourceId,
        resource::{Catalogue, Resource, ResourceDefinition},
    },
    graphql::sdl,
    sample,
    store::sql::db::Dialect,
};
use serde_json::{Value, json};

use super::House;
use crate::support::{both::on_both, database::TestDatabase};

on_both!(
    clients_see_the_deployments_resources,
    a_catalogue_may_be_empty
);

/// The schema in force and the file under version control are the same.
///
/// After a change that is meant: `ROWHOOK_UPDATE_SNAPSHOTS=1 cargo test --test it graphql_api::schema`,
/// and read the difference as your users will.
#[test]
fn the_schema_is_the_documented_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema.graphql");
    let now = format!(
        "# The management API for the sample resources on PostgreSQL. Made from the code by a test, which also compares\n\
         # them: see tests/it/graphql_api/schema.rs before changing it.\n\n{}",
        sdl(&sample_catalogue())
    );
    if std::env::var_os("ROWHOOK_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let documented = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        documented == now,
        "docs/schema.graphql is not the schema in force; if the change is meant, run the test with \
         ROWHOOK_UPDATE_SNAPSHOTS=1 and commit the file"
    );
}

/// A public code generator makes strict TypeScript of the documented schema, and of an operation for each field
/// of its roots.
#[test]
fn a_code_generator_takes_the_schema() {
    let modules = std::env::var_os("ROWHOOK_TEST_NODE_MODULES").expect(
        "ROWHOOK_TEST_NODE_MODULES names no folder with @graphql-codegen: run the tests with tests/run",
    );
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("node")
        .arg(here.join("tests/it/support/graphql_codegen.cjs"))
        .arg(here.join("docs/schema.graphql"))
        .arg(folder.path())
        .env("NODE_PATH", modules)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // So many fields the roots had when this was written.
    assert!(said.trim().parse::<u32>().unwrap() >= 35, "{said}");
}

fn sample_catalogue() -> Catalogue {
    let resources = sample::resources(Dialect::Postgres)
        .into_iter()
        .map(|wanted| Resource {
            id: ResourceId(1),
            name: wanted.name,
            aliases: wanted.aliases,
            definition: ResourceDefinition {
                table: wanted.table,
                columns: Vec::new(),
                key: wanted.key,
                etag: wanted.etag,
                exclude: wanted.exclude,
                on_truncate: wanted.on_truncate,
            },
        });
    Catalogue::new(resources.collect())
}

async fn clients_see_the_deployments_resources(database: TestDatabase) {
    let house = House::of(database).await;
    let query = "{ all: __type(name: \"ResourceEnum\") { enumValues(includeDeprecated: true) {
        name isDeprecated deprecationReason } }
        now: __type(name: \"ResourceEnum\") { enumValues { name } } }";
    let data = house.data(query, json!({})).await;
    let value = |name: &str, mend: Option<&str>| json!({"name": name, "isDeprecated": mend.is_some(), "deprecationReason": mend});
    assert_eq!(
        data["all"]["enumValues"],
        json!([
            value("RUN", None),
            value("RUNS", Some("use RUN")),
            value("RUN_STEP", None),
            value("RUN_STEPS", Some("use RUN_STEP")),
        ])
    );
    assert_eq!(
        data["now"]["enumValues"],
        json!([{"name": "RUN"}, {"name": "RUN_STEP"}])
    );
    let everything = house.data(INTROSPECTION, json!({})).await;
    let types = everything["__schema"]["types"].as_array().unwrap();
    for kind in types {
        let name = kind["name"].as_str().unwrap();
        if name.starts_with("__") {
            continue;
        }
        described(name, kind);
        let members = ["fields", "inputFields"];
        for member in members
            .iter()
            .filter_map(|list| kind[list].as_array())
            .flatten()
        {
            described(&format!("{name}.{}", member["name"]), member);
            for argument in member["args"].as_array().into_iter().flatten() {
                described(
                    &format!("{name}.{}({})", member["name"], argument["name"]),
                    argument,
                );
            }
        }
        for value in kind["enumValues"].as_array().into_iter().flatten() {
            if value["isDeprecated"] == false {
                described(&format!("{name}.{}", value["name"]), value);
            }
        }
    }
}

/// A stranger can read what it is.
fn described(what: &str, it: &Value) {
    let builtin = ["Int", "Float", "String", "Boolean"].contains(&what);
    let text = it["description"].as_str().unwrap_or_default();
    assert!(
        builtin || text.len() > 10,
        "{what} has no description: {it}"
    );
}

const INTROSPECTION: &str = "{ __schema { types { name description
    fields(includeDeprecated: true) { name description args { name description } }
    inputFields { name description }
    enumValues(includeDeprecated: true) { name description isDeprecated } } } }";

async fn a_catalogue_may_be_empty(database: TestDatabase) {
    let house = House::with(database, |services| services.catalogue = Default::default()).await;
    let query = "{ __type(name: \"ResourceEnum\") { enumValues(includeDeprecated: true) { name } }
        webhookResources { name } }";
    let data = house.data(query, json!({})).await;
    assert_eq!(
        data["__type"]["enumValues"],
        json!([{"name": "NO_RESOURCES"}])
    );
    assert_eq!(data["webhookResources"], json!([]));
    let document = "mutation { createWebhookSubscription(input: {
        receiverId: 1, resource: NO_RESOURCES, action: CREATE }) { webhookSubscription { id } } }";
    assert_eq!(house.refused(document, json!({})).await.0, "VALIDATION");
}
