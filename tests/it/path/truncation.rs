//! TRUNCATE is a DELETE of each row, or what the resource's entry says.

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use crate::support::{
    both::on_both, database::TestDatabase, house::House, ledger::Ledger, service::Watched,
};

on_both!(emptying_a_table_deletes_each_row);

async fn emptying_a_table_deletes_each_row(database: TestDatabase) {
    let house = House::of(database).await;
    house.register_for_items("/items", "").await;
    let empty = match house.dialect {
        Dialect::Postgres => "truncate items",
        // Which SQLite does at one stroke, unless there are triggers.
        Dialect::Sqlite => "delete from items",
    };
    house
        .sql(&format!(
            "insert into items values (1, 0, 'a'), (2, 0, 'b'), (3, 0, 'c');
             update items set n = n + 1 where id = 2;
             insert into gone select id, n from items; {empty}; insert into items values (4, 0, 'd')"
        ))
        .await;
    let ledger = Ledger::read(&house.app).await;
    assert_eq!(ledger.changes(), 8);
    house.receiver.wait_for_events(8).await;
    house.settled(8).await;
    ledger.compare(&house.receiver.deliveries());
}

#[tokio::test]
async fn truncate_can_be_refused_or_ignored() {
    let watched = |name, table, more| Watched { name, table, more };
    let house = House::with(
        TestDatabase::fresh(Dialect::Postgres).await,
        "",
        "create table kept (id int primary key); create table loose (id int primary key)",
        &[
            watched("KEPT", "public.kept", "on_truncate = \"refuse\""),
            watched("LOOSE", "public.loose", "on_truncate = \"ignore\""),
        ],
    )
    .await;
    let receiver = house.register("/all", "").await;
    house.subscribe(receiver, "KEPT", "DELETE", "").await;
    house.subscribe(receiver, "LOOSE", "DELETE", "").await;
    house
        .sql("insert into kept values (1); insert into loose values (1)")
        .await;
    let refused = house.app.execute_unprepared("truncate kept").await;
    assert!(refused.is_err());
    house
        .sql("truncate loose; insert into loose values (2); delete from loose; delete from kept")
        .await;
    let deliveries = house.receiver.wait_for_events(2).await;
    house.settled(2).await;
    let came: Vec<String> = deliveries
        .iter()
        .map(|one| format!("{} {}", one.body["resource"], one.data()["id"]))
        .collect();
    assert!(came.contains(&"\"kept\" 1".to_owned()), "{came:?}");
    assert!(came.contains(&"\"loose\" 2".to_owned()), "{came:?}");
}

#[tokio::test]
async fn rows_that_the_truncating_transaction_could_not_see_arrive_as_deletes() {
    let house = House::of(TestDatabase::fresh(Dialect::Postgres).await).await;
    house.register_for_items("/items", "").await;
    house.sql("insert into items values (1, 0, 'a')").await;
    let stale = house.app.begin().await.unwrap();
    stale
        .execute_unprepared("set transaction isolation level repeatable read; select 1")
        .await
        .unwrap();
    house
        .sql("insert into items values (2, 0, 'b'); insert into gone values (1, 0), (2, 0)")
        .await;
    stale.execute_unprepared("truncate items").await.unwrap();
    stale.commit().await.unwrap();
    let ledger = Ledger::read(&house.app).await;
    assert_eq!(ledger.changes(), 4);
    house.receiver.wait_for_events(4).await;
    house.settled(4).await;
    ledger.compare(&house.receiver.deliveries());
}
