//! Making events out of kept history: for a new subscriber, or after an accident.

use juniper::GraphQLInputObject;

use crate::{
    domain::{api_key::Role, ids::SubscriptionId},
    store::{StoreError, replay::Replay},
};

use super::{
    context::Context,
    error::{ApiError, Code, InputPath},
    event_control::WebhookEventCountPayload,
    scalar::ApiScalar,
    scalars::{BigInt, DateTime, Json},
};

/// Which changes are to be delivered to a subscription anew; all that is given must hold, and something
/// must be given beside the subscription.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "ReplayWebhookChangesInput", scalar = ApiScalar)]
pub struct ReplayWebhookChangesInput {
    /// The id of the subscription that the events are made for. The changes are matched by its present
    /// resource, action, changedFields and filter, whatever it was at the time.
    pub subscription_id: i32,
    /// Only changes that occurred at or after this moment.
    pub from: Option<DateTime>,
    /// Only changes that occurred before this moment.
    pub to: Option<DateTime>,
    /// Only changes that this subscription had an event of with this sequence number or a later one: the
    /// first number of a gap.
    pub from_sequence: Option<BigInt>,
    /// Only changes that this subscription had an event of with this sequence number or an earlier one: the
    /// last number of a gap.
    pub to_sequence: Option<BigInt>,
    /// Only changes of the row with this key, as `rowId` of an event reads back.
    pub row_id: Option<Json>,
    /// Only count, and make no events. Default false.
    pub dry_run: Option<bool>,
}

/// `replayWebhookChanges`.
pub async fn replay(
    context: &Context,
    input: ReplayWebhookChangesInput,
) -> Result<WebhookEventCountPayload, ApiError> {
    context.require(Role::Operator, "replayWebhookChanges")?;
    let at = InputPath::argument("input");
    let dry_run = input.dry_run.unwrap_or(false);
    let replay = Replay {
        subscription_id: SubscriptionId(input.subscription_id),
        from: input.from.map(|moment| moment.0),
        to: input.to.map(|moment| moment.0),
        from_sequence: input.from_sequence.map(|number| number.0),
        to_sequence: input.to_sequence.map(|number| number.0),
        row_id: input.row_id.map(|key| key.text().to_owned()),
    };
    let everything = Replay {
        subscription_id: replay.subscription_id,
        from: None,
        to: None,
        from_sequence: None,
        to_sequence: None,
        row_id: None,
    };
    if replay == everything {
        return Err(at.refuse(
            "must say which changes; give from, to, fromSequence, toSequence or rowId (a `from` of long ago \
             means everything that is kept)",
        ));
    }
    if replay
        .from
        .zip(replay.to)
        .is_some_and(|(from, to)| from >= to)
    {
        return Err(at.field("to").refuse("must be later than `from`"));
    }
    let sequences = replay.from_sequence.zip(replay.to_sequence);
    if sequences.is_some_and(|(from, to)| from > to) {
        return Err(at
            .field("toSequence")
            .refuse("must not be below `fromSequence`"));
    }
    let history = &context.services.history;
    let done = if dry_run {
        history.count(&replay).await
    } else {
        history.replay(&replay).await
    };
    let count = done.map_err(|error| match error {
        StoreError::Conflict => ApiError::new(
            Code::Conflict,
            format!(
                "webhook subscription {} gets no new events, because it or its receiver is inactive; \
                 activate it and ask again (what was made before it was deactivated stays)",
                replay.subscription_id
            ),
        ),
        other => other.into(),
    })?;
    Ok(WebhookEventCountPayload::of(count))
}
