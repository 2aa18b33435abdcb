//! Figures on deliveries, of all receivers or of one. Read only; the console shows them.

use juniper::{GraphQLObject, graphql_object};

use crate::domain::{
    ids::ReceiverId,
    stats::{DeliveryStats, QueueStats},
};

use super::{
    capture, context::Context, error::ApiError, receiver::existing, scalar::ApiScalar,
    scalars::BigInt,
};

/// Whose figures: what they are is asked for field by field.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    receiver: Option<ReceiverId>,
}

impl From<Option<ReceiverId>> for Stats {
    fn from(receiver: Option<ReceiverId>) -> Self {
        Self { receiver }
    }
}

impl Stats {
    /// Of one receiver.
    pub fn of(receiver: ReceiverId) -> Self {
        Self {
            receiver: Some(receiver),
        }
    }

    async fn queue(self, context: &Context) -> Result<QueueStats, ApiError> {
        Ok(context
            .queues
            .load(self.receiver)
            .await?
            .unwrap_or_default())
    }

    async fn deliveries(self, context: &Context) -> Result<DeliveryStats, ApiError> {
        let found = context.deliveries.load(self.receiver).await?;
        Ok(found.unwrap_or_default())
    }
}

/// How deliveries go, of all receivers or of one, whichever instance makes them. Read from the database:
/// rates are of the last minute (60 to 75 s), the share and the latency of the last five minutes, and an
/// attempt counts when its outcome is recorded.
#[graphql_object]
#[graphql(name = "WebhookStats", context = Context, scalar = ApiScalar)]
impl Stats {
    /// Events that are owed: ready, waiting for their next attempt, or behind an earlier one of their row; those
    /// of inactive receivers are among them. Counted up to 100000 for all receivers and up to 10000 for one, which
    /// also stand for more.
    async fn pending(&self, context: &Context) -> Result<BigInt, ApiError> {
        let pending = self.queue(context).await?.pending;
        Ok(BigInt(i64::try_from(pending).unwrap_or(i64::MAX)))
    }

    /// Seconds since the oldest pending event was made; null when none is pending.
    async fn oldest_pending_seconds(&self, context: &Context) -> Result<Option<f64>, ApiError> {
        let oldest = self.queue(context).await?.oldest;
        Ok(oldest.map(|age| age.as_secs_f64()))
    }

    /// Attempts that delivered, per second of the last minute.
    async fn delivered_per_second(&self, context: &Context) -> Result<f64, ApiError> {
        Ok(self.deliveries(context).await?.delivered_per_second)
    }

    /// Attempts that did not deliver, per second of the last minute, whether their events are tried again or
    /// given up; an event that could not be sent at all counts as one.
    async fn failed_per_second(&self, context: &Context) -> Result<f64, ApiError> {
        Ok(self.deliveries(context).await?.failed_per_second)
    }

    /// The share of the attempts of the last five minutes that delivered, 0 to 1; null when there were none.
    async fn success_rate(&self, context: &Context) -> Result<Option<f64>, ApiError> {
        Ok(self.deliveries(context).await?.success_rate)
    }

    /// How long it took from commit (`occurredAt`) to delivery, waiting and retries included, of the
    /// deliveries of the last five minutes; null when there were none. Events that were sent again by hand
    /// or made of kept history are left out.
    async fn latency_ms(&self, context: &Context) -> Result<Option<WebhookLatency>, ApiError> {
        let latency = self.deliveries(context).await?.latency;
        Ok(latency.map(|latency| WebhookLatency {
            p50: latency.p50,
            p99: latency.p99,
        }))
    }

    /// Seconds that the oldest change has waited that is committed and of which no events are made yet, for all
    /// receivers; 0 when there is none (see `webhookCapture`).
    async fn capture_lag_seconds(&self, context: &Context) -> Result<f64, ApiError> {
        capture::lag(context).await
    }
}

/// How long deliveries took, in milliseconds, to within a tenth.
#[derive(Clone, Copy, Debug, PartialEq, GraphQLObject)]
#[graphql(name = "WebhookLatency", context = Context, scalar = ApiScalar)]
pub struct WebhookLatency {
    /// Half of the deliveries took no longer.
    pub p50: f64,
    /// 99 % of the deliveries took no longer.
    pub p99: f64,
}

/// `webhookStats`.
pub async fn of(context: &Context, receiver: Option<i32>) -> Result<Stats, ApiError> {
    let receiver = receiver.map(ReceiverId);
    if let Some(id) = receiver {
        existing(context, id).await?;
    }
    Ok(receiver.into())
}
