//! Reconciliation on both databases.
//!
//! The cursor is read first: what it has passed by then is compared, page by page, along the primary key of the log, each
//! page with its events through the index on the change. The events of a change were committed with the cursor that
//! passed it, and the history of subscriptions is read after the changes, as in fan-out, so the verdict is fan-out's.
//! Each statement is a transaction of its own that ends with its page.

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, QueryResult, Value};

use super::{
    db::{Db, Dialect},
    eras::{eras_column, read_eras},
    event_lists::versions,
    fan_out::intervals,
    kept_changes,
    records::{numbers, one_of, read_user_text, user_text},
};
use crate::{
    domain::{
        action::Action,
        era::Eras,
        event::{EventState, EventStatus},
        ids::{ChangeId, EventId, SubscriptionId},
        interval::ActivityInterval,
        resource::{ResourceDefinition, ResourceName},
        snapshot::{Place, Position},
    },
    policy::{
        filter::{FilterInput, Filters},
        logged_row::LoggedRow,
        matching::{Subject, decides, verdict},
        sequence::{Numbers, gaps},
    },
    store::{
        StoreError,
        reconciliation::{Account, Difference, Reach, Reconciliation, StateFault},
    },
};

/// Rows looked at in one statement.
const PAGE: i64 = 500;
/// Rows that are read whole hold no more text than this, one large row aside.
const BYTES: i64 = 4 << 20;
/// Numbers of a subscription that are looked at: there may be many subscriptions.
const NUMBERS: u32 = 1000;
/// A mutation is under way for a few milliseconds after it has taken its position. So many transactions may begin
/// meanwhile that nobody can tell afterwards whether they committed before its answer.
const EDGE: u64 = 100;

/// Changes against events.
#[derive(Clone)]
pub struct SqlReconciliation {
    db: Db,
}

/// How far fan-out had come: the watermark, and where a window is done in part, its end and up to which id.
struct Passed {
    watermark: Position,
    window: Option<(Position, i64)>,
    eras: Eras,
}

impl Passed {
    fn has(&self, change: &Kept) -> bool {
        let in_window =
            |(to, after): &(Position, i64)| change.id <= *after && to.sees(change.place);
        self.watermark.sees(change.place) || self.window.as_ref().is_some_and(in_window)
    }
}

/// A change that is kept, without its row.
struct Kept {
    id: i64,
    place: Place,
    version: i32,
    action: Action,
    size: i64,
}

type Kind = (ResourceName, Action);
type Versions = HashMap<i32, (ResourceName, ResourceDefinition)>;
type Intervals = HashMap<Kind, Vec<ActivityInterval>>;

