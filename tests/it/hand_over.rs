//! What fan-out has just written goes to the senders that run past the database, and in order.

use rowhook::pipeline::sender::inbox;

use crate::support::{
    both::on_both,
    database::TestDatabase,
    network::{Gate, Reply},
    pipeline::{World, Write},
    troubles::{Point, Trouble},
    wait::until,
};

on_both!(
    a_sender_that_runs_sends_what_it_did_not_read,
    what_does_not_fit_is_read_and_the_order_holds,
    what_is_handed_over_behind_a_failure_waits_with_its_row,
);

/// The sender of a receiver that takes everything, idle and not ended.
async fn idle(database: TestDatabase) -> World {
    let mut world = World::on(database).await;
    world.receiver("left").await;
    world.start();
    world.touch(1).await;
    world.all_delivered().await;
    world
}

async fn a_sender_that_runs_sends_what_it_did_not_read(database: TestDatabase) {
    let mut world = idle(database).await;
    for point in [Point::Ready, Point::Load] {
        let always = u32::MAX / 2;
        world
            .troubles
            .provoke_nth(point, 1, always, Trouble::Unavailable);
    }
    world
        .write(&[Write::Row(1), Write::Row(2), Write::Row(1)])
        .await;
    world.all_delivered().await;
    assert_eq!(world.troubles.met(Point::Load), 0);
    world.finish().await;
    world.assert_sound().await;
}

/// More than an inbox holds, in one transaction and in many, while the sender is busy with the first.
async fn what_does_not_fit_is_read_and_the_order_holds(database: TestDatabase) {
    let mut world = idle(database).await;
    let gate = Gate::shut();
    let held = gate.clone();
    world.network.script(move |post| match post.change {
        2 => Reply::Gate(held.clone(), 200),
        _ => Reply::Status(200),
    });
    world.touch(1).await;
    until("the first is on its way", || {
        world.network.posts().len() == 2
    })
    .await;
    let rows: Vec<Write> = (0..inbox::EVENTS as i64 + 10)
        .map(|number| Write::Row(number % 7 + 1))
        .collect();
    world.write(&rows).await;
    for row in [1, 2, 1] {
        world.touch(row).await;
    }
    gate.open();
    world.all_delivered().await;
    world.touch(1).await;
    world.all_delivered().await;
    world.finish().await;
    world.assert_sound().await;
}

/// The first of a row fails; what follows in the row is handed over while it waits, and goes after it.
async fn what_is_handed_over_behind_a_failure_waits_with_its_row(database: TestDatabase) {
    let mut world = idle(database).await;
    world
        .network
        .script(|post| match (post.change, post.attempt) {
            (2, 1) => Reply::Status(500),
            _ => Reply::Status(200),
        });
    world.touch(1).await;
    world.states_are(&[(1, 1), (3, 1)]).await;
    world
        .write(&[Write::Row(1), Write::Row(2), Write::Rekey(1, 3)])
        .await;
    world.all_delivered().await;
    world.finish().await;
    world.assert_sound().await;
}
