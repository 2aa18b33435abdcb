//! What a running process of rowhook tells of itself: whether its stages are up, and its part in capture.

/// Where a stage stands, as its keeper sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StageState {
    /// It runs.
    Up,
    /// It is being started, for the first time or again.
    Starting,
    /// It was started again so often of late that it can not be called up.
    Failing,
}

/// A stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name in metrics, logs and `/readyz`.
    pub name: &'static str,
    /// Where it stands.
    pub state: StageState,
    /// How often it was started again since the process began.
    pub restarts: u64,
    /// How it ended the last time that it did.
    pub last_end: Option<&'static str>,
}

/// Whether an instance reads the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureRole {
    /// It has not found out yet.
    Starting,
    /// It reads.
    Polling,
    /// Another instance reads; this one takes over when that one is gone.
    StandingBy,
    /// It can not, for this reason.
    Failing(String),
}