impl SqlReconciliation {
    /// On this database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn all(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>, StoreError> {
        Ok(self
            .db
            .query_all_raw(self.db.statement(sql, values))
            .await?)
    }

    async fn passed(&self) -> Result<Passed, StoreError> {
        let sql = format!(
            "select watermark, window_to, window_after, {} from rowhook.capture_cursor where id = 1",
            eras_column(self.db.dialect())
        );
        let found = self.all(&sql, []).await?;
        let row = found
            .first()
            .ok_or_else(|| StoreError::corrupt("capture_cursor has no row"))?;
        let position = |text: String| text.parse::<Position>().map_err(StoreError::corrupt);
        let to: Option<String> = row.try_get("", "window_to")?;
        let after: Option<i64> = row.try_get("", "window_after")?;
        Ok(Passed {
            watermark: position(row.try_get("", "watermark")?)?,
            window: to.map(position).transpose()?.zip(after),
            eras: read_eras(row)?,
        })
    }

    /// The id after which the newest so many changes stand, and the last of them.
    async fn newest(&self, newest: u32) -> Result<(i64, i64), StoreError> {
        let sql = format!(
            "select coalesce(min(n.id) - 1, 0) as after, coalesce(max(n.id), 0) as last from
             (select id from rowhook.logged_actions order by id desc limit {newest}) n"
        );
        let found = self.all(&sql, []).await?;
        let row = found
            .first()
            .ok_or_else(|| StoreError::corrupt("an aggregate returned no row"))?;
        Ok((row.try_get("", "after")?, row.try_get("", "last")?))
    }

    async fn changes(&self, reach: &Reach, account: &mut Account) -> Result<(), StoreError> {
        let passed = self.passed().await?;
        // What is logged while this goes on is left for the next time.
        let (mut after, end) = self.newest(reach.newest).await?;
        let mut filters = Filters::default();
        let sql = page_sql(self.db.dialect());
        while after < end {
            let began = Instant::now();
            let rows = self.all(&sql, [after.into(), end.into()]).await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.try_get("", "id")?;
            let mut page = Vec::with_capacity(rows.len());
            for row in &rows {
                let logged_at = row.try_get("", "logged_at")?;
                if reach.since.is_some_and(|since| logged_at < since) {
                    continue;
                }
                account.changes += 1;
                account.oldest = Some(account.oldest.map_or(logged_at, |old| old.min(logged_at)));
                let change = kept(self.db.dialect(), row, &passed.eras)?;
                if passed.has(&change) {
                    page.push(change);
                } else {
                    account.not_fanned_out += 1;
                }
            }
            self.compare(&page, &mut filters, account).await?;
            breathe(reach, began).await;
        }
        Ok(())
    }

    /// A page of changes that fan-out has passed.
    async fn compare(
        &self,
        page: &[Kept],
        filters: &mut Filters,
        account: &mut Account,
    ) -> Result<(), StoreError> {
        if page.is_empty() {
            return Ok(());
        }
        let versions = self.versions().await?;
        let kind = |change: &Kept| -> Option<Kind> {
            let (name, _) = versions.get(&change.version)?;
            Some((name.clone(), change.action))
        };
        let kinds: HashSet<Kind> = page.iter().filter_map(kind).collect();
        let mut history: Intervals = HashMap::new();
        for interval in intervals(&self.db, &kinds.into_iter().collect::<Vec<_>>()).await? {
            let kind = (interval.resource.clone(), interval.action);
            history.entry(kind).or_default().push(interval);
        }
        let mut found = self.events_of(page).await?;
        account.found += found.len() as u64;
        // Only those whose row decides are read whole.
        let asked = |change: &&Kept| kind(change).is_some_and(|kind| history.contains_key(&kind));
        let mut rest: Vec<&Kept> = page.iter().filter(asked).collect();
        while !rest.is_empty() {
            let mut size = 0;
            let fits = |change: &&&Kept| {
                size += change.size;
                size <= BYTES
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let behind = rest.split_off(count);
            let rows = self.rows(&rest).await?;
            for change in &rest {
                let (Some((name, definition)), Some((row, old))) =
                    (versions.get(&change.version), rows.get(&change.id))
                else {
                    // Dropped meanwhile: no event tells of it.
                    continue;
                };
                let Some(candidates) = history.get(&(name.clone(), change.action)) else {
                    continue;
                };
                let row = read(row, old.as_deref(), definition);
                for subscription in owed(change, name, row.as_ref(), candidates, filters) {
                    account.owed += 1;
                    if found.remove(&(change.id, subscription)).is_none() {
                        account.differs(Difference::Missing {
                            subscription,
                            change: ChangeId(change.id),
                            at_the_edge: at_the_edge(change.place, candidates, subscription),
                        });
                    }
                }
            }
            rest = behind;
        }
        let mut surplus: Vec<_> = found.into_iter().collect();
        surplus.sort_unstable();
        for ((id, subscription), event) in surplus {
            let change = page.iter().find(|change| change.id == id);
            let edge = change.is_some_and(|change| {
                let candidates = kind(change).and_then(|kind| history.get(&kind));
                candidates.is_some_and(|all| at_the_edge(change.place, all, subscription))
            });
            account.differs(Difference::Surplus {
                subscription,
                change: ChangeId(id),
                event,
                at_the_edge: edge,
            });
        }
        Ok(())
    }

    async fn versions(&self) -> Result<Versions, StoreError> {
        let names = self
            .all("select id, name from rowhook.resources", [])
            .await?;
        let mut named = HashMap::new();
        for row in &names {
            let name: String = row.try_get("", "name")?;
            let id: i32 = row.try_get("", "id")?;
            named.insert(id, name.parse().map_err(StoreError::corrupt)?);
        }
        let all = versions(&self.db, None).await?.into_iter();
        let with_name = |(id, definition)| Some((id, (named.get(&id).cloned()?, definition)));
        Ok(all.filter_map(with_name).collect())
    }

    /// The live events of these changes.
    async fn events_of(
        &self,
        page: &[Kept],
    ) -> Result<HashMap<(i64, SubscriptionId), EventId>, StoreError> {
        let dialect = self.db.dialect();
        let sql = format!(
            "select e.id, e.change_id, e.subscription_id from rowhook.events e
             where {} and e.replay_id = 0",
            one_of(dialect, "e.change_id", "$1")
        );
        let ids = numbers(dialect, page.iter().map(|change| change.id));
        let event = |row: &QueryResult| {
            let subscription = SubscriptionId(row.try_get("", "subscription_id")?);
            let of = (row.try_get("", "change_id")?, subscription);
            Ok((of, EventId(row.try_get("", "id")?)))
        };
        self.all(&sql, [ids]).await?.iter().map(event).collect()
    }

    /// The rows of these changes: new and old values.
    async fn rows(
        &self,
        changes: &[&Kept],
    ) -> Result<HashMap<i64, (String, Option<String>)>, StoreError> {
        let dialect = self.db.dialect();
        let sql = format!(
            "select l.id, {} as row_data, {} as old_values from rowhook.logged_actions l where {}",
            user_text(dialect, "l.row_data"),
            user_text(dialect, "l.old_values"),
            one_of(dialect, "l.id", "$1"),
        );
        let ids = numbers(dialect, changes.iter().map(|change| change.id));
        let mut found = HashMap::new();
        for row in self.all(&sql, [ids]).await? {
            let data = read_user_text(dialect, &row, "row_data")?.unwrap_or_default();
            let old = read_user_text(dialect, &row, "old_values")?;
            found.insert(row.try_get("", "id")?, (data, old));
        }
        Ok(found)
    }

    /// The numbers of each subscription's newest events.
    async fn numbers(&self, reach: &Reach, account: &mut Account) -> Result<(), StoreError> {
        let sql = "select subscription_id from rowhook.subscription_sequences order by 1";
        let limit = reach.newest.min(NUMBERS);
        for row in self.all(sql, []).await? {
            let began = Instant::now();
            account.subscriptions += 1;
            let subscription = SubscriptionId(row.try_get("", "subscription_id")?);
            // Numbers and events are written together, so one statement sees both or neither.
            let sql = format!(
                "select s.last_sequence, e.sequence, e.created_at
                 from rowhook.subscription_sequences s
                 left join (select subscription_id, sequence, created_at from rowhook.events
                            where subscription_id = $1 and sequence is not null
                            order by sequence desc limit {limit}) e on true
                 where s.subscription_id = $1 order by e.sequence desc"
            );
            let rows = self.all(&sql, [subscription.0.into()]).await?;
            let Some(first) = rows.first() else {
                continue;
            };
            let last = first.try_get("", "last_sequence")?;
            let mut found = Vec::with_capacity(rows.len());
            for row in &rows {
                if let Some(number) = row.try_get("", "sequence")? {
                    found.push((number, row.try_get("", "created_at")?));
                }
            }
            let numbers = Numbers {
                found: &found,
                last,
                complete: found.len() < limit as usize,
                since: reach.since,
            };
            for gap in gaps(&numbers) {
                account.differs(Difference::Gap {
                    subscription,
                    from: *gap.start(),
                    to: *gap.end(),
                });
            }
            breathe(reach, began).await;
        }
        Ok(())
    }

    /// The states of the newest events.
    async fn states(&self, reach: &Reach, account: &mut Account) -> Result<(), StoreError> {
        let mut before = i64::MAX;
        loop {
            let began = Instant::now();
            let left = i64::from(reach.newest) - account.events as i64;
            let sql = states_sql(left.min(PAGE));
            let rows = self.all(&sql, [before.into()]).await?;
            for row in &rows {
                before = row.try_get("", "id")?;
                account.events += 1;
                if let Some(fault) = fault(&Record::read(row)?) {
                    let event = EventId(before);
                    account.differs(Difference::Inconsistent { event, fault });
                }
            }
            if rows.len() as i64 >= left || (rows.len() as i64) < PAGE {
                return Ok(());
            }
            breathe(reach, began).await;
        }
    }
}

