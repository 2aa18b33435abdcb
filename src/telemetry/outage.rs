//! A fault that lasts: told when it begins, once a minute while it goes on, and when it is over.

use std::{
    borrow::Cow,
    fmt::Display,
    time::{Duration, Instant},
};

/// The pause between two lines about the same thing.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Something that can be away, such as the database for one of the stages.
#[derive(Debug)]
pub struct Outage {
    what: Cow<'static, str>,
    is_grave: bool,
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
    pub fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: what.into(),
            is_grave: false,
            lasting: None,
        }
    }

    /// The same for what somebody has to mend: errors and no warnings.
    pub fn grave(what: impl Into<Cow<'static, str>>) -> Self {
        Self {
            is_grave: true,
            ..Self::new(what)
        }
    }

    /// It was tried and did not work.
    pub fn goes_on(&mut self, error: &dyn Display) {
        let now = Instant::now();
        let what = &self.what;
        let Some(lasting) = &mut self.lasting else {
            if self.is_grave {
                tracing::error!(%error, "{what}; trying again");
            } else {
                tracing::warn!(%error, "{what}; trying again");
            }
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
            let tries = lasting.tries;
            if self.is_grave {
                tracing::error!(%error, for_s, tries, "still: {what}");
            } else {
                tracing::warn!(%error, for_s, tries, "still: {what}");
            }
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
