//! PostgreSQL: what logical replication writes into a watched table is captured like any other change.
//!
//! Publisher and subscriber are two databases of one server, so the slot is made before the subscription:
//! making it inside would wait for its own transaction.

use std::process::Command;

use rowhook::store::{catalogue::ResourceInstaller, sql::db::Dialect::Postgres};
use tokio::sync::Mutex;

use super::support::{PARTITIONED, Watched, wanted};

/// A server has few workers for it, so the tests take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// A subscription of a watched database to another one; it goes, with its slot, when the test ends or fails.
struct Replication {
    publisher: Watched,
    subscriber: Watched,
}

impl Replication {
    /// `fill`: what is in the publisher's tables before the subscription.
    async fn of(published: &str, fill: &str, watched: &str) -> Self {
        let publisher = Watched::database(Postgres, published).await;
        publisher
            .run(&format!("create publication out for table items with (publish_via_partition_root = true); {fill}"))
            .await;
        let subscriber = Watched::items(Postgres, watched).await;
        let this = Self {
            publisher,
            subscriber,
        };
        let name = this.name();
        this.publisher
            .run(&format!(
                "select pg_create_logical_replication_slot('{name}', 'pgoutput')"
            ))
            .await;
        this.subscriber
            .run(&format!(
                "create subscription {name} connection '{}' publication out with (create_slot = false)",
                this.publisher.database.url
            ))
            .await;
        this.subscriber
            .wait_for("not exists (select from pg_subscription_rel where srsubstate <> 'r')")
            .await;
        this
    }

    /// The subscription's and the slot's.
    fn name(&self) -> String {
        self.subscriber
            .database
            .url
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    }

    /// Writes at the publisher and waits until the subscriber has it.
    async fn write(&self, sql: &str) {
        self.publisher.run(sql).await;
        let position = self
            .publisher
            .tell("select pg_current_wal_lsn()::text")
            .await
            .unwrap();
        let name = self.name();
        self.publisher
            .wait_for(&format!(
                "(select confirmed_flush_lsn >= '{position}' from pg_replication_slots where slot_name = '{name}')"
            ))
            .await;
    }

    /// What the subscriber's log says of it, each change in a few letters.
    async fn told(&self, sql: &str) -> Vec<String> {
        let before = self.subscriber.log().await.len();
        self.write(sql).await;
        self.subscriber.compare().await;
        super::mirror::all_told(&self.subscriber.log().await[before..])
    }
}

impl Drop for Replication {
    fn drop(&mut self) {
        // A database with a subscription or a slot can not be dropped.
        let name = self.name();
        let psql = |url: &str, sql: &str| {
            let _ = Command::new("psql")
                .args(["-X", "-q", url, "-c", sql])
                .output();
        };
        let subscriber = &self.subscriber.database.url;
        psql(subscriber, &format!("alter subscription {name} disable"));
        psql(
            subscriber,
            &format!("alter subscription {name} set (slot_name = none)"),
        );
        psql(subscriber, &format!("drop subscription {name}"));
        psql(
            &self.publisher.database.url,
            &format!(
                "do $$ begin
                     for i in 1..200 loop
                         exit when not exists (select from pg_replication_slots where slot_name = '{name}' and active);
                         perform pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '{name}';
                         perform pg_sleep(0.05);
                     end loop;
                     perform pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{name}';
                 end $$"
            ),
        );
    }
}

const ITEMS: &str = "create table items (id int primary key, n int, t text, at timestamptz)";

#[tokio::test]
async fn applied_changes_are_captured_and_the_first_copy_too() {
    let _turn = TURN.lock().await;
    let replication = Replication::of(
        ITEMS,
        "insert into items values (1, 1, 'a', '2026-01-01 00:00+00'), (2, 2, 'b', null)",
        ITEMS,
    )
    .await;
    // What was there before comes as COPY writes it.
    replication.subscriber.compare().await;
    assert_eq!(
        super::mirror::all_told(&replication.subscriber.log().await),
        ["+1", "+2"]
    );
    assert_eq!(
        replication
            .told(
                "insert into items values (3, 3, repeat('x', 20000), null); update items set n = 0 where id = 3;
                 update items set n = n; update items set id = 10 where id = 1; delete from items where id = 2"
            )
            .await,
        ["+3", r#"~3{"n":3}"#, r#"~10{"id":1}"#, "-2"]
    );
    // A transaction of the publisher is one of the subscriber.
    replication
        .write("begin; insert into items select g, 0 from generate_series(100, 150) g; delete from items where id > 140; commit")
        .await;
    replication.subscriber.compare().await;
    let transactions = "select count(distinct xid)::text from rowhook.logged_actions
         where (row_data::json->>0)::int >= 100";
    assert_eq!(
        replication.subscriber.tell(transactions).await.unwrap(),
        "1"
    );
    assert_eq!(
        replication
            .told("truncate items; insert into items values (1)")
            .await
            .len(),
        43 + 1
    );
}

#[tokio::test]
async fn partitions_and_heirs_are_captured_where_they_are_applied() {
    let _turn = TURN.lock().await;
    for watched in [
        PARTITIONED,
        "create table items (id int primary key, n int, b bytea); create table later () inherits (items)",
    ] {
        let replication =
            Replication::of(PARTITIONED, "insert into items values (1, 1)", watched).await;
        assert_eq!(
            replication
                .told("insert into items values (2, 2), (102, 2); update items set n = 9 where id = 102; delete from items where id = 1")
                .await,
            ["+2", "+102", r#"~102{"n":2}"#, "-1"]
        );
        assert_eq!(replication.told("truncate items").await.len(), 2);
        assert!(
            replication
                .subscriber
                .installer
                .in_force(&wanted("items"))
                .await
                .unwrap()
        );
    }
}
