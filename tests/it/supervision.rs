//! Trouble in each stage in turn: the stage comes back, every change is delivered, nothing is recorded
//! twice, and nobody else is touched.

use futures::future::join_all;
use rowhook::pipeline::status::StageKind;

use crate::support::{
    both::on_both,
    database::TestDatabase,
    network::{Gate, Reply},
    pipeline::{World, Write},
    troubles::{Point, Trouble},
    wait::until,
};

on_both!(
    a_panic_of_the_poller,
    a_panic_of_fan_out_before_it_commits,
    a_panic_of_fan_out_after_it_has_committed,
    a_panic_of_the_dispatcher,
    a_panic_of_a_sender,
    a_panic_of_a_sender_that_parks,
    a_panic_of_an_attempt,
    a_panic_of_the_recorder_before_it_writes,
    a_panic_of_the_recorder_after_it_has_written,
    calls_that_never_end,
    threads_that_stand_still,
    a_sender_that_hangs_costs_its_neighbour_nothing,
    a_sender_that_hangs_while_it_parks,
    an_attempt_that_never_ends,
    a_database_that_is_away_restarts_nothing,
);

const STAGES: [StageKind; 5] = [
    StageKind::CdcPoller,
    StageKind::FanOut,
    StageKind::Dispatcher,
    StageKind::Sender,
    StageKind::OutcomeRecorder,
];

/// Two receivers that are being sent to, and the trouble that comes with the next changes.
async fn meets(database: TestDatabase, point: Point, trouble: Trouble) -> World {
    let mut world = World::on(database).await;
    let left = world.receiver("left").await;
    world.receiver("right").await;
    world.start();
    for row in 1..=3 {
        world.touch(row).await;
    }
    world.all_delivered().await;
    world.troubles.only_for(left);
    if let Point::Ready | Point::Load = point {
        world.troubles.hand_nothing_over();
    }
    world.troubles.provoke(point, trouble);
    for row in [1, 2, 1, 3, 2, 1] {
        world.touch(row).await;
    }
    let both = [
        Write::Row(1),
        Write::Row(2),
        Write::Rekey(3, 4),
        Write::Row(4),
    ];
    world.write(&both).await;
    world.troubles.is_met(point).await;
    world.touch(1).await;
    world
}

/// Exactly these stages came back, and only so often.
fn assert_restarts(world: &World, wanted: &[(StageKind, u64)]) {
    for kind in STAGES {
        let wanted = wanted.iter().find(|(of, _)| *of == kind);
        let wanted = wanted.map_or(0, |(_, count)| *count);
        assert_eq!(world.restarts(kind), wanted, "restarts of {kind}");
        let line = format!("rowhook_actor_restarts_total{{actor=\"{kind}\"}} {wanted}");
        let figures = world.status.metrics().render();
        assert!(wanted == 0 || figures.contains(&line), "{figures}");
    }
}

/// Not every hang is in the way of what is delivered, so that can be done before the stage is given up.
async fn came_back(world: &World, stage: StageKind) {
    until(&format!("{stage} came back"), || world.restarts(stage) > 0).await;
}

async fn recovers(world: &mut World, from: Point, stage: StageKind) {
    world.all_delivered().await;
    came_back(world, stage).await;
    world.assert_sound().await;
    assert_restarts(world, &[(stage, 1)]);
    assert_eq!(world.troubles.met(from), 1);
    until("the service is ready", || world.status.ready() == Ok(())).await;
    world.touch(2).await;
    world.all_delivered().await;
    world.finish().await;
    world.assert_sound().await;
}

async fn survives(database: TestDatabase, point: Point, trouble: Trouble, stage: StageKind) {
    let mut world = meets(database, point, trouble).await;
    recovers(&mut world, point, stage).await;
}

/// Every event was sent once: what a stage other than the sender was doing cost no second request.
fn assert_sent_once(world: &World) {
    let sent = world.network.posts();
    let again: Vec<_> = sent.iter().filter(|post| post.attempt > 1).collect();
    assert!(again.is_empty(), "{again:?}");
}

