//! The roots of the schema. Each field is one line: what it does stands in its aggregate's file.

use juniper::{EmptyMutation, EmptySubscription, RootNode, graphql_object};

use crate::domain::resource::Catalogue;

use super::{
    api_key::{self, ApiKey, ApiKeyPayload, CreateApiKeyInput, CreateApiKeyPayload},
    capture::{self, WebhookCapture},
    connection::{DEFAULT_PAGE, PageArguments},
    context::Context,
    current_user::CurrentUser,
    doctor::{self, WebhookDoctorFinding},
    error::ApiError,
    event::{self, EventConnection, EventNode, WebhookEventFilters},
    event_control::{self, WebhookEventCountPayload, WebhookEventPayload},
    filter_test::{self, TestWebhookFilterInput, WebhookFilterTest},
    header::{
        self, AddHeaderToWebhookReceiverInput, CreateWebhookHeaderInput, DeleteWebhookHeaderInput,
        RemoveHeaderFromWebhookReceiverInput, UpdateWebhookHeaderInput, WebhookHeaderPayload,
    },
    instances::{self, WebhookInstance},
    live::Subscription,
    pipeline::{self, WebhookPipeline},
    receiver::{
        self, ReceiverConnection, ReceiverNode, WebhookReceiverFilters, WebhookReceiverPayload,
    },
    receiver_input::{
        CreateWebhookReceiverInput, DeleteWebhookReceiverInput, RotateWebhookReceiverSecretInput,
        UpdateWebhookReceiverInput,
    },
    replay::{self, ReplayWebhookChangesInput},
    resource::WebhookResource,
    resource_enum,
    sample::{self, CreateSampleChangeInput, SampleChangePayload, WebhookSample},
    scalar::ApiScalar,
    scalars::BigInt,
    sort::{EventSort, ReceiverSort, Sort, SubscriptionSort},
    stats::{self, Stats},
    stats_history::{self, WebhookStatsStep},
    subscription::{
        self, CreateWebhookSubscriptionInput, DeleteWebhookSubscriptionInput,
        SubscriptionConnection, SubscriptionNode, UpdateWebhookSubscriptionInput,
        WebhookSubscriptionFilters, WebhookSubscriptionPayload,
    },
    test_webhook::{self, SendTestWebhookInput},
    uri_check::{self, WebhookUriCheck},
};

/// Nesting levels of a document. The introspection queries of common tools stay below.
const MAX_DEPTH: usize = 24;
/// Tokens of a document.
const MAX_TOKENS: usize = 10_000;
/// Fields of an operation, each fragment counted wherever it is spread.
const MAX_FIELDS: usize = 2_000;

/// The schema of a deployment.
pub type Schema = RootNode<Query, Mutation, Subscription, ApiScalar>;

/// The schema in which a subscription's selection runs, each time it has something to push.
pub type LiveSchema =
    RootNode<Subscription, EmptyMutation<Context>, EmptySubscription<Context>, ApiScalar>;

/// The schema of a deployment with these resources.
pub fn build(catalogue: &Catalogue) -> Schema {
    limited(resource_enum::with_values(catalogue, || {
        Schema::new_with_scalar_value(Query, Mutation, Subscription)
    }))
}

/// The schema for what a deployment with these resources pushes.
pub fn build_live(catalogue: &Catalogue) -> LiveSchema {
    limited(resource_enum::with_values(catalogue, || {
        LiveSchema::new_with_scalar_value(
            Subscription,
            EmptyMutation::new(),
            EmptySubscription::new(),
        )
    }))
}

/// Puts the limits on a schema; the bare one that documents are read with first has the same.
pub(super) fn limited<Q, M, U>(root: RootNode<Q, M, U, ApiScalar>) -> RootNode<Q, M, U, ApiScalar>
where
    Q: juniper::GraphQLType<ApiScalar>,
    M: juniper::GraphQLType<ApiScalar>,
    U: juniper::GraphQLType<ApiScalar>,
{
    root.limit_depth(MAX_DEPTH)
        .limit_tokens(MAX_TOKENS)
        .limit_fields(MAX_FIELDS)
}

