//! What goes over the wire for one event: the exact bytes, their signatures and every header
//! (CONTRACT §6).
//!
//! The sender asks for it just before an attempt. Only `webhook-timestamp` and the signatures over it
//! differ from one attempt to the next.

use chrono::{DateTime, Utc};

use crate::domain::{
    event::DueEvent,
    ids::EventId,
    receiver::{ContentType, DeliveryTarget},
    resource::Resource,
};

use super::{
    body::{Body, BodyParts},
    logged_row::UnreadableRow,
    signature::{ion_message, ion_signature, standard_signature},
};

/// What rowhook calls itself.
pub const USER_AGENT: &str = concat!("rowhook/", env!("CARGO_PKG_VERSION"));

/// A request without its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Every header, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// What the log should say beside the outcome.
    pub warning: Option<String>,
}

/// Why an event can not be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum Unsendable {
    /// The body is larger than the deployment sends.
    #[error(
        "the body has {size} bytes, more than max_payload ({limit} bytes) allows; raise max_payload \
         and redeliver, or exclude large columns"
    )]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The log row can not be read.
    #[error("the body can not be made: {0}")]
    Unreadable(#[from] UnreadableRow),
}

/// What an event's body is made of.
pub fn body_parts<'a>(event: &'a DueEvent, resource: &'a Resource) -> BodyParts<'a> {
    BodyParts {
        event_id: event.id,
        subscription_id: event.subscription_id,
        resource: &resource.name,
        definition: &resource.definition,
        action: event.action,
        transaction_id: event.transaction_id,
        occurred_at: event.occurred_at,
        row_id: &event.row_id,
        row_data: &event.row_data,
        old_values: event.old_values.as_deref(),
    }
}

/// The headers that a delivery has beside its receiver's own, in the order in which they are sent; `None` where the value
/// is made anew for each attempt: the time and the signatures. While two secrets sign there is
/// `x-ion-signature-previous` too.
pub fn plain_headers(
    id: EventId,
    sequence: Option<i64>,
    content_type: ContentType,
    has_ion: bool,
) -> Vec<(&'static str, Option<String>)> {
    let mut headers = vec![
        ("content-type", Some(content_type.header().to_owned())),
        ("user-agent", Some(USER_AGENT.to_owned())),
    ];
    if has_ion {
        headers.push(("x-ion-signature", None));
    }
    headers.push(("webhook-id", Some(id.to_string())));
    headers.push(("webhook-timestamp", None));
    headers.push(("webhook-signature", None));
    headers.push(match sequence {
        Some(sequence) => ("x-rowhook-sequence", Some(sequence.to_string())),
        None => ("x-rowhook-test", Some("true".to_owned())),
    });
    headers
}

/// Builds and signs the request.
pub fn prepare(
    event: &DueEvent,
    resource: &Resource,
    target: &DeliveryTarget,
    now: DateTime<Utc>,
    max_payload: usize,
) -> Result<Prepared, Unsendable> {
    let parts = body_parts(event, resource);
    let body = Body::build(&parts)?;
    let size = body.text().len();
    if size > max_payload {
        return Err(Unsendable::TooLarge {
            size,
            limit: max_payload,
        });
    }
    let content_type = target.receiver.content_type;
    let encoded = body.encoded(content_type, &parts);
    let mut headers = Vec::with_capacity(8 + target.headers.len());
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
    add("content-type", content_type.header().to_owned());
    add("user-agent", USER_AGENT.to_owned());
    let previous = target
        .previous_secret
        .as_ref()
        .filter(|(_, until)| now < *until)
        .map(|(secret, _)| secret);
    let warning = match ion_message(&target.receiver.webhook_uri, body.data()) {
        Ok(message) => {
            add("x-ion-signature", ion_signature(&target.secret, &message));
            if let Some(previous) = previous {
                add(
                    "x-ion-signature-previous",
                    ion_signature(previous, &message),
                );
            }
            None
        }
        Err(unsignable) => Some(format!(
            "sent without x-ion-signature, which can not be computed for this data: {unsignable}"
        )),
    };
    let id = event.id.to_string();
    let seconds = now.timestamp();
    let mut signature = standard_signature(&target.secret, &id, seconds, encoded.as_bytes());
    if let Some(previous) = previous {
        signature.push(' ');
        signature.push_str(&standard_signature(
            previous,
            &id,
            seconds,
            encoded.as_bytes(),
        ));
    }
    add("webhook-id", id);
    add("webhook-timestamp", seconds.to_string());
    add("webhook-signature", signature);
    if let Some(sequence) = event.sequence {
        add("x-rowhook-sequence", sequence.to_string());
    }
    if event.is_test() {
        add("x-rowhook-test", "true".to_owned());
    }
    for header in &target.headers {
        add(&header.key, header.value.clone());
    }
    Ok(Prepared {
        headers,
        body: encoded,
        warning,
    })
}
