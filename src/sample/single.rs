//! One change of one sample table, for whoever wants to see one go through (`createSampleChange`).
//!
//! Unlike `changes` it keeps nothing in mind: each statement finds its row in the tables as they are, so it works
//! beside the demo and after it. Each changes one row and nothing else: no statement here cascades.

use chrono::Utc;
use rand::RngExt as _;
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr,
    Statement, TransactionTrait as _, Value,
};
use tokio::sync::OnceCell;

use crate::{
    domain::{action::Action, ids::TransactionId, resource::ResourceName},
    store::sql::db::Dialect,
};

use super::tables::schema;

/// A change that was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SingleChange {
    /// The row's key.
    pub id: i64,
    /// Its transaction; `None` where commits are numbered when they are read.
    pub transaction_id: Option<TransactionId>,
}

/// Why there was no change.
#[derive(Debug, thiserror::Error)]
pub enum NoSingleChange {
    /// No sample table is watched under this name.
    #[error("is none of the sample's tables")]
    NotOfSample,
    /// A new row would have to belong to one that is not there.
    #[error("can not be CREATE yet: a new row belongs to a {0}, and there is none; make one first")]
    NoOwner(&'static str),
    /// There is no row to change.
    #[error("can not be UPDATE yet: there is no row to change; make one first")]
    NoRow,
    /// There is no row that can go alone.
    #[error(
        "can not be DELETE: there is no row, or each is in use{}; make one first",
        .0.map(|by| format!(" by a {by}")).unwrap_or_default()
    )]
    NoneToDelete(Option<&'static str>),
    /// The database did not take it.
    #[error(transparent)]
    Db(#[from] DbErr),
}

/// What can be done with a table. `{tag}` is a short random text, `{now}` the time.
struct Doing {
    resource: &'static str,
    create: &'static str,
    /// Of which resource there has to be a row for a new one.
    owner: Option<&'static str>,
    update: &'static str,
    delete: &'static str,
    /// What keeps a row from being deleted.
    users: Option<&'static str>,
}

const DOINGS: [Doing; 8] = [
    Doing {
        resource: "RUN",
        create: "insert into {schema}runs (title, procedure_id, status, started_at, _etag)
                 select 'Run ' || {tag}, id, 'in_progress', {now}, {tag}
                 from {schema}procedures order by id desc limit 1 returning id",
        owner: Some("PROCEDURE"),
        update: "update {schema}runs set completed_at = {now}, _etag = {tag},
                        status = case status when 'complete' then 'in_progress' else 'complete' end
                 where id = (select max(id) from {schema}runs) returning id",
        delete: "delete from {schema}runs where id = (
                   select max(r.id) from {schema}runs as r
                   where not exists (select 1 from {schema}run_steps as s where s.run_id = r.id)
                     and not exists (select 1 from {schema}file_attachments as f where f.run_id = r.id)
                 ) returning id",
        users: Some("RUN_STEP or FILE_ATTACHMENT"),
    },
    Doing {
        resource: "RUN_STEP",
        create: "insert into {schema}run_steps (run_id, position, title, _etag)
                 select id, 1, 'Leak check ' || {tag}, {tag}
                 from {schema}runs order by id desc limit 1 returning id",
        owner: Some("RUN"),
        update: "update {schema}run_steps set completed_at = {now}, _etag = {tag}, measurement = 4.25,
                        status = case status when 'complete' then 'in_progress' else 'complete' end
                 where id = (select max(id) from {schema}run_steps) returning id",
        delete: "delete from {schema}run_steps where id = (
                   select max(s.id) from {schema}run_steps as s
                   where not exists (select 1 from {schema}issues as i where i.run_step_id = s.id)
                 ) returning id",
        users: Some("ISSUE"),
    },
    Doing {
        resource: "PART",
        create: "insert into {schema}parts (part_number, description, unit_cost, attributes)
                 values ('GB-' || {tag}, 'Housing \"half\"', 17.2500,
                         '{\"finish\": \"anodised\", \"tol\": 0.05}') returning id",
        owner: None,
        update: "update {schema}parts set unit_cost = unit_cost + 0.25, updated_at = {now},
                        revision = {tag}
                 where id = (select max(id) from {schema}parts) returning id",
        delete: "delete from {schema}parts where id = (
                   select max(p.id) from {schema}parts as p
                   where not exists (select 1 from {schema}part_inventories as i where i.part_id = p.id)
                     and not exists (select 1 from {schema}runs as r where r.part_id = p.id)
                 ) returning id",
        users: Some("PART_INVENTORY or RUN"),
    },
    Doing {
        resource: "PART_INVENTORY",
        create: "insert into {schema}part_inventories (part_id, lot_number, quantity, location)
                 select id, 'LOT-' || {tag}, 100, 'A-12'
                 from {schema}parts order by id desc limit 1 returning id",
        owner: Some("PART"),
        update: "update {schema}part_inventories set quantity = quantity - 0.125, updated_at = {now}
                 where id = (select max(id) from {schema}part_inventories) returning id",
        delete: "delete from {schema}part_inventories
                 where id = (select max(id) from {schema}part_inventories) returning id",
        users: None,
    },
    Doing {
        resource: "ISSUE",
        create: "insert into {schema}issues (title, severity)
                 values ('Scratch on housing ' || {tag}, 'major') returning id",
        owner: None,
        update: "update {schema}issues set updated_at = {now}, resolution = 'Reworked: ' || {tag},
                        status = case status when 'closed' then 'open' else 'closed' end
                 where id = (select max(id) from {schema}issues) returning id",
        delete: "delete from {schema}issues where id = (select max(id) from {schema}issues) returning id",
        users: None,
    },
    Doing {
        resource: "PURCHASE_ORDER",
        create: "insert into {schema}purchase_orders (number, supplier, total, due_on)
                 values ('PO-' || {tag}, 'Müller & Søn', 1999.90, '2027-01-31') returning id",
        owner: None,
        update: "update {schema}purchase_orders set updated_at = {now},
                        status = case status when 'draft' then 'approved' when 'approved' then 'ordered'
                                             when 'ordered' then 'received' else 'draft' end
                 where id = (select max(id) from {schema}purchase_orders) returning id",
        delete: "delete from {schema}purchase_orders
                 where id = (select max(id) from {schema}purchase_orders) returning id",
        users: None,
    },
    Doing {
        resource: "FILE_ATTACHMENT",
        create: "insert into {schema}file_attachments (filename, content_type, bytes)
                 values ('photo-' || {tag} || '.jpg', 'image/jpeg', 48211) returning id",
        owner: None,
        update: "update {schema}file_attachments set bytes = bytes + 1, updated_at = {now}
                 where id = (select max(id) from {schema}file_attachments) returning id",
        delete: "delete from {schema}file_attachments
                 where id = (select max(id) from {schema}file_attachments) returning id",
        users: None,
    },
    Doing {
        resource: "PROCEDURE",
        create: "insert into {schema}procedures (title, status)
                 values ('Assemble gearbox housing ' || {tag}, 'released') returning id",
        owner: None,
        update: "update {schema}procedures set version = version + 1, updated_at = {now}
                 where id = (select max(id) from {schema}procedures) returning id",
        delete: "delete from {schema}procedures where id = (
                   select max(p.id) from {schema}procedures as p
                   where not exists (select 1 from {schema}runs as r where r.procedure_id = p.id)
                 ) returning id",
        users: Some("RUN"),
    },
];

