//! The stage that drops what is old, beside a pipeline that works.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use rowhook::{
    domain::{
        ids::{ChangeId, EventId},
        retention::Keep,
    },
    pipeline::status::StageKind,
    store::{
        StoreError,
        leases::LeaseOf,
        retention::{RetentionStore, Step},
        sql::db::{Db, Dialect},
    },
};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    network::Reply,
    pipeline::World,
    stored::{number, run},
    wait::{DEADLINE, until, until_ok},
};

on_both!(
    live_traffic_goes_on_while_much_is_dropped,
    a_restart_after_a_drop_finds_nothing_wrong,
    a_pass_that_failed_or_hung_is_made_again,
    a_stop_waits_for_no_step,
    only_the_instance_that_polls_drops,
    changes_that_stay_for_their_events_are_not_walked_at_each_pass,
);

const MONTH: Keep = Keep::For(Duration::from_secs(30 * 24 * 3600));

async fn world(database: TestDatabase) -> World {
    let mut world = World::on(database).await;
    world.settings.retention.events = MONTH;
    world.settings.retention.changes = MONTH;
    world
}

fn long_ago() -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(40)
}

/// Everything in the log is old by now.
async fn age(db: &Db) {
    let events = "update rowhook.events set created_at = $1, ended_at = $1";
    run(db, events, [long_ago().into()]).await;
    let changes = "update rowhook.logged_actions set logged_at = $1";
    run(db, changes, [long_ago().into()]).await;
}

/// How many rows there are of events, attempts and changes.
async fn rows(db: &Db) -> [i64; 3] {
    let count = async |table| number(db, &format!("select count(*) from rowhook.{table}")).await;
    [
        count("events").await,
        count("attempts").await,
        count("logged_actions").await,
    ]
}

async fn everything_is_dropped(world: &World) {
    until_ok("everything old is dropped", async || {
        let left = rows(&world.db).await;
        if left == [0; 3] { Ok(()) } else { Err(left) }
    })
    .await;
}

const MANY: i64 = 20_000;

/// Old events and their changes, of a subscription that is gone.
async fn much_that_is_old(db: &Db) {
    let numbers = match db.dialect() {
        Dialect::Postgres => format!("numbers(n) as (select generate_series(1, {MANY}))"),
        Dialect::Sqlite => format!(
            "recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {MANY})"
        ),
    };
    let changes = format!(
        "with {numbers} insert into rowhook.logged_actions (resource_id, action, row_data, logged_at) \
         select 1, 2, '{{\"id\":1,\"n\":0}}', $1 from numbers"
    );
    run(db, &changes, [long_ago().into()]).await;
    let events = "insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, \
                  resource_id, action, transaction_id, occurred_at, created_at, ended_at, row_id, \
                  row_hash, state) select 0, 0, id, id, 1, 2, 1, $1, $1, $1, '1', 0, 3 \
                  from rowhook.logged_actions";
    run(db, events, [long_ago().into()]).await;
}

async fn live_traffic_goes_on_while_much_is_dropped(database: TestDatabase) {
    let mut world = world(database).await;
    world.settings.retention.rows_per_step = 250;
    much_that_is_old(&world.db).await;
    world.receiver("a").await;
    world.start();
    let old = format!(
        "select (select count(*) from rowhook.events where receiver_id = 0)
              + (select count(*) from rowhook.logged_actions where id <= {MANY})"
    );
    let (mut touches, mut seen, mut took) = (0, BTreeSet::new(), Vec::new());
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < DEADLINE * 4, "old rows are left");
        let left = number(&world.db, &old).await;
        if left == 0 {
            break;
        }
        let began = Instant::now();
        let change = world.touch(touches % 7).await;
        until("the change is delivered", || {
            world.network.delivered("a").contains(&change)
        })
        .await;
        took.push(began.elapsed());
        touches += 1;
        seen.insert(left);
    }
    took.sort_unstable();
    println!(
        "{touches} deliveries while old rows went, half of them within {:?}, the slowest within {:?}",
        took[took.len() / 2],
        took[took.len() - 1]
    );
    // In small pieces, with deliveries in between: in one piece for each table there would be three.
    assert!(seen.len() > 5, "rows left at each delivery: {seen:?}");
    assert_eq!(world.restarts(StageKind::Retention), 0);
    world.finish().await;
}

async fn a_restart_after_a_drop_finds_nothing_wrong(database: TestDatabase) {
    let mut world = world(database).await;
    world.receiver("a").await;
    world
        .network
        .script(|post| match (post.change, post.attempt) {
            (2, 1) => Reply::Status(500),
            _ => Reply::Status(200),
        });
    world.start();
    for row in 1..=3 {
        world.touch(row).await;
    }
    world.all_delivered().await;
    assert_eq!(rows(&world.db).await, [3, 1, 3]);
    let ended = "select count(*) from rowhook.events where ended_at >= attempted_at";
    assert_eq!(number(&world.db, ended).await, 3);
    let last_event = number(&world.db, "select max(id) from rowhook.events").await;
    let last_change = number(&world.db, "select max(id) from rowhook.logged_actions").await;
    age(&world.db).await;
    everything_is_dropped(&world).await;
    world.kill().await;

    world.start();
    let change = world.touch(1).await;
    until("the change is delivered", || {
        world.network.delivered("a").contains(&change)
    })
    .await;
    world.states_are(&[(3, 1)]).await;
    let event = |column| format!("select {column} from rowhook.events");
    assert_eq!(number(&world.db, &event("sequence")).await, 4);
    assert!(number(&world.db, &event("id")).await > last_event);
    assert!(number(&world.db, &event("change_id")).await > last_change);
    until("the service is ready", || world.status.ready() == Ok(())).await;
    for (kind, stage) in world.status.stages() {
        assert_eq!(stage.restarts, 0, "{kind}");
    }
    world.finish().await;
}

