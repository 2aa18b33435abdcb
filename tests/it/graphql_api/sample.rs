//! The sample's tables: a change of each can be asked for, and goes the way of every change.

use rowhook::store::sql::db::Dialect;
use serde_json::{Value, json};

use super::House;
use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House as Running,
    service::{DEADLINE, LOOK_AGAIN},
};

on_both!(
    a_change_of_each_kind_goes_through,
    what_can_not_be_is_refused,
    without_the_sample_there_is_none,
);

const CHANGE: &str = "mutation($resource: ResourceEnum!, $action: WebhookSubscriptionActions!) {
    createSampleChange(input: {resource: $resource, action: $action}) {
      resource action rowId transactionId description } }";

async fn ask(house: &Running, resource: &str, action: &str) -> Value {
    let variables = json!({"resource": resource, "action": action});
    house.service.try_graphql_with(CHANGE, &variables).await
}

async fn change(house: &Running, resource: &str, action: &str) -> Value {
    let answer = ask(house, resource, action).await;
    assert_eq!(
        answer["errors"],
        Value::Null,
        "{resource} {action}: {answer}"
    );
    answer["data"]["createSampleChange"].clone()
}

/// Each comes after what it belongs to.
const ORDER: [&str; 8] = [
    "PROCEDURE",
    "RUN",
    "RUN_STEP",
    "PART",
    "PART_INVENTORY",
    "ISSUE",
    "PURCHASE_ORDER",
    "FILE_ATTACHMENT",
];

async fn a_change_of_each_kind_goes_through(database: TestDatabase) {
    let dialect = database.dialect;
    let house = Running::with(database, "sample = true", "", &[]).await;
    let listed = house
        .service
        .graphql("{ webhookSample { resources } }")
        .await;
    let listed = listed["webhookSample"]["resources"].as_array().unwrap();
    assert_eq!(listed.len(), ORDER.len(), "ITEM is not the sample's");
    assert!(ORDER.iter().all(|name| listed.contains(&json!(name))));

    let receiver = house.register("/sample", "").await;
    let mut made = Vec::new();
    for resource in ORDER {
        for action in ["CREATE", "UPDATE", "DELETE"] {
            house.subscribe(receiver, resource, action, "").await;
        }
    }
    for resource in ORDER {
        made.push(change(&house, resource, "CREATE").await);
        made.push(change(&house, resource, "UPDATE").await);
        // What was updated differs the second time too.
        made.push(change(&house, resource, "UPDATE").await);
    }
    for resource in ORDER.iter().rev() {
        made.push(change(&house, resource, "DELETE").await);
    }
    let first = &made[0];
    assert_eq!(first["description"], "PROCEDURE 1 made");
    assert_eq!(
        [&first["resource"], &first["action"], &first["rowId"]],
        [&json!("PROCEDURE"), &json!("CREATE"), &json!(1)]
    );

    // One event each, and none beside them.
    house.settled(made.len()).await;
    let read = "{ webhookEvents(limit: 1000) { id resource action rowId transactionId } }";
    let mut events = house.service.graphql(read).await["webhookEvents"]
        .as_array()
        .unwrap()
        .clone();
    events.sort_by_key(|event| event["id"].as_i64());
    assert_eq!(events.len(), made.len());
    for (made, event) in made.iter().zip(&events) {
        for name in ["resource", "action", "rowId"] {
            assert_eq!(made[name], event[name], "{made} {event}");
        }
        match dialect {
            Dialect::Postgres => assert_eq!(made["transactionId"], event["transactionId"]),
            Dialect::Sqlite => assert_eq!(made["transactionId"], Value::Null),
        }
    }
}

async fn what_can_not_be_is_refused(database: TestDatabase) {
    let house = Running::with(database, "sample = true", "", &[]).await;
    let refused = async |resource: &str, action: &str| {
        let answer = ask(&house, resource, action).await;
        let error = &answer["errors"][0];
        let told = &error["extensions"];
        let message = error["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(told["code"], "VALIDATION", "{answer}");
        (message, told["path"].clone())
    };
    let action = json!(["input", "action"]);
    let (message, path) = refused("RUN", "CREATE").await;
    assert!(
        message.contains("PROCEDURE, and there is none"),
        "{message}"
    );
    assert_eq!(path, action);
    let (message, path) = refused("PART", "UPDATE").await;
    assert!(message.contains("no row to change"), "{message}");
    assert_eq!(path, action);
    let (message, _) = refused("ISSUE", "DELETE").await;
    assert!(message.contains("there is no row"), "{message}");
    change(&house, "PROCEDURE", "CREATE").await;
    change(&house, "RUN", "CREATE").await;
    let (message, _) = refused("PROCEDURE", "DELETE").await;
    assert!(message.contains("in use by a RUN"), "{message}");
    let (message, path) = refused("ITEM", "CREATE").await;
    assert!(message.contains("none of the sample's tables"), "{message}");
    assert_eq!(path, json!(["input", "resource"]));
    // Nothing of what was refused has left a trace: the two changes alone are logged.
    let deadline = std::time::Instant::now() + DEADLINE;
    loop {
        let test = "{ testWebhookFilter(input: {resource: RUN, action: CREATE}) { examined changeCount } }";
        let test = house.service.graphql(test).await;
        let test = &test["testWebhookFilter"];
        if test["changeCount"] == 1 {
            assert_eq!(test["examined"], 2, "{test}");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{test}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn without_the_sample_there_is_none(database: TestDatabase) {
    let house = House::of(database).await;
    let read = house
        .data("{ webhookSample { resources } }", json!({}))
        .await;
    assert_eq!(read["webhookSample"], Value::Null);
    let variables = json!({"resource": "RUN", "action": "CREATE"});
    let (code, message, _) = house.refused(CHANGE, variables.clone()).await;
    assert_eq!(code, "NOT_FOUND", "{message}");
    assert!(message.contains("sample = true"), "{message}");
    let viewer = house.ask_as(&house.viewer, CHANGE, variables).await;
    assert_eq!(super::failure(&viewer).0, "FORBIDDEN");
}
