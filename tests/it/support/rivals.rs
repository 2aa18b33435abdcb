//! Writers that want the same few rows at the same time, in random transactions: rows come, change, change
//! their keys and go, partly taken back to savepoints, some rolled back, some ended by a deadlock.
//!
//! Each change counts its row's key up in `keys` and is written down in `audit`, in its own transaction and by
//! the application itself. So those two tables tell what was committed, and in which order for each key, also
//! where a writer was cut off and knows nothing; `support::audit` compares.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait as _,
};
use tokio::task::JoinSet;

use super::{service::Watched, wait::DEADLINE};

/// Keys that there are.
pub const KEYS: i64 = 8;
/// Writers at once.
const WRITERS: u64 = 6;
/// The pause of a writer that was cut off.
const PAUSE: Duration = Duration::from_millis(30);

/// The tables, in either database.
pub fn tables() -> String {
    let keys: Vec<String> = (1..=KEYS).map(|key| format!("({key}, 0)")).collect();
    format!(
        "create table rivals (id bigint primary key, at text not null, was text, tag text not null);
         create table keys (key bigint primary key, n bigint not null);
         insert into keys values {};
         create table audit (action text, at text, was text, tag text)",
        keys.join(", ")
    )
}

/// The one that is watched.
pub fn watched(backend: DbBackend) -> Watched {
    Watched {
        name: "RIVAL",
        table: if backend == DbBackend::Postgres {
            "public.rivals"
        } else {
            "rivals"
        },
        more: "",
    }
}

/// The writers at work.
pub struct Rivals {
    tasks: JoinSet<Tally>,
    stop: Arc<AtomicBool>,
}

/// How transactions ended, as far as their writers know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub committed: u32,
    pub rolled_back: u32,
    pub failed: u32,
}

impl Rivals {
    /// Starts to write: so many transactions each, at most, with pauses of up to `pause` between them.
    pub fn start(app: &DatabaseConnection, seed: u64, transactions: u32, pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..WRITERS {
            let writer = Writer {
                app: app.clone(),
                number,
                chance: StdRng::seed_from_u64(seed.wrapping_add(number)),
            };
            tasks.spawn(writer.run(transactions, pause, stop.clone()));
        }
        Self { tasks, stop }
    }

    /// Ends it before all is written.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Waits until everybody has ended.
    pub async fn finish(mut self) -> Tally {
        let mut all = Tally::default();
        while let Some(one) = self.tasks.join_next().await {
            let one = one.unwrap();
            all.committed += one.committed;
            all.rolled_back += one.rolled_back;
            all.failed += one.failed;
        }
        all
    }
}

struct Writer {
    app: DatabaseConnection,
    number: u64,
    chance: StdRng,
}

