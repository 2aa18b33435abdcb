//! Between rooms 2 and 3: sees to it that every receiver with something to do has one sender, here or
//! in another instance.
//!
//! Fan-out wakes it with hints; once a second it asks the database, so a lost hint costs a second. It
//! takes and renews the receivers' leases, starts senders on the sending threads, starts one again that
//! panicked or stands still, and gives the lease back when a sender ends. It never touches an event.
//!
//! Of several instances each takes the receivers that are its own ([`Sharing`]), and tells the others of theirs.
//!
//! The senders outlive a dispatcher that panics: they are listed in [`Senders`], which the next
//! incarnation finds as it was.

use std::{
    collections::HashSet,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use chrono::Utc;

use crate::{
    domain::ids::ReceiverId,
    store::{
        StoreError,
        instances::{Call, Instances},
        leases::{LeaseOf, LeaseStore},
    },
    telemetry::Outage,
};

use super::{
    leases::{Lease, RENEW_EVERY},
    lifeline::{BEAT, Ended, Lifeline, Patience, Pulse, Work},
    messages::{Finish, Hints, Wake},
    sender::{Link, SenderParts},
    senders::{Running, Senders, Trouble},
    sharing::{self, Sharing},
    status::{StageKind, Status},
};

/// How often the database is asked who has something to do.
const SCAN: Duration = Duration::from_secs(1);
/// The pause before a sender that panicked is started again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Senders that are ended at once because their receivers are another instance's: its share comes little by little, and
/// few deliveries wait at a time.
const GIVEN_BACK_AT_ONCE: usize = 64;
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
    /// Who else runs.
    pub instances: Arc<dyn Instances>,
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
            sharing: Sharing::new(self.parts.holder.clone()),
            arrived: false,
            departed: false,
            call: HashSet::new(),
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
    sharing: Sharing,
    /// That this instance is here was told.
    arrived: bool,
    /// That it goes was told.
    departed: bool,
    /// Receivers that have something to do, or can be taken, and are another instance's.
    call: HashSet<ReceiverId>,
    scanned: Option<Instant>,
    renewed: Option<Instant>,
    /// Receivers that another instance sends to, as far as that was seen since the last scan.
    elsewhere: HashSet<ReceiverId>,
    /// Receivers that are only probed, and not yet again, by the last scan: what comes new for them waits.
    asleep: HashSet<ReceiverId>,
    outage: Outage,
}

impl Dispatching {
    async fn run(mut self, finish: Rc<std::cell::Cell<bool>>) {
        let instances = self.parts.instances.clone();
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
                call = instances.called() => self.called(call),
                () = tokio::time::sleep(nap) => {}
            }
        }
    }

    /// Another instance knows of something to do.
    fn called(&mut self, call: Call) {
        match call {
            Call::LookAgain => self.scanned = None,
            Call::Receivers(receivers) => {
                let own = |receiver: &ReceiverId| self.sharing.is_own(*receiver);
                let own: Vec<ReceiverId> = receivers.into_iter().filter(own).collect();
                for receiver in &own {
                    self.elsewhere.remove(receiver);
                }
                self.parts.hints.add(own);
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
            return self.leave().await;
        }
        look.extend(self.parts.hints.take());
        let scan = self.scanned.is_none_or(|at| at.elapsed() >= SCAN);
        if scan {
            look.extend(self.scan(&work).await?);
        }
        for receiver in look {
            if self.pulse.is_revoked() {
                break;
            }
            if self.parts.senders.wake(receiver) || self.asleep.contains(&receiver) {
                continue;
            }
            if self.sharing.takes(receiver) {
                // Many may start at once: those that run must not lose their leases meanwhile.
                self.renew_if_due(&work).await?;
                self.start(receiver).await?;
            } else {
                self.call.insert(receiver);
            }
        }
        self.call_others().await?;
        if scan {
            // Not before: while a lease is refused each turn tells so, and an outage is one outage.
            self.scanned = Some(Instant::now());
        }
        Ok(())
    }

    /// Asks the database who runs and who has something to do; returns the receivers that this instance is to look at.
    async fn scan(&mut self, work: &Work) -> Result<Vec<ReceiverId>, StoreError> {
        let (instances, holder) = (&self.parts.instances, &self.parts.holder);
        self.sharing.learn(instances.attend(holder).await?);
        work.goes_on();
        if !self.arrived {
            // The others need not wait for their next look to know of it.
            instances.call(&Call::LookAgain).await?;
            self.arrived = true;
        }
        let now = Utc::now();
        let found = self.parts.sender.queue.receivers_with_work().await?;
        work.goes_on();
        self.asleep.clear();
        self.elsewhere.clear();
        let mut look = Vec::new();
        for one in found {
            if one.due_at.is_none_or(|at| at <= now) {
                look.push(one.receiver_id);
            } else if one.probed {
                self.asleep.insert(one.receiver_id);
            }
        }
        if !self.sharing.is_alone() {
            let running = self.parts.senders.running(look.iter().copied());
            let (here, mut without): (Vec<_>, Vec<_>) =
                look.into_iter().partition(|one| running.contains(one));
            let leases = &self.parts.leases;
            self.elsewhere = leases.held_by_others(&without, holder).await?;
            work.goes_on();
            without.retain(|one| !self.elsewhere.contains(one));
            self.sharing.found_free(&without);
            // The owner of one that is free looks for itself each second, and need not be called.
            without.retain(|one| self.sharing.takes(*one));
            look = here;
            look.append(&mut without);
        }
        self.give_back();
        Ok(look)
    }

    /// Ends the senders of receivers that are another instance's by now; the leases are given back when they have ended.
    fn give_back(&mut self) {
        if !self.sharing.is_settled() {
            return;
        }
        let (book, sharing) = (self.parts.senders.book(), &mut self.sharing);
        let others = book.running.iter().filter(|(receiver, running)| {
            running.started.elapsed() >= sharing::SETTLED && !sharing.is_own(**receiver)
        });
        for (_, running) in others.take(GIVEN_BACK_AT_ONCE) {
            running.address.do_send(Finish);
        }
    }

    /// This instance goes: the others share out among them what is given back.
    async fn leave(&mut self) -> Result<(), StoreError> {
        if !self.departed {
            self.parts.instances.depart(&self.parts.holder).await?;
            self.parts.instances.call(&Call::LookAgain).await?;
            self.departed = true;
        }
        self.call_others().await
    }

    async fn call_others(&mut self) -> Result<(), StoreError> {
        if self.sharing.is_alone() {
            self.call.clear();
        }
        if self.call.is_empty() {
            return Ok(());
        }
        let receivers = self.call.iter().copied().collect();
        self.parts
            .instances
            .call(&Call::Receivers(receivers))
            .await?;
        self.call.clear();
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
    async fn settle_ended(&mut self) -> Vec<ReceiverId> {
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
                    } else if self.departed || !self.sharing.is_own(receiver) {
                        self.call.insert(receiver);
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
