//! Test deliveries: seeing whether a receiver works without waiting for a change.

use juniper::GraphQLInputObject;

use crate::{
    domain::{action::Action, api_key::Role, ids::ReceiverId, resource::ResourceDefinition},
    policy::{
        example::{ExampleRow, example},
        logged_row::LoggedRow,
    },
    store::{StoreError, test_deliveries::NewTest},
};

use super::{
    context::Context,
    error::{ApiError, Code, InputPath},
    event,
    event_control::WebhookEventPayload,
    resource_enum::ResourceEnum,
    scalar::ApiScalar,
    scalars::BigInt,
    subscription::WebhookSubscriptionActions,
};

/// What is to be delivered as a test, and to whom.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "SendTestWebhookInput", scalar = ApiScalar)]
pub struct SendTestWebhookInput {
    /// The receiver's id. It must be active; it need not be subscribed to anything.
    pub receiver_id: i32,
    /// The resource that the delivery tells of; an alias stands for its resource.
    pub resource: ResourceEnum,
    /// What the delivery says has happened to the row.
    pub action: WebhookSubscriptionActions,
}

/// `sendTestWebhook`.
pub async fn send(
    context: &Context,
    input: SendTestWebhookInput,
) -> Result<WebhookEventPayload, ApiError> {
    // It shows the newest row of any watched table.
    context.require(Role::Admin, "sendTestWebhook")?;
    let at = InputPath::argument("input").field("resource");
    let name = context.resource(&input.resource, &at)?;
    let catalogue = context.services.catalogue.now();
    let Some(resource) = catalogue.find(name.as_str()) else {
        return Err(ApiError::internal(&format_args!(
            "{name} left the catalogue"
        )));
    };
    let (store, action) = (
        &context.services.test_deliveries,
        Action::from(input.action),
    );
    let newest = store.newest_row(resource.id, action).await?;
    let row = example(&resource.definition, action, newest);
    let receiver_id = ReceiverId(input.receiver_id);
    let made = store
        .send_test(NewTest {
            receiver_id,
            resource_id: resource.id,
            action,
            row_id: row_id(&row, &resource.definition)?,
            row,
        })
        .await;
    let id = made.map_err(|error| match error {
        StoreError::Conflict => ApiError {
            code: Code::Conflict,
            message: format!(
                "webhook receiver {receiver_id} is inactive, so nothing is sent to it; activate it \
                 (updateWebhookReceiver) and ask again"
            ),
            path: Some(InputPath::argument("input").field("receiverId")),
        },
        other => other.into(),
    })?;
    (context.services.wake)(receiver_id);
    match event::one(context, BigInt(id.0)).await? {
        Some(webhook_event) => Ok(WebhookEventPayload { webhook_event }),
        None => Err(ApiError::not_found("webhook event", id)),
    }
}

/// `data.id`. What `example` gives can always be read.
fn row_id(row: &ExampleRow, definition: &ResourceDefinition) -> Result<String, ApiError> {
    LoggedRow::parse(definition, &row.row_data, row.old_values.as_deref())
        .and_then(|parsed| parsed.id(definition))
        .map_err(|error| ApiError::internal(&error))
}
