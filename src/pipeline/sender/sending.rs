//! The loop of a sender: fill the view, start what may go, write down what came of it.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    sync::Notify,
    task::{Id, JoinError, JoinSet},
};

use crate::{
    domain::{
        attempt::{Outcome, Verdict},
        event::{DueEvent, QueuedEvent, RowHashes},
        ids::{EventId, ReceiverId},
        receiver::{DeliveryTarget, Ordering},
    },
    pipeline::{
        lifeline::{Pulse, Work},
        messages::{Record, Slot},
        outcome_recorder::OutcomeRecorder,
    },
    policy::throttle::{Start, Throttle},
    store::{StoreError, event_queue::Unpark},
    transport::Transport,
};

use super::{
    Link, SenderParts,
    attempt::{AttemptParts, Done, make, own_fault},
    lookahead::{Lookahead, blocked},
};

/// Events read at once; the view is filled again when it falls below half of it.
const PAGE: u32 = 500;
/// Pages read before the sender looks at what has ended meanwhile.
const PAGES_PER_TURN: usize = 4;
/// Events in view at most; behind a hot row further pages are read up to this.
const VIEW: usize = 4000;
/// Bodies read at once.
const LOAD: usize = 64;
/// Outcomes not written yet: above it no new attempt starts, so a database that is away stops sending.
const UNRECORDED: usize = 1000;
/// How old the receiver's settings may be.
const SETTINGS_AGE: Duration = Duration::from_secs(1);
/// The queue is read from its beginning this often, for events that came in behind what was read.
const REREAD: Duration = Duration::from_secs(5);
/// A sender with nothing to do ends after this.
const LINGER: Duration = Duration::from_secs(5);
/// The pause after the database failed.
const RETRY: Duration = Duration::from_millis(500);
/// No timer is longer.
const LONGEST_NAP: Duration = Duration::from_secs(1);
/// While the receiver is in trouble, what is parked behind nothing is looked for this often.
const ORPHANS: Duration = Duration::from_secs(60);
/// Parked events made ready in one transaction.
const UNPARKED_AT_ONCE: u32 = 1000;

/// One receiver's sending.
pub struct Sending {
    parts: SenderParts,
    link: Arc<Link>,
    pulse: Pulse,
    transport: Rc<dyn Transport>,
    target: Option<Rc<DeliveryTarget>>,
    target_at: Instant,
    throttle: Option<(Throttle, Instant)>,
    last_sent: Option<Instant>,
    view: Lookahead,
    bodies: HashMap<EventId, DueEvent>,
    /// Ready events up to this id are in view or were.
    read_to: EventId,
    read_all: bool,
    reread_at: Instant,
    due_at: Instant,
    /// Waiting or parked events may stand in the database: pages are held against them, and whatever is
    /// settled makes ready what is parked behind it.
    trouble: bool,
    orphans_at: Instant,
    attempts: JoinSet<Done>,
    under_way: HashMap<Id, DueEvent>,
    recording: JoinSet<(Outcome, bool)>,
    rows_under_way: HashMap<EventId, RowHashes>,
    busy_until: Instant,
    /// This URI answered that it is gone for good.
    gone: Option<String>,
    /// When it was deactivated for that: what attempts from before say of it is known.
    deactivated_at: Option<DateTime<Utc>>,
}

impl Sending {
    /// Nothing read yet.
    pub fn new(
        parts: SenderParts,
        link: Arc<Link>,
        pulse: Pulse,
        transport: Rc<dyn Transport>,
    ) -> Self {
        let now = Instant::now();
        Self {
            parts,
            link,
            pulse,
            transport,
            target: None,
            target_at: now,
            throttle: None,
            last_sent: None,
            view: Lookahead::default(),
            bodies: HashMap::new(),
            read_to: EventId(0),
            read_all: false,
            reread_at: now + REREAD,
            due_at: now,
            trouble: true,
            orphans_at: now,
            attempts: JoinSet::new(),
            under_way: HashMap::new(),
            recording: JoinSet::new(),
            rows_under_way: HashMap::new(),
            busy_until: now + LINGER,
            gone: None,
            deactivated_at: None,
        }
    }

    fn receiver(&self) -> ReceiverId {
        self.link.receiver
    }

