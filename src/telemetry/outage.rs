//! A fault that lasts: told when it begins, once a minute while it goes on, and when it is over.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

/// The pause between two lines about the same thing.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Something that can be away, such as the database for one of the stages.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    lasting: Option<Lasting>,
}

#[derive(Debug)]
struct Lasting {
    began: Instant,
    told: Instant,
    tries: u64,
}

impl Outage {
    /// `what` can not be done while it lasts, for example "changes can not be read".
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            lasting: None,
        }
    }

    /// It was tried and did not work.
    pub fn goes_on(&mut self, error: &dyn Display) {
        let now = Instant::now();
        let Some(lasting) = &mut self.lasting else {
            tracing::warn!(%error, "{}; trying again", self.what);
            self.lasting = Some(Lasting {
                began: now,
                told: now,
                tries: 1,
            });
            return;
        };
        lasting.tries += 1;
        if now - lasting.told >= AGAIN_AFTER {
            lasting.told = now;
            let for_s = (now - lasting.began).as_secs();
            tracing::warn!(%error, for_s, tries = lasting.tries, "still: {}", self.what);
        }
    }

    /// It was tried and worked.
    pub fn is_over(&mut self) {
        if let Some(lasting) = self.lasting.take() {
            let for_s = lasting.began.elapsed().as_secs();
            tracing::info!(for_s, tries = lasting.tries, "over: {}", self.what);
        }
    }
}
