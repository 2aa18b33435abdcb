//! `webhookInstances`, and which of them sends to a receiver.

use chrono::{DateTime, TimeDelta, Utc};
use rowhook::{
    domain::{ids::ReceiverId, instance::VERSION},
    store::{
        instances::Instances as _,
        leases::{LeaseOf, LeaseStore as _},
        sql::{db::Dialect, instances::SqlInstances, leases::SqlLeases},
    },
};
use serde_json::{Value, json};

use super::House;
use crate::support::{
    both::on_both, database::TestDatabase, house::House as Running, wait::until_ok,
};

on_both!(
    the_one_that_answers_is_always_there,
    who_sends_stands_on_the_receiver,
    a_running_instance_tells_what_it_does,
);

const READ: &str = "{ webhookInstances {
    name host process version startedAt heardAt running readsChanges receivers answering } }";

/// When an instance was heard of.
fn heard_at(instance: &Value) -> DateTime<Utc> {
    instance["heardAt"].as_str().unwrap().parse().unwrap()
}

/// `pipeline::Quiet` has neither a row nor a lease.
async fn the_one_that_answers_is_always_there(database: TestDatabase) {
    let house = House::of(database).await;
    let told = house.ask_as(&house.viewer, READ, json!({})).await;
    let all = told["data"]["webhookInstances"].as_array().unwrap();
    let wanted = json!([{"name": "here/1/0", "host": "here", "process": 1, "version": VERSION,
        "startedAt": "1970-01-01T00:00:00.000Z", "heardAt": all[0]["heardAt"], "running": true, "readsChanges": true,
        "receivers": 0, "answering": true}]);
    assert_eq!(json!(all), wanted, "{told}");
    assert!(Utc::now() - heard_at(&all[0]) < TimeDelta::minutes(1));
    // With leases it is there once all the same, and does what they say.
    let leases = SqlLeases::new(house.db.clone());
    for id in [1, 2] {
        let of = LeaseOf::Receiver(ReceiverId(id));
        leases.acquire(of, "here/1/0").await.unwrap().unwrap();
    }
    let told = house.data(READ, json!({})).await;
    let all = told["webhookInstances"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{told}");
    assert_eq!(all[0]["receivers"], 2);
    assert_eq!(all[0]["readsChanges"], false);
    assert_eq!(all[0]["startedAt"], "1970-01-01T00:00:00.000Z");
}

#[actix_rt::test]
async fn others_are_listed_beside_it() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    let instances = SqlInstances::new(house.db.clone());
    for holder in ["here/1/0", "elsewhere/77/00ab"] {
        instances.attend(holder).await.unwrap();
    }
    let leases = SqlLeases::new(house.db.clone());
    leases
        .acquire(LeaseOf::Poller, "unnamed")
        .await
        .unwrap()
        .unwrap();
    let read = "{ webhookInstances { name host process version readsChanges answering } }";
    let told = house.data(read, json!({})).await;
    let one = |name, host: Value, process: Value, version: Value, reads, answers| {
        json!({"name": name, "host": host, "process": process, "version": version,
            "readsChanges": reads, "answering": answers})
    };
    let wanted = [
        one(
            "unnamed",
            Value::Null,
            Value::Null,
            Value::Null,
            true,
            false,
        ),
        one(
            "here/1/0",
            json!("here"),
            json!(1),
            json!(VERSION),
            false,
            true,
        ),
        one(
            "elsewhere/77/00ab",
            json!("elsewhere"),
            json!(77),
            json!(VERSION),
            false,
            false,
        ),
    ];
    assert_eq!(told["webhookInstances"], json!(wanted));
}

async fn who_sends_stands_on_the_receiver(database: TestDatabase) {
    let house = House::of(database).await;
    let (sent_to, _) = house.receiver().await;
    house.receiver().await;
    let of = LeaseOf::Receiver(ReceiverId(sent_to.try_into().unwrap()));
    let leases = SqlLeases::new(house.db.clone());
    leases
        .acquire(of, "elsewhere/77/00ab")
        .await
        .unwrap()
        .unwrap();
    let read = "{ webhookReceivers(sort: {field: CREATED_AT}) { edges { node { instance } } } }";
    let told = house.ask_as(&house.viewer, read, json!({})).await;
    assert_eq!(
        told["data"]["webhookReceivers"]["edges"],
        json!([{"node": {"instance": "elsewhere/77/00ab"}}, {"node": {"instance": null}}]),
        "{told}"
    );
}

/// The built binary: the list, its own account of itself and its receiver's are of one and the same.
async fn a_running_instance_tells_what_it_does(database: TestDatabase) {
    let house = Running::of(database).await;
    // It is owed something all the time, so its sender stays.
    house
        .register_for_items("/items", ", rateLimit: {perSecond: 0.01, burst: 1}")
        .await;
    house
        .sql("insert into items values (1, 0, 'a'), (2, 0, 'b')")
        .await;
    let read = "{ webhookPipeline { instance } webhookReceiver(id: 1) { instance }
        webhookInstances { name process version startedAt heardAt running readsChanges receivers answering } }";
    until_ok("it sends", async || {
        let told = house.service.graphql(read).await;
        let all = told["webhookInstances"].as_array().unwrap();
        let sends = all[0]["receivers"] == 1 && told["webhookReceiver"]["instance"].is_string();
        if sends { Ok(()) } else { Err(told) }
    })
    .await;
    let told = house.service.graphql(read).await;
    let name = &told["webhookPipeline"]["instance"];
    let all = told["webhookInstances"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{told}");
    assert_eq!(told["webhookReceiver"]["instance"], *name);
    let process = house.service.process();
    let wanted = json!({"name": name, "process": process, "version": VERSION, "startedAt": all[0]["startedAt"],
        "heardAt": all[0]["heardAt"], "running": true, "readsChanges": true, "receivers": 1, "answering": true});
    assert_eq!(all[0], wanted);
    let started_at: DateTime<Utc> = all[0]["startedAt"].as_str().unwrap().parse().unwrap();
    assert!(started_at > Utc::now() - TimeDelta::minutes(5) && started_at <= heard_at(&all[0]));
}
