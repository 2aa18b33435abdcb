//! Filters in the real path: which changes become events, and with which filter.

use rowhook::{
    domain::{
        action::Action,
        api_key::Author,
        ids::SubscriptionId,
        resource::{OnTruncate, ResourceDefinition},
    },
    policy::{
        filter::{Filter, FilterInput},
        logged_row::LoggedRow,
    },
    store::{
        sql::db::Dialect,
        subscriptions::{SubscriptionChange, SubscriptionStore as _},
    },
};
use serde_json::{Map, Value, json};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    house::House,
    pipeline::{World, Write},
    receiver::Delivery,
    service::Watched,
    stored::{number, texts},
};

on_both!(
    only_what_a_filter_lets_through_is_delivered,
    a_filter_that_fails_delivers,
    the_filter_of_its_time_decides,
);

const ORDERS: &str =
    "create table orders (id integer primary key, status text not null, qty integer,
                      password text)";

async fn house(database: TestDatabase) -> House {
    let table = match database.dialect {
        Dialect::Postgres => "public.orders",
        Dialect::Sqlite => "orders",
    };
    let watched = Watched {
        name: "ORDER",
        table,
        more: "exclude = [\"password\"]",
    };
    House::with(database, "", ORDERS, &[watched]).await
}

/// The deliveries of a path: action and row.
fn seen(all: &[Delivery], path: &str) -> Vec<String> {
    let of_path = all.iter().filter(|one| one.path == path);
    let told = of_path.map(|one| format!("{} {}", one.action(), one.data()["id"]));
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

async fn only_what_a_filter_lets_through_is_delivered(database: TestDatabase) {
    let house = house(database).await;
    let receiver = house.register("/orders", "").await;
    let became = ", filter: \"new.status == 'done' && old.status != new.status\"";
    house.subscribe(receiver, "ORDER", "UPDATE", became).await;
    let large = ", filter: \"new.qty != null && new.qty > 2\"";
    house.subscribe(receiver, "ORDER", "CREATE", large).await;
    let unseen = ", filter: \"old.exists(name, name == 'password') || new != null\"";
    house.subscribe(receiver, "ORDER", "DELETE", unseen).await;
    let both =
        ", changedFields: [\"qty\", \"qty\"], filter: \"old.qty == null || new.qty > old.qty\"";
    let other = house.register("/both", "").await;
    house.subscribe(other, "ORDER", "UPDATE", both).await;
    let marker = house.register("/marker", "").await;
    house.subscribe(marker, "ORDER", "DELETE", "").await;
    house
        .sql(
            "insert into orders values (1, 'new', null, 'p'); insert into orders values (2, 'new', 2, 'p');
             insert into orders values (3, 'new', 3, 'p'); insert into orders values (4, 'done', 4, 'p');
             update orders set status = 'done' where id <= 3;
             update orders set status = 'done', qty = 5 where id = 1;
             update orders set qty = 1 where id = 2; update orders set qty = 9 where id = 4;
             delete from orders where id = 1",
        )
        .await;
    let all = house
        .receiver
        .wait_until("the last change and 8 events", |all| {
            all.iter().any(|one| one.path == "/marker") && all.len() == 8
        })
        .await;
    house.settled(8).await;
    assert_eq!(
        seen(&all, "/orders"),
        ["create 3", "create 4", "update 1", "update 2", "update 3"]
    );
    assert_eq!(seen(&all, "/both"), ["update 1", "update 4"]);
    // What was left out is no gap.
    for path in ["/orders", "/both"] {
        let mut numbers: Vec<(i64, i64)> = all
            .iter()
            .filter(|one| one.path == path)
            .map(|one| (one.subscription_id(), one.sequence()))
            .collect();
        numbers.sort_unstable();
        for (at, (subscription, sequence)) in numbers.iter().enumerate() {
            let first = numbers
                .iter()
                .position(|one| one.0 == *subscription)
                .unwrap();
            assert_eq!(
                *sequence,
                i64::try_from(at - first).unwrap() + 1,
                "{numbers:?}"
            );
        }
    }
}

async fn a_filter_that_fails_delivers(database: TestDatabase) {
    let house = house(database).await;
    let receiver = house.register("/orders", "").await;
    let careless = ", filter: \"new.qty > 2\"";
    house.subscribe(receiver, "ORDER", "CREATE", careless).await;
    house
        .sql(
            "insert into orders values (1, 'new', null, null); insert into orders values (2, 'new', 2, null);
             insert into orders values (3, 'new', null, null); insert into orders values (4, 'new', 4, null)",
        )
        .await;
    let all = house.receiver.wait_for_events(3).await;
    house.settled(3).await;
    assert_eq!(seen(&all, "/orders"), ["create 1", "create 3", "create 4"]);
    let (_, metrics) = house.service.http("GET", "/metrics", "").await.unwrap();
    assert!(
        metrics.contains("rowhook_filter_failures_total 2"),
        "{metrics}"
    );
    let test = "{ testWebhookFilter(input: {resource: ORDER, action: CREATE, filter: \"new.qty > 2\"}) {
                  changeCount firesCount failedCount examined complete changes { rowId fires reason } } }";
    let data = house.service.graphql(test).await;
    let test = &data["testWebhookFilter"];
    assert_eq!(
        (
            &test["changeCount"],
            &test["firesCount"],
            &test["failedCount"]
        ),
        (&json!(4), &json!(3), &json!(2))
    );
    assert_eq!(
        (&test["examined"], &test["complete"]),
        (&json!(4), &json!(true))
    );
    let fires: Vec<(i64, bool)> = test["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["rowId"].as_i64().unwrap(),
                one["fires"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(fires, [(4, true), (3, true), (2, false), (1, true)]);
    let reason = test["changes"][1]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("the filter failed: ")
            && reason.ends_with("; so the change is delivered"),
        "{reason}"
    );
}

