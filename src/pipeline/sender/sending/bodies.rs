//! The bodies of what goes next: read, or handed over by fan-out, and not sent when they may be owed no more.

use std::{sync::Arc, time::Instant};

use tokio::task::JoinError;

use crate::{
    domain::{event::DueEvent, ids::EventId, receiver::DeliveryTarget},
    pipeline::{lifeline::Work, versions::Versions},
    store::{
        StoreError,
        delivery_targets::KNOWLEDGE_AGE,
        event_queue::{EventQueue, Loaded},
    },
};

use super::Sending;

/// Bodies read at once, and so many bytes of them, beyond which only what starts at once is read.
const LOAD: usize = 128;
const LOAD_BYTES: u64 = 4 << 20;

/// The body of an event in view.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) event: DueEvent,
    /// When it was known to be owed.
    known_at: Instant,
}

impl Held {
    /// It may not be owed any more.
    pub(super) fn is_old(&self) -> bool {
        self.known_at.elapsed() > KNOWLEDGE_AGE
    }
}

/// What came of a question for bodies.
pub(super) struct Bodies {
    wanted: Vec<EventId>,
    /// When it was asked: what was read is known to be owed from then.
    asked: Instant,
    loaded: Result<Loaded, StoreError>,
}

/// Reads bodies, and what their rows mean.
async fn ask(
    queue: Arc<dyn EventQueue>,
    versions: Versions,
    wanted: Vec<EventId>,
    most_bytes: u64,
) -> Bodies {
    let asked = Instant::now();
    let loaded = async {
        let loaded = queue.load(&wanted, most_bytes).await?;
        let met = loaded.events.iter().map(|event| event.resource_id);
        versions.learn(met).await?;
        Ok(loaded)
    }
    .await;
    Bodies {
        wanted,
        asked,
        loaded,
    }
}

impl Sending {
    /// Keeps the bodies of what is in view, as many as would be read at once.
    pub(super) fn keep_bodies(&mut self, events: Vec<DueEvent>, known_at: Instant) {
        if events.is_empty() {
            return;
        }
        let mut bytes: u64 = self.bodies.values().map(|held| held.event.bytes()).sum();
        for event in events {
            bytes += event.bytes();
            if bytes > LOAD_BYTES {
                break;
            }
            if self.view.waits(event.id) {
                let id = event.id;
                self.bodies.entry(id).or_insert(Held { event, known_at });
            }
        }
    }

    /// Reads the bodies of the events that start next: ahead, while others are under way.
    pub(super) async fn load(
        &mut self,
        target: &DeliveryTarget,
        work: &Work,
    ) -> Result<(), StoreError> {
        let capacity = self.capacity(target);
        if capacity == 0 {
            return Ok(());
        }
        let next = self.view.startable(target.receiver.ordering, capacity);
        for id in &next {
            // What was handed over may lie here for longer than anything is known.
            if self.bodies.get(id).is_some_and(Held::is_old) {
                self.bodies.remove(id);
            }
        }
        if !self.loading.is_empty() {
            return Ok(());
        }
        let missing = |id: &EventId| !self.bodies.contains_key(id);
        let mut wanted: Vec<EventId> = next.into_iter().filter(missing).collect();
        let missing_now = wanted.len();
        let goes_now = missing_now == 0;
        // Nearly every turn ends here, without a look at each.
        let in_sight = self.view.len().min(capacity + LOAD);
        if goes_now && in_sight < self.bodies.len() + LOAD / 2 {
            return Ok(());
        }
        // Behind them in the order of the queue, so that those of one row do not come one by one.
        let ahead = self.view.first(capacity + LOAD).filter(missing);
        let ahead: Vec<EventId> = ahead.filter(|id| !wanted.contains(id)).collect();
        wanted.extend(ahead);
        // While enough are here, few are not worth a question.
        if wanted.is_empty() || (goes_now && wanted.len() < LOAD / 2) {
            return Ok(());
        }
        wanted.truncate(LOAD);
        if self.rows_under_way.is_empty() && !goes_now {
            // Something starts in this turn: the next one may begin the view anew.
            return self.load_these(wanted, work).await;
        }
        let held: u64 = self.bodies.values().map(|held| held.event.bytes()).sum();
        let room = LOAD_BYTES.saturating_sub(held);
        if room == 0 {
            wanted.truncate(missing_now);
        }
        if !wanted.is_empty() {
            let (queue, versions) = (self.parts.queue.clone(), self.parts.versions.clone());
            self.loading.spawn_local(ask(queue, versions, wanted, room));
            self.loading_since = Some(Instant::now());
        }
        Ok(())
    }

    /// Bodies that were read ahead are here, unless the view was begun anew meanwhile.
    pub(super) fn read_ahead_ended(
        &mut self,
        ended: Result<Bodies, JoinError>,
    ) -> Result<(), StoreError> {
        self.loading_since = None;
        match ended {
            Ok(bodies) => self.keep(bodies),
            // As if it had happened in the sender's own loop.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Ok(()),
        }
    }

    /// Reads the bodies of these.
    pub(super) async fn load_these(
        &mut self,
        wanted: Vec<EventId>,
        work: &Work,
    ) -> Result<(), StoreError> {
        let (queue, versions) = (self.parts.queue.clone(), self.parts.versions.clone());
        let read = ask(queue, versions, wanted, LOAD_BYTES).await;
        work.goes_on();
        self.keep(read)
    }

    fn keep(&mut self, read: Bodies) -> Result<(), StoreError> {
        let Bodies {
            wanted,
            asked: known_at,
            loaded,
        } = read;
        let loaded = loaded?;
        for event in loaded.events {
            // It may have left the view meanwhile.
            if self.view.waits(event.id) {
                self.bodies.insert(event.id, Held { event, known_at });
            }
        }
        for id in wanted {
            let gone = !self.bodies.contains_key(&id) && !loaded.later.contains(&id);
            // Cancelled, or delivered by an outcome that this look came before.
            if gone && self.view.waits(id) {
                self.forget(id);
            }
        }
        Ok(())
    }

    /// Bodies may lie here for as long as the throttle wants; meanwhile their events may have been
    /// cancelled, redelivered with a fresh budget, or their subscription deleted. As many are asked for as are read at
    /// once; what else was handed over goes within the second, or is read when it is its turn.
    pub(super) async fn drop_unowed(&mut self) -> Result<(), StoreError> {
        let mut held: Vec<EventId> = self.bodies.keys().copied().collect();
        held.sort_unstable();
        for id in held.split_off(held.len().min(LOAD)) {
            if self.bodies[&id].is_old() {
                self.bodies.remove(&id);
            }
        }
        if held.is_empty() {
            return Ok(());
        }
        let asked = Instant::now();
        let owed = self.parts.queue.still_owed(&held).await?;
        for id in held {
            match owed.get(&id) {
                None => {
                    self.bodies.remove(&id);
                    self.forget(id);
                }
                Some(round) if self.bodies[&id].event.redelivery != *round => {
                    self.bodies.remove(&id);
                }
                Some(_) => {
                    if let Some(held) = self.bodies.get_mut(&id) {
                        held.known_at = asked;
                    }
                }
            }
        }
        Ok(())
    }
}
