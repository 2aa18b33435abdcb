//! Deletion in the tables: long queues, what a cut-off deletion leaves, and pages of fan-out that are being
//! written at that moment.

use std::time::{Duration, Instant};

use rowhook::domain::ids::EventId;
use rowhook::store::{
    event_queue::EventQueue as _,
    receivers::ReceiverStore as _,
    sql::{db::Dialect, event_queue::SqlEventQueue},
    subscriptions::SubscriptionStore as _,
};
use sea_orm::ConnectionTrait as _;

use super::{House, ann};
use crate::support::{both::on_both, database::TestDatabase, stored};

on_both!(
    a_long_queue_is_cancelled_and_the_others_stay,
    what_a_cut_off_deletion_left_is_not_sent_and_is_cancelled_at_the_next_start,
);

/// More than a few batches; `ROWHOOK_TEST_LONG_QUEUE` sets another length, for measuring.
fn length() -> i64 {
    let set = std::env::var("ROWHOOK_TEST_LONG_QUEUE").ok();
    set.map_or(3500, |length| length.parse().unwrap())
}

/// So many events for each of two subscriptions in turn: ready, and every tenth waiting.
async fn queue(house: &House, receiver: i32, subscriptions: [i32; 2], count: i64) {
    let sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < $4)
        insert into rowhook.events (subscription_id, receiver_id, sequence, resource_id, action,
            transaction_id, occurred_at, created_at, row_id, row_hash, state)
        select case when i % 2 = 0 then $2 else $3 end, $1, (i + 1) / 2, 1, 2, 1, $5, $5, '1', i,
            case when i % 10 < 2 then 1 else 0 end from n";
    let values: [stored::Value; 5] = [
        receiver.into(),
        subscriptions[0].into(),
        subscriptions[1].into(),
        (2 * count).into(),
        chrono::Utc::now().into(),
    ];
    let sql = match house.db.dialect() {
        Dialect::Sqlite => sql.to_owned(),
        Dialect::Postgres => sql
            .replace("$1", "$1::int")
            .replace("$2", "$2::int")
            .replace("$3", "$3::int")
            .replace("$4", "$4::bigint")
            .replace("select 1 union", "select 1::bigint union"),
    };
    stored::run(&house.db, &sql, values).await;
}

async fn states(house: &House) -> Vec<String> {
    let sql = "select cast(subscription_id as text) || ':' || cast(state as text) || ':' ||
               cast(count(*) as text) from rowhook.events group by subscription_id, state
               order by subscription_id, state";
    stored::texts(&house.db, sql).await
}

