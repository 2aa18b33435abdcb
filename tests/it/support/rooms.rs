//! Small stages for the guardian's tests: each does what it is ordered to, and tells of itself.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use actix::prelude::*;
use rowhook::pipeline::{
    guardian::Factory,
    lifeline::Lifeline,
    messages::{Finish, Slot},
    status::StageKind,
};
use tokio::sync::mpsc::UnboundedSender;

use super::wait::DEADLINE;

/// What an incarnation's birth does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    Well,
    PanicsInFactory,
    PanicsInStarted,
}

/// What a room is told to do.
#[derive(Message)]
#[rtype(result = "()")]
pub enum Order {
    PanicInHandler,
    PanicInFuture,
    Stop,
    /// The thread stands until the other end is used or dropped.
    Block(Receiver<()>),
    /// Work that never ends on a thread that turns.
    WorkForEver,
}

/// Which incarnation answers.
#[derive(Message)]
#[rtype(result = "u32")]
pub struct WhoAreYou;

/// What rooms tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Started(StageKind, u32),
    AskedToFinish(StageKind, u32),
    /// After a block: whether the keeper had revoked the incarnation by then.
    Unblocked(StageKind, u32, bool),
    /// The incarnation is being dropped; the guardian has not been told yet.
    Ending(StageKind, u32),
    /// Everything that the incarnation held was dropped, and the guardian has been told.
    Gone(StageKind, u32),
}

/// When a room stops after it was told to finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finishing {
    AtOnce,
    /// Others get every chance to run before it stops.
    AfterAWhile,
    Never,
}

/// A stage as the test sees it, over all incarnations.
#[derive(Clone)]
pub struct Room {
    pub kind: StageKind,
    pub finishing: Finishing,
    births: Arc<Mutex<VecDeque<Birth>>>,
    incarnations: Arc<Mutex<u32>>,
    address: Slot<RoomActor>,
    tell: UnboundedSender<(Instant, Told)>,
}

impl Room {
    pub fn new(kind: StageKind, tell: &UnboundedSender<(Instant, Told)>) -> Self {
        Self {
            kind,
            finishing: Finishing::AtOnce,
            births: Arc::default(),
            incarnations: Arc::default(),
            address: Slot::default(),
            tell: tell.clone(),
        }
    }

    /// The next incarnations are born like this.
    pub fn plan(&self, births: impl IntoIterator<Item = Birth>) {
        self.births.lock().unwrap().extend(births);
    }

    pub fn order(&self, order: Order) {
        self.address.get().unwrap().do_send(order);
    }

    /// The incarnation that answers now.
    pub async fn answers(&self) -> u32 {
        self.address.get().unwrap().send(WhoAreYou).await.unwrap()
    }

    pub fn incarnations(&self) -> u32 {
        *self.incarnations.lock().unwrap()
    }

    /// For the guardian.
    pub fn stage(&self) -> (StageKind, Factory) {
        let room = self.clone();
        let factory = move |thread: &ArbiterHandle, lifeline: Lifeline| {
            let number = {
                let mut count = room.incarnations.lock().unwrap();
                *count += 1;
                *count
            };
            let birth = room.births.lock().unwrap().pop_front();
            let actor = room.clone();
            let address = RoomActor::start_in_arbiter(thread, move |_| {
                let (kind, tell) = (actor.kind, actor.tell.clone());
                let ending = OnDrop(Told::Ending(kind, number), tell.clone());
                let gone = OnDrop(Told::Gone(kind, number), tell);
                let born = RoomActor {
                    _ending: ending,
                    lifeline,
                    birth: birth.unwrap_or(Birth::Well),
                    room: actor,
                    number,
                    _gone: gone,
                };
                assert_ne!(born.birth, Birth::PanicsInFactory, "on purpose");
                born
            });
            room.address.put(address.clone());
            address.recipient()
        };
        (self.kind, Box::new(factory))
    }

    fn tell(&self, told: Told) {
        // A test that has ended listens no more.
        let _ended = self.tell.send((Instant::now(), told));
    }
}

/// Tells when the incarnation that holds it is dropped.
struct OnDrop(Told, UnboundedSender<(Instant, Told)>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        // A test that has ended listens no more.
        let _ended = self.1.send((Instant::now(), self.0));
    }
}

/// An incarnation. Fields are dropped from top to bottom, so that a test hears of the end both before
/// the guardian does, which may act on it at once, and after.
pub struct RoomActor {
    _ending: OnDrop,
    lifeline: Lifeline,
    birth: Birth,
    room: Room,
    number: u32,
    _gone: OnDrop,
}

/// Often, so that a keeper with little patience takes no busy machine for a hung stage.
const BEAT: Duration = Duration::from_millis(20);

impl Actor for RoomActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        assert_ne!(self.birth, Birth::PanicsInStarted, "on purpose");
        ctx.run_interval(BEAT, |actor, _| actor.lifeline.pulse().beat());
        self.room.tell(Told::Started(self.room.kind, self.number));
    }
}

impl Handler<Order> for RoomActor {
    type Result = ();

    fn handle(&mut self, order: Order, ctx: &mut Context<Self>) {
        match order {
            Order::PanicInHandler => panic!("on purpose"),
            Order::PanicInFuture => {
                let trouble = async { panic!("on purpose") };
                ctx.spawn(trouble.into_actor(self));
            }
            Order::Stop => ctx.stop(),
            Order::Block(release) => {
                let released = release.recv_timeout(DEADLINE * 2);
                assert_ne!(released, Err(RecvTimeoutError::Timeout));
                let revoked = self.lifeline.pulse().is_revoked();
                let (kind, number) = (self.room.kind, self.number);
                self.room.tell(Told::Unblocked(kind, number, revoked));
            }
            Order::WorkForEver => {
                let work = self.lifeline.pulse().work();
                let trouble = async move {
                    let _work = work;
                    std::future::pending::<()>().await;
                };
                ctx.spawn(trouble.into_actor(self));
            }
        }
    }
}

impl Handler<WhoAreYou> for RoomActor {
    type Result = u32;

    fn handle(&mut self, _: WhoAreYou, _: &mut Context<Self>) -> u32 {
        self.number
    }
}

impl Handler<Finish> for RoomActor {
    type Result = ();

    fn handle(&mut self, _: Finish, ctx: &mut Context<Self>) {
        self.room
            .tell(Told::AskedToFinish(self.room.kind, self.number));
        match self.room.finishing {
            Finishing::AtOnce => ctx.stop(),
            Finishing::AfterAWhile => {
                ctx.run_later(BEAT * 5, |_, ctx| ctx.stop());
            }
            Finishing::Never => {}
        }
    }
}
