//! Room 3: sends the events of one receiver.
//!
//! The dispatcher starts one for a receiver that has something to do, and it ends when there is
//! nothing left. It reads its events from the tables that fan-out (room 2) wrote, keeps rows in order,
//! passes each request through the receiver's throttle, judges the answers and hands outcomes to the
//! recorder (room 4). It never writes an outcome itself, and it forgets an event only when its outcome
//! is written.

mod attempt;
pub mod inbox;
mod lookahead;
mod sending;
pub(super) mod spans;

use std::{
    cell::OnceCell,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix::prelude::*;
use tokio::sync::Notify;

use crate::{
    domain::{event::DueEvent, ids::ReceiverId, receiver::RetryPolicy},
    policy::{receiver_health::HealthPolicy, throttle::Start},
    store::{delivery_targets::DeliveryTargets, event_queue::EventQueue},
    transport::{Transport, TransportFactory},
};

use super::{
    leases::Lease,
    lifeline::{BEAT, Lifeline},
    messages::{Finish, Slot},
    outcome_recorder::OutcomeRecorder,
    status::Status,
    versions::Versions,
};

use inbox::Inbox;
use sending::Sending;

/// What receivers get that set nothing themselves (`[defaults]`).
#[derive(Clone, Copy, Debug)]
pub struct DeliveryDefaults {
    /// The time for a whole attempt.
    pub timeout: Duration,
    /// Requests in flight at once.
    pub max_in_flight: u32,
    /// The retry policy.
    pub retry: RetryPolicy,
    /// The largest body that is sent, in bytes.
    pub max_payload: usize,
    /// When receivers are probed, and given up.
    pub health: HealthPolicy,
}

/// What every sender works with.
#[derive(Clone)]
pub struct SenderParts {
    /// The queue.
    pub queue: Arc<dyn EventQueue>,
    /// What receivers want.
    pub targets: Arc<dyn DeliveryTargets>,
    /// What log rows mean.
    pub versions: Versions,
    /// The network.
    pub transport: Arc<dyn TransportFactory>,
    /// Room 4.
    pub recorder: Slot<OutcomeRecorder>,
    /// For receivers that set nothing themselves.
    pub defaults: DeliveryDefaults,
    /// The board.
    pub status: Status,
}

/// What a sender and the dispatcher share.
#[derive(Debug)]
pub struct Link {
    /// Who it sends to.
    pub receiver: ReceiverId,
    /// The right to send.
    pub lease: Lease,
    /// Whether the throttle may begin full.
    pub start: Start,
    woken: AtomicBool,
    inbox: Inbox,
    look: Notify,
    throttle_full_at: Mutex<Option<Instant>>,
}

impl Link {
    /// For a sender that is about to start: it is woken.
    pub fn new(receiver: ReceiverId, lease: Lease, start: Start) -> Self {
        Self {
            receiver,
            lease,
            start,
            woken: AtomicBool::new(true),
            inbox: Inbox::default(),
            look: Notify::new(),
            throttle_full_at: Mutex::new(None),
        }
    }

    /// There may be something to do that the database knows of.
    pub fn wake(&self) {
        self.woken.store(true, Ordering::SeqCst);
        self.look.notify_one();
    }

    /// These were written for the receiver just now: see [`Inbox::put`].
    pub fn hand_over(&self, events: Vec<DueEvent>) {
        self.inbox.put(events);
        self.look.notify_one();
    }

    /// Events may have been written that were not handed over.
    pub fn miss(&self) {
        self.inbox.miss();
        self.look.notify_one();
    }

    /// Whether it was woken or handed something and has not looked since.
    pub fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst) || !self.inbox.is_empty()
    }

    fn take_wake(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }

    fn set_throttle_full_at(&self, at: Option<Instant>) {
        *self
            .throttle_full_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// In how long the receiver's bucket is full again.
    pub fn throttle_full_in(&self) -> Duration {
        let at = *self
            .throttle_full_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        at.map_or(Duration::ZERO, |at| {
            at.saturating_duration_since(Instant::now())
        })
    }
}

thread_local! {
    /// HTTP clients are not `Send`: the threads that senders run on keep one each, for good.
    static TRANSPORT: OnceCell<Rc<dyn Transport>> = const { OnceCell::new() };
}

/// The stage; its work is one loop beside the mailbox.
pub struct Sender {
    parts: SenderParts,
    link: Arc<Link>,
    lifeline: Lifeline,
    finish: Rc<std::cell::Cell<bool>>,
}

impl Sender {
    /// A new incarnation. It must be started on a thread that only senders of this service run on.
    pub fn new(parts: SenderParts, link: Arc<Link>, lifeline: Lifeline) -> Self {
        Self {
            parts,
            link,
            lifeline,
            finish: Rc::default(),
        }
    }
}

impl Actor for Sender {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(BEAT, |sender, _| sender.lifeline.pulse().beat());
        let transport = TRANSPORT.with(|cell| {
            cell.get_or_init(|| self.parts.transport.for_this_thread())
                .clone()
        });
        let sending = Sending::new(
            self.parts.clone(),
            self.link.clone(),
            self.lifeline.pulse().clone(),
            transport,
        );
        let work = sending.run(self.finish.clone());
        ctx.spawn(work.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

/// The dispatcher to a sender whose work does not end: drop it and stop, now.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Abandon;

impl Handler<Abandon> for Sender {
    type Result = ();

    fn handle(&mut self, _: Abandon, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Handler<Finish> for Sender {
    type Result = ();

    fn handle(&mut self, _: Finish, _: &mut Context<Self>) {
        self.finish.set(true);
        self.link.look.notify_one();
    }
}
