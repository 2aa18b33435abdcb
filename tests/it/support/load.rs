//! An application that writes `items` for a few seconds: many transactions, some rolled back, with
//! savepoints, on rows of their own and on rows that all of them change.
//!
//! A writer that is cut off tries the same transaction again until it gets through. What it did the
//! first time may have committed all the same; the tables know (`support::ledger`).

use std::{
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, TransactionTrait as _};
use tokio::task::JoinSet;

use super::{
    house::{House, python},
    service::DEADLINE,
};

/// Writers at once.
const WRITERS: i64 = 4;
/// A writer has so many rows of its own at most.
const ROWS: i64 = 1_000_000;
/// Transactions of each, unless they go on for a while.
const TRANSACTIONS: i64 = 60;
/// The pause of a writer that was cut off.
const PAUSE: Duration = Duration::from_millis(50);

/// The writers at work. On SQLite they are another process, on PostgreSQL connections of this one.
pub enum Load {
    /// The tasks.
    Tasks(JoinSet<()>),
    /// The process.
    Process(Child),
}

impl Load {
    /// Starts to write.
    pub fn start(house: &House) -> Self {
        match house.dialect {
            Dialect::Postgres => {
                let mut tasks = JoinSet::new();
                for writer in 1..=WRITERS {
                    tasks.spawn(write(house.app.clone(), writer));
                }
                Self::Tasks(tasks)
            }
            Dialect::Sqlite => {
                let mut command = python(&[house.sqlite_file(), &TRANSACTIONS.to_string()]);
                let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
                let script = SQLITE_WRITER.as_bytes();
                std::io::Write::write_all(&mut child.stdin.take().unwrap(), script).unwrap();
                Self::Process(child)
            }
        }
    }

    /// Writers on PostgreSQL that go on until the time is over, each with such a pause after a transaction.
    pub fn going_on(house: &House, until: Instant, pause: Duration) -> Self {
        let mut tasks = JoinSet::new();
        for writer in 1..=WRITERS {
            let app = house.app.clone();
            tasks.spawn(async move {
                for turn in (0..).take_while(|_| Instant::now() < until) {
                    write_one(&app, writer, turn).await;
                    tokio::time::sleep(pause).await;
                }
            });
        }
        Self::Tasks(tasks)
    }

    /// Waits until everything is written.
    pub async fn finish(self) {
        match self {
            Self::Tasks(mut tasks) => {
                while let Some(done) = tasks.join_next().await {
                    done.unwrap();
                }
            }
            Self::Process(mut child) => {
                let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await;
                assert!(status.unwrap().success());
            }
        }
    }
}

async fn write(app: DatabaseConnection, writer: i64) {
    for turn in 0..TRANSACTIONS {
        write_one(&app, writer, turn).await;
    }
}

async fn write_one(app: &DatabaseConnection, writer: i64, turn: i64) {
    let began = Instant::now();
    while let Err(error) = transaction(app, writer, turn).await {
        assert!(began.elapsed() < DEADLINE, "{error}");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn transaction(app: &DatabaseConnection, writer: i64, turn: i64) -> Result<(), DbErr> {
    let transaction = app.begin().await?;
    let own = writer * ROWS + turn;
    let (shared, before) = (turn % 5, own - 1);
    let mut sql = format!(
        "insert into items values ({own}, 0, 'own') on conflict do nothing;
         insert into items values ({shared}, 0, 'shared') on conflict do nothing;
         update items set n = n + 1 where id = {shared};
         savepoint attempt;
         update items set n = n + 7 where id = {own};
         insert into items values ({own} + 500, 0, 'never');
         rollback to attempt;
         update items set n = n + 1 where id = {own};"
    );
    if turn % 7 == 3 {
        sql.push_str(&format!(
            "insert into gone select id, n from items where id = {before};
             delete from items where id = {before};"
        ));
    }
    transaction.execute_unprepared(&sql).await?;
    if turn % 5 == 4 {
        transaction.rollback().await
    } else {
        transaction.commit().await
    }
}

/// The same, one writer after the other as SQLite has it.
const SQLITE_WRITER: &str = r#"
import sqlite3, sys
app = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
for turn in range(int(sys.argv[2])):
    for writer in range(1, 5):
        own, shared = writer * 1000 + turn, turn % 5
        app.execute("begin immediate")
        app.execute("insert into items values (?, 0, 'own')", (own,))
        app.execute("insert into items values (?, 0, 'shared') on conflict do nothing", (shared,))
        app.execute("update items set n = n + 1 where id = ?", (shared,))
        app.execute("savepoint attempt")
        app.execute("update items set n = n + 7 where id = ?", (own,))
        app.execute("insert into items values (?, 0, 'never')", (own + 500,))
        app.execute("rollback to attempt")
        app.execute("update items set n = n + 1 where id = ?", (own,))
        if turn % 7 == 3:
            app.execute("insert into gone select id, n from items where id = ?", (own - 1,))
            app.execute("delete from items where id = ?", (own - 1,))
        app.execute("rollback" if turn % 5 == 4 else "commit")
"#;
