//! Parked events: behind an earlier one of their row that waits for its next attempt, and ready again.
//!
//! Only a row in trouble has any, so everything here goes through the indexes of what waits and is parked.
//! What is made ready may be blocked by another row of its, of which a change of the key has two; the
//! sender finds that out and parks it again.
//!
//! The order of a row rests on this: what a sender knew to be parked when it took a later event into its view
//! stays parked until it says otherwise. Whoever else makes events ready says so in the receiver's lease.

use sea_orm::ConnectionTrait;

use crate::{
    domain::{
        event::EventState,
        ids::{EventId, ReceiverId},
    },
    store::{StoreError, event_queue::Unpark, leases::LeaseOf},
};

use super::{
    db::{Db, Dialect, Txn},
    records::{numbers, one_of},
};

/// Parked events of a row that are made ready at once. A row may have thousands, and whenever one of them
/// fails, what is ready behind it is parked again: so each settled event would cost what the row's whole
/// backlog costs.
const UNPARKED_OF_A_ROW: i64 = 64;

/// Parks ready events.
pub(super) async fn park(
    db: &Db,
    receiver: ReceiverId,
    events: &[EventId],
) -> Result<(), StoreError> {
    let dialect = db.dialect();
    let sql = format!(
        "update rowhook.events set state = {} where receiver_id = $1 and state = {} and {}",
        EventState::Parked.code(),
        EventState::Ready.code(),
        one_of(dialect, "id", "$2")
    );
    let ids = numbers(dialect, events.iter().map(|id| id.0));
    let txn = db.begin().await?;
    txn.execute_raw(txn.statement(&sql, [receiver.0.into(), ids]))
        .await?;
    txn.commit().await
}

/// Makes ready what is parked with nothing to wait for, or anything; returns how many.
pub(super) async fn unpark(
    db: &Db,
    receiver: ReceiverId,
    which: Unpark,
    limit: u32,
) -> Result<u64, StoreError> {
    let txn = db.begin().await?;
    let values = [receiver.0.into(), i64::from(limit).into()];
    let done = txn
        .execute_raw(txn.statement(&unpark_sql(which), values))
        .await?;
    txn.commit().await?;
    Ok(done.rows_affected())
}

/// What has nothing to wait for is the first of its row, so the rows are walked and not what is parked in them: as many
/// steps as there are rows, however long they are. The last condition is asked again of an event that another
/// transaction changed meanwhile: what was cancelled there stays so.
pub fn unpark_sql(which: Unpark) -> String {
    let nothing_earlier = |column: &str, of: &str| {
        format!(
            "(select w.event_id from rowhook.undelivered w where w.receiver_id = $1 and w.state in (1, 2)
                and w.{column} >= p.{of} and w.{column} <= p.{of} and w.event_id < p.id
              order by w.{column}, w.event_id limit 1) is null"
        )
    };
    // A range of one value, so that no other index has the order that is asked for; and no joins, for which the planner
    // would have to know how much is parked.
    let row_after = |bound: &str| {
        format!(
            "(select n.row_hash from rowhook.undelivered n where n.receiver_id = $1 and n.state in (1, 2) {bound}
              order by n.row_hash limit 1)"
        )
    };
    let first = |column: &str| {
        format!(
            "(select f.{column} from rowhook.undelivered f where f.receiver_id = $1 and f.state in (1, 2)
                and f.row_hash >= r.row_hash and f.row_hash <= r.row_hash
              order by f.row_hash, f.event_id limit 1)"
        )
    };
    match which {
        Unpark::Any => "update rowhook.events set state = 0 where id in (
                select p.event_id from rowhook.undelivered p
                where p.receiver_id = $1 and p.state in (1, 2) and p.state = 2
                limit $2) and state = 2"
            .to_owned(),
        Unpark::Orphans => format!(
            "with recursive rows_of(row_hash) as (
               select {} union all select {} from rows_of r where r.row_hash is not null),
             first_of(id, state, row_hash, previous_hash) as materialized (
               select {}, {}, r.row_hash, {} from rows_of r where r.row_hash is not null)
             update rowhook.events set state = 0 where id in (
               select p.id from first_of p where p.state = 2 and {} and {} and {} limit $2) and state = 2",
            row_after(""),
            row_after("and n.row_hash > r.row_hash"),
            first("event_id"),
            first("state"),
            first("previous_hash"),
            nothing_earlier("previous_hash", "row_hash"),
            nothing_earlier("row_hash", "previous_hash"),
            nothing_earlier("previous_hash", "previous_hash"),
        ),
    }
}

