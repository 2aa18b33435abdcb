//! GraphQL subscriptions: the fields, and what makes them push.
//!
//! A subscription's operation is a query that runs once for each thing that is pushed, in a [`Context`] of
//! its own that holds the thing. Before the first one it runs in a context that asks its field what it wants
//! to hear of. What has happened is read from the database and never told from stage to stage, so it is
//! the same on whichever instance a client is connected to.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use juniper::graphql_object;

use crate::{
    domain::{
        ids::{EventId, ReceiverId},
        stats::{DeliveryStats, QueueStats},
    },
    store::{
        StoreError,
        event_log::{EventFilter, EventLog, EventMark, LoggedEvent},
    },
};

use super::{
    context::{Context, Services},
    error::{ApiError, Code},
    event::{EventNode, WebhookEventFilters},
    scalar::ApiScalar,
    stats::{self, Stats},
};

/// The pause between two looks at the events.
const EVENTS_EVERY: Duration = Duration::from_millis(500);
/// The pause between two looks at figures.
const STATS_EVERY: Duration = Duration::from_secs(1);
/// The newest events that match are watched for changes, so many.
const WATCHED: u32 = 1000;

/// Events that are read with their rows at once: a row may take a MiB.
const READ_AT_ONCE: usize = 50;

/// What a context is made for.
pub enum Moment {
    /// A query or a mutation.
    Ordinary,
    /// A subscription begins: its field says here what it wants to hear of.
    Subscribing(Mutex<Option<Source>>),
    /// A subscription has something to push.
    Pushed(Push),
}

/// What is pushed.
#[derive(Clone)]
pub enum Push {
    /// To `webhookEventChanged`.
    Event(Box<LoggedEvent>),
    /// To `webhookStatsChanged`.
    Stats(Figures),
}

/// Figures as they were read at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    queue: QueueStats,
    deliveries: DeliveryStats,
    lag: Duration,
}

/// What a subscription hears of.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Events that match.
    Events(EventFilter),
    /// Figures of a receiver, or of all.
    Stats(Option<ReceiverId>),
}

impl Moment {
    /// What the subscription's field wants, once it has run.
    pub fn into_source(self) -> Option<Source> {
        match self {
            Self::Subscribing(source) => {
                source.into_inner().unwrap_or_else(PoisonError::into_inner)
            }
            Self::Ordinary | Self::Pushed(_) => None,
        }
    }

    /// What is pushed now; else the field says what it wants, and there is no answer yet.
    fn pushed(&self, wanted: Source) -> Result<&Push, ApiError> {
        match self {
            Self::Pushed(push) => Ok(push),
            Self::Subscribing(source) => {
                *source.lock().unwrap_or_else(PoisonError::into_inner) = Some(wanted);
                Err(ApiError::new(Code::Internal, "nothing is pushed yet"))
            }
            Self::Ordinary => Err(ApiError::internal(&"a subscription's field ran by itself")),
        }
    }
}

/// What is told as it happens.
pub struct Subscription;

/// What is told as it happens, over WebSocket (subprotocol `graphql-transport-ws`).
#[graphql_object]
#[graphql(name = "Subscription", context = Context, scalar = ApiScalar)]
impl Subscription {
    /// Each event that is made from now on, and each change of one: an attempt, a delivery, a failure, a
    /// cancellation, a redelivery. It is a view of what goes on and no log: it looks twice a second at the
    /// newest 1000 events that match, so of an event that changes several times in between only its last
    /// state is told, and what lies further back is left out. webhookEvents has everything.
    async fn webhook_event_changed(
        context: &Context,
        #[graphql(
            description = "Only events that match. With `status` an event is told when it comes to that status."
        )]
        filters: Option<WebhookEventFilters>,
    ) -> Result<EventNode, ApiError> {
        let filter = filters.unwrap_or_default().resolve(context)?;
        match context.moment.pushed(Source::Events(filter))? {
            Push::Event(event) => Ok(EventNode::from((**event).clone())),
            Push::Stats(_) => Err(misplaced()),
        }
    }

    /// The figures of webhookStats, at once and then each second in which they have changed.
    async fn webhook_stats_changed(
        context: &Context,
        #[graphql(description = "Only of this receiver; NOT_FOUND when there is none.")]
        receiver_id: Option<i32>,
    ) -> Result<Stats, ApiError> {
        let receiver = receiver_id.map(ReceiverId);
        if let Moment::Pushed(Push::Stats(figures)) = &context.moment {
            context.queues.put(receiver, figures.queue);
            context.deliveries.put(receiver, figures.deliveries);
            context.capture_lag.put((), figures.lag);
            return Ok(Stats::from(receiver));
        }
        let asked = stats::of(context, receiver_id).await?;
        context.moment.pushed(Source::Stats(receiver))?;
        Ok(asked)
    }
}

/// A source, and what was seen of it when it was last looked at.
pub struct Watch(Seen);

enum Seen {
    /// And those that have changed and are still to be read, the oldest first.
    Events(EventFilter, HashMap<EventId, EventMark>, VecDeque<EventId>),
    /// Nothing before the first look.
    Stats(Option<ReceiverId>, Option<Figures>),
}

/// One field was pushed what belongs to the other.
fn misplaced() -> ApiError {
    ApiError::internal(&"a subscription was pushed what belongs to another")
}