/// What can be asked.
pub struct Query;

/// What can be asked. Limits, each answered with the code LIMIT: 24 levels, 10,000 tokens and 2,000 fields of a
/// document (aliases and fragments are counted wherever they stand), 1,000,000 values that its answer could
/// hold were each page full (a list without a page counts as 10, and what costs the database much as
/// thousands), 20,000 records inside of records, 1,000 records of a page, 1 MiB of a body, 32
/// operations of a WebSocket at once, 200 subscriptions of a process.
#[graphql_object]
#[graphql(name = "Query", context = Context, scalar = ApiScalar)]
impl Query {
    /// The holder of the API key that this request carries.
    fn current_user(context: &Context) -> CurrentUser {
        (&context.caller).into()
    }

    /// One receiver; null with an error NOT_FOUND when there is none.
    async fn webhook_receiver(
        context: &Context,
        #[graphql(description = "The receiver's id.")] id: i32,
    ) -> Result<Option<ReceiverNode>, ApiError> {
        receiver::one(context, id).await
    }

    /// The receivers, page by page.
    async fn webhook_receivers(
        context: &Context,
        #[graphql(
            description = "The first so many, 0 to 1000; 100 unless `last` is given. More than 1000 \
                is an error."
        )]
        first: Option<i32>,
        #[graphql(description = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(description = "The last so many, 0 to 1000; not together with `first`.")]
        last: Option<i32>,
        #[graphql(description = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(description = "Narrows the list.")] filters: Option<WebhookReceiverFilters>,
        #[graphql(
            description = "The order; that of creation unless given. Cursors belong to the order that they \
                were read in."
        )]
        sort: Option<ReceiverSort>,
    ) -> Result<ReceiverConnection, ApiError> {
        let arguments = PageArguments {
            first,
            after,
            last,
            before,
        };
        receiver::page(context, filters, Sort::of_receivers(sort), &arguments).await
    }

    /// One subscription; null with an error NOT_FOUND when there is none.
    async fn webhook_subscription(
        context: &Context,
        #[graphql(description = "The subscription's id.")] id: i32,
    ) -> Result<Option<SubscriptionNode>, ApiError> {
        subscription::one(context, id).await
    }

    /// The subscriptions, page by page.
    async fn webhook_subscriptions(
        context: &Context,
        #[graphql(
            description = "The first so many, 0 to 1000; 100 unless `last` is given. More than 1000 \
                is an error."
        )]
        first: Option<i32>,
        #[graphql(description = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(description = "The last so many, 0 to 1000; not together with `first`.")]
        last: Option<i32>,
        #[graphql(description = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(description = "Narrows the list.")] filters: Option<WebhookSubscriptionFilters>,
        #[graphql(
            description = "The order; that of creation unless given. Cursors belong to the order that they \
                were read in."
        )]
        sort: Option<SubscriptionSort>,
    ) -> Result<SubscriptionConnection, ApiError> {
        let arguments = PageArguments {
            first,
            after,
            last,
            before,
        };
        subscription::page(context, filters, Sort::of_subscriptions(sort), &arguments).await
    }

    /// One event; null with an error NOT_FOUND when there is none, or it is no longer kept.
    async fn webhook_event(
        context: &Context,
        #[graphql(description = "The event's id, `event_id` of the delivery.")] id: BigInt,
    ) -> Result<Option<EventNode>, ApiError> {
        event::one(context, id).await
    }

    /// The events, newest first, as a plain list.
    async fn webhook_events(
        context: &Context,
        #[graphql(description = "Narrows the list.")] filters: Option<WebhookEventFilters>,
        #[graphql(
            description = "How many at most, 0 to 1000. More than 1000 is an error.",
            default = Some(DEFAULT_PAGE)
        )]
        limit: Option<i32>,
        #[graphql(
            description = "How many of the newest to leave out. To walk through many events, \
                webhookEventConnection is quicker and does not shift when new ones arrive.",
            default = Some(0)
        )]
        offset: Option<i32>,
    ) -> Result<Vec<EventNode>, ApiError> {
        event::list(context, filters, limit, offset).await
    }

    /// The events, page by page, the newest first unless `sort` says otherwise.
    async fn webhook_event_connection(
        context: &Context,
        #[graphql(
            description = "The first so many, 0 to 1000; 100 unless `last` is given. More than 1000 \
                is an error."
        )]
        first: Option<i32>,
        #[graphql(
            description = "Only what comes after this cursor: older events, unless sorted otherwise."
        )]
        after: Option<String>,
        #[graphql(description = "The last so many, 0 to 1000; not together with `first`.")]
        last: Option<i32>,
        #[graphql(
            description = "Only what comes before this cursor: newer events, unless sorted otherwise."
        )]
        before: Option<String>,
        #[graphql(description = "Narrows the list.")] filters: Option<WebhookEventFilters>,
        #[graphql(description = "The order; the newest first unless given.")] sort: Option<
            EventSort,
        >,
    ) -> Result<EventConnection, ApiError> {
        let arguments = PageArguments {
            first,
            after,
            last,
            before,
        };
        event::page(context, filters, Sort::of_events(sort), &arguments).await
    }

    /// The watched tables of this deployment, in the order of its configuration.
    fn webhook_resources(context: &Context) -> Vec<WebhookResource> {
        let catalogue = context.services.catalogue.now();
        let resources = catalogue.resources().iter();
        resources.map(|one| (&**one).into()).collect()
    }

    /// The addresses that deliveries come from (CIDR notation), for the allow-lists of firewalls; as
    /// configured in `receivers.egress_ips`, empty when nothing is.
    fn webhook_source_ips(context: &Context) -> &[String] {
        &context.services.source_ips
    }

    /// Whether a receiver could have this URI, what its host resolves to, and whether rowhook would connect there. Needs
    /// role admin. Nothing is sent; the resolver is waited for 3 seconds.
    async fn check_webhook_uri(
        context: &Context,
        #[graphql(description = "The URI, as `webhookUri` of a receiver.")] uri: String,
    ) -> Result<WebhookUriCheck, ApiError> {
        uri_check::check(context, uri).await
    }

    /// Which of the last changes a subscription of this setting would have fired on, and why not. Needs role
    /// admin: the answer tells what stands in rows. Nothing is sent or stored.
    async fn test_webhook_filter(
        context: &Context,
        #[graphql(description = "The setting to try, as a subscription would have it.")]
        input: TestWebhookFilterInput,
    ) -> Result<WebhookFilterTest, ApiError> {
        filter_test::run(context, input).await
    }

    /// How deliveries go: what waits, how fast and how well it goes out. Of all receivers, or of one.
    async fn webhook_stats(
        context: &Context,
        #[graphql(description = "Only of this receiver; NOT_FOUND when there is none.")]
        receiver_id: Option<i32>,
    ) -> Result<Stats, ApiError> {
        stats::of(context, receiver_id).await
    }

    /// How deliveries went, in steps of equal length, the oldest first: for charts. Of all receivers, or of one. Steps
    /// begin at whole multiples of their length (UTC), the last one is the present and not over, and there are fewer than
    /// asked for where the counts are not as fine: they are kept by 15 seconds for five minutes, by the minute for two
    /// hours, and by ten minutes for a day.
    async fn webhook_stats_history(
        context: &Context,
        #[graphql(description = "Only of this receiver; NOT_FOUND when there is none.")]
        receiver_id: Option<i32>,
        #[graphql(
            description = "How far back, 60 to 86400 seconds.",
            default = Some(3600)
        )]
        seconds: Option<i32>,
        #[graphql(description = "How many steps at most, 1 to 240.", default = Some(60))]
        steps: Option<i32>,
    ) -> Result<Vec<WebhookStatsStep>, ApiError> {
        stats_history::of(context, receiver_id, seconds, steps).await
    }

    /// How far the reading of committed changes is, what it waits for, and whether each watched table still has
    /// its triggers.
    async fn webhook_capture(context: &Context) -> Result<WebhookCapture, ApiError> {
        capture::state(context).await
    }

    /// The stages of the instance that answers, and whether it is ready.
    async fn webhook_pipeline(context: &Context) -> WebhookPipeline {
        pipeline::state(context).await
    }

    /// The instances that share this database, the one that answers among them: those that run, in the order in which they
    /// started, then those of the last day that ended without saying so, the latest first (200 in all at most). On SQLite the
    /// one that answers is the only one.
    async fn webhook_instances(context: &Context) -> Result<Vec<WebhookInstance>, ApiError> {
        instances::all(context).await
    }

    /// What `rowhook doctor` finds on this database: whether every change is seen and told of, and what to do where not.
    /// Needs role admin. It only looks, and takes up to some seconds; one look is made at a time.
    async fn webhook_doctor(context: &Context) -> Result<Vec<WebhookDoctorFinding>, ApiError> {
        doctor::findings(context).await
    }

    /// The sample's tables; null where the deployment has none (`sample` is off).
    fn webhook_sample(context: &Context) -> Option<WebhookSample> {
        sample::tables(context)
    }

    /// The API keys, revoked ones too, in id order; never a key itself. Needs role admin. The `admin_key` of
    /// the configuration has no record.
    async fn api_keys(context: &Context) -> Result<Vec<ApiKey>, ApiError> {
        api_key::all(context).await
    }
}

