//! The senders of this instance and the threads that they run on.
//!
//! The dispatcher starts and ends them; fan-out hands them events. The list outlives a dispatcher that panics: the next
//! incarnation finds it as it was.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix::prelude::*;
use tokio::sync::Notify;

use crate::domain::{event::DueEvent, ids::ReceiverId};

use super::{
    lifeline::{Ended, Lifeline, Patience, Pulse},
    sender::{Abandon, Link, Sender, SenderParts},
};

/// A sender that runs.
pub(super) struct Running {
    number: u64,
    pub(super) started: Instant,
    pub(super) link: Arc<Link>,
    pulse: Pulse,
    pub(super) address: Addr<Sender>,
    thread: usize,
    /// Which of the threads that stood in this place.
    thread_number: u64,
}

struct SenderEnded {
    receiver: ReceiverId,
    number: u64,
    how: Ended,
}

/// When a sender that ended badly may be started again.
#[derive(Clone, Copy)]
pub(super) struct Trouble {
    pub(super) pause: Duration,
    pub(super) not_before: Instant,
}

struct Thread {
    arbiter: Arbiter,
    number: u64,
}

/// What is known of them.
#[derive(Default)]
pub(super) struct Book {
    threads: Vec<Thread>,
    numbers: u64,
    pub(super) running: HashMap<ReceiverId, Running>,
    ended: Vec<SenderEnded>,
    pub(super) trouble: HashMap<ReceiverId, Trouble>,
}

/// The senders of this instance and the threads that they run on. Each receiver has its thread, so that
/// its connections are kept in one place.
#[derive(Clone, Default)]
pub struct Senders {
    book: Arc<Mutex<Book>>,
    pub(super) news: Arc<Notify>,
}

impl Senders {
    /// On so many threads.
    pub fn on_threads(count: usize) -> Self {
        let senders = Self::default();
        let thread = |_| Thread {
            arbiter: Arbiter::new(),
            number: 0,
        };
        senders.book().threads = (0..count.max(1)).map(thread).collect();
        senders
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
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
            thread.arbiter.stop();
        }
    }

    /// Wakes the sender of a receiver; `false` when there is none.
    pub(super) fn wake(&self, receiver: ReceiverId) -> bool {
        match self.book().running.get(&receiver) {
            Some(running) => {
                running.link.wake();
                true
            }
            None => false,
        }
    }

    /// Those of these receivers that have a sender here.
    pub fn running(&self, receivers: impl Iterator<Item = ReceiverId>) -> HashSet<ReceiverId> {
        let book = self.book();
        receivers
            .filter(|receiver| book.running.contains_key(receiver))
            .collect()
    }

    /// Hands each sender what was written for its receiver in one transaction, or, where that is not here, tells it to look;
    /// returns the receivers that have none.
    pub fn hand_over(
        &self,
        events: impl IntoIterator<Item = (ReceiverId, Vec<DueEvent>)>,
    ) -> Vec<ReceiverId> {
        let book = self.book();
        let mut without = Vec::new();
        for (receiver, events) in events {
            match book.running.get(&receiver) {
                Some(running) if events.is_empty() => running.link.wake(),
                Some(running) => running.link.hand_over(events),
                None => without.push(receiver),
            }
        }
        without
    }

    /// Events may have been written for anybody that were not handed over.
    pub fn miss(&self) {
        for running in self.book().running.values() {
            running.link.miss();
        }
    }

    pub(super) fn start(&self, parts: &SenderParts, link: Link) {
        let receiver = link.receiver;
        let (number, thread, thread_number, arbiter) = {
            let mut book = self.book();
            if book.running.contains_key(&receiver) {
                return;
            }
            book.numbers += 1;
            let thread = receiver.0.unsigned_abs() as usize % book.threads.len().max(1);
            let Some(place) = book.threads.get(thread) else {
                return;
            };
            (book.numbers, thread, place.number, place.arbiter.handle())
        };
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
        let (parts, link_of_sender) = (parts.clone(), link.clone());
        // Not under the lock: on a thread that has ended the lifeline is dropped here and now.
        let address = Sender::start_in_arbiter(&arbiter, move |_| {
            Sender::new(parts, link_of_sender, lifeline)
        });
        let running = Running {
            number,
            started: Instant::now(),
            link,
            pulse,
            address,
            thread,
            thread_number,
        };
        self.book().running.insert(receiver, running);
    }

    /// Takes the ends that were told since the last call, with what ran; stale ones are left out.
    pub(super) fn take_ended(&self) -> Vec<(Running, Ended)> {
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

    /// After the whole process stood still nobody is to blame.
    pub(super) fn excuse(&self) {
        for running in self.book().running.values() {
            running.pulse.excuse();
        }
    }

    /// Gives up the senders that stand still and returns them. One whose work does not end is dropped;
    /// one whose thread hangs can not be, so the thread is replaced, once, and the other senders on the
    /// old one are found in turn.
    pub(super) fn give_up_hung(&self, patience: Patience) -> Vec<Running> {
        let mut book = self.book();
        let hung: Vec<ReceiverId> = book
            .running
            .iter()
            .filter(|(_, running)| running.pulse.stands_still(patience))
            .map(|(receiver, _)| *receiver)
            .collect();
        let mut given_up = Vec::with_capacity(hung.len());
        for receiver in hung {
            let Some(running) = book.running.remove(&receiver) else {
                continue;
            };
            running.pulse.revoke();
            running.link.lease.end();
            running.address.do_send(Abandon);
            if running.pulse.thread_hangs(patience)
                && let Some(thread) = book.threads.get_mut(running.thread)
                && thread.number == running.thread_number
            {
                thread.number += 1;
                std::mem::replace(&mut thread.arbiter, Arbiter::new()).stop();
            }
            given_up.push(running);
        }
        given_up
    }
}
