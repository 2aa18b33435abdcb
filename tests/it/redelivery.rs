//! Events that are sent again or called off by hand, while the pipeline runs.

use std::time::Duration;

use rowhook::{
    domain::{
        event::EventStatus,
        ids::{EventId, ReceiverId},
        receiver::RateLimit,
    },
    store::{
        event_control::EventControl as _, event_log::EventFilter,
        sql::event_control::SqlEventControl,
    },
};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    network::{Gate, Reply},
    pipeline::{World, Write, retries},
    stored::{number, run, texts},
    wait::{until, until_ok},
};

on_both!(
    what_was_delivered_goes_out_again_as_the_same_event,
    one_more_attempt_follows_the_running_one,
    what_was_given_up_has_a_fresh_budget,
    an_old_event_of_a_row_in_trouble_just_goes_out,
    what_waits_is_due_at_once,
    what_is_cancelled_frees_what_is_behind_it,
    a_running_attempt_does_not_revive_what_is_cancelled,
    what_the_throttle_holds_back_can_be_cancelled,
    an_order_for_many_is_carried_out_in_batches,
);

const READY: i16 = 0;
const WAITING: i16 = 1;
const PARKED: i16 = 2;
const DELIVERED: i16 = 3;
const FAILED: i16 = 4;
const CANCELLED: i16 = 5;

fn control(world: &World) -> SqlEventControl {
    SqlEventControl::new(world.db.clone())
}

async fn redeliver(world: &World, id: i64) {
    control(world).redeliver(EventId(id)).await.unwrap();
}

fn of(receiver: ReceiverId) -> EventFilter {
    EventFilter {
        receiver_id: Some(receiver),
        ..EventFilter::default()
    }
}

async fn attempts_made(world: &World, wanted: i64) {
    let sql = "select cast(sum(attempt_count) as bigint) from rowhook.events";
    assert_eq!(number(&world.db, sql).await, wanted);
    let logged = "select (select count(*) from rowhook.attempts) + \
                  (select count(*) from rowhook.events where attempted_at is not null)";
    assert_eq!(number(&world.db, logged).await, wanted);
}

async fn what_was_delivered_goes_out_again_as_the_same_event(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.receiver("left").await;
    world.start();
    world.write(&[Write::Row(1), Write::Row(1)]).await;
    world.states_are(&[(DELIVERED, 2)]).await;
    redeliver(&world, 1).await;
    until("it went out again", || world.network.posts().len() == 3).await;
    world.states_are(&[(DELIVERED, 2)]).await;
    let again = world.network.posts().remove(2);
    assert_eq!((again.change, again.attempt), (1, 2));
    attempts_made(&world, 3).await;
    world.finish().await;
    world.assert_sound().await;
}

async fn one_more_attempt_follows_the_running_one(database: TestDatabase) {
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| {
            fields.retry = retries(Duration::from_secs(3600), 1);
        })
        .await;
    let gate = Gate::shut();
    let held = gate.clone();
    world
        .network
        .script(move |post| match (post.change, post.attempt) {
            (1, 1) => Reply::Gate(held.clone(), 200),
            (2, 1) => Reply::Gate(held.clone(), 500),
            _ => Reply::Status(200),
        });
    world.start();
    world.write(&[Write::Row(1), Write::Row(2)]).await;
    until("both are under way", || world.network.posts().len() == 2).await;
    for id in [1, 1, 2] {
        // Twice is once more: there is one event to be sent.
        redeliver(&world, id).await;
    }
    gate.open();
    until("both went out again", || world.network.posts().len() == 4).await;
    world.states_are(&[(DELIVERED, 2)]).await;
    attempts_made(&world, 4).await;
    world.finish().await;
    world.assert_sound().await;
}

async fn what_was_given_up_has_a_fresh_budget(database: TestDatabase) {
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| {
            fields.retry = retries(Duration::from_millis(10), 2);
        })
        .await;
    world.network.script(|_| Reply::Status(500));
    world.start();
    world.touch(1).await;
    world.states_are(&[(FAILED, 1)]).await;
    redeliver(&world, 1).await;
    until("it is tried twice more", || {
        world.network.posts().len() == 4
    })
    .await;
    world.states_are(&[(FAILED, 1)]).await;
    attempts_made(&world, 4).await;
    world.finish().await;
    world.assert_sound().await;
}

