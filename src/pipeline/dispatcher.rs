//! Between rooms 2 and 3: sees to it that every receiver with something to do has one sender, here or
//! in another instance.
//!
//! Fan-out wakes it with hints; once a second it asks the database, so a lost hint costs a second. It
//! takes and renews the receivers' leases, starts senders on the sending threads, starts one again that
//! panicked or stands still, and gives the lease back when a sender ends. It never touches an event.
//!
//! The senders outlive a dispatcher that panics: they are listed in [`Senders`], which the next
//! incarnation finds as it was.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix::prelude::*;
use chrono::Utc;
use tokio::sync::Notify;

use crate::{
    domain::{event::DueEvent, ids::ReceiverId},
    store::{
        StoreError,
        leases::{LeaseOf, LeaseStore},
    },
    telemetry::Outage,
};

use super::{
    leases::{Lease, RENEW_EVERY},
    lifeline::{BEAT, Ended, Lifeline, Patience, Pulse, Work},
    messages::{Finish, Hints, Wake},
    sender::{Abandon, Link, Sender, SenderParts},
    status::{StageKind, Status},
};

/// How often the database is asked who has something to do.
const SCAN: Duration = Duration::from_secs(1);
/// The pause before a sender that panicked is started again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// See [`FIRST_PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A sender that ran for so long starts with the first pause again.
const STEADY: Duration = Duration::from_secs(60);

/// What the dispatcher works with.
#[derive(Clone)]
pub struct DispatcherParts {
    /// What senders work with; its queue tells who has something to do.
    pub sender: SenderParts,
    /// Who sends.
    pub leases: Arc<dyn LeaseStore>,
    /// This instance's name in the leases.
    pub holder: Arc<str>,
    /// Whom fan-out made events for.
    pub hints: Hints,
    /// The senders of this instance.
    pub senders: Senders,
    /// When a sender counts as standing still.
    pub patience: Patience,
    /// The board.
    pub status: Status,
}

struct Running {
    number: u64,
    started: Instant,
    link: Arc<Link>,
    pulse: Pulse,
    address: Addr<Sender>,
    thread: usize,
    /// Which of the threads that stood in this place.
    thread_number: u64,
}

struct SenderEnded {
    receiver: ReceiverId,
    number: u64,
    how: Ended,
}

#[derive(Clone, Copy)]
struct Trouble {
    pause: Duration,
    not_before: Instant,
}

struct Thread {
    arbiter: Arbiter,
    number: u64,
}

#[derive(Default)]
struct Book {
    threads: Vec<Thread>,
    numbers: u64,
    running: HashMap<ReceiverId, Running>,
    ended: Vec<SenderEnded>,
    trouble: HashMap<ReceiverId, Trouble>,
}

/// The senders of this instance and the threads that they run on. Each receiver has its thread, so that
/// its connections are kept in one place.
#[derive(Clone, Default)]
pub struct Senders {
    book: Arc<Mutex<Book>>,
    news: Arc<Notify>,
}

impl Senders {
    /// On so many threads.
    pub fn on_threads(count: usize) -> Self {
        let senders = Self::default();
        let thread = |_| Thread {
            arbiter: Arbiter::new(),
            number: 0,
        };
        senders.book().threads = (0..count.max(1)).map(thread).collect();
        senders
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.book().running.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.book().running.is_empty()
    }

    /// Ends the threads.
    pub fn stop_threads(&self) {
        for thread in &self.book().threads {
            thread.arbiter.stop();
        }
    }

    /// Wakes the sender of a receiver; `false` when there is none.
    fn wake(&self, receiver: ReceiverId) -> bool {
        match self.book().running.get(&receiver) {
            Some(running) => {
                running.link.wake();
                true
            }
            None => false,
        }
    }

    /// Those of these receivers that have a sender here.
    pub fn running(&self, receivers: impl Iterator<Item = ReceiverId>) -> HashSet<ReceiverId> {
        let book = self.book();
        receivers
            .filter(|receiver| book.running.contains_key(receiver))
            .collect()
    }

