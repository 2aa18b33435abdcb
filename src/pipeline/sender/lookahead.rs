//! The events that a sender has in view, and which of them may go: order per row, without a clock and
//! without I/O.
//!
//! A row is busy from the start of an attempt until its outcome is written. An event may start when
//! none of its rows is busy and no earlier event in view shares a row with it.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{
    event::{QueuedEvent, RowHashes},
    ids::EventId,
    receiver::Ordering,
};

/// The events in view.
#[derive(Debug, Default)]
pub struct Lookahead {
    waiting: BTreeMap<EventId, RowHashes>,
    /// In view or under way: what a page brings again is passed over.
    known: HashSet<EventId>,
    busy: Rows,
    /// The rows of what has not started.
    waiting_in: Rows,
}

/// How many events there are in each row.
#[derive(Debug, Default)]
struct Rows(HashMap<i64, u32>);

impl Rows {
    fn add(&mut self, rows: RowHashes) {
        for row in rows.iter() {
            *self.0.entry(row).or_default() += 1;
        }
    }

    fn remove(&mut self, rows: RowHashes) {
        for row in rows.iter() {
            if let Some(count) = self.0.get_mut(&row) {
                *count -= 1;
                if *count == 0 {
                    self.0.remove(&row);
                }
            }
        }
    }

    fn has(&self, row: i64) -> bool {
        self.0.contains_key(&row)
    }
}

impl Lookahead {
    /// Adds an event unless it is in view or under way; tells whether it was new.
    pub fn offer(&mut self, event: QueuedEvent) -> bool {
        let new = self.known.insert(event.id);
        if new {
            self.waiting.insert(event.id, event.rows);
            self.waiting_in.add(event.rows);
        }
        new
    }

    /// Whether it is in view or under way.
    pub fn knows(&self, id: EventId) -> bool {
        self.known.contains(&id)
    }

    /// Whether it is in view and has not started.
    pub fn waits(&self, id: EventId) -> bool {
        self.waiting.contains_key(&id)
    }

    /// What is in view or under way.
    pub fn known(&self) -> Vec<EventId> {
        self.known.iter().copied().collect()
    }

    /// Whether an event of this row is in view that has not started.
    pub fn waits_in(&self, row: i64) -> bool {
        self.waiting_in.has(row)
    }

    /// Events in view that have not started.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Nothing in view and nothing under way.
    pub fn is_idle(&self) -> bool {
        self.known.is_empty()
    }

    /// The first `limit` events that may start now, in id order.
    pub fn startable(&self, ordering: Ordering, limit: usize) -> Vec<EventId> {
        if ordering == Ordering::None {
            return self.first(limit).collect();
        }
        let mut earlier: HashSet<i64> = HashSet::new();
        let mut found = Vec::with_capacity(limit.min(self.waiting.len()));
        for (id, rows) in &self.waiting {
            if found.len() == limit {
                break;
            }
            let free = rows
                .iter()
                .all(|row| !self.busy.has(row) && !earlier.contains(&row));
            earlier.extend(rows.iter());
            if free {
                found.push(*id);
            }
        }
        found
    }