/// The poller reads all of it at once, long after.
async fn the_filter_of_its_time_decides(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.receiver("left").await;
    let by = Author::rowhook();
    let mut id = 0;
    for filter in [
        None,
        Some("new.n % 2 == 0"),
        Some("old.n % 3 == 0"),
        Some("new.note == 1"),
        None,
    ] {
        let one = SubscriptionId(1);
        let current = world.management.subscription(one).await.unwrap().unwrap();
        let change = SubscriptionChange {
            filter: Some(filter.map(str::to_owned)),
            ..SubscriptionChange::default()
        };
        let changed = world
            .management
            .update_subscription(one, &current.etag, change, &by);
        changed.await.unwrap();
        for _ in 0..4 {
            id += 1;
            world.write(&[Write::Row(id)]).await;
        }
    }
    world.start();
    // All of 1 to 4, the even ones of 5 to 8, 10 (old.n is 9), the column that is missing, and again all.
    let wanted = [
        "1", "2", "3", "4", "6", "8", "10", "13", "14", "15", "16", "17", "18", "19", "20",
    ];
    world.states_are(&[(3, 15)]).await;
    let changes = "select cast(change_id as text) from rowhook.events order by id";
    assert_eq!(texts(&world.db, changes).await, wanted);
    let astray = "select count(*) from rowhook.events e where e.sequence <> \
                  (select count(*) from rowhook.events o where o.id <= e.id)";
    assert_eq!(number(&world.db, astray).await, 0);
    world.finish().await;
}

/// The blocks of `docs/FILTERS.md` with this word behind their fence.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    let parts = page.split(&begin).skip(1);
    parts
        .map(|part| part.split("\n```").next().unwrap())
        .collect()
}

#[test]
fn each_example_of_the_page_holds() {
    let page = include_str!("../../docs/FILTERS.md");
    let rows: Value = serde_json::from_str(blocks(page, "json")[0]).unwrap();
    let (old, new) = (rows["old"].as_object().unwrap(), &rows["new"]);
    let changed: Map<String, Value> = old
        .iter()
        .filter(|(name, value)| new[name.as_str()] != **value)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let (row, old) = (new.to_string(), Value::Object(changed).to_string());
    let definition = ResourceDefinition {
        table: "public.orders".to_owned(),
        columns: Vec::new(),
        key: Vec::new(),
        etag: None,
        exclude: Vec::new(),
        on_truncate: OnTruncate::Rows,
    };
    let logged = LoggedRow::parse(&definition, &row, Some(&old)).unwrap();
    let resource = "ORDER".parse().unwrap();
    let input = FilterInput::new(&logged, &resource, Action::Update);
    let examples = blocks(page, "cel");
    assert!(examples.len() > 15, "the examples were not found");
    for example in examples {
        let (comes_to, filter) = example.split_once('\n').unwrap();
        let filter = Filter::compile(filter).unwrap_or_else(|fault| panic!("{example}\n{fault}"));
        let verdict = match filter.judge(&input) {
            Ok(true) => "// true",
            Ok(false) => "// false",
            Err(_) => "// fails",
        };
        assert_eq!(verdict, comes_to, "{example}");
    }
}
