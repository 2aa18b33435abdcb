//! Subscriptions: the (resource, action) pairs of a receiver. Their type, inputs, lists and mutations.

use juniper::{GraphQLEnum, GraphQLInputObject, GraphQLObject, Nullable, graphql_object};

use crate::{
    domain::{
        action::Action,
        api_key::Role,
        ids::{ReceiverId, SubscriptionId},
        subscription::Subscription,
    },
    store::{
        StoreError,
        page::{Place, SortKey, SortValue},
        subscriptions::{NewSubscription, SubscriptionChange, SubscriptionFilter},
    },
};

use super::{
    author::Author,
    connection::{DEFAULT_PAGE, List, PageArguments, connection},
    context::Context,
    error::{ApiError, InputPath},
    event::{self, EventNode},
    filter::{Narrowed, without_doubles},
    header::owner,
    receiver::{ReceiverNode, changed_since},
    receiver_change::is_absent,
    resource_enum::ResourceEnum,
    scalar::ApiScalar,
    scalars::DateTime,
    sort::Sort,
};

connection!(
    SubscriptionConnection,
    SubscriptionEdge,
    SubscriptionNode,
    "WebhookSubscriptionConnection",
    "WebhookSubscriptionEdge"
);

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, GraphQLEnum)]
#[graphql(name = "WebhookSubscriptionActions", scalar = ApiScalar)]
pub enum WebhookSubscriptionActions {
    /// The row came to be (INSERT).
    Create,
    /// At least one column of the row changed (UPDATE).
    Update,
    /// The row went (DELETE, or TRUNCATE of its table).
    Delete,
}

impl From<Action> for WebhookSubscriptionActions {
    fn from(action: Action) -> Self {
        match action {
            Action::Create => Self::Create,
            Action::Update => Self::Update,
            Action::Delete => Self::Delete,
        }
    }
}

impl From<WebhookSubscriptionActions> for Action {
    fn from(action: WebhookSubscriptionActions) -> Self {
        match action {
            WebhookSubscriptionActions::Create => Self::Create,
            WebhookSubscriptionActions::Update => Self::Update,
            WebhookSubscriptionActions::Delete => Self::Delete,
        }
    }
}

/// A subscription as the API shows it.
#[derive(Clone, Debug)]
pub struct SubscriptionNode(Subscription);

impl From<Subscription> for SubscriptionNode {
    fn from(subscription: Subscription) -> Self {
        Self(subscription)
    }
}

/// A (resource, action) of one receiver: each committed change that matches becomes one event.
#[graphql_object]
#[graphql(name = "WebhookSubscription", context = Context, scalar = ApiScalar)]
impl SubscriptionNode {
    /// The subscription's id; deliveries carry it as `subscription_id`.
    fn id(&self) -> i32 {
        self.0.id.0
    }

    /// The watched table, under its canonical name also where an alias was given.
    fn resource(&self) -> ResourceEnum {
        (&self.0.resource).into()
    }

    /// The row operation that it fires on.
    fn action(&self) -> WebhookSubscriptionActions {
        self.0.action.into()
    }

    /// An inactive subscription gets no new events.
    fn active(&self) -> bool {
        self.0.active
    }

    /// An UPDATE fires only when one of these columns changed; null: when any did. Values are compared as they
    /// are stored, with every digit.
    fn changed_fields(&self) -> Option<&[String]> {
        self.0.changed_fields.as_deref()
    }

    /// Only changes of which this CEL expression holds fire; null: every change does.
    fn filter(&self) -> Option<&str> {
        self.0.filter.as_deref()
    }

    /// The receiver's id.
    fn receiver_id(&self) -> i32 {
        self.0.receiver_id.0
    }

    /// The receiver that its events go to.
    async fn receiver(&self, context: &Context) -> Result<ReceiverNode, ApiError> {
        owner(context, self.0.receiver_id).await
    }

    /// Its events, newest first.
    async fn events(
        &self,
        context: &Context,
        #[graphql(description = "How many at most, 0 to 1000.", default = Some(DEFAULT_PAGE))]
        limit: Option<i32>,
        #[graphql(description = "How many of the newest to leave out.", default = Some(0))] offset: Option<i32>,
    ) -> Result<Vec<EventNode>, ApiError> {
        event::of_subscription(context, self.0.id, limit, offset).await
    }

    /// Who made it.
    fn created_by(&self) -> Author {
        (&self.0.created_by).into()
    }

    /// Who changed it last.
    fn updated_by(&self) -> Author {
        (&self.0.updated_by).into()
    }

    /// When it was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was changed last.
    fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// Changes with each change of the record; give it as `etag` to updateWebhookSubscription.
    #[graphql(name = "_etag")]
    fn etag(&self) -> &str {
        &self.0.etag
    }
}