    /// The first `limit` events that have not started, in id order.
    pub fn first(&self, limit: usize) -> impl Iterator<Item = EventId> + '_ {
        self.waiting.keys().copied().take(limit)
    }

    /// An attempt for this event begins: its rows are busy.
    pub fn start(&mut self, id: EventId) {
        if let Some(rows) = self.waiting.remove(&id) {
            self.waiting_in.remove(rows);
            self.busy.add(rows);
        }
    }

    /// Its outcome is written: its rows are free.
    pub fn finish(&mut self, id: EventId, rows: RowHashes) {
        self.known.remove(&id);
        self.busy.remove(rows);
    }

    /// Drops everything from view that has not started.
    pub fn clear(&mut self) {
        self.waiting_in = Rows::default();
        for id in std::mem::take(&mut self.waiting).into_keys() {
            self.known.remove(&id);
        }
    }

    /// Drops an event from view that has not started.
    pub fn forget(&mut self, id: EventId) {
        if let Some(rows) = self.waiting.remove(&id) {
            self.known.remove(&id);
            self.waiting_in.remove(rows);
        }
    }

    /// Drops from view what stands behind `keep` others of one of its rows, and what waits behind that.
    pub fn drop_crowd(&mut self, keep: usize) -> Vec<QueuedEvent> {
        let mut crowd: HashMap<i64, usize> = HashMap::new();
        self.drop_from(EventId(0), |rows| {
            let is_full = |row: i64| crowd.get(&row).is_some_and(|count| *count >= keep);
            let held = rows.iter().any(is_full);
            for row in rows.iter() {
                // Behind what is dropped everything is, in either of its rows.
                let count = crowd.entry(row).or_default();
                *count = if held { keep } else { *count + 1 };
            }
            held
        })
    }

    /// Drops from view the later events that share a row with these, and with those that are dropped.
    pub fn drop_behind(&mut self, id: EventId, rows: RowHashes) -> Vec<QueuedEvent> {
        let mut blocked: HashSet<i64> = rows.iter().collect();
        self.drop_from(EventId(id.0 + 1), |rows| {
            let held = rows.iter().any(|row| blocked.contains(&row));
            if held {
                blocked.extend(rows.iter());
            }
            held
        })
    }

    /// Drops from view those from this one on, in id order, of whose rows `is_held` says so.
    fn drop_from(
        &mut self,
        first: EventId,
        mut is_held: impl FnMut(RowHashes) -> bool,
    ) -> Vec<QueuedEvent> {
        let mut dropped = Vec::new();
        for (id, rows) in self.waiting.range(first..) {
            if is_held(*rows) {
                dropped.push(QueuedEvent {
                    id: *id,
                    rows: *rows,
                });
            }
        }
        for event in &dropped {
            self.forget(event.id);
        }
        dropped
    }
}

