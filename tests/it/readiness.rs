//! `/readyz` tells the truth: each thing that keeps an instance from its work, in words, and no longer than it does.
//!
//! Elsewhere: a database that is away (`database_away`), a full disk (`disk_full`), another cluster (`rebase`), stages
//! that can not be kept up (`guardian`, and `pipeline::status` itself).

use rowhook::store::sql::db::Dialect;
use sea_orm::{
    ConnectionTrait as _, SqliteTransactionMode, TransactionOptions, TransactionTrait as _,
};

use crate::support::{both::on_both, database::TestDatabase, house::House, wait::until_ok};

on_both!(
    a_schema_that_is_behind_is_told,
    capture_that_lags_is_told_where_that_is_asked_for,
);

/// Waits until `/readyz` answers this status, and returns what it says.
async fn until_answers(house: &House, wanted: u16, says: &str) -> String {
    until_ok("/readyz", async || {
        let (status, text) = house.service.http("GET", "/readyz", "").await.unwrap();
        match status == wanted && text.contains(says) {
            true => Ok(text),
            false => Err(format!("{status}: {text}")),
        }
    })
    .await
}

async fn a_schema_that_is_behind_is_told(database: TestDatabase) {
    let house = House::of(database).await;
    let table = match house.dialect {
        Dialect::Postgres => "rowhook.rowhook_migrations",
        Dialect::Sqlite => "rowhook_migrations",
    };
    // As a restored older database has it.
    let newest = format!("version = (select max(version) from {table})");
    let older = format!("update {table} set version = version || '-not' where {newest}");
    house.sql(&older).await;
    let text = until_answers(&house, 503, "migrate up").await;
    assert!(text.contains("lacks a migration"), "{text}");
    let mended = format!("update {table} set version = replace(version, '-not', '')");
    house.sql(&mended).await;
    until_answers(&house, 200, "ready").await;
}

async fn capture_that_lags_is_told_where_that_is_asked_for(database: TestDatabase) {
    let settings = "[capture]\nlongest_lag = \"10ms\"\n";
    let house = House::with(database, settings, "", &[]).await;
    house.register_for_items("/items", "").await;
    // Nobody can write the cursor: a change is committed, and capture can not go on.
    let change = "insert into items values (1, 0, 'a')";
    match house.dialect {
        Dialect::Postgres => {
            let held = house.app.begin().await.unwrap();
            let lock = "select * from rowhook.capture_cursor for update";
            held.execute_unprepared(lock).await.unwrap();
            house.sql(change).await;
            until_answers(&house, 503, "capture lags").await;
            held.rollback().await.unwrap();
        }
        Dialect::Sqlite => {
            let immediate = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            // The poller has to read the change before it wants to write: the lock is taken again by then.
            let held = house.app.begin_with_options(immediate).await.unwrap();
            let again = format!("{change}; commit; begin immediate");
            held.execute_unprepared(&again).await.unwrap();
            until_answers(&house, 503, "capture lags").await;
            held.rollback().await.unwrap();
        }
    }
    until_answers(&house, 200, "ready").await;
    house.settled(1).await;
}
