//! The request of an event: what is sent, what is signed, with which headers. Made as the sender makes it, from what is
//! kept and from the receiver as it is now.

use juniper::GraphQLObject;

use crate::{
    domain::receiver::{ContentType, Receiver},
    policy::{
        body::{Body, BodyParts},
        delivery::plain_headers,
        signature::ion_message,
    },
    store::event_log::LoggedEvent,
};

use super::{
    context::Context, error::ApiError, header::shown_value, receiver::named, scalar::ApiScalar,
};

/// A header of a delivery.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookHeaderLine", context = Context, scalar = ApiScalar)]
pub struct WebhookHeaderLine {
    /// The header's name, in lower case.
    pub name: String,
    /// The header's value; null where it is made anew for each attempt: the time and the signatures. A receiver's own
    /// headers read `••••` for keys with role viewer.
    pub value: Option<String>,
}

fn parts(event: &LoggedEvent) -> Option<BodyParts<'_>> {
    Some(BodyParts {
        event_id: event.id,
        subscription_id: event.subscription_id,
        resource: &event.resource,
        definition: &event.definition,
        action: event.action,
        transaction_id: event.transaction_id,
        occurred_at: event.occurred_at,
        row_id: &event.row_id,
        row_data: event.row_data.as_deref()?,
        old_values: event.old_values.as_deref(),
    })
}

fn body(event: &LoggedEvent, parts: &BodyParts<'_>) -> Result<Body, ApiError> {
    Body::build(parts).map_err(|unreadable| {
        ApiError::internal(&format_args!(
            "the body of event {} can not be built: {unreadable}",
            event.id
        ))
    })
}

/// `requestData`.
pub async fn data(context: &Context, event: &LoggedEvent) -> Result<Option<String>, ApiError> {
    let Some(parts) = parts(event) else {
        return Ok(None);
    };
    let receiver = named(context, event.receiver_id).await?;
    let content_type = receiver.map_or(ContentType::default(), |one| one.content_type);
    let body = body(event, &parts)?;
    Ok(Some(body.encoded(content_type, &parts)))
}

/// `signedText`.
pub async fn signed_text(
    context: &Context,
    event: &LoggedEvent,
) -> Result<Option<String>, ApiError> {
    let Some(receiver) = named(context, event.receiver_id).await? else {
        return Ok(None);
    };
    ion_text(event, &receiver)
}

/// `None` where the change is no longer kept, and where its data can not be signed so.
fn ion_text(event: &LoggedEvent, receiver: &Receiver) -> Result<Option<String>, ApiError> {
    let Some(parts) = parts(event) else {
        return Ok(None);
    };
    let body = body(event, &parts)?;
    Ok(ion_message(&receiver.webhook_uri, body.data()).ok())
}

/// `requestHeaders`.
pub async fn headers(
    context: &Context,
    event: &LoggedEvent,
) -> Result<Option<Vec<WebhookHeaderLine>>, ApiError> {
    let Some(receiver) = named(context, event.receiver_id).await? else {
        return Ok(None);
    };
    if event.row_data.is_none() {
        return Ok(None);
    }
    let has_ion = ion_text(event, &receiver)?.is_some();
    let own = context.headers_of.load(receiver.id).await?;
    let own = own.unwrap_or_default();
    let plain = plain_headers(event.id, event.sequence, receiver.content_type, has_ion);
    let plain = plain.into_iter().map(|(name, value)| WebhookHeaderLine {
        name: name.to_owned(),
        value,
    });
    let lines: Vec<_> = plain
        .chain(own.iter().map(|header| WebhookHeaderLine {
            name: header.key.clone(),
            value: Some(shown_value(context.caller.role, &header.value).to_owned()),
        }))
        .collect();
    context.spend(lines.len())?;
    Ok(Some(lines))
}
