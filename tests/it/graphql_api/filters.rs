//! Filters through the API: what is saved, what is refused and how that is shown, and what the last changes
//! would have come to.

use serde_json::{Value, json};

use super::{House, failure};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{self, number, run},
};

on_both!(
    a_filter_is_saved_left_and_taken_away,
    what_can_not_be_meant_is_refused_with_its_place,
    columns_are_named_once,
    the_last_changes_are_judged,
    a_test_needs_a_role_and_has_limits,
    a_test_looks_back_so_far_and_no_further,
);

const CREATE: &str = "mutation($input: CreateWebhookSubscriptionInput!) {
    createWebhookSubscription(input: $input) { webhookSubscription { id filter changedFields _etag } } }";
/// With the guide's shorter name.
const UPDATE: &str = "mutation($input: WebhookSubscriptionInput!) {
    updateWebhookSubscription(input: $input) { webhookSubscription { id resource active filter _etag } } }";
const TEST: &str = "query($input: TestWebhookFilterInput!) { testWebhookFilter(input: $input) {
    changeCount firesCount failedCount examined complete
    changes { changeId occurredAt transactionId rowId action old new fires reason } } }";

async fn a_filter_is_saved_left_and_taken_away(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let filter = "new.status == 'é' && old.status != new.status";
    let short = CREATE.replace("CreateWebhookSubscriptionInput", "WebhookSubscriptionInput");
    let mut made = Value::Null;
    for document in [CREATE, short.as_str()] {
        let input = json!({"receiverId": receiver, "resource": "RUN_STEPS", "action": "UPDATE", "filter": filter});
        let data = house.data(document, json!({"input": input})).await;
        made = data["createWebhookSubscription"]["webhookSubscription"].clone();
        assert_eq!(made["filter"], filter);
    }
    let id = made["id"].clone();
    let mut etag = made["_etag"].clone();
    let steps = [
        (
            json!({"active": false}),
            json!(filter),
            "what is absent stays",
        ),
        (
            json!({"resource": "RUN"}),
            json!(filter),
            "it fits the other table too",
        ),
        (
            json!({"filter": "action == 'UPDATE'"}),
            json!("action == 'UPDATE'"),
            "set",
        ),
        (json!({"filter": null}), Value::Null, "null takes it away"),
        (
            json!({"filter": "new.id > 5"}),
            json!("new.id > 5"),
            "set again",
        ),
    ];
    for (change, wanted, why) in steps {
        let mut input = json!({"id": id, "etag": etag});
        for (name, value) in change.as_object().unwrap() {
            input[name] = value.clone();
        }
        let data = house.data(UPDATE, json!({"input": input})).await;
        let record = &data["updateWebhookSubscription"]["webhookSubscription"];
        assert_eq!(record["filter"], wanted, "{why}");
        etag = record["_etag"].clone();
    }
    // Who may pause a subscription may not refilter it.
    let input = json!({"input": {"id": id, "etag": etag, "active": true, "filter": null}});
    let answer = house.ask_as(&house.operator, UPDATE, input).await;
    assert_eq!(failure(&answer).0, "FORBIDDEN");
    let read = format!("{{ webhookSubscription(id: {id}) {{ filter active }} }}");
    let data = house.data(&read, json!({})).await;
    assert_eq!(
        data["webhookSubscription"],
        json!({"filter": "new.id > 5", "active": false})
    );
}

