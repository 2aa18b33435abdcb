//! What a person may say of a receiver in the API. The rules that it must keep are `receiver_change`'s;
//! the limits named in the descriptions here are the constants there.

use juniper::{GraphQLEnum, GraphQLInputObject, Nullable};

use crate::domain::receiver::Ordering;

use super::scalar::ApiScalar;

/// Whether events of one row keep their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookOrdering", scalar = ApiScalar)]
pub enum WebhookOrdering {
    /// A later event of a row is not sent before the earlier one is delivered or has finally failed.
    PerRow,
    /// Events are sent as soon as they can be, whatever their rows.
    None,
}

impl From<Ordering> for WebhookOrdering {
    fn from(ordering: Ordering) -> Self {
        match ordering {
            Ordering::PerRow => Self::PerRow,
            Ordering::None => Self::None,
        }
    }
}

impl From<WebhookOrdering> for Ordering {
    fn from(ordering: WebhookOrdering) -> Self {
        match ordering {
            WebhookOrdering::PerRow => Self::PerRow,
            WebhookOrdering::None => Self::None,
        }
    }
}

/// A throttle: in any window of t seconds at most `burst + perSecond × t` requests start.
#[derive(Clone, Copy, Debug, GraphQLInputObject)]
#[graphql(name = "WebhookRateLimitInput", scalar = ApiScalar)]
pub struct WebhookRateLimitInput {
    /// Requests per second, 0.00001 to 100000; may be a fraction.
    pub per_second: f64,
    /// How many may start at once after a pause, 1 to 100000. Unless given, a tenth of a second's worth,
    /// at least 1.
    pub burst: Option<i32>,
}

/// Retry settings; what is absent stays as it is, what is null goes back to its default.
#[derive(Clone, Copy, Debug, GraphQLInputObject)]
#[graphql(name = "WebhookRetryPolicyInput", scalar = ApiScalar)]
pub struct WebhookRetryPolicyInput {
    /// Attempts in all, the first included, 1 to 100. Default 12.
    pub max_attempts: Nullable<i32>,
    /// Milliseconds between the first attempt and the second, 1 to 604800000 (7 days). Default 5000.
    pub initial_delay_ms: Nullable<i32>,
    /// Each further pause is this many times the one before, 1 to 100. Default 4.
    pub multiplier: Nullable<f64>,
    /// Milliseconds that no pause exceeds, 1 to 604800000 (7 days). Default 21600000 (6 hours).
    pub max_delay_ms: Nullable<i32>,
}

/// A new receiver. What is absent or null gets its default.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "CreateWebhookReceiverInput", scalar = ApiScalar)]
pub struct CreateWebhookReceiverInput {
    /// What people call it, 1 to 255 characters.
    pub name: String,
    /// Where deliveries are posted: an absolute https URI without credentials, at most 2048 characters.
    pub webhook_uri: String,
    /// What it is for, at most 10000 characters.
    pub description: Option<String>,
    /// How the body travels: `json` (the default), `form` or `cloudevents`.
    pub content_type: Option<String>,
    /// The only HTTP status that counts as delivered, 100 to 599. Default 200.
    pub expected_response_code: Option<i32>,
    /// Whether it gets events. Default true.
    pub active: Option<bool>,
    /// How often requests to it may start. Default: as often as there are events.
    pub rate_limit: Option<WebhookRateLimitInput>,
    /// Requests that may be under way at once, 1 to 1000. Default: the deployment's (16 unless
    /// configured).
    pub max_in_flight: Option<i32>,
    /// Milliseconds that a whole attempt may take, 100 to 60000. Default: the deployment's (5000 unless
    /// configured).
    pub timeout_ms: Option<i32>,
    /// When a failed event is tried again.
    pub retry_policy: Option<WebhookRetryPolicyInput>,
    /// Whether events of one row keep their order. Default PER_ROW.
    pub ordering: Option<WebhookOrdering>,
    /// What rowhook shows to a receiver that asks for a client certificate (mutual TLS): PEM, the certificate
    /// first, then its chain if it has one; at most 64 KiB. `clientKey` goes with it. Default: none.
    pub client_certificate: Option<String>,
    /// The private key of `clientCertificate`: PEM without a passphrase, at most 16 KiB, RSA (2048 to 8192 bits),
    /// ECDSA (P-256, P-384) or Ed25519. It is kept encrypted and never shown again.
    pub client_key: Option<String>,
}

/// A change of a receiver. What is absent stays as it is, what is null goes back to its default.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "UpdateWebhookReceiverInput", scalar = ApiScalar)]
pub struct UpdateWebhookReceiverInput {
    /// The receiver's id.
    pub id: i32,
    /// The `_etag` that was read; the update fails with CONFLICT when the receiver has changed since.
    pub etag: String,
    /// What people call it, 1 to 255 characters; can not be null.
    pub name: Nullable<String>,
    /// Where deliveries are posted: an absolute https URI without credentials, at most 2048 characters;
    /// can not be null.
    pub webhook_uri: Nullable<String>,
    /// What it is for, at most 10000 characters. Default: nothing.
    pub description: Nullable<String>,
    /// How the body travels: `json` (the default), `form` or `cloudevents`.
    pub content_type: Nullable<String>,
    /// The only HTTP status that counts as delivered, 100 to 599. Default 200.
    pub expected_response_code: Nullable<i32>,
    /// Whether it gets events. Default true. Making a receiver active again clears `inactiveReason` and
    /// sends what waits for it.
    pub active: Nullable<bool>,
    /// How often requests to it may start. Default: as often as there are events.
    pub rate_limit: Nullable<WebhookRateLimitInput>,
    /// Requests that may be under way at once, 1 to 1000. Default: the deployment's (16 unless
    /// configured).
    pub max_in_flight: Nullable<i32>,
    /// Milliseconds that a whole attempt may take, 100 to 60000. Default: the deployment's (5000 unless
    /// configured).
    pub timeout_ms: Nullable<i32>,
    /// When a failed event is tried again; null sets all of it back.
    pub retry_policy: Nullable<WebhookRetryPolicyInput>,
    /// Whether events of one row keep their order. Default PER_ROW.
    pub ordering: Nullable<WebhookOrdering>,
    /// What rowhook shows to a receiver that asks for a client certificate (mutual TLS): PEM, the certificate
    /// first, then its chain if it has one; at most 64 KiB. `clientKey` goes with it; null removes both. Requests
    /// that start more than a second after the answer go by it, on connections of their own.
    pub client_certificate: Nullable<String>,
    /// The private key of `clientCertificate`: PEM without a passphrase, at most 16 KiB, RSA (2048 to 8192 bits),
    /// ECDSA (P-256, P-384) or Ed25519. It is kept encrypted and never shown again.
    pub client_key: Nullable<String>,
}

/// Which receiver goes.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "DeleteWebhookReceiverInput", scalar = ApiScalar)]
pub struct DeleteWebhookReceiverInput {
    /// The receiver's id.
    pub id: i32,
    /// The `_etag` that was read: the deletion fails with CONFLICT when the receiver has changed since.
    /// Unless given, the receiver is deleted as it is.
    pub etag: Option<String>,
}

/// A new secret for a receiver.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "RotateWebhookReceiverSecretInput", scalar = ApiScalar)]
pub struct RotateWebhookReceiverSecretInput {
    /// The receiver's id.
    pub id: i32,
    /// For so many seconds deliveries are signed with the present secret too, 0 to 2592000 (30 days). With
    /// 0 no request that starts after the answer is. Default 86400 (a day).
    #[graphql(default = Some(86_400))]
    pub overlap_seconds: Option<i32>,
}