async fn a_long_queue_is_cancelled_and_the_others_stay(database: TestDatabase) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await.id;
    let goes = house.subscription(receiver, true).await.id;
    let stays = house.subscription(receiver, true).await.id;
    let count = length();
    queue(&house, receiver.0, [goes.0, stays.0], count).await;
    let began = Instant::now();
    let deleted = house.store.delete_subscription(goes, None, &ann()).await;
    deleted.unwrap();
    println!(
        "{count} events: the deletion answered after {:?}",
        began.elapsed()
    );
    let tenth = count / 5;
    let wanted = [
        format!("{goes}:5:{count}"),
        format!("{stays}:0:{}", count - tenth),
        format!("{stays}:1:{tenth}"),
    ];
    while states(&house).await != wanted {
        assert!(
            began.elapsed() < Duration::from_secs(600),
            "{:?}",
            states(&house).await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("{count} events: all cancelled after {:?}", began.elapsed());
    let due = "select count(*) from rowhook.events where state = 5 and due_at is not null";
    assert_eq!(stored::number(&house.db, due).await, 0);
    house
        .store
        .delete_receiver(receiver, None, &ann())
        .await
        .unwrap();
    while states(&house).await != [format!("{goes}:5:{count}"), format!("{stays}:5:{count}")] {
        assert!(
            began.elapsed() < Duration::from_secs(600),
            "{:?}",
            states(&house).await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn what_a_cut_off_deletion_left_is_not_sent_and_is_cancelled_at_the_next_start(
    database: TestDatabase,
) {
    let house = House::of(database).await;
    let receiver = house.receiver(true).await.id;
    let goes = house.subscription(receiver, true).await.id;
    let stays = house.subscription(receiver, true).await.id;
    queue(&house, receiver.0, [goes.0, stays.0], 10).await;
    // Its transaction was committed and nothing else came to be.
    let mark = "update rowhook.subscriptions set deleted_at = $1 where id = $2";
    stored::run(&house.db, mark, [chrono::Utc::now().into(), goes.0.into()]).await;
    let events = SqlEventQueue::new(house.db.clone());
    let all: Vec<EventId> = (1..=20).map(EventId).collect();
    let owed = events.still_owed(&all).await.unwrap();
    assert_eq!(owed.len(), 10);
    let loaded = events.load(&all, u64::MAX).await.unwrap().events;
    assert!(
        loaded
            .iter()
            .all(|event| event.subscription_id == stays && owed.contains_key(&event.id))
    );
    assert_eq!(loaded.len(), 10);
    house.store.tidy().await.unwrap();
    let wanted = [
        format!("{goes}:5:10"),
        format!("{stays}:0:8"),
        format!("{stays}:1:2"),
    ];
    assert_eq!(states(&house).await, wanted);
}

/// A page of fan-out that did not see the deletion holds the numbers of its subscriptions: the deletion
/// waits for it, and cancels what it made.
#[actix_rt::test]
async fn a_page_that_is_being_written_is_waited_for() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    let receiver = house.receiver(true).await.id;
    let goes = house.subscription(receiver, true).await.id;
    let page = house.db.begin().await.unwrap();
    let numbers = "insert into rowhook.subscription_sequences values ($1, 1)";
    page.execute_raw(page.statement(numbers, [goes.0.into()]))
        .await
        .unwrap();
    let deleting = tokio::spawn({
        let store = house.store.clone();
        async move { store.delete_subscription(goes, None, &ann()).await }
    });
    while stored::waiting_for_a_lock(&house.db).await == 0 {
        tokio::task::yield_now().await;
    }
    let event =
        "insert into rowhook.events (subscription_id, receiver_id, sequence, resource_id, action,
        transaction_id, occurred_at, created_at, row_id, row_hash)
        values ($1, $2, 1, 1, 2, 1, now(), now(), '1', 1)";
    let values = [goes.0.into(), receiver.0.into()];
    page.execute_raw(page.statement(event, values))
        .await
        .unwrap();
    page.commit().await.unwrap();
    deleting.await.unwrap().unwrap();
    assert_eq!(states(&house).await, [format!("{goes}:5:1")]);
    let last = "select last_sequence from rowhook.subscription_sequences";
    assert_eq!(stored::number(&house.db, last).await, 1);
}

/// An outcome that is being written is not waited for in a way that could deadlock with it, and its event
/// is not forgotten.
#[actix_rt::test]
async fn an_event_whose_outcome_is_being_written_is_cancelled_after_it() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    let receiver = house.receiver(true).await.id;
    let goes = house.subscription(receiver, true).await.id;
    let stays = house.subscription(receiver, true).await.id;
    queue(&house, receiver.0, [goes.0, stays.0], 5).await;
    let outcome = house.db.begin().await.unwrap();
    let retry = "update rowhook.events set state = 1, attempt_count = 1 where id = 4";
    outcome
        .execute_raw(outcome.statement(retry, []))
        .await
        .unwrap();
    let deleting = tokio::spawn({
        let store = house.store.clone();
        async move { store.delete_subscription(goes, None, &ann()).await }
    });
    let cancelled = "select count(*) from rowhook.events where state = 5";
    while stored::number(&house.db, cancelled).await < 4 {
        tokio::task::yield_now().await;
    }
    outcome.commit().await.unwrap();
    deleting.await.unwrap().unwrap();
    while stored::number(&house.db, cancelled).await < 5 {
        tokio::task::yield_now().await;
    }
}
