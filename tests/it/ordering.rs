//! Order per row, retries and the bound on requests in flight: through failures, key changes and restarts.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rowhook::{
    domain::{attempt::SendError, receiver::Ordering},
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
    stored::number,
    troubles::{Point, Trouble},
    wait::until,
};

on_both!(
    order_holds_through_failures_and_key_changes,
    a_row_in_trouble_costs_the_others_nothing,
    a_restart_keeps_the_order,
    what_was_given_up_lets_its_row_go_on,
    a_cancellation_while_a_page_is_read_keeps_the_order,
    an_answer_that_the_database_did_not_give_keeps_the_order,
    without_order_nothing_waits,
    no_more_are_in_flight_than_the_receiver_takes,
    a_row_with_a_long_backlog_costs_the_others_nothing,
    what_the_answer_says_of_the_next_attempt,
);

const READY: i16 = 0;
const WAITING: i16 = 1;
const PARKED: i16 = 2;
const DELIVERED: i16 = 3;
const FAILED: i16 = 4;
const CANCELLED: i16 = 5;

async fn order_holds_through_failures_and_key_changes(database: TestDatabase) {
    let seed = 20_261_121;
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| {
            fields.retry = retries(Duration::from_millis(20), 100);
        })
        .await;
    let mut answers = StdRng::seed_from_u64(seed + 1);
    world.network.script(move |_| {
        if answers.random_bool(0.4) {
            Reply::Status(500)
        } else {
            Reply::After(Duration::from_millis(answers.random_range(0..4)), 200)
        }
    });
    world.start();
    for _ in 0..40 {
        let row = random.random_range(1..=4);
        let write = if random.random_bool(0.3) {
            Write::Rekey(row, row % 4 + 1)
        } else {
            Write::Row(row)
        };
        world.write(&[write]).await;
    }
    println!("seed {seed}, {} changes", world.last_change());
    world.all_delivered().await;
    world.network.assert_order_per_row(|_| false);
    assert_eq!(world.network.delivered("left").len(), 40);
    world.finish().await;
    world.assert_sound().await;
}

/// Row 1 fails and waits for an hour; what follows in it is parked, and the other rows go on.
async fn in_trouble(database: TestDatabase) -> World {
    let mut world = World::that_waits_after(database, 1).await;
    // 1 fails; 2 is of its row; 3 makes row 1 row 5; 4 is of row 5; the others are of rows of their own.
    world.write(&[Write::Row(1)]).await;
    world.states_are(&[(WAITING, 1)]).await;
    world
        .write(&[
            Write::Row(1),
            Write::Rekey(1, 5),
            Write::Row(5),
            Write::Row(2),
            Write::Row(3),
        ])
        .await;
    world
        .states_are(&[(WAITING, 1), (PARKED, 3), (DELIVERED, 2)])
        .await;
    world
}

async fn comes_right(mut world: World) {
    world.make_due().await;
    world.all_delivered().await;
    world.network.assert_order_per_row(|_| false);
    world.states_are(&[(DELIVERED, 6)]).await;
    world.finish().await;
    world.assert_sound().await;
}

async fn a_row_in_trouble_costs_the_others_nothing(database: TestDatabase) {
    let world = in_trouble(database).await;
    assert_eq!(world.network.posts().len(), 3, "nothing of row 1 was sent");
    comes_right(world).await;
}

async fn a_restart_keeps_the_order(database: TestDatabase) {
    let mut world = in_trouble(database).await;
    world.kill().await;
    world.start();
    world.write(&[Write::Row(4)]).await;
    world
        .states_are(&[(WAITING, 1), (PARKED, 3), (DELIVERED, 3)])
        .await;
    world.make_due().await;
    world.all_delivered().await;
    world.network.assert_order_per_row(|_| false);
    world.finish().await;
    world.assert_sound().await;
}

