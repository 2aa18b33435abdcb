//! What a receiver answered last, on its record.

use juniper::GraphQLObject;

use crate::store::event_log::LastAttempt;

use super::{
    context::Context,
    scalar::ApiScalar,
    scalars::{BigInt, DateTime},
};

/// The latest attempt of a receiver, in short.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookLastAttempt", context = Context, scalar = ApiScalar)]
pub struct WebhookLastAttempt {
    /// The event that it was made for; `deliveryAttempts` there has all of it.
    pub event_id: BigInt,
    /// When the request started.
    pub started_at: DateTime,
    /// Milliseconds until the answer was complete or the attempt was given up.
    pub duration_ms: BigInt,
    /// The HTTP status of the answer; null when none came.
    pub response_status: Option<i32>,
    /// Why the attempt is no delivery, in words that say what to mend; null where it delivered.
    pub error: Option<String>,
}

impl From<LastAttempt> for WebhookLastAttempt {
    fn from(attempt: LastAttempt) -> Self {
        Self {
            event_id: BigInt(attempt.event_id.0),
            started_at: DateTime(attempt.started_at),
            duration_ms: BigInt(i64::try_from(attempt.duration.as_millis()).unwrap_or(i64::MAX)),
            response_status: attempt.response_status.map(Into::into),
            error: attempt.error,
        }
    }
}
