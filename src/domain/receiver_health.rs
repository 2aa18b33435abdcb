//! How a receiver does, as its sender sees it from one attempt to the next (CONTRACT §7.7).

use std::{str::FromStr, time::Duration};

use chrono::{DateTime, Utc};

use super::receiver::UnknownWord;

/// In a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HealthState {
    /// Its last attempt delivered, or there was none.
    #[default]
    Healthy,
    /// Its last attempt failed.
    Failing,
    /// It only fails: one request at a time, at growing intervals, until one delivers.
    Probing,
    /// It is switched off, by a person or by rowhook.
    Inactive,
}

impl HealthState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Failing, Self::Probing, Self::Inactive];

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "HEALTHY",
            Self::Failing => "FAILING",
            Self::Probing => "PROBING",
            Self::Inactive => "INACTIVE",
        }
    }

    /// The word in metrics, where words are in lower case.
    pub fn in_metrics(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Failing => "failing",
            Self::Probing => "probing",
            Self::Inactive => "inactive",
        }
    }
}

impl FromStr for HealthState {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = "HEALTHY, FAILING, PROBING, INACTIVE";
        UnknownWord::or_one_of(&Self::ALL, Self::as_str, text, known)
    }
}

/// The failures in a row of a receiver that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the first of them was.
    pub since: DateTime<Utc>,
    /// What the last of them was, in words.
    pub error: String,
}

/// Of a receiver that is only probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probing {
    /// When the next request may go.
    pub next_at: DateTime<Utc>,
    /// The pause before it, without its spread.
    pub pause: Duration,
}

/// How a receiver does. The default is one that never failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverHealth {
    /// Its failures in a row, if its last attempt failed.
    pub failures: Option<Failures>,
    /// How it is probed, if it is.
    pub probing: Option<Probing>,
    /// Grows with each change: an older state is never written over a newer one.
    pub revision: i64,
}

impl ReceiverHealth {
    /// The state of a receiver that is active.
    pub fn state(&self) -> HealthState {
        match (&self.failures, &self.probing) {
            (_, Some(_)) => HealthState::Probing,
            (Some(_), None) => HealthState::Failing,
            (None, None) => HealthState::Healthy,
        }
    }
}

/// What the management API shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthRecord {
    /// In a word.
    pub state: HealthState,
    /// Why it came to this state.
    pub reason: Option<String>,
    /// When it came to this state; `None` for a receiver that never left its first one.
    pub since: Option<DateTime<Utc>>,
    /// The rest.
    pub health: ReceiverHealth,
}