    /// Sends until there is nothing left to do, the lease is lost or it is told to finish.
    pub async fn run(mut self, look: Rc<Notify>, finish: Rc<Cell<bool>>) {
        loop {
            let mut ending = finish.get() || !self.link.lease.held() || self.pulse.is_revoked();
            let mut nap = LONGEST_NAP;
            if !ending {
                match self.turn().await {
                    Ok(Turn::Wait(pause)) => nap = pause,
                    Ok(Turn::End) => ending = true,
                    Err(error) => {
                        self.pauses(&error);
                        nap = RETRY;
                    }
                }
            }
            if ending && self.attempts.is_empty() && self.recording.is_empty() {
                break;
            }
            tokio::select! {
                Some(done) = self.attempts.join_next_with_id() => self.attempt_ended(done),
                Some(written) = self.recording.join_next() => {
                    if let Ok((outcome, unparked)) = written {
                        self.outcome_written(&outcome, unparked).await;
                    }
                }
                () = look.notified() => {}
                () = tokio::time::sleep(nap) => {}
            }
            // What else has ended by now is taken before the next look at the database.
            while let Some(done) = self.attempts.try_join_next_with_id() {
                self.attempt_ended(done);
            }
            while let Some(written) = self.recording.try_join_next() {
                if let Ok((outcome, unparked)) = written {
                    self.outcome_written(&outcome, unparked).await;
                }
            }
        }
    }

    /// A database that is away is the stages' to tell: here it would be a line for each receiver.
    fn pauses(&self, error: &StoreError) {
        let receiver = self.receiver().0;
        if matches!(error, StoreError::Unavailable(_)) {
            tracing::debug!(receiver, %error, "sending pauses");
        } else {
            tracing::warn!(receiver, %error, "sending pauses");
        }
    }

    /// One turn: settings, view, starts.
    async fn turn(&mut self) -> Result<Turn, StoreError> {
        let work = self.pulse.work();
        if self.link.take_wake() {
            self.read_all = false;
            if self.view.len() == 0 {
                // What is ready may have been settled before and lie behind what was read. With nothing in
                // view the whole queue is no longer than what is behind.
                self.reread();
            }
            self.busy_until = Instant::now() + LINGER;
            if self.trouble {
                // The wake may be for a waiting event that became due by another's hand.
                self.due_at = Instant::now();
            }
        }
        if let Some(uri) = self.gone.clone() {
            self.deactivate(&uri).await?;
        }
        let Some(target) = self.settings().await? else {
            return Ok(Turn::End);
        };
        work.goes_on();
        self.mend(&target, &work).await?;
        work.goes_on();
        self.fill(&target).await?;
        self.load(&target).await?;
        let throttled = self.start(&target);
        if !self.view.is_idle() {
            self.busy_until = Instant::now() + LINGER;
        } else if Instant::now() > self.idle_from() && !self.link.is_woken() {
            return Ok(Turn::End);
        }
        Ok(Turn::Wait(self.nap(throttled)))
    }

    /// A sender only ends once its bucket is full again: the next one may then begin with the burst.
    fn idle_from(&self) -> Instant {
        let full = self.last_sent.zip(self.throttle.as_ref());
        let full = full.and_then(|(at, (throttle, _))| at.checked_add(throttle.time_to_fill()));
        full.map_or(self.busy_until, |full| full.max(self.busy_until))
    }

    fn nap(&self, throttled: Option<Instant>) -> Duration {
        let now = Instant::now();
        if !self.read_all && self.view.len() < PAGE as usize / 2 {
            return Duration::ZERO;
        }
        let mut until = now + LONGEST_NAP;
        if let Some(at) = throttled {
            until = until.min(at);
        }
        until = until.min(self.due_at.max(now));
        until.saturating_duration_since(now)
    }

    /// The receiver said that it is gone for good. A URI that was mended meanwhile did not say so.
    async fn deactivate(&mut self, uri: &str) -> Result<(), StoreError> {
        let (targets, receiver) = (&self.parts.targets, self.link.receiver);
        let read = targets.delivery_target(receiver).await?;
        let still = read.filter(|target| target.receiver.webhook_uri == uri);
        if still.is_some_and(|target| target.receiver.active) {
            let why = "the receiver answered 410 Gone; activate it when it is back";
            if targets.deactivate(receiver, why).await? {
                tracing::warn!(
                    receiver = receiver.0,
                    "answered 410 Gone and was deactivated"
                );
            }
        }
        self.gone = None;
        self.deactivated_at = Some(Utc::now());
        self.target = None;
        Ok(())
    }

