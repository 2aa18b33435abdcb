//! What is old goes, what is owed, young, needed or not yet read stays, step by step along the key.

use chrono::{DateTime, TimeDelta, Utc};
use rowhook::{
    domain::{
        event::EventState,
        ids::{ChangeId, EventId},
    },
    store::{
        retention::{RetentionStore, Step},
        sql::{
            db::{Db, Dialect},
            retention::{SqlRetention, look_at_changes_sql, look_at_events_sql},
        },
    },
};
use sea_orm::ConnectionTrait;

use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{
        EventRow, committed_change, insert_event, insert_logged_row, number, open_change, run,
        texts,
    },
};

on_both!(
    settled_events_go_with_their_attempts,
    an_event_without_a_written_end_counts_from_its_latest_attempt,
    a_change_stays_as_long_as_it_is_needed,
    a_walk_goes_in_steps_and_ends_where_the_young_begin,
    ids_are_never_given_again,
);

/// What the walks here take for old.
const KEPT: i64 = 30;

fn days_ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

struct Log {
    db: Db,
    store: SqlRetention,
    // The last field, so that the database goes when everybody has left it.
    _database: TestDatabase,
}

impl Log {
    async fn of(database: TestDatabase) -> Self {
        let db = database.migrated().await;
        Self {
            store: SqlRetention::new(db.clone()),
            db,
            _database: database,
        }
    }

    /// An event made and ended so many days ago, with two attempts.
    async fn event(&self, state: EventState, made: i64, ended: Option<i64>) -> i64 {
        self.event_of(None, state, made, ended).await
    }

    async fn event_of(
        &self,
        change_id: Option<i64>,
        state: EventState,
        made: i64,
        ended: Option<i64>,
    ) -> i64 {
        let sequence = number(&self.db, "select count(*) + 1 from rowhook.events").await;
        let event = EventRow {
            subscription_id: 1,
            receiver_id: 1,
            sequence: Some(sequence),
            change_id,
            resource_id: 1,
            action: 2,
            transaction_id: 1,
            occurred_at: days_ago(made),
            row_id: "1".to_owned(),
            state: state.code(),
            attempt_count: 2,
        };
        let id = insert_event(&self.db, event).await;
        let end = "update rowhook.events set ended_at = $2 where id = $1";
        run(&self.db, end, [id.into(), ended.map(days_ago).into()]).await;
        let attempt = "insert into rowhook.attempts (event_id, number, attempted_at, duration_ms) \
                       values ($1, 1, $2, 5)";
        run(&self.db, attempt, [id.into(), days_ago(made).into()]).await;
        id
    }