/// Makes the first parked events of these rows ready, for the sender; tells whether there were any.
pub(super) async fn unpark_rows(
    db: &Db,
    receiver: ReceiverId,
    rows: &[i64],
) -> Result<bool, StoreError> {
    let txn = db.begin().await?;
    let any = unpark_first(&txn, receiver, rows).await?;
    txn.commit().await?;
    Ok(any)
}

/// The same for others: the sender, which may be reading a page just now, is told of it.
pub(super) async fn unpark_behind_cancelled(
    txn: &Txn,
    receiver: ReceiverId,
    rows: &[i64],
) -> Result<(), StoreError> {
    if unpark_first(txn, receiver, rows).await? {
        let (kind, subject) = LeaseOf::Receiver(receiver).columns();
        // Without a lease there never was a sender that could have read something.
        txn.execute_raw(txn.statement(
            "update rowhook.leases set unparked = unparked + 1 where kind = $1 and subject = $2",
            [kind.into(), subject.into()],
        ))
        .await?;
    }
    Ok(())
}

/// See [`EventQueue::unparked_by_others`](crate::store::event_queue::EventQueue::unparked_by_others).
pub(super) async fn unparked_by_others(db: &Db, receiver: ReceiverId) -> Result<i64, StoreError> {
    let (kind, subject) = LeaseOf::Receiver(receiver).columns();
    let row = db
        .query_one_raw(db.statement(
            "select unparked from rowhook.leases where kind = $1 and subject = $2",
            [kind.into(), subject.into()],
        ))
        .await?;
    Ok(row
        .map(|row| row.try_get("", "unparked"))
        .transpose()?
        .unwrap_or_default())
}

async fn unpark_first(txn: &Txn, receiver: ReceiverId, rows: &[i64]) -> Result<bool, StoreError> {
    let dialect = txn.dialect();
    let mut any = false;
    // One statement for each index: an OR of the two would read every parked event.
    for column in ["row_hash", "previous_hash"] {
        let sql = unpark_first_sql(dialect, column);
        let values = [receiver.0.into(), numbers(dialect, rows.iter().copied())];
        let done = txn.execute_raw(txn.statement(&sql, values)).await?;
        any |= done.rows_affected() > 0;
    }
    Ok(any)
}

/// Both databases walk the index of a column from a row's first parked event to the last that is made
/// ready. (A range of one value and the sign before `state`, so that no other index has the order that is asked for:
/// in those by state or id rows are mixed.)
pub fn unpark_first_sql(dialect: Dialect, column: &str) -> String {
    let first = |row: &str| {
        format!(
            "select p.event_id from rowhook.undelivered p
             where p.receiver_id = $1 and p.state in (1, 2) and +p.state = 2
               and p.{column} >= {row} and p.{column} <= {row}
             order by p.{column}, p.event_id limit {UNPARKED_OF_A_ROW}"
        )
    };
    let found = match dialect {
        Dialect::Postgres => format!(
            "select f.event_id from unnest($2::bigint[]) as r(value) cross join lateral ({}) f",
            first("r.value")
        ),
        // It has no lateral joins: up to the last of the first.
        Dialect::Sqlite => format!(
            "select p.event_id from json_each($2) r cross join rowhook.undelivered p
             where p.receiver_id = $1 and p.state in (1, 2) and +p.state = 2
               and p.{column} = r.value
               and p.event_id <= (select max(event_id) from ({}))",
            first("r.value")
                .replace(" p.", " l.")
                .replace("undelivered p", "undelivered l")
        ),
    };
    format!("update rowhook.events set state = 0 where id in ({found}) and state = 2")
}
