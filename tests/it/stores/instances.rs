//! The list of instances, the word among them, and whose receivers are taken.

use rowhook::{
    domain::ids::ReceiverId,
    store::{
        instances::{Call, Instances as _},
        leases::{LeaseOf, LeaseStore as _},
        sql::{
            db::{Db, Dialect},
            instances::SqlInstances,
            leases::SqlLeases,
        },
    },
};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    database_road::DatabaseRoad,
    stored::{number, run, texts},
    wait::DEADLINE,
};

on_both!(whose_receivers_are_taken_is_told);

/// What is called next, leaving out calls for a look at everything, with which listening begins.
async fn receivers_called(instances: &SqlInstances) -> Vec<i32> {
    let called = async {
        loop {
            if let Call::Receivers(receivers) = instances.called().await {
                return receivers.iter().map(|receiver| receiver.0).collect();
            }
        }
    };
    tokio::time::timeout(DEADLINE, called).await.unwrap()
}

/// What it said last ended so long ago.
pub(super) async fn end_of(db: &Db, holder: &str, ago: &str) {
    let sql = format!(
        "update rowhook.instances set expires_at = clock_timestamp() - interval '{ago}' where holder = $1"
    );
    run(db, &sql, [holder.into()]).await;
}

#[actix_rt::test]
async fn who_runs_is_known_until_it_ends() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let db = database.migrated().await;
    let instances = SqlInstances::new(db.clone());
    assert_eq!(instances.attend("b").await.unwrap(), ["b"]);
    assert_eq!(instances.attend("a").await.unwrap(), ["a", "b"]);
    assert_eq!(instances.attend("b").await.unwrap(), ["a", "b"]);
    let started = "select count(distinct started_at) from rowhook.instances";
    assert_eq!(number(&db, started).await, 2);
    // It was killed: it is there to be seen for a day, and does not count.
    end_of(&db, "a", "1 second").await;
    assert_eq!(instances.attend("b").await.unwrap(), ["b"]);
    let listed = "select holder from rowhook.instances order by holder";
    assert_eq!(texts(&db, listed).await, ["a", "b"]);
    end_of(&db, "a", "25 hours").await;
    assert_eq!(instances.attend("b").await.unwrap(), ["b"]);
    assert_eq!(texts(&db, listed).await, ["b"]);
    instances.depart("b").await.unwrap();
    assert_eq!(instances.attend("c").await.unwrap(), ["c"]);
}

#[actix_rt::test]
async fn an_embedded_database_has_one_instance_and_is_not_written_for_it() {
    let database = TestDatabase::fresh(Dialect::Sqlite).await;
    let db = database.migrated().await;
    let instances = SqlInstances::new(db.clone());
    assert_eq!(instances.attend("a").await.unwrap(), ["a"]);
    instances.call(&Call::LookAgain).await.unwrap();
    instances.depart("a").await.unwrap();
    assert_eq!(
        number(&db, "select count(*) from rowhook.instances").await,
        0
    );
}

#[actix_rt::test]
async fn a_call_is_heard_by_the_others() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let db = database.migrated().await;
    let (one, other) = (SqlInstances::new(db.clone()), SqlInstances::new(db.clone()));
    // From here on it listens.
    assert_eq!(other.called().await, Call::LookAgain);
    let call = Call::Receivers(vec![ReceiverId(7), ReceiverId(12)]);
    one.call(&call).await.unwrap();
    assert_eq!(receivers_called(&other).await, [7, 12]);
}

/// Whoever only listens to a connection that a firewall has forgotten would hear nothing for ever.
#[actix_rt::test]
async fn one_whose_connection_hangs_hears_again() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let db = database.migrated().await;
    let road = DatabaseRoad::to(&database.url).await;
    let on_the_road = Db::connect(&road.url, 2).await.unwrap();
    let (one, other) = (SqlInstances::new(db), SqlInstances::new(on_the_road));
    assert_eq!(other.called().await, Call::LookAgain);
    road.hang();
    // It tells that it may have missed something.
    let again = tokio::time::timeout(DEADLINE, other.called()).await;
    assert_eq!(again.unwrap(), Call::LookAgain);
    one.call(&Call::Receivers(vec![ReceiverId(7)]))
        .await
        .unwrap();
    assert_eq!(receivers_called(&other).await, [7]);
}

/// Whose machine is gone says no good-bye, and its connections would be there for two hours.
#[actix_rt::test]
async fn the_server_asks_for_an_instance_within_a_minute() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let db = database.migrated().await;
    let after = "select (current_setting('tcp_keepalives_idle')::int
                         + current_setting('tcp_keepalives_interval')::int
                           * current_setting('tcp_keepalives_count')::int)::bigint";
    assert_eq!(number(&db, after).await, 60);
}

/// What is called while a connection is lost and made again is not heard.
#[actix_rt::test]
async fn one_whose_connection_ended_looks_again() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let db = database.migrated().await;
    let instances = SqlInstances::new(db.clone());
    assert_eq!(instances.called().await, Call::LookAgain);
    let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where datname = current_database() and query like 'LISTEN%'";
    assert_eq!(number(&db, end).await, 1);
    let again = tokio::time::timeout(DEADLINE, instances.called()).await;
    assert_eq!(again.unwrap(), Call::LookAgain);
}

async fn whose_receivers_are_taken_is_told(database: TestDatabase) {
    let db = database.migrated().await;
    let leases = SqlLeases::new(db.clone());
    let of = |id| LeaseOf::Receiver(ReceiverId(id));
    leases.acquire(of(1), "a").await.unwrap().unwrap();
    leases.acquire(of(2), "b").await.unwrap().unwrap();
    leases.acquire(of(3), "b").await.unwrap().unwrap();
    leases.acquire(LeaseOf::Poller, "b").await.unwrap().unwrap();
    let nothing = std::time::Duration::ZERO;
    leases.release(of(3), "b", nothing).await.unwrap();
    let asked: Vec<_> = (0..5).map(ReceiverId).collect();
    let held = leases.held_by_others(&asked, "a").await.unwrap();
    assert_eq!(held.into_iter().collect::<Vec<_>>(), [ReceiverId(2)]);
    assert!(leases.held_by_others(&[], "a").await.unwrap().is_empty());
}
