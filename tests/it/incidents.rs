//! The recipes of `docs/INCIDENTS.md`: each block of the page works as it stands there, on a service whose receiver takes
//! nothing.

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::Value;

use crate::support::{
    command::Shell, database::TestDatabase, house::House, receiver::Answer, service::ADMIN_KEY,
};

const PAGE: &str = include_str!("../../docs/INCIDENTS.md");
/// The page's own service, in its words.
const THEIRS: [&str; 4] = ["gql.sh", "keys.sh", "look.sh", "ready.sh"];

/// Language, name and text of each block, those inside list items too.
fn blocks() -> Vec<(&'static str, &'static str, String)> {
    let mut found = Vec::new();
    let mut lines = PAGE.lines().map(str::trim_start);
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let (language, name) = info
            .split_once(' ')
            .unwrap_or_else(|| panic!("a block has no name: {line}"));
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        found.push((language, name, text.join("\n")));
    }
    found
}

async fn etag(house: &House) -> String {
    let data = house
        .service
        .graphql("{ webhookReceiver(id: 1) { _etag } }");
    let data = data.await;
    data["webhookReceiver"]["_etag"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Every GraphQL document and every statement, from the top of the page to its end.
#[actix_rt::test]
async fn every_document_and_statement_runs() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    house.receiver.answer(|_| Answer::Status(503));
    let never = ", retryPolicy: {initialDelayMs: 3600000}";
    assert_eq!(house.register("/down", never).await, 1);
    assert_eq!(house.subscribe(1, "ITEM", "UPDATE", "").await, 1);
    house
        .sql(
            "insert into items values (1, 0, 'a'), (2, 0, 'b'), (3, 0, 'c');
             update items set n = 1; update items set n = 2",
        )
        .await;
    house.wait_for_count("status: \"pending\"", 6).await;
    let mut backlog = 0;
    for (language, name, text) in blocks() {
        match language {
            "graphql" => {
                let document = text.replace("ORDER", "ITEM");
                let document = document.replace('…', &etag(&house).await);
                let data = house.service.graphql(&document).await;
                told(name, &data);
            }
            "sql" => {
                let statement = Statement::from_string(house.app.get_database_backend(), text);
                let rows = house.app.query_all_raw(statement).await.unwrap();
                if name == "backlog.sql" {
                    let counts = rows.iter().map(|row| row.try_get::<i64>("", "events"));
                    backlog = counts.map(Result::unwrap).sum();
                }
            }
            _ => assert!(THEIRS.contains(&name), "who runs {name}?"),
        }
    }
    // The test delivery before it may have failed by then, and a test is tried once.
    assert!((6..=7).contains(&backlog), "{backlog}");
}

/// What the recipe is for has come of it.
fn told(name: &str, data: &Value) {
    match name {
        "receiver.graphql" => {
            assert_eq!(data["webhookReceiver"]["active"], true);
            assert_eq!(data["webhookEvents"].as_array().unwrap().len(), 5);
        }
        "look.graphql" => {
            assert_eq!(data["webhookPipeline"]["ready"], true);
            let one = &data["webhookInstances"][0];
            assert_eq!(one["name"], data["webhookPipeline"]["instance"]);
        }
        "capture.graphql" => {
            assert!(data["webhookCapture"]["poller"].is_string(), "{data}");
        }
        "faster.graphql" => {
            let receiver = &data["updateWebhookReceiver"]["webhookReceiver"];
            assert_eq!(receiver["rateLimit"]["perSecond"], 200.0);
        }
        "cancel.graphql" => {
            assert!(
                data["cancelWebhookEvents"]["count"].as_i64() >= Some(6),
                "{data}"
            );
        }
        "count.graphql" => assert_eq!(data["replayWebhookChanges"]["count"], 2),
        "deactivate.graphql" => {
            let receiver = &data["updateWebhookReceiver"]["webhookReceiver"];
            assert_eq!(receiver["active"], false);
        }
        _ => {}
    }
}

#[actix_rt::test]
async fn every_command_runs() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    let blocks = blocks();
    let block = |name: &str| {
        let found = blocks.iter().find(|(_, known, _)| *known == name);
        found.unwrap().2.clone()
    };
    let url = format!("http://{}", house.service.address());
    let mut shell = Shell::on(&house.url);
    shell.write(
        "rowhook.toml",
        "[[resources]]\nname = \"ITEM\"\ntable = \"items\"\n",
    );
    shell.set("ROWHOOK", &url);
    shell.set("KEY", ADMIN_KEY);
    let run = |script: &str| shell.bash(script).ends();
    let look = run(&block("look.sh")).out;
    assert!(
        look.contains(" runs ") && look.contains("problem"),
        "{look}"
    );
    let ready = run(&block("ready.sh")).well();
    assert_eq!(ready.trim(), "{\"status\":\"ready\"}");
    run("rowhook keys create --name lost --role viewer").well();
    let said = run(&block("keys.sh"));
    assert!(said.well().contains("lost"));
    let has_jq = std::process::Command::new("jq").arg("--version").output();
    if has_jq.is_err() {
        use std::io::Write as _;
        let told = "NOT RUN: gql of docs/INCIDENTS.md, for want of jq\n";
        std::io::stderr().write_all(told.as_bytes()).unwrap();
        return;
    }
    let asked = format!(
        "{}\ngql '{{ webhookStats {{ pending }} }}'",
        block("gql.sh")
    );
    assert!(run(&asked).well().contains("{\"pending\":0}"));
}
