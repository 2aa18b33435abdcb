//! `webhookPipeline`: the stages of the instance that answers, and whether it is ready. Read only.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use juniper::{GraphQLEnum, GraphQLObject};

use crate::domain::instance::{CaptureRole, Stage, StageState};

use super::{context::Context, scalar::ApiScalar};

/// What the answering process knows of itself.
#[async_trait]
pub trait Instance: Send + Sync {
    /// What it is called in leases.
    fn name(&self) -> &str;

    /// When it started.
    fn started_at(&self) -> DateTime<Utc>;

    /// Each stage, in the order of a change's path.
    fn stages(&self) -> Vec<Stage>;

    /// Its part in capture.
    fn capture(&self) -> CaptureRole;

    /// Whether it can do its work, as `/readyz` tells; the reasons if not.
    async fn ready(&self) -> Result<(), Vec<String>>;
}

/// The instance that answers. Of several instances on one database each tells of itself alone.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookPipeline", context = Context, scalar = ApiScalar)]
pub struct WebhookPipeline {
    /// Its name, as HOST/PROCESS/NUMBER; `webhookCapture { poller }` is that of the instance that reads changes, and
    /// `webhookInstances` has all.
    pub instance: String,
    /// Whether it can do its work, as `/readyz` says: the database answers, every stage is up, and it reads changes or
    /// stands by for an instance that does.
    pub ready: bool,
    /// Why it is not ready, in words; null when it is.
    pub not_ready_reason: Option<String>,
    /// Its part in reading changes.
    pub capture: WebhookCaptureRole,
    /// Its stages, in the order in which a change passes them; those that no change passes come last.
    pub stages: Vec<WebhookStage>,
}

/// An instance's part in reading changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookCaptureRole", scalar = ApiScalar)]
pub enum WebhookCaptureRole {
    /// It has not found out yet.
    Starting,
    /// It reads them.
    Polling,
    /// Another instance reads them; this one takes over when that one is gone.
    StandingBy,
    /// It can not; `notReadyReason` says why.
    Failing,
}

/// A stage of an instance.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookStage", context = Context, scalar = ApiScalar)]
pub struct WebhookStage {
    /// Its name, as in metrics and in the log: `cdc_poller` (reads changes), `fan_out` (makes events), `dispatcher`
    /// (starts senders), `sender` (those of all receivers), `outcome_recorder` (writes what came of attempts),
    /// `retention` (drops what is old), `catalogue_watch` (keeps triggers in force), `reconciler` (compares changes with
    /// events).
    pub name: String,
    /// Where it stands.
    pub state: WebhookStageState,
    /// How often it was started again since the process began.
    pub restarts: i32,
    /// How it ended the last time that it did: `stopped`, `panicked` or `stood still`; null when it never has.
    pub last_end: Option<String>,
}

/// Where a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookStageState", scalar = ApiScalar)]
pub enum WebhookStageState {
    /// It runs. Senders start when there is something to send, so `sender` is UP without any.
    Up,
    /// It is being started, for the first time or again.
    Starting,
    /// It was started again so often of late that it can not be called up.
    Failing,
}

impl From<Stage> for WebhookStage {
    fn from(stage: Stage) -> Self {
        Self {
            name: stage.name.to_owned(),
            state: match stage.state {
                StageState::Up => WebhookStageState::Up,
                StageState::Starting => WebhookStageState::Starting,
                StageState::Failing => WebhookStageState::Failing,
            },
            restarts: i32::try_from(stage.restarts).unwrap_or(i32::MAX),
            last_end: stage.last_end.map(str::to_owned),
        }
    }
}

/// `webhookPipeline`.
pub async fn state(context: &Context) -> WebhookPipeline {
    let instance = &context.services.instance;
    let reasons = instance.ready().await.err();
    WebhookPipeline {
        instance: instance.name().to_owned(),
        ready: reasons.is_none(),
        not_ready_reason: reasons.map(|reasons| reasons.join("; ")),
        capture: match instance.capture() {
            CaptureRole::Starting => WebhookCaptureRole::Starting,
            CaptureRole::Polling => WebhookCaptureRole::Polling,
            CaptureRole::StandingBy => WebhookCaptureRole::StandingBy,
            CaptureRole::Failing(_) => WebhookCaptureRole::Failing,
        },
        stages: instance.stages().into_iter().map(Into::into).collect(),
    }
}
