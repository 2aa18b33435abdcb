//! One HTTP request made for an event, and what became of it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    ids::{EventId, ReceiverId},
    receiver_health::ReceiverHealth,
};

/// Bytes of a response that the log keeps (CONTRACT §7.9).
pub const KEPT_RESPONSE_BYTES: usize = 16 * 1024;

/// A receiver's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers with their values as they came, names in lower case and in alphabetical order
    /// (the HTTP client does not tell in which order they came).
    pub headers: Vec<(String, String)>,
    /// The first [`KEPT_RESPONSE_BYTES`] of the body, as text (invalid UTF-8 replaced).
    pub body: String,
}

/// The part of an attempt in which its time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Resolving the name, connecting, the TLS handshake.
    Connect,
    /// Sending the request and waiting for the answer's head.
    Answer,
    /// Reading the answer's body.
    Body,
}

/// Why there is no answer. The texts are what the user reads, and tell what to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The URI can not be used at all.
    #[error("the webhook URI can not be used: {0}")]
    Uri(String),
    /// A header that HTTP can not carry. Its value is left out: it may be a secret.
    #[error("the header {name:?} can not be sent; check its name and value in the receiver")]
    Header {
        /// The header's name.
        name: String,
    },
    /// The fault is on rowhook's own machine, so it must not be counted against the receiver.
    #[error("rowhook could not connect from its side: {detail}")]
    Local {
        /// What failed, and what its operator can mend.
        detail: String,
    },
    /// The name did not resolve.
    #[error(
        "DNS: {host} did not resolve ({detail}); check the host name in the receiver's webhookUri"
    )]
    Dns {
        /// The host.
        host: String,
        /// The resolver's words.
        detail: String,
    },
    /// The address guard refused every address of the host.
    #[error(
        "refused by rowhook: {host} is at {address}, {reason}; if that is meant, allow it in \
         receivers.allow_private_networks"
    )]
    Forbidden {
        /// The host.
        host: String,
        /// The address that was refused.
        address: String,
        /// What kind of address it is.
        reason: String,
    },
    /// Nothing listens there, or the way there is closed.
    #[error(
        "could not connect to {host}: {detail}; check that the receiver runs and lets rowhook in"
    )]
    Connect {
        /// The host.
        host: String,
        /// The address and what the system says of it.
        detail: String,
    },
    /// The operator's proxy could not, or would not, connect to the receiver.
    #[error("the proxy could not connect to {host}: {detail}")]
    Proxied {
        /// The host.
        host: String,
        /// The address, what the proxy says of it, and what to mend.
        detail: String,
    },
    /// The TLS handshake failed.
    #[error("TLS with {host}: {detail}")]
    Tls {
        /// The host.
        host: String,
        /// The certificate's or protocol's fault.
        detail: String,
    },
    /// The time ran out.
    #[error("no complete answer within {} ms ({}); {}, or raise timeoutMs", .after.as_millis(), .phase.words(), .phase.advice())]
    Timeout {
        /// The limit.
        after: Duration,
        /// Where it ran out.
        phase: Phase,
    },
    /// The connection broke, or what came was no HTTP.
    #[error("the connection to {host} broke: {detail}")]
    Broken {
        /// The host.
        host: String,
        /// What was seen.
        detail: String,
    },
}

impl SendError {
    /// Whether the fault is rowhook's own; such an attempt is not counted (CONTRACT §7.7).
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Local { .. } => true,
            Self::Uri(_)
            | Self::Header { .. }
            | Self::Dns { .. }
            | Self::Forbidden { .. }
            | Self::Connect { .. }
            | Self::Proxied { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Broken { .. } => false,
        }
    }
}

impl Phase {
    /// Where the time ran out, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Connect => "while connecting",
            Self::Answer => "while waiting for the answer",
            Self::Body => "while reading the answer's body",
        }
    }

    /// What the receiver's owner can do about it.
    fn advice(self) -> &'static str {
        match self {
            Self::Connect => "check that the receiver runs and lets rowhook in",
            Self::Answer => "answer first and process later",
            Self::Body => "answer with a short body and its length",
        }
    }
}

/// One attempt as the log keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// When the request started.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration: Duration,
    /// The answer, if one came.
    pub answer: Option<Answer>,
    /// Why it is no delivery, in words.
    pub error: Option<String>,
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Delivered; never sent again.
    Delivered,
    /// Another attempt after this pause.
    Retry {
        /// The pause.
        after: Duration,
        /// Whether the attempt counts against the event's budget; one that failed by rowhook's own
        /// fault does not.
        counted: bool,
    },
    /// Given up.
    Failed,
}

/// What the outcome recorder writes for one event.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The event.
    pub event_id: EventId,
    /// Its receiver.
    pub receiver_id: ReceiverId,
    /// Attempts that had been made before this one: an outcome that is written twice is told by it.
    pub attempts_before: i32,
    /// Attempts of the present budget that are used up with this one.
    pub budget_used: i32,
    /// The round of redelivery that the attempt belonged to.
    pub redelivery: i32,
    /// The attempt; `None` where none was made (a body too large, a body that can not be built).
    pub attempt: Option<Attempt>,
    /// Why no attempt was made.
    pub reason: Option<String>,
    /// What follows.
    pub verdict: Verdict,
    /// When the next attempt is due, on [`Verdict::Retry`].
    pub due_at: Option<DateTime<Utc>>,
    /// How its receiver does after it; `None`: as before.
    pub health: Option<ReceiverHealth>,
    /// With this one a receiver that was probed takes deliveries again.
    pub recovered: bool,
}
