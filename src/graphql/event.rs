//! Events and their attempts: what was owed, what was sent, what came back. Read only.

use indexmap::IndexMap;
use juniper::{GraphQLInputObject, GraphQLObject, graphql_object};

use crate::{
    domain::{
        attempt::Attempt,
        event::EventStatus,
        ids::{EventId, ReceiverId, SubscriptionId, TransactionId},
    },
    store::event_log::{EventFilter, LoggedEvent},
};

use super::{
    connection::{DEFAULT_PAGE, List, PageArguments, connection, page_size},
    context::Context,
    error::{ApiError, InputPath},
    event_request::{self, WebhookHeaderLine},
    receiver::{ReceiverNode, named},
    resource_enum::ResourceEnum,
    scalar::ApiScalar,
    scalars::{BigInt, DateTime, Json},
    sort::Sort,
    subscription::{SubscriptionNode, WebhookSubscriptionActions},
};

connection!(
    EventConnection,
    EventEdge,
    EventNode,
    "WebhookEventConnection",
    "WebhookEventEdge"
);

/// An event as the API shows it.
#[derive(Clone, Debug)]
pub struct EventNode(LoggedEvent);

impl EventNode {
    /// Who it goes to.
    pub(super) fn receiver_id(&self) -> ReceiverId {
        self.0.receiver_id
    }
}

impl From<LoggedEvent> for EventNode {
    fn from(event: LoggedEvent) -> Self {
        Self(event)
    }
}

/// One delivery owed to one subscription for one committed change, and what became of it.
#[graphql_object]
#[graphql(name = "WebhookEvent", context = Context, scalar = ApiScalar)]
impl EventNode {
    /// The event's id: `event_id` of the delivery, the same at each attempt.
    fn id(&self) -> BigInt {
        BigInt(self.0.id.0)
    }

    /// Its number for its subscription (1, 2, 3 …), as header `x-rowhook-sequence`; null for test
    /// deliveries.
    fn sequence(&self) -> Option<BigInt> {
        self.0.sequence.map(BigInt)
    }

    /// Whether it is a test delivery (sendTestWebhook): it belongs to no subscription and tells of no change,
    /// has header `x-rowhook-test: true` and no sequence number, and is tried once.
    fn test(&self) -> bool {
        self.0.sequence.is_none()
    }

    /// `pending` (still owed), `delivered`, `failed` (given up) or `cancelled`.
    fn status(&self) -> &str {
        self.0.state.status().as_str()
    }

    /// The watched table, under the name that it had when the change was made.
    fn resource(&self) -> ResourceEnum {
        (&self.0.resource).into()
    }

    /// What happened to the row.
    fn action(&self) -> WebhookSubscriptionActions {
        self.0.action.into()
    }

    /// When the change committed, where the database can tell it; else when its trigger ran. Of a test delivery:
    /// when it was asked for.
    fn occurred_at(&self) -> DateTime {
        DateTime(self.0.occurred_at)
    }

    /// The database transaction: the same for all its changes. 0 for test deliveries.
    fn transaction_id(&self) -> BigInt {
        BigInt(self.0.transaction_id.0)
    }

    /// The key of the row, `data.id` of the delivery: the key column's own JSON type, or an object of the
    /// columns of a composite key.
    fn row_id(&self) -> Result<Json, ApiError> {
        Json::parse(&self.0.row_id)
            .ok_or_else(|| ApiError::internal(&format_args!("row id of event {}", self.0.id)))
    }

    /// The id of the subscription that it is owed to; 0, which none has, for test deliveries.
    fn subscription_id(&self) -> i32 {
        self.0.subscription_id.0
    }

    /// The subscription that it is owed to, also when that has been deleted; null once its record is gone, and
    /// for test deliveries.
    async fn subscription(&self, context: &Context) -> Result<Option<SubscriptionNode>, ApiError> {
        context.spend(1)?;
        let found = context.subscriptions.load(self.0.subscription_id).await?;
        Ok(found.map(Into::into))
    }

    /// The receiver that it goes to, also when that has been deleted; null once its record is gone.
    async fn receiver(&self, context: &Context) -> Result<Option<ReceiverNode>, ApiError> {
        let found = named(context, self.0.receiver_id).await?;
        Ok(found.map(Into::into))
    }

    /// The body of the delivery, byte for byte, in the receiver's content type; null once the change is no
    /// longer kept.
    async fn request_data(&self, context: &Context) -> Result<Option<String>, ApiError> {
        event_request::data(context, &self.0).await
    }

