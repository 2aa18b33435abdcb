//! Figures on deliveries: how much is owed, how fast it goes, how well.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Events owed, counted up to [`MOST_PENDING`] or [`MOST_PENDING_OF_ONE`].
    pub pending: u64,
    /// How long the oldest of them has been there.
    pub oldest: Option<Duration>,
}

/// Pending events of all receivers are counted up to this: a fifth of a second's work for a busy database.
pub const MOST_PENDING: u64 = 100_000;
/// Those of one receiver up to this: a list may ask for a thousand receivers.
pub const MOST_PENDING_OF_ONE: u64 = 10_000;

/// How deliveries went of late.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DeliveryStats {
    /// Attempts that delivered, per second of the last minute.
    pub delivered_per_second: f64,
    /// Attempts that did not, per second of the last minute.
    pub failed_per_second: f64,
    /// The share of attempts of the last five minutes that delivered; `None` when there were none.
    pub success_rate: Option<f64>,
    /// From commit to delivery, of the last five minutes; `None` when nothing was delivered.
    pub latency: Option<Latency>,
}

/// How long it took from commit to delivery, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// Half of the deliveries took no longer.
    pub p50: f64,
    /// 99 % of the deliveries took no longer.
    pub p99: f64,
}

/// How deliveries went in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatsStep {
    /// When it began.
    pub from: DateTime<Utc>,
    /// How long it is; the present one is not over.
    pub seconds: i64,
    /// Attempts that delivered.
    pub delivered: u64,
    /// Attempts that did not.
    pub failed: u64,
    /// From commit to delivery; `None` when nothing was delivered that tells it.
    pub latency: Option<Latency>,
}