/// What lists of subscriptions can be narrowed by; all that are given must hold.
#[derive(Clone, Debug, Default, GraphQLInputObject)]
#[graphql(name = "WebhookSubscriptionFilters", scalar = ApiScalar)]
pub struct WebhookSubscriptionFilters {
    /// Only those of this receiver.
    pub receiver_id: Option<i32>,
    /// Only those of this resource; an alias stands for its resource.
    pub resource: Option<ResourceEnum>,
    /// Only those of this action.
    pub action: Option<WebhookSubscriptionActions>,
    /// Only active (true) or only inactive (false) ones.
    pub active: Option<bool>,
}

/// A new subscription.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "CreateWebhookSubscriptionInput", scalar = ApiScalar)]
pub struct CreateWebhookSubscriptionInput {
    /// The id of the receiver that its events go to.
    pub receiver_id: i32,
    /// The watched table; an alias stands for its resource.
    pub resource: ResourceEnum,
    /// The row operation that it fires on.
    pub action: WebhookSubscriptionActions,
    /// Whether it gets events. Default true.
    pub active: Option<bool>,
    /// With action UPDATE: fire only when one of these columns changed. Default: when any did.
    pub changed_fields: Option<Vec<String>>,
    /// Only changes of which this CEL expression holds fire, at most 4096 bytes. It has the whole row before
    /// and after the change, `old` and `new` (null on CREATE and on DELETE), `resource` ("RUN_STEP") and
    /// `action` ("UPDATE"). Checked when it is saved. A change on which it fails is delivered. Default: every
    /// change fires. Example: `new.status == 'complete' && old.status != new.status`.
    pub filter: Option<String>,
}

/// A change of a subscription. What is absent stays as it is, what is null goes back to its default.
/// Changes committed after the mutation has answered are matched with what it set, earlier ones with what
/// was set before.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "UpdateWebhookSubscriptionInput", scalar = ApiScalar)]
pub struct UpdateWebhookSubscriptionInput {
    /// The subscription's id.
    pub id: i32,
    /// The `_etag` that was read; the update fails with CONFLICT when the subscription has changed since.
    pub etag: String,
    /// The watched table; an alias stands for its resource. Can not be null.
    pub resource: Nullable<ResourceEnum>,
    /// The row operation that it fires on. Can not be null.
    pub action: Nullable<WebhookSubscriptionActions>,
    /// Whether it gets events. Default true.
    pub active: Nullable<bool>,
    /// With action UPDATE: fire only when one of these columns changed. Default: when any did.
    pub changed_fields: Nullable<Vec<String>>,
    /// Only changes of which this CEL expression holds fire, at most 4096 bytes; see
    /// `CreateWebhookSubscriptionInput.filter`. Default: every change fires.
    pub filter: Nullable<String>,
}

impl UpdateWebhookSubscriptionInput {
    /// Whether it pauses or resumes the subscription and does nothing else.
    fn is_of_active_alone(&self) -> bool {
        // Every field by name: a new one that is not thought of here does not compile.
        let Self {
            id: _,
            etag: _,
            resource,
            action,
            active,
            changed_fields,
            filter,
        } = self;
        !is_absent(active)
            && is_absent(resource)
            && is_absent(action)
            && is_absent(changed_fields)
            && is_absent(filter)
    }
}

/// Which subscription goes.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "DeleteWebhookSubscriptionInput", scalar = ApiScalar)]
pub struct DeleteWebhookSubscriptionInput {
    /// The subscription's id.
    pub id: i32,
    /// The `_etag` that was read: the deletion fails with CONFLICT when the subscription has changed
    /// since. Unless given, the subscription is deleted as it is.
    pub etag: Option<String>,
}

/// What a mutation of a subscription returns.
#[derive(GraphQLObject)]
#[graphql(name = "WebhookSubscriptionPayload", context = Context, scalar = ApiScalar)]
pub struct WebhookSubscriptionPayload {
    /// The subscription as it is now.
    pub webhook_subscription: SubscriptionNode,
}

/// `webhookSubscription`.
pub async fn one(context: &Context, id: i32) -> Result<Option<SubscriptionNode>, ApiError> {
    let found = existing(context, SubscriptionId(id)).await?;
    Ok(Some(found.into()))
}

/// `webhookSubscriptions`.
pub async fn page(
    context: &Context,
    filters: Option<WebhookSubscriptionFilters>,
    sort: Sort,
    arguments: &PageArguments,
) -> Result<SubscriptionConnection, ApiError> {
    let request = arguments.request(List::Subscriptions, sort)?;
    let filters = filters.unwrap_or_default();
    let at = InputPath::argument("filters").field("resource");
    let resource = filters.resource.as_ref();
    let filter = SubscriptionFilter {
        receiver_id: filters.receiver_id.map(ReceiverId),
        resource: resource
            .map(|given| context.resource(given, &at))
            .transpose()?,
        action: filters.action.map(Into::into),
        active: filters.active,
    };
    let store = &context.services.subscriptions;
    let page = store.subscriptions(&filter, request).await?;
    let cursors = List::Subscriptions.cursors(sort.key);
    Ok(SubscriptionConnection::of(page, cursors, |one| Place {
        id: one.id.0.into(),
        value: match sort.key {
            SortKey::Id | SortKey::Name => None,
            SortKey::UpdatedAt => Some(SortValue::Moment(one.updated_at)),
        },
    }))
}

