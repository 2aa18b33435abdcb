//! The guardian: whatever ends a stage, it is started again, alone, and counted.
//!
//! Every way to end is provoked in small stages (`support::rooms`), before the real ones rely on it.

use std::time::{Duration, Instant};

use actix::prelude::*;
use rowhook::{
    pipeline::{
        guardian::{FinishAll, Guardian, GuardianSettings},
        lifeline::{Ended, Patience},
        status::{CaptureRole, StageKind, Status},
    },
    telemetry::Metrics,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{
    rooms::{Birth, Finishing, Order, Room, Told},
    wait::{DEADLINE, heard, until},
};

/// The stages of the tests, the sink first.
const KINDS: [StageKind; 3] = [
    StageKind::OutcomeRecorder,
    StageKind::FanOut,
    StageKind::CdcPoller,
];
const SINK: usize = 0;
const MIDDLE: usize = 1;
const SOURCE: usize = 2;

/// A beat may be two seconds late before a healthy stage on a busy machine counts as hung; work may
/// take no time, as only stages that are to be found hung do any.
fn hasty() -> GuardianSettings {
    GuardianSettings {
        patience: Patience {
            without_beat: Duration::from_secs(2),
            in_work: Duration::from_millis(200),
        },
        first_pause: Duration::from_millis(20),
        longest_pause: Duration::from_millis(100),
        memory: Duration::from_secs(60),
        failing_after: 1000,
    }
}

/// Three stages under a guardian.
struct House {
    rooms: Vec<Room>,
    guardian: Addr<Guardian>,
    status: Status,
    told: UnboundedReceiver<(Instant, Told)>,
}

impl House {
    async fn new(settings: GuardianSettings) -> Self {
        Self::with(settings, |_| {}).await
    }

    /// `prepare` may change the rooms before they are started.
    async fn with(settings: GuardianSettings, prepare: impl Fn(&mut [Room])) -> Self {
        let (tell, told) = unbounded_channel();
        let mut rooms: Vec<Room> = KINDS.iter().map(|kind| Room::new(*kind, &tell)).collect();
        prepare(&mut rooms);
        let status = Status::new(Metrics::default());
        status.set_role(CaptureRole::Polling);
        let stages = rooms.iter().map(Room::stage).collect();
        let guardian = Guardian::new(stages, settings, status.clone()).start();
        let mut house = Self {
            rooms,
            guardian,
            status,
            told,
        };
        for room in &house.rooms {
            until("the first start", || room.incarnations() > 0).await;
            assert_eq!(room.answers().await, 1);
        }
        // The starts, in any order: all of them have been told.
        while house.told.try_recv().is_ok() {}
        house
    }

    async fn hears(&mut self, wanted: Told) -> Instant {
        let what = format!("{wanted:?}");
        heard(&what, &mut self.told, |(at, told)| {
            (told == wanted).then_some(at)
        })
        .await
    }

    fn restarts(&self, room: usize) -> u64 {
        self.status.stages()[&KINDS[room]].restarts
    }

    /// The second incarnation of the stage has started, its restart stands where operators look, and
    /// the other stages are still their first incarnations.
    async fn only_the_middle_came_back(&mut self, how: Ended) {
        self.hears(Told::Started(KINDS[MIDDLE], 2)).await;
        assert_eq!(self.rooms[MIDDLE].answers().await, 2);
        let stages = self.status.stages();
        let middle = &stages[&KINDS[MIDDLE]];
        assert_eq!((middle.up, middle.restarts), (true, 1));
        assert_eq!(middle.last_end, Some(how));
        let line = "rowhook_actor_restarts_total{actor=\"fan_out\"} 1";
        let figures = self.status.metrics().render();
        assert!(figures.lines().any(|found| found == line), "{figures}");
        for other in [SINK, SOURCE] {
            assert_eq!(self.rooms[other].answers().await, 1, "untouched");
            assert_eq!(self.restarts(other), 0);
        }
        assert_eq!(self.status.ready(), Ok(()));
    }

    async fn after(mut self, order: Order, how: Ended) {
        self.rooms[MIDDLE].order(order);
        self.only_the_middle_came_back(how).await;
    }

    /// The order in which stages were told to finish and ended, once all of it is over.
    async fn finished(&mut self, grace: Duration) -> Vec<Told> {
        let all = self.guardian.send(FinishAll { grace });
        tokio::time::timeout(DEADLINE, all).await.unwrap().unwrap();
        let mut order = Vec::new();
        while let Ok((_, told)) = self.told.try_recv() {
            // When the last of an incarnation goes, the guardian may have asked the next stage already.
            if !matches!(told, Told::Gone(..)) {
                order.push(told);
            }
        }
        order
    }
}

#[actix_rt::test]
async fn a_panic_in_a_handler() {
    let house = House::new(hasty()).await;
    house.after(Order::PanicInHandler, Ended::Panicked).await;
}

#[actix_rt::test]
async fn a_panic_in_a_spawned_future() {
    let house = House::new(hasty()).await;
    house.after(Order::PanicInFuture, Ended::Panicked).await;
}

#[actix_rt::test]
async fn a_plain_stop() {
    let house = House::new(hasty()).await;
    house.after(Order::Stop, Ended::Stopped).await;
}

#[actix_rt::test]
async fn work_that_never_ends() {
    let mut house = House::new(hasty()).await;
    house.rooms[MIDDLE].order(Order::WorkForEver);
    house.only_the_middle_came_back(Ended::Hung).await;
}

#[actix_rt::test]
async fn births_that_fail() {
    let mut house = House::new(hasty()).await;
    let middle = house.rooms[MIDDLE].clone();
    middle.plan([Birth::PanicsInFactory, Birth::PanicsInStarted]);
    middle.order(Order::Stop);
    house.hears(Told::Started(KINDS[MIDDLE], 4)).await;
    assert_eq!(middle.answers().await, 4);
    assert_eq!(house.restarts(MIDDLE), 3, "the stop and two failed births");
    let last = house.status.stages()[&KINDS[MIDDLE]].last_end;
    assert_eq!(last, Some(Ended::Panicked));
    assert_eq!(house.restarts(SINK) + house.restarts(SOURCE), 0);
}

/// The thread can not be taken away from it, so the stage gets another one. What the old incarnation
/// does when it wakes changes nothing: it finds itself revoked, and its end is not the new one's.
#[actix_rt::test]
async fn a_thread_that_hangs() {
    let mut house = House::new(hasty()).await;
    let (release, blocked) = std::sync::mpsc::channel();
    house.rooms[MIDDLE].order(Order::Block(blocked));
    house.only_the_middle_came_back(Ended::Hung).await;
    release.send(()).unwrap();
    house.hears(Told::Unblocked(KINDS[MIDDLE], 1, true)).await;
    house.hears(Told::Gone(KINDS[MIDDLE], 1)).await;
    // The guardian hears of ends in their order: once it has acted on this one, it has met the late
    // one too.
    house.rooms[SINK].order(Order::Stop);
    house.hears(Told::Started(KINDS[SINK], 2)).await;
    assert_eq!(house.restarts(MIDDLE), 1);
    assert_eq!(house.rooms[MIDDLE].answers().await, 2);
    assert_eq!(house.rooms[MIDDLE].incarnations(), 2);
}

#[actix_rt::test]
async fn pauses_grow_up_to_the_longest() {
    let mut house = House::new(GuardianSettings {
        first_pause: Duration::from_millis(40),
        longest_pause: Duration::from_millis(160),
        ..hasty()
    })
    .await;
    let middle = house.rooms[MIDDLE].clone();
    for (number, pause) in (1..).zip([40, 80, 160, 160, 160, 160, 160]) {
        middle.order(Order::PanicInHandler);
        let ended = house.hears(Told::Ending(KINDS[MIDDLE], number)).await;
        let started = house.hears(Told::Started(KINDS[MIDDLE], number + 1)).await;
        let took = started - ended;
        assert!(
            took >= Duration::from_millis(pause - 1),
            "{number}: {took:?}"
        );
        // Without the limit the last one would be 2.5 s.
        assert!(took < Duration::from_secs(2), "{number}: {took:?}");
    }
}

#[actix_rt::test]
async fn a_stage_that_can_not_be_kept_up_is_not_ready_until_it_is_steady() {
    let mut house = House::new(GuardianSettings {
        memory: Duration::from_secs(3),
        failing_after: 3,
        ..hasty()
    })
    .await;
    let failing = |house: &House| house.status.stages()[&KINDS[MIDDLE]].failing;
    for number in 1..=3 {
        assert!(!failing(&house), "not after {} restarts", number - 1);
        house.rooms[MIDDLE].order(Order::PanicInHandler);
        house.hears(Told::Started(KINDS[MIDDLE], number + 1)).await;
    }
    assert!(failing(&house));
    let reason = "stage fan_out can not be kept up".to_owned();
    assert_eq!(house.status.ready(), Err(vec![reason]), "although it is up");
    until("the stage is steady", || house.status.ready() == Ok(())).await;
    assert!(!failing(&house));
    assert_eq!(house.restarts(MIDDLE), 3, "the count stays");
}

#[actix_rt::test]
async fn a_stage_that_is_down_is_not_ready() {
    let mut house = House::new(GuardianSettings {
        first_pause: Duration::from_secs(3),
        longest_pause: Duration::from_secs(3),
        ..hasty()
    })
    .await;
    house.rooms[MIDDLE].order(Order::Stop);
    let reason = "stage fan_out is being started again".to_owned();
    until("the end is known", || house.restarts(MIDDLE) == 1).await;
    assert_eq!(house.status.ready(), Err(vec![reason]));
    house.hears(Told::Started(KINDS[MIDDLE], 2)).await;
    assert_eq!(house.status.ready(), Ok(()));
}

fn asked_and_ended(room: usize, number: u32) -> [Told; 2] {
    let kind = KINDS[room];
    [
        Told::AskedToFinish(kind, number),
        Told::Ending(kind, number),
    ]
}

#[actix_rt::test]
async fn the_source_finishes_first_and_nobody_comes_back() {
    let mut house = House::with(hasty(), |rooms| {
        for room in rooms {
            room.finishing = Finishing::AfterAWhile;
        }
    })
    .await;
    let order = house.finished(DEADLINE).await;
    let wanted = [SOURCE, MIDDLE, SINK].map(|room| asked_and_ended(room, 1));
    assert_eq!(order, wanted.as_flattened());
    assert!(house.rooms.iter().all(|room| room.incarnations() == 1));
    assert_eq!(
        KINDS.map(|kind| house.status.stages()[&kind].restarts),
        [0; 3]
    );
}

/// A stage that will not stop has all of the grace, and no more.
#[actix_rt::test]
async fn the_grace_ends() {
    let mut house = House::with(hasty(), |rooms| rooms[MIDDLE].finishing = Finishing::Never).await;
    let grace = Duration::from_millis(500);
    let began = Instant::now();
    let order = house.finished(grace).await;
    assert!(began.elapsed() >= grace);
    assert!(began.elapsed() < DEADLINE / 3, "{:?}", began.elapsed());
    assert_eq!(order[..2], asked_and_ended(SOURCE, 1));
    assert_eq!(order[2], Told::AskedToFinish(KINDS[MIDDLE], 1));
    // Its thread is told to end all the same.
    let ending = Told::Ending(KINDS[MIDDLE], 1);
    if !order.contains(&ending) {
        house.hears(ending).await;
    }
}

/// A stage that stands still is not waited for: those behind it have something to finish.
#[actix_rt::test]
async fn a_stage_that_hangs_does_not_cost_the_others_their_grace() {
    let mut house = House::new(hasty()).await;
    let (_release, blocked) = std::sync::mpsc::channel();
    house.rooms[MIDDLE].order(Order::Block(blocked));
    let began = Instant::now();
    let order = house.finished(DEADLINE).await;
    assert!(began.elapsed() < DEADLINE * 2 / 3, "{:?}", began.elapsed());
    let wanted = [SOURCE, SINK].map(|room| asked_and_ended(room, 1));
    assert_eq!(order, wanted.as_flattened());
    assert_eq!(house.rooms[MIDDLE].incarnations(), 1);
}

/// Stages that are still to be finished are kept up till then: whoever finishes hands work to them.
#[actix_rt::test]
async fn a_stage_that_panics_while_others_finish_comes_back_to_be_finished() {
    let mut house = House::with(hasty(), |rooms| rooms[SOURCE].finishing = Finishing::Never).await;
    let finish = house.guardian.send(FinishAll { grace: DEADLINE });
    let finish = actix_rt::spawn(finish);
    house.hears(Told::AskedToFinish(KINDS[SOURCE], 1)).await;
    house.rooms[SINK].order(Order::PanicInHandler);
    house.hears(Told::Started(KINDS[SINK], 2)).await;
    house.rooms[SOURCE].order(Order::Stop);
    for told in [asked_and_ended(MIDDLE, 1), asked_and_ended(SINK, 2)].as_flattened() {
        house.hears(*told).await;
    }
    finish.await.unwrap().unwrap();
    assert_eq!(house.rooms[SOURCE].incarnations(), 1, "it had been told");
}
