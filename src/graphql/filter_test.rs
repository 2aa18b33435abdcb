//! `testWebhookFilter`: which of the last real changes would have fired, and why not.

use juniper::{GraphQLInputObject, GraphQLObject, graphql_object};

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
    pub changes: Vec<TriedChange>,
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

/// A change and what was found of it. Its rows are written only for whoever asks, since they may be large.
#[derive(Clone, Debug)]
pub struct TriedChange {
    change: KeptChange,
    action: Action,
    /// `None` where the logged row can not be read.
    row_id: Option<String>,
    fires: bool,
    reason: String,
}

impl TriedChange {
    fn row(&self) -> Option<LoggedRow<'_>> {
        read(&self.change).ok()
    }
}

fn read(change: &KeptChange) -> Result<LoggedRow<'_>, UnreadableRow> {
    let old_values = change.old_values.as_deref();
    LoggedRow::parse(&change.definition, &change.row_data, old_values)
}

/// One real change, and what a subscription of the setting would have made of it.
#[graphql_object]
#[graphql(name = "WebhookFilterTestChange", context = Context, scalar = ApiScalar)]
impl TriedChange {
    /// The change's id in the log. Higher is later.
    fn change_id(&self) -> BigInt {
        BigInt(self.change.id.0)
    }

    /// When it occurred; deliveries carry it as `occurred_at`.
    fn occurred_at(&self) -> DateTime {
        DateTime(self.change.occurred_at)
    }

    /// Its transaction. On SQLite null while there is no event of the change, since commits are numbered when
    /// events are made.
    fn transaction_id(&self) -> Option<BigInt> {
        self.change.transaction_id.map(|id| BigInt(id.0))
    }

    /// The row's key, `data.id` of a delivery; null where the logged row can not be read.
    fn row_id(&self) -> Option<Json> {
        self.row_id.as_deref().and_then(Json::parse)
    }

    /// The row operation.
    fn action(&self) -> WebhookSubscriptionActions {
        self.action.into()
    }

    /// The whole row before the change, as the filter sees it: an object of the columns in table order (a delivery of an
    /// UPDATE tells those that changed alone). Null on CREATE, and where the logged row can not be read.
    #[graphql(name = "old")]
    fn row_before(&self) -> Option<Json> {
        Json::parse(&self.row()?.text_before(self.action)?)
    }

    /// The whole row after the change, as the filter sees it. Null on DELETE, and where the logged row can not be read.
    #[graphql(name = "new")]
    fn row_after(&self) -> Option<Json> {
        Json::parse(&self.row()?.text_after(self.action)?)
    }

    /// Whether an event would have been made.
    fn fires(&self) -> bool {
        self.fires
    }

    /// Why, or why not.
    fn reason(&self) -> &str {
        &self.reason
    }
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
    let tried = recent
        .changes
        .into_iter()
        .map(|change| trial.change(change));
    let changes: Vec<TriedChange> = tried.collect();
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
    fn change(&mut self, change: KeptChange) -> TriedChange {
        let (row_id, fires, reason) = match self.judge(&change) {
            Ok(judged) => judged,
            Err(error) => (
                None,
                true,
                format!("it fires, and its event fails at once: {error}"),
            ),
        };
        TriedChange {
            change,
            action: self.action,
            row_id,
            fires,
            reason,
        }
    }

    fn judge(
        &mut self,
        change: &KeptChange,
    ) -> Result<(Option<String>, bool, String), UnreadableRow> {
        let row = read(change)?;
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
