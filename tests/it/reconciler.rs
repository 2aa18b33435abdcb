//! The comparison that runs by itself: whatever was deleted or changed behind rowhook's back is told once, counted in a
//! metric and shown by the API.

use rowhook::store::sql::db::Db;
use serde_json::Value;

use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House,
    stored::{number, run},
    wait::until_ok,
};

on_both!(
    nothing_is_told_of_a_house_that_is_well,
    each_difference_is_told_once,
);

const OFTEN: &str = "[capture]\nreconcile = \"1s\"";

/// More transactions than may stand in doubt after a subscription was made.
const MANY: i64 = 130;

async fn delivered(database: TestDatabase) -> House {
    let house = House::with(database, OFTEN, "", &[]).await;
    let receiver = house.register("/well", "").await;
    house.subscribe(receiver, "ITEM", "CREATE", "").await;
    for id in 1..=MANY {
        house
            .sql(&format!("insert into items (id, n) values ({id}, 1)"))
            .await;
    }
    house.settled(usize::try_from(MANY).unwrap()).await;
    house
}

async fn last(house: &House) -> Value {
    let document = "{ webhookCapture { reconciliation {
        ranAt changes eventsOwed eventsFound eventsChecked differences examples } } }";
    house.service.graphql(document).await["webhookCapture"]["reconciliation"].clone()
}

/// Waits for a round that found so many differences.
async fn found(house: &House, differences: i64) -> Value {
    until_ok(
        &format!("{differences} differences are found"),
        async || {
            let last = last(house).await;
            if last["differences"] == differences && last["changes"] == MANY {
                Ok(last)
            } else {
                Err(last)
            }
        },
    )
    .await
}

fn told(house: &House, text: &str) -> usize {
    let log = house.service.log_text();
    let with = |line: &&str| line.contains("do not agree") && line.contains(text);
    log.lines().filter(with).count()
}

async fn metric(house: &House) -> String {
    let (_, text) = house.service.http("GET", "/metrics", "").await.unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("rowhook_reconciliation_differences "));
    line.unwrap().to_owned()
}

async fn nothing_is_told_of_a_house_that_is_well(database: TestDatabase) {
    let house = delivered(database).await;
    let last = found(&house, 0).await;
    assert_eq!(
        (
            &last["eventsOwed"],
            &last["eventsFound"],
            &last["eventsChecked"]
        ),
        (&MANY.into(), &MANY.into(), &MANY.into()),
        "{last}"
    );
    assert_eq!(last["examples"], serde_json::json!([]));
    assert_eq!(told(&house, ""), 0, "{}", house.service.log_text());
    assert_eq!(metric(&house).await, "rowhook_reconciliation_differences 0");
}

async fn each_difference_is_told_once(database: TestDatabase) {
    let house = delivered(database).await;
    let db = Db::connect(&house.url, 2).await.unwrap();
    let change = number(
        &db,
        "select change_id from rowhook.events where sequence = 120",
    )
    .await;
    run(&db, "delete from rowhook.events where sequence = 120", []).await;
    // A change without its event, and the number that it had.
    let last = found(&house, 2).await;
    let examples = last["examples"].to_string();
    let missing = format!("subscription 1: change {change} is missing");
    assert!(
        examples.contains(&missing) && examples.contains("no event has number 120"),
        "{examples}"
    );
    assert_eq!(metric(&house).await, "rowhook_reconciliation_differences 2");

    // Events against attempts.
    for sql in [
        "update rowhook.events set attempted_at = null, attempt_count = 0, response_status = null where sequence = 101",
        "update rowhook.events set attempt_count = 3 where sequence = 102",
    ] {
        run(&db, sql, []).await;
    }
    let last = found(&house, 4).await;
    let examples = last["examples"].to_string();
    for part in [
        "it is delivered, but no attempt that was answered is recorded",
        "it counts more attempts than are recorded",
    ] {
        assert!(examples.contains(part), "{examples}");
        assert_eq!(told(&house, part), 1);
    }
    // Each once, however many rounds have seen it.
    let ran_at = last["ranAt"].clone();
    until_ok("another round has run", async || {
        let now = found(&house, 4).await["ranAt"].clone();
        if now != ran_at { Ok(()) } else { Err(now) }
    })
    .await;
    assert_eq!(told(&house, &format!("change {change} is missing")), 1);
    assert_eq!(told(&house, ""), 4, "{}", house.service.log_text());
    // What is mended is no longer counted.
    run(
        &db,
        "update rowhook.events set attempt_count = 1 where sequence = 102",
        [],
    )
    .await;
    found(&house, 3).await;
}
