//! The management API's door to what is known of capture: how far it is, who does it, and what it has to wait
//! for. It only looks, and can be asked in any instance.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::StoreError;

/// How far capture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureState {
    /// Every transaction up to this point of commit order is fanned out: a snapshot (PostgreSQL), the id of a
    /// change (SQLite).
    pub watermark: String,
    /// When changes were fanned out last.
    pub fanned_out_at: DateTime<Utc>,
    /// The instance that polls, as its lease names it.
    pub poller: Option<String>,
}

/// A transaction that has written something and is still open, or prepared and neither committed nor rolled
/// back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTransaction {
    /// The process of its session; a prepared one has none.
    pub pid: Option<i32>,
    /// When it began, or was prepared; `None` where rowhook's role may not see it.
    pub since: Option<DateTime<Utc>>,
    /// What its session calls itself.
    pub application: Option<String>,
    /// What it was prepared as.
    pub prepared_as: Option<String>,
}

/// Looking at capture.
#[async_trait]
pub trait CaptureView: Send + Sync {
    /// How far it is.
    async fn state(&self) -> Result<CaptureState, StoreError>;

    /// How long the oldest change has waited that is committed and not fanned out.
    async fn lag(&self) -> Result<Duration, StoreError>;

    /// The oldest transaction that has written something and is still open: no change of it is told of until
    /// it commits. `None` also where the database has no such thing to tell (SQLite).
    async fn oldest_open_transaction(&self) -> Result<Option<OpenTransaction>, StoreError>;
}
