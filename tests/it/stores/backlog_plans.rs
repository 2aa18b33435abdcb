//! What a delivery costs the database does not grow with what waits: a few events are written, and read, by their ids,
//! however many are owed.

use rowhook::store::sql::{
    db::{Db, Dialect},
    event_queue::load_sql,
    outcomes::{OUTCOME_COLUMNS, keep_earlier_attempts_sql, update_events_sql},
    records::{Batch, Field},
};
use sea_orm::Value;

use super::plans::{plan, reads};
use crate::support::{both::on_both, database::TestDatabase, stored::run};

on_both!(a_few_events_of_a_long_backlog_are_found_by_id);

/// Owed, by a receiver each hundred.
const OWED: i64 = 5000;

async fn backlog(db: &Db) {
    let sql = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {OWED})
         insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id, action,
             transaction_id, occurred_at, created_at, row_id, row_hash, state, attempted_at, duration_ms)
         select 1, i % 50 + 1, i, i, 1, 2, i, $1, $1, '1', i, 0, $1, 1 from n"
    );
    run(db, &sql, [chrono::Utc::now().into()]).await;
}

async fn a_few_events_of_a_long_backlog_are_found_by_id(database: TestDatabase) {
    let db = database.migrated().await;
    backlog(&db).await;
    let ids: Value = match db.dialect() {
        Dialect::Postgres => vec![7_i64, 4000].into(),
        Dialect::Sqlite => "[7, 4000]".into(),
    };
    let mut batch = Batch::new(db.dialect(), &OUTCOME_COLUMNS);
    for id in [7_i64, 4000] {
        let [before, made, budget, redelivery, state] = [0_i64, 1, 1, 0, 3].map(Field::from);
        let mut record = [Field::Null; OUTCOME_COLUMNS.len()];
        record[..6].copy_from_slice(&[id.into(), before, made, budget, redelivery, state]);
        batch.push(record);
    }
    let batch: Vec<Value> = batch.into_values().collect();
    let now: Value = chrono::Utc::now().into();
    let (load, keep, update) = (
        load_sql(db.dialect()),
        keep_earlier_attempts_sql(db.dialect()),
        update_events_sql(db.dialect()),
    );
    for (sql, values) in [
        (load, vec![ids.clone(), 1000.into()]),
        (keep, batch.clone()),
        (update, [vec![now], batch].concat()),
    ] {
        let plan = plan(&db, &sql, values).await;
        let read = reads(&plan, OWED);
        assert!(read <= 20, "{read}\n{plan}");
        assert!(!plan.contains("Seq Scan on events"), "{plan}");
    }
}