    /// Hands each sender what was written for its receiver in one transaction, or, where that is not here, tells it to look;
    /// returns the receivers that have none.
    pub fn hand_over(
        &self,
        events: impl IntoIterator<Item = (ReceiverId, Vec<DueEvent>)>,
    ) -> Vec<ReceiverId> {
        let book = self.book();
        let mut without = Vec::new();
        for (receiver, events) in events {
            match book.running.get(&receiver) {
                Some(running) if events.is_empty() => running.link.wake(),
                Some(running) => running.link.hand_over(events),
                None => without.push(receiver),
            }
        }
        without
    }

    /// Events may have been written for anybody that were not handed over.
    pub fn miss(&self) {
        for running in self.book().running.values() {
            running.link.miss();
        }
    }

    fn start(&self, parts: &SenderParts, link: Link) {
        let receiver = link.receiver;
        let (number, thread, thread_number, arbiter) = {
            let mut book = self.book();
            if book.running.contains_key(&receiver) {
                return;
            }
            book.numbers += 1;
            let thread = receiver.0.unsigned_abs() as usize % book.threads.len().max(1);
            let Some(place) = book.threads.get(thread) else {
                return;
            };
            (book.numbers, thread, place.number, place.arbiter.handle())
        };
        let senders = self.clone();
        let lifeline = Lifeline::new(move |how| {
            senders.book().ended.push(SenderEnded {
                receiver,
                number,
                how,
            });
            senders.news.notify_one();
        });
        let link = Arc::new(link);
        let pulse = lifeline.pulse().clone();
        let (parts, link_of_sender) = (parts.clone(), link.clone());
        // Not under the lock: on a thread that has ended the lifeline is dropped here and now.
        let address = Sender::start_in_arbiter(&arbiter, move |_| {
            Sender::new(parts, link_of_sender, lifeline)
        });
        let running = Running {
            number,
            started: Instant::now(),
            link,
            pulse,
            address,
            thread,
            thread_number,
        };
        self.book().running.insert(receiver, running);
    }

    /// Takes the ends that were told since the last call, with what ran; stale ones are left out.
    fn take_ended(&self) -> Vec<(Running, Ended)> {
        let mut book = self.book();
        let ended = std::mem::take(&mut book.ended);
        let mut found = Vec::new();
        for end in ended {
            let current = book
                .running
                .get(&end.receiver)
                .map(|running| running.number);
            if current == Some(end.number)
                && let Some(running) = book.running.remove(&end.receiver)
            {
                found.push((running, end.how));
            }
        }
        found
    }

    /// After the whole process stood still nobody is to blame.
    fn excuse(&self) {
        for running in self.book().running.values() {
            running.pulse.excuse();
        }
    }

    /// Gives up the senders that stand still and returns them. One whose work does not end is dropped;
    /// one whose thread hangs can not be, so the thread is replaced, once, and the other senders on the
    /// old one are found in turn.
    fn give_up_hung(&self, patience: Patience) -> Vec<Running> {
        let mut book = self.book();
        let hung: Vec<ReceiverId> = book
            .running
            .iter()
            .filter(|(_, running)| running.pulse.stands_still(patience))
            .map(|(receiver, _)| *receiver)
            .collect();
        let mut given_up = Vec::with_capacity(hung.len());
        for receiver in hung {
            let Some(running) = book.running.remove(&receiver) else {
                continue;
            };
            running.pulse.revoke();
            running.link.lease.end();
            running.address.do_send(Abandon);
            if running.pulse.thread_hangs(patience)
                && let Some(thread) = book.threads.get_mut(running.thread)
                && thread.number == running.thread_number
            {
                thread.number += 1;
                std::mem::replace(&mut thread.arbiter, Arbiter::new()).stop();
            }
            given_up.push(running);
        }
        given_up
    }
}

