//! Receivers: the registered endpoints. Their type, lists and mutations; `receiver_input` and
//! `receiver_change` hold what can be set.

use std::{ops::RangeInclusive, time::Duration};

use juniper::{GraphQLInputObject, GraphQLObject, graphql_object};

use crate::{
    domain::{
        api_key::Role,
        ids::ReceiverId,
        receiver::{RateLimit, Receiver},
        shared_secret::SharedSecret,
    },
    policy::webhook_uri::MAX_URI_CHARS,
    store::{
        StoreError,
        page::{Place, SortKey, SortValue},
        receivers::ReceiverFilter,
    },
};

use super::{
    author::Author,
    client_certificate::WebhookClientCertificate,
    connection::{List, PageArguments, connection},
    context::Context,
    error::{ApiError, Code, InputPath},
    header::WebhookHeader,
    last_attempt::WebhookLastAttempt,
    receiver_change::{ReceiverChange, fields_of, fields_of_new},
    receiver_health::{self, WebhookReceiverHealth, WebhookReceiverHealthDetails},
    receiver_input::{
        CreateWebhookReceiverInput, DeleteWebhookReceiverInput, RotateWebhookReceiverSecretInput,
        UpdateWebhookReceiverInput, WebhookOrdering,
    },
    scalar::ApiScalar,
    scalars::DateTime,
    sort::Sort,
    stats::Stats,
    subscription::SubscriptionNode,
    validate::{no_longer, whole},
};

/// A day; the input's description and its default name it too.
const DEFAULT_OVERLAP_SECONDS: i32 = 86_400;
/// Up to 30 days: a secret that has leaked should not be good for longer.
const OVERLAP_SECONDS: RangeInclusive<i32> = 0..=2_592_000;

connection!(
    ReceiverConnection,
    ReceiverEdge,
    ReceiverNode,
    "WebhookReceiverConnection",
    "WebhookReceiverEdge"
);

/// A receiver as the API shows it.
#[derive(Clone, Debug)]
pub struct ReceiverNode {
    record: Receiver,
    /// Shown once, in the payload of the mutation that made it.
    secret: Option<SharedSecret>,
}

impl From<Receiver> for ReceiverNode {
    fn from(record: Receiver) -> Self {
        Self {
            record,
            secret: None,
        }
    }
}

/// The throttle of a receiver: in any window of t seconds at most `burst + perSecond × t` requests to it
/// start, retries included.
#[derive(Clone, Copy, Debug, PartialEq, GraphQLObject)]
#[graphql(name = "WebhookRateLimit", context = Context, scalar = ApiScalar)]
pub struct WebhookRateLimit {
    /// Requests per second; may be a fraction.
    pub per_second: f64,
    /// How many may start at once after a pause.
    pub burst: i32,
}

impl From<RateLimit> for WebhookRateLimit {
    fn from(limit: RateLimit) -> Self {
        Self {
            per_second: limit.per_second,
            burst: saturating(limit.burst),
        }
    }
}

/// When an event that a receiver did not take is tried again. Each pause is spread by ±20 %.
#[derive(Clone, Copy, Debug, PartialEq, GraphQLObject)]
#[graphql(name = "WebhookRetryPolicy", context = Context, scalar = ApiScalar)]
pub struct WebhookRetryPolicy {
    /// Attempts in all, the first included. 12 unless set.
    pub max_attempts: i32,
    /// Milliseconds between the first attempt and the second. 5000 unless set.
    pub initial_delay_ms: i32,
    /// Each further pause is this many times the one before. 4 unless set.
    pub multiplier: f64,
    /// Milliseconds that no pause exceeds. 21600000 (6 hours) unless set.
    pub max_delay_ms: i32,
}

/// A registered endpoint: where deliveries go, and how it wants to be spoken to.
#[graphql_object]
#[graphql(name = "WebhookReceiver", context = Context, scalar = ApiScalar)]
impl ReceiverNode {
    /// The receiver's id.
    fn id(&self) -> i32 {
        self.record.id.0
    }

    /// What people call it.
    fn name(&self) -> &str {
        &self.record.name
    }

    /// What it is for.
    fn description(&self) -> Option<&str> {
        self.record.description.as_deref()
    }

