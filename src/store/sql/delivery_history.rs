//! What counts of deliveries become once no figure of the present is made from them: minutes, then tens of minutes,
//! then nothing. `policy::history` says when.
//!
//! Called once in 15 seconds by the outcome log, after its commit, so no delivery pays for it. A row is moved whole and
//! once, whoever moves it: PostgreSQL gives a deleted row to one statement alone, SQLite has one writer. What another
//! instance writes into an old slot later is moved the next time.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait as _;

use super::db::{Db, Dialect, Txn};
use crate::{
    policy::history::{COUNTED, Grain, MINUTES, TENS},
    store::StoreError,
};

/// Moves what is over, and drops what is old.
pub(super) async fn move_old(db: &Db, now: DateTime<Utc>) -> Result<(), StoreError> {
    let txn = db.begin().await?;
    become_coarser(&txn, COUNTED, MINUTES, now).await?;
    become_coarser(&txn, MINUTES, TENS, now).await?;
    let sql = format!(
        "delete from rowhook.delivery_history where seconds = {} and slot < $1",
        TENS.seconds
    );
    let first = TENS.first_kept(now);
    txn.execute_raw(txn.statement(&sql, [first.into()])).await?;
    txn.commit().await
}

/// Stretches that are no longer kept as fine as this.
async fn become_coarser(
    txn: &Txn,
    fine: Grain,
    coarse: Grain,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let first = fine.first_kept(now);
    let old = if fine == COUNTED {
        "rowhook.delivery_counts where slot < $1".to_owned()
    } else {
        let seconds = fine.seconds;
        format!("rowhook.delivery_history where seconds = {seconds} and slot < $1")
    };
    let columns = "slot, receiver_id, kind, n";
    let delete = format!("delete from {old}");
    let statements = match txn.dialect() {
        Dialect::Postgres => vec![format!(
            "with gone as ({delete} returning {columns}) {}",
            insert("gone", fine, coarse)
        )],
        Dialect::Sqlite => {
            let gone = format!("(select {columns} from {old}) as gone");
            vec![insert(&gone, fine, coarse), delete]
        }
    };
    for sql in statements {
        txn.execute_raw(txn.statement(&sql, [first.into()])).await?;
    }
    Ok(())
}

/// Adds what is gone to the coarser stretches; what was counted for each receiver is counted for all of them too. In one
/// order, so that two instances do not wait for each other.
fn insert(gone: &str, fine: Grain, coarse: Grain) -> String {
    let all = if fine == COUNTED {
        format!(" union all select slot, 0 as receiver_id, kind, n from {gone}")
    } else {
        String::new()
    };
    let (from, to) = (fine.seconds, coarse.seconds);
    format!(
        "insert into rowhook.delivery_history as h (seconds, slot, receiver_id, kind, n)
         select {to}, m.slot * {from} / {to}, m.receiver_id, m.kind, cast(sum(m.n) as bigint)
         from (select slot, receiver_id, kind, n from {gone}{all}) as m
         where true group by 1, 2, m.receiver_id, m.kind order by 2, m.receiver_id, m.kind
         on conflict (seconds, slot, receiver_id, kind) do update set n = h.n + excluded.n"
    )
}
