//! A factory at work: runs are started and finished, stock moves, issues come up and are closed.
//!
//! Each call is one transaction, and tells which rows it changed, so that the demo can say whether
//! every one of them arrived.

use std::{collections::VecDeque, time::Instant};

use chrono::Utc;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    Statement, TransactionTrait, Value,
};

use crate::domain::action::Action;

/// One row that a transaction changed.
#[derive(Clone, Debug)]
pub struct SampleChange {
    /// The resource's name in a body: `run_step`.
    pub resource: &'static str,
    /// The row operation.
    pub action: Action,
    /// The row's key.
    pub id: i64,
    /// When the commit had returned.
    pub committed_at: Instant,
}

struct OpenRun {
    id: i64,
    steps: VecDeque<i64>,
    step_started: bool,
}

/// The application.
pub struct SampleChanges {
    db: DatabaseConnection,
    random: StdRng,
    turn: u64,
    procedure: i64,
    parts: Vec<i64>,
    inventories: Vec<i64>,
    runs: VecDeque<OpenRun>,
    issues: VecDeque<i64>,
    orders: VecDeque<(i64, usize)>,
    files: VecDeque<i64>,
}

const ORDER_STATES: [&str; 4] = ["draft", "approved", "ordered", "received"];
const STEPS: [&str; 4] = [
    "Torque fasteners",
    "Leak check",
    "Weigh",
    "Final inspection",
];

impl SampleChanges {
    /// Connects to the database with the sample tables, as any application would.
    pub async fn connect(url: &str, seed: u64) -> Result<Self, DbErr> {
        let mut options = sea_orm::ConnectOptions::new(url.to_owned());
        options.max_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await?;
        if db.get_database_backend() == DbBackend::Postgres {
            // The one connection of this pool; see `tables` for why the path is named.
            db.execute_unprepared("set search_path to public").await?;
        }
        Ok(Self {
            db,
            random: StdRng::seed_from_u64(seed),
            turn: 0,
            procedure: 0,
            parts: Vec::new(),
            inventories: Vec::new(),
            runs: VecDeque::new(),
            issues: VecDeque::new(),
            orders: VecDeque::new(),
            files: VecDeque::new(),
        })
    }

    /// Commits the next transaction and tells what it changed.
    pub async fn next(&mut self) -> Result<Vec<SampleChange>, DbErr> {
        self.turn += 1;
        let mut work = Work {
            txn: self.db.begin().await?,
            made: Vec::new(),
        };
        match self.turn {
            1 => self.stock_up(&mut work).await?,
            turn if turn % 13 == 0 => self.file(&mut work).await?,
            turn if turn % 7 == 0 => self.order(&mut work).await?,
            turn if turn % 5 == 0 => self.issue(&mut work).await?,
            turn if turn % 3 == 0 => self.move_stock(&mut work).await?,
            _ => self.run(&mut work).await?,
        }
        work.commit().await
    }

    /// The factory opens: a procedure, parts and their stock.
    async fn stock_up(&mut self, work: &mut Work) -> Result<(), DbErr> {
        let title = "Assemble gearbox housing";
        self.procedure = work
            .insert(
                "procedure",
                "insert into procedures (title, status) values ($1, 'released') returning id",
                [title.into()],
            )
            .await?;
        for number in ["GB-1001", "GB-1002", "GB-1003"] {
            let cost = format!("{}.{:04}", self.random.random_range(2..90), 2500);
            let part = work
                .insert(
                    "part",
                    "insert into parts (part_number, description, unit_cost, attributes)
                     values ($1, 'Housing \"half\"', cast($2 as numeric),
                             '{\"finish\": \"anodised\", \"tol\": 0.05}')
                     returning id",
                    [number.into(), cost.into()],
                )
                .await?;
            let lot = format!("LOT-{part:05}");
            let inventory = work
                .insert(
                    "part_inventory",
                    "insert into part_inventories (part_id, lot_number, quantity, location)
                     values ($1, $2, 100, 'A-12') returning id",
                    [part.into(), lot.into()],
                )
                .await?;
            self.parts.push(part);
            self.inventories.push(inventory);
        }
        Ok(())
    }

    /// A run goes one step on; finished ones leave, new ones come.
    async fn run(&mut self, work: &mut Work) -> Result<(), DbErr> {
        if self.runs.len() < 3 {
            return self.start_run(work).await;
        }
        let Some(mut run) = self.runs.pop_front() else {
            return Ok(());
        };
        let etag = self.etag();
        let Some(step) = run.steps.front().copied() else {
            return Ok(());
        };
        if !run.step_started {
            run.step_started = true;
            let sql = "update run_steps set status = 'in_progress', _etag = $2 where id = $1";
            work.update("run_step", sql, step, [etag.into()]).await?;
            self.runs.push_back(run);
            return Ok(());
        }
        let measured = self.random.random_range(0.0..10.0);
        let sql = "update run_steps set status = 'complete', measurement = $3, completed_at = $4,
                          _etag = $2
                   where id = $1";
        let values: [Value; 3] = [etag.clone().into(), measured.into(), Utc::now().into()];
        work.update("run_step", sql, step, values).await?;
        run.steps.pop_front();
        run.step_started = false;
        if run.steps.is_empty() {
            let sql = "update runs set status = 'complete', completed_at = $3, _etag = $2
                       where id = $1";
            work.update("run", sql, run.id, [etag.into(), Utc::now().into()])
                .await?;
        } else {
            self.runs.push_back(run);
        }
        Ok(())
    }

