//! How pages of the log are read on PostgreSQL, by the plans: a window through the index on xid whatever
//! else is kept, a large one along the primary key, whatever the planner knows of the table.

use rowhook::store::{
    change_log::ChangeLog as _,
    sql::{
        change_log::{SqlChangeLog, continue_window_sql, open_window_sql, window_bounds_sql},
        db::{Db, Dialect},
        page_connection::PageConnection,
    },
};
use sea_orm::ConnectionTrait as _;

use crate::support::{
    database::TestDatabase,
    stored::{committed_change, open_change, run, texts},
};

use super::plans::reads;

/// Changes that are kept, and changes of a large window.
const MANY: i64 = 30_000;
const PAGE: i64 = 1000;

/// What the planner has been told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Analyzed {
    Never,
    BeforeTheWindow,
    Now,
}

struct Log {
    db: Db,
    /// As pages are read on.
    pages: Db,
    // The last field, so that the database goes when everybody has left it.
    _database: TestDatabase,
}

impl Log {
    async fn new() -> Self {
        let database = TestDatabase::fresh(Dialect::Postgres).await;
        let db = database.migrated().await;
        // Only this test tells the planner anything.
        let quiet = "alter table rowhook.logged_actions set (autovacuum_enabled = false)";
        run(&db, quiet, []).await;
        let connection = PageConnection::new(db.clone());
        let log = SqlChangeLog::new(connection.clone());
        log.take_over().await.unwrap();
        Self {
            db,
            pages: connection.get().unwrap(),
            _database: database,
        }
    }

    async fn bulk(&self) {
        let sql = "insert into rowhook.logged_actions (resource_id, action, row_data) \
                   select 1, 2, repeat('x', 200) from generate_series(1, $1)";
        run(&self.db, sql, [MANY.into()]).await;
    }

    async fn analyze(&self) {
        run(&self.db, "analyze rowhook.logged_actions", []).await;
    }

    async fn snapshot(&self) -> String {
        texts(&self.db, "select pg_current_snapshot()::text")
            .await
            .remove(0)
    }

    async fn last_id(&self) -> i64 {
        let sql = "select max(id)::text from rowhook.logged_actions";
        texts(&self.db, sql).await[0].parse().unwrap()
    }

    /// The plans of a statement: once it knows the values, and once the server has settled on one that
    /// does not.
    async fn plans(&self, name: &str, types: &str, sql: &str, values: &str) -> [String; 2] {
        let mut plans = [String::new(), String::new()];
        for (plan, mode) in plans.iter_mut().zip(["custom", "generic"]) {
            for sql in [
                format!("set plan_cache_mode = force_{mode}_plan"),
                format!("prepare {name} ({types}) as {sql}"),
            ] {
                self.pages.execute_unprepared(&sql).await.unwrap();
            }
            let explain = format!(
                "explain (analyze, costs off, timing off, summary off) execute {name} ({values})"
            );
            let rows = self.pages.query_all_raw(self.pages.statement(&explain, []));
            let rows = rows.await.unwrap();
            let line = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(0).unwrap();
            *plan = rows.iter().map(line).collect::<Vec<_>>().join("\n");
            let again = format!("deallocate {name}");
            self.pages.execute_unprepared(&again).await.unwrap();
        }
        plans
    }

    /// Opening, bounding and continuing the window that begins at this snapshot and holds so many changes
    /// after this id.
    async fn assert_plans(&self, from: &str, after: i64, holds: i64, what: &str) {
        let to = self.snapshot().await;
        let last = self.last_id().await;
        let mut parts = from.splitn(3, ':').skip(1);
        let (xmax, running) = (parts.next().unwrap(), parts.next().unwrap());
        assert!(!running.is_empty(), "an old transaction is open");
        let seen = format!("'{{{running}}}', '{xmax}'");
        // What is kept is of another era, so that nothing else leads there either.
        let values = format!("{seen}, {}, {after}", PAGE + 1);
        let sql = open_window_sql();
        for plan in self
            .plans("opening", "text, text, bigint, bigint", &sql, &values)
            .await
        {
            let what = format!("opening a {what}\n{plan}");
            assert!(!plan.contains("_pkey"), "{what}");
            assert!(plan.contains("logged_actions_window"), "{what}");
            // No more than a page and what tells that there is more.
            assert!(reads(&plan, 0) <= holds.min(PAGE + 1) + 5, "{what}");
            assert_along_indexes(&plan, &what);
        }
        let values = format!("{seen}, '{to}', {after}, {}", i64::MAX);
        let types = "text, text, text, bigint, bigint";
        let bounds = self.plans("bounds", types, window_bounds_sql(), &values);
        for plan in bounds.await {
            let what = format!("the bounds of a {what}\n{plan}");
            assert!(!plan.contains("_pkey"), "{what}");
            assert!(plan.contains("logged_actions_window"), "{what}");
            assert!(reads(&plan, 0) <= holds + 5, "{what}");
            assert_along_indexes(&plan, &what);
        }
        for after in [after, after + holds / 2] {
            let values = format!("'{from}', '{to}', {after}, {last}, {PAGE}, 0");
            let types = "text, text, bigint, bigint, bigint, bigint";
            let sql = continue_window_sql();
            for plan in self.plans("page", types, &sql, &values).await {
                let what = format!("a page after {after} of a {what}\n{plan}");
                assert!(!plan.contains("logged_actions_window"), "{what}");
                assert!(plan.contains("Scan using logged_actions_pkey"), "{what}");
                assert!(reads(&plan, 0) <= holds.min(PAGE) + 5, "{what}");
                assert_along_indexes(&plan, &what);
            }
        }
    }
}

fn assert_along_indexes(plan: &str, what: &str) {
    for costly in ["Seq Scan", "Bitmap", "Sort", "Hash"] {
        assert!(!plan.contains(costly), "{costly} in {what}");
    }
}

#[tokio::test]
async fn a_page_costs_what_is_in_it() {
    for analyzed in [Analyzed::Never, Analyzed::BeforeTheWindow, Analyzed::Now] {
        let log = Log::new().await;
        // What is kept, and an old transaction that is open.
        log.bulk().await;
        let old = log.db.begin().await.unwrap();
        open_change(&old).await;
        for _ in 0..5 {
            committed_change(&log.db).await;
        }
        if analyzed == Analyzed::BeforeTheWindow {
            log.analyze().await;
        }
        let (from, after) = (log.snapshot().await, log.last_id().await);
        for _ in 0..3 {
            committed_change(&log.db).await;
        }
        if analyzed == Analyzed::Now {
            log.analyze().await;
        }
        let what = format!("small window, analyzed {analyzed:?}");
        log.assert_plans(&from, after, 3, &what).await;
        log.bulk().await;
        if analyzed == Analyzed::Now {
            log.analyze().await;
        }
        let what = format!("large window, analyzed {analyzed:?}");
        log.assert_plans(&from, after, MANY + 3, &what).await;
        old.commit().await.unwrap();
    }
}