/// An application that makes a change when it is asked to.
pub struct SingleChanges {
    url: String,
    /// Opened by the first change: most deployments of the sample never ask for one.
    db: OnceCell<DatabaseConnection>,
}

impl SingleChanges {
    /// Of the sample tables at `url`; nothing is opened yet.
    pub fn new(url: String) -> Self {
        Self {
            url,
            db: OnceCell::new(),
        }
    }

    /// Commits one change, and nothing where there can be none.
    pub async fn make(
        &self,
        resource: &ResourceName,
        action: Action,
    ) -> Result<SingleChange, NoSingleChange> {
        let doing = DOINGS
            .iter()
            .find(|one| one.resource == resource.as_str())
            .ok_or(NoSingleChange::NotOfSample)?;
        let db = self.db.get_or_try_init(|| open(&self.url)).await?;
        let (sql, none) = match action {
            Action::Create => (
                doing.create,
                // What belongs to nothing can always be made.
                NoSingleChange::NoOwner(doing.owner.unwrap_or("row")),
            ),
            Action::Update => (doing.update, NoSingleChange::NoRow),
            Action::Delete => (doing.delete, NoSingleChange::NoneToDelete(doing.users)),
        };
        let txn = db.begin().await?;
        let Some(row) = txn.query_one_raw(statement(db, sql)).await? else {
            txn.rollback().await?;
            return Err(none);
        };
        let id = i64::from(row.try_get::<i32>("", "id")?);
        let transaction_id = match db.get_database_backend() {
            DbBackend::Postgres => {
                let sql = "select cast(cast(pg_current_xact_id() as text) as bigint) as id";
                let asked = Statement::from_string(DbBackend::Postgres, sql);
                let row = txn.query_one_raw(asked).await?;
                row.map(|row| row.try_get("", "id")).transpose()?
            }
            _ => None,
        };
        txn.commit().await?;
        Ok(SingleChange {
            id,
            transaction_id: transaction_id.map(TransactionId),
        })
    }
}

async fn open(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url.to_owned());
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await
}

fn statement(db: &DatabaseConnection, sql: &str) -> Statement {
    let backend = db.get_database_backend();
    let dialect = match backend {
        DbBackend::Postgres => Dialect::Postgres,
        _ => Dialect::Sqlite,
    };
    let mut sql = sql.replace("{schema}", schema(dialect));
    let tag = format!("{:06x}", rand::rng().random_range(0..1 << 24));
    let mut values = Vec::with_capacity(2);
    for (place, value) in [
        ("{tag}", Value::from(tag)),
        ("{now}", Value::from(Utc::now())),
    ] {
        if sql.contains(place) {
            values.push(value);
            sql = sql.replace(place, &format!("${}", values.len()));
        }
    }
    Statement::from_sql_and_values(backend, sql, values)
}
