//! What operators are told: each stage's state, who polls, and whether this instance is ready.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    domain::instance::{Stage, StageState},
    telemetry::{Metrics, Traces},
};

use super::lifeline::Ended;

pub use crate::domain::instance::CaptureRole;

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
    /// Every kind, in the order of a change's path; those that no change passes come last.
    pub const ALL: [Self; 8] = [
        Self::CdcPoller,
        Self::FanOut,
        Self::Dispatcher,
        Self::Sender,
        Self::OutcomeRecorder,
        Self::Retention,
        Self::CatalogueWatch,
        Self::Reconciler,
    ];

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
    traces: Traces,
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
            traces: Traces::default(),
        }
    }

    /// With traces that are told.
    pub fn tracing(self, traces: Traces) -> Self {
        Self { traces, ..self }
    }

    /// Where spans go.
    pub fn traces(&self) -> &Traces {
        &self.traces
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

    /// Each kind of stage as people are shown it, in the order of a change's path. Senders come and go with what
    /// there is to do, so none of them missing is no lack.
    pub fn shown(&self) -> Vec<Stage> {
        let board = self.board();
        let shown = |kind: StageKind| {
            let stage = board.stages.get(&kind);
            Stage {
                name: kind.as_str(),
                state: match stage {
                    Some(stage) if stage.failing => StageState::Failing,
                    Some(stage) if stage.up => StageState::Up,
                    None if kind == StageKind::Sender => StageState::Up,
                    Some(_) | None => StageState::Starting,
                },
                restarts: stage.map_or(0, |stage| stage.restarts),
                last_end: stage.and_then(|stage| stage.last_end).map(Ended::words),
            }
        };
        StageKind::ALL.into_iter().map(shown).collect()
    }

    /// This instance's part in capture, as was last told.
    pub fn role(&self) -> CaptureRole {
        self.board().role.clone()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_shown_as_their_keeper_sees_them() {
        let status = Status::new(Metrics::default());
        let state = |name: &str| {
            let shown = status.shown();
            let stage = shown.into_iter().find(|stage| stage.name == name);
            let stage = stage.expect("each kind is shown");
            (stage.state, stage.restarts, stage.last_end)
        };
        assert_eq!(status.shown().len(), StageKind::ALL.len());
        assert_eq!(state("cdc_poller"), (StageState::Starting, 0, None));
        assert_eq!(
            state("sender"),
            (StageState::Up, 0, None),
            "nothing is to be sent"
        );
        status.stage_up(StageKind::CdcPoller);
        assert_eq!(state("cdc_poller"), (StageState::Up, 0, None));
        status.stage_restarts(StageKind::CdcPoller, Ended::Panicked, false);
        assert_eq!(
            state("cdc_poller"),
            (StageState::Starting, 1, Some("panicked"))
        );
        status.stage_restarts(StageKind::CdcPoller, Ended::Hung, true);
        status.stage_up(StageKind::CdcPoller);
        assert_eq!(
            state("cdc_poller"),
            (StageState::Failing, 2, Some("stood still"))
        );
        status.stage_steady(StageKind::CdcPoller);
        assert_eq!(state("cdc_poller").0, StageState::Up);
        status.stage_restarts(StageKind::Sender, Ended::Panicked, false);
        assert_eq!(state("sender"), (StageState::Up, 1, Some("panicked")));
    }

    #[test]
    fn each_reason_is_told() {
        let status = Status::new(Metrics::default());
        let reasons = || status.ready().err().unwrap_or_default();
        assert_eq!(reasons(), ["capture has not started yet"]);
        status.set_role(CaptureRole::StandingBy);
        status.stage_up(StageKind::FanOut);
        assert_eq!(status.ready(), Ok(()));
        status.stage_restarts(StageKind::FanOut, Ended::Panicked, false);
        assert_eq!(reasons(), ["stage fan_out is being started again"]);
        status.stage_restarts(StageKind::FanOut, Ended::Panicked, true);
        status.set_role(CaptureRole::Failing("it is another cluster".to_owned()));
        assert_eq!(
            reasons(),
            [
                "stage fan_out can not be kept up",
                "capture fails: it is another cluster"
            ]
        );
        status.stage_up(StageKind::FanOut);
        status.stage_steady(StageKind::FanOut);
        status.set_role(CaptureRole::Polling);
        assert_eq!(status.ready(), Ok(()));
    }
}
