//! A registered endpoint, and how it wants to be spoken to.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::{
    api_key::Author,
    client_identity::ClientIdentity,
    ids::{HeaderId, ReceiverId},
    receiver_health::ReceiverHealth,
    shared_secret::SharedSecret,
};

/// How the body travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentType {
    /// `application/json`, the body as it is.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`, the body in the field `payload`.
    Form,
    /// `application/cloudevents+json`, structured mode with the body as its data.
    CloudEvents,
}

impl ContentType {
    /// Every content type.
    pub const ALL: [Self; 3] = [Self::Json, Self::Form, Self::CloudEvents];

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
            Self::CloudEvents => "cloudevents",
        }
    }

    /// The `content-type` header.
    pub fn header(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::CloudEvents => "application/cloudevents+json",
        }
    }
}

/// Whether events of one row keep their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ordering {
    /// A later event of a row is not sent before the earlier one is settled.
    #[default]
    PerRow,
    /// Events are sent as soon as they can be.
    None,
}

impl Ordering {
    /// Both orderings.
    pub const ALL: [Self; 2] = [Self::PerRow, Self::None];

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PerRow => "PER_ROW",
            Self::None => "NONE",
        }
    }
}

/// A word that the setting does not know.
#[derive(Debug, thiserror::Error)]
#[error("{given:?} is not one of {known}")]
pub struct UnknownWord {
    /// What was given.
    pub given: String,
    /// The words that are known.
    pub known: &'static str,
}

impl UnknownWord {
    /// The one of `all` whose word this is; `known` lists their words.
    pub(super) fn or_one_of<T: Copy>(
        all: &[T],
        word: fn(T) -> &'static str,
        given: &str,
        known: &'static str,
    ) -> Result<T, Self> {
        let found = all.iter().copied().find(|one| word(*one) == given);
        found.ok_or_else(|| Self {
            given: given.to_owned(),
            known,
        })
    }
}

impl FromStr for ContentType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        UnknownWord::or_one_of(&Self::ALL, Self::as_str, text, "json, form, cloudevents")
    }
}

impl FromStr for Ordering {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        UnknownWord::or_one_of(&Self::ALL, Self::as_str, text, "PER_ROW, NONE")
    }
}

/// At most `burst + per_second × t` requests start in any window of t seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Requests per second; may be a fraction, always above zero.
    pub per_second: f64,
    /// How many may start at once after a pause; at least 1.
    pub burst: u32,
}

impl RateLimit {
    /// The burst of a limit that names none: a tenth of a second's worth, at least 1, so that timer
    /// precision never costs throughput.
    pub fn default_burst(per_second: f64) -> u32 {
        // The cast saturates, and the value is positive.
        ((per_second / 10.0).ceil() as u32).max(1)
    }
}

/// When a failed event is tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included; at least 1.
    pub max_attempts: u32,
    /// The pause after the first attempt.
    pub initial_delay: Duration,
    /// Each further pause is this much longer; at least 1.
    pub multiplier: f64,
    /// No pause is longer.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    /// CONTRACT §7.7: 12 attempts, 5 s, times 4, capped at 6 h: a bit over 31 hours in all.
    fn default() -> Self {
        Self {
            max_attempts: 12,
            initial_delay: Duration::from_secs(5),
            multiplier: 4.0,
            max_delay: Duration::from_secs(6 * 60 * 60),
        }
    }
}

/// The retry settings of a receiver as its owner set them; `None` is the default of that one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetryOverrides {
    /// See [`RetryPolicy::max_attempts`].
    pub max_attempts: Option<u32>,
    /// See [`RetryPolicy::initial_delay`].
    pub initial_delay: Option<Duration>,
    /// See [`RetryPolicy::multiplier`].
    pub multiplier: Option<f64>,
    /// See [`RetryPolicy::max_delay`].
    pub max_delay: Option<Duration>,
}

impl RetryOverrides {
    /// The policy in force.
    pub fn over(self, default: RetryPolicy) -> RetryPolicy {
        RetryPolicy {
            max_attempts: self.max_attempts.unwrap_or(default.max_attempts),
            initial_delay: self.initial_delay.unwrap_or(default.initial_delay),
            multiplier: self.multiplier.unwrap_or(default.multiplier),
            max_delay: self.max_delay.unwrap_or(default.max_delay),
        }
    }
}

/// A receiver's record, without its secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// Its id.
    pub id: ReceiverId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where deliveries go; signed letter by letter as it was registered.
    pub webhook_uri: String,
    /// How the body travels.
    pub content_type: ContentType,
    /// The only status that counts as delivered.
    pub expected_response_code: u16,
    /// An inactive receiver gets no new events, and its pending ones wait.
    pub active: bool,
    /// Why it is inactive.
    pub inactive_reason: Option<String>,
    /// The throttle; `None`: unlimited.
    pub rate_limit: Option<RateLimit>,
    /// Requests in flight at once; `None`: the default.
    pub max_in_flight: Option<u32>,
    /// The time for a whole attempt; `None`: the default.
    pub timeout: Option<Duration>,
    /// The retry settings that differ from the default.
    pub retry: RetryOverrides,
    /// Order per row.
    pub ordering: Ordering,
    /// The certificate that rowhook shows to it, PEM; its key stays in the store.
    pub client_certificate: Option<String>,
    /// Who made it.
    pub created_by: Author,
    /// Who changed it last.
    pub updated_by: Author,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// Changes with each change of the record.
    pub etag: String,
}

/// A custom header of a receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookHeader {
    /// Its id.
    pub id: HeaderId,
    /// The receiver that it is sent to.
    pub receiver_id: ReceiverId,
    /// The header's name, lower case.
    pub key: String,
    /// Its value; never logged.
    pub value: String,
    /// Changes with each change of the record.
    pub etag: String,
}

impl fmt::Debug for WebhookHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookHeader")
            .field("id", &self.id)
            .field("receiver_id", &self.receiver_id)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What a sender needs to speak to its receiver.
#[derive(Clone, Debug)]
pub struct DeliveryTarget {
    /// The record.
    pub receiver: Receiver,
    /// Signs each delivery.
    pub secret: SharedSecret,
    /// Signs beside it while a rotation's overlap lasts.
    pub previous_secret: Option<(SharedSecret, DateTime<Utc>)>,
    /// Sent with each delivery.
    pub headers: Vec<WebhookHeader>,
    /// How it does, as far as that is written.
    pub health: ReceiverHealth,
    /// Shown to the receiver where it asks for a certificate.
    pub client_identity: Option<Arc<ClientIdentity>>,
}