/// `createWebhookSubscription`.
pub async fn create(
    context: &Context,
    input: CreateWebhookSubscriptionInput,
) -> Result<WebhookSubscriptionPayload, ApiError> {
    context.require(Role::Admin, "createWebhookSubscription")?;
    let at = InputPath::argument("input");
    let resource = context.resource(&input.resource, &at.field("resource"))?;
    let action = Action::from(input.action);
    let narrowed = Narrowed {
        changed_fields: input.changed_fields.as_deref(),
        filter: input.filter.as_deref(),
    };
    narrowed.check(context, &resource, action)?;
    let new = NewSubscription {
        receiver_id: ReceiverId(input.receiver_id),
        resource,
        action,
        active: input.active.unwrap_or(true),
        changed_fields: input.changed_fields.map(without_doubles),
        filter: input.filter,
    };
    let store = &context.services.subscriptions;
    let record = store
        .create_subscription(new, &context.caller.author)
        .await?;
    context.forget_loaded();
    Ok(WebhookSubscriptionPayload {
        webhook_subscription: record.into(),
    })
}

/// `updateWebhookSubscription`.
pub async fn update(
    context: &Context,
    input: UpdateWebhookSubscriptionInput,
) -> Result<WebhookSubscriptionPayload, ApiError> {
    if input.is_of_active_alone() {
        context.require(Role::Operator, "updateWebhookSubscription of active")?;
    } else {
        let action = "updateWebhookSubscription of anything but active";
        context.require(Role::Admin, action)?;
    }
    let id = SubscriptionId(input.id);
    let etag = input.etag.clone();
    let current = existing(context, id).await?;
    if current.etag != etag {
        return Err(changed_since("webhook subscription", id.0));
    }
    let change = change(context, input, &current)?;
    let store = &context.services.subscriptions;
    let updated = store
        .update_subscription(id, &etag, change, &context.caller.author)
        .await;
    let record = updated.map_err(|error| match error {
        StoreError::Conflict => changed_since("webhook subscription", id.0),
        other => other.into(),
    })?;
    context.forget_loaded();
    Ok(WebhookSubscriptionPayload {
        webhook_subscription: record.into(),
    })
}

/// `deleteWebhookSubscription`.
pub async fn delete(
    context: &Context,
    input: DeleteWebhookSubscriptionInput,
) -> Result<WebhookSubscriptionPayload, ApiError> {
    context.require(Role::Admin, "deleteWebhookSubscription")?;
    let id = SubscriptionId(input.id);
    let store = &context.services.subscriptions;
    let deleted = store
        .delete_subscription(id, input.etag.as_deref(), &context.caller.author)
        .await;
    let record = deleted.map_err(|error| match error {
        StoreError::Conflict => changed_since("webhook subscription", id.0),
        other => other.into(),
    })?;
    context.forget_loaded();
    Ok(WebhookSubscriptionPayload {
        webhook_subscription: record.into(),
    })
}

/// What the store is asked to change. `changedFields` and the filter must fit the resource and action as they
/// will be, whichever of these the client gives.
fn change(
    context: &Context,
    input: UpdateWebhookSubscriptionInput,
    current: &Subscription,
) -> Result<SubscriptionChange, ApiError> {
    let at = |field: &str| InputPath::argument("input").field(field);
    let never_null = |field: &str| {
        let at = at(field);
        at.refuse("can not be null; leave it out to keep it as it is")
    };
    let resource = match input.resource {
        Nullable::ImplicitNull => None,
        Nullable::ExplicitNull => return Err(never_null("resource")),
        Nullable::Some(given) => Some(context.resource(&given, &at("resource"))?),
    };
    let action = match input.action {
        Nullable::ImplicitNull => None,
        Nullable::ExplicitNull => return Err(never_null("action")),
        Nullable::Some(action) => Some(Action::from(action)),
    };
    let changed_fields = input.changed_fields.explicit();
    let filter = input.filter.explicit();
    let moved = resource.is_some() || action.is_some();
    let narrowed = Narrowed {
        changed_fields: match &changed_fields {
            Some(given) => given.as_deref(),
            None if moved => current.changed_fields.as_deref(),
            None => None,
        },
        filter: match &filter {
            Some(given) => given.as_deref(),
            None if resource.is_some() => current.filter.as_deref(),
            None => None,
        },
    };
    let new_resource = resource.as_ref().unwrap_or(&current.resource);
    narrowed.check(context, new_resource, action.unwrap_or(current.action))?;
    Ok(SubscriptionChange {
        active: match input.active {
            Nullable::ImplicitNull => None,
            Nullable::ExplicitNull => Some(true),
            Nullable::Some(active) => Some(active),
        },
        resource,
        action,
        changed_fields: changed_fields.map(|given| given.map(without_doubles)),
        filter,
    })
}

async fn existing(context: &Context, id: SubscriptionId) -> Result<Subscription, ApiError> {
    let found = context.services.subscriptions.subscription(id).await?;
    found.ok_or_else(|| ApiError::not_found("webhook subscription", id))
}