    /// Makes ready what is parked with nothing to wait for: what a sender left that ended badly, or
    /// everything once the receiver gives up the order of rows.
    async fn mend(&mut self, target: &DeliveryTarget, work: &Work) -> Result<(), StoreError> {
        let which = match target.receiver.ordering {
            Ordering::PerRow => Unpark::Orphans,
            Ordering::None => Unpark::Any,
        };
        if !self.trouble || Instant::now() < self.orphans_at {
            return Ok(());
        }
        let (queue, receiver) = (self.parts.queue.clone(), self.link.receiver);
        loop {
            let count = queue.unpark(receiver, which, UNPARKED_AT_ONCE).await?;
            work.goes_on();
            if count > 0 {
                self.build_view_anew();
            }
            if count < u64::from(UNPARKED_AT_ONCE) {
                break;
            }
        }
        self.orphans_at = Instant::now() + ORPHANS;
        Ok(())
    }

    /// What the receiver wants, at most [`SETTINGS_AGE`] old; `None` when nothing is to be sent to it.
    async fn settings(&mut self) -> Result<Option<Rc<DeliveryTarget>>, StoreError> {
        if self.target.is_none() || self.target_at.elapsed() > SETTINGS_AGE {
            let read = self.parts.targets.delivery_target(self.receiver()).await?;
            self.target_at = Instant::now();
            // What was read of an event is as old: it may have been cancelled, or redelivered with a fresh
            // budget, while the throttle held it back.
            self.bodies.clear();
            self.target = read.filter(|target| target.receiver.active).map(Rc::new);
            self.set_throttle();
        }
        Ok(self.target.clone())
    }

    /// A limiter whose setting changes begins empty: what was sent before counts against it.
    fn set_throttle(&mut self) {
        let Some(target) = &self.target else { return };
        let wanted = target.receiver.rate_limit;
        if wanted == self.throttle.as_ref().map(|(throttle, _)| throttle.limit()) {
            return;
        }
        let start = match (&self.throttle, self.last_sent) {
            (None, None) => self.link.start,
            _ => Start::Empty,
        };
        self.throttle = wanted.map(|limit| (Throttle::new(limit, start), Instant::now()));
    }

    /// Brings due and ready events into view.
    async fn fill(&mut self, target: &DeliveryTarget) -> Result<(), StoreError> {
        let now = Instant::now();
        if now >= self.reread_at {
            self.reread_at = now + REREAD;
            self.reread();
        }
        if now >= self.due_at {
            self.fill_due().await?;
        }
        let starved = self.view.startable(target.receiver.ordering, 1).is_empty();
        for _ in 0..PAGES_PER_TURN {
            let low = self.view.len() < PAGE as usize / 2;
            if self.read_all || !(low || (starved && self.view.len() < VIEW)) {
                break;
            }
            let page = self
                .parts
                .queue
                .ready(self.receiver(), self.read_to, PAGE)
                .await?;
            let (all, last) = (page.len() < PAGE as usize, page.last().map(|last| last.id));
            // Only what has been taken into view or parked counts as read: were this to fail, a later
            // event of a row could overtake one of this page.
            self.offer(target, page).await?;
            self.read_all = all;
            self.read_to = last.unwrap_or(self.read_to);
        }
        Ok(())
    }

    fn keeps_order(&self) -> bool {
        let target = self.target.as_ref();
        target.is_none_or(|target| target.receiver.ordering == Ordering::PerRow)
    }

    /// What became ready may come before what is in view.
    fn build_view_anew(&mut self) {
        self.view.clear();
        self.bodies.clear();
        self.due_at = Instant::now();
        self.reread();
    }

    fn reread(&mut self) {
        self.read_to = EventId(0);
        self.read_all = false;
    }

    /// Events whose next attempt is due.
    async fn fill_due(&mut self) -> Result<(), StoreError> {
        let (queue, receiver) = (&self.parts.queue, self.link.receiver);
        let mut new = false;
        for event in queue.due(receiver, Utc::now(), PAGE).await? {
            new |= self.view.offer(event);
        }
        let next = queue.next_due(receiver).await?;
        if next.is_none() && self.trouble && self.rows_under_way.is_empty() {
            // With nothing waiting, whatever is parked has nothing to wait for.
            self.trouble = queue.in_trouble(receiver).await?;
            self.orphans_at = Instant::now();
        }
        let pause = match next {
            // What is due is in view: look again when some of it is done.
            _ if new => LONGEST_NAP,
            None => REREAD,
            Some(at) => (at - Utc::now())
                .max(TimeDelta::zero())
                .to_std()
                .unwrap_or_default()
                .clamp(Duration::from_millis(10), REREAD),
        };
        let known_due = next.is_some_and(|at| at <= Utc::now());
        self.due_at = Instant::now() + if known_due { LONGEST_NAP } else { pause };
        Ok(())
    }