/// What the next calls meet.
#[derive(Clone, Copy)]
enum Mood {
    Fails,
    Hangs,
    Panics,
}

/// The door to the tables, with trouble on order.
struct Moody {
    door: Arc<dyn RetentionStore>,
    plan: Mutex<VecDeque<Mood>>,
    passes: Mutex<u32>,
    /// After which changes steps began.
    steps: Mutex<Vec<i64>>,
}

impl Moody {
    fn in_front_of(world: &mut World, plan: impl IntoIterator<Item = Mood>) -> Arc<Self> {
        let moody = Arc::new(Self {
            door: world.parts.retention.clone(),
            plan: Mutex::new(plan.into_iter().collect()),
            passes: Mutex::default(),
            steps: Mutex::default(),
        });
        world.parts.retention = moody.clone();
        moody
    }

    fn passes(&self) -> u32 {
        *self.passes.lock().unwrap()
    }

    fn is_over(&self) -> bool {
        self.plan.lock().unwrap().is_empty()
    }

    async fn meet(&self) -> Result<(), StoreError> {
        let mood = self.plan.lock().unwrap().pop_front();
        match mood {
            None => Ok(()),
            Some(Mood::Fails) => Err(StoreError::Unavailable("on purpose".to_owned())),
            Some(Mood::Hangs) => std::future::pending().await,
            Some(Mood::Panics) => panic!("on purpose"),
        }
    }
}

#[async_trait]
impl RetentionStore for Moody {
    async fn now(&self) -> Result<DateTime<Utc>, StoreError> {
        *self.passes.lock().unwrap() += 1;
        self.door.now().await
    }

    async fn drop_events(
        &self,
        before: DateTime<Utc>,
        after: EventId,
        limit: u32,
    ) -> Result<Step<EventId>, StoreError> {
        self.meet().await?;
        self.door.drop_events(before, after, limit).await
    }

    async fn drop_changes(
        &self,
        before: DateTime<Utc>,
        after: ChangeId,
        limit: u32,
    ) -> Result<Step<ChangeId>, StoreError> {
        self.steps.lock().unwrap().push(after.0);
        self.meet().await?;
        self.door.drop_changes(before, after, limit).await
    }
}

async fn a_pass_that_failed_or_hung_is_made_again(database: TestDatabase) {
    let mut world = world(database).await;
    world.settings.guardian.patience.in_work = Duration::from_secs(2);
    world.receiver("a").await;
    world.start();
    world.touch(1).await;
    world.all_delivered().await;
    world.finish().await;
    age(&world.db).await;
    Moody::in_front_of(
        &mut world,
        [Mood::Fails, Mood::Fails, Mood::Hangs, Mood::Panics],
    );
    world.start();
    everything_is_dropped(&world).await;
    // An error is no end of the stage; a hang and a panic are.
    assert_eq!(world.restarts(StageKind::Retention), 2);
    world.finish().await;
}

async fn a_stop_waits_for_no_step(database: TestDatabase) {
    let mut world = world(database).await;
    let moody = Moody::in_front_of(&mut world, [Mood::Hangs]);
    world.start();
    until("a step hangs", || moody.is_over()).await;
    let began = Instant::now();
    world.finish().await;
    assert!(began.elapsed() < world.settings.guardian.patience.in_work);
}

async fn only_the_instance_that_polls_drops(database: TestDatabase) {
    let mut world = world(database).await;
    let moody = Moody::in_front_of(&mut world, []);
    let leases = world.parts.leases.clone();
    let taken = leases.acquire(LeaseOf::Poller, "another").await.unwrap();
    assert!(taken.is_some());
    world.start();
    until("it stands by", || world.status.ready() == Ok(())).await;
    assert_eq!(moody.passes(), 0);
    leases.end_all().await.unwrap();
    until("a pass is made", || moody.passes() > 0).await;
    world.finish().await;
}

async fn changes_that_stay_for_their_events_are_not_walked_at_each_pass(database: TestDatabase) {
    let mut world = world(database).await;
    world.receiver("a").await;
    world.start();
    for row in 1..=6 {
        world.touch(row).await;
    }
    world.all_delivered().await;
    world.finish().await;
    age(&world.db).await;
    world.settings.retention.events = Keep::Forever;
    world.settings.retention.rows_per_step = 2;
    let moody = Moody::in_front_of(&mut world, []);
    world.start();
    until("three passes are made", || moody.passes() > 3).await;
    world.finish().await;
    assert_eq!(rows(&world.db).await, [6, 0, 6]);
    let steps = moody.steps.lock().unwrap().clone();
    assert_eq!(steps[..4], [0, 2, 4, 6]);
    assert!(
        steps.len() > 5 && steps[4..].iter().all(|after| *after == 6),
        "{steps:?}"
    );
}
