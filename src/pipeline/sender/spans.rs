//! What a trace tells of an attempt, by OpenTelemetry's conventions for HTTP clients where they have a name for it.
//!
//! Nothing of a row, no header and no query of a URI leaves by this way: those may hold what a collector must not know.

use std::time::SystemTime;

use crate::{
    domain::{
        attempt::{Answer, SendError, Verdict},
        event::{DueEvent, NewEvent},
        ids::EventId,
        resource::Resource,
    },
    telemetry::{AttemptSpan, AttemptTrace, Attribute, TraceKey},
};

use super::attempt::AttemptParts;

/// The key of an event that is sent.
pub fn key_of(event: &DueEvent) -> TraceKey {
    TraceKey {
        event: event.id.0,
        subscription: event.subscription_id.0.into(),
        row: event.rows.row,
        occurred_at: event.occurred_at.into(),
    }
}

/// The same of one that is made.
pub fn key_of_new(event: &NewEvent, id: EventId) -> TraceKey {
    TraceKey {
        event: id.0,
        subscription: event.subscription_id.0.into(),
        row: event.rows.row,
        occurred_at: event.occurred_at.into(),
    }
}

/// What the first span of an event tells.
pub fn of_event(event: &NewEvent, id: EventId, resource: &Resource) -> Vec<Attribute> {
    vec![
        Attribute::new("rowhook.event_id", id.0),
        Attribute::new(
            "rowhook.subscription_id",
            i64::from(event.subscription_id.0),
        ),
        Attribute::new("rowhook.receiver_id", i64::from(event.receiver_id.0)),
        Attribute::new("rowhook.resource", resource.name.as_str().to_owned()),
        Attribute::new("rowhook.action", event.action.in_body()),
        Attribute::new("rowhook.transaction_id", event.transaction_id.0),
    ]
}

/// An attempt has ended.
pub fn ended(
    trace: &AttemptTrace,
    parts: &AttemptParts,
    began: SystemTime,
    result: &Result<Answer, SendError>,
    verdict: Verdict,
    error: Option<&str>,
) {
    if !trace.is_sampled() {
        return;
    }
    let event = &parts.event;
    let mut attributes = vec![
        Attribute::new("http.request.method", "POST"),
        Attribute::new("rowhook.event_id", event.id.0),
        Attribute::new("rowhook.receiver_id", i64::from(parts.target.receiver.id.0)),
        Attribute::new("rowhook.attempt", i64::from(event.attempt_count) + 1),
    ];
    if event.attempt_count > 0 {
        let count = i64::from(event.attempt_count);
        attributes.push(Attribute::new("http.request.resend_count", count));
    }
    if let Ok(mut uri) = url::Url::parse(&parts.target.receiver.webhook_uri) {
        uri.set_query(None);
        let host = uri.host_str().unwrap_or_default().to_owned();
        attributes.push(Attribute::new("server.address", host));
        if let Some(port) = uri.port_or_known_default() {
            attributes.push(Attribute::new("server.port", i64::from(port)));
        }
        attributes.push(Attribute::new("url.full", uri.to_string()));
    }
    let status = result.as_ref().ok().map(|answer| answer.status);
    if let Some(status) = status {
        let status = i64::from(status);
        attributes.push(Attribute::new("http.response.status_code", status));
    }
    let delivered = verdict == Verdict::Delivered;
    match (delivered, result) {
        (true, _) => {}
        (false, Ok(answer)) => {
            attributes.push(Attribute::new("error.type", answer.status.to_string()));
        }
        (false, Err(error)) => attributes.push(Attribute::new("error.type", kind(error))),
    }
    trace.ended(AttemptSpan {
        began,
        ended: SystemTime::now(),
        attributes,
        error: error.filter(|_| !delivered).map(str::to_owned),
    });
}

/// Why there is no answer, in a word.
fn kind(error: &SendError) -> &'static str {
    match error {
        SendError::Uri(_) => "uri",
        SendError::Header { .. } => "header",
        SendError::Local { .. } => "local",
        SendError::Dns { .. } => "dns",
        SendError::Forbidden { .. } => "forbidden",
        SendError::Connect { .. } => "connect",
        SendError::Proxied { .. } => "proxy",
        SendError::Tls { .. } => "tls",
        SendError::Timeout { .. } => "timeout",
        SendError::Broken { .. } => "broken",
    }
}