    /// The URI that deliveries are posted to, letter by letter as it was registered: signatures cover it.
    fn webhook_uri(&self) -> &str {
        &self.record.webhook_uri
    }

    /// The key for verifying signatures (`whsec_…`). Shown once, in the payload of the mutation that made
    /// it (createWebhookReceiver, rotateWebhookReceiverSecret); null everywhere else.
    fn shared_secret(&self) -> Option<&str> {
        self.secret.as_ref().map(SharedSecret::expose)
    }

    /// How the body travels: `json` (application/json), `form` (application/x-www-form-urlencoded with the
    /// body in the field `payload`) or `cloudevents` (application/cloudevents+json, structured mode).
    fn content_type(&self) -> &str {
        self.record.content_type.as_str()
    }

    /// The only HTTP status that counts as delivered. 200 unless set.
    fn expected_response_code(&self) -> i32 {
        i32::from(self.record.expected_response_code)
    }

    /// An inactive receiver gets no new events, and its pending ones wait until it is active again.
    fn active(&self) -> bool {
        self.record.active
    }

    /// Why rowhook made the receiver inactive; null when it is active or a person made it inactive.
    fn inactive_reason(&self) -> Option<&str> {
        self.record.inactive_reason.as_deref()
    }

    /// How it does, in a word.
    async fn health(&self, context: &Context) -> Result<WebhookReceiverHealth, ApiError> {
        receiver_health::state_of(context, &self.record).await
    }

    /// Why it does so, since when, and what comes next.
    async fn health_details(
        &self,
        context: &Context,
    ) -> Result<WebhookReceiverHealthDetails, ApiError> {
        receiver_health::details_of(context, &self.record).await
    }

    /// Its latest attempt in short, test deliveries included, as far as few steps lead to it: the latest of those made for its
    /// newest 20 events, for the 20 up to the first one that waits to be sent, and for the newest 20 that wait for
    /// another attempt. Null where none of these was tried; its events have every attempt.
    async fn last_attempt(
        &self,
        context: &Context,
    ) -> Result<Option<WebhookLastAttempt>, ApiError> {
        let found = context.last_attempts.load(self.record.id).await?;
        Ok(found.map(Into::into))
    }

    /// The instance that sends to it now, by its name in `webhookInstances`; null while none does: there is nothing to send, it
    /// is inactive, or it is probed at long intervals.
    async fn instance(&self, context: &Context) -> Result<Option<String>, ApiError> {
        context.sender_of.load(self.record.id).await
    }

    /// How often requests to it may start; null: as often as there are events.
    fn rate_limit(&self) -> Option<WebhookRateLimit> {
        self.record.rate_limit.map(Into::into)
    }

    /// Requests to it that may be under way at once: the receiver's own setting, else the deployment's
    /// default (16 unless configured).
    fn max_in_flight(&self, context: &Context) -> i32 {
        let default = context.services.defaults.max_in_flight;
        saturating(self.record.max_in_flight.unwrap_or(default))
    }

    /// Milliseconds that a whole attempt may take, from resolving the name to the last byte of the answer:
    /// the receiver's own setting, else the deployment's default (5000 unless configured).
    fn timeout_ms(&self, context: &Context) -> i32 {
        let default = context.services.defaults.timeout;
        saturating(self.record.timeout.unwrap_or(default).as_millis())
    }

    /// When an event that the receiver did not take is tried again: its own settings, else the default.
    fn retry_policy(&self, context: &Context) -> WebhookRetryPolicy {
        let policy = self.record.retry.over(context.services.defaults.retry);
        WebhookRetryPolicy {
            max_attempts: saturating(policy.max_attempts),
            initial_delay_ms: saturating(policy.initial_delay.as_millis()),
            multiplier: policy.multiplier,
            max_delay_ms: saturating(policy.max_delay.as_millis()),
        }
    }

    /// Whether a later event of a row waits until the earlier one is settled.
    fn ordering(&self) -> WebhookOrdering {
        self.record.ordering.into()
    }

    /// The certificate that rowhook shows to it where it asks for one (mutual TLS); null: none is set.
    fn client_certificate(&self) -> Option<WebhookClientCertificate> {
        self.record.client_certificate.as_deref().map(Into::into)
    }

