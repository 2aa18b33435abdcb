//! What a sender has in view: reading its queue in order, and keeping behind in the database what has to
//! wait there.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};

use crate::{
    domain::{
        event::{DueEvent, QueuedEvent},
        ids::EventId,
        receiver::{DeliveryTarget, Ordering},
    },
    pipeline::{
        lifeline::Work,
        sender::{
            inbox::{self, HandedOver},
            lookahead::blocked,
        },
    },
    store::{StoreError, event_queue::Unpark},
};

use super::{LINGER, LONGEST_NAP, PAGE, REREAD, Sending};

/// Pages read before the sender looks at what has ended meanwhile.
const PAGES_PER_TURN: usize = 4;
/// Events in view at most; behind a hot row further pages are read up to this.
const VIEW: usize = 4000;
/// Once the view is full of rows that have their turn, so many of each stay in it.
const OF_A_CROWDED_ROW: usize = 64;
/// While the receiver is in trouble, what is parked behind nothing is looked for this often.
const ORPHANS: Duration = Duration::from_secs(60);
/// Parked events made ready in one transaction.
const UNPARKED_AT_ONCE: u32 = 1000;

/// What became of a page that was read.
pub(super) enum Page {
    /// It is in view, or parked.
    Taken,
    /// It may be out of order by now: the view begins anew.
    Stale,
}