/// The pause after a page, where there is time.
async fn breathe(reach: &Reach, began: Instant) {
    if reach.gently {
        tokio::time::sleep(began.elapsed()).await;
    }
}

/// The statement that reads a page of changes after an id (`$1`) and up to another one (`$2`), without their rows.
fn page_sql(dialect: Dialect) -> String {
    let xid = match dialect {
        Dialect::Postgres => "l.xid::text::bigint",
        Dialect::Sqlite => "0",
    };
    let size = kept_changes::size(dialect);
    format!(
        "select l.id, {xid} as xid, l.logged_at, l.resource_id, l.action,
                {size} as size
         from rowhook.logged_actions l where l.id > $1 and l.id <= $2 order by l.id limit {PAGE}"
    )
}

/// The statement that reads how the next events before an id (`$1`) stand. The latest attempt stands in the event, the
/// earlier ones beside it; an outcome without an attempt, such as a body that is too large, has put the latest one there
/// too.
fn states_sql(limit: i64) -> String {
    format!(
        "select e.id, e.state, e.due_at is not null as is_due, e.ended_at is not null as has_end,
                e.attempted_at is not null and e.response_status is not null as is_answered,
                e.attempt_count > 1 and e.attempt_count > (
                    select count(*) from rowhook.attempts a
                    where a.event_id = e.id and a.number between 1 and e.attempt_count
                ) + case when e.attempted_at is null then 0 else 1 end as misses_attempts
         from rowhook.events e where e.id < $1 order by e.id desc limit {limit}"
    )
}