async fn what_was_given_up_lets_its_row_go_on(database: TestDatabase) {
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| {
            fields.retry = retries(Duration::from_millis(10), 3);
        })
        .await;
    world.network.script(|post| match post.change {
        1 => Reply::Status(500),
        _ => Reply::Status(200),
    });
    world.start();
    world.write(&[Write::Row(1), Write::Row(1)]).await;
    world.states_are(&[(FAILED, 1), (DELIVERED, 1)]).await;
    world
        .network
        .assert_order_per_row(|post| post.change == 1 && post.attempt == 3);
    let log = "select count(*) from rowhook.attempts where number in (1, 2)";
    assert_eq!(number(&world.db, log).await, 2, "the third is in the event");
    let count = "select cast(max(attempt_count) as bigint) from rowhook.events";
    assert_eq!(number(&world.db, count).await, 3);
    world.finish().await;
}

async fn a_cancellation_while_a_page_is_read_keeps_the_order(database: TestDatabase) {
    let mut world = World::that_waits_after(database, 1).await;
    world.write(&[Write::Row(1)]).await;
    world.states_are(&[(WAITING, 1)]).await;
    // Row 1 becomes row 5: behind the one that waits.
    world.write(&[Write::Rekey(1, 5)]).await;
    world.states_are(&[(WAITING, 1), (PARKED, 1)]).await;
    // The sender has read a page with a change of row 5, and has not asked yet what it is behind.
    world.troubles.provoke(Point::Blocking, Trouble::Block);
    world.write(&[Write::Row(5)]).await;
    world.troubles.is_met(Point::Blocking).await;
    let waiting = EventFilter {
        row_id: Some("1".to_owned()),
        ..EventFilter::default()
    };
    let control = SqlEventControl::new(world.db.clone());
    assert_eq!(control.cancel_all(&waiting).await.unwrap(), 1);
    world.states_are(&[(CANCELLED, 1), (READY, 2)]).await;
    world.troubles.release();
    world.states_are(&[(CANCELLED, 1), (DELIVERED, 2)]).await;
    let changes: Vec<i64> = world.network.posts().iter().map(|one| one.change).collect();
    assert_eq!(changes, [1, 2, 3]);
    world.finish().await;
}

/// Change 1 of row 1 waits for an hour, change 2 of it is parked. Changes 3 and 4 of row 2: one under way until the gate
/// opens, one in view.
async fn with_more_in_view(database: TestDatabase) -> (World, Gate) {
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| {
            fields.retry = retries(Duration::from_secs(3600), 3);
        })
        .await;
    let gate = Gate::shut();
    let held = gate.clone();
    world
        .network
        .script(move |post| match (post.change, post.attempt) {
            (1, 1) => Reply::Status(503),
            (3, _) => Reply::Gate(held.clone(), 200),
            _ => Reply::Status(200),
        });
    world.start();
    world.write(&[Write::Row(1)]).await;
    world.states_are(&[(WAITING, 1)]).await;
    world.write(&[Write::Row(1)]).await;
    world.states_are(&[(WAITING, 1), (PARKED, 1)]).await;
    world.write(&[Write::Row(2), Write::Row(2)]).await;
    until("3 is under way", || {
        world.network.posts().iter().any(|post| post.change == 3)
    })
    .await;
    (world, gate)
}

/// The changes of row 1 that the receiver got, until there are so many.
async fn got_of_row_1(world: &World, count: usize) -> Vec<i64> {
    let of_row_1 = || -> Vec<i64> {
        let posts = world.network.posts();
        let of_it = posts.iter().filter(|post| !matches!(post.change, 3 | 4));
        of_it.map(|post| post.change).collect()
    };
    until("row 1 has come", || of_row_1().len() >= count).await;
    of_row_1()
}

async fn an_answer_that_the_database_did_not_give_keeps_the_order(database: TestDatabase) {
    let (mut world, gate) = with_more_in_view(database).await;
    // Change 2 is made ready, and the sender does not hear of it.
    world
        .troubles
        .provoke(Point::Unparked, Trouble::Unavailable);
    world.make_due().await;
    world.troubles.is_met(Point::Unparked).await;
    world.write(&[Write::Row(1)]).await;
    assert_eq!(got_of_row_1(&world, 4).await, [1, 1, 2, 5]);
    gate.open();
    world.all_delivered().await;
    world.finish().await;
    world.assert_sound().await;
}

