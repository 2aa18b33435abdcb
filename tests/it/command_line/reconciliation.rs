//! Changes against events: whatever was deleted or added behind rowhook's back is named, and nothing else.

use chrono::{TimeDelta, Utc};
use rowhook::store::{
    reconciliation::{Difference, Reach, Reconciliation as _},
    sql::{db::Db, reconciliation::SqlReconciliation},
};
use serde_json::Value;

use super::doctor::{about, doctor, shell, wrong};
use crate::support::{
    both::on_both,
    command::Shell,
    database::TestDatabase,
    house::House,
    stored::{number, run},
};

on_both!(
    what_was_owed_is_what_there_is,
    each_difference_is_named,
    what_retention_may_have_dropped_is_not_missed,
);

/// More transactions than may stand in doubt after a subscription was made.
const MANY: i64 = 130;

/// A house where so many rows were inserted, and all of it was delivered. The subscription has id 1.
async fn delivered(database: TestDatabase) -> (House, Shell, Db) {
    let house = House::of(database).await;
    let receiver = house.register("/well", "").await;
    house.subscribe(receiver, "ITEM", "CREATE", "").await;
    for id in 1..=MANY {
        house
            .sql(&format!("insert into items (id, n) values ({id}, 1)"))
            .await;
    }
    house.settled(usize::try_from(MANY).unwrap()).await;
    let shell = shell(&house.url, house.dialect);
    let db = Db::connect(&house.url, 2).await.unwrap();
    (house, shell, db)
}

fn compared<'a>(report: &'a Value, what: &str) -> &'a Value {
    &report["reconciliation"][what]
}

async fn what_was_owed_is_what_there_is(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.register("/picky", "").await;
    let update = ", changedFields: [\"n\"]";
    house.subscribe(receiver, "ITEM", "UPDATE", update).await;
    let filter = ", filter: \"new.n > 5\"";
    let created = house.subscribe(receiver, "ITEM", "CREATE", filter).await;
    house.subscribe(receiver, "ITEM", "DELETE", "").await;
    for id in 1..=10 {
        house
            .sql(&format!("insert into items (id, n) values ({id}, {id})"))
            .await;
        house
            .sql(&format!("update items set note = 'x' where id = {id}"))
            .await;
        house
            .sql(&format!("update items set n = n + 100 where id = {id}"))
            .await;
    }
    house.settled(5 + 10).await;
    house.update("Subscription", created, "active: false").await;
    house.sql("insert into items (id, n) values (11, 11)").await;
    house.sql("delete from items where id = 1").await;
    house.settled(16).await;
    house.update("Subscription", created, "active: true").await;
    house.sql("insert into items (id, n) values (12, 12)").await;
    house.settled(17).await;
    let (code, report) = doctor(&shell(&house.url, house.dialect));
    assert_eq!((code, wrong(&report)), (0, vec![]), "{report:#}");
    assert_eq!(*compared(&report, "changes"), 33);
    assert_eq!(*compared(&report, "owed"), 17, "{report:#}");
    assert_eq!(*compared(&report, "found"), 17);
    assert_eq!(*compared(&report, "subscriptions"), 3);
    assert_eq!(*compared(&report, "differences"), 0);
    assert_eq!(about(&report, "reconciliation").len(), 1, "{report:#}");
}