/// What can be changed. Each mutation has been written durably when it answers.
pub struct Mutation;

/// What can be changed. Each mutation has been written durably when it answers.
#[graphql_object]
#[graphql(name = "Mutation", context = Context, scalar = ApiScalar)]
impl Mutation {
    /// Registers an endpoint. Needs role admin. The payload is the only place that ever shows its
    /// `sharedSecret`.
    async fn create_webhook_receiver(
        context: &Context,
        #[graphql(description = "The new receiver.")] input: CreateWebhookReceiverInput,
    ) -> Result<WebhookReceiverPayload, ApiError> {
        receiver::create(context, input).await
    }

    /// Changes a receiver. Needs role admin; operator is enough where `active` alone is given.
    async fn update_webhook_receiver(
        context: &Context,
        #[graphql(description = "What is to change.")] input: UpdateWebhookReceiverInput,
    ) -> Result<WebhookReceiverPayload, ApiError> {
        receiver::update(context, input).await
    }

    /// Subscribes a receiver to a (resource, action). Needs role admin. Changes that commit after this has
    /// answered are delivered.
    async fn create_webhook_subscription(
        context: &Context,
        #[graphql(description = "The new subscription.")] input: CreateWebhookSubscriptionInput,
    ) -> Result<WebhookSubscriptionPayload, ApiError> {
        subscription::create(context, input).await
    }