/// How an event stands.
struct Record {
    state: i16,
    is_due: bool,
    has_end: bool,
    is_answered: bool,
    misses_attempts: bool,
}

impl Record {
    fn read(row: &QueryResult) -> Result<Self, StoreError> {
        Ok(Self {
            state: row.try_get("", "state")?,
            is_due: row.try_get("", "is_due")?,
            has_end: row.try_get("", "has_end")?,
            is_answered: row.try_get("", "is_answered")?,
            misses_attempts: row.try_get("", "misses_attempts")?,
        })
    }
}

fn kept(dialect: Dialect, row: &QueryResult, eras: &Eras) -> Result<Kept, StoreError> {
    let id: i64 = row.try_get("", "id")?;
    let place = match dialect {
        Dialect::Postgres => {
            let xid: i64 = row.try_get("", "xid")?;
            Place::Transaction {
                era: eras.of(ChangeId(id)),
                xid: u64::try_from(xid).map_err(StoreError::corrupt)?,
            }
        }
        Dialect::Sqlite => Place::Id(ChangeId(id)),
    };
    let action: i16 = row.try_get("", "action")?;
    Ok(Kept {
        id,
        place,
        version: row.try_get("", "resource_id")?,
        action: Action::from_code(action)
            .ok_or_else(|| StoreError::Corrupt(format!("logged_actions {id}: action {action}")))?,
        size: i64::from(row.try_get::<i32>("", "size")?),
    })
}

/// A row that fan-out could read; one that it could not fires whatever was asked for.
fn read<'a>(
    row: &'a str,
    old: Option<&'a str>,
    definition: &'a ResourceDefinition,
) -> Option<LoggedRow<'a>> {
    let row = LoggedRow::parse(definition, row, old).ok()?;
    row.id(definition).ok()?;
    row.previous_id(definition).ok()?;
    Some(row)
}