impl Writer {
    async fn run(mut self, transactions: u32, pause: Duration, stop: Arc<AtomicBool>) -> Tally {
        let mut tally = Tally::default();
        let mut well = Instant::now();
        for turn in 0..transactions {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            // No other transaction has it, whatever becomes of this one.
            let tag = format!("{}/{turn}", self.number);
            match self.transaction(&tag).await {
                Ok(committed) => {
                    well = Instant::now();
                    tally.committed += u32::from(committed);
                    tally.rolled_back += u32::from(!committed);
                }
                Err(error) => {
                    assert!(well.elapsed() < DEADLINE, "{error}");
                    tally.failed += 1;
                    tokio::time::sleep(PAUSE).await;
                }
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause.mul_f64(self.chance.random())).await;
            }
        }
        tally
    }

    /// Whether it was committed.
    async fn transaction(&mut self, tag: &str) -> Result<bool, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let txn = self.app.begin_with_options(options).await?;
        if txn.get_database_backend() == DbBackend::Postgres {
            let soon = "set local deadlock_timeout = '20ms'";
            txn.execute_unprepared(soon).await?;
        }
        for _ in 0..self.chance.random_range(1..=5) {
            match self.chance.random_range(0..8) {
                0 => {
                    txn.execute_unprepared("savepoint back").await?;
                    self.change(&txn, tag).await?;
                    txn.execute_unprepared("rollback to savepoint back").await?;
                }
                1 => {
                    txn.execute_unprepared("savepoint forth").await?;
                    self.change(&txn, tag).await?;
                    txn.execute_unprepared("release savepoint forth").await?;
                }
                _ => self.change(&txn, tag).await?,
            }
        }
        let commits = self.chance.random_bool(0.85);
        if commits {
            txn.commit().await?;
        } else {
            txn.rollback().await?;
        }
        Ok(commits)
    }

    async fn change(&mut self, txn: &DatabaseTransaction, tag: &str) -> Result<(), DbErr> {
        let key = self.chance.random_range(1..=KEYS);
        let at = count(txn, key).await?;
        if !is_there(txn, key).await? {
            run(
                txn,
                &format!("insert into rivals values ({key}, '{at}', null, '{tag}')"),
            )
            .await?;
            return note(txn, "create", &at, None, tag).await;
        }
        match self.chance.random_range(0..10) {
            0..=2 => {
                let to = (key - 1 + self.chance.random_range(1..KEYS)) % KEYS + 1;
                let to_at = count(txn, to).await?;
                if is_there(txn, to).await? {
                    update(txn, to, &to_at, tag).await?;
                    return update(txn, key, &at, tag).await;
                }
                let sql = format!(
                    "update rivals set id = {to}, at = '{to_at}', was = '{at}', tag = '{tag}'
                     where id = {key}"
                );
                run(txn, &sql).await?;
                note(txn, "update", &to_at, Some(&at), tag).await
            }
            3..=4 => {
                // A DELETE tells of the row as it was: of the transaction too, by its last change.
                update(txn, key, &at, tag).await?;
                let at = count(txn, key).await?;
                run(txn, &format!("delete from rivals where id = {key}")).await?;
                note(txn, "delete", &at, None, tag).await
            }
            _ => update(txn, key, &at, tag).await,
        }
    }
}

async fn update(txn: &DatabaseTransaction, key: i64, at: &str, tag: &str) -> Result<(), DbErr> {
    let sql = format!("update rivals set at = '{at}', was = null, tag = '{tag}' where id = {key}");
    run(txn, &sql).await?;
    note(txn, "update", at, None, tag).await
}

async fn note(
    txn: &DatabaseTransaction,
    action: &str,
    at: &str,
    was: Option<&str>,
    tag: &str,
) -> Result<(), DbErr> {
    let was = was.map_or("null".to_owned(), |was| format!("'{was}'"));
    let sql = format!("insert into audit values ('{action}', '{at}', {was}, '{tag}')");
    run(txn, &sql).await
}

/// One row is written.
async fn run(txn: &DatabaseTransaction, sql: &str) -> Result<(), DbErr> {
    let done = txn.execute_unprepared(sql).await?;
    assert_eq!(done.rows_affected(), 1, "{sql}");
    Ok(())
}

/// Counts a key up, and holds it until the transaction ends: `key:count` is nobody else's.
async fn count(txn: &DatabaseTransaction, key: i64) -> Result<String, DbErr> {
    let sql = format!("update keys set n = n + 1 where key = {key} returning n");
    let statement = Statement::from_string(txn.get_database_backend(), sql);
    let row = txn.query_one_raw(statement).await?.unwrap();
    let n: i64 = row.try_get_by_index(0)?;
    Ok(format!("{key}:{n}"))
}

async fn is_there(txn: &DatabaseTransaction, key: i64) -> Result<bool, DbErr> {
    let sql = format!("select 1 from rivals where id = {key}");
    let statement = Statement::from_string(txn.get_database_backend(), sql);
    Ok(txn.query_one_raw(statement).await?.is_some())
}