    /// Changes a subscription. Needs role admin; operator is enough where `active` alone is given.
    async fn update_webhook_subscription(
        context: &Context,
        #[graphql(description = "What is to change.")] input: UpdateWebhookSubscriptionInput,
    ) -> Result<WebhookSubscriptionPayload, ApiError> {
        subscription::update(context, input).await
    }

    /// Adds an HTTP header to the deliveries of a receiver. Needs role admin. Fails with CONFLICT when it
    /// has one of that name.
    async fn add_header_to_webhook_receiver(
        context: &Context,
        #[graphql(description = "The new header.")] input: AddHeaderToWebhookReceiverInput,
    ) -> Result<WebhookHeaderPayload, ApiError> {
        header::add(context, "addHeaderToWebhookReceiver", input.into()).await
    }

    /// Takes an HTTP header off the deliveries of a receiver. Needs role admin.
    async fn remove_header_from_webhook_receiver(
        context: &Context,
        #[graphql(description = "Which header of which receiver.")]
        input: RemoveHeaderFromWebhookReceiverInput,
    ) -> Result<WebhookHeaderPayload, ApiError> {
        header::remove(context, &input).await
    }

    /// Adds an HTTP header to the deliveries of a receiver, as addHeaderToWebhookReceiver does. Needs role
    /// admin. Fails with CONFLICT when it has one of that name.
    async fn create_webhook_header(
        context: &Context,
        #[graphql(description = "The new header.")] input: CreateWebhookHeaderInput,
    ) -> Result<WebhookHeaderPayload, ApiError> {
        header::add(context, "createWebhookHeader", input.into()).await
    }

