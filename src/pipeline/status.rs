//! What operators are told: each stage's state, who polls, and whether this instance is ready.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::telemetry::Metrics;

use super::lifeline::Ended;

/// The kinds of stages; a sender stands for those of all receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageKind {
    /// Room 1.
    CdcPoller,
    /// Room 2.
    FanOut,
    /// Wakes senders.
    Dispatcher,
    /// Room 3.
    Sender,
    /// Room 4.
    OutcomeRecorder,
    /// Drops what is old.
    Retention,
    /// Keeps the triggers on the watched tables.
    CatalogueWatch,
    /// Compares changes with events.
    Reconciler,
}

impl StageKind {
    /// The name in metrics, logs and the readiness answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CdcPoller => "cdc_poller",
            Self::FanOut => "fan_out",
            Self::Dispatcher => "dispatcher",
            Self::Sender => "sender",
            Self::OutcomeRecorder => "outcome_recorder",
            Self::Retention => "retention",
            Self::CatalogueWatch => "catalogue_watch",
            Self::Reconciler => "reconciler",
        }
    }
}

impl fmt::Display for StageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One stage as its keeper sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageStatus {
    /// Whether it is up.
    pub up: bool,
    /// How often it was started again.
    pub restarts: u64,
    /// It was started again so often of late that it can not be called up.
    pub failing: bool,
    /// How its last incarnation ended.
    pub last_end: Option<Ended>,
}

/// Whether this instance reads the log.
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

#[derive(Debug)]
struct Board {
    stages: BTreeMap<StageKind, StageStatus>,
    role: CaptureRole,
    role_at: Instant,
}

/// Written by the stages and their keepers, read by `/readyz` and the API.
#[derive(Clone, Debug)]
pub struct Status {
    board: Arc<Mutex<Board>>,
    metrics: Metrics,
}

/// A poller that has said nothing for so long is not known to work.
const STALE_AFTER: Duration = Duration::from_secs(15);

impl Status {
    /// Nothing is up yet.
    pub fn new(metrics: Metrics) -> Self {
        Self {
            board: Arc::new(Mutex::new(Board {
                stages: BTreeMap::new(),
                role: CaptureRole::Starting,
                role_at: Instant::now(),
            })),
            metrics,
        }
    }

    /// The figures of this instance.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stage has started.
    pub fn stage_up(&self, kind: StageKind) {
        let mut board = self.board();
        let stage = board.stages.entry(kind).or_insert(StageStatus {
            up: true,
            restarts: 0,
            failing: false,
            last_end: None,
        });
        stage.up = true;
    }

    /// A stage has ended and will be started again.
    pub fn stage_restarts(&self, kind: StageKind, how: Ended, failing: bool) {
        self.metrics.actor_restarted(kind.as_str());
        let mut board = self.board();
        let stage = board.stages.entry(kind).or_insert(StageStatus {
            up: false,
            restarts: 0,
            failing: false,
            last_end: None,
        });
        // Senders are many: one that restarts leaves the others up.
        stage.up = kind == StageKind::Sender;
        stage.restarts += 1;
        stage.failing = failing;
        stage.last_end = Some(how);
    }

    /// A stage has run for a while without ending: past trouble is over.
    pub fn stage_steady(&self, kind: StageKind) {
        if let Some(stage) = self.board().stages.get_mut(&kind) {
            stage.failing = false;
        }
    }

    /// Each stage.
    pub fn stages(&self) -> BTreeMap<StageKind, StageStatus> {
        self.board().stages.clone()
    }

    /// What the poller finds.
    pub fn set_role(&self, role: CaptureRole) {
        let mut board = self.board();
        board.role = role;
        board.role_at = Instant::now();
    }

    /// Whether this instance is the one that reads the log, as far as is known.
    pub fn polls(&self) -> bool {
        let board = self.board();
        board.role == CaptureRole::Polling && board.role_at.elapsed() <= STALE_AFTER
    }

    /// Whether this instance does its part; the reasons if not.
    pub fn ready(&self) -> Result<(), Vec<String>> {
        let board = self.board();
        let mut reasons = Vec::new();
        for (kind, stage) in &board.stages {
            if stage.failing {
                reasons.push(format!("stage {kind} can not be kept up"));
            } else if !stage.up {
                reasons.push(format!("stage {kind} is being started again"));
            }
        }
        match &board.role {
            CaptureRole::Starting => reasons.push("capture has not started yet".to_owned()),
            CaptureRole::Failing(why) => reasons.push(format!("capture fails: {why}")),
            CaptureRole::Polling | CaptureRole::StandingBy
                if board.role_at.elapsed() > STALE_AFTER =>
            {
                reasons.push(format!(
                    "capture has not been heard of for {} s",
                    board.role_at.elapsed().as_secs()
                ));
            }
            CaptureRole::Polling | CaptureRole::StandingBy => {}
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }
}
