//! Activity intervals: when each subscription was in force, and with what setting.
//!
//! The mutations of receivers and subscriptions call [`settle`] at their end, with the rows locked and as
//! they will be; fan-out reads what it wrote. A subscription is in force while it is active and not
//! deleted and its receiver is active and not deleted. [`settle`] compares that with the open interval
//! and, where they differ, closes the one and opens the other **at the same position**.
//!
//! # Why "committed before the call is out, committed after the answer is in" holds
//!
//! Say mutation M runs in transaction T and takes position P between its call and its answer.
//!
//! *SQLite.* T holds the write lock from its first statement on, and ids of the log are given under that
//! lock and never twice. P is the highest id ever given: whatever has committed is at or below it,
//! whatever commits later is above it.
//!
//! *PostgreSQL.* P is a snapshot, `pg_current_snapshot()`.
//! - A change whose transaction X committed before M was called had ended when P was taken: P sees it. An
//!   interval opened at P leaves it out, one closed at P keeps it.
//! - A change whose X commits after M has answered was running or not begun when P was taken, however
//!   early it took its transaction id: P does not see it. An interval opened at P has it, one closed
//!   at P does not.
//! - Between call and answer either is right, but exactly one of two adjoining intervals has the change,
//!   since both carry the very same text.
//! - Positions of one subscription only ever grow: P is taken in a statement of its own **after** the
//!   locks. In READ COMMITTED each statement has a new snapshot, so P sees all that the mutation
//!   before, which held the locks, had seen. (In the statement that waits for the lock the snapshot would
//!   be from before the wait, and intervals could overlap or run backward.)
//! - Fan-out takes its own snapshot S and then reads the intervals. A change that S sees and that
//!   committed after M's answer also committed after T, so T's intervals are there to be read. If T is
//!   not there yet, M had not answered when the change committed, and the interval before is right.
//! - P carries its era, so that what was restored from another cluster, and what is logged here, are on the
//!   right side of it (`rowhook rebase` begins an era; a mutation before that does not know of it).
//! - P says nothing of T itself, and need not: T writes no watched table but receivers' health where that is announced,
//!   and of what commits with the mutation itself either is right.

use std::collections::HashMap;

use entity::{activity_intervals, receivers, subscriptions};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr,
};

use super::{
    db::{Dialect, Txn},
    eras::NEWEST_ERA,
};
use crate::store::StoreError;

/// Subscriptions settled with one statement: far below both databases' limits on bound values.
const BATCH: usize = 500;

/// Makes the open intervals of these subscriptions of one receiver what they should be from now on.
///
/// The rows are as the transaction leaves them, and locked by it.
pub(super) async fn settle(
    txn: &Txn,
    receiver: &receivers::Model,
    subscriptions: &[subscriptions::Model],
) -> Result<(), StoreError> {
    let receiver_in_force = receiver.active && receiver.deleted_at.is_none();
    for batch in subscriptions.chunks(BATCH) {
        let mut open = open_intervals(txn, batch).await?;
        let mut close = Vec::new();
        let mut begin = Vec::new();
        for subscription in batch {
            let in_force =
                receiver_in_force && subscription.active && subscription.deleted_at.is_none();
            match (open.remove(&subscription.id), in_force) {
                (Some(interval), true) if has_setting_of(&interval, subscription) => {}
                (Some(interval), in_force) => {
                    close.push(interval.id);
                    begin.extend(in_force.then_some(subscription));
                }
                (None, true) => begin.push(subscription),
                (None, false) => {}
            }
        }
        if close.is_empty() && begin.is_empty() {
            continue;
        }
        let position = position(txn).await?;
        if !close.is_empty() {
            activity_intervals::Entity::update_many()
                .col_expr(
                    activity_intervals::Column::ClosedAt,
                    Expr::value(position.clone()),
                )
                .filter(activity_intervals::Column::Id.is_in(close))
                .exec(txn)
                .await?;
        }
        if !begin.is_empty() {
            let rows = begin.into_iter().map(|one| opened(one, &position));
            activity_intervals::Entity::insert_many(rows)
                .exec_without_returning(txn)
                .await?;
        }
    }
    Ok(())
}

/// The open intervals of these subscriptions, by subscription.
async fn open_intervals(
    txn: &Txn,
    subscriptions: &[subscriptions::Model],
) -> Result<HashMap<i32, activity_intervals::Model>, StoreError> {
    let ids = subscriptions.iter().map(|one| one.id);
    let open = activity_intervals::Entity::find()
        .filter(activity_intervals::Column::SubscriptionId.is_in(ids))
        .filter(activity_intervals::Column::ClosedAt.is_null())
        .all(txn)
        .await?;
    Ok(open
        .into_iter()
        .map(|one| (one.subscription_id, one))
        .collect())
}

/// Whether an interval says what the subscription says by now.
fn has_setting_of(
    interval: &activity_intervals::Model,
    subscription: &subscriptions::Model,
) -> bool {
    interval.resource == subscription.resource
        && interval.action == subscription.action
        && interval.changed_fields == subscription.changed_fields
        && interval.filter == subscription.filter
}

/// A new interval with the subscription's present setting.
fn opened(subscription: &subscriptions::Model, position: &str) -> activity_intervals::ActiveModel {
    activity_intervals::ActiveModel {
        subscription_id: Set(subscription.id),
        receiver_id: Set(subscription.receiver_id),
        resource: Set(subscription.resource.clone()),
        action: Set(subscription.action.clone()),
        changed_fields: Set(subscription.changed_fields.clone()),
        filter: Set(subscription.filter.clone()),
        opened_at: Set(position.to_owned()),
        closed_at: Set(None),
        ..Default::default()
    }
}

/// Where the change log stands now. Called after the locks are held, in a statement of its own.
async fn position(txn: &Txn) -> Result<String, StoreError> {
    let sql = match txn.dialect() {
        Dialect::Postgres => format!(
            "select pg_current_snapshot()::text || case when e.era > 0 then '@' || e.era else '' end as position
             from (select {NEWEST_ERA} as era) e"
        ),
        Dialect::Sqlite => "select cast(coalesce(max(seq), 0) as text) as position
             from sqlite_sequence where name = 'rowhook_logged_actions'"
            .to_owned(),
    };
    let row = txn
        .query_one_raw(txn.statement(&sql, []))
        .await?
        .ok_or_else(|| StoreError::corrupt("the change log has no position"))?;
    Ok(row.try_get("", "position")?)
}