    /// The text that header `x-ion-signature` signs, with the receiver's URI as it is now: for whoever looks for why a
    /// signature does not verify. Null where the event is sent with the Standard Webhooks signature alone (Python could
    /// not read its data), once the change is no longer kept, and once the receiver's record is gone.
    async fn signed_text(&self, context: &Context) -> Result<Option<String>, ApiError> {
        event_request::signed_text(context, &self.0).await
    }

    /// The headers that an attempt would have now, in the order in which they are sent, without those of HTTP itself
    /// (`host`, `content-length` and the like); what an attempt had is not kept. While two secrets sign (see
    /// rotateWebhookReceiverSecret) there is `x-ion-signature-previous` too. Null once the change is no longer kept, and
    /// once the receiver's record is gone.
    async fn request_headers(
        &self,
        context: &Context,
    ) -> Result<Option<Vec<WebhookHeaderLine>>, ApiError> {
        event_request::headers(context, &self.0).await
    }

    /// The HTTP status of the latest answer; null when the latest attempt got none.
    fn response_status(&self) -> Option<i32> {
        let answer = self.0.last_attempt.as_ref()?.answer.as_ref()?;
        Some(i32::from(answer.status))
    }

    /// The first 16 KiB of the latest answer's body.
    fn response_data(&self) -> Option<&str> {
        let answer = self.0.last_attempt.as_ref()?.answer.as_ref()?;
        Some(&answer.body)
    }

    /// Attempts made so far, over all redeliveries.
    fn attempt_count(&self) -> i32 {
        self.0.attempt_count
    }

    /// When the next attempt is due; null when none is planned.
    fn next_attempt_at(&self) -> Option<DateTime> {
        self.0.next_attempt_at.map(DateTime)
    }

    /// Every attempt made for it, the first one first.
    async fn delivery_attempts(
        &self,
        context: &Context,
    ) -> Result<Vec<WebhookDeliveryAttempt>, ApiError> {
        let attempts = context.services.events.attempts(self.0.id).await?;
        context.spend(attempts.len())?;
        Ok(attempts.into_iter().map(Into::into).collect())
    }

    /// Why it is not delivered, in words that say what to mend: of the event itself where no attempt could
    /// be made, else of the latest attempt. Null once it is delivered.
    fn error(&self) -> Option<&str> {
        let own = self.0.error.as_deref();
        own.or_else(|| self.0.last_attempt.as_ref()?.error.as_deref())
    }

