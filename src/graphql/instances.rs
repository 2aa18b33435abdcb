//! `webhookInstances`: who shares this database. Read only.

use chrono::Utc;
use juniper::GraphQLObject;

use crate::domain::instance::{CaptureRole, KnownInstance, VERSION};

use super::{
    context::Context, error::ApiError, pipeline::Instance, scalar::ApiScalar, scalars::DateTime,
};

/// A process of rowhook that works on this database. Read from the database, so every instance tells the same but for
/// `answering`.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookInstance", context = Context, scalar = ApiScalar)]
pub struct WebhookInstance {
    /// Its name, as HOST/PROCESS/NUMBER: as in `webhookPipeline { instance }`, `webhookCapture { poller }`, and `instance` of
    /// a receiver.
    pub name: String,
    /// The host that it runs on, as its name tells it: what HOSTNAME said there, `rowhook` where that was not set.
    pub host: Option<String>,
    /// The id of its process on that host, or in its container.
    pub process: Option<i32>,
    /// The release that it is of; null where it did not write that down.
    pub version: Option<String>,
    /// When it started; null where it did not write that down.
    pub started_at: Option<DateTime>,
    /// When it was last heard of: while it runs, not much more than a second ago.
    pub heard_at: DateTime,
    /// Whether it runs: it was heard of within 6 seconds. False: it was killed, or is frozen or cut off from the database; others
    /// do its work. It is told of for a day, and not at all when it was stopped in an orderly way.
    pub running: bool,
    /// Whether it reads the changes: one instance at a time does, for all.
    pub reads_changes: bool,
    /// How many receivers it sends to now. One with nothing to do has no sender and counts nowhere.
    pub receivers: i32,
    /// Whether it is the one that answers.
    pub answering: bool,
}

impl WebhookInstance {
    fn of(known: KnownInstance, this: &dyn Instance) -> Self {
        let place = known.host_and_process();
        let answering = known.name == this.name();
        // On SQLite it is written down nowhere, and there is no other.
        let (version, started_at) = match answering {
            true => (Some(VERSION.to_owned()), Some(this.started_at())),
            false => (known.version.clone(), known.started_at),
        };
        Self {
            host: place.map(|(host, _)| host.to_owned()),
            process: place.and_then(|(_, process)| process.try_into().ok()),
            version,
            started_at: started_at.map(DateTime),
            heard_at: DateTime(known.heard_at),
            running: known.running,
            reads_changes: known.reads_changes,
            receivers: i32::try_from(known.receivers).unwrap_or(i32::MAX),
            answering,
            name: known.name,
        }
    }
}

/// `webhookInstances`.
pub async fn all(context: &Context) -> Result<Vec<WebhookInstance>, ApiError> {
    let this = &*context.services.instance;
    let mut known = context.services.instances.instances().await?;
    if known.iter().all(|one| one.name != this.name()) {
        // It has just started and not said so yet.
        known.push(KnownInstance {
            name: this.name().to_owned(),
            version: None,
            started_at: None,
            heard_at: Utc::now(),
            running: true,
            reads_changes: this.capture() == CaptureRole::Polling,
            receivers: 0,
        });
    }
    let shown = |one| WebhookInstance::of(one, this);
    Ok(known.into_iter().map(shown).collect())
}
