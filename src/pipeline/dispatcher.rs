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
    collections::HashMap,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix::prelude::*;
use chrono::Utc;
use tokio::sync::Notify;

use crate::{
    domain::ids::ReceiverId,
    store::{
        StoreError,
        leases::{LeaseOf, LeaseStore},
    },
};

use super::{
    leases::{Lease, RENEW_EVERY},
    lifeline::{BEAT, Ended, Lifeline, Patience, Pulse},
    messages::{Finish, Hints, Wake},
    sender::{Link, Sender, SenderParts},
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

#[derive(Default)]
struct Book {
    threads: Vec<Arbiter>,
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
        senders.book().threads = (0..count.max(1)).map(|_| Arbiter::new()).collect();
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
            thread.stop();
        }
    }

    /// Wakes the sender of a receiver; `false` when there is none.
    fn wake(&self, receiver: ReceiverId) -> bool {
        match self.book().running.get(&receiver) {
            Some(running) => {
                running.link.wake();
                // Full is fine: a wake-up waits in it already.
                let _hint = running.address.try_send(Wake);
                true
            }
            None => false,
        }
    }

    fn start(&self, parts: &SenderParts, link: Link) {
        let mut book = self.book();
        book.numbers += 1;
        let (number, receiver) = (book.numbers, link.receiver);
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
        let thread = receiver.0.unsigned_abs() as usize % book.threads.len().max(1);
        let (parts, link_of_sender) = (parts.clone(), link.clone());
        let Some(arbiter) = book.threads.get(thread) else {
            return;
        };
        let address = Sender::start_in_arbiter(&arbiter.handle(), move |_| {
            Sender::new(parts, link_of_sender, lifeline)
        });
        let running = Running {
            number,
            started: Instant::now(),
            link,
            pulse,
            address,
            thread,
        };
        book.running.insert(receiver, running);
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

    /// Gives up the senders that stand still. A thread that hangs is replaced: the others on it are
    /// found standing still in turn.
    fn give_up_hung(&self, patience: Patience) {
        let mut book = self.book();
        let hung: Vec<(ReceiverId, u64, usize)> = book
            .running
            .iter()
            .filter(|(_, running)| running.pulse.stands_still(patience))
            .map(|(receiver, running)| (*receiver, running.number, running.thread))
            .collect();
        for (receiver, number, thread) in hung {
            if let Some(running) = book.running.get(&receiver) {
                running.pulse.revoke();
                running.link.lease.end();
            }
            if let Some(arbiter) = book.threads.get_mut(thread) {
                std::mem::replace(arbiter, Arbiter::new()).stop();
            }
            book.ended.push(SenderEnded {
                receiver,
                number,
                how: Ended::Hung,
            });
        }
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
        ctx.run_interval(BEAT, |stage, _| stage.lifeline.pulse().beat());
        let dispatching = Dispatching {
            parts: self.parts.clone(),
            pulse: self.lifeline.pulse().clone(),
            scanned: None,
            renewed: None,
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
            if let Err(error) = self.turn(finishing).await {
                tracing::warn!(%error, "looking for due events failed; trying again");
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
        let _work = self.pulse.work();
        self.parts.senders.give_up_hung(self.parts.patience);
        // Leases first: a database that fails later in the turn must not cost them.
        if self.renewed.is_none_or(|at| at.elapsed() >= RENEW_EVERY) {
            self.renew().await?;
            self.renewed = Some(Instant::now());
        }
        let mut look = self.settle_ended().await?;
        if finishing {
            return Ok(());
        }
        look.extend(self.parts.hints.take());
        if self.scanned.is_none_or(|at| at.elapsed() >= SCAN) {
            let now = Utc::now();
            let work = self.parts.sender.queue.receivers_with_work().await?;
            let due = work
                .iter()
                .filter(|one| one.due_at.is_none_or(|at| at <= now));
            look.extend(due.map(|one| one.receiver_id));
            self.scanned = Some(Instant::now());
        }
        for receiver in look {
            if !self.parts.senders.wake(receiver) {
                self.start(receiver).await?;
            }
        }
        Ok(())
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let held: Vec<(ReceiverId, Arc<Link>)> = {
            let book = self.parts.senders.book();
            let running = book.running.values();
            running
                .map(|running| (running.link.receiver, running.link.clone()))
                .collect()
        };
        if held.is_empty() {
            return Ok(());
        }
        let asked = Instant::now();
        let wanted: Vec<LeaseOf> = held.iter().map(|(id, _)| LeaseOf::Receiver(*id)).collect();
        let renewed = self.parts.leases.renew(&wanted, &self.parts.holder).await?;
        for (receiver, link) in held {
            if renewed.contains(&LeaseOf::Receiver(receiver)) {
                link.lease.renewed(asked);
            } else {
                tracing::warn!(receiver = receiver.0, "another instance may send to it now");
                link.lease.end();
            }
        }
        Ok(())
    }

    /// Gives back the leases of senders that ended; returns whom to look at again.
    async fn settle_ended(&mut self) -> Result<Vec<ReceiverId>, StoreError> {
        let mut again = Vec::new();
        for (running, how) in self.parts.senders.take_ended() {
            let receiver = running.link.receiver;
            match how {
                Ended::Stopped => {
                    self.parts.senders.book().trouble.remove(&receiver);
                    if running.link.is_woken() && running.link.lease.held() {
                        again.push(receiver);
                    }
                    self.parts
                        .leases
                        .release(
                            LeaseOf::Receiver(receiver),
                            &self.parts.holder,
                            running.link.throttle_full_at(),
                        )
                        .await?;
                }
                // The lease stays ours; what it sent last is not known, so it ends by itself.
                Ended::Panicked | Ended::Hung => self.note_trouble(&running, how),
            }
        }
        Ok(again)
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

    async fn start(&self, receiver: ReceiverId) -> Result<(), StoreError> {
        let trouble = self.parts.senders.book().trouble.get(&receiver).copied();
        if trouble.is_some_and(|trouble| Instant::now() < trouble.not_before) {
            // The next scan finds it again.
            return Ok(());
        }
        let asked = Instant::now();
        let of = LeaseOf::Receiver(receiver);
        let Some(start) = self.parts.leases.acquire(of, &self.parts.holder).await? else {
            return Ok(());
        };
        let link = Link::new(receiver, Lease::from(asked), start);
        self.parts.senders.start(&self.parts.sender, link);
        Ok(())
    }
}
