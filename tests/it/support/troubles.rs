//! Trouble on order: the pipeline's doors to the database, each of which can panic, hang or fail at the
//! n-th call.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Sender, channel},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rowhook::{
    domain::{
        action::Action,
        attempt::Outcome,
        event::{Made, NewEvent, QueuedEvent},
        ids::{EventId, ReceiverId},
        interval::ActivityInterval,
        receiver::DeliveryTarget,
        resource::ResourceName,
    },
    policy::throttle::Start,
    store::{
        StoreError,
        change_log::{ChangeLog, ChangePage, Cursor, FanOutStore},
        delivery_targets::DeliveryTargets,
        event_queue::{EventQueue, Loaded, OutcomeLog, ReceiverWork, Unpark},
        leases::{LeaseOf, LeaseStore},
    },
};

use super::wait::{DEADLINE, until};

/// Where trouble can be met: the methods that the pipeline calls, some of them before and after what
/// they do is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    TakeOver,
    ReadChanges,
    Intervals,
    CommitPage,
    PageCommitted,
    LookForWork,
    Ready,
    Due,
    Blocking,
    Park,
    Unpark,
    Unparked,
    Load,
    Target,
    Deactivate,
    Record,
    Recorded,
    Acquire,
    Renew,
    Release,
    Post,
}

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Panic,
    /// The call never ends; its thread turns.
    Hang,
    /// The thread stands still, until [`Troubles::release`].
    Block,
    /// The database is away.
    Unavailable,
}

#[derive(Default)]
struct State {
    calls: HashMap<Point, u32>,
    /// Trouble for the calls from the first number up to the second.
    planned: HashMap<Point, (u32, u32, Trouble)>,
    met: HashMap<Point, u32>,
    /// Calls for other receivers meet nothing.
    victim: Option<ReceiverId>,
    blocked: Vec<Sender<()>>,
    /// Fan-out does not learn which events it has made, so each sender reads its own.
    hands_nothing_over: bool,
}

/// The plan, shared by all doors of one pipeline.
#[derive(Clone, Default)]
pub struct Troubles(Arc<Mutex<State>>);

impl Troubles {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call meets it.
    pub fn provoke(&self, point: Point, trouble: Trouble) {
        self.provoke_nth(point, 1, 1, trouble);
    }

    /// From the n-th call from now on, so many calls meet it.
    pub fn provoke_nth(&self, point: Point, nth: u32, times: u32, trouble: Trouble) {
        let mut state = self.state();
        let first = state.calls.get(&point).copied().unwrap_or(0) + nth;
        state
            .planned
            .insert(point, (first, first.saturating_add(times - 1), trouble));
    }

    /// From now on each sender reads its events from the database.
    pub fn hand_nothing_over(&self) {
        self.state().hands_nothing_over = true;
    }

    /// Where a call is made for a receiver, only this one's meet trouble.
    pub fn only_for(&self, receiver: ReceiverId) {
        self.state().victim = Some(receiver);
    }

    /// How often trouble was met there.
    pub fn met(&self, point: Point) -> u32 {
        self.state().met.get(&point).copied().unwrap_or(0)
    }

    pub async fn is_met(&self, point: Point) {
        let what = format!("trouble at {point:?}");
        until(&what, || self.met(point) > 0).await;
    }

    /// Blocked threads go on.
    pub fn release(&self) {
        self.state().blocked.clear();
    }

    async fn meet_for(&self, receiver: ReceiverId, point: Point) -> Result<(), StoreError> {
        if self.state().victim.is_some_and(|victim| victim != receiver) {
            return Ok(());
        }
        self.meet(point).await
    }

    pub async fn meet(&self, point: Point) -> Result<(), StoreError> {
        let (trouble, wait) = {
            let mut state = self.state();
            let count = state.calls.entry(point).or_default();
            *count += 1;
            let count = *count;
            let planned = state.planned.get(&point).copied();
            let Some((first, last, trouble)) = planned else {
                return Ok(());
            };
            if count < first || count > last {
                return Ok(());
            }
            *state.met.entry(point).or_default() += 1;
            let (hold, wait) = channel();
            if trouble == Trouble::Block {
                state.blocked.push(hold);
            }
            (trouble, wait)
        };
        match trouble {
            Trouble::Panic => panic!("on purpose, at {point:?}"),
            Trouble::Hang => std::future::pending().await,
            Trouble::Block => {
                // Ends when the other end is dropped, and when a test forgets to.
                let _released = wait.recv_timeout(DEADLINE * 2);
                Ok(())
            }
            Trouble::Unavailable => Err(StoreError::Unavailable("on purpose".to_owned())),
        }
    }
}

/// A door with trouble before it.
pub struct Troubled<T: ?Sized> {
    pub door: Arc<T>,
    pub troubles: Troubles,
}

#[async_trait]
impl ChangeLog for Troubled<dyn ChangeLog> {
    async fn take_over(&self) -> Result<Cursor, StoreError> {
        self.troubles.meet(Point::TakeOver).await?;
        self.door.take_over().await
    }

    async fn may_have_news(&self) -> Result<bool, StoreError> {
        self.door.may_have_news().await
    }

    async fn heard(&self) {
        self.door.heard().await;
    }

    async fn read(&self, cursor: &Cursor, limit: u32) -> Result<ChangePage, StoreError> {
        self.troubles.meet(Point::ReadChanges).await?;
        self.door.read(cursor, limit).await
    }
}

