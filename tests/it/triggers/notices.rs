//! NOTIFY from the log: on and off without a trace, and without anybody waiting for it.

use std::time::Duration;

use rowhook::store::sql::{
    db::Dialect::Postgres,
    notices::{self, Notices},
};
use sea_orm::{ConnectionTrait, TransactionTrait};
use tokio::time::timeout;

use super::support::Watched;
use crate::support::service::DEADLINE;

const ITEMS: &str = "create table items (id int primary key, n int)";

async fn hears(notices: &Notices) {
    let heard = timeout(DEADLINE, notices.heard()).await;
    heard.expect("no notice came");
}

#[tokio::test]
async fn whoever_writes_is_heard_while_it_is_on() {
    let items = Watched::items(Postgres, ITEMS).await;
    let before = items.schema().await;
    notices::switch(&items.db, true).await.unwrap();
    let on = items.schema().await;
    assert_ne!(on, before);
    notices::switch(&items.db, true).await.unwrap();
    assert_eq!(items.schema().await, on);

    let notices = Notices::listen(&items.db);
    // The first tells that it listens.
    hears(&notices).await;
    items.run("insert into items values (1, 1)").await;
    hears(&notices).await;
    items
        .run("set session_replication_role = replica; update items set n = 2; reset session_replication_role")
        .await;
    hears(&notices).await;

    notices::switch(&items.db, false).await.unwrap();
    assert_eq!(items.schema().await, before);
}

#[tokio::test]
async fn nobody_waits_for_the_switch() {
    let items = Watched::items(Postgres, ITEMS).await;
    let open = items.app.begin().await.unwrap();
    open.execute_unprepared("insert into items values (1, 1)")
        .await
        .unwrap();
    let db = items.db.clone();
    let switch = tokio::spawn(async move { notices::switch(&db, true).await });
    // Longer than one try, shorter than all of them: writers that queue behind it go on in between.
    for id in 2..20 {
        let insert = format!("insert into items values ({id}, 1)");
        let other = items.database.application().await;
        let wrote = timeout(DEADLINE / 3, other.execute_unprepared(&insert)).await;
        wrote.expect("a writer was held up").unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    open.commit().await.unwrap();
    switch.await.unwrap().unwrap();
    assert_eq!(items.log().await.len(), 19);
}
