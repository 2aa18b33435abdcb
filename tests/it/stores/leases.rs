//! Leases go by the database's clock, which may be set back.

use rowhook::{
    domain::ids::ReceiverId,
    store::{
        leases::{LEASE, LeaseOf, LeaseStore as _},
        sql::{
            db::{Db, Dialect},
            leases::SqlLeases,
        },
    },
};

use crate::support::{
    both::on_both,
    database::TestDatabase,
    stored::{number, run, texts},
};

on_both!(
    a_lease_from_before_the_clock_was_set_back_ends_soon,
    a_lease_is_not_shortened_by_who_is_refused,
);

const OF: LeaseOf = LeaseOf::Receiver(ReceiverId(1));

/// In how many milliseconds the lease ends.
async fn ends_in(db: &Db) -> i64 {
    let sql = match db.dialect() {
        Dialect::Postgres => {
            "select (extract(epoch from expires_at - clock_timestamp()) * 1000)::bigint from rowhook.leases"
        }
        Dialect::Sqlite => {
            "select cast((julianday(expires_at) - julianday('now')) * 86400000 as integer) from rowhook.leases"
        }
    };
    number(db, sql).await
}

/// Whoever held it may have died, or given it back: nobody else would get it for an hour.
async fn a_lease_from_before_the_clock_was_set_back_ends_soon(database: TestDatabase) {
    let db = database.migrated().await;
    let leases = SqlLeases::new(db.clone());
    leases.acquire(OF, "one").await.unwrap().unwrap();
    let an_hour_ahead = match db.dialect() {
        Dialect::Postgres => {
            "update rowhook.leases set expires_at = expires_at + interval '1 hour'"
        }
        Dialect::Sqlite => {
            "update rowhook.leases set expires_at = \
             strftime('%Y-%m-%dT%H:%M:%f+00:00', expires_at, '+1 hour')"
        }
    };
    run(&db, an_hour_ahead, []).await;
    assert!(ends_in(&db).await > 3_500_000);
    // Not at once: whoever holds it may be well, and finds out when it renews.
    let another = leases.acquire(OF, "another").await.unwrap();
    assert!(another.is_none());
    let most = i64::try_from(LEASE.as_millis()).unwrap();
    assert!(ends_in(&db).await <= most);
    let renewed = leases.renew(&[OF], "one").await.unwrap();
    assert_eq!(renewed, [OF], "it is still theirs");
}

async fn a_lease_is_not_shortened_by_who_is_refused(database: TestDatabase) {
    let db = database.migrated().await;
    let leases = SqlLeases::new(db.clone());
    leases.acquire(OF, "one").await.unwrap().unwrap();
    let end = "select cast(expires_at as text) from rowhook.leases";
    let before = texts(&db, end).await;
    assert!(leases.acquire(OF, "another").await.unwrap().is_none());
    assert_eq!(texts(&db, end).await, before);
}
