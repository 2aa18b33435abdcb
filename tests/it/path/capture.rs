//! Which changes arrive: every committed one of whoever wrote it, none twice, none that was rolled back.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, Statement, TransactionTrait as _};

use crate::support::{
    both::on_both, database::TestDatabase, house::House, ledger::Ledger, service::DEADLINE,
};

on_both!(rollbacks_and_savepoints);

/// Compares everything that came with everything that was committed.
async fn compare(house: &House) {
    let ledger = Ledger::read(&house.app).await;
    house.receiver.wait_for_events(ledger.changes()).await;
    house.settled(ledger.changes()).await;
    let faithful = ledger.compare(&house.receiver.deliveries());
    assert_eq!(faithful.duplicates, 0);
}

async fn rollbacks_and_savepoints(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/items", "").await;
    house
        .sql(
            "begin; insert into items values (1, 0, 'a'); rollback;
             begin;
               insert into items values (2, 0, 'b');
               savepoint one;
                 insert into items values (3, 0, 'c');
                 savepoint two;
                   update items set n = n + 1 where id = 2;
                 release two;
               rollback to one;
               update items set n = n + 1 where id = 2;
               savepoint three;
                 update items set n = n + 1 where id = 2;
               release three;
             commit;
             begin; update items set n = n + 1; delete from items; rollback;
             insert into items values (4, 0, 'd');
             insert into gone select id, n from items where id = 4; delete from items where id = 4",
        )
        .await;
    compare(&house).await;
}

#[tokio::test]
async fn twelve_transactions_commit_in_another_order() {
    let house = postgres().await;
    house.register_for_items("/items", "").await;
    let mut open = Vec::new();
    for id in 1..=12 {
        let transaction = house.app.begin().await.unwrap();
        let sql = format!("insert into items values ({id}, 0, 'from the {id}th')");
        transaction.execute_unprepared(&sql).await.unwrap();
        open.push(Some(transaction));
    }
    // Each takes a further id, again in order, so that early and late ids mix in every transaction.
    for (place, transaction) in open.iter().enumerate() {
        let sql = format!("update items set n = n + 1 where id = {}", place + 1);
        let transaction = transaction.as_ref().unwrap();
        transaction.execute_unprepared(&sql).await.unwrap();
    }
    let mut committed = 0;
    for (turn, place) in [6, 0, 11, 3, 8, 1, 10, 5, 2, 9, 7, 4]
        .into_iter()
        .enumerate()
    {
        let transaction = open[place].take().unwrap();
        if place == 10 {
            transaction.rollback().await.unwrap();
            continue;
        }
        transaction.commit().await.unwrap();
        committed += 2;
        if turn % 2 == 0 {
            // It has been read by now, so whoever reads by the highest id has passed the others.
            house.receiver.wait_for_events(committed).await;
        }
    }
    compare(&house).await;
    for delivery in house.receiver.deliveries() {
        let same = |other: &&crate::support::receiver::Delivery| {
            other.data()["id"] == delivery.data()["id"]
                && other.body["transaction_id"] == delivery.body["transaction_id"]
        };
        let deliveries = house.receiver.deliveries();
        assert_eq!(deliveries.iter().filter(same).count(), 2);
    }
}

#[tokio::test]
async fn an_open_transaction_holds_nobody_up() {
    let house = postgres().await;
    house.register_for_items("/items", "").await;
    let open = house.app.begin().await.unwrap();
    open.execute_unprepared("insert into items values (1000, 0, 'open all the time')")
        .await
        .unwrap();
    let mut slowest = Duration::ZERO;
    for id in 1..=20 {
        house
            .sql(&format!("insert into items values ({id}, 0, 'x')"))
            .await;
        let committed = Instant::now();
        house.receiver.wait_for_events(id).await;
        slowest = slowest.max(committed.elapsed());
    }
    println!("slowest of 20 beside an open transaction: {slowest:?}");
    assert!(slowest < DEADLINE / 6, "{slowest:?}");
    open.commit().await.unwrap();
    compare(&house).await;
}

#[tokio::test]
async fn a_prepared_transaction_arrives_when_it_commits() {
    let house = postgres().await;
    house.register_for_items("/items", "").await;
    let name = house.url.rsplit('/').next().unwrap();
    house.psql(&format!(
        "begin; insert into items values (1, 0, 'prepared'); prepare transaction '{name}_kept';
             begin; insert into items values (2, 0, 'prepared'); prepare transaction '{name}_not';
             insert into items values (3, 0, 'meanwhile');"
    ));
    let first = house.receiver.wait_for_events(1).await;
    assert_eq!(first[0].data()["id"], 3);
    house.psql(&format!(
        "commit prepared '{name}_kept'; rollback prepared '{name}_not';"
    ));
    compare(&house).await;
}

#[tokio::test]
async fn a_log_that_notifies_is_read_all_the_same() {
    let database = TestDatabase::fresh(rowhook::store::sql::db::Dialect::Postgres).await;
    let house = House::with(database, "[capture]\nnotify = true", "", &[]).await;
    house.register_for_items("/items", "").await;
    for id in 1..=20 {
        house
            .sql(&format!("insert into items values ({id}, 0, 'x')"))
            .await;
    }
    let listens = "select 1 from pg_stat_activity
                   where datname = current_database() and query ilike 'listen%rowhook%'";
    let listens = Statement::from_string(house.app.get_database_backend(), listens);
    assert!(house.app.query_one_raw(listens).await.unwrap().is_some());
    compare(&house).await;
}

async fn postgres() -> House {
    House::of(TestDatabase::fresh(rowhook::store::sql::db::Dialect::Postgres).await).await
}
