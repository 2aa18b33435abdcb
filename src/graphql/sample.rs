//! The sample's tables, where the deployment has them (`sample = true`): which they are, and making a change of one.

use async_trait::async_trait;
use juniper::{GraphQLInputObject, GraphQLObject};

use crate::domain::{action::Action, api_key::Role, ids::TransactionId, resource::ResourceName};

use super::{
    context::Context,
    error::{ApiError, Code, InputPath},
    resource_enum::ResourceEnum,
    scalar::ApiScalar,
    scalars::{BigInt, Json},
    subscription::WebhookSubscriptionActions,
};

/// The application behind the sample's tables.
#[async_trait]
pub trait Sample: Send + Sync {
    /// Its tables that are watched, in the order of the configuration.
    fn resources(&self) -> &[ResourceName];

    /// Commits one change.
    async fn change(
        &self,
        resource: &ResourceName,
        action: Action,
    ) -> Result<SampleMade, SampleFault>;
}

/// A change that was committed.
#[derive(Clone, Copy, Debug)]
pub struct SampleMade {
    /// The row's key.
    pub id: i64,
    /// Its transaction, where that has a number by itself.
    pub transaction_id: Option<TransactionId>,
}

/// Why there was no change.
#[derive(Clone, Debug)]
pub enum SampleFault {
    /// Nothing stands in the tables that it could be made of; completes "input.action …".
    NotNow(String),
    /// The database did not take it.
    Failed(String),
}

/// The sample's tables: a small factory to try rowhook with (`sample = true`, `rowhook demo`).
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookSample", context = Context, scalar = ApiScalar)]
pub struct WebhookSample {
    /// Its tables under their public names, for createSampleChange.
    pub resources: Vec<ResourceEnum>,
}

/// A change to be made.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "CreateSampleChangeInput", scalar = ApiScalar)]
pub struct CreateSampleChangeInput {
    /// One of the sample's tables (`webhookSample`); an alias stands for its resource.
    pub resource: ResourceEnum,
    /// What is to happen: CREATE makes a row, UPDATE changes the newest one, DELETE deletes the newest one that no other
    /// row belongs to.
    pub action: WebhookSubscriptionActions,
}

/// A change that was made. Its events follow as for every other change.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "SampleChangePayload", context = Context, scalar = ApiScalar)]
pub struct SampleChangePayload {
    /// The table, under its public name.
    pub resource: ResourceEnum,
    /// What happened to the row.
    pub action: WebhookSubscriptionActions,
    /// The row's key, as `rowId` of its events and in `WebhookEventFilters`.
    pub row_id: Option<Json>,
    /// Its transaction, as `transactionId` of its events; null on SQLite, where commits are numbered when they are
    /// read.
    pub transaction_id: Option<BigInt>,
    /// What happened, in words.
    pub description: String,
}

/// `webhookSample`.
pub fn tables(context: &Context) -> Option<WebhookSample> {
    let sample = context.services.sample.as_ref()?;
    Some(WebhookSample {
        resources: sample.resources().iter().map(Into::into).collect(),
    })
}

/// `createSampleChange`.
pub async fn change(
    context: &Context,
    input: CreateSampleChangeInput,
) -> Result<SampleChangePayload, ApiError> {
    context.require(Role::Operator, "createSampleChange")?;
    let Some(sample) = &context.services.sample else {
        let message = "this deployment has no sample tables: they are there with `sample = true` and in `rowhook demo`";
        return Err(ApiError::new(Code::NotFound, message));
    };
    let at = InputPath::argument("input");
    let resource = context.resource(&input.resource, &at.field("resource"))?;
    if !sample.resources().contains(&resource) {
        let why = format!("{resource} is none of the sample's tables; webhookSample lists them");
        return Err(at.field("resource").refuse(why));
    }
    let action = Action::from(input.action);
    let made = sample.change(&resource, action).await;
    let made = made.map_err(|fault| match fault {
        SampleFault::NotNow(why) => at.field("action").refuse(why),
        SampleFault::Failed(why) => ApiError::internal(&format_args!("a sample change: {why}")),
    })?;
    let done = match action {
        Action::Create => "made",
        Action::Update => "changed",
        Action::Delete => "deleted",
    };
    Ok(SampleChangePayload {
        description: format!("{resource} {} {done}", made.id),
        resource: (&resource).into(),
        action: input.action,
        row_id: Json::of(&made.id),
        transaction_id: made.transaction_id.map(|id| BigInt(id.0)),
    })
}
