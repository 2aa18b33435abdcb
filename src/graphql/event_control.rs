//! What an operator does with events: sending them again, calling them off.

use juniper::GraphQLObject;

use crate::{
    domain::{api_key::Role, event::EventStatus, ids::EventId},
    store::{StoreError, event_log::EventFilter},
};

use super::{
    context::Context,
    error::{ApiError, Code, InputPath},
    event::{self, EventNode, WebhookEventFilters},
    scalar::ApiScalar,
    scalars::BigInt,
};

/// What a mutation of one event returns.
#[derive(GraphQLObject)]
#[graphql(name = "WebhookEventPayload", context = Context, scalar = ApiScalar)]
pub struct WebhookEventPayload {
    /// The event as it is now.
    pub webhook_event: EventNode,
}

/// What a mutation of many events returns.
#[derive(GraphQLObject)]
#[graphql(name = "WebhookEventCountPayload", context = Context, scalar = ApiScalar)]
pub struct WebhookEventCountPayload {
    /// How many events it was about.
    pub count: BigInt,
}

impl WebhookEventCountPayload {
    pub(super) fn of(count: u64) -> Self {
        Self {
            count: BigInt(i64::try_from(count).unwrap_or(i64::MAX)),
        }
    }
}

/// `redeliverWebhookEvent`.
pub async fn redeliver(context: &Context, id: BigInt) -> Result<WebhookEventPayload, ApiError> {
    context.require(Role::Operator, "redeliverWebhookEvent")?;
    let control = &context.services.event_control;
    control
        .redeliver(EventId(id.0))
        .await
        .map_err(|error| match error {
            StoreError::Conflict => ApiError::new(
                Code::Conflict,
                format!(
                    "webhook event {} can not be sent again: its receiver or subscription has been deleted",
                    id.0
                ),
            ),
            other => other.into(),
        })?;
    match event::one(context, id.clone()).await? {
        Some(webhook_event) => {
            (context.services.wake)(webhook_event.receiver_id());
            Ok(WebhookEventPayload { webhook_event })
        }
        None => Err(ApiError::not_found("webhook event", id.0)),
    }
}

/// `redeliverWebhookEvents`.
pub async fn redeliver_all(
    context: &Context,
    filters: WebhookEventFilters,
) -> Result<WebhookEventCountPayload, ApiError> {
    context.require(Role::Operator, "redeliverWebhookEvents")?;
    let filter = filters.resolve(context)?;
    if filter == EventFilter::default() {
        return Err(InputPath::argument("filters").refuse(
            "must narrow the events, else every one in the log would be sent again; give at least one \
             field, for example receiverId or occurredAfter",
        ));
    }
    let control = &context.services.event_control;
    Ok(WebhookEventCountPayload::of(
        control.redeliver_all(&filter).await?,
    ))
}

/// `cancelWebhookEvents`.
pub async fn cancel_all(
    context: &Context,
    filters: WebhookEventFilters,
) -> Result<WebhookEventCountPayload, ApiError> {
    context.require(Role::Operator, "cancelWebhookEvents")?;
    let at = InputPath::argument("filters");
    let mut filter = filters.resolve(context)?;
    match filter.status.take() {
        None | Some(EventStatus::Pending) => {}
        Some(other) => {
            return Err(at.field("status").refuse(format!(
                "can not be {other}: only pending events can be cancelled; leave it out"
            )));
        }
    }
    if filter == EventFilter::default() {
        return Err(at.refuse(
            "must narrow the events, else everything that is owed would be cancelled; give at least one \
             field beside status, for example receiverId or occurredBefore",
        ));
    }
    let control = &context.services.event_control;
    Ok(WebhookEventCountPayload::of(
        control.cancel_all(&filter).await?,
    ))
}