async fn what_can_not_be_meant_is_refused_with_its_place(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let at = json!(["input", "filter"]);
    let refused = async |filter: &str| {
        let input = json!({"receiverId": receiver, "resource": "RUN", "action": "UPDATE", "filter": filter});
        house.refused(CREATE, json!({"input": input})).await
    };
    let (code, message, path) = refused("new.id > 1 &&\n  new.statsu == 'x'").await;
    assert_eq!((code.as_str(), &path), ("VALIDATION", &at));
    assert_eq!(
        message,
        "input.filter names no column of public.runs: \"statsu\"; did you mean \"status\"? (line 2, column 7)\n\
         \u{20} new.statsu == 'x'\n\
         \u{20}     ^"
    );
    for filter in [
        "",
        "new.status ==",
        "status == 'x'",
        "new.password == 'x'",
        "timestamp(new.completed_at) > 1",
        "new.status",
        "1",
        "[1].all(a, [1].all(b, a == b))",
    ] {
        let (code, message, path) = refused(filter).await;
        assert_eq!(
            (code.as_str(), &path),
            ("VALIDATION", &at),
            "{filter}: {message}"
        );
    }
    let (code, message, _) = refused(&format!("new.status == '{}'", "x".repeat(4096))).await;
    assert_eq!(code, "VALIDATION");
    assert!(message.contains("at most 4096"), "{message}");
    assert_eq!(
        number(&house.db, "select count(*) from rowhook.subscriptions").await,
        0
    );
    // An update is looked at as a creation is, also when it is the resource that changes.
    let (id, etag) = house.subscription(receiver).await;
    let input = json!({"id": id, "etag": etag, "filter": "new.nope == 1"});
    let (code, _, path) = house.refused(UPDATE, json!({"input": input})).await;
    assert_eq!((code.as_str(), path), ("VALIDATION", at.clone()));
    let strange = "update rowhook.subscriptions set filter = $1";
    run(&house.db, strange, ["new.only_in_run_step == 1".into()]).await;
    let input = json!({"id": id, "etag": etag, "resource": "RUN"});
    let (code, _, path) = house.refused(UPDATE, json!({"input": input})).await;
    assert_eq!((code.as_str(), path), ("VALIDATION", at));
    let input = json!({"id": id, "etag": etag, "action": "CREATE"});
    house.data(UPDATE, json!({"input": input})).await;
}

async fn columns_are_named_once(database: TestDatabase) {
    let house = House::of(database).await;
    let (receiver, _) = house.receiver().await;
    let with = |columns: Value| {
        json!({"input": {"receiverId": receiver, "resource": "RUN", "action": "UPDATE",
                         "changedFields": columns}})
    };
    let data = house
        .data(CREATE, with(json!(["status", "id", "status"])))
        .await;
    assert_eq!(
        data["createWebhookSubscription"]["webhookSubscription"]["changedFields"],
        json!(["status", "id"])
    );
    let (_, message, path) = house.refused(CREATE, with(json!(["id", "Status"]))).await;
    assert_eq!(path, json!(["input", "changedFields", 1]));
    assert!(message.ends_with("did you mean \"status\"?"), "{message}");
    let (_, message, _) = house.refused(CREATE, with(json!(["password"]))).await;
    assert!(message.contains("is excluded"), "{message}");
}

/// The resource as the triggers' log names it.
async fn logged(house: &House, name: &str) -> i32 {
    let definition = r#"{"table":"public.runs","columns":[],"key":["id"],"etag":null,"exclude":[],
        "on_truncate":"rows"}"#;
    stored::insert_resource(&house.db, name, definition, true).await
}

