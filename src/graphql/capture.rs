//! `webhookCapture`: how far the reading of changes is, what it waits for, and whether each watched table still
//! has its triggers. Read only.

use juniper::{GraphQLEnum, GraphQLObject, graphql_object};

use crate::store::{
    StoreError,
    capture::{CaptureState, OpenTransaction},
    capture_notes::{Reconciled, TableNote},
    catalogue::{InstallError, TriggerState, WantedResource},
};

use super::{
    context::Context,
    error::ApiError,
    resource_enum::ResourceEnum,
    scalar::ApiScalar,
    scalars::{BigInt, DateTime},
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
    /// it, and once changes were restored from another cluster `@` with the id of the last of those), on SQLite the id
    /// of a logged change. It stands still while nothing changes.
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

    /// What came of the last comparison of changes with the events that they were owed, and of events with their
    /// attempts. The instance that reads changes makes one about every ten minutes (`capture.reconcile`); null before
    /// the first one.
    async fn reconciliation(
        &self,
        context: &Context,
    ) -> Result<Option<WebhookReconciliation>, ApiError> {
        let last = context.services.notes.last_reconciliation().await?;
        Ok(last.map(Into::into))
    }

    /// Each watched table and whether its triggers are in force, in the order of the configuration.
    async fn resources(&self, context: &Context) -> Result<Vec<WebhookCaptureResource>, ApiError> {
        let watched = &context.services.watched;
        let mut notes = context.services.notes.tables().await?;
        let mut resources = Vec::with_capacity(watched.wanted.len());
        for wanted in watched.wanted.iter() {
            let found = watched.installer.trigger_state(wanted).await;
            let place = notes.iter().position(|one| one.resource == wanted.name);
            let note = place.map(|place| notes.swap_remove(place));
            resources.push(shown(wanted, found, note)?);
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

/// What came of comparing changes with events and events with their attempts.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookReconciliation", context = Context, scalar = ApiScalar)]
pub struct WebhookReconciliation {
    /// When it was made, by the database's clock.
    pub ran_at: DateTime,
    /// How many changes were compared: the newest few thousand that were fanned out by then.
    pub changes: BigInt,
    /// How many events they were owed, by the subscriptions that were active when each of them committed.
    pub events_owed: BigInt,
    /// How many events there were of them; replayed ones do not count.
    pub events_found: BigInt,
    /// How many of the newest events were looked at for records that contradict themselves: a delivered one without an
    /// answered attempt, attempts that are counted but not recorded, states that can not be.
    pub events_checked: BigInt,
    /// How many differences there were: changes without an event that they were owed, events that nobody was owed,
    /// sequence numbers that no event has, records that contradict themselves. 0 is what should be. What committed in the
    /// very moment in which a subscription changed is left out, since either may be right.
    pub differences: BigInt,
    /// The first differences in words, 5 at most; the log has 20 of each comparison, and so has `rowhook doctor` of each kind.
    pub examples: Vec<String>,
}

impl From<Reconciled> for WebhookReconciliation {
    fn from(what: Reconciled) -> Self {
        let count = |count: u64| BigInt(i64::try_from(count).unwrap_or(i64::MAX));
        Self {
            ran_at: DateTime(what.ran_at),
            changes: count(what.changes),
            events_owed: count(what.owed),
            events_found: count(what.found),
            events_checked: count(what.events),
            differences: count(what.differences),
            examples: what.examples,
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
    /// When the instance that reads changes last looked at the table, which it does about once a minute
    /// (`capture.look_at_tables`); null before its first look. What it finds wrong it mends where it can.
    pub looked_at: Option<DateTime>,
    /// What was last found not to be as it should and what was done about it, in words, such as columns that came and
    /// went; null when nothing ever was. It stays when all is well again: see `notedAt`.
    pub note: Option<String>,
    /// When that was found; null without a note.
    pub noted_at: Option<DateTime>,
}

fn shown(
    wanted: &WantedResource,
    found: Result<TriggerState, InstallError>,
    note: Option<TableNote>,
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
            | InstallError::RenamedExcluded { .. }
            | InstallError::Unwatchable { .. }),
        ) => (Shown::Altered, Some(error.to_string())),
        Err(error @ (InstallError::NoRight { .. } | InstallError::Locked { .. })) => {
            (Shown::Unknown, Some(error.to_string()))
        }
        Err(InstallError::Store(error)) => return Err(error.into()),
    };
    let looked_at = note.as_ref().map(|note| DateTime(note.looked_at));
    let (note, noted_at) = note.and_then(|note| note.note).unzip();
    Ok(WebhookCaptureResource {
        resource: (&wanted.name).into(),
        table: table.clone(),
        triggers,
        advice,
        looked_at,
        note,
        noted_at: noted_at.map(DateTime),
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