    /// What it is subscribed to, in id order.
    async fn subscriptions(&self, context: &Context) -> Result<Vec<SubscriptionNode>, ApiError> {
        let found = context.subscriptions_of.load(self.record.id).await?;
        let found = found.unwrap_or_default();
        context.spend(found.len())?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// The HTTP headers that are sent with each delivery to it, in id order.
    async fn headers(&self, context: &Context) -> Result<Vec<WebhookHeader>, ApiError> {
        let found = context.headers_of.load(self.record.id).await?;
        let found = found.unwrap_or_default();
        context.spend(found.len())?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// How deliveries to it go.
    fn stats(&self) -> Stats {
        Stats::of(self.record.id)
    }

    /// Who made it.
    fn created_by(&self) -> Author {
        (&self.record.created_by).into()
    }

    /// Who changed it last.
    fn updated_by(&self) -> Author {
        (&self.record.updated_by).into()
    }

    /// When it was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.record.created_at)
    }

    /// When it was changed last.
    fn updated_at(&self) -> DateTime {
        DateTime(self.record.updated_at)
    }

    /// Changes with each change of the record; give it as `etag` to updateWebhookReceiver.
    #[graphql(name = "_etag")]
    fn etag(&self) -> &str {
        &self.record.etag
    }
}

/// What lists of receivers can be narrowed by; all that are given must hold.
#[derive(Clone, Debug, Default, GraphQLInputObject)]
#[graphql(name = "WebhookReceiverFilters", scalar = ApiScalar)]
pub struct WebhookReceiverFilters {
    /// Only active (true) or only inactive (false) receivers.
    pub active: Option<bool>,
    /// Only receivers with exactly this name.
    pub name: Option<String>,
    /// Only receivers with this text in their name, description or URI, at most 2048 characters; capitals and small
    /// letters are the same (on SQLite those of ASCII).
    pub search: Option<String>,
    /// Only receivers whose `health` is one of these.
    pub health: Option<Vec<WebhookReceiverHealth>>,
}

impl WebhookReceiverFilters {
    fn checked(self) -> Result<ReceiverFilter, ApiError> {
        let at = |field: &str| InputPath::argument("filters").field(field);
        if let Some(text) = &self.search {
            no_longer(text, MAX_URI_CHARS, &at("search"))?;
        }
        if self.health.as_ref().is_some_and(Vec::is_empty) {
            let why = "must name at least one state; null means any";
            return Err(at("health").refuse(why));
        }
        let health = self.health;
        Ok(ReceiverFilter {
            active: self.active,
            name: self.name,
            search: self.search,
            health: health.map(|states| states.into_iter().map(Into::into).collect()),
        })
    }
}

/// What a mutation of a receiver returns.
#[derive(GraphQLObject)]
#[graphql(name = "WebhookReceiverPayload", context = Context, scalar = ApiScalar)]
pub struct WebhookReceiverPayload {
    /// The receiver as it is now.
    pub webhook_receiver: ReceiverNode,
}

/// `webhookReceiver`.
pub async fn one(context: &Context, id: i32) -> Result<Option<ReceiverNode>, ApiError> {
    existing(context, ReceiverId(id))
        .await
        .map(|record| Some(record.into()))
}

/// `webhookReceivers`.
pub async fn page(
    context: &Context,
    filters: Option<WebhookReceiverFilters>,
    sort: Sort,
    arguments: &PageArguments,
) -> Result<ReceiverConnection, ApiError> {
    let request = arguments.request(List::Receivers, sort)?;
    let filters = filters.unwrap_or_default();
    let filter = filters.checked()?;
    let page = context
        .services
        .receivers
        .receivers(&filter, request)
        .await?;
    let cursors = List::Receivers.cursors(sort.key);
    Ok(ReceiverConnection::of(page, cursors, |one| Place {
        id: one.id.0.into(),
        value: match sort.key {
            SortKey::Id => None,
            SortKey::Name => Some(SortValue::Text(one.name.clone())),
            SortKey::UpdatedAt => Some(SortValue::Moment(one.updated_at)),
        },
    }))
}

/// `createWebhookReceiver`.
pub async fn create(
    context: &Context,
    input: CreateWebhookReceiverInput,
) -> Result<WebhookReceiverPayload, ApiError> {
    context.require(Role::Admin, "createWebhookReceiver")?;
    let change = ReceiverChange::from(input);
    let fields = change.over(fields_of_new(), &context.services.check_uri)?;
    let secret = SharedSecret::generate();
    let store = &context.services.receivers;
    let record = store
        .create_receiver(fields, &secret, &context.caller.author)
        .await?;
    context.forget_loaded();
    Ok(WebhookReceiverPayload {
        webhook_receiver: ReceiverNode {
            record,
            secret: Some(secret),
        },
    })
}

/// `updateWebhookReceiver`.
pub async fn update(
    context: &Context,
    input: UpdateWebhookReceiverInput,
) -> Result<WebhookReceiverPayload, ApiError> {
    let id = ReceiverId(input.id);
    let etag = input.etag.clone();
    let change = ReceiverChange::from(input);
    if change.is_of_active_alone() {
        context.require(Role::Operator, "updateWebhookReceiver of active")?;
    } else {
        let action = "updateWebhookReceiver of anything but active";
        context.require(Role::Admin, action)?;
    }
    let current = existing(context, id).await?;
    if current.etag != etag {
        return Err(changed_since("webhook receiver", id.0));
    }
    let fields = change.over(fields_of(current), &context.services.check_uri)?;
    let store = &context.services.receivers;
    let updated = store
        .update_receiver(id, &etag, fields, &context.caller.author)
        .await;
    let record = updated.map_err(|error| match error {
        StoreError::Conflict => changed_since("webhook receiver", id.0),
        other => other.into(),
    })?;
    context.forget_loaded();
    Ok(WebhookReceiverPayload {
        webhook_receiver: record.into(),
    })
}

/// `deleteWebhookReceiver`.
pub async fn delete(
    context: &Context,
    input: DeleteWebhookReceiverInput,
) -> Result<WebhookReceiverPayload, ApiError> {
    context.require(Role::Admin, "deleteWebhookReceiver")?;
    let id = ReceiverId(input.id);
    let store = &context.services.receivers;
    let deleted = store
        .delete_receiver(id, input.etag.as_deref(), &context.caller.author)
        .await;
    let record = deleted.map_err(|error| match error {
        StoreError::Conflict => changed_since("webhook receiver", id.0),
        other => other.into(),
    })?;
    context.forget_loaded();
    Ok(WebhookReceiverPayload {
        webhook_receiver: record.into(),
    })
}

/// `rotateWebhookReceiverSecret`.
pub async fn rotate_secret(
    context: &Context,
    input: RotateWebhookReceiverSecretInput,
) -> Result<WebhookReceiverPayload, ApiError> {
    context.require(Role::Admin, "rotateWebhookReceiverSecret")?;
    let at = InputPath::argument("input").field("overlapSeconds");
    let overlap = input.overlap_seconds.unwrap_or(DEFAULT_OVERLAP_SECONDS);
    let overlap = whole(overlap, OVERLAP_SECONDS, &at)?;
    let secret = SharedSecret::generate();
    let store = &context.services.receivers;
    let record = store
        .rotate_secret(
            ReceiverId(input.id),
            &secret,
            Duration::from_secs(overlap.into()),
            &context.caller.author,
        )
        .await?;
    context.forget_loaded();
    Ok(WebhookReceiverPayload {
        webhook_receiver: ReceiverNode {
            record,
            secret: Some(secret),
        },
    })
}

/// The receiver, or NOT_FOUND.
pub async fn existing(context: &Context, id: ReceiverId) -> Result<Receiver, ApiError> {
    let found = context.services.receivers.receiver(id).await?;
    found.ok_or_else(|| ApiError::not_found("webhook receiver", id))
}

/// The receiver that a record names, deleted or not; many at once cost one question.
pub async fn named(context: &Context, id: ReceiverId) -> Result<Option<Receiver>, ApiError> {
    context.spend(1)?;
    context.receivers.load(id).await
}

/// Someone else changed the record between the client's reading and its update.
pub fn changed_since(what: &str, id: i32) -> ApiError {
    ApiError {
        code: Code::Conflict,
        message: format!(
            "{what} {id} has changed since you read it; read it again and repeat the update with its \
             new _etag"
        ),
        path: Some(InputPath::argument("input").field("etag")),
    }
}

/// `Int` has 32 bits, and no setting comes near its end.
fn saturating(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
