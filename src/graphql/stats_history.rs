//! `webhookStatsHistory`: how deliveries went, step by step. Read only.

use std::ops::RangeInclusive;

use chrono::Utc;
use juniper::GraphQLObject;

use crate::{
    domain::{ids::ReceiverId, stats::StatsStep},
    policy::history::Steps,
};

use super::{
    context::Context,
    error::{ApiError, InputPath},
    receiver::existing,
    scalar::ApiScalar,
    scalars::{BigInt, DateTime},
    stats::WebhookLatency,
    validate::whole,
};

/// The descriptions and the defaults of the arguments name these too.
const DEFAULT_SECONDS: i32 = 3600;
const DEFAULT_STEPS: i32 = 60;
/// From a few slots to what is kept.
const SECONDS: RangeInclusive<i32> = 60..=86_400;
/// More points than this no chart can show.
const STEPS: RangeInclusive<i32> = 1..=240;

/// How deliveries went in a stretch of time. An attempt counts in the moment in which its outcome is recorded.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookStatsStep", context = Context, scalar = ApiScalar)]
pub struct WebhookStatsStep {
    /// When it began.
    pub from: DateTime,
    /// How long it is. The last step of a list is the present one and not over.
    pub seconds: i32,
    /// Attempts that delivered.
    pub delivered: BigInt,
    /// Attempts that did not deliver, whether their events are tried again or given up; an event that could not be sent
    /// at all counts as one.
    pub failed_attempts: BigInt,
    /// How long it took from commit to delivery, waiting and retries included; null when nothing was delivered. Events
    /// that were sent again by hand or made of kept history are left out.
    pub latency_ms: Option<WebhookLatency>,
}

impl From<StatsStep> for WebhookStatsStep {
    fn from(step: StatsStep) -> Self {
        let count = |count: u64| BigInt(i64::try_from(count).unwrap_or(i64::MAX));
        Self {
            from: DateTime(step.from),
            seconds: i32::try_from(step.seconds).unwrap_or(i32::MAX),
            delivered: count(step.delivered),
            failed_attempts: count(step.failed),
            latency_ms: step.latency.map(|latency| WebhookLatency {
                p50: latency.p50,
                p99: latency.p99,
            }),
        }
    }
}

/// `webhookStatsHistory`.
pub async fn of(
    context: &Context,
    receiver: Option<i32>,
    seconds: Option<i32>,
    steps: Option<i32>,
) -> Result<Vec<WebhookStatsStep>, ApiError> {
    let at = InputPath::argument;
    let seconds = whole(seconds.unwrap_or(DEFAULT_SECONDS), SECONDS, &at("seconds"))?;
    let steps = whole(steps.unwrap_or(DEFAULT_STEPS), STEPS, &at("steps"))?;
    let receiver = receiver.map(ReceiverId);
    if let Some(id) = receiver {
        existing(context, id).await?;
    }
    let steps = Steps::new(Utc::now(), seconds, steps);
    let told = context.services.stats.history(receiver, steps).await?;
    Ok(told.into_iter().map(Into::into).collect())
}