impl Sending {
    /// Makes ready what is parked with nothing to wait for: what a sender left that ended badly, or
    /// everything once the receiver gives up the order of rows.
    pub(super) async fn mend(
        &mut self,
        target: &DeliveryTarget,
        work: &Work,
    ) -> Result<(), StoreError> {
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

    /// Makes ready what is parked behind events that were settled. The sender does it itself, between two
    /// pages: were an event made ready while a page is read, a later one of its row could overtake it.
    pub(super) async fn unpark_settled(&mut self, work: &Work) -> Result<(), StoreError> {
        // A row with more in view comes again when that is settled.
        self.settled_rows.retain(|row| !self.view.waits_in(*row));
        if self.settled_rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<i64> = self.settled_rows.iter().copied().collect();
        let unparked = self.parts.queue.unpark_rows(self.receiver(), &rows).await?;
        work.goes_on();
        self.settled_rows.clear();
        if unparked {
            self.build_view_anew();
        }
        Ok(())
    }

    /// Brings due and ready events into view.
    pub(super) async fn fill(
        &mut self,
        target: &DeliveryTarget,
        work: &Work,
    ) -> Result<(), StoreError> {
        let now = Instant::now();
        if now >= self.reread_at {
            self.reread_at = now + REREAD;
            self.reread();
        }
        if now >= self.due_at {
            self.fill_due(work).await?;
        }
        let (new, since) = self.take_handed_over(target, work).await?;
        let starved = self.view.startable(target.receiver.ordering, 1).is_empty();
        for _ in 0..PAGES_PER_TURN {
            if starved && self.view.len() >= VIEW && !self.read_all {
                // Nothing that could go is in view, and what is not in view may go.
                let crowd = self.view.drop_crowd(OF_A_CROWDED_ROW);
                self.park(&crowd).await?;
                work.goes_on();
            }
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
            work.goes_on();
            match self.offer(target, page, work).await? {
                Page::Taken => {}
                Page::Stale => continue,
            }
            self.read_all = all;
            self.read_to = last.unwrap_or(self.read_to);
            self.seen_to = self.seen_to.max(self.read_to);
        }
        self.keep_bodies(new, since);
        Ok(())
    }

    /// Takes into view what fan-out handed over, where all that was written before has been seen and there is room.
    /// Returns what was never in view before: its bodies are good for the first attempt.
    async fn take_handed_over(
        &mut self,
        target: &DeliveryTarget,
        work: &Work,
    ) -> Result<(Vec<DueEvent>, Instant), StoreError> {
        let HandedOver {
            mut events,
            missed,
            since,
            ..
        } = self.link.inbox.take();
        let since = since.unwrap_or_else(Instant::now);
        let all = events.len();
        events.retain(|event| event.id > self.seen_to);
        if missed || events.len() < all {
            self.look_again();
        }
        if events.is_empty() {
            return Ok((events, since));
        }
        self.busy_until = Instant::now() + LINGER;
        if !self.read_all || self.view.len() + events.len() > inbox::EVENTS {
            self.look_again();
            return Ok((events, since));
        }
        let page = events.iter().map(|event| QueuedEvent {
            id: event.id,
            rows: event.rows,
        });
        let page: Vec<QueuedEvent> = page.collect();
        let last = page.last().map(|event| event.id);
        if let Page::Taken = self.offer(target, page, work).await? {
            self.read_to = last.unwrap_or(self.read_to);
            self.seen_to = self.seen_to.max(self.read_to);
        }
        Ok((events, since))
    }

    /// There may be events in the database that were not read.
    pub(super) fn look_again(&mut self) {
        self.read_all = false;
        if self.view.len() == 0 {
            // What is ready may have been settled before and lie behind what was read. With nothing in
            // view the whole queue is no longer than what is behind.
            self.reread();
        }
    }

    pub(super) fn keeps_order(&self) -> bool {
        let target = self.target.as_ref();
        target.is_none_or(|target| target.receiver.ordering == Ordering::PerRow)
    }

    /// What became ready may come before what is in view.
    pub(super) fn build_view_anew(&mut self) {
        self.view.clear();
        self.bodies.clear();
        self.loading.abort_all();
        self.due_at = Instant::now();
        self.reread();
    }

    pub(super) fn reread(&mut self) {
        self.read_to = EventId(0);
        self.read_all = false;
    }

    /// Events whose next attempt is due.
    pub(super) async fn fill_due(&mut self, work: &Work) -> Result<(), StoreError> {
        let (queue, receiver) = (&self.parts.queue, self.link.receiver);
        let mut new = false;
        for event in queue.due(receiver, Utc::now(), PAGE).await? {
            new |= self.view.offer(event);
        }
        work.goes_on();
        let next = queue.next_due(receiver).await?;
        work.goes_on();
        if next.is_none() && self.trouble {
            // What is under way may fail yet: with its outcome trouble begins anew.
            self.trouble = queue.in_trouble(receiver).await?;
            work.goes_on();
            if self.rows_under_way.is_empty() {
                // With nothing waiting, whatever is parked has nothing to wait for.
                self.orphans_at = Instant::now();
            }
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
    pub(super) async fn offer(
        &mut self,
        target: &DeliveryTarget,
        page: Vec<QueuedEvent>,
        work: &Work,
    ) -> Result<Page, StoreError> {
        let mut page: Vec<QueuedEvent> = page
            .into_iter()
            .filter(|event| !self.view.knows(event.id))
            .collect();
        if self.trouble && target.receiver.ordering == Ordering::PerRow && !page.is_empty() {
            let rows: HashSet<i64> = page.iter().flat_map(|event| event.rows.iter()).collect();
            let rows: Vec<i64> = rows.into_iter().collect();
            // What is in view or under way is kept in order by the view itself.
            let in_view = self.view.known();
            let blocking = self.parts.queue.blocking(self.receiver(), &rows, &in_view);
            let blocking = blocking.await?;
            work.goes_on();
            let unparked = self.parts.queue.unparked_by_others(self.receiver()).await?;
            work.goes_on();
            if unparked != self.unparked_by_others {
                // What was parked when the page was read, or the view was begun, may be ready and before it.
                self.unparked_by_others = unparked;
                self.build_view_anew();
                return Ok(Page::Stale);
            }
            let held = blocked(&page, &blocking);
            self.park(&held).await?;
            work.goes_on();
            let held: HashSet<EventId> = held.iter().map(|event| event.id).collect();
            page.retain(|event| !held.contains(&event.id));
        }
        for event in page {
            self.view.offer(event);
        }
        Ok(Page::Taken)
    }

    pub(super) async fn park(&mut self, events: &[QueuedEvent]) -> Result<(), StoreError> {
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

    /// An event in view is owed no more. What is parked in its rows may have nobody else to wait for.
    pub(super) fn forget(&mut self, id: EventId) {
        self.view.forget(id);
        self.orphans_at = Instant::now();
    }
}
