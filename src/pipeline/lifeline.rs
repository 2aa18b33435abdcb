//! How a stage's end and its standstill become known.
//!
//! actix does not re-create an actor that panicked and nobody is told. So each stage holds a
//! [`Lifeline`]: whatever ends the stage drops it, and the drop tells its keeper. The stage beats while
//! its thread turns, and marks the beginning of each piece of work, so that a keeper sees both a thread
//! that hangs and work that never ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It stopped by itself or was told to.
    Stopped,
    /// It panicked.
    Panicked,
    /// Its keeper gave it up because it stood still.
    Hung,
}

impl Ended {
    /// For people and logs.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Panicked => "panicked",
            Self::Hung => "stood still",
        }
    }
}

/// How often a stage beats.
pub const BEAT: Duration = Duration::from_millis(500);

/// Whoever judges others and was itself kept from it for so long knows nothing of them: the whole process stood still (a
/// stopped container, a paused machine), and on waking nobody has had the time for a sign of life yet.
const AWAY: Duration = Duration::from_secs(2);

/// How long a stage may go without a sign of life.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Without a beat: its thread hangs.
    pub without_beat: Duration,
    /// In one piece of work: it will never end.
    pub in_work: Duration,
}

impl Default for Patience {
    /// A thread that serves an actor turns every few milliseconds. A piece of work is at most a page
    /// written to a slow database.
    fn default() -> Self {
        Self {
            without_beat: Duration::from_secs(10),
            in_work: Duration::from_secs(60),
        }
    }
}

#[derive(Debug)]
struct Signs {
    since: Instant,
    beat: AtomicU64,
    /// Milliseconds since `since`, plus one; zero: no work.
    work: AtomicU64,
    /// Milliseconds since `since`: what went on before is not held against it.
    excused: AtomicU64,
    revoked: AtomicBool,
}

/// The signs of life of one incarnation, seen from both sides.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Signs>);

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(Signs {
            since: Instant::now(),
            beat: AtomicU64::new(0),
            work: AtomicU64::new(0),
            excused: AtomicU64::new(0),
            revoked: AtomicBool::new(false),
        }))
    }
}

impl Pulse {
    fn now(&self) -> u64 {
        u64::try_from(self.0.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The thread turns.
    pub fn beat(&self) {
        self.0.beat.store(self.now(), Ordering::Relaxed);
    }

    /// A piece of work begins; it ends when the mark is dropped. One at a time.
    pub fn work(&self) -> Work {
        self.work_since(Instant::now())
    }

    /// The mark of a piece of work that began then, and goes on beside others.
    pub fn work_since(&self, since: Instant) -> Work {
        let began = since.saturating_duration_since(self.0.since).as_millis();
        let began = u64::try_from(began).unwrap_or(u64::MAX - 1);
        let began = began.max(self.0.excused.load(Ordering::Relaxed));
        self.0.work.store(began + 1, Ordering::Relaxed);
        Work(self.clone())
    }

    /// Whether it stands still, in either way.
    pub fn stands_still(&self, patience: Patience) -> bool {
        self.thread_hangs(patience) || self.work_hangs(patience)
    }

    /// Whether its thread does not turn.
    pub fn thread_hangs(&self, patience: Patience) -> bool {
        self.is_silent_for(patience.without_beat)
    }

    /// Whether its piece of work does not end.
    pub fn work_hangs(&self, patience: Patience) -> bool {
        let work = self.0.work.load(Ordering::Relaxed);
        let working = (self.now() + 1).saturating_sub(work);
        work != 0 && u128::from(working) > patience.in_work.as_millis()
    }

    /// Whether whoever beats was kept from it for longer than [`AWAY`].
    pub fn was_away(&self) -> bool {
        self.is_silent_for(AWAY)
    }

    fn is_silent_for(&self, time: Duration) -> bool {
        let silent = self
            .now()
            .saturating_sub(self.0.beat.load(Ordering::Relaxed));
        u128::from(silent) > time.as_millis()
    }

    /// What it did not do so far is not held against it.
    pub fn excuse(&self) {
        self.beat();
        let now = self.now();
        // For work that goes on beside others, whose mark is set again.
        self.0.excused.store(now, Ordering::Relaxed);
        let again = now + 1;
        let under_way = |work: u64| (work != 0).then_some(again);
        // Work that has just ended stays so.
        let _none = self
            .0
            .work
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, under_way);
    }

    /// The keeper gives this incarnation up: if it ever wakes, it must change nothing any more.
    pub fn revoke(&self) {
        self.0.revoked.store(true, Ordering::SeqCst);
    }

    /// Whether the keeper gave it up.
    pub fn is_revoked(&self) -> bool {
        self.0.revoked.load(Ordering::SeqCst)
    }
}

/// The mark of a piece of work.
#[derive(Debug)]
pub struct Work(Pulse);

impl Work {
    /// The next piece of the same work begins.
    pub fn goes_on(&self) {
        self.0.0.work.store(self.0.now() + 1, Ordering::Relaxed);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.0.work.store(0, Ordering::Relaxed);
    }
}

/// Held by an incarnation of a stage for as long as it lives.
pub struct Lifeline {
    pulse: Pulse,
    tell: Option<Box<dyn FnOnce(Ended) + Send>>,
}

impl Lifeline {
    /// `tell` is called once, from the thread that drops the stage; it must not panic.
    pub fn new(tell: impl FnOnce(Ended) + Send + 'static) -> Self {
        Self {
            pulse: Pulse::default(),
            tell: Some(Box::new(tell)),
        }
    }

    /// Its signs of life.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        let how = if std::thread::panicking() {
            Ended::Panicked
        } else {
            Ended::Stopped
        };
        if let Some(tell) = self.tell.take() {
            tell(how);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standstill_is_seen_from_the_thread_and_from_the_work() {
        let pulse = Pulse::default();
        let patient = Patience::default();
        let hasty = |beat, work| Patience {
            without_beat: Duration::from_millis(beat),
            in_work: Duration::from_millis(work),
        };
        assert!(!pulse.stands_still(patient));
        let work = pulse.work();
        let from = Instant::now();
        while from.elapsed() < Duration::from_millis(30) {
            std::hint::spin_loop();
        }
        assert!(pulse.stands_still(hasty(10, 1000)), "no beat");
        pulse.beat();
        assert!(!pulse.stands_still(hasty(10, 1000)));
        assert!(pulse.stands_still(hasty(1000, 10)), "work without end");
        pulse.excuse();
        assert!(!pulse.stands_still(hasty(10, 10)), "from now on, then");
        while from.elapsed() < Duration::from_millis(60) {
            std::hint::spin_loop();
        }
        assert!(
            pulse.stands_still(hasty(1000, 10)),
            "it goes on without end"
        );
        drop(work);
        pulse.excuse();
        assert!(
            !pulse.stands_still(hasty(1000, 10)),
            "no work, and none begins"
        );
        let _again = pulse.work_since(from);
        assert!(
            !pulse.stands_still(hasty(1000, 10)),
            "excused, though its mark is set anew"
        );
    }

    #[test]
    fn the_drop_tells_a_panic_from_a_stop() {
        let (tell, told) = std::sync::mpsc::channel();
        let other = tell.clone();
        drop(Lifeline::new(move |how| other.send(how).unwrap()));
        assert_eq!(told.recv().unwrap(), Ended::Stopped);
        let panicking = std::thread::spawn(move || {
            let _lifeline = Lifeline::new(move |how| tell.send(how).unwrap());
            panic!("on purpose");
        });
        assert!(panicking.join().is_err());
        assert_eq!(told.recv().unwrap(), Ended::Panicked);
    }
}