async fn without_order_nothing_waits(database: TestDatabase) {
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| {
            fields.ordering = Ordering::None;
            fields.retry = retries(Duration::from_secs(3600), 3);
        })
        .await;
    let gate = Gate::shut();
    let held = gate.clone();
    world.network.script(move |post| match post.change {
        1 => Reply::Gate(held.clone(), 500),
        _ => Reply::Status(200),
    });
    world.start();
    world.write(&[Write::Row(1), Write::Row(1)]).await;
    world.states_are(&[(READY, 1), (DELIVERED, 1)]).await;
    gate.open();
    world.states_are(&[(WAITING, 1), (DELIVERED, 1)]).await;
    world.write(&[Write::Row(1)]).await;
    world.states_are(&[(WAITING, 1), (DELIVERED, 2)]).await;
    world.finish().await;
}

/// More changes of one row than a sender has in view, and then others: those need not wait for them.
async fn a_row_with_a_long_backlog_costs_the_others_nothing(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.receiver("left").await;
    let gate = Gate::shut();
    let held = gate.clone();
    world.network.script(move |post| match post.rows[0] {
        1 => Reply::Gate(held.clone(), 200),
        _ => Reply::Status(200),
    });
    let mut writes: Vec<Write> = (0..5000).map(|_| Write::Row(1)).collect();
    writes.extend((2..=20).map(Write::Row));
    world.write(&writes).await;
    world.start();
    until("the other rows are delivered", || {
        world.network.delivered("left").len() == 19
    })
    .await;
    assert!(
        world
            .network
            .posts()
            .iter()
            .filter(|post| post.rows == [1])
            .count()
            <= 1
    );
    gate.open();
    // What was put aside comes back, several times over, and in order.
    until("the row goes on", || {
        world.network.delivered("left").len() > 300
    })
    .await;
    world.network.assert_order_per_row(|_| false);
    world.finish().await;
}

async fn no_more_are_in_flight_than_the_receiver_takes(database: TestDatabase) {
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| fields.max_in_flight = Some(3))
        .await;
    let gate = Gate::shut();
    let held = gate.clone();
    world
        .network
        .script(move |_| Reply::Gate(held.clone(), 200));
    world.start();
    let rows: Vec<Write> = (1..=20).map(Write::Row).collect();
    world.write(&rows).await;
    until("as many as may be are under way", || {
        world.network.most_at_once("left") == 3
    })
    .await;
    gate.open();
    world.all_delivered().await;
    assert_eq!(world.network.most_at_once("left"), 3);
    world.finish().await;
}

/// A `Retry-After` is a floor; a fault of rowhook's own costs the event nothing.
async fn what_the_answer_says_of_the_next_attempt(database: TestDatabase) {
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| {
            fields.retry = retries(Duration::from_millis(10), 5);
        })
        .await;
    world
        .network
        .script(|post| match (post.change, post.attempt) {
            (1, 1) => Reply::With(503, vec![("retry-after", "3600".to_owned())]),
            (2, 1) => Reply::Fails(SendError::Local {
                detail: "too many open files".to_owned(),
            }),
            _ => Reply::Status(200),
        });
    world.start();
    world.write(&[Write::Row(1), Write::Row(2)]).await;
    world.states_are(&[(WAITING, 2)]).await;
    let used = "select cast(budget_used as bigint) from rowhook.events order by id";
    assert_eq!(number(&world.db, used).await, 1, "an answer is counted");
    let used = "select cast(budget_used as bigint) from rowhook.events order by id desc";
    assert_eq!(
        number(&world.db, used).await,
        0,
        "a fault of its own is not"
    );
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(3000);
    let late = world.db.statement(
        "select count(*) from rowhook.events where due_at > $1",
        [soon.into()],
    );
    let late = sea_orm::ConnectionTrait::query_one_raw(&world.db, late).await;
    let late: i64 = late.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(late, 1, "it said in an hour");
    world.make_due().await;
    world.all_delivered().await;
    world.finish().await;
    world.assert_sound().await;
}
