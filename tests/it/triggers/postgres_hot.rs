//! A table that is written without pause: triggers come and go, nobody is held up for long, nothing is missed.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use rowhook::store::{
    catalogue::{InstallError, Installed, ResourceInstaller},
    sql::{
        catalogue::{LockPatience, SqlResourceInstaller},
        db::Dialect::Postgres,
    },
};
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::support::{Watched, wanted};

const WRITERS: usize = 6;
/// How long an installation waits for the table, and so a write for it.
const LOCK_TIMEOUT: Duration = Duration::from_millis(100);
/// What a loaded machine may add to that: far more than any was seen to need, and far less than a transaction holds the
/// table here, for which writes would wait without the lock timeout.
const MARGIN: Duration = Duration::from_millis(1900);
const HELD: Duration = Duration::from_secs(4);

/// A write: its number, and from when to when it took.
type Write = (i64, Instant, Instant);

/// Writers that go on until they are told to stop.
struct Writers {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicI64>,
    tasks: Vec<tokio::task::JoinHandle<Vec<Write>>>,
}

impl Writers {
    fn start(items: &Watched) -> Self {
        let (stop, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicI64>::default());
        let write = |writer: usize| {
            let (app, stop, done) = (items.app.clone(), stop.clone(), done.clone());
            tokio::spawn(async move {
                let mut writes = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let n = done.fetch_add(1, Ordering::Relaxed);
                    let sql = format!("insert into items values ({n}, {writer})");
                    let began = Instant::now();
                    app.execute_unprepared(&sql).await.unwrap();
                    writes.push((n, began, Instant::now()));
                }
                writes
            })
        };
        let tasks = (0..WRITERS).map(write).collect();
        Self { stop, done, tasks }
    }

    /// Until so many more writes were begun.
    async fn go_on(&self, writes: i64) {
        let until = self.done.load(Ordering::Relaxed) + writes;
        while self.done.load(Ordering::Relaxed) < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn stop(self) -> Vec<Write> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for task in self.tasks {
            all.append(&mut task.await.unwrap());
        }
        all
    }
}

fn longest(writes: &[Write]) -> Duration {
    let took = writes.iter().map(|(_, began, ended)| *ended - *began);
    took.max().unwrap()
}