async fn each_difference_is_named(database: TestDatabase) {
    let (mut house, shell, db) = delivered(database).await;
    let (code, report) = doctor(&shell);
    assert_eq!((code, wrong(&report)), (0, vec![]), "{report:#}");
    // Nobody mends what is broken here.
    house.service.terminate().await;
    let change = number(
        &db,
        "select change_id from rowhook.events where sequence = 120",
    )
    .await;
    run(&db, "delete from rowhook.events where sequence = 120", []).await;
    let (code, report) = doctor(&shell);
    assert_eq!(code, 1);
    let found = about(&report, "reconciliation");
    let missing = format!("problem subscription 1: change {change} is missing");
    assert!(
        found.len() == 2 && found[1].starts_with(&missing),
        "{found:?}"
    );
    assert!(found[1].contains("replayWebhookChanges"), "{found:?}");
    let found = about(&report, "sequence");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("problem subscription 1: no event has number 120 "),
        "{found:?}"
    );

    // One that nobody is owed, of a subscription that there is not even.
    let copy = "insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id, \
                action, transaction_id, occurred_at, created_at, row_id, row_hash, state, ended_at, attempt_count, \
                attempted_at, response_status) select 2, receiver_id, null, change_id, resource_id, action, transaction_id, occurred_at, \
                created_at, row_id, row_hash, state, ended_at, attempt_count, attempted_at, response_status \
                from rowhook.events where sequence = 121";
    run(&db, copy, []).await;
    let (code, report) = doctor(&shell);
    let found = about(&report, "reconciliation");
    assert!(code == 1 && found.len() == 3, "{found:?}");
    let surplus = found.iter().find(|one| one.contains("too much")).unwrap();
    let event = number(&db, "select max(id) from rowhook.events").await;
    let wanted = format!(
        "problem subscription 2: event {event} of change {} is too much",
        change + 1
    );
    assert!(surplus.starts_with(&wanted), "{surplus} is not {wanted}");

    // Records that contradict themselves.
    for sql in [
        "update rowhook.events set ended_at = null where sequence = 101",
        "update rowhook.events set state = 0 where sequence = 102",
        "update rowhook.events set state = 1, ended_at = null where sequence = 103",
        "update rowhook.events set state = 9 where sequence = 104",
    ] {
        run(&db, sql, []).await;
    }
    let found = about(&doctor(&shell).1, "event-states");
    assert_eq!(found.len(), 4, "{found:?}");
    for (place, part) in [
        "its state is none",
        "it waits, but",
        "it is owed, but has ended",
        "it is settled, but",
    ]
    .iter()
    .enumerate()
    {
        let line = &found[place];
        assert!(
            line.starts_with("warning event ") && line.contains(part),
            "{found:?}"
        );
    }

    // It looks no further than it is told.
    let store = SqlReconciliation::new(db.clone());
    let reach = |newest| Reach {
        newest,
        since: None,
        gently: false,
    };
    let account = store.reconcile(&reach(5)).await.unwrap();
    assert_eq!((account.changes, account.owed, account.found), (5, 5, 5));
    assert!(account.differences.is_empty(), "{account:?}");
    let account = store.reconcile(&reach(10_000)).await.unwrap();
    assert_eq!(account.differences.len(), 7, "{account:?}");
    let gap = Difference::Gap {
        subscription: rowhook::domain::ids::SubscriptionId(1),
        from: 120,
        to: 120,
    };
    assert!(account.differences.contains(&gap), "{account:?}");
}

async fn what_retention_may_have_dropped_is_not_missed(database: TestDatabase) {
    let (mut house, shell, db) = delivered(database).await;
    house.service.terminate().await;
    let then = Utc::now() - TimeDelta::hours(2);
    let age = "update rowhook.logged_actions set logged_at = $1 where id <= \
               (select change_id from rowhook.events where sequence = 125)";
    run(&db, age, [then.into()]).await;
    let age = "update rowhook.events set created_at = $1 where sequence <= 125";
    run(&db, age, [then.into()]).await;
    run(
        &db,
        "delete from rowhook.events where sequence in (110, 125)",
        [],
    )
    .await;
    assert_eq!(doctor(&shell).0, 1, "it was not to be dropped yet");
    let file = shell.folder.path().join("rowhook.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    shell.write(
        "rowhook.toml",
        &format!("[retention]\nevents = \"1h\"\n{config}"),
    );
    let (code, report) = doctor(&shell);
    assert_eq!((code, wrong(&report)), (0, vec![]), "{report:#}");
    assert_eq!(*compared(&report, "changes"), 5);
    // What is newer is missed all the same.
    run(&db, "delete from rowhook.events where sequence = 130", []).await;
    let (code, report) = doctor(&shell);
    assert_eq!(code, 1);
    assert_eq!(wrong(&report).len(), 2, "{report:#}");
}