impl Watch {
    /// What has happened by now is not told; of figures the first ones are.
    ///
    /// # Errors
    ///
    /// When the database can not be read.
    pub async fn from_now(source: Source, services: &Services) -> Result<Self, StoreError> {
        Ok(Self(match source {
            Source::Events(filter) => {
                let seen = marks(&*services.events, &filter).await?;
                Seen::Events(filter, seen, VecDeque::new())
            }
            Source::Stats(receiver) => Seen::Stats(receiver, None),
        }))
    }

    /// Waits until something has happened, and returns it, the oldest first. A database that is away is waited
    /// for.
    ///
    /// # Errors
    ///
    /// When the database answers and can not be read.
    pub async fn next(&mut self, services: &Services) -> Result<Vec<Push>, StoreError> {
        loop {
            tokio::time::sleep(self.pause()).await;
            match self.look(services).await {
                Err(StoreError::Unavailable(_)) => {}
                Ok(found) if found.is_empty() => {}
                found => return found,
            }
        }
    }

    fn pause(&self) -> Duration {
        match &self.0 {
            Seen::Events(_, _, unread) if !unread.is_empty() => Duration::ZERO,
            Seen::Events(..) => EVENTS_EVERY,
            Seen::Stats(_, None) => Duration::ZERO,
            Seen::Stats(_, Some(_)) => STATS_EVERY,
        }
    }

    async fn look(&mut self, services: &Services) -> Result<Vec<Push>, StoreError> {
        match &mut self.0 {
            Seen::Events(filter, seen, unread) => {
                let log = &*services.events;
                if unread.is_empty() {
                    let now = marks(log, filter).await?;
                    let mut changed = changed(seen, &now);
                    changed.sort_unstable_by_key(|id| id.0);
                    unread.extend(changed);
                    *seen = now;
                }
                let some: Vec<EventId> = unread.iter().copied().take(READ_AT_ONCE).collect();
                let mut events = log.events_by_id(&some, filter).await?;
                events.sort_unstable_by_key(|event| event.id.0);
                unread.drain(..some.len());
                Ok(events.into_iter().map(Box::new).map(Push::Event).collect())
            }
            Seen::Stats(receiver, before) => {
                let now = figures(services, *receiver).await?;
                let changed = before.replace(now) != Some(now);
                Ok(changed.then_some(Push::Stats(now)).into_iter().collect())
            }
        }
    }
}

async fn figures(services: &Services, of: Option<ReceiverId>) -> Result<Figures, StoreError> {
    let stats = &services.stats;
    let (queue, deliveries) = match of {
        None => (stats.queue().await?, stats.deliveries().await?),
        Some(id) => (
            stats
                .queues_of(&[id])
                .await?
                .remove(&id)
                .unwrap_or_default(),
            stats
                .deliveries_of(&[id])
                .await?
                .remove(&id)
                .unwrap_or_default(),
        ),
    };
    let lag = services.capture.lag().await?;
    Ok(Figures {
        queue,
        deliveries,
        lag,
    })
}

/// The newest events, whatever their status is by now: one that leaves the wanted status and comes back
/// has changed.
async fn marks(
    log: &dyn EventLog,
    filter: &EventFilter,
) -> Result<HashMap<EventId, EventMark>, StoreError> {
    let of_any_status = EventFilter {
        status: None,
        ..filter.clone()
    };
    let found = log.marks(&of_any_status, WATCHED).await?;
    Ok(found.into_iter().collect())
}

/// What is new or differs. Where retention takes from the newest events, older ones come into view: these
/// are not new.
fn changed(
    before: &HashMap<EventId, EventMark>,
    now: &HashMap<EventId, EventMark>,
) -> Vec<EventId> {
    let all_in_view = before.len() < WATCHED as usize;
    let oldest = before.keys().map(|id| id.0).min().unwrap_or_default();
    let changed = now.iter().filter(|(id, mark)| match before.get(id) {
        Some(before) => before != *mark,
        None => all_in_view || id.0 > oldest,
    });
    changed.map(|(id, _)| *id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::EventState;

    fn marks(ids: std::ops::Range<i64>, state: EventState) -> HashMap<EventId, EventMark> {
        let mark = EventMark {
            state,
            attempt_count: 0,
            redelivery: 0,
        };
        ids.map(|id| (EventId(id), mark)).collect()
    }

    #[test]
    fn what_is_new_or_differs_has_changed_and_what_comes_into_view_has_not() {
        let before = marks(10..10 + i64::from(WATCHED), EventState::Ready);
        assert_eq!(changed(&before, &before), []);
        let mut now = before.clone();
        now.remove(&EventId(500));
        now.extend(marks(9..10, EventState::Delivered));
        assert_eq!(changed(&before, &now), []);
        now.extend(marks(2000..2001, EventState::Ready));
        now.extend(marks(700..701, EventState::Delivered));
        let mut found = changed(&before, &now);
        found.sort_unstable_by_key(|id| id.0);
        assert_eq!(found, [EventId(700), EventId(2000)]);
        let few = marks(50..60, EventState::Ready);
        assert_eq!(changed(&few, &marks(49..50, EventState::Ready)).len(), 1);
    }
}