    /// Changes an HTTP header's name or value. Needs role admin. Fails with CONFLICT when it has changed
    /// since it was read, and when its receiver has another one of the new name.
    async fn update_webhook_header(
        context: &Context,
        #[graphql(description = "What is to change.")] input: UpdateWebhookHeaderInput,
    ) -> Result<WebhookHeaderPayload, ApiError> {
        header::update(context, input).await
    }

    /// Takes an HTTP header off the deliveries of its receiver. Needs role admin.
    async fn delete_webhook_header(
        context: &Context,
        #[graphql(description = "Which header.")] input: DeleteWebhookHeaderInput,
    ) -> Result<WebhookHeaderPayload, ApiError> {
        header::delete(context, &input).await
    }

    /// Deletes a receiver and its subscriptions. Needs role admin. Once this has answered no request to it
    /// starts any more, and changes that commit later make no events for it; what it is still owed is
    /// cancelled (of a queue of very many events the rest follows within minutes). Its events and their
    /// attempts stay, with the receiver and the subscriptions that they name. The payload holds the receiver
    /// as it is kept, inactive.
    async fn delete_webhook_receiver(
        context: &Context,
        #[graphql(description = "Which receiver.")] input: DeleteWebhookReceiverInput,
    ) -> Result<WebhookReceiverPayload, ApiError> {
        receiver::delete(context, input).await
    }

    /// Deletes a subscription. Needs role admin. Once this has answered no request for it starts any more,
    /// and changes that commit later make no events for it; what it is still owed is cancelled (of a queue
    /// of very many events the rest follows within minutes). Its events and their attempts stay. The payload
    /// holds the subscription as it is kept, inactive.
    async fn delete_webhook_subscription(
        context: &Context,
        #[graphql(description = "Which subscription.")] input: DeleteWebhookSubscriptionInput,
    ) -> Result<WebhookSubscriptionPayload, ApiError> {
        subscription::delete(context, input).await
    }

    /// Gives a receiver a new secret, which only this payload shows, as `sharedSecret`. Needs role admin.
    /// Until the overlap ends deliveries are signed with the old one too: `webhook-signature` carries both
    /// signatures, and `x-ion-signature-previous` that of the old one. A rotation within an overlap ends the
    /// older secret of the two at once.
    async fn rotate_webhook_receiver_secret(
        context: &Context,
        #[graphql(description = "Which receiver, and how long both secrets sign.")]
        input: RotateWebhookReceiverSecretInput,
    ) -> Result<WebhookReceiverPayload, ApiError> {
        receiver::rotate_secret(context, input).await
    }

    /// Makes an API key. Needs role admin. The payload is the only place that ever shows it.
    async fn create_api_key(
        context: &Context,
        #[graphql(description = "The new key.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload, ApiError> {
        api_key::create(context, input).await
    }

    /// Revokes an API key: it is refused from then on. Needs role admin. A key may revoke itself, but the
    /// last way in for an admin stays: without an `admin_key` in the configuration the last key with role
    /// admin is refused with CONFLICT. Revoking a revoked key changes nothing.
    async fn revoke_api_key(
        context: &Context,
        #[graphql(description = "The id of the key's record.")] id: i32,
    ) -> Result<ApiKeyPayload, ApiError> {
        api_key::revoke(context, id).await
    }

