//! A migration never makes the application wait behind it: it asks for each lock shortly, and again.

use rowhook::store::sql::{
    catalogue::LockPatience,
    db::{Db, Dialect::Postgres},
};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use crate::support::{command::Shell, database::TestDatabase, stored::number};

/// Who writes waits for a migration's try, and for what the machine adds, but not for another writer's end.
const PATIENT: &str = "set local lock_timeout = '5s'";

/// Takes back what puts triggers on `events`, for which it needs a lock that no writer lets it have, and all after it.
async fn taken_back(db: &Db) -> usize {
    let schema = db.schema().await.unwrap();
    let later = schema
        .migrations()
        .iter()
        .filter(|one| &*one.name >= "m0012");
    let steps = later.count();
    db.migrate_down(steps.try_into().unwrap()).await.unwrap()
}

/// The application has written to the log, and its transaction stays open; another one goes on writing meanwhile.
#[tokio::test]
async fn a_migration_that_waits_holds_up_nobody() {
    let database = TestDatabase::fresh(Postgres).await;
    let db = database.migrated().await;
    let back = taken_back(&db).await;
    let application = database.application().await;
    let write = "insert into rowhook.leases (kind, subject, holder, expires_at) values ('test', $1, 'x', now());
                 lock table rowhook.events, rowhook.receivers in row exclusive mode";
    let long = application.begin().await.unwrap();
    long.execute_unprepared(&write.replace("$1", "0"))
        .await
        .unwrap();

    let shell = Shell::on(&database.url);
    let migrating = shell.start(&["migrate", "up"]);
    migrating.says("rowhook's own tables are in use; trying again for a while");
    for turn in 1..=20 {
        let short = application.begin().await.unwrap();
        short.execute_unprepared(PATIENT).await.unwrap();
        short
            .execute_unprepared(&write.replace("$1", &turn.to_string()))
            .await
            .unwrap();
        short.commit().await.unwrap();
    }
    long.commit().await.unwrap();
    let done = migrating.ends().well();
    assert!(done.contains(&format!("{back} applied")), "{done}");
    assert_eq!(db.pending_migrations().await.unwrap(), 0);
    let written = "select count(*) from rowhook.leases where kind = 'test'";
    assert_eq!(number(&db, written).await, 21);
}

/// Nobody ends the transaction: the migration gives up, says so, and has changed nothing of what it could not have.
#[tokio::test]
async fn a_migration_that_gets_no_lock_says_so() {
    let database = TestDatabase::fresh(Postgres).await;
    let db = database.migrated().await;
    let back = taken_back(&db).await;
    let application = database.application().await;
    let long = application.begin().await.unwrap();
    long.execute_unprepared("lock table rowhook.events in row exclusive mode")
        .await
        .unwrap();
    let hasty = LockPatience {
        tries: 3,
        ..LockPatience::default()
    };
    let fault = db.migrate_up_with(hasty).await.unwrap_err().to_string();
    assert!(fault.contains("in use at each of 3 tries"), "{fault}");
    assert!(
        fault.contains(&format!("{back} migrations are not applied")),
        "{fault}"
    );
    long.commit().await.unwrap();
    assert_eq!(db.pending_migrations().await.unwrap(), back);
    assert_eq!(db.migrate_up().await.unwrap(), back);
}
