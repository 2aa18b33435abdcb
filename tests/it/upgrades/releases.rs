//! What each release left in a database (`tests/releases`) is brought to the present schema, which is that of a new
//! database; then what was owed is delivered, and everything can be read.

use std::{collections::BTreeMap, path::PathBuf};

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use serde::Deserialize;

use crate::support::{
    both::on_both,
    command::Shell,
    database::TestDatabase,
    house::{House, items, psql},
    receiver::Receiver,
    service::Service,
};

on_both!(every_release_s_database_works_on);

/// Where the receivers are in what was written down.
const FROZEN: &str = "http://127.0.0.1:9/";

/// What the script wrote down beside a database.
#[derive(Deserialize)]
struct Expected {
    receivers: BTreeMap<String, i64>,
    secrets: BTreeMap<String, String>,
    keys: BTreeMap<String, String>,
    /// Of each path, how many events had each status.
    events: BTreeMap<String, BTreeMap<String, i64>>,
    /// And how many were to come of changes that had only been logged.
    unread: BTreeMap<String, i64>,
}

impl Expected {
    fn events(&self, path: &str, status: &str) -> i64 {
        let of_path = self.events.get(path);
        of_path
            .and_then(|all| all.get(status).copied())
            .unwrap_or(0)
    }

    /// How many are delivered once everything is.
    fn delivered(&self, path: &str) -> i64 {
        let unread = self.unread.get(path).copied().unwrap_or(0);
        self.events(path, "delivered") + self.events(path, "pending") + unread
    }
}

fn releases() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/releases");
    let all = std::fs::read_dir(folder)
        .unwrap()
        .map(|one| one.unwrap().path());
    let mut releases: Vec<PathBuf> = all.filter(|path| path.is_dir()).collect();
    releases.sort();
    assert!(!releases.is_empty());
    releases
}

async fn every_release_s_database_works_on(first: TestDatabase) {
    let dialect = first.dialect;
    let mut fresh = Some(first);
    for release in releases() {
        let database = match fresh.take() {
            Some(database) => database,
            None => TestDatabase::fresh(dialect).await,
        };
        println!("{}", release.display());
        works_on(&release, database).await;
    }
}

async fn works_on(release: &std::path::Path, database: TestDatabase) {
    let dialect = database.dialect;
    let name = match dialect {
        Dialect::Postgres => "postgres",
        Dialect::Sqlite => "sqlite",
    };
    let expected = std::fs::read_to_string(release.join("expected.json")).unwrap();
    let mut expected: BTreeMap<String, Expected> = serde_json::from_str(&expected).unwrap();
    let expected = expected.remove(name).unwrap();
    let receiver = Receiver::start().await;
    let dump = std::fs::read_to_string(release.join(format!("{name}.sql"))).unwrap();
    assert!(dump.contains(FROZEN));
    let dump = dump.replace(FROZEN, &receiver.uri("/"));
    let application = database.application().await;
    match dialect {
        Dialect::Postgres => psql(&database.url, &format!("\\o /dev/null\n{dump}")),
        Dialect::Sqlite => {
            // Tables stand in it in another order than they name each other.
            let dump = format!("pragma foreign_keys = off;\n{dump}\npragma foreign_keys = on;");
            application.execute_unprepared(&dump).await.unwrap();
        }
    }

    let shell = Shell::on(&database.url);
    shell.run(&["migrate", "up"]).well();
    shell.run(&["migrate", "status"]).well();
    let other = TestDatabase::fresh(dialect).await;
    let new = other.migrated().await;
    assert_eq!(
        schema(&application, dialect).await,
        schema(&other.application().await, dialect).await,
        "the schema of a new database"
    );
    new.close().await.unwrap();
    if dialect == Dialect::Postgres {
        // A dump in another cluster, as an operator has it.
        assert_eq!(shell.run(&["rebase"]).code, Some(1));
        shell.run(&["rebase", "--yes"]).well();
    }
    for (path, secret) in &expected.secrets {
        receiver.expect_signed(path, secret);
    }
    // What was delivered stays, however long ago that is by now.
    let settings = "[retention]\nevents = \"forever\"\nchanges = \"forever\"\n";
    let service = Service::start(&database.url, settings, &[items(dialect)]).await;
    let house = House::with_service(service, receiver, application, database);

    // What waits for another attempt is due now, however short a time ago it was written down.
    house
        .service
        .graphql("mutation { redeliverWebhookEvents(filters: {status: \"pending\"}) { count } }")
        .await;
    let off = expected.receivers["/off"];
    house.update("Receiver", off, "active: true").await;
    for (path, id) in &expected.receivers {
        let of = |status: &str| format!("receiverId: {id}, status: \"{status}\"");
        house
            .wait_for_count(&of("delivered"), expected.delivered(path))
            .await;
        for status in ["failed", "cancelled"] {
            let wanted = expected.events(path, status);
            assert_eq!(house.count(&of(status)).await, wanted, "{path}: {status}");
        }
        assert_eq!(house.count(&of("pending")).await, 0, "{path}");
    }
    let owed = |path: &String| expected.delivered(path) - expected.events(path, "delivered");
    let came: i64 = expected.receivers.keys().map(owed).sum();
    assert_eq!(house.receiver.events(), usize::try_from(came).unwrap());

    everything_can_be_read(&house, &expected).await;
    for role in ["admin", "operator", "viewer", "revoked"] {
        let query = r#"{"query": "{ currentUser { name } }"}"#;
        let key = &expected.keys[role];
        let asked = house.service.http_as(key, "POST", "/graphql", query);
        let (answer, _) = asked.await.unwrap();
        let wanted = if role == "revoked" { 401 } else { 200 };
        assert_eq!(answer, wanted, "{role}");
    }
    // And it works on.
    let taken = expected.receivers["/takes"];
    house.sql("insert into items values (900, 0, 'new')").await;
    let all = house
        .receiver
        .wait_until("a new change", |all| {
            let of = |path: &str| {
                all.iter()
                    .any(|one| one.path == path && one.data()["id"] == 900)
            };
            of("/takes") && of("/off")
        })
        .await;
    let new = all
        .iter()
        .find(|one| one.path == "/takes" && one.data()["id"] == 900)
        .unwrap();
    assert_eq!(new.headers["x-tenant"], "seven");
    house
        .wait_for_count(
            &format!("receiverId: {taken}, status: \"delivered\""),
            expected.delivered("/takes") + 1,
        )
        .await;
    house.wait_for_count("status: \"pending\"", 0).await;
    shell.write(
        "rowhook.toml",
        &format!(
            "[[resources]]\nname = \"ITEM\"\ntable = '{}'\n",
            items(dialect).table
        ),
    );
    let doctor = shell.run(&["doctor"]).well();
    assert!(doctor.contains("0 problems"), "{doctor}");
}