/// Every write that began and ended while the triggers were on is in the log.
async fn none_is_missed(items: &Watched, writes: &[Write], stretches: &[(Instant, Instant)]) {
    let log = items.log().await;
    let logged: HashSet<i64> = log
        .iter()
        .map(|one| one.row()["id"].as_i64().unwrap())
        .collect();
    assert_eq!(logged.len(), log.len(), "something was logged twice");
    let mut within = 0;
    for (n, began, ended) in writes {
        if stretches
            .iter()
            .any(|(on, off)| began >= on && ended <= off)
        {
            within += 1;
            assert!(logged.contains(n), "{n} is not in the log");
        }
    }
    assert!(
        within > 500,
        "only {within} writes while the triggers were on"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hot_table_is_never_stalled_while_triggers_come_and_go() {
    let items = Watched::database(
        Postgres,
        "create table items (id bigint primary key, n int)",
    )
    .await;
    let patience = LockPatience {
        timeout: LOCK_TIMEOUT,
        ..LockPatience::default()
    };
    let installer = SqlResourceInstaller::with_patience(items.db.clone(), patience);
    let wanted = wanted("items");
    let writers = Writers::start(&items);
    let mut stretches = Vec::new();
    for _ in 0..6 {
        writers.go_on(200).await;
        let (_, installed) = installer.install(&wanted).await.unwrap();
        assert_eq!(installed, Installed::Changed);
        let on = Instant::now();
        writers.go_on(400).await;
        stretches.push((on, Instant::now()));
        installer.uninstall(&wanted.name).await.unwrap();
    }
    let writes = writers.stop().await;
    println!(
        "{} writes, the longest took {:?}",
        writes.len(),
        longest(&writes)
    );
    assert!(
        longest(&writes) < LOCK_TIMEOUT + MARGIN,
        "{:?}",
        longest(&writes)
    );
    none_is_missed(&items, &writes, &stretches).await;
}

/// Does something while a transaction of the application's holds the table as a writer does.
async fn while_held<T>(items: &Watched, work: impl Future<Output = T>) -> T {
    let holder = items.app.begin().await.unwrap();
    holder
        .execute_unprepared("lock table items in row exclusive mode")
        .await
        .unwrap();
    let released = async {
        tokio::time::sleep(HELD).await;
        holder.commit().await.unwrap();
    };
    tokio::join!(released, work).1
}

fn waiting(items: &Watched, timeout: Duration) -> SqlResourceInstaller {
    let patience = LockPatience {
        timeout,
        tries: 5,
        pause: Duration::from_millis(50),
    };
    SqlResourceInstaller::with_patience(items.db.clone(), patience)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_while_a_long_transaction_holds_it() {
    let items = Watched::database(
        Postgres,
        "create table items (id bigint primary key, n int)",
    )
    .await;
    let hasty = waiting(&items, LOCK_TIMEOUT);
    let wanted = wanted("items");
    let writers = Writers::start(&items);
    let put_on = while_held(&items, hasty.install(&wanted)).await;
    // As soon as it is over, it is done, with everybody writing.
    let on = loop {
        match hasty.install(&wanted).await {
            Ok(_) => break Instant::now(),
            Err(InstallError::Locked { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    };
    writers.go_on(1000).await;
    // And the same on the way back.
    let off = Instant::now();
    let taken_off = while_held(&items, hasty.uninstall(&wanted.name)).await;
    let writes = writers.stop().await;
    println!(
        "{} writes, the longest took {:?}",
        writes.len(),
        longest(&writes)
    );
    assert!(
        longest(&writes) < LOCK_TIMEOUT + MARGIN,
        "{:?}",
        longest(&writes)
    );
    for refused in [put_on.err(), taken_off.err()] {
        assert!(
            matches!(refused, Some(InstallError::Locked { tries: 5, .. })),
            "{refused:?}"
        );
    }
    none_is_missed(&items, &writes, &[(on, off)]).await;
}

/// The measure itself: whoever waits for the lock as long as it takes stalls every writer for as long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_installer_would_stall_it() {
    let items = Watched::database(
        Postgres,
        "create table items (id bigint primary key, n int)",
    )
    .await;
    let patient = waiting(&items, HELD * 4);
    let writers = Writers::start(&items);
    while_held(&items, patient.install(&wanted("items")))
        .await
        .unwrap();
    let writes = writers.stop().await;
    assert!(
        longest(&writes) > LOCK_TIMEOUT + MARGIN,
        "{:?}",
        longest(&writes)
    );
}

/// What a look costs, and that it stays so: it is made for each table once a minute.
#[tokio::test]
async fn a_look_is_a_handful_of_statements() {
    let items = Watched::items(
        Postgres,
        "create table items (id bigint primary key, n int, t text)",
    )
    .await;
    let wanted = wanted("items");
    let sent = items.db.statements_sent();
    items.installer.look(&wanted).await.unwrap();
    let one = items.db.statements_sent() - sent;
    let began = Instant::now();
    for _ in 0..100 {
        items.installer.look(&wanted).await.unwrap();
    }
    println!("{one} statements, {:?} for a look", began.elapsed() / 100);
    // It waits for nobody, so nobody waits for it.
    let holder = items.app.begin().await.unwrap();
    holder
        .execute_unprepared("lock table items in access exclusive mode")
        .await
        .unwrap();
    let look = tokio::time::timeout(Duration::from_secs(10), items.installer.look(&wanted));
    assert!(look.await.expect("it waits for a lock").is_ok());
    holder.rollback().await.unwrap();
    assert!(one <= 16, "{one} statements");
}