/// Change 1 of row 1 is delivered, 2 waits for an hour, 3 is parked behind it.
async fn in_trouble(database: TestDatabase) -> World {
    let mut world = World::that_waits_after(database, 2).await;
    world.touch(1).await;
    world.states_are(&[(DELIVERED, 1)]).await;
    world.touch(1).await;
    world.states_are(&[(DELIVERED, 1), (WAITING, 1)]).await;
    world.touch(1).await;
    world
        .states_are(&[(DELIVERED, 1), (WAITING, 1), (PARKED, 1)])
        .await;
    world
}

async fn an_old_event_of_a_row_in_trouble_just_goes_out(database: TestDatabase) {
    let mut world = in_trouble(database).await;
    redeliver(&world, 1).await;
    until("it went out again", || world.network.posts().len() == 3).await;
    // One that waits its turn goes on waiting, with a fresh budget.
    redeliver(&world, 3).await;
    world.make_due().await;
    world.states_are(&[(DELIVERED, 3)]).await;
    let changes: Vec<i64> = world.network.posts().iter().map(|one| one.change).collect();
    assert_eq!(changes, [1, 2, 1, 2, 3]);
    world.finish().await;
    world.assert_sound().await;
}

async fn what_waits_is_due_at_once(database: TestDatabase) {
    let mut world = in_trouble(database).await;
    redeliver(&world, 2).await;
    world.states_are(&[(DELIVERED, 3)]).await;
    let changes: Vec<i64> = world.network.posts().iter().map(|one| one.change).collect();
    assert_eq!(changes, [1, 2, 2, 3]);
    world.finish().await;
    world.assert_sound().await;
}

async fn what_is_cancelled_frees_what_is_behind_it(database: TestDatabase) {
    let mut world = in_trouble(database).await;
    // Behind what waits: row 1 becomes row 5, and row 5 changes.
    world.write(&[Write::Rekey(1, 5), Write::Row(5)]).await;
    world
        .states_are(&[(DELIVERED, 1), (WAITING, 1), (PARKED, 3)])
        .await;
    let row = EventFilter {
        row_id: Some("1".to_owned()),
        ..EventFilter::default()
    };
    // Stopped, so that no sender frees it by itself.
    world.finish().await;
    assert_eq!(control(&world).cancel_all(&row).await.unwrap(), 2);
    world
        .states_are(&[(READY, 1), (PARKED, 1), (DELIVERED, 1), (CANCELLED, 2)])
        .await;
    world.start();
    world.states_are(&[(DELIVERED, 3), (CANCELLED, 2)]).await;
    let changes: Vec<i64> = world.network.posts().iter().map(|one| one.change).collect();
    assert_eq!(changes, [1, 2, 4, 5]);
    assert_eq!(control(&world).cancel_all(&row).await.unwrap(), 0);
    // What was cancelled can be had after all.
    let cancelled = EventFilter {
        status: Some(EventStatus::Cancelled),
        ..EventFilter::default()
    };
    assert_eq!(control(&world).redeliver_all(&cancelled).await.unwrap(), 2);
    world.states_are(&[(DELIVERED, 5)]).await;
    let changes: Vec<i64> = world.network.posts().iter().map(|one| one.change).collect();
    assert_eq!(changes, [1, 2, 4, 5, 2, 3]);
    world.finish().await;
}

async fn a_running_attempt_does_not_revive_what_is_cancelled(database: TestDatabase) {
    let mut world = World::on(database).await;
    let left = world.receiver("left").await;
    let gate = Gate::shut();
    let held = gate.clone();
    world
        .network
        .script(move |post| Reply::Gate(held.clone(), if post.change == 1 { 500 } else { 200 }));
    world.start();
    world.write(&[Write::Row(1), Write::Row(2)]).await;
    until("both are under way", || world.network.posts().len() == 2).await;
    assert_eq!(control(&world).cancel_all(&of(left)).await.unwrap(), 2);
    gate.open();
    // What was delivered is delivered, whatever was said meanwhile.
    world.states_are(&[(CANCELLED, 1), (DELIVERED, 1)]).await;
    attempts_made_in_time(&world, 2).await;
    // It ended when it was cancelled, and retention counts from there.
    let endless = "select count(*) from rowhook.events where state = 5 and ended_at is null";
    assert_eq!(number(&world.db, endless).await, 0);
    world.touch(3).await;
    world.states_are(&[(CANCELLED, 1), (DELIVERED, 2)]).await;
    assert_eq!(world.network.posts().len(), 3);
    world.finish().await;
}

