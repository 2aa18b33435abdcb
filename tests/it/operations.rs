//! What an operator is told while the service runs: how deliveries go, how far capture is, whether the triggers
//! are in force.

use std::time::Instant;

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::{Value, json};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House,
    receiver::Answer,
    service::{DEADLINE, LOOK_AGAIN},
};

on_both!(
    how_deliveries_go_is_told,
    how_far_capture_is_is_told,
    triggers_that_are_not_in_force_are_told,
);

const STATS: &str = "pending oldestPendingSeconds deliveredPerSecond failedPerSecond successRate
    latencyMs { p50 p99 } captureLagSeconds";

async fn stats(house: &House, of: &str) -> Value {
    let document = format!("{{ webhookStats{of} {{ {STATS} }} }}");
    house.service.graphql(&document).await["webhookStats"].clone()
}

async fn how_deliveries_go_is_told(database: TestDatabase) {
    let house = House::of(database).await;
    let nothing = json!({"pending": 0, "oldestPendingSeconds": null, "deliveredPerSecond": 0.0,
        "failedPerSecond": 0.0, "successRate": null, "latencyMs": null, "captureLagSeconds": 0.0});
    assert_eq!(stats(&house, "").await, nothing);
    let retry = ", retryPolicy: {initialDelayMs: 3600000}";
    let well = house.register_for_items("/well", "").await;
    let ill = house.register_for_items("/ill", retry).await;
    let idle = house.register("/idle", "").await;
    house.receiver.answer(|delivery| {
        let ill = delivery.path == "/ill";
        Answer::Status(if ill { 503 } else { 200 })
    });
    for id in 1..=3 {
        house
            .sql(&format!("insert into items values ({id}, 0, 'a')"))
            .await;
    }
    house.wait_for_count("status: \"delivered\"", 3).await;
    let began = Instant::now();
    let all = loop {
        let all = stats(&house, "").await;
        if all["successRate"] == 0.5 && all["captureLagSeconds"] == 0.0 {
            break all;
        }
        assert!(began.elapsed() < DEADLINE, "{all}");
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    assert_eq!(all["pending"], 3);
    assert!(all["oldestPendingSeconds"].as_f64().unwrap() > 0.0);
    let document =
        format!("{{ webhookReceivers {{ edges {{ node {{ id stats {{ {STATS} }} }} }} }} }}");
    let page = house.service.graphql(&document).await;
    let edges = page["webhookReceivers"]["edges"].as_array().unwrap();
    let of = |id: i64| {
        let edge = edges.iter().find(|edge| edge["node"]["id"] == id);
        edge.unwrap()["node"]["stats"].clone()
    };
    let (good, bad) = (of(well), of(ill));
    assert_eq!(
        (&good["successRate"], &good["pending"]),
        (&json!(1.0), &json!(0))
    );
    assert_eq!(good["oldestPendingSeconds"], Value::Null);
    assert_eq!(
        (&bad["successRate"], &bad["pending"]),
        (&json!(0.0), &json!(3))
    );
    assert_eq!(bad["latencyMs"], Value::Null);
    let rate = good["deliveredPerSecond"].as_f64().unwrap();
    assert!((3.0 / 76.0..3.0 / 59.0).contains(&rate), "{rate}");
    assert_eq!(good["failedPerSecond"], 0.0);
    let p99 = good["latencyMs"]["p99"].as_f64().unwrap();
    let p50 = good["latencyMs"]["p50"].as_f64().unwrap();
    assert!(p50 > 0.0 && p50 <= p99 && p99 < 60_000.0, "{p50} {p99}");
    assert_eq!(of(idle), nothing);
    assert_eq!(
        stats(&house, &format!("(receiverId: {idle})")).await,
        nothing
    );
    let one = stats(&house, &format!("(receiverId: {well})")).await;
    assert_eq!(one["latencyMs"], good["latencyMs"]);
    let answer = house
        .service
        .try_graphql("{ webhookStats(receiverId: 99) { pending } }")
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "NOT_FOUND");
}

async fn capture(house: &House) -> Value {
    let document = "{ webhookCapture { watermark fannedOutAt lagSeconds poller
        oldestOpenTransaction { pid since applicationName preparedAs }
        resources { resource table triggers advice } } }";
    house.service.graphql(document).await["webhookCapture"].clone()
}

