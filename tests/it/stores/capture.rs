//! How far capture is: what the cursor and the log say of it, without anybody who captures.

use chrono::{DateTime, TimeDelta, Utc};
use rowhook::{
    domain::ids::ReceiverId,
    store::{
        capture::CaptureView as _,
        leases::{LeaseOf, LeaseStore as _},
        sql::{
            capture::{SqlCaptureView, oldest_waiting_sql},
            db::{Db, Dialect},
            leases::SqlLeases,
        },
    },
};

use super::plans::{plan, reads};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{committed_change, insert_logged_row, open_change, run},
};

on_both!(
    the_lag_is_that_of_the_oldest_change_that_waits,
    a_window_that_is_done_in_part_counts_from_there,
    whoever_holds_the_lease_polls,
);

fn ago(seconds: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::seconds(seconds)
}

async fn logged(db: &Db, seconds: i64) -> i64 {
    let id = insert_logged_row(db, 1, "{}", None).await;
    let sql = "update rowhook.logged_actions set logged_at = $1 where id = $2";
    run(db, sql, [ago(seconds).into(), id.into()]).await;
    id
}

/// Everything that has committed is fanned out.
async fn caught_up(db: &Db) {
    let sql = match db.dialect() {
        Dialect::Postgres => {
            "update rowhook.capture_cursor set watermark = pg_current_snapshot()::text, \
             window_to = null, window_after = null, window_last = null"
        }
        Dialect::Sqlite => {
            "update rowhook.capture_cursor set window_to = null, window_after = null, \
             window_last = null, watermark = \
             (select cast(coalesce(max(id), 0) as text) from rowhook.logged_actions)"
        }
    };
    run(db, sql, []).await;
}

async fn lag_is(view: &SqlCaptureView, seconds: u64) {
    let lag = view.lag().await.unwrap().as_secs();
    assert!((seconds..seconds + 60).contains(&lag), "{lag}");
}

async fn the_lag_is_that_of_the_oldest_change_that_waits(database: TestDatabase) {
    let db = database.migrated().await;
    let view = SqlCaptureView::new(db.clone());
    caught_up(&db).await;
    assert!(view.lag().await.unwrap().is_zero());
    logged(&db, 300).await;
    logged(&db, 100).await;
    lag_is(&view, 300).await;
    caught_up(&db).await;
    assert!(view.lag().await.unwrap().is_zero());
    logged(&db, 100).await;
    lag_is(&view, 100).await;
    caught_up(&db).await;
    if db.dialect() == Dialect::Sqlite {
        return;
    }
    // A transaction that was running when everything else was fanned out.
    let txn = db.begin().await.unwrap();
    open_change(&txn).await;
    caught_up(&db).await;
    assert!(view.lag().await.unwrap().is_zero(), "it has not committed");
    committed_change(&db).await;
    caught_up(&db).await;
    txn.commit().await.unwrap();
    let sql = "update rowhook.logged_actions set logged_at = $1 where id = 4";
    let cursor = "select watermark as w from rowhook.capture_cursor";
    let watermark = crate::support::stored::texts(&db, cursor).await.remove(0);
    run(&db, sql, [ago(200).into()]).await;
    // (The update gave the row a new version, but its xid is the column's.)
    lag_is(&view, 200).await;

    // However much waits, and however much is kept.
    let many = "insert into rowhook.logged_actions (resource_id, action, row_data) \
                select 1, 1, '{}' from generate_series(1, 50000)";
    run(&db, many, []).await;
    run(&db, "analyze rowhook.logged_actions", []).await;
    let (_, rest) = watermark.split_once(':').unwrap();
    let (xmax, running) = rest.split_once(':').unwrap();
    let values = vec![
        format!("{{{running}}}").into(),
        xmax.into(),
        0_i64.into(),
        i64::MAX.into(),
        None::<String>.into(),
    ];
    let plan = plan(&db, &oldest_waiting_sql(), values).await;
    assert!(reads(&plan, 50_000) <= 10, "{plan}");
    assert!(!plan.contains("Sort"), "{plan}");
}

async fn a_window_that_is_done_in_part_counts_from_there(database: TestDatabase) {
    let db = database.migrated().await;
    let view = SqlCaptureView::new(db.clone());
    caught_up(&db).await;
    logged(&db, 500).await;
    let done = logged(&db, 400).await;
    let last = logged(&db, 200).await;
    lag_is(&view, 500).await;
    let to = match db.dialect() {
        Dialect::Postgres => "pg_current_snapshot()::text",
        Dialect::Sqlite => "'3'",
    };
    let sql = format!(
        "update rowhook.capture_cursor set window_to = {to}, window_after = $1, window_last = $2"
    );
    run(&db, &sql, [done.into(), last.into()]).await;
    lag_is(&view, 200).await;
}

async fn whoever_holds_the_lease_polls(database: TestDatabase) {
    let db = database.migrated().await;
    let (view, leases) = (SqlCaptureView::new(db.clone()), SqlLeases::new(db.clone()));
    assert_eq!(view.state().await.unwrap().poller, None);
    let of = LeaseOf::Receiver(ReceiverId(1));
    leases.acquire(of, "one").await.unwrap();
    leases.acquire(LeaseOf::Poller, "another").await.unwrap();
    let state = view.state().await.unwrap();
    assert_eq!(state.poller.as_deref(), Some("another"));
    let sql = "select watermark from rowhook.capture_cursor";
    assert_eq!(
        [state.watermark],
        *crate::support::stored::texts(&db, sql).await
    );
    leases.end_all().await.unwrap();
    assert_eq!(view.state().await.unwrap().poller, None, "it has ended");
}