/// Which of a page's events wait behind others that stand in the database: `blocking` are the first waiting
/// or parked ones of the page's rows that are not in view. Both in id order.
pub fn blocked(page: &[QueuedEvent], blocking: &[QueuedEvent]) -> Vec<QueuedEvent> {
    let mut first: HashMap<i64, EventId> = HashMap::new();
    for event in blocking {
        for row in event.rows.iter() {
            first.entry(row).or_insert(event.id);
        }
    }
    let mut found = Vec::new();
    for event in page {
        let behind = |row: i64| first.get(&row).is_some_and(|earlier| *earlier < event.id);
        if event.rows.iter().any(behind) {
            for row in event.rows.iter() {
                // Of its other row a later one may stand there already.
                let earliest = first.entry(row).or_insert(event.id);
                *earliest = event.id.min(*earliest);
            }
            found.push(*event);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: i64, row: i64, previous: Option<i64>) -> QueuedEvent {
        QueuedEvent {
            id: EventId(id),
            rows: RowHashes { row, previous },
        }
    }

    fn view(events: &[QueuedEvent]) -> Lookahead {
        let mut view = Lookahead::default();
        for event in events {
            assert!(view.offer(*event));
        }
        view
    }

    fn ids(list: &[EventId]) -> Vec<i64> {
        list.iter().map(|id| id.0).collect()
    }

    #[test]
    fn one_row_at_a_time_and_rows_do_not_wait_for_each_other() {
        let events = [event(1, 10, None), event(2, 10, None), event(3, 20, None)];
        let mut view = view(&events);
        assert_eq!(ids(&view.startable(Ordering::PerRow, 9)), [1, 3]);
        assert_eq!(ids(&view.startable(Ordering::None, 9)), [1, 2, 3]);
        view.start(EventId(1));
        assert_eq!(ids(&view.startable(Ordering::PerRow, 9)), [3]);
        assert!(!view.offer(events[0]), "it is under way");
        view.finish(EventId(1), events[0].rows);
        assert_eq!(ids(&view.startable(Ordering::PerRow, 9)), [2, 3]);
    }

    #[test]
    fn a_row_is_told_from_one_with_nothing_left_in_view() {
        let events = [
            event(1, 10, None),
            event(2, 20, Some(10)),
            event(3, 20, None),
        ];
        let mut view = view(&events);
        view.start(EventId(1));
        assert!(view.waits_in(10), "2 comes from there");
        view.forget(EventId(2));
        assert!(!view.waits_in(10) && view.waits_in(20));
        view.start(EventId(3));
        assert!(!view.waits_in(20));
        view.finish(EventId(1), events[0].rows);
        view.offer(events[1]);
        view.clear();
        assert!(!view.waits_in(10) && !view.waits_in(20));
    }

    #[test]
    fn a_change_of_the_key_belongs_to_both_rows() {
        // 1: row 10. 2: 10 becomes 20. 3: row 20. 4: row 10, made anew.
        let events = [
            event(1, 10, None),
            event(2, 20, Some(10)),
            event(3, 20, None),
            event(4, 10, None),
        ];
        let mut view = view(&events);
        assert_eq!(ids(&view.startable(Ordering::PerRow, 9)), [1]);
        view.start(EventId(1));
        view.finish(EventId(1), events[0].rows);
        assert_eq!(ids(&view.startable(Ordering::PerRow, 9)), [2]);
        view.start(EventId(2));
        assert!(view.startable(Ordering::PerRow, 9).is_empty());
        view.finish(EventId(2), events[1].rows);
        assert_eq!(ids(&view.startable(Ordering::PerRow, 9)), [3, 4]);
    }

    #[test]
    fn what_follows_a_failure_leaves_the_view() {
        let events = [
            event(1, 10, None),
            event(2, 20, None),
            event(3, 30, Some(10)),
            event(4, 30, None),
            event(5, 40, None),
        ];
        let mut view = view(&events);
        view.start(EventId(1));
        let dropped = view.drop_behind(EventId(1), events[0].rows);
        assert_eq!(
            dropped,
            [events[2], events[3]],
            "4 waits behind 3, which waits behind 1"
        );
        view.finish(EventId(1), events[0].rows);
        assert_eq!(ids(&view.startable(Ordering::PerRow, 9)), [2, 5]);
    }

    #[test]
    fn a_crowd_leaves_the_view_and_what_waits_behind_it() {
        let events = [
            event(1, 10, None),
            event(2, 10, None),
            event(3, 20, None),
            event(4, 10, None),
            event(5, 20, Some(10)),
            event(6, 20, None),
            event(7, 30, None),
        ];
        let mut crowded = view(&events);
        assert_eq!(crowded.drop_crowd(2), [events[3], events[4], events[5]]);
        assert_eq!(crowded.len(), 4);
        assert!(!crowded.knows(EventId(4)) && crowded.knows(EventId(7)));
        assert!(view(&events).drop_crowd(9).is_empty());
    }

    #[test]
    fn a_page_is_held_back_behind_what_waits_in_the_database() {
        let waiting = [event(5, 10, None), event(9, 20, None)];
        let page = [
            event(3, 10, None),
            event(6, 10, Some(30)),
            event(7, 30, None),
            event(8, 20, None),
            event(10, 20, None),
            event(11, 40, None),
        ];
        let held: Vec<i64> = blocked(&page, &waiting).iter().map(|e| e.id.0).collect();
        assert_eq!(held, [6, 7, 10]);
    }

    #[test]
    fn a_change_of_the_key_that_is_held_back_holds_its_other_row() {
        // 7 comes from row 30 and waits behind 5; what follows in row 30 waits behind it, though what stands there in the
        // database is later.
        let waiting = [event(5, 10, None), event(20, 30, None)];
        let page = [event(7, 10, Some(30)), event(8, 30, None)];
        let held: Vec<i64> = blocked(&page, &waiting).iter().map(|e| e.id.0).collect();
        assert_eq!(held, [7, 8]);
    }
}