#[async_trait]
impl FanOutStore for Troubled<dyn FanOutStore> {
    async fn intervals(
        &self,
        of: &[(ResourceName, Action)],
    ) -> Result<Vec<ActivityInterval>, StoreError> {
        self.troubles.meet(Point::Intervals).await?;
        self.door.intervals(of).await
    }

    async fn commit_page(
        &self,
        from: &Cursor,
        to: &Cursor,
        events: &[NewEvent],
    ) -> Result<Vec<Made>, StoreError> {
        if events.is_empty() {
            // A watermark alone: not what the tests wait for.
            return self.door.commit_page(from, to, events).await;
        }
        self.troubles.meet(Point::CommitPage).await?;
        let made = self.door.commit_page(from, to, events).await?;
        self.troubles.meet(Point::PageCommitted).await?;
        Ok(match self.troubles.state().hands_nothing_over {
            true => Vec::new(),
            false => made,
        })
    }
}

#[async_trait]
impl EventQueue for Troubled<dyn EventQueue> {
    async fn receivers_with_work(&self) -> Result<Vec<ReceiverWork>, StoreError> {
        self.troubles.meet(Point::LookForWork).await?;
        self.door.receivers_with_work().await
    }

    async fn ready(
        &self,
        receiver: ReceiverId,
        after: EventId,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.troubles.meet_for(receiver, Point::Ready).await?;
        self.door.ready(receiver, after, limit).await
    }

    async fn due(
        &self,
        receiver: ReceiverId,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.troubles.meet_for(receiver, Point::Due).await?;
        self.door.due(receiver, now, limit).await
    }

    async fn tests(
        &self,
        receiver: ReceiverId,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.door.tests(receiver, limit).await
    }

    async fn next_due(&self, receiver: ReceiverId) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.door.next_due(receiver).await
    }

    async fn blocking(
        &self,
        receiver: ReceiverId,
        rows: &[i64],
        in_view: &[EventId],
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        self.troubles.meet_for(receiver, Point::Blocking).await?;
        self.door.blocking(receiver, rows, in_view).await
    }

    async fn park(&self, receiver: ReceiverId, events: &[EventId]) -> Result<(), StoreError> {
        self.troubles.meet_for(receiver, Point::Park).await?;
        self.door.park(receiver, events).await
    }

    async fn unpark(
        &self,
        receiver: ReceiverId,
        which: Unpark,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.troubles.meet_for(receiver, Point::Unpark).await?;
        self.door.unpark(receiver, which, limit).await
    }

    async fn unpark_rows(&self, receiver: ReceiverId, rows: &[i64]) -> Result<bool, StoreError> {
        self.troubles.meet_for(receiver, Point::Unpark).await?;
        let any = self.door.unpark_rows(receiver, rows).await?;
        self.troubles.meet_for(receiver, Point::Unparked).await?;
        Ok(any)
    }

    async fn unparked_by_others(&self, receiver: ReceiverId) -> Result<i64, StoreError> {
        self.door.unparked_by_others(receiver).await
    }

    async fn in_trouble(&self, receiver: ReceiverId) -> Result<bool, StoreError> {
        self.door.in_trouble(receiver).await
    }

    async fn load(&self, events: &[EventId], most_bytes: u64) -> Result<Loaded, StoreError> {
        self.troubles.meet(Point::Load).await?;
        self.door.load(events, most_bytes).await
    }

    async fn still_owed(&self, events: &[EventId]) -> Result<HashMap<EventId, i32>, StoreError> {
        self.door.still_owed(events).await
    }
}

#[async_trait]
impl DeliveryTargets for Troubled<dyn DeliveryTargets> {
    async fn delivery_target(&self, id: ReceiverId) -> Result<Option<DeliveryTarget>, StoreError> {
        self.troubles.meet_for(id, Point::Target).await?;
        self.door.delivery_target(id).await
    }

    async fn deactivate(&self, id: ReceiverId, reason: &str) -> Result<bool, StoreError> {
        self.troubles.meet_for(id, Point::Deactivate).await?;
        self.door.deactivate(id, reason).await
    }
}

#[async_trait]
impl OutcomeLog for Troubled<dyn OutcomeLog> {
    async fn record(&self, outcomes: &[Arc<Outcome>]) -> Result<(), StoreError> {
        self.troubles.meet(Point::Record).await?;
        self.door.record(outcomes).await?;
        self.troubles.meet(Point::Recorded).await
    }
}

#[async_trait]
impl LeaseStore for Troubled<dyn LeaseStore> {
    async fn acquire(&self, of: LeaseOf, holder: &str) -> Result<Option<Start>, StoreError> {
        self.troubles.meet(Point::Acquire).await?;
        self.door.acquire(of, holder).await
    }

    async fn renew(&self, of: &[LeaseOf], holder: &str) -> Result<Vec<LeaseOf>, StoreError> {
        self.troubles.meet(Point::Renew).await?;
        self.door.renew(of, holder).await
    }

    async fn held_by_others(
        &self,
        receivers: &[ReceiverId],
        holder: &str,
    ) -> Result<HashSet<ReceiverId>, StoreError> {
        self.door.held_by_others(receivers, holder).await
    }

    async fn release(
        &self,
        of: LeaseOf,
        holder: &str,
        throttle_full_in: Duration,
    ) -> Result<(), StoreError> {
        self.troubles.meet(Point::Release).await?;
        self.door.release(of, holder, throttle_full_in).await
    }

    async fn end_all(&self) -> Result<(), StoreError> {
        self.door.end_all().await
    }
}