    /// When the event was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// One HTTP request made for an event.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookDeliveryAttempt", context = Context, scalar = ApiScalar)]
pub struct WebhookDeliveryAttempt {
    /// Its number, from 1, over all redeliveries.
    pub number: i32,
    /// When the request started.
    pub started_at: DateTime,
    /// Milliseconds until the answer was complete or the attempt was given up.
    pub duration_ms: BigInt,
    /// The HTTP status of the answer; null when none came.
    pub response_status: Option<i32>,
    /// The headers of the answer: an object of lower-case names and their values. The values of a name that
    /// came several times are joined by ", ". Null when no answer came.
    pub response_headers: Option<Json>,
    /// The first 16 KiB of the answer's body, invalid UTF-8 replaced; null when no answer came.
    pub response_data: Option<String>,
    /// Why the attempt is no delivery, in words that say what to mend; null for the one that delivered.
    pub error: Option<String>,
}

impl From<(i32, Attempt)> for WebhookDeliveryAttempt {
    fn from((number, attempt): (i32, Attempt)) -> Self {
        let answer = attempt.answer;
        Self {
            number,
            started_at: DateTime(attempt.started_at),
            duration_ms: BigInt(i64::try_from(attempt.duration.as_millis()).unwrap_or(i64::MAX)),
            response_status: answer.as_ref().map(|answer| i32::from(answer.status)),
            response_headers: answer.as_ref().and_then(|answer| joined(&answer.headers)),
            response_data: answer.map(|answer| answer.body),
            error: attempt.error,
        }
    }
}

/// RFC 9110 §5.3: field lines of one name mean the same as one line with their values joined.
fn joined(headers: &[(String, String)]) -> Option<Json> {
    let mut by_name: IndexMap<&str, String> = IndexMap::new();
    for (name, value) in headers {
        by_name
            .entry(name)
            .and_modify(|values| {
                values.push_str(", ");
                values.push_str(value);
            })
            .or_insert_with(|| value.clone());
    }
    Json::of(&by_name)
}

/// What lists of events can be narrowed by; all that are given must hold.
#[derive(Clone, Debug, Default, GraphQLInputObject)]
#[graphql(name = "WebhookEventFilters", scalar = ApiScalar)]
pub struct WebhookEventFilters {
    /// Only events of this subscription; 0: only test deliveries.
    pub subscription_id: Option<i32>,
    /// Only events of this receiver.
    pub receiver_id: Option<i32>,
    /// Only events with this status: `pending`, `delivered`, `failed` or `cancelled`.
    pub status: Option<String>,
    /// Only events of this resource; an alias stands for its resource.
    pub resource: Option<ResourceEnum>,
    /// Only events of this action.
    pub action: Option<WebhookSubscriptionActions>,
    /// Only events of this database transaction.
    pub transaction_id: Option<BigInt>,
    /// Only events of the row with this key, as `rowId` reads back: a number, a string, or an object of a
    /// composite key's columns in key order. It finds no test deliveries.
    pub row_id: Option<Json>,
    /// Only events that occurred at or after this moment.
    pub occurred_after: Option<DateTime>,
    /// Only events that occurred before this moment.
    pub occurred_before: Option<DateTime>,
}

impl WebhookEventFilters {
    pub(super) fn resolve(self, context: &Context) -> Result<EventFilter, ApiError> {
        let at = |field: &str| InputPath::argument("filters").field(field);
        let status = |word: String| {
            word.parse::<EventStatus>()
                .map_err(|unknown| at("status").refuse(format!("is unknown: {unknown}")))
        };
        let resource = self.resource.as_ref();
        Ok(EventFilter {
            subscription_id: self.subscription_id.map(SubscriptionId),
            receiver_id: self.receiver_id.map(ReceiverId),
            status: self.status.map(status).transpose()?,
            resource: resource
                .map(|given| context.resource(given, &at("resource")))
                .transpose()?,
            action: self.action.map(Into::into),
            transaction_id: self.transaction_id.map(|id| TransactionId(id.0)),
            row_id: self.row_id.map(|key| key.text().to_owned()),
            occurred_after: self.occurred_after.map(|moment| moment.0),
            occurred_before: self.occurred_before.map(|moment| moment.0),
        })
    }
}

/// `webhookEvent`.
pub async fn one(context: &Context, id: BigInt) -> Result<Option<EventNode>, ApiError> {
    match context.services.events.event(EventId(id.0)).await? {
        Some(event) => Ok(Some(event.into())),
        None => Err(ApiError::not_found("webhook event", id.0)),
    }
}

/// `webhookEvents`.
pub async fn list(
    context: &Context,
    filters: Option<WebhookEventFilters>,
    limit: Option<i32>,
    offset: Option<i32>,
) -> Result<Vec<EventNode>, ApiError> {
    let filter = filters.unwrap_or_default().resolve(context)?;
    let (limit, offset) = stretch(limit, offset)?;
    let store = &context.services.events;
    let events = store.events(&filter, limit, offset).await?;
    Ok(events.into_iter().map(Into::into).collect())
}

/// `webhookEventConnection`.
pub async fn page(
    context: &Context,
    filters: Option<WebhookEventFilters>,
    sort: Sort,
    arguments: &PageArguments,
) -> Result<EventConnection, ApiError> {
    let request = arguments.request(List::Events, sort)?;
    let filter = filters.unwrap_or_default().resolve(context)?;
    let page = context.services.events.event_page(&filter, request).await?;
    let mut connection = EventConnection::of(page, List::Events.cursors(sort.key), |event| {
        event.id.0.into()
    });
    connection.page_info.of_events(filter);
    Ok(connection)
}

/// `events` of a subscription.
pub async fn of_subscription(
    context: &Context,
    id: SubscriptionId,
    limit: Option<i32>,
    offset: Option<i32>,
) -> Result<Vec<EventNode>, ApiError> {
    let (limit, offset) = stretch(limit, offset)?;
    let events = context.events_of.load((id, limit, offset)).await?;
    let events = events.unwrap_or_default();
    context.spend(events.len())?;
    Ok(events.into_iter().map(Into::into).collect())
}

/// How many records of a plain list, after how many.
fn stretch(limit: Option<i32>, offset: Option<i32>) -> Result<(u32, u64), ApiError> {
    let limit = page_size(limit.unwrap_or(DEFAULT_PAGE), "limit")?;
    let offset = offset.unwrap_or(0);
    let offset = u64::try_from(offset).map_err(|_| {
        InputPath::argument("offset").refuse(format!("must not be below 0, but is {offset}"))
    })?;
    Ok((limit, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_name_are_joined() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = [
            header("via", "a"),
            header("content-type", "text/plain"),
            header("via", "b"),
        ];
        assert_eq!(
            joined(&headers).unwrap().text(),
            r#"{"via":"a, b","content-type":"text/plain"}"#
        );
    }
}
