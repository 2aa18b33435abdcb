//! Room 2: makes one event of each change for each subscription that was active when it committed.
//!
//! The poller (room 1) hands it pages; it writes their events and the cursor in one transaction, hands them to the
//! senders (room 3) that run, tells the dispatcher of the other receivers, and answers. It reads the history of subscriptions after the page
//! was read, never from memory, and it never waits for a delivery.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use actix::prelude::*;
use futures::lock::Mutex;

use crate::{
    domain::{
        action::Action,
        change::Change,
        event::{DueEvent, Made, NewEvent, RowHashes},
        ids::{ChangeId, ReceiverId, ResourceId},
        interval::ActivityInterval,
        resource::{Resource, ResourceName},
    },
    policy::{
        filter::{FilterInput, Filters},
        logged_row::{LoggedRow, UnreadableRow, row_hash},
        matching::{Subject, Verdict, decides, verdict},
    },
    store::{
        StoreError,
        change_log::{ChangePage, Cursor, FanOutStore},
    },
    telemetry::EventTrace,
};

use super::{
    dispatcher::Dispatcher,
    filter_failures::FilterFailures,
    lifeline::{BEAT, Lifeline, Pulse},
    messages::{FanOutPage, Finish, Hints, Slot, Wake},
    sender::spans,
    senders::Senders,
    shared_texts::SharedTexts,
    status::Status,
    versions::Versions,
};

/// What was matched is written after this at the latest, so that slow filters lose no more to a restart.
const LONGEST_MATCHING: Duration = Duration::from_secs(1);
/// Others on the thread get their turn this often.
const TURN: Duration = Duration::from_millis(20);

/// What fan-out works with.
#[derive(Clone)]
pub struct FanOutParts {
    /// Where events are written.
    pub store: Arc<dyn FanOutStore>,
    /// What log rows mean.
    pub versions: Versions,
    /// Events written in one transaction at most, one change's events aside.
    pub events_per_commit: usize,
    /// Room 3.
    pub dispatcher: Slot<Dispatcher>,
    /// Whom room 3 should look at.
    pub hints: Hints,
    /// Who gets events without reading them.
    pub senders: Senders,
    /// The board.
    pub status: Status,
}

/// The stage.
pub struct FanOut {
    work: Rc<Mutex<Matching>>,
    lifeline: Lifeline,
}

struct Matching {
    parts: FanOutParts,
    pulse: Pulse,
    filters: Filters,
    failures: FilterFailures,
    /// The epoch of the cursor that was written last. Another one tells that somebody else wrote meanwhile.
    written: Option<i64>,
}

impl FanOut {
    /// A new incarnation.
    pub fn new(parts: FanOutParts, lifeline: Lifeline) -> Self {
        Self {
            work: Rc::new(Mutex::new(Matching {
                parts,
                pulse: lifeline.pulse().clone(),
                filters: Filters::default(),
                failures: FilterFailures::default(),
                written: None,
            })),
            lifeline,
        }
    }
}

impl Actor for FanOut {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(BEAT, |stage, _| stage.lifeline.pulse().beat());
    }
}

impl Handler<FanOutPage> for FanOut {
    type Result = ResponseActFuture<Self, Result<Cursor, StoreError>>;

    fn handle(&mut self, message: FanOutPage, _: &mut Context<Self>) -> Self::Result {
        let work = self.work.clone();
        let page = async move { work.lock().await.page(message).await };
        Box::pin(page.into_actor(self))
    }
}

impl Handler<Finish> for FanOut {
    type Result = ();

    fn handle(&mut self, _: Finish, ctx: &mut Context<Self>) {
        // The poller has ended before: no page is under way.
        ctx.stop();
    }
}

/// What matching needs of a change's row; of an unreadable one it makes do with the change itself.
struct RowFacts<'a> {
    row_id: Arc<str>,
    rows: RowHashes,
    row: Option<LoggedRow<'a>>,
}

impl<'a> RowFacts<'a> {
    fn of(change: &'a Change, resource: &'a Resource) -> Self {
        Self::read(change, resource).unwrap_or_else(|error| {
            // It still becomes an event, which fails with this reason when it is due: it is seen, and
            // nothing behind it waits.
            tracing::error!(change = change.id.0, resource = %resource.name, %error, "unreadable change");
            Self {
                row_id: "".into(),
                rows: RowHashes {
                    row: row_hash("", &change.id.to_string()),
                    previous: None,
                },
                row: None,
            }
        })
    }

