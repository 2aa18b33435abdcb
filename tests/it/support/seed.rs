//! Randomised tests: where their randomness comes from, and how long they go on.
//!
//! `ROWHOOK_TEST_SEED` repeats a run; each run prints its seed, so a failure shows it. `ROWHOOK_TEST_SECONDS`
//! lets those that go on in rounds or for a while go on for so long.

use std::time::{Duration, Instant};

use rand::{SeedableRng as _, rngs::StdRng};

/// The seed that is asked for, else one that nobody has chosen.
pub fn seed() -> u64 {
    match std::env::var("ROWHOOK_TEST_SEED") {
        Ok(seed) => seed.parse().expect("ROWHOOK_TEST_SEED is no whole number"),
        // Short enough to be copied by hand.
        Err(_) => rand::random_range(0..1_000_000_000),
    }
}

/// How long a randomised test goes on: so long in the everyday suite.
pub fn lasting(everyday: Duration) -> Duration {
    match std::env::var("ROWHOOK_TEST_SECONDS") {
        Ok(seconds) => {
            let seconds = seconds.parse();
            Duration::from_secs(seconds.expect("ROWHOOK_TEST_SECONDS is no whole number"))
        }
        Err(_) => everyday,
    }
}

/// There are so many rounds at least, also on a machine that is busy with other things.
const ROUNDS: u32 = 6;

/// Rounds until the time is over, each with a seed of its own, so that any of them can be repeated as the
/// first one.
pub struct Rounds {
    next: u64,
    began: Instant,
    lasts: Duration,
    /// How many have begun.
    pub count: u32,
}

impl Rounds {
    pub fn lasting(everyday: Duration) -> Self {
        Self {
            next: seed(),
            began: Instant::now(),
            lasts: lasting(everyday),
            count: 0,
        }
    }
}

impl Iterator for Rounds {
    type Item = StdRng;

    fn next(&mut self) -> Option<StdRng> {
        if self.count >= ROUNDS && self.began.elapsed() > self.lasts {
            return None;
        }
        let seed = self.next;
        self.next = seed.wrapping_add(1);
        self.count += 1;
        println!("round {}, ROWHOOK_TEST_SEED={seed}", self.count);
        Some(StdRng::seed_from_u64(seed))
    }
}