async fn how_far_capture_is_is_told(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/items", "").await;
    let before = capture(&house).await;
    assert!(before["poller"].as_str().unwrap().contains('/'), "{before}");
    assert_eq!(before["lagSeconds"], 0.0);
    assert_eq!(before["oldestOpenTransaction"], Value::Null);
    assert_eq!(before["resources"][0]["triggers"], "IN_FORCE");
    assert_eq!(before["resources"][0]["advice"], Value::Null);
    house.sql("insert into items values (1, 0, 'a')").await;
    house.receiver.wait_for_events(1).await;
    let after = capture(&house).await;
    assert_ne!(after["watermark"], before["watermark"]);
    assert!(after["fannedOutAt"].as_str() > before["fannedOutAt"].as_str());
    if house.dialect == Dialect::Sqlite {
        assert_eq!(after["watermark"], "1");
        return;
    }
    // One that only reads is no news; one that has written is, until it ends.
    let open = house.app.begin().await.unwrap();
    let sql = "select pg_backend_pid(), set_config('application_name', 'nightly', false)";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = open.query_one_raw(statement).await.unwrap().unwrap();
    let pid: i32 = row.try_get_by_index(0).unwrap();
    assert_eq!(capture(&house).await["oldestOpenTransaction"], Value::Null);
    open.execute_unprepared("update items set n = 1")
        .await
        .unwrap();
    house.sql("insert into items values (2, 0, 'b')").await;
    house.receiver.wait_for_events(2).await;
    let during = capture(&house).await;
    let found = &during["oldestOpenTransaction"];
    assert_eq!(
        (
            &found["pid"],
            &found["applicationName"],
            &found["preparedAs"]
        ),
        (&json!(pid), &json!("nightly"), &Value::Null)
    );
    assert!(found["since"].is_string());
    open.commit().await.unwrap();
    house.receiver.wait_for_events(3).await;
    assert_eq!(capture(&house).await["oldestOpenTransaction"], Value::Null);
    // A prepared one has no session; not every server has room for one.
    let sql = "select current_setting('max_prepared_transactions')::int";
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = house.app.query_one_raw(statement).await.unwrap().unwrap();
    if row.try_get_by_index::<i32>(0).unwrap() == 0 {
        return;
    }
    let name = format!("left {}", house.url);
    house
        .sql(&format!(
            "begin; update items set n = 2 where id = 2; prepare transaction '{name}'"
        ))
        .await;
    let found = capture(&house).await["oldestOpenTransaction"].clone();
    assert_eq!(
        (&found["pid"], &found["preparedAs"]),
        (&Value::Null, &json!(name))
    );
    assert!(found["since"].is_string());
    house.sql(&format!("commit prepared '{name}'")).await;
    house.receiver.wait_for_events(4).await;
    assert_eq!(capture(&house).await["oldestOpenTransaction"], Value::Null);
}

async fn triggers_that_are_not_in_force_are_told(database: TestDatabase) {
    let house = House::of(database).await;
    let table = match house.dialect {
        Dialect::Postgres => "public.items",
        Dialect::Sqlite => "items",
    };
    // What is done to the table, what is told of it, and what puts it right again.
    let mut cases = match house.dialect {
        Dialect::Postgres => vec![
            (
                "alter table items disable trigger all",
                "DISABLED",
                "are disabled",
                "alter table items enable always trigger \" rowhook_item\";
                 alter table items enable always trigger \" rowhook_item_truncate\"",
            ),
            (
                "alter table items enable trigger \" rowhook_item\"",
                "DISABLED",
                "ALWAYS",
                "alter table items enable always trigger \" rowhook_item\"",
            ),
            (
                "alter table items add column more text",
                "ALTERED",
                "columns",
                "alter table items drop column more",
            ),
            (
                "drop trigger \" rowhook_item\" on items",
                "MISSING",
                "not logged",
                "",
            ),
        ],
        Dialect::Sqlite => vec![
            (
                "alter table items add column more text",
                "ALTERED",
                "columns",
                "",
            ),
            (
                "drop trigger rowhook_item_update",
                "MISSING",
                "not logged",
                "",
            ),
        ],
    };
    cases.push(("drop table items", "TABLE_MISSING", "there is no table", ""));
    for (harm, told, says, mend) in cases {
        house.sql(harm).await;
        let found = capture(&house).await["resources"].clone();
        let advice = found[0]["advice"].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            found,
            json!([{"resource": "ITEM", "table": table, "triggers": told, "advice": advice}]),
            "{harm}"
        );
        assert!(advice.contains(says), "{harm}: {advice}");
        if !mend.is_empty() {
            house.sql(mend).await;
            let found = capture(&house).await;
            assert_eq!(found["resources"][0]["triggers"], "IN_FORCE", "{mend}");
        }
    }
}