    fn read(change: &'a Change, resource: &'a Resource) -> Result<Self, UnreadableRow> {
        let definition = &resource.definition;
        let row = LoggedRow::parse(definition, &change.row_data, change.old_values.as_deref())?;
        let row_id = row.id(definition)?;
        let previous = row.previous_id(definition)?;
        Ok(Self {
            rows: RowHashes {
                row: row_hash(&definition.table, &row_id),
                previous: previous.map(|id| row_hash(&definition.table, &id)),
            },
            row_id: row_id.into(),
            row: Some(row),
        })
    }
}

type Intervals = HashMap<(ResourceName, Action), Vec<ActivityInterval>>;

impl Matching {
    /// Writes a page in as many transactions as its events ask for; each moves the cursor with it.
    async fn page(&mut self, message: FanOutPage) -> Result<Cursor, StoreError> {
        let FanOutPage { mut cursor, page } = message;
        let work = self.pulse.work();
        let taken = SystemTime::now();
        let versions = page.changes.iter().map(|change| change.resource_id);
        self.parts.versions.learn(versions).await?;
        let intervals = self.intervals(&page).await?;
        let (mut done, mut events) = (0, Vec::new());
        if self.written != Some(cursor.epoch) {
            self.parts.senders.miss();
        }
        loop {
            let (began, mut turned) = (Instant::now(), Instant::now());
            while done < page.changes.len()
                && events.len() < self.parts.events_per_commit
                && began.elapsed() < LONGEST_MATCHING
            {
                self.events_of(&page.changes[done], &intervals, &mut events);
                done += 1;
                if turned.elapsed() > TURN {
                    // Many filters of many changes take their time, and are no standstill.
                    self.pulse.beat();
                    work.goes_on();
                    if self.pulse.is_revoked() {
                        return Err(StoreError::Fenced);
                    }
                    tokio::task::yield_now().await;
                    turned = Instant::now();
                }
            }
            if self.pulse.is_revoked() {
                return Err(StoreError::Fenced);
            }
            let next = page.cursor_after(&cursor, done);
            work.goes_on();
            // Until the answer is here, it is not known whether they were written.
            self.written = None;
            let store = &self.parts.store;
            let made = store.commit_page(&cursor, &next, &events).await?;
            self.written = Some(next.epoch);
            self.count_made(events.len(), &made);
            self.trace(taken, &events, &made);
            self.hand_over(&page, &events, &made);
            cursor = next;
            events.clear();
            if done == page.changes.len() {
                break;
            }
        }
        self.count(&page);
        Ok(cursor)
    }

    /// The history of what could fire, read after the changes were.
    async fn intervals(&self, page: &ChangePage) -> Result<Intervals, StoreError> {
        let wanted: HashSet<(ResourceName, Action)> = page
            .changes
            .iter()
            .filter_map(|change| {
                let resource = self.parts.versions.get(change.resource_id)?;
                Some((resource.name.clone(), change.action))
            })
            .collect();
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let wanted: Vec<_> = wanted.into_iter().collect();
        let mut by_kind: Intervals = HashMap::new();
        for interval in self.parts.store.intervals(&wanted).await? {
            by_kind
                .entry((interval.resource.clone(), interval.action))
                .or_default()
                .push(interval);
        }
        Ok(by_kind)
    }

    fn events_of(&mut self, change: &Change, intervals: &Intervals, events: &mut Vec<NewEvent>) {
        let Some(resource) = self.parts.versions.get(change.resource_id) else {
            // Only a version that rowhook itself did not write can be missing.
            tracing::error!(
                change = change.id.0,
                version = change.resource_id.0,
                "a change names a resource version that does not exist; it can not be delivered"
            );
            return;
        };
        let Some(candidates) = intervals.get(&(resource.name.clone(), change.action)) else {
            return;
        };
        let facts = RowFacts::of(change, &resource);
        let changed: Vec<&str> = facts
            .row
            .iter()
            .flat_map(LoggedRow::changed_columns)
            .collect();
        let subject = Subject {
            place: change.place,
            resource: &resource.name,
            action: change.action,
            changed: &changed,
        };
        let row = facts.row.as_ref();
        let input = row.map(|row| FilterInput::new(row, &resource.name, change.action));
        let mut last = None;
        for interval in candidates {
            // In the order of subscriptions: one of them fires once, whatever its history says.
            let known = last == Some(interval.subscription_id);
            if known
                || !decides(interval, &subject)
                || !self.owes(interval, change.id, &subject, input.as_ref())
            {
                continue;
            }
            last = Some(interval.subscription_id);
            events.push(NewEvent {
                subscription_id: interval.subscription_id,
                receiver_id: interval.receiver_id,
                change_id: change.id,
                resource_id: change.resource_id,
                action: change.action,
                transaction_id: change.transaction_id,
                occurred_at: change.occurred_at,
                row_id: facts.row_id.clone(),
                rows: facts.rows,
            });
        }
    }