    async fn start_run(&mut self, work: &mut Work) -> Result<(), DbErr> {
        let title = format!("Run {}", self.turn);
        let part = self.one_of_parts();
        let values: [Value; 5] = [
            title.into(),
            self.procedure.into(),
            part.into(),
            Utc::now().into(),
            self.etag().into(),
        ];
        let id = work
            .insert(
                "run",
                "insert into runs (title, procedure_id, part_id, status, started_at, _etag)
                 values ($1, $2, $3, 'in_progress', $4, $5) returning id",
                values,
            )
            .await?;
        let mut steps = VecDeque::new();
        for (position, title) in STEPS.iter().enumerate() {
            let position = i64::try_from(position).unwrap_or_default();
            let values: [Value; 4] = [
                id.into(),
                position.into(),
                (*title).into(),
                self.etag().into(),
            ];
            let step = work
                .insert(
                    "run_step",
                    "insert into run_steps (run_id, position, title, _etag)
                     values ($1, $2, $3, $4) returning id",
                    values,
                )
                .await?;
            steps.push_back(step);
        }
        self.runs.push_back(OpenRun {
            id,
            steps,
            step_started: false,
        });
        Ok(())
    }

    async fn move_stock(&mut self, work: &mut Work) -> Result<(), DbErr> {
        let index = self.random.random_range(0..self.inventories.len());
        let used = f64::from(self.random.random_range(1..20)) / 8.0;
        let sql = "update part_inventories set quantity = quantity - $2, updated_at = $3
                   where id = $1";
        let values: [Value; 2] = [used.into(), Utc::now().into()];
        work.update("part_inventory", sql, self.inventories[index], values)
            .await
    }

    async fn issue(&mut self, work: &mut Work) -> Result<(), DbErr> {
        if self.issues.len() > 2
            && let Some(id) = self.issues.pop_front()
        {
            let sql = "update issues set status = 'closed', resolution = $2, updated_at = $3
                       where id = $1";
            let values: [Value; 2] = ["Reworked: it's “good” now\n".into(), Utc::now().into()];
            return work.update("issue", sql, id, values).await;
        }
        let title = format!("Scratch on housing #{}", self.turn);
        let id = work
            .insert(
                "issue",
                "insert into issues (title, severity) values ($1, 'major') returning id",
                [title.into()],
            )
            .await?;
        self.issues.push_back(id);
        Ok(())
    }

    async fn order(&mut self, work: &mut Work) -> Result<(), DbErr> {
        if let Some((id, state)) = self.orders.pop_front() {
            let next = ORDER_STATES[state + 1];
            let sql = "update purchase_orders set status = $2, updated_at = $3 where id = $1";
            let values: [Value; 2] = [next.into(), Utc::now().into()];
            work.update("purchase_order", sql, id, values).await?;
            if state + 2 < ORDER_STATES.len() {
                self.orders.push_back((id, state + 1));
            }
            return Ok(());
        }
        let number = format!("PO-{:06}", self.turn);
        let id = work
            .insert(
                "purchase_order",
                "insert into purchase_orders (number, supplier, total, due_on)
                 values ($1, 'Müller & Søn', 1999.90, '2027-01-31') returning id",
                [number.into()],
            )
            .await?;
        self.orders.push_back((id, 0));
        Ok(())
    }

    async fn file(&mut self, work: &mut Work) -> Result<(), DbErr> {
        if self.files.len() > 1
            && let Some(id) = self.files.pop_front()
        {
            let sql = "delete from file_attachments where id = $1";
            return work
                .change("file_attachment", Action::Delete, sql, id, [])
                .await;
        }
        let name = format!("photo-{}.jpg", self.turn);
        let id = work
            .insert(
                "file_attachment",
                "insert into file_attachments (filename, content_type, bytes)
                 values ($1, 'image/jpeg', 48211) returning id",
                [name.into()],
            )
            .await?;
        self.files.push_back(id);
        Ok(())
    }

    fn one_of_parts(&mut self) -> Option<i64> {
        let index = self.random.random_range(0..self.parts.len().max(1));
        self.parts.get(index).copied()
    }

    fn etag(&mut self) -> String {
        format!("{:016x}", self.random.next_u64())
    }
}

/// One transaction and what it has changed so far.
struct Work {
    txn: DatabaseTransaction,
    made: Vec<(&'static str, Action, i64)>,
}

impl Work {
    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.txn.get_database_backend(), sql, values)
    }

    async fn insert(
        &mut self,
        resource: &'static str,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<i64, DbErr> {
        let row = self.txn.query_one_raw(self.statement(sql, values)).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound(resource.to_owned()))?;
        let id = i64::from(row.try_get::<i32>("", "id")?);
        self.made.push((resource, Action::Create, id));
        Ok(id)
    }

    async fn update(
        &mut self,
        resource: &'static str,
        sql: &str,
        id: i64,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<(), DbErr> {
        self.change(resource, Action::Update, sql, id, values).await
    }

    async fn change(
        &mut self,
        resource: &'static str,
        action: Action,
        sql: &str,
        id: i64,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<(), DbErr> {
        let values = std::iter::once(id.into()).chain(values);
        self.txn.execute_raw(self.statement(sql, values)).await?;
        self.made.push((resource, action, id));
        Ok(())
    }

    async fn commit(self) -> Result<Vec<SampleChange>, DbErr> {
        self.txn.commit().await?;
        let committed_at = Instant::now();
        let made = self.made.into_iter();
        Ok(made
            .map(|(resource, action, id)| SampleChange {
                resource,
                action,
                id,
                committed_at,
            })
            .collect())
    }
}
