//! `webhookCapture`: how far the reading of changes is, what it waits for, and whether each watched table still
//! has its triggers. Read only.

use juniper::{GraphQLEnum, GraphQLObject, graphql_object};

use crate::store::{
    StoreError,
    capture::{CaptureState, OpenTransaction},
    catalogue::{InstallError, TriggerState, WantedResource},
};

use super::{
    context::Context, error::ApiError, resource_enum::ResourceEnum, scalar::ApiScalar,
    scalars::DateTime,
};

/// Capture as the API shows it.
#[derive(Clone, Debug)]
pub struct WebhookCapture(CaptureState);

/// How far the reading of committed changes is. Read from the database, so every instance tells the same.
#[graphql_object]
#[graphql(name = "WebhookCapture", context = Context, scalar = ApiScalar)]
impl WebhookCapture {
    /// Every transaction up to this point in the order of commits is fanned out: its events are made. On
    /// PostgreSQL a snapshot (`xmin:xmax:transactions that were still running`, as pg_current_snapshot() has
    /// it), on SQLite the id of a logged change. It stands still while nothing changes.
    fn watermark(&self) -> &str {
        &self.0.watermark
    }

    /// When changes were fanned out last.
    fn fanned_out_at(&self) -> DateTime {
        DateTime(self.0.fanned_out_at)
    }

    /// Seconds that the oldest change has waited that is committed and not fanned out yet; 0 when there is
    /// none. They count from its commit where the database keeps commit times (PostgreSQL with
    /// track_commit_timestamp), else from when its trigger ran, so a transaction that was open for long shows
    /// its whole age for the moment in which it is read.
    async fn lag_seconds(&self, context: &Context) -> Result<f64, ApiError> {
        lag(context).await
    }

    /// The oldest transaction of this database that has written something and is still open or prepared, on
    /// PostgreSQL; null when there is none. It holds up no other transaction's changes, but none of its own are
    /// told of until it commits. Always null on SQLite.
    async fn oldest_open_transaction(
        &self,
        context: &Context,
    ) -> Result<Option<WebhookOpenTransaction>, ApiError> {
        let found = context.services.capture.oldest_open_transaction().await?;
        Ok(found.map(Into::into))
    }

    /// The instance that reads the changes now, as HOST/PROCESS/NUMBER; null while none does. Another one takes
    /// over within 6 seconds of its end.
    fn poller(&self) -> Option<&str> {
        self.0.poller.as_deref()
    }

    /// Each watched table and whether its triggers are in force, in the order of the configuration.
    async fn resources(&self, context: &Context) -> Result<Vec<WebhookCaptureResource>, ApiError> {
        let watched = &context.services.watched;
        let mut resources = Vec::with_capacity(watched.wanted.len());
        for wanted in watched.wanted.iter() {
            let found = watched.installer.trigger_state(wanted).await;
            resources.push(shown(wanted, found)?);
        }
        Ok(resources)
    }
}

/// A transaction that has written something and is not over.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookOpenTransaction", context = Context, scalar = ApiScalar)]
pub struct WebhookOpenTransaction {
    /// The process id of its session, as in pg_stat_activity; null for a prepared transaction, which has none.
    pub pid: Option<i32>,
    /// When it began, or was prepared. Null where rowhook's role may not see that of other roles' sessions:
    /// `grant pg_read_all_stats` lets it.
    pub since: Option<DateTime>,
    /// What its session calls itself (`application_name`).
    pub application_name: Option<String>,
    /// The name that it was prepared under (PREPARE TRANSACTION); null for one that is simply open.
    pub prepared_as: Option<String>,
}

impl From<OpenTransaction> for WebhookOpenTransaction {
    fn from(found: OpenTransaction) -> Self {
        Self {
            pid: found.pid,
            since: found.since.map(DateTime),
            application_name: found.application,
            prepared_as: found.prepared_as,
        }
    }
}

/// Whether a watched table's changes are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookTriggerState", scalar = ApiScalar)]
pub enum WebhookTriggerState {
    /// The triggers are what they should be, and fire.
    InForce,
    /// At least one trigger is not there: changes are not logged.
    Missing,
    /// At least one trigger is disabled, or not enabled ALWAYS: changes may not be logged.
    Disabled,
    /// The triggers, or the table that they were made for, are not what they were: what is logged may not be
    /// what the table holds.
    Altered,
    /// There is no such table.
    TableMissing,
    /// It can not be told.
    Unknown,
}

/// A watched table, and whether its changes are logged.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookCaptureResource", context = Context, scalar = ApiScalar)]
pub struct WebhookCaptureResource {
    /// The public name.
    pub resource: ResourceEnum,
    /// The table as the configuration names it.
    pub table: String,
    /// Whether its changes are logged.
    pub triggers: WebhookTriggerState,
    /// What is wrong and what to do about it; null when the triggers are in force.
    pub advice: Option<String>,
}

fn shown(
    wanted: &WantedResource,
    found: Result<TriggerState, InstallError>,
) -> Result<WebhookCaptureResource, ApiError> {
    use WebhookTriggerState as Shown;
    let table = &wanted.table;
    let (triggers, advice) = match found {
        Ok(state) => {
            let shown = match state {
                TriggerState::InForce => Shown::InForce,
                TriggerState::Missing => Shown::Missing,
                TriggerState::Disabled => Shown::Disabled,
                TriggerState::Altered => Shown::Altered,
            };
            (shown, state.advice(table))
        }
        Err(error @ InstallError::NoTable { .. }) => (Shown::TableMissing, Some(error.to_string())),
        Err(
            error @ (InstallError::NoColumn { .. }
            | InstallError::NoKey { .. }
            | InstallError::KeyExcluded { .. }
            | InstallError::EtagExcluded { .. }
            | InstallError::Unwatchable { .. }),
        ) => (Shown::Altered, Some(error.to_string())),
        Err(error @ (InstallError::NoRight { .. } | InstallError::Locked { .. })) => {
            (Shown::Unknown, Some(error.to_string()))
        }
        Err(InstallError::Store(error)) => return Err(error.into()),
    };
    Ok(WebhookCaptureResource {
        resource: (&wanted.name).into(),
        table: table.clone(),
        triggers,
        advice,
    })
}

/// `webhookCapture`.
pub async fn state(context: &Context) -> Result<WebhookCapture, ApiError> {
    Ok(WebhookCapture(context.services.capture.state().await?))
}

/// The lag, asked for once in a request.
pub async fn lag(context: &Context) -> Result<f64, ApiError> {
    let lag = context.capture_lag.load(()).await?;
    let lag = lag.ok_or_else(|| StoreError::corrupt("a lag is always known"))?;
    Ok(lag.as_secs_f64())
}
