//! rowhook's tables behind the stores' backs: what a trigger, fan-out or an intruder would write there,
//! and what stands there.

use chrono::{DateTime, Utc};
use rowhook::{
    domain::{
        era::Era,
        ids::{ChangeId, ReceiverId, SubscriptionId},
        interval::ActivityInterval,
        resource::ResourceDefinition,
        snapshot::Place,
    },
    policy::logged_row::row_hash,
    store::sql::db::{Db, Dialect, Txn},
};
pub use sea_orm::Value;
use sea_orm::{ConnectionTrait, Statement};

/// Runs a statement that names tables as `rowhook.x`.
pub async fn run(db: &Db, sql: &str, values: impl IntoIterator<Item = Value>) {
    db.execute_raw(db.statement(sql, values)).await.unwrap();
}

/// The first column of every row, as text.
pub async fn texts(db: &Db, sql: &str) -> Vec<String> {
    db.query_all_raw(db.statement(sql, []))
        .await
        .unwrap()
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

/// The first column of the first row, as a number.
pub async fn number(db: &Db, sql: &str) -> i64 {
    let row = db.query_one_raw(db.statement(sql, [])).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

fn insert_change(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "insert into rowhook.logged_actions (resource_id, action, row_data) \
             values (1, 2, '{\"id\":1}') returning id, xid::text::bigint"
        }
        Dialect::Sqlite => {
            "insert into rowhook.logged_actions (resource_id, action, row_data) \
             values (1, 2, '{\"id\":1}') returning id, id"
        }
    }
}

async fn place(dialect: Dialect, on: &impl ConnectionTrait, sql: Statement) -> Place {
    let row = on.query_one_raw(sql).await.unwrap().unwrap();
    let (id, xid): (i64, i64) = (
        row.try_get_by_index(0).unwrap(),
        row.try_get_by_index(1).unwrap(),
    );
    match dialect {
        Dialect::Postgres => Place::Transaction {
            era: Era::FIRST,
            xid: xid.try_into().unwrap(),
        },
        Dialect::Sqlite => Place::Id(ChangeId(id)),
    }
}

/// A change that has committed when this returns.
pub async fn committed_change(db: &Db) -> Place {
    let sql = db.statement(insert_change(db.dialect()), []);
    place(db.dialect(), db, sql).await
}

/// A change in a transaction that the caller still holds open.
pub async fn open_change(txn: &Txn) -> Place {
    let sql = txn.statement(insert_change(txn.dialect()), []);
    place(txn.dialect(), txn, sql).await
}

/// A subscription's intervals, the first one first, with the check that no two overlap and that each is
/// at the place where its predecessor ended or later.
pub async fn intervals(db: &Db, subscription: SubscriptionId) -> Vec<ActivityInterval> {
    let sql = "select subscription_id, receiver_id, resource, action, changed_fields, opened_at, \
               closed_at, filter from rowhook.activity_intervals where subscription_id = $1 order by id";
    let rows = db
        .query_all_raw(db.statement(sql, [subscription.0.into()]))
        .await
        .unwrap();
    let text =
        |row: &sea_orm::QueryResult, index| row.try_get_by_index::<Option<String>>(index).unwrap();
    rows.iter()
        .map(|row| ActivityInterval {
            subscription_id: SubscriptionId(row.try_get_by_index(0).unwrap()),
            receiver_id: ReceiverId(row.try_get_by_index(1).unwrap()),
            resource: text(row, 2).unwrap().parse().unwrap(),
            action: text(row, 3).unwrap().parse().unwrap(),
            changed_fields: text(row, 4).map(|text| serde_json::from_str(&text).unwrap()),
            filter: text(row, 7),
            from: text(row, 5).unwrap().parse().unwrap(),
            to: text(row, 6).map(|text| text.parse().unwrap()),
        })
        .collect()
}

/// Locks a receiver's row, as a mutation of it does (PostgreSQL).
pub async fn lock_receiver(txn: &Txn, id: ReceiverId) {
    let sql = "select id from rowhook.receivers where id = $1 for update";
    txn.query_one_raw(txn.statement(sql, [id.0.into()]))
        .await
        .unwrap();
}

/// What another instance's deactivation writes, in a transaction that the caller holds open.
pub async fn deactivate(txn: &Txn, id: ReceiverId) {
    let sql = "update rowhook.receivers set active = false, etag = 'another' where id = $1";
    txn.execute_raw(txn.statement(sql, [id.0.into()]))
        .await
        .unwrap();
}

/// How many sessions of this database wait for a lock (PostgreSQL).
pub async fn waiting_for_a_lock(db: &Db) -> usize {
    let sql = "select count(*) from pg_stat_activity \
               where wait_event_type = 'Lock' and datname = current_database()";
    let row = db.query_one_raw(db.statement(sql, [])).await.unwrap();
    let count: i64 = row.unwrap().try_get_by_index(0).unwrap();
    count.try_into().unwrap()
}

/// An event as fan-out and the outcome recorder would leave it.
#[derive(Clone, Debug)]
pub struct EventRow {
    pub subscription_id: i32,
    pub receiver_id: i32,
    pub sequence: Option<i64>,
    pub change_id: Option<i64>,
    pub resource_id: i32,
    pub action: i16,
    pub transaction_id: i64,
    pub occurred_at: DateTime<Utc>,
    pub row_id: String,
    pub state: i16,
    pub attempt_count: i32,
}

/// Writes the event and tells its id.
pub async fn insert_event(db: &Db, event: EventRow) -> i64 {
    let sql = "insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, \
               resource_id, action, transaction_id, occurred_at, created_at, row_id, row_hash, state, \
               attempt_count) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $12, $10, $11) \
               returning id";
    let of = "select definition from rowhook.resources where id = $1";
    let of = db.statement(of, [event.resource_id.into()]);
    let hash = db.query_one_raw(of).await.unwrap().map_or(0, |row| {
        let definition: String = row.try_get_by_index(0).unwrap();
        let definition: ResourceDefinition = serde_json::from_str(&definition).unwrap();
        row_hash(&definition.table, &event.row_id)
    });
    let values: [Value; 12] = [
        event.subscription_id.into(),
        event.receiver_id.into(),
        event.sequence.into(),
        event.change_id.into(),
        event.resource_id.into(),
        event.action.into(),
        event.transaction_id.into(),
        event.occurred_at.into(),
        event.row_id.into(),
        event.state.into(),
        event.attempt_count.into(),
        hash.into(),
    ];
    let row = db.query_one_raw(db.statement(sql, values)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// Writes a version of a resource's description and tells its id.
pub async fn insert_resource(db: &Db, name: &str, definition: &str, in_force: bool) -> i32 {
    let sql = "insert into rowhook.resources (name, definition, retired_at) values ($1, $2, $3) \
               returning id";
    let retired: Option<DateTime<Utc>> = (!in_force).then(Utc::now);
    let values: [Value; 3] = [name.into(), definition.into(), retired.into()];
    let row = db.query_one_raw(db.statement(sql, values)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// Writes a log row of a resource and tells its id.
pub async fn insert_logged_row(db: &Db, resource: i32, row: &str, old: Option<&str>) -> i64 {
    let sql = "insert into rowhook.logged_actions (resource_id, action, row_data, old_values) \
               values ($1, 2, $2, $3) returning id";
    let values: [Value; 3] = [resource.into(), row.into(), old.into()];
    let row = db.query_one_raw(db.statement(sql, values)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}