/// The log as the API shows it: every event of every receiver, with its body and its attempts.
async fn everything_can_be_read(house: &House, expected: &Expected) {
    for (path, id) in &expected.receivers {
        let events = house.events(&format!("receiverId: {id}")).await;
        assert!(!events.is_empty(), "{path}");
        for event in events {
            let status = event["status"].as_str().unwrap();
            let attempts = event["deliveryAttempts"].as_array().unwrap();
            match status {
                "delivered" => {
                    assert_eq!(attempts.last().unwrap()["responseStatus"], 200, "{event}");
                }
                "failed" => assert_eq!(attempts.len(), 2, "{event}"),
                _ => assert_eq!(status, "cancelled", "{event}"),
            }
            let body: serde_json::Value =
                serde_json::from_str(event["requestData"].as_str().unwrap()).unwrap();
            assert!(body.is_object(), "{event}");
        }
    }
    let lists = "{ webhookReceivers { edges { node { name stats { pending } subscriptions { resource action filter
                 changedFields } headers { key value } createdBy { name } } } } apiKeys { name role } }";
    let data = house.service.graphql(lists).await;
    let receivers = data["webhookReceivers"]["edges"].as_array().unwrap();
    assert_eq!(receivers.len(), expected.receivers.len());
}

/// rowhook's own tables, columns, indexes, triggers and functions, without those of the tables that are watched.
async fn schema(application: &DatabaseConnection, dialect: Dialect) -> Vec<String> {
    let sql = match dialect {
        Dialect::Postgres => {
            "select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
             from information_schema.columns where table_schema = 'rowhook'
             union all select indexdef from pg_indexes where schemaname = 'rowhook'
             union all select format('%s %s', conrelid::regclass, pg_get_constraintdef(oid))
                 from pg_constraint where connamespace = 'rowhook'::regnamespace
             union all select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
                 where c.relnamespace = 'rowhook'::regnamespace and not t.tgisinternal
             union all select pg_get_functiondef(p.oid) from pg_proc p
                 where p.pronamespace = 'rowhook'::regnamespace
                   and not exists (select from pg_trigger t join pg_class c on c.oid = t.tgrelid
                                   where t.tgfoid = p.oid and c.relnamespace <> p.pronamespace)
                   and p.prosrc not like '%this function of rowhook logs the changes of%'
             union all select format('%s %s', relname, reloptions) from pg_class
                 where relnamespace = 'rowhook'::regnamespace
             order by 1"
        }
        Dialect::Sqlite => {
            "select coalesce(sql, name) from sqlite_master
             where tbl_name like 'rowhook%' and name <> 'sqlite_sequence' order by 1"
        }
    };
    let statement = Statement::from_string(application.get_database_backend(), sql);
    let rows = application.query_all_raw(statement).await.unwrap();
    let lines = rows.iter();
    let lines = lines.map(|row| row.try_get_by_index::<String>(0).unwrap());
    // A column that was added stands in the text as somebody wrote it.
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}
