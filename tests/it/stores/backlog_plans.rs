//! What a delivery costs the database does not grow with what waits: a few events are written, and read, by their ids,
//! however many are owed.

use rowhook::store::sql::{
    db::{Db, Dialect},
    event_queue::load_sql,
    outcomes::{keep_earlier_attempts_sql, update_events_sql},
};
use sea_orm::Value;
use serde_json::json;

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
    let record = |id: i64| json!({"id": id, "before": 0, "made": 1, "budget_used": 1, "redelivery": 0, "state": 3});
    let batch: Value = json!([record(7), record(4000)]).to_string().into();
    let ids: Value = match db.dialect() {
        Dialect::Postgres => vec![7_i64, 4000].into(),
        Dialect::Sqlite => "[7, 4000]".into(),
    };
    let now: Value = chrono::Utc::now().into();
    let of_batch = |mut values: Vec<Value>| {
        if db.dialect() == Dialect::Postgres {
            values.push(ids.clone());
        }
        values
    };
    let (load, keep, update) = (
        load_sql(db.dialect()),
        keep_earlier_attempts_sql(db.dialect()),
        update_events_sql(db.dialect()),
    );
    for (sql, values) in [
        (load, vec![ids.clone(), 1000.into()]),
        (keep, of_batch(vec![batch.clone()])),
        (update, of_batch(vec![batch.clone(), now])),
    ] {
        let plan = plan(&db, &sql, values).await;
        let read = reads(&plan, OWED);
        assert!(read <= 20, "{read}\n{plan}");
        assert!(!plan.contains("Seq Scan on events"), "{plan}");
    }
}
