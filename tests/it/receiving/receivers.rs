//! The page's two receivers, each as a process of its own, against the service: real changes arrive, and what
//! is forged, stale or repeated is handled as the page says.

use std::collections::{BTreeMap, BTreeSet};

use rowhook::domain::shared_secret::SharedSecret;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use serde_json::{Value, json};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House,
    http,
    service::{DEADLINE, LOOK_AGAIN},
};

use super::{
    page::Page,
    program::{Language, Program, register},
    signed::Case,
};

on_both!(
    python_takes_each_event_once,
    python_takes_each_event_once_by_x_ion_signature,
    node_takes_each_event_once,
    node_takes_each_event_once_by_x_ion_signature,
    work_that_fails_is_not_noted_and_comes_again,
    a_delivery_looks_as_on_the_page,
);

/// A change of the page's code, and the words by which the page tells to make it.
type Edit = (&'static str, &'static str, &'static str);

/// What the page tells to change for the other signature.
const PYTHON_ION: [Edit; 1] = [(
    "return verify_standard(SECRET, headers, body)",
    "return ",
    "verify_ion(SECRET, URI, headers, body)",
)];

/// The same in Node.
const NODE_ION: [Edit; 2] = [
    (
        "return verifyStandard(SECRET, headers, body)",
        "return ",
        "verifyIon(SECRET, process.env.WEBHOOK_URI, headers, body)",
    ),
    (
        "import { readEvent, verifyStandard } from \"./verify.mjs\";",
        "import { readEvent } from \"./verify.mjs\";\n",
        "import { verifyIon } from \"./ion.mjs\"",
    ),
];

const FAST_RETRY: &str = ", retryPolicy: {initialDelayMs: 200, multiplier: 1.0, maxAttempts: 100}";

async fn python_takes_each_event_once(database: TestDatabase) {
    takes_each_event_once(database, Language::Python, &[]).await;
}

async fn python_takes_each_event_once_by_x_ion_signature(database: TestDatabase) {
    takes_each_event_once(database, Language::Python, &PYTHON_ION).await;
}

async fn node_takes_each_event_once(database: TestDatabase) {
    takes_each_event_once(database, Language::Node, &[]).await;
}

async fn node_takes_each_event_once_by_x_ion_signature(database: TestDatabase) {
    takes_each_event_once(database, Language::Node, &NODE_ION).await;
}

async fn takes_each_event_once(database: TestDatabase, language: Language, edits: &[Edit]) {
    let by_ion = !edits.is_empty();
    let edits: Vec<(&str, String)> = edits
        .iter()
        .map(|(from, kept, to)| {
            assert!(Page::read().tells(to), "the page does not tell of {to}");
            (*from, format!("{kept}{to}"))
        })
        .collect();
    let house = House::of(database).await;
    let mut program = Program::start(&house, language, &edits, "").await;
    for action in ["CREATE", "UPDATE", "DELETE"] {
        house.subscribe(program.receiver, "ITEM", action, "").await;
    }
    house
        .sql(
            "insert into items values (1, 0, 'it''s \"new\"'), (2, 9007199254740993, null), (3, 7, '\u{e9}\u{1f389}');
             update items set n = n + 1, note = null where id = 1;
             update items set id = 10, n = n + 1 where id = 2;
             delete from items where id = 3;",
        )
        .await;
    house.settled(6).await;
    let events = house.events("").await;
    for event in &events {
        assert_eq!(event["status"], "delivered", "{event}");
        assert_eq!(event["attemptCount"], 1, "{event}");
    }
    let took: BTreeSet<String> = program.says(6).await.into_iter().collect();
    let owed: BTreeSet<String> = events.iter().map(|event| line("took", event)).collect();
    assert_eq!(took, owed);
    if language == Language::Python {
        let copies = copies(&program.database().await).await;
        let rows = BTreeMap::from([
            ("1".to_owned(), json!({"id": 1, "n": 1, "note": null})),
            (
                "10".to_owned(),
                json!({"id": 10, "n": 9_007_199_254_740_994_i64, "note": null}),
            ),
        ]);
        assert_eq!(copies, rows);
    }
    answers_forgeries(&program, &events, by_ion).await;
    assert_eq!(program.said(), [] as [String; 0]);

    // The same event again, as after an answer that was lost.
    let body = events[0]["requestData"].as_str().unwrap();
    let again = Case::signed(&[&program.secret], &program.uri, body);
    assert_eq!(post(&program, &again).await, 200);
    assert_eq!(program.says(1).await, [line("knew", &events[0])]);
    // While the secret is being changed.
    let rotating = [&SharedSecret::generate(), &program.secret];
    let rotating = Case::signed(&rotating, &program.uri, body);
    assert_eq!(post(&program, &rotating).await, 200);
    assert_eq!(program.says(1).await, [line("knew", &events[0])]);

    refuses_who_has_another_secret(&house, &mut program).await;
}

/// What the receiver prints of an event.
fn line(verb: &str, event: &Value) -> String {
    let body: Value = serde_json::from_str(event["requestData"].as_str().unwrap()).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    format!(
        "{verb} {} {} {}",
        body["event_id"],
        text("resource"),
        text("action")
    )
}

async fn post(program: &Program, case: &Case) -> u16 {
    let headers = case.headers();
    let body = case.body.as_bytes();
    http::send(program.address, "POST", "/hooks", &headers, body)
        .await
        .status
}

async fn answers_forgeries(program: &Program, events: &[Value], by_ion: bool) {
    let update = events.iter().find(|event| {
        let body = event["requestData"].as_str().unwrap();
        body.contains("\"update\"") && body.contains("\"n\":1,")
    });
    let body = update.unwrap()["requestData"].as_str().unwrap();
    let sound = Case::signed(&[&program.secret], &program.uri, body);
    let tampered = sound.clone().replace("\"n\":1,", "\"n\":2,");
    assert_eq!(post(program, &tampered).await, 401);
    let other = SharedSecret::generate();
    let wrong_secret = Case::signed(&[&other], &program.uri, body);
    assert_eq!(post(program, &wrong_secret).await, 401);
    let unsigned = ["webhook-signature", "x-ion-signature"]
        .into_iter()
        .fold(sound.clone(), |case, name| case.header(name, ""));
    assert_eq!(post(program, &unsigned).await, 401);
    if !by_ion {
        let stale = sound.header("webhook-timestamp", "1777232023");
        assert_eq!(post(program, &stale).await, 401);
        return;
    }
    let elsewhere = Case::signed(&[&program.secret], "http://127.0.0.1/", body);
    assert_eq!(post(program, &elsewhere).await, 401);
}

/// Another record with the same URI has a secret of its own, which this receiver does not know.
async fn refuses_who_has_another_secret(house: &House, program: &mut Program) {
    let (stranger, _) = register(house, &program.uri, FAST_RETRY).await;
    house.subscribe(stranger, "ITEM", "CREATE", "").await;
    house.sql("insert into items values (4, 0, 'four')").await;
    let filters = format!("receiverId: {stranger}");
    let refused = wait_for_event(house, &filters, |event| {
        event["attemptCount"].as_i64() >= Some(2)
    })
    .await;
    assert_eq!(refused["responseStatus"], 401, "{refused}");
    assert_eq!(refused["status"], "pending", "{refused}");
    // The first receiver's own delivery of the same change is taken, and nothing else.
    let took = program.says(1).await;
    assert!(took[0].starts_with("took "), "{took:?}");
    assert_eq!(program.said(), [] as [String; 0]);
}

async fn wait_for_event(house: &House, filters: &str, is: impl Fn(&Value) -> bool) -> Value {
    let began = std::time::Instant::now();
    loop {
        let events = house.events(filters).await;
        if let Some(event) = events.iter().find(|event| is(event)) {
            return event.clone();
        }
        assert!(began.elapsed() < DEADLINE, "{filters}: {events:?}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// The rows that the Python receiver holds copies of, by key.
async fn copies(database: &DatabaseConnection) -> BTreeMap<String, Value> {
    let query = "select id, content from copies where resource = 'item'";
    let query = Statement::from_string(database.get_database_backend(), query);
    let rows = database.query_all_raw(query).await.unwrap();
    rows.iter()
        .map(|row| {
            let content: String = row.try_get_by_index(1).unwrap();
            let content = serde_json::from_str(&content).unwrap();
            (row.try_get_by_index(0).unwrap(), content)
        })
        .collect()
}

async fn work_that_fails_is_not_noted_and_comes_again(database: TestDatabase) {
    let house = House::of(database).await;
    let mut program = Program::start(&house, Language::Python, &[], FAST_RETRY).await;
    house
        .subscribe(program.receiver, "ITEM", "CREATE", "")
        .await;
    let copied = program.database().await;
    let rename = "alter table copies rename to elsewhere";
    copied.execute_unprepared(rename).await.unwrap();
    house.sql("insert into items values (1, 5, 'one')").await;
    let failed = wait_for_event(&house, "", |event| {
        event["attemptCount"].as_i64() >= Some(2)
    })
    .await;
    assert_eq!(failed["responseStatus"], 500, "{failed}");
    assert_eq!(program.said(), [] as [String; 0]);
    let rename = "alter table elsewhere rename to copies";
    copied.execute_unprepared(rename).await.unwrap();
    house.settled(1).await;
    assert!(program.says(1).await[0].starts_with("took "));
    let rows = BTreeMap::from([("1".to_owned(), json!({"id": 1, "n": 5, "note": "one"}))]);
    assert_eq!(copies(&copied).await, rows);
}

async fn a_delivery_looks_as_on_the_page(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/hooks", "").await;
    house
        .sql("insert into items values (1, 0, 'a'); update items set n = 1 where id = 1")
        .await;
    let deliveries = house.receiver.wait_for_events(2).await;
    let page = Page::read();
    let (head, body) = page.block("delivery.http").split_once("\n\n").unwrap();
    let names: BTreeSet<&str> = head
        .lines()
        .skip(1)
        .map(|line| line.split_once(": ").unwrap().0)
        .collect();
    let shown: Value = serde_json::from_str(body).unwrap();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    for delivery in &deliveries {
        // Those of the wire are not what the page tells of.
        let wire = ["host", "content-length", "date", "connection"];
        let came: BTreeSet<&str> = delivery
            .headers
            .keys()
            .map(String::as_str)
            .filter(|name| !wire.contains(name))
            .collect();
        assert_eq!(came, names);
        assert_eq!(keys(&delivery.body), keys(&shown));
        assert_eq!(keys(delivery.data()), keys(&shown["data"]));
        assert_eq!(delivery.headers["content-type"], "application/json");
        let without_spaces = serde_json::to_string(&delivery.body).unwrap();
        assert_eq!(delivery.text, without_spaces);
    }
}
