//! `testWebhookFilter`: which of the last real changes would have fired, and why not.

use juniper::{GraphQLInputObject, GraphQLObject};

use crate::{
    domain::{action::Action, api_key::Role, resource::ResourceName, snapshot::Place},
    policy::{
        filter::{FilterInput, Filters},
        logged_row::{LoggedRow, UnreadableRow},
        matching::{Subject, Verdict, verdict},
    },
    store::replay::KeptChange,
};

use super::{
    context::Context,
    error::{ApiError, InputPath},
    filter::Narrowed,
    resource_enum::ResourceEnum,
    scalar::ApiScalar,
    scalars::{BigInt, DateTime, Json},
    subscription::WebhookSubscriptionActions,
};

/// Changes that are tried unless the client says how many.
const DEFAULT_LAST: i32 = 20;
/// Changes that are tried at most.
const MAX_LAST: i32 = 100;

/// A subscription's setting to try. Resource, action, `changedFields` and `filter` are what they are in
/// `CreateWebhookSubscriptionInput`, and are refused for the same reasons.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "TestWebhookFilterInput", scalar = ApiScalar)]
pub struct TestWebhookFilterInput {
    /// The watched table; an alias stands for its resource.
    pub resource: ResourceEnum,
    /// The row operation.
    pub action: WebhookSubscriptionActions,
    /// With action UPDATE: fire only when one of these columns changed. Default: when any did.
    pub changed_fields: Option<Vec<String>>,
    /// Fire only when this CEL expression holds. Default: always.
    pub filter: Option<String>,
    /// How many of the newest changes of the resource and action to try, 1 to 100. Default 20.
    pub last: Option<i32>,
}

/// What came of trying a setting. It is tried on what is kept of the change log (`retention.changes`).
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookFilterTest", context = Context, scalar = ApiScalar)]
pub struct WebhookFilterTest {
    /// The changes that it was tried on, newest first.
    pub changes: Vec<WebhookFilterTestChange>,
    /// How many changes there are in `changes`.
    pub change_count: i32,
    /// How many of them fire, those on which the filter fails included.
    pub fires_count: i32,
    /// On how many of them the filter fails.
    pub failed_count: i32,
    /// How many logged changes of any resource were looked at to find these, from the newest on: at most
    /// 100000.
    pub examined: BigInt,
    /// False when there may be further changes of this kind that were not reached: they lie further back, or
    /// the rows that were found are larger than 16 MiB together.
    pub complete: bool,
}

/// One real change, and what a subscription of the setting would have made of it.
#[derive(Clone, Debug, GraphQLObject)]
#[graphql(name = "WebhookFilterTestChange", context = Context, scalar = ApiScalar)]
pub struct WebhookFilterTestChange {
    /// The change's id in the log. Higher is later.
    pub change_id: BigInt,
    /// When it occurred; deliveries carry it as `occurred_at`.
    pub occurred_at: DateTime,
    /// Its transaction. On SQLite null while there is no event of the change, since commits are numbered when
    /// events are made.
    pub transaction_id: Option<BigInt>,
    /// The row's key, `data.id` of a delivery; null where the logged row can not be read.
    pub row_id: Option<Json>,
    /// The row operation.
    pub action: WebhookSubscriptionActions,
    /// Whether an event would have been made.
    pub fires: bool,
    /// Why, or why not.
    pub reason: String,
}

/// `testWebhookFilter`.
pub async fn run(
    context: &Context,
    input: TestWebhookFilterInput,
) -> Result<WebhookFilterTest, ApiError> {
    // Who may ask for predicates over rows can find out what stands in them. An admin could subscribe.
    context.require(Role::Admin, "testWebhookFilter")?;
    let at = InputPath::argument("input");
    let resource = context.resource(&input.resource, &at.field("resource"))?;
    let action = Action::from(input.action);
    let last = input.last.unwrap_or(DEFAULT_LAST);
    let count = u32::try_from(last)
        .ok()
        .filter(|_| (1..=MAX_LAST).contains(&last));
    let Some(count) = count else {
        return Err(at.field("last").refuse(format!("must be 1 to {MAX_LAST}")));
    };
    let narrowed = Narrowed {
        changed_fields: input.changed_fields.as_deref(),
        filter: input.filter.as_deref(),
    };
    narrowed.check(context, &resource, action)?;
    let history = &context.services.history;
    let recent = history.recent(&resource, action, count).await?;
    let mut trial = Trial {
        resource: &resource,
        action,
        narrowed,
        filters: Filters::default(),
        failed: 0,
    };
    let tried = recent.changes.iter().map(|change| trial.change(change));
    let changes: Vec<WebhookFilterTestChange> = tried.collect();
    let fires = changes.iter().filter(|change| change.fires).count();
    let int = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    Ok(WebhookFilterTest {
        change_count: int(changes.len()),
        fires_count: int(fires),
        failed_count: trial.failed,
        examined: BigInt(i64::try_from(recent.examined).unwrap_or(i64::MAX)),
        complete: recent.complete,
        changes,
    })
}

struct Trial<'a> {
    resource: &'a ResourceName,
    action: Action,
    narrowed: Narrowed<'a>,
    filters: Filters,
    failed: i32,
}

impl Trial<'_> {
    fn change(&mut self, change: &KeptChange) -> WebhookFilterTestChange {
        let (row_id, fires, reason) = match self.judge(change) {
            Ok(judged) => judged,
            Err(error) => (
                None,
                true,
                format!("it fires, and its event fails at once: {error}"),
            ),
        };
        WebhookFilterTestChange {
            change_id: BigInt(change.id.0),
            occurred_at: DateTime(change.occurred_at),
            transaction_id: change.transaction_id.map(|id| BigInt(id.0)),
            row_id: row_id.and_then(|id| Json::parse(&id)),
            action: self.action.into(),
            fires,
            reason,
        }
    }

    fn judge(
        &mut self,
        change: &KeptChange,
    ) -> Result<(Option<String>, bool, String), UnreadableRow> {
        let row = LoggedRow::parse(
            &change.definition,
            &change.row_data,
            change.old_values.as_deref(),
        )?;
        let row_id = row.id(&change.definition)?;
        let changed: Vec<&str> = row.changed_columns().collect();
        let subject = Subject {
            place: Place::Id(change.id),
            resource: self.resource,
            action: self.action,
            changed: &changed,
        };
        let input = FilterInput::new(&row, self.resource, self.action);
        let Narrowed {
            changed_fields,
            filter,
        } = self.narrowed;
        let verdict = verdict(changed_fields, filter, &subject, &input, &mut self.filters);
        let watched = || changed_fields.unwrap_or_default().join(", ");
        let reason = match &verdict {
            Verdict::Fires if filter.is_some() => "the filter is true".to_owned(),
            Verdict::Fires if changed_fields.is_some() => {
                format!("of the changed fields [{}] at least one changed", watched())
            }
            Verdict::Fires => format!("every {} fires", self.action),
            Verdict::Unwatched => format!(
                "none of the changed fields [{}] changed; changed were [{}]",
                watched(),
                changed.join(", ")
            ),
            Verdict::Filtered => "the filter is false".to_owned(),
            Verdict::Undecided(failure) => {
                self.failed += 1;
                format!("the filter failed: {failure}; so the change is delivered")
            }
        };
        Ok((Some(row_id), verdict.fires(), reason))
    }
}