async fn a_panic_of_the_poller(database: TestDatabase) {
    let mut world = meets(database, Point::ReadChanges, Trouble::Panic).await;
    recovers(&mut world, Point::ReadChanges, StageKind::CdcPoller).await;
    assert_sent_once(&world);
}

async fn a_panic_of_fan_out_before_it_commits(database: TestDatabase) {
    let mut world = meets(database, Point::CommitPage, Trouble::Panic).await;
    recovers(&mut world, Point::CommitPage, StageKind::FanOut).await;
    assert_sent_once(&world);
}

async fn a_panic_of_fan_out_after_it_has_committed(database: TestDatabase) {
    let mut world = meets(database, Point::PageCommitted, Trouble::Panic).await;
    recovers(&mut world, Point::PageCommitted, StageKind::FanOut).await;
    assert_sent_once(&world);
}

async fn a_panic_of_the_dispatcher(database: TestDatabase) {
    let mut world = meets(database, Point::LookForWork, Trouble::Panic).await;
    recovers(&mut world, Point::LookForWork, StageKind::Dispatcher).await;
    assert_sent_once(&world);
}

async fn a_panic_of_a_sender(database: TestDatabase) {
    let dialect = database.dialect;
    survives(database, Point::Ready, Trouble::Panic, StageKind::Sender).await;
    let database = TestDatabase::fresh(dialect).await;
    survives(database, Point::Load, Trouble::Panic, StageKind::Sender).await;
}

/// What is behind a failed event is ready in the database until it is parked: a sender that goes between
/// the two must not let it pass.
async fn goes_while_it_parks(database: TestDatabase, trouble: Trouble) {
    let mut world = World::on(database).await;
    world.receiver("left").await;
    let gate = Gate::shut();
    let first = gate.clone();
    world
        .network
        .script(move |post| match (post.change, post.attempt) {
            (1, 1) => Reply::Gate(first.clone(), 500),
            _ => Reply::Status(200),
        });
    world.troubles.provoke(Point::Park, trouble);
    world.start();
    world
        .write(&[
            Write::Row(1),
            Write::Row(1),
            Write::Rekey(1, 2),
            Write::Row(2),
        ])
        .await;
    until("the first is on its way", || {
        !world.network.posts().is_empty()
    })
    .await;
    gate.open();
    recovers(&mut world, Point::Park, StageKind::Sender).await;
}

async fn a_panic_of_a_sender_that_parks(database: TestDatabase) {
    goes_while_it_parks(database, Trouble::Panic).await;
}

async fn a_sender_that_hangs_while_it_parks(database: TestDatabase) {
    goes_while_it_parks(database, Trouble::Hang).await;
}

/// The event comes again by itself, uncounted; its row waits and the others go on.
async fn a_panic_of_an_attempt(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.receiver("left").await;
    world.troubles.provoke(Point::Post, Trouble::Panic);
    world.start();
    world
        .write(&[Write::Row(1), Write::Row(1), Write::Row(2)])
        .await;
    world.states_are(&[(1, 1), (2, 1), (3, 1)]).await;
    world.finish().await;
    assert_restarts(&world, &[]);
    world.make_due().await;
    world.start();
    world.all_delivered().await;
    world.finish().await;
    world.assert_sound().await;
}

async fn a_panic_of_the_recorder_before_it_writes(database: TestDatabase) {
    let mut world = meets(database, Point::Record, Trouble::Panic).await;
    recovers(&mut world, Point::Record, StageKind::OutcomeRecorder).await;
    assert_sent_once(&world);
}

async fn a_panic_of_the_recorder_after_it_has_written(database: TestDatabase) {
    let mut world = meets(database, Point::Recorded, Trouble::Panic).await;
    recovers(&mut world, Point::Recorded, StageKind::OutcomeRecorder).await;
    assert_sent_once(&world);
}

/// Where each stage can hang. Side by side, since each waits until its keeper's patience has ended.
const HANGS: [(Point, StageKind); 8] = [
    (Point::ReadChanges, StageKind::CdcPoller),
    (Point::CommitPage, StageKind::FanOut),
    (Point::PageCommitted, StageKind::FanOut),
    (Point::LookForWork, StageKind::Dispatcher),
    (Point::Ready, StageKind::Sender),
    (Point::Load, StageKind::Sender),
    (Point::Record, StageKind::OutcomeRecorder),
    (Point::Recorded, StageKind::OutcomeRecorder),
];