/// Who was owed an event of a change, by what was in force when it committed.
fn owed(
    change: &Kept,
    resource: &ResourceName,
    row: Option<&LoggedRow<'_>>,
    candidates: &[ActivityInterval],
    filters: &mut Filters,
) -> Vec<SubscriptionId> {
    let changed: Vec<&str> = row.iter().flat_map(|row| row.changed_columns()).collect();
    let subject = Subject {
        place: change.place,
        resource,
        action: change.action,
        changed: &changed,
    };
    let input = row.map(|row| FilterInput::new(row, resource, change.action));
    let mut owed: Vec<SubscriptionId> = Vec::new();
    for interval in candidates {
        let (fields, filter) = (
            interval.changed_fields.as_deref(),
            interval.filter.as_deref(),
        );
        // In the order of subscriptions: one of them fires once.
        let fires = owed.last() != Some(&interval.subscription_id)
            && decides(interval, &subject)
            && input
                .as_ref()
                .is_none_or(|input| verdict(fields, filter, &subject, input, filters).fires());
        if fires {
            owed.push(interval.subscription_id);
        }
    }
    owed
}

/// Whether a change's transaction was under way as the subscription began or ceased to be active, or began just after.
fn at_the_edge(place: Place, candidates: &[ActivityInterval], of: SubscriptionId) -> bool {
    let Place::Transaction { era, xid } = place else {
        // Writers take turns, so nothing is in doubt.
        return false;
    };
    let near = |position: &Position| match position {
        Position::Snapshot(seen) => {
            era == seen.era() && !seen.sees(era, xid) && xid < seen.xmax() + EDGE
        }
        Position::UpTo(_) => false,
    };
    candidates
        .iter()
        .filter(|interval| interval.subscription_id == of)
        .any(|interval| near(&interval.from) || interval.to.as_ref().is_some_and(near))
}

fn fault(record: &Record) -> Option<StateFault> {
    let Some(state) = EventState::from_code(record.state) else {
        return Some(StateFault::UnknownState);
    };
    match (state.status(), record.has_end) {
        (EventStatus::Pending, true) => return Some(StateFault::OwedWithEnd),
        (EventStatus::Pending, false) if state == EventState::Waiting && !record.is_due => {
            return Some(StateFault::WaitingWithoutTime);
        }
        (EventStatus::Delivered | EventStatus::Failed | EventStatus::Cancelled, false) => {
            return Some(StateFault::SettledWithoutEnd);
        }
        (EventStatus::Delivered, true) if !record.is_answered => {
            return Some(StateFault::DeliveredWithoutAnswer);
        }
        (EventStatus::Pending, false)
        | (EventStatus::Delivered | EventStatus::Failed | EventStatus::Cancelled, true) => {}
    }
    record
        .misses_attempts
        .then_some(StateFault::AttemptsMissing)
}

#[async_trait]
impl Reconciliation for SqlReconciliation {
    async fn reconcile(&self, reach: &Reach) -> Result<Account, StoreError> {
        let mut account = Account::default();
        self.changes(reach, &mut account).await?;
        self.numbers(reach, &mut account).await?;
        self.states(reach, &mut account).await?;
        Ok(account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{era::Era, ids::ReceiverId};

    #[test]
    fn what_commits_while_a_mutation_runs_is_in_doubt() {
        let interval = |from: &str, to: Option<&str>| ActivityInterval {
            subscription_id: SubscriptionId(1),
            receiver_id: ReceiverId(1),
            resource: "RUN".parse().unwrap(),
            action: Action::Create,
            changed_fields: None,
            filter: None,
            from: from.parse().unwrap(),
            to: to.map(|to| to.parse().unwrap()),
        };
        let all = [interval("1000:1010:1000", Some("5000:5000:"))];
        let doubtful = |xid, of| {
            at_the_edge(
                Place::Transaction {
                    era: Era::FIRST,
                    xid,
                },
                &all,
                SubscriptionId(of),
            )
        };
        for xid in [1000, 1010, 1109, 5000, 5099] {
            assert!(doubtful(xid, 1), "{xid}");
            assert!(!doubtful(xid, 2), "another subscription's");
        }
        for xid in [999, 1005, 1110, 4999, 5100] {
            assert!(!doubtful(xid, 1), "{xid}");
        }
        let all = [interval("7", None)];
        assert!(!at_the_edge(
            Place::Id(ChangeId(8)),
            &all,
            SubscriptionId(1)
        ));
    }
}