async fn the_last_changes_are_judged(database: TestDatabase) {
    let house = House::of(database).await;
    let (run_step, other) = (
        logged(&house, "RUN_STEP").await,
        logged(&house, "RUN").await,
    );
    for (resource, id, old) in [
        (run_step, 1, r#"{"status": "a"}"#),
        (run_step, 2, r#"{"completed_at": "x", "_etag": "y"}"#),
        (other, 3, r#"{"status": "a"}"#),
        (run_step, 4, r#"{"status": "b"}"#),
    ] {
        let row = format!(r#"{{"id":{id},"status":"b","completed_at":null,"_etag":"z"}}"#);
        stored::insert_logged_row(&house.db, resource, &row, Some(old)).await;
    }
    stored::insert_logged_row(&house.db, run_step, "no json", Some("{}")).await;
    let test = async |more: Value| {
        let mut input = json!({"resource": "RUN_STEPS", "action": "UPDATE"});
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let mut data = house.data(TEST, json!({"input": input})).await;
        data["testWebhookFilter"].take()
    };
    let told = |test: &Value| -> Vec<String> {
        let all = test["changes"].as_array().unwrap().iter();
        let line = |one: &Value| format!("{} {} {}", one["rowId"], one["fires"], one["reason"]);
        all.skip(1).map(line).collect()
    };

    let all = test(json!({})).await;
    assert_eq!(
        told(&all),
        ["4", "2", "1"].map(|row| format!("{row} true \"every UPDATE fires\""))
    );
    let broken = &all["changes"][0];
    assert_eq!(
        (&broken["fires"], &broken["rowId"]),
        (&json!(true), &Value::Null)
    );
    assert!(
        broken["reason"]
            .as_str()
            .unwrap()
            .contains("can not be read")
    );
    assert_eq!(
        (&broken["old"], &broken["new"]),
        (&Value::Null, &Value::Null)
    );
    // Whole rows, and not only what changed.
    let oldest = &all["changes"][3];
    assert_eq!(
        oldest["old"],
        json!({"id": 1, "status": "a", "completed_at": null, "_etag": "z"})
    );
    assert_eq!(
        oldest["new"],
        json!({"id": 1, "status": "b", "completed_at": null, "_etag": "z"})
    );
    let counts = json!([
        all["changeCount"],
        all["firesCount"],
        all["failedCount"],
        all["examined"],
        all["complete"]
    ]);
    assert_eq!(counts, json!([4, 4, 0, 5, true]));
    assert_eq!(broken["action"], "UPDATE");
    assert!(all["changes"][1]["changeId"].as_i64() < broken["changeId"].as_i64());

    let fields = test(json!({"changedFields": ["status"]})).await;
    assert_eq!(
        told(&fields),
        [
            "4 true \"of the changed fields [status] at least one changed\"",
            "2 false \"none of the changed fields [status] changed; changed were [completed_at, _etag]\"",
            "1 true \"of the changed fields [status] at least one changed\"",
        ]
    );
    let filter =
        test(json!({"changedFields": ["status"], "filter": "old.status != new.status"})).await;
    assert_eq!(
        told(&filter),
        [
            "4 false \"the filter is false\"",
            "2 false \"none of the changed fields [status] changed; changed were [completed_at, _etag]\"",
            "1 true \"the filter is true\"",
        ]
    );
    let failing = test(json!({"filter": "new.completed_at > '2026'"})).await;
    assert_eq!(
        (&failing["firesCount"], &failing["failedCount"]),
        (&json!(4), &json!(3))
    );
    let last = test(json!({"last": 2})).await;
    assert_eq!(told(&last).len(), 1);
    assert_eq!(
        (&last["examined"], &last["complete"]),
        (&json!(2), &json!(true))
    );
    let none = test(json!({"action": "DELETE"})).await;
    assert_eq!(
        (&none["changes"], &none["complete"]),
        (&json!([]), &json!(true))
    );
}

async fn a_test_needs_a_role_and_has_limits(database: TestDatabase) {
    let house = House::of(database).await;
    let with = |name: &str, value: Value| {
        let mut input = json!({"resource": "RUN", "action": "UPDATE"});
        input[name] = value;
        json!({"input": input})
    };
    for (name, value) in [
        ("last", json!(0)),
        ("last", json!(101)),
        ("last", json!(-1)),
        ("filter", json!("new.nope == 1")),
        ("resource", json!("NOPE")),
        ("changedFields", json!([])),
    ] {
        let (code, message, path) = house.refused(TEST, with(name, value)).await;
        assert_eq!(
            (code.as_str(), path),
            ("VALIDATION", json!(["input", name])),
            "{message}"
        );
    }
    for key in [&house.viewer, &house.operator] {
        let answer = house.ask_as(key, TEST, with("last", json!(5))).await;
        assert_eq!(failure(&answer).0, "FORBIDDEN");
    }
    // A resource that was never logged.
    let data = house.data(TEST, with("last", json!(5))).await;
    assert_eq!(data["testWebhookFilter"]["changes"], json!([]));
}

async fn a_test_looks_back_so_far_and_no_further(database: TestDatabase) {
    let house = House::of(database).await;
    let (run_step, other) = (
        logged(&house, "RUN_STEP").await,
        logged(&house, "RUN").await,
    );
    let row = r#"{"id":1,"status":"b"}"#;
    stored::insert_logged_row(&house.db, run_step, row, Some(r#"{"status":"a"}"#)).await;
    let many = |count: i32| {
        format!(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
             insert into rowhook.logged_actions (resource_id, action, row_data, old_values)
             select {other}, 2, '{{\"id\":1}}', '{{}}' from n"
        )
    };
    run(&house.db, &many(99_999), []).await;
    let input = json!({"input": {"resource": "RUN_STEP", "action": "UPDATE", "last": 3}});
    let counts = async || {
        let data = house.data(TEST, input.clone()).await;
        let test = &data["testWebhookFilter"];
        json!([test["changeCount"], test["examined"]])
    };
    assert_eq!(counts().await, json!([1, 100_000]));
    run(&house.db, &many(1), []).await;
    assert_eq!(counts().await, json!([0, 100_000]), "it lies further back");
    let data = house.data(TEST, input.clone()).await;
    assert_eq!(data["testWebhookFilter"]["complete"], false);
}
