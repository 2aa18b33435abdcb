//! How a receiver does, on its record.

use juniper::{GraphQLEnum, GraphQLObject};

use crate::domain::{
    receiver::Receiver,
    receiver_health::{HealthRecord, HealthState},
};

use super::{context::Context, error::ApiError, scalar::ApiScalar, scalars::DateTime};

/// How a receiver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookReceiverHealth", scalar = ApiScalar)]
pub enum WebhookReceiverHealth {
    /// Its last attempt delivered, or there was none yet.
    Healthy,
    /// Its last attempt failed. Each event is tried again by the retry policy.
    Failing,
    /// Its last ten attempts or more failed. It gets one request at a time, at intervals that grow from 5 seconds to 5
    /// minutes, until one delivers; then what waits goes, at first one by one. Meanwhile its events use up no
    /// attempts. After 5 days of nothing but failure it is deactivated.
    Probing,
    /// It is not active; `inactiveReason` says why if rowhook deactivated it.
    Inactive,
}

impl From<HealthState> for WebhookReceiverHealth {
    fn from(state: HealthState) -> Self {
        match state {
            HealthState::Healthy => Self::Healthy,
            HealthState::Failing => Self::Failing,
            HealthState::Probing => Self::Probing,
            HealthState::Inactive => Self::Inactive,
        }
    }
}

impl From<WebhookReceiverHealth> for HealthState {
    fn from(state: WebhookReceiverHealth) -> Self {
        match state {
            WebhookReceiverHealth::Healthy => Self::Healthy,
            WebhookReceiverHealth::Failing => Self::Failing,
            WebhookReceiverHealth::Probing => Self::Probing,
            WebhookReceiverHealth::Inactive => Self::Inactive,
        }
    }
}

/// What there is to say of a receiver's health.
#[derive(Clone, Debug, PartialEq, GraphQLObject)]
#[graphql(name = "WebhookReceiverHealthDetails", context = Context, scalar = ApiScalar)]
pub struct WebhookReceiverHealthDetails {
    /// Why it is in its state; null when it is HEALTHY.
    pub reason: Option<String>,
    /// Since when it is in its state; null when it has been HEALTHY from the beginning.
    pub since: Option<DateTime>,
    /// Attempts in a row that failed.
    pub failures: i32,
    /// When the first of them failed.
    pub failing_since: Option<DateTime>,
    /// Why the last of them failed.
    pub last_error: Option<String>,
    /// PROBING: when the next request goes, at the earliest. A test delivery, a redelivery or a change of the receiver
    /// lets one go at once.
    pub next_probe_at: Option<DateTime>,
}

/// `health`: what its record says of its activity goes before what was seen of it.
pub async fn state_of(
    context: &Context,
    receiver: &Receiver,
) -> Result<WebhookReceiverHealth, ApiError> {
    if !receiver.active {
        return Ok(WebhookReceiverHealth::Inactive);
    }
    let found = context.health_of.load(receiver.id).await?;
    let state = found.map_or(HealthState::Healthy, |found| found.health.state());
    Ok(state.into())
}

/// `healthDetails`.
pub async fn details_of(
    context: &Context,
    receiver: &Receiver,
) -> Result<WebhookReceiverHealthDetails, ApiError> {
    let found = context.health_of.load(receiver.id).await?;
    let (reason, since, health) = match found {
        None => (None, None, None),
        Some(HealthRecord {
            reason,
            since,
            health,
            ..
        }) => (reason, since, Some(health)),
    };
    let failures = health.as_ref().and_then(|health| health.failures.clone());
    let probing = health.and_then(|health| health.probing);
    Ok(WebhookReceiverHealthDetails {
        reason: reason.or_else(|| receiver.inactive_reason.clone()),
        since: since.map(DateTime),
        failures: failures.as_ref().map_or(0, |failures| {
            i32::try_from(failures.count).unwrap_or(i32::MAX)
        }),
        failing_since: failures.as_ref().map(|failures| DateTime(failures.since)),
        last_error: failures.map(|failures| failures.error),
        next_probe_at: probing.map(|probing| DateTime(probing.next_at)),
    })
}