    /// What the setting says that was in force. An unreadable row fires whatever was asked for.
    fn owes(
        &mut self,
        interval: &ActivityInterval,
        change: ChangeId,
        subject: &Subject<'_>,
        input: Option<&FilterInput<'_>>,
    ) -> bool {
        let (fields, filter) = (
            interval.changed_fields.as_deref(),
            interval.filter.as_deref(),
        );
        let verdict = input.map(|input| verdict(fields, filter, subject, input, &mut self.filters));
        if let Some(Verdict::Undecided(failure)) = &verdict {
            self.parts.status.metrics().filter_failed();
            self.failures.add(interval.subscription_id, change, failure);
        }
        verdict.is_none_or(|verdict| verdict.fires())
    }

    /// Senders that run get what was written; of the other receivers the dispatcher is told.
    fn hand_over(&self, page: &ChangePage, events: &[NewEvent], made: &[Made]) {
        if events.is_empty() {
            return;
        }
        let senders = &self.parts.senders;
        let running = match made.len() == events.len() {
            true => senders.running(events.iter().map(|event| event.receiver_id)),
            // A store that does not tell: each sender reads for itself.
            false => HashSet::new(),
        };
        let mut texts = SharedTexts::of(page);
        let mut due: HashMap<ReceiverId, Vec<DueEvent>> = HashMap::new();
        for (place, event) in events.iter().enumerate() {
            let made = made.get(place);
            if made.is_some_and(|made| !made.ready) {
                continue;
            }
            let of_receiver = due.entry(event.receiver_id).or_default();
            if let Some(made) = made.filter(|_| running.contains(&event.receiver_id)) {
                let (row_data, old_values) = texts.of_change(event.change_id);
                of_receiver.push(event.due(*made, row_data, old_values));
            }
        }
        let without = senders.hand_over(due);
        if without.is_empty() {
            return;
        }
        self.parts.hints.add(without);
        if let Some(dispatcher) = self.parts.dispatcher.get() {
            // Full is fine: a wake-up waits in it already. Closed is fine: the next incarnation looks.
            let _hint = dispatcher.try_send(Wake);
        }
    }

    /// What a deleted subscription was owed is cancelled from the start.
    fn count_made(&self, written: usize, made: &[Made]) {
        let metrics = self.parts.status.metrics();
        let cancelled = made.iter().filter(|one| !one.ready).count();
        metrics.events("pending", (written - cancelled) as u64);
        metrics.events("cancelled", cancelled as u64);
    }

    /// The trace of each event begins with the commit of its change.
    fn trace(&self, taken: SystemTime, events: &[NewEvent], made: &[Made]) {
        let traces = self.parts.status.traces();
        if !traces.is_on() {
            return;
        }
        let now = SystemTime::now();
        for (event, made) in events.iter().zip(made).filter(|(_, made)| made.ready) {
            let trace = traces.of(|| spans::key_of_new(event, made.id));
            let trace = trace.filter(EventTrace::is_sampled);
            let resource = self.parts.versions.get(event.resource_id);
            if let Some((trace, resource)) = trace.zip(resource) {
                let attributes = spans::of_event(event, made.id, &resource);
                trace.made(event.occurred_at.into(), taken, now, attributes);
            }
        }
    }

    fn count(&self, page: &ChangePage) {
        let metrics = self.parts.status.metrics();
        let mut counts: HashMap<(ResourceId, Action), u64> = HashMap::new();
        for change in &page.changes {
            *counts
                .entry((change.resource_id, change.action))
                .or_default() += 1;
        }
        for ((id, action), count) in counts {
            if let Some(resource) = self.parts.versions.get(id) {
                metrics.changes(resource.name.as_str(), action.in_body(), count);
            }
        }
    }
}