    /// Sends an event once more: the same event with the same `event_id` and sequence number, a fresh retry
    /// budget, due at once, judged by the receiver's settings at the time of the attempt. Needs role
    /// operator. On an event that is pending or under way it succeeds too: one more attempt follows the
    /// running one, whatever that comes to. A cancelled event is sent again as well. An event of an inactive
    /// receiver waits until that is active; one of a deleted receiver or subscription is refused with
    /// CONFLICT. A pending event that waits behind an earlier one of its row goes on waiting for it.
    async fn redeliver_webhook_event(
        context: &Context,
        #[graphql(description = "The event's id, `event_id` of the delivery.")] id: BigInt,
    ) -> Result<WebhookEventPayload, ApiError> {
        event_control::redeliver(context, id).await
    }

    /// Sends many events once more, each as redeliverWebhookEvent does, the oldest first. Needs role
    /// operator. Without `status` those that are settled (delivered, failed, cancelled), else those with that
    /// status. Events of deleted receivers and subscriptions, and test deliveries, are passed over. It works in batches of 1000, each
    /// written for itself: when the request is cut off, what was done stays done.
    async fn redeliver_webhook_events(
        context: &Context,
        #[graphql(description = "Which events; at least one of its fields must be given.")]
        filters: WebhookEventFilters,
    ) -> Result<WebhookEventCountPayload, ApiError> {
        event_control::redeliver_all(context, filters).await
    }

    /// Cancels the pending events that match; what waits behind them is free at once. Needs role operator. An
    /// attempt that is under way may still deliver its event, which then is delivered; else the event stays
    /// cancelled. It works in batches of 1000, each written for itself. A cancelled event can be sent again
    /// with redeliverWebhookEvent.
    async fn cancel_webhook_events(
        context: &Context,
        #[graphql(
            description = "Which of the pending events; at least one of its fields beside `status` must be \
                given, and `status` can be nothing but \"pending\"."
        )]
        filters: WebhookEventFilters,
    ) -> Result<WebhookEventCountPayload, ApiError> {
        event_control::cancel_all(context, filters).await
    }

    /// Sends a receiver a delivery to try it with, and answers with its event at once: ask for `webhookEvent`
    /// until that is no longer pending. Needs role admin. It goes the way of every delivery, with both
    /// signatures, the receiver's headers, content type, throttle and time limit, and in its turn behind what
    /// the receiver is owed already; but it has no sequence number, `x-rowhook-test: true` among its headers
    /// and 0 as `subscription_id`, waits for no other event of its row and holds none up, and is tried once:
    /// then it is delivered or failed. It tells of the newest kept change of that resource and action, else of
    /// the newest row that was logged of the resource, else of a made-up row of its columns. An inactive
    /// receiver is refused with CONFLICT. It can be sent again with redeliverWebhookEvent;
    /// redeliverWebhookEvents passes tests over.
    async fn send_test_webhook(
        context: &Context,
        #[graphql(description = "What is to be sent, and to whom.")] input: SendTestWebhookInput,
    ) -> Result<WebhookEventPayload, ApiError> {
        test_webhook::send(context, input).await
    }

    /// Makes events for one subscription out of the changes that are kept: for a new subscriber, or to fill a
    /// gap after an accident. Needs role operator. The events have new ids and new sequence numbers, in commit
    /// order of each row, and are delivered like any others. Changes that are not fanned out yet are not among
    /// them: those come by themselves. It works in batches of 1000, each written for itself. Fails with
    /// CONFLICT while the subscription or its receiver is inactive.
    async fn replay_webhook_changes(
        context: &Context,
        #[graphql(description = "Which changes, for which subscription.")]
        input: ReplayWebhookChangesInput,
    ) -> Result<WebhookEventCountPayload, ApiError> {
        replay::replay(context, input).await
    }

    /// Commits one change of one of the sample's tables, to see it go through. Needs role operator. NOT_FOUND where the
    /// deployment has no sample (`sample` is off); VALIDATION where no such change can be made now, as when there is no
    /// row to update.
    async fn create_sample_change(
        context: &Context,
        #[graphql(description = "Which change.")] input: CreateSampleChangeInput,
    ) -> Result<SampleChangePayload, ApiError> {
        sample::change(context, input).await
    }
}
