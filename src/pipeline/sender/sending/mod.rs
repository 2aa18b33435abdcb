//! The loop of a sender: fill the view (`filling`), start what may go and write down what came of it
//! (`settling`).

mod bodies;
mod filling;
mod probing;
mod settling;

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use chrono::{DateTime, Utc};
use tokio::task::{Id, JoinSet};

use crate::{
    domain::{
        attempt::Outcome,
        event::{DueEvent, RowHashes},
        ids::{EventId, ReceiverId},
        receiver::DeliveryTarget,
        receiver_health::ReceiverHealth,
    },
    pipeline::lifeline::{Pulse, Work},
    policy::throttle::{Start, Throttle},
    store::{StoreError, delivery_targets::KNOWLEDGE_AGE},
    telemetry::AttemptTrace,
    transport::Transport,
};

use super::{Link, SenderParts, attempt::Done, lookahead::Lookahead};
use bodies::{Bodies, Held};
use settling::Recorded;

/// Events read at once; the view is filled again when it falls below half of it.
const PAGE: u32 = 500;
/// Outcomes not written yet: above it no new attempt starts, so a database that is away stops sending.
const UNRECORDED: usize = 1000;
/// The queue is read from its beginning this often, for events that came in behind what was read.
const REREAD: Duration = Duration::from_secs(5);
/// A sender with nothing to do ends after this.
const LINGER: Duration = Duration::from_secs(5);
/// The pause after the database failed.
const RETRY: Duration = Duration::from_millis(500);
/// No timer is longer.
const LONGEST_NAP: Duration = Duration::from_secs(1);

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
    bodies: HashMap<EventId, Held>,
    /// The question for further ones that is under way.
    loading: JoinSet<Bodies>,
    loading_since: Option<Instant>,
    /// Ready events up to this id are in view or were.
    read_to: EventId,
    read_all: bool,
    /// No event after this one was ever in view.
    seen_to: EventId,
    reread_at: Instant,
    due_at: Instant,
    /// Waiting or parked events may stand in the database: pages are held against them, and whatever is
    /// settled makes ready what is parked behind it.
    trouble: bool,
    /// Of events that were settled since parked ones were made ready last.
    settled_rows: HashSet<i64>,
    /// As it was when the view was begun; see [`EventQueue::unparked_by_others`].
    ///
    /// [`EventQueue::unparked_by_others`]: crate::store::event_queue::EventQueue::unparked_by_others
    unparked_by_others: i64,
    orphans_at: Instant,
    attempts: JoinSet<Done>,
    under_way: HashMap<Id, DueEvent>,
    /// What ended since outcomes were handed to the recorder last.
    ended: Vec<Arc<Outcome>>,
    recording: JoinSet<Recorded>,
    /// Outcomes that are not written yet, handed over or not.
    unrecorded: usize,
    /// The traces of those that are traced, and since when they wait to be written.
    traced: HashMap<EventId, (AttemptTrace, SystemTime)>,
    rows_under_way: HashMap<EventId, RowHashes>,
    busy_until: Instant,
    /// How the receiver does: what is written of it, or what is about to be.
    health: ReceiverHealth,
    /// It has only just taken a probe.
    trial: Option<Trial>,
    /// The receiver is to be deactivated.
    farewell: Option<Farewell>,
    /// When that was done last: what attempts from before say of it is known.
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
            loading: JoinSet::new(),
            loading_since: None,
            read_to: EventId(0),
            read_all: false,
            seen_to: EventId(0),
            reread_at: now + REREAD,
            due_at: now,
            trouble: true,
            settled_rows: HashSet::new(),
            unparked_by_others: 0,
            orphans_at: now,
            attempts: JoinSet::new(),
            under_way: HashMap::new(),
            ended: Vec::new(),
            recording: JoinSet::new(),
            unrecorded: 0,
            traced: HashMap::new(),
            rows_under_way: HashMap::new(),
            busy_until: now + LINGER,
            health: ReceiverHealth::default(),
            trial: None,
            farewell: None,
            deactivated_at: None,
        }
    }

    fn receiver(&self) -> ReceiverId {
        self.link.receiver
    }

    /// Sends until there is nothing left to do, the lease is lost or it is told to finish.
    pub async fn run(mut self, finish: Rc<Cell<bool>>) {
        let link = self.link.clone();
        let mut failed = None;
        loop {
            let mut ending = finish.get() || !self.link.lease.held() || self.pulse.is_revoked();
            let mut nap = LONGEST_NAP;
            if let Some(error) = failed.take() {
                nap = self.fails(&error);
            } else if !ending {
                match self.turn().await {
                    Ok(Turn::Wait(pause)) => nap = pause,
                    Ok(Turn::End) => ending = true,
                    Err(error) => nap = self.fails(&error),
                }
            }
            self.hand_over();
            if ending && self.attempts.is_empty() && self.unrecorded == 0 {
                break;
            }
            let asking = self.loading_since.map(|since| self.pulse.work_since(since));
            tokio::select! {
                Some(done) = self.attempts.join_next_with_id() => self.attempt_ended(done),
                Some(written) = self.recording.join_next() => {
                    self.recorded(written).await;
                }
                Some(read) = self.loading.join_next() => {
                    failed = self.read_ahead_ended(read).err();
                }
                () = link.look.notified() => {}
                () = tokio::time::sleep(nap) => {}
            }
            drop(asking);
            // What else has ended by now is taken before the next look at the database.
            while let Some(done) = self.attempts.try_join_next_with_id() {
                self.attempt_ended(done);
            }
            while let Some(written) = self.recording.try_join_next() {
                self.recorded(written).await;
            }
            self.hand_over();
        }
    }

    /// After an error: returns for how long nothing is tried. A database that is away is the stages' to tell: here it would
    /// be a line for each receiver.
    fn fails(&mut self, error: &StoreError) -> Duration {
        let receiver = self.receiver().0;
        if matches!(error, StoreError::Unavailable(_)) {
            tracing::debug!(receiver, %error, "sending pauses");
        } else {
            tracing::warn!(receiver, %error, "sending pauses");
        }
        // A write that failed may have been done: what it made ready may lie before what was read.
        self.build_view_anew();
        RETRY
    }

    /// One turn: settings, view, starts. Each question to the database is a piece of work of its own, so
    /// that a slow database is not taken for a sender that hangs.
    async fn turn(&mut self) -> Result<Turn, StoreError> {
        let work = self.pulse.work();
        if self.link.take_wake() {
            self.look_again();
            self.busy_until = Instant::now() + LINGER;
            if self.trouble {
                // The wake may be for a waiting event that became due by another's hand.
                self.due_at = Instant::now();
            }
        }
        if let Some(farewell) = self.farewell.clone() {
            self.deactivate(&farewell).await?;
            work.goes_on();
        }
        let Some(target) = self.settings(&work).await? else {
            return Ok(Turn::End);
        };
        self.mend(&target, &work).await?;
        self.unpark_settled(&work).await?;
        if self.health.probing.is_some() {
            return self.probe(target, &work).await;
        }
        self.fill(&target, &work).await?;
        self.load(&target, &work).await?;
        // What came before may have taken long, and what starts now goes by what is known now.
        let Some(target) = self.settings(&work).await? else {
            return Ok(Turn::End);
        };
        if self.health.probing.is_some() {
            return Ok(Turn::Wait(Duration::ZERO));
        }
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
        let full = self.throttle_full_at();
        full.map_or(self.busy_until, |full| full.max(self.busy_until))
    }

    fn throttle_full_at(&self) -> Option<Instant> {
        let (at, (throttle, _)) = self.last_sent.zip(self.throttle.as_ref())?;
        at.checked_add(throttle.time_to_fill())
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

    /// The receiver said that it is gone for good, or only failed for days. A URI that was mended meanwhile did not.
    async fn deactivate(&mut self, farewell: &Farewell) -> Result<(), StoreError> {
        let (targets, receiver) = (&self.parts.targets, self.link.receiver);
        let read = targets.delivery_target(receiver).await?;
        let still = read.filter(|target| target.receiver.webhook_uri == farewell.uri);
        if still.is_some_and(|target| target.receiver.active)
            && targets.deactivate(receiver, &farewell.why).await?
        {
            tracing::warn!(
                receiver = receiver.0,
                why = farewell.why,
                "a receiver was deactivated"
            );
        }
        self.farewell = None;
        self.deactivated_at = Some(Utc::now());
        self.target = None;
        Ok(())
    }

    /// What the receiver wants, at most [`KNOWLEDGE_AGE`] old, and so are the bodies; `None` when nothing is
    /// to be sent to it.
    async fn settings(&mut self, work: &Work) -> Result<Option<Rc<DeliveryTarget>>, StoreError> {
        if self.target.is_none() || self.target_at.elapsed() > KNOWLEDGE_AGE {
            // From before the question: the answer may be as old.
            let asked = Instant::now();
            let read = self.parts.targets.delivery_target(self.receiver()).await?;
            work.goes_on();
            self.drop_unowed().await?;
            work.goes_on();
            self.target = read.filter(|target| target.receiver.active).map(Rc::new);
            self.target_at = asked;
            self.learn_health();
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
        if start == Start::Empty && self.last_sent.is_none() {
            // Somebody may have sent just before: the bucket is given back as empty as it was taken.
            self.last_sent = Some(Instant::now());
            self.tell_throttle();
        }
    }

    fn capacity(&self, target: &DeliveryTarget) -> usize {
        let limit = target.receiver.max_in_flight;
        let limit = limit.unwrap_or(self.parts.defaults.max_in_flight) as usize;
        let limit = self.trial.map_or(limit, |trial| limit.min(trial.at_once));
        if self.unrecorded >= UNRECORDED {
            return 0;
        }
        limit.saturating_sub(self.attempts.len())
    }
}

/// A receiver that is to be deactivated.
#[derive(Clone, Debug)]
struct Farewell {
    /// Where it was sent to.
    uri: String,
    /// What its record will say.
    why: String,
}

/// A receiver that has only just taken a probe: it gets one request at a time, twice as many with each that it takes, and
/// one again after one that it does not. Else one that takes single requests and no more would be overrun at each
/// recovery, until its events have no attempts left.
#[derive(Clone, Copy, Debug)]
struct Trial {
    /// Requests that may be under way.
    at_once: usize,
    /// The trial is over after so many deliveries in a row.
    left: u32,
}

/// What follows from a turn.
enum Turn {
    /// Go on after this pause, or as soon as something happens.
    Wait(Duration),
    /// There is nothing left to do, or nothing may be done.
    End,
}
