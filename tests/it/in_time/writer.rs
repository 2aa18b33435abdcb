//! Somebody who writes the watched tables in transactions of any shape, and knows what he committed.
//!
//! Each writer has rows of his own, so nobody waits for another one's locks and a transaction may stay open
//! across anything.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use rand::{RngExt as _, rngs::StdRng};
use rowhook::domain::action::Action;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};

use crate::support::wait::until_ok;

use super::oracle::{Change, Clock, Span, Values, random_resource};

/// The watched tables, in the order of their resources.
pub const TABLES: [&str; 2] = ["lefts", "rights"];
/// Rows that a writer has in each table.
const ROWS: i64 = 5;

type Rows = BTreeMap<(usize, i64), (Values, i64)>;

struct Open {
    txn: DatabaseTransaction,
    rows: Rows,
    changes: Vec<Change>,
    savepoints: Vec<(Rows, usize)>,
}

pub struct Writer {
    app: DatabaseConnection,
    clock: Clock,
    first_id: i64,
    tags: Arc<AtomicI64>,
    rows: Rows,
    open: Option<Open>,
    committed: Vec<Change>,
}

impl Writer {
    /// The number gives him his rows; the tags are everybody's.
    pub fn new(
        number: i64,
        app: &DatabaseConnection,
        clock: &Clock,
        tags: &Arc<AtomicI64>,
    ) -> Self {
        Self {
            app: app.clone(),
            clock: clock.clone(),
            first_id: number * 100,
            tags: tags.clone(),
            rows: Rows::new(),
            open: None,
            committed: Vec::new(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What was committed since the last time.
    pub fn take_committed(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.committed)
    }

    /// One step of a transaction: a new one begins where none is open.
    pub async fn step(&mut self, chance: &mut StdRng) {
        if self.open.is_none() {
            // SQLite's one writer may be somebody else for longer than one waits for it.
            let txn = until_ok("a transaction begins", async || {
                let options = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                    ..TransactionOptions::default()
                };
                self.app.begin_with_options(options).await
            });
            self.open = Some(Open {
                txn: txn.await,
                rows: self.rows.clone(),
                changes: Vec::new(),
                savepoints: Vec::new(),
            });
            return self.write(chance).await;
        }
        match chance.random_range(0..20) {
            0..=8 => self.write(chance).await,
            9..=11 => self.savepoint().await,
            12..=13 => self.back_to_savepoint(chance).await,
            14..=18 => self.commit().await,
            _ => self.roll_back().await,
        }
    }

    /// Ends what is open, in one way or the other.
    pub async fn end(&mut self, chance: &mut StdRng) {
        if self.open.is_some() {
            if chance.random_bool(0.8) {
                self.commit().await;
            } else {
                self.roll_back().await;
            }
        }
    }

    async fn write(&mut self, chance: &mut StdRng) {
        let open = self.open.as_mut().unwrap();
        let table = random_resource(chance);
        let id = self.first_id + chance.random_range(0..ROWS);
        let name = TABLES[table];
        let tag = self.tags.fetch_add(1, Ordering::SeqCst);
        let before = open.rows.get(&(table, id)).copied();
        let mut new = before.map_or(Values { a: 0, b: 0 }, |(values, _)| values);
        if before.is_none() || chance.random() {
            new.a = chance.random_range(0..5);
        }
        if before.is_none() || chance.random() {
            new.b = chance.random_range(0..5);
        }
        let (a, b) = (new.a, new.b);
        let (sql, action, tag, new) = match before {
            None => (
                format!("insert into {name} (id, a, b, tag) values ({id}, {a}, {b}, {tag})"),
                Action::Create,
                tag,
                Some(new),
            ),
            Some((_, tag)) if chance.random_bool(0.25) => (
                format!("delete from {name} where id = {id}"),
                Action::Delete,
                tag,
                None,
            ),
            Some(_) => (
                format!("update {name} set a = {a}, b = {b}, tag = {tag} where id = {id}"),
                Action::Update,
                tag,
                Some(new),
            ),
        };
        let done = open.txn.execute_unprepared(&sql).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{sql}");
        match new {
            Some(new) => open.rows.insert((table, id), (new, tag)),
            None => open.rows.remove(&(table, id)),
        };
        open.changes.push(Change {
            resource: table,
            action,
            tag,
            old: before.map(|(values, _)| values),
            new,
            // Known when it commits.
            committed: Span {
                called: 0,
                answered: 0,
            },
        });
    }

    async fn savepoint(&mut self) {
        let open = self.open.as_mut().unwrap();
        let sql = format!("savepoint s{}", open.savepoints.len());
        open.txn.execute_unprepared(&sql).await.unwrap();
        open.savepoints
            .push((open.rows.clone(), open.changes.len()));
    }

    async fn back_to_savepoint(&mut self, chance: &mut StdRng) {
        let open = self.open.as_mut().unwrap();
        if open.savepoints.is_empty() {
            return;
        }
        let place = chance.random_range(0..open.savepoints.len());
        let sql = format!("rollback to savepoint s{place}");
        open.txn.execute_unprepared(&sql).await.unwrap();
        let (rows, count) = open.savepoints[place].clone();
        open.rows = rows;
        open.changes.truncate(count);
        // It stays itself; those after it are gone.
        open.savepoints.truncate(place + 1);
    }

    async fn commit(&mut self) {
        let open = self.open.take().unwrap();
        let called = self.clock.tick();
        open.txn.commit().await.unwrap();
        let answered = self.clock.tick();
        self.rows = open.rows;
        let committed = Span { called, answered };
        let changes = open.changes.into_iter();
        self.committed.extend(changes.map(|change| Change {
            committed,
            ..change
        }));
    }

    async fn roll_back(&mut self) {
        let open = self.open.take().unwrap();
        open.txn.rollback().await.unwrap();
    }
}