async fn attempts_made_in_time(world: &World, wanted: i64) {
    let sql = "select cast(sum(attempt_count) as bigint) from rowhook.events";
    until_ok("every attempt is written", async || {
        match number(&world.db, sql).await {
            made if made == wanted => Ok(()),
            made => Err(made),
        }
    })
    .await;
}

async fn what_the_throttle_holds_back_can_be_cancelled(database: TestDatabase) {
    let mut world = World::on(database).await;
    let left = world
        .receiver_with("left", |fields| {
            fields.rate_limit = Some(RateLimit {
                per_second: 2.0,
                burst: 1,
            });
        })
        .await;
    world.start();
    let rows: Vec<Write> = (1..=20).map(Write::Row).collect();
    world.write(&rows).await;
    until("the first went out", || !world.network.posts().is_empty()).await;
    let cancelled = control(&world).cancel_all(&of(left)).await.unwrap();
    assert!(cancelled > 10, "{cancelled}");
    world.touch(21).await;
    // In the order of ids: whatever else would still be sent is sent before.
    until("the last went out", || {
        world.network.posts().iter().any(|post| post.change == 21)
    })
    .await;
    let sent = world.network.posts().len();
    assert!(sent <= 6, "{sent} were sent");
    world.finish().await;
}

async fn an_order_for_many_is_carried_out_in_batches(database: TestDatabase) {
    let world = World::on(database).await;
    let left = world.receiver("left").await;
    let right = world.receiver("right").await;
    // No pipeline: the events are made by hand.
    let sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500)
               insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id,
                   action, transaction_id, occurred_at, created_at, row_id, row_hash, state, budget_used)
               select $1, $2, i, i, 1, 2, i, $3, $3, '1', i, i % 6, 7 from n";
    for receiver in [left, right] {
        let values = [
            receiver.0.into(),
            receiver.0.into(),
            chrono::Utc::now().into(),
        ];
        run(&world.db, sql, values).await;
    }
    let control = control(&world);
    let count = async |what: &str| {
        let sql = format!("select count(*) from rowhook.events where {what}");
        number(&world.db, &sql).await
    };
    // Of each receiver 416 are ready and 417 of each further state up to the fourth.
    let failed = EventFilter {
        status: Some(EventStatus::Failed),
        ..of(left)
    };
    assert_eq!(control.redeliver_all(&failed).await.unwrap(), 417);
    assert_eq!(count("state = 4").await, 417);
    assert_eq!(
        count("redelivery = 1 and budget_used = 0 and state = 0").await,
        417
    );
    assert_eq!(control.redeliver_all(&of(left)).await.unwrap(), 417 + 416);
    assert_eq!(
        count("redelivery = 1 and receiver_id = 1").await,
        3 * 417 - 1
    );
    let pending = EventFilter {
        status: Some(EventStatus::Pending),
        ..of(left)
    };
    assert_eq!(control.redeliver_all(&pending).await.unwrap(), 2500);
    assert_eq!(
        count("state = 1 and due_at is null and receiver_id = 1").await,
        0
    );
    assert_eq!(control.cancel_all(&of(left)).await.unwrap(), 2500);
    assert_eq!(count("state = 5 and receiver_id = 1").await, 2500);
    assert_eq!(
        count("state < 3 and receiver_id = 2").await,
        416 + 417 + 417
    );
    // Nothing is owed to whom is deleted.
    let gone = "update rowhook.receivers set deleted_at = $1 where id = 1";
    run(&world.db, gone, [chrono::Utc::now().into()]).await;
    assert_eq!(control.redeliver_all(&of(left)).await.unwrap(), 0);
    assert!(
        texts(
            &world.db,
            "select 'x' from rowhook.events where state < 3 and receiver_id = 1"
        )
        .await
        .is_empty()
    );
}