/// The stage; its work is one loop beside the mailbox.
pub struct Dispatcher {
    parts: DispatcherParts,
    lifeline: Lifeline,
    finish: Rc<std::cell::Cell<bool>>,
}

impl Dispatcher {
    /// A new incarnation.
    pub fn new(parts: DispatcherParts, lifeline: Lifeline) -> Self {
        Self {
            parts,
            lifeline,
            finish: Rc::default(),
        }
    }
}

impl Actor for Dispatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(BEAT, |stage, _| {
            if stage.lifeline.pulse().was_away() {
                stage.parts.senders.excuse();
            }
            stage.lifeline.pulse().beat();
        });
        let dispatching = Dispatching {
            parts: self.parts.clone(),
            pulse: self.lifeline.pulse().clone(),
            scanned: None,
            renewed: None,
            elsewhere: HashSet::new(),
            asleep: HashSet::new(),
            outage: Outage::new("due events can not be handed to senders"),
        };
        let work = dispatching.run(self.finish.clone());
        ctx.spawn(work.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Wake> for Dispatcher {
    type Result = ();

    fn handle(&mut self, _: Wake, _: &mut Context<Self>) {
        self.parts.senders.news.notify_one();
    }
}

impl Handler<Finish> for Dispatcher {
    type Result = ();

    fn handle(&mut self, _: Finish, _: &mut Context<Self>) {
        self.finish.set(true);
        self.parts.senders.news.notify_one();
    }
}

struct Dispatching {
    parts: DispatcherParts,
    pulse: Pulse,
    scanned: Option<Instant>,
    renewed: Option<Instant>,
    /// Receivers that another instance sends to, asked since the last scan.
    elsewhere: HashSet<ReceiverId>,
    /// Receivers that are only probed, and not yet again, by the last scan: what comes new for them waits.
    asleep: HashSet<ReceiverId>,
    outage: Outage,
}

impl Dispatching {
    async fn run(mut self, finish: Rc<std::cell::Cell<bool>>) {
        loop {
            let finishing = finish.get();
            if finishing {
                for running in self.parts.senders.book().running.values() {
                    running.address.do_send(Finish);
                }
            }
            match self.turn(finishing).await {
                Ok(()) => self.outage.is_over(),
                Err(error) => self.outage.goes_on(&error),
            }
            if self.pulse.is_revoked() || (finishing && self.parts.senders.is_empty()) {
                return;
            }
            let nap = if finishing { SCAN / 10 } else { SCAN / 4 };
            tokio::select! {
                () = self.parts.senders.news.notified() => {}
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    async fn turn(&mut self, finishing: bool) -> Result<(), StoreError> {
        let work = self.pulse.work();
        if self.pulse.was_away() {
            self.parts.senders.excuse();
        }
        for running in self.parts.senders.give_up_hung(self.parts.patience) {
            self.note_trouble(&running, Ended::Hung);
        }
        let mut look = self.settle_ended().await;
        self.renew_if_due(&work).await?;
        if finishing {
            return Ok(());
        }
        look.extend(self.parts.hints.take());
        let scan = self.scanned.is_none_or(|at| at.elapsed() >= SCAN);
        if scan {
            let now = Utc::now();
            let found = self.parts.sender.queue.receivers_with_work().await?;
            self.asleep.clear();
            for one in found {
                if one.due_at.is_none_or(|at| at <= now) {
                    look.push(one.receiver_id);
                } else if one.probed {
                    self.asleep.insert(one.receiver_id);
                }
            }
            self.elsewhere.clear();
        }
        for receiver in look {
            if self.pulse.is_revoked() {
                break;
            }
            if !self.parts.senders.wake(receiver) && !self.asleep.contains(&receiver) {
                // Many may start at once: those that run must not lose their leases meanwhile.
                self.renew_if_due(&work).await?;
                self.start(receiver).await?;
            }
        }
        if scan {
            // Not before: while a lease is refused each turn tells so, and an outage is one outage.
            self.scanned = Some(Instant::now());
        }
        Ok(())
    }

    async fn renew_if_due(&mut self, work: &Work) -> Result<(), StoreError> {
        if self.renewed.is_none_or(|at| at.elapsed() >= RENEW_EVERY) {
            self.renew().await?;
            self.renewed = Some(Instant::now());
            work.goes_on();
        }
        Ok(())
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let held: Vec<Arc<Link>> = {
            let book = self.parts.senders.book();
            book.running
                .values()
                .map(|running| running.link.clone())
                .collect()
        };
        if held.is_empty() {
            return Ok(());
        }
        let asked = Instant::now();
        let wanted = held.iter().map(|link| LeaseOf::Receiver(link.receiver));
        let wanted: Vec<LeaseOf> = wanted.collect();
        let renewed = self.parts.leases.renew(&wanted, &self.parts.holder).await?;
        for link in held {
            if renewed.contains(&LeaseOf::Receiver(link.receiver)) {
                link.lease.renewed(asked);
            } else {
                tracing::warn!(
                    receiver = link.receiver.0,
                    "another instance may send to it now"
                );
                link.lease.end();
            }
        }
        Ok(())
    }

    /// Gives back the leases of senders that ended; returns whom to look at again.
    async fn settle_ended(&self) -> Vec<ReceiverId> {
        let mut again = Vec::new();
        for (running, how) in self.parts.senders.take_ended() {
            let receiver = running.link.receiver;
            match how {
                Ended::Stopped => {
                    self.parts.senders.book().trouble.remove(&receiver);
                    if running.link.is_woken() && running.link.lease.held() {
                        again.push(receiver);
                    }
                    let (leases, holder) = (&self.parts.leases, &self.parts.holder);
                    let full_in = running.link.throttle_full_in();
                    let of = LeaseOf::Receiver(receiver);
                    if let Err(error) = leases.release(of, holder, full_in).await {
                        // It ends by itself, and the next one begins with an empty bucket.
                        tracing::warn!(receiver = receiver.0, %error, "a lease was not given back");
                    }
                }
                // The lease stays ours; what it sent last is not known, so it ends by itself.
                Ended::Panicked | Ended::Hung => self.note_trouble(&running, how),
            }
        }
        again
    }

    fn note_trouble(&self, running: &Running, how: Ended) {
        let receiver = running.link.receiver;
        self.parts
            .status
            .stage_restarts(StageKind::Sender, how, false);
        let mut book = self.parts.senders.book();
        let before = book.trouble.get(&receiver);
        let pause = match before {
            Some(trouble) if running.started.elapsed() < STEADY => {
                (trouble.pause * 2).min(LONGEST_PAUSE)
            }
            _ => FIRST_PAUSE,
        };
        tracing::error!(
            receiver = receiver.0,
            how = how.words(),
            pause_ms = pause.as_millis() as u64,
            "a sender ended and is started again"
        );
        let not_before = Instant::now() + pause;
        book.trouble.insert(receiver, Trouble { pause, not_before });
    }

    async fn start(&mut self, receiver: ReceiverId) -> Result<(), StoreError> {
        let trouble = self.parts.senders.book().trouble.get(&receiver).copied();
        if trouble.is_some_and(|trouble| Instant::now() < trouble.not_before) {
            // The next scan finds it again.
            return Ok(());
        }
        if self.elsewhere.contains(&receiver) {
            return Ok(());
        }
        let asked = Instant::now();
        let of = LeaseOf::Receiver(receiver);
        let Some(start) = self.parts.leases.acquire(of, &self.parts.holder).await? else {
            self.elsewhere.insert(receiver);
            return Ok(());
        };
        let link = Link::new(receiver, Lease::from(asked), start);
        self.parts.senders.start(&self.parts.sender, link);
        Ok(())
    }
}
