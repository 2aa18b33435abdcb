//! A row with a long backlog: what waits behind a settled event is made ready a few at a time.

use rowhook::{
    domain::ids::{EventId, ReceiverId},
    store::{
        event_queue::{EventQueue as _, Unpark},
        sql::{
            db::{Db, Dialect},
            event_queue::{SqlEventQueue, blocking_sql},
            parking::{unpark_first_sql, unpark_sql},
        },
    },
};
use sea_orm::Value;

use super::plans::{plan, reads};
use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{number, run},
};

on_both!(
    the_first_of_a_row_become_ready,
    a_few_of_a_long_row_are_found_by_reading_a_few,
    what_has_nothing_to_wait_for_is_found_by_reading_the_first_of_each_row,
    what_stands_in_the_way_is_the_first_of_each_row,
);

/// Of each of three rows of receiver 1.
const PARKED: i64 = 3000;
/// What is made ready of a row at once.
const A_FEW: i64 = 64;

/// Rows 1 to 3 have parked events in turn; each tenth came from another row.
async fn parked(db: &Db) {
    let sql = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3 * {PARKED})
         insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id, action,
             transaction_id, occurred_at, created_at, row_id, row_hash, previous_hash, state)
         select 1, 1, i, i, 1, 2, i, $1, $1, '1', (i + 2) % 3 + 1, case when i % 10 = 0 then i % 3 + 10 end, 2
         from n"
    );
    run(db, &sql, [chrono::Utc::now().into()]).await;
}

async fn the_first_of_a_row_become_ready(database: TestDatabase) {
    let db = database.migrated().await;
    parked(&db).await;
    let queue = SqlEventQueue::new(db.clone());
    let receiver = ReceiverId(1);
    assert!(queue.unpark_rows(receiver, &[1]).await.unwrap());
    let ready = "select count(*) from rowhook.events where state = 0";
    assert_eq!(number(&db, ready).await, A_FEW);
    let last = "select max(id) - min(id) from rowhook.events where state = 0 and row_hash = 1";
    assert_eq!(number(&db, last).await, 3 * (A_FEW - 1), "the first of it");

    assert!(queue.unpark_rows(receiver, &[2, 11]).await.unwrap());
    let ready = "select count(*) from rowhook.events where state = 0 and row_hash = 2";
    assert!(number(&db, ready).await >= A_FEW);
    let ready = "select count(*) from rowhook.events where state = 0 and previous_hash = 11";
    assert!(
        number(&db, ready).await >= A_FEW,
        "those that left a row too"
    );

    assert!(!queue.unpark_rows(receiver, &[77]).await.unwrap());
    assert!(!queue.unpark_rows(ReceiverId(2), &[1]).await.unwrap());
    assert_eq!(queue.unparked_by_others(receiver).await.unwrap(), 0);
}

async fn a_few_of_a_long_row_are_found_by_reading_a_few(database: TestDatabase) {
    let db = database.migrated().await;
    parked(&db).await;
    let rows: Value = match db.dialect() {
        Dialect::Postgres => vec![1_i64, 2].into(),
        Dialect::Sqlite => "[1, 2]".into(),
    };
    for column in ["row_hash", "previous_hash"] {
        let sql = unpark_first_sql(db.dialect(), column);
        let plan = plan(&db, &sql, vec![1.into(), rows.clone()]).await;
        // To find where to stop, to read up to there, and to write them.
        let read = reads(&plan, 3 * PARKED);
        assert!(read <= 2 * 4 * A_FEW, "{read}\n{plan}");
        assert!(!plan.contains("Seq Scan on events"), "{plan}");
    }
}

async fn what_has_nothing_to_wait_for_is_found_by_reading_the_first_of_each_row(
    database: TestDatabase,
) {
    let db = database.migrated().await;
    parked(&db).await;
    // Row 1 has one that waits, before what is parked; row 4 has left row 2, and row 5 has left none that waits.
    let sql = "insert into rowhook.events (id, subscription_id, receiver_id, sequence, change_id, resource_id, action,
            transaction_id, occurred_at, created_at, row_id, row_hash, previous_hash, state) values
            (-1, 1, 1, -1, -1, 1, 2, -1, $1, $1, '1', 1, null, 1),
            (100001, 1, 1, 100001, 100001, 1, 2, -1, $1, $1, '1', 4, 2, 2),
            (100002, 1, 1, 100002, 100002, 1, 2, -1, $1, $1, '1', 5, 77, 2)";
    let sql = match db.dialect() {
        Dialect::Postgres => sql.replace("state) values", "state) overriding system value values"),
        Dialect::Sqlite => sql.to_owned(),
    };
    run(&db, &sql, [chrono::Utc::now().into()]).await;
    let queue = SqlEventQueue::new(db.clone());
    let found = queue.unpark(ReceiverId(1), Unpark::Orphans, 1000).await;
    assert_eq!(found.unwrap(), 3);
    let ready = "select count(*) from rowhook.events where state = 0 and row_hash in (2, 3, 5)";
    assert_eq!(number(&db, ready).await, 3, "the first of each of these");
    let sql = unpark_sql(Unpark::Orphans);
    let plan = plan(&db, &sql, vec![1.into(), 1000.into()]).await;
    let read = reads(&plan, 3 * PARKED);
    assert!(read <= 100, "{read}\n{plan}");
    assert!(!plan.contains("Seq Scan on events"), "{plan}");
}

async fn what_stands_in_the_way_is_the_first_of_each_row(database: TestDatabase) {
    let db = database.migrated().await;
    parked(&db).await;
    let queue = SqlEventQueue::new(db.clone());
    let first = async |rows: &[i64], in_view: &[i64]| -> Vec<i64> {
        let in_view: Vec<EventId> = in_view.iter().map(|id| EventId(*id)).collect();
        let found = queue.blocking(ReceiverId(1), rows, &in_view).await;
        found.unwrap().iter().map(|event| event.id.0).collect()
    };
    // The ids are 1, 2, 3 … for rows 1, 2, 3, 1, …; the tenth is of row 1 and came from row 11.
    assert_eq!(first(&[1, 2], &[]).await, [1, 2]);
    assert_eq!(first(&[1, 2, 11], &[1]).await, [2, 4, 10]);
    assert_eq!(first(&[11], &[10]).await, [40]);
    assert!(first(&[77], &[]).await.is_empty());

    let (rows, in_view): (Value, Value) = match db.dialect() {
        Dialect::Postgres => (vec![1_i64, 2, 11].into(), vec![1_i64].into()),
        Dialect::Sqlite => ("[1, 2, 11]".into(), "[1]".into()),
    };
    let plan = plan(
        &db,
        &blocking_sql(db.dialect()),
        vec![1.into(), rows, in_view],
    )
    .await;
    let read = reads(&plan, 3 * PARKED);
    assert!(read <= 40, "{read}\n{plan}");
    assert!(!plan.contains("Seq Scan on events"), "{plan}");
}