    /// Takes a page into view, but for what waits behind an earlier event in the database: that is
    /// parked.
    async fn offer(
        &mut self,
        target: &DeliveryTarget,
        page: Vec<QueuedEvent>,
    ) -> Result<(), StoreError> {
        let mut page: Vec<QueuedEvent> = page
            .into_iter()
            .filter(|event| !self.view.knows(event.id))
            .collect();
        if self.trouble && target.receiver.ordering == Ordering::PerRow && !page.is_empty() {
            let rows: HashSet<i64> = page.iter().flat_map(|event| event.rows.iter()).collect();
            let rows: Vec<i64> = rows.into_iter().collect();
            let mut blocking = self.parts.queue.blocking(self.receiver(), &rows).await?;
            // What is in view or under way is kept in order by the view itself.
            blocking.retain(|event| !self.view.knows(event.id));
            let held = blocked(&page, &blocking);
            self.park(&held).await?;
            let held: HashSet<EventId> = held.iter().map(|event| event.id).collect();
            page.retain(|event| !held.contains(&event.id));
        }
        for event in page {
            self.view.offer(event);
        }
        Ok(())
    }

    async fn park(&mut self, events: &[QueuedEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        self.trouble = true;
        for id in &ids {
            self.bodies.remove(id);
        }
        self.parts.queue.park(self.receiver(), &ids).await
    }

    fn capacity(&self, target: &DeliveryTarget) -> usize {
        let limit = target.receiver.max_in_flight;
        let limit = limit.unwrap_or(self.parts.defaults.max_in_flight) as usize;
        if self.recording.len() >= UNRECORDED {
            return 0;
        }
        limit.saturating_sub(self.attempts.len())
    }

    /// Reads the bodies of the events that start next.
    async fn load(&mut self, target: &DeliveryTarget) -> Result<(), StoreError> {
        let capacity = self.capacity(target);
        if capacity == 0 {
            return Ok(());
        }
        let ordering = target.receiver.ordering;
        let next = self.view.startable(ordering, capacity);
        if next.iter().all(|id| self.bodies.contains_key(id)) {
            return Ok(());
        }
        let wanted: Vec<EventId> = self
            .view
            .startable(ordering, capacity.max(LOAD))
            .into_iter()
            .filter(|id| !self.bodies.contains_key(id))
            .take(LOAD)
            .collect();
        let loaded = self.parts.queue.load(&wanted).await?;
        let versions = loaded.iter().map(|event| event.resource_id);
        self.parts.versions.learn(versions).await?;
        for event in loaded {
            self.bodies.insert(event.id, event);
        }
        for id in wanted {
            if !self.bodies.contains_key(&id) {
                // Cancelled, or delivered by an outcome that this look came before.
                self.view.forget(id);
            }
        }
        Ok(())
    }

    /// Starts what may go; returns when the throttle lets the next one pass.
    fn start(&mut self, target: &Rc<DeliveryTarget>) -> Option<Instant> {
        let capacity = self.capacity(target);
        for id in self.view.startable(target.receiver.ordering, capacity) {
            if !self.bodies.contains_key(&id) {
                continue;
            }
            if let Some((throttle, since)) = &mut self.throttle
                && let Err(next) = throttle.take(since.elapsed())
            {
                return Some(*since + next);
            }
            if !self.link.lease.held() || self.pulse.is_revoked() {
                return None;
            }
            if let Some(event) = self.bodies.remove(&id) {
                self.send(event, target.clone());
            }
        }
        None
    }

    fn send(&mut self, event: DueEvent, target: Rc<DeliveryTarget>) {
        self.view.start(event.id);
        self.rows_under_way.insert(event.id, event.rows);
        let now = Instant::now();
        self.last_sent = Some(now);
        self.tell_throttle();
        let Some(resource) = self.parts.versions.get(event.resource_id) else {
            let why = format!("resource version {} is unknown", event.resource_id);
            let outcome = own_fault(&event, self.receiver(), &why);
            self.record(outcome);
            return;
        };
        let defaults = &self.parts.defaults;
        let attempt = AttemptParts {
            event: event.clone(),
            resource,
            policy: target.receiver.retry.over(defaults.retry),
            timeout: target.receiver.timeout.unwrap_or(defaults.timeout),
            max_payload: defaults.max_payload,
            transport: self.transport.clone(),
            target,
        };
        let task = self.attempts.spawn_local(make(attempt));
        self.under_way.insert(task.id(), event);
    }

    fn tell_throttle(&self) {
        let full_at = self
            .throttle
            .as_ref()
            .and_then(|(throttle, _)| Instant::now().checked_add(throttle.time_to_fill()));
        self.link.set_throttle_full_at(full_at);
    }

    fn attempt_ended(&mut self, ended: Result<(Id, Done), JoinError>) {
        match ended {
            Ok((task, done)) => {
                self.under_way.remove(&task);
                self.count(&done);
                let attempt = done.outcome.attempt.as_ref();
                let begun = attempt.map(|attempt| attempt.started_at);
                if done.gone.is_some() && begun > self.deactivated_at {
                    self.gone = done.gone;
                }
                self.record(done.outcome);
            }
            Err(error) => {
                // The task panicked: the event is at fault or rowhook is, the receiver is not.
                tracing::error!(receiver = self.receiver().0, %error, "an attempt panicked");
                if let Some(event) = self.under_way.remove(&error.id()) {
                    let outcome =
                        own_fault(&event, self.receiver(), "an internal error, see the log");
                    self.record(outcome);
                }
            }
        }
    }

    fn count(&self, done: &Done) {
        let metrics = self.parts.status.metrics();
        let outcome = match (&done.outcome.verdict, done.status) {
            (Verdict::Delivered, _) => "delivered",
            (_, Some(_)) => "refused",
            (_, None) => "unanswered",
        };
        if let Some(took) = done.took {
            metrics.attempt(outcome, took);
        }
        if done.outcome.verdict == Verdict::Delivered {
            let after = Utc::now() - done.occurred_at;
            metrics.delivered_after(after.as_seconds_f64());
        }
    }

    /// Hands an outcome to the recorder until it is written.
    fn record(&mut self, mut outcome: Outcome) {
        if self.trouble
            && matches!(outcome.verdict, Verdict::Delivered | Verdict::Failed)
            && let Some(rows) = self.rows_under_way.get(&outcome.event_id)
        {
            outcome.unpark = rows.iter().collect();
        }
        let recorder = self.parts.recorder.clone();
        self.recording.spawn_local(write_down(recorder, outcome));
    }

    /// An outcome is written: its rows are free, or what follows in them is parked.
    async fn outcome_written(&mut self, outcome: &Outcome, unparked: bool) {
        let _work = self.pulse.work();
        let Some(rows) = self.rows_under_way.remove(&outcome.event_id) else {
            return;
        };
        if let Some(due_at) = outcome.due_at {
            self.trouble = true;
            let pause = (due_at - Utc::now()).max(TimeDelta::zero());
            let due = Instant::now() + pause.to_std().unwrap_or_default();
            self.due_at = self.due_at.min(due);
            if self.keeps_order() {
                let behind = self.view.drop_behind(outcome.event_id, rows);
                if let Err(error) = self.park(&behind).await {
                    // They are still ready in the database: the next page finds them blocked.
                    tracing::warn!(receiver = self.receiver().0, %error, "events could not be parked");
                    self.reread();
                }
            }
        }
        if unparked {
            self.build_view_anew();
        }
        self.view.finish(outcome.event_id, rows);
    }
}

/// What follows from a turn.
enum Turn {
    /// Go on after this pause, or as soon as something happens.
    Wait(Duration),
    /// There is nothing left to do, or nothing may be done.
    End,
}

/// The recorder may be away for a while: the outcome is kept and handed over again.
async fn write_down(recorder: Slot<OutcomeRecorder>, outcome: Outcome) -> (Outcome, bool) {
    loop {
        if let Some(Ok(unparked)) = recorder.ask(Record(outcome.clone())).await {
            return (outcome, unparked);
        }
        tokio::time::sleep(RETRY).await;
    }
}