    /// A change that was logged so many days ago.
    async fn change(&self, days: i64) -> i64 {
        let id = insert_logged_row(&self.db, 1, r#"{"id":1}"#, None).await;
        let sql = "update rowhook.logged_actions set logged_at = $2 where id = $1";
        run(&self.db, sql, [id.into(), days_ago(days).into()]).await;
        id
    }

    /// The cursor stands behind everything that has committed.
    async fn fanned_out(&self) {
        let watermark = match self.db.dialect() {
            Dialect::Postgres => "pg_current_snapshot()::text",
            Dialect::Sqlite => {
                "(select cast(coalesce(max(id), 0) as text) from rowhook.logged_actions)"
            }
        };
        let sql = format!("update rowhook.capture_cursor set watermark = {watermark}");
        run(&self.db, &sql, []).await;
    }

    async fn drop_events(&self, limit: u32) -> Vec<u64> {
        let (mut after, mut dropped) = (Some(EventId(0)), Vec::new());
        while let Some(from) = after {
            let step = self.store.drop_events(days_ago(KEPT), from, limit).await;
            let Step { dropped: n, next } = step.unwrap();
            dropped.push(n);
            after = next;
        }
        dropped
    }

    async fn drop_changes(&self, limit: u32) -> Vec<u64> {
        let (mut after, mut dropped) = (Some(ChangeId(0)), Vec::new());
        while let Some(from) = after {
            let step = self.store.drop_changes(days_ago(KEPT), from, limit).await;
            let Step { dropped: n, next } = step.unwrap();
            dropped.push(n);
            after = next;
        }
        dropped
    }

    async fn ids(&self, sql: &str) -> Vec<i64> {
        let ids = texts(&self.db, sql).await;
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    async fn events(&self) -> Vec<i64> {
        self.ids("select cast(e.id as text) from rowhook.events e order by e.id")
            .await
    }

    async fn changes(&self) -> Vec<i64> {
        self.ids("select cast(l.id as text) from rowhook.logged_actions l order by l.id")
            .await
    }
}

async fn settled_events_go_with_their_attempts(database: TestDatabase) {
    use EventState::{Cancelled, Delivered, Failed, Parked, Ready, Waiting};
    let log = Log::of(database).await;
    let mut stay = Vec::new();
    for state in [Delivered, Failed, Cancelled] {
        log.event(state, 40, Some(35)).await;
        // Owed for long, ended lately.
        stay.push(log.event(state, 40, Some(5)).await);
    }
    for state in [Ready, Waiting, Parked] {
        stay.push(log.event(state, 40, None).await);
    }
    log.event(Delivered, 31, Some(31)).await;
    for state in EventState::ALL {
        stay.push(log.event(state, 5, Some(5)).await);
    }
    assert_eq!(log.drop_events(100).await.iter().sum::<u64>(), 4);
    assert_eq!(log.events().await, stay);
    let attempts = "select cast(a.event_id as text) from rowhook.attempts a order by a.event_id";
    assert_eq!(log.ids(attempts).await, stay);
}

async fn an_event_without_a_written_end_counts_from_its_latest_attempt(database: TestDatabase) {
    let log = Log::of(database).await;
    log.event(EventState::Cancelled, 40, None).await;
    let attempted = log.event(EventState::Cancelled, 40, None).await;
    let sql = "update rowhook.events set attempted_at = $2 where id = $1";
    run(&log.db, sql, [attempted.into(), days_ago(29).into()]).await;
    log.drop_events(100).await;
    assert_eq!(log.events().await, [attempted]);
}

async fn a_change_stays_as_long_as_it_is_needed(database: TestDatabase) {
    let log = Log::of(database).await;
    log.change(40).await;
    let told = log.change(40).await;
    let owed = log.change(40).await;
    let young = log.change(5).await;
    let delivered = EventState::Delivered;
    log.event_of(Some(told), delivered, 40, Some(5)).await;
    let twice = log.event_of(Some(owed), delivered, 40, Some(35)).await;
    let again = "update rowhook.events set subscription_id = 2 where id = $1";
    run(&log.db, again, [twice.into()]).await;
    log.event_of(Some(owed), EventState::Ready, 40, None).await;
    log.fanned_out().await;
    let unread = log.change(40).await;

    assert_eq!(log.drop_events(100).await, [1]);
    assert_eq!(log.drop_changes(100).await, [1]);
    assert_eq!(log.changes().await, [told, owed, young, unread]);

    // What was waited for has come.
    log.fanned_out().await;
    run(&log.db, "delete from rowhook.events", []).await;
    assert_eq!(log.drop_changes(100).await, [3]);
    assert_eq!(log.changes().await, [young]);
}

/// Every row is looked at once: as many steps as the old ones fill, and one that finds the young.
async fn a_walk_goes_in_steps_and_ends_where_the_young_begin(database: TestDatabase) {
    let log = Log::of(database).await;
    let (owed, delivered) = (EventState::Ready, EventState::Delivered);
    for _ in 0..10 {
        let change = log.change(40).await;
        log.event_of(Some(change), delivered, 40, Some(35)).await;
    }
    for _ in 0..3 {
        let change = log.change(40).await;
        log.event_of(Some(change), owed, 40, None).await;
    }
    for _ in 0..20 {
        let change = log.change(5).await;
        log.event_of(Some(change), delivered, 5, Some(5)).await;
    }
    log.fanned_out().await;
    assert_eq!(log.drop_events(3).await, [3, 3, 3, 1, 0, 0]);
    assert_eq!(log.drop_changes(3).await, [3, 3, 3, 1, 0, 0]);
    assert_eq!(log.events().await.len(), 23);
    assert_eq!(log.changes().await.len(), 23);
    // Where all that is left is looked at in one step, that step ends the walk.
    assert_eq!(log.drop_events(100).await, [0]);
}

async fn ids_are_never_given_again(database: TestDatabase) {
    let log = Log::of(database).await;
    let (change, delivered) = (log.change(40).await, EventState::Delivered);
    let event = log.event_of(Some(change), delivered, 40, Some(35)).await;
    log.fanned_out().await;
    log.drop_events(10).await;
    log.drop_changes(10).await;
    assert!(log.events().await.is_empty() && log.changes().await.is_empty());
    assert!(log.change(0).await > change);
    assert!(log.event(delivered, 0, Some(0)).await > event);
}

async fn on_postgres() -> Log {
    Log::of(TestDatabase::fresh(Dialect::Postgres).await).await
}

/// What SQLite's one writer makes impossible: a low id that commits late.
#[actix_rt::test]
async fn a_change_of_a_transaction_that_was_open_at_the_watermark_stays() {
    let log = on_postgres().await;
    let txn = log.db.begin().await.unwrap();
    open_change(&txn).await;
    committed_change(&log.db).await;
    log.fanned_out().await;
    txn.commit().await.unwrap();
    let age = "update rowhook.logged_actions set logged_at = $1";
    run(&log.db, age, [days_ago(40).into()]).await;
    let [late, early] = log.changes().await[..] else {
        panic!("there are two changes");
    };

    // A window is fanned out in part: its changes are not at the watermark yet.
    let window = "update rowhook.capture_cursor set window_to = pg_current_snapshot()::text, \
                  window_after = $1, window_last = $1";
    run(&log.db, window, [early.into()]).await;
    assert_eq!(log.drop_changes(10).await, [1]);
    assert_eq!(log.changes().await, [late]);

    log.fanned_out().await;
    assert_eq!(log.drop_changes(10).await, [1]);
}

#[actix_rt::test]
async fn in_another_cluster_no_change_goes() {
    let log = on_postgres().await;
    let change = log.change(40).await;
    log.fanned_out().await;
    let moved = "update rowhook.capture_cursor set system_identifier = system_identifier - 1";
    run(&log.db, moved, []).await;
    assert_eq!(log.drop_changes(10).await, [0]);
    assert_eq!(log.changes().await, [change]);
}

/// Whoever makes events of history or delivers one again is in the midst of it: nobody waits, and what
/// he took is there.
#[actix_rt::test]
async fn what_someone_else_has_in_hand_stays() {
    let log = on_postgres().await;
    let delivered = EventState::Delivered;
    let (replayed, _) = (log.change(40).await, log.change(40).await);
    let redelivered = log.event(delivered, 40, Some(35)).await;
    log.event(delivered, 40, Some(35)).await;
    log.fanned_out().await;
    let txn = log.db.begin().await.unwrap();
    let hold = "select id from rowhook.logged_actions where id = $1 for key share";
    txn.query_one_raw(txn.statement(hold, [replayed.into()]))
        .await
        .unwrap();
    let again = "update rowhook.events set state = 0 where id = $1";
    txn.execute_raw(txn.statement(again, [redelivered.into()]))
        .await
        .unwrap();
    assert_eq!(log.drop_events(10).await, [1]);
    assert_eq!(log.drop_changes(10).await, [1]);
    txn.commit().await.unwrap();
    assert_eq!(log.events().await, [redelivered]);
    assert_eq!(log.changes().await, [replayed]);
    assert_eq!(log.drop_events(10).await, [0]);
}

/// A step costs what it looks at, however large the tables are, also once the server has settled on a plan
/// that knows no values.
#[actix_rt::test]
async fn no_step_reads_a_whole_table() {
    let log = on_postgres().await;
    run(
        &log.db,
        "insert into rowhook.logged_actions (resource_id, action, row_data) \
         select 1, 2, '{\"id\":1}' from generate_series(1, 30000)",
        [],
    )
    .await;
    run(
        &log.db,
        "insert into rowhook.events (subscription_id, receiver_id, sequence, change_id, resource_id, \
         action, transaction_id, occurred_at, created_at, row_id, row_hash, state) \
         select 1, 1, l.id, l.id, 1, 2, 1, now(), now(), '1', 0, 3 from rowhook.logged_actions l",
        [],
    )
    .await;
    log.fanned_out().await;
    let txn = log.db.begin().await.unwrap();
    txn.execute_unprepared("analyze rowhook.events; analyze rowhook.logged_actions")
        .await
        .unwrap();
    let looks = [
        look_at_events_sql(1000),
        look_at_changes_sql(Dialect::Postgres, 1000),
    ];
    for (number, look) in looks.iter().enumerate() {
        for mode in ["force_custom_plan", "force_generic_plan"] {
            txn.execute_unprepared(&format!(
                "set local plan_cache_mode = {mode};
                 prepare look_{number}_{mode}(bigint, timestamptz) as {look}"
            ))
            .await
            .unwrap();
            let explain = format!("explain execute look_{number}_{mode}(20000, now())");
            let rows = txn.query_all_raw(txn.statement(&explain, [])).await;
            let lines: Vec<String> = rows
                .unwrap()
                .iter()
                .map(|row| row.try_get_by_index(0).unwrap())
                .collect();
            let plan = lines.join("\n");
            for table in ["events", "logged_actions"] {
                assert!(!plan.contains(&format!("Seq Scan on {table}")), "{plan}");
            }
            assert!(plan.contains("_pkey"), "{plan}");
        }
    }
}