async fn calls_that_never_end(database: TestDatabase) {
    let dialect = database.dialect;
    let hangs = HANGS.into_iter().map(async |(point, stage)| {
        let database = TestDatabase::fresh(dialect).await;
        survives(database, point, Trouble::Hang, stage).await;
    });
    join_all(hangs).await;
}

/// A thread can not be ended from outside, and what it reads from the database with goes with it. When
/// it wakes, nothing that it still does changes anything.
async fn threads_that_stand_still(database: TestDatabase) {
    let dialect = database.dialect;
    let hangs = HANGS.into_iter().map(async |(point, stage)| {
        let database = TestDatabase::fresh(dialect).await;
        let mut world = meets(database, point, Trouble::Block).await;
        world.all_delivered().await;
        came_back(&world, stage).await;
        assert_restarts(&world, &[(stage, 1)]);
        world.troubles.release();
        world.touch(1).await;
        recovers(&mut world, point, stage).await;
    });
    join_all(hangs).await;
}

/// Four senders on two threads: what is under way for the others, on the same thread too, ends well.
async fn a_sender_that_hangs_costs_its_neighbour_nothing(database: TestDatabase) {
    let mut world = World::on(database).await;
    let victim = world.receiver("a").await;
    for name in ["b", "c", "d"] {
        world.receiver(name).await;
    }
    world.start();
    world.touch(1).await;
    world.all_delivered().await;
    world.troubles.only_for(victim);
    world.troubles.hand_nothing_over();
    world.troubles.provoke(Point::Ready, Trouble::Hang);
    let gate = Gate::shut();
    let held = gate.clone();
    world
        .network
        .script(move |_| Reply::Gate(held.clone(), 200));
    world.touch(1).await;
    world.troubles.is_met(Point::Ready).await;
    until("the sender is given up", || {
        world.restarts(StageKind::Sender) == 1
    })
    .await;
    until("everybody is being sent to", || {
        world.network.posts().len() == 8
    })
    .await;
    gate.open();
    recovers(&mut world, Point::Ready, StageKind::Sender).await;
    assert_sent_once(&world);
}

/// An HTTP client that does not keep its time limit takes none of the receiver's slots for ever.
async fn an_attempt_that_never_ends(database: TestDatabase) {
    let mut world = World::on(database).await;
    world
        .receiver_with("left", |fields| {
            fields.max_in_flight = Some(1);
            fields.timeout = Some(std::time::Duration::from_millis(100));
        })
        .await;
    world
        .network
        .script(|post| match (post.change, post.attempt) {
            (1, 1) => Reply::Never,
            _ => Reply::Status(200),
        });
    world.start();
    world.write(&[Write::Row(1), Write::Row(2)]).await;
    world.states_are(&[(1, 1), (3, 1)]).await;
    assert_restarts(&world, &[]);
    world.finish().await;
    world.make_due().await;
    world.start();
    world.all_delivered().await;
    world.finish().await;
    world.assert_sound().await;
}

async fn a_database_that_is_away_restarts_nothing(database: TestDatabase) {
    let mut world = meets(database, Point::ReadChanges, Trouble::Unavailable).await;
    world.all_delivered().await;
    for point in [
        Point::TakeOver,
        Point::ReadChanges,
        Point::Intervals,
        Point::CommitPage,
        Point::PageCommitted,
        Point::LookForWork,
        Point::Ready,
        Point::Load,
        Point::Target,
        Point::Record,
        Point::Recorded,
        Point::Renew,
    ] {
        world
            .troubles
            .provoke_nth(point, 1, 2, Trouble::Unavailable);
    }
    for row in [1, 2, 1, 3, 2, 1] {
        world.touch(row).await;
    }
    world.troubles.is_met(Point::Record).await;
    world.all_delivered().await;
    world.assert_sound().await;
    assert_restarts(&world, &[]);
    world.finish().await;
    assert_sent_once(&world);
}
