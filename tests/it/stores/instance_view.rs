//! What people are told of the instances: who runs, who does what, and who sends to a receiver.

use chrono::{TimeDelta, Utc};
use rowhook::{
    domain::{
        ids::ReceiverId,
        instance::{KnownInstance, VERSION},
    },
    store::{
        instances::{InstanceView as _, Instances as _},
        leases::{LeaseOf, LeaseStore as _},
        sql::{
            db::{Db, Dialect},
            instance_view::{SqlInstanceView, senders_sql},
            instances::SqlInstances,
            leases::SqlLeases,
        },
    },
};
use sea_orm::ConnectionTrait as _;

use super::{
    instances::end_of,
    plans::{plan, reads},
};
use crate::support::{both::on_both, database::TestDatabase, stored::run};

on_both!(
    leases_tell_of_an_instance,
    who_sends_is_told,
    who_sends_to_a_page_is_found_without_reading_all_leases,
);

/// What is told of each: its name, whether it runs, whether it reads changes, its receivers.
fn told(instances: &[KnownInstance]) -> Vec<(&str, bool, bool, u32)> {
    let told = instances.iter();
    told.map(|one| (&*one.name, one.running, one.reads_changes, one.receivers))
        .collect()
}

/// Takes leases of these receivers, and that to read changes where so.
async fn holds(db: &Db, holder: &str, reads_changes: bool, receivers: &[i32]) {
    let leases = SqlLeases::new(db.clone());
    let receivers = receivers.iter().copied().map(ReceiverId);
    let mut wanted: Vec<_> = receivers.map(LeaseOf::Receiver).collect();
    wanted.extend(reads_changes.then_some(LeaseOf::Poller));
    for of in wanted {
        leases.acquire(of, holder).await.unwrap().unwrap();
    }
}

async fn end_leases_of(db: &Db, holder: &str) {
    let sql = match db.dialect() {
        Dialect::Postgres => "clock_timestamp() - interval '1 second'",
        Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', '-1 seconds')",
    };
    let sql = format!("update rowhook.leases set expires_at = {sql} where holder = $1");
    run(db, &sql, [holder.into()]).await;
}

#[actix_rt::test]
async fn the_list_tells_who_runs_and_what_each_does() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let db = database.migrated().await;
    let (instances, view) = (
        SqlInstances::new(db.clone()),
        SqlInstanceView::new(db.clone()),
    );
    assert_eq!(view.instances().await.unwrap(), []);
    // In this order they started, which is not that of their names.
    for holder in ["c", "a", "d", "b"] {
        instances.attend(holder).await.unwrap();
    }
    holds(&db, "a", true, &[1, 2, 3]).await;
    holds(&db, "b", false, &[4]).await;
    holds(&db, "d", false, &[5]).await;
    let nothing = std::time::Duration::ZERO;
    let of = LeaseOf::Receiver(ReceiverId(3));
    SqlLeases::new(db.clone())
        .release(of, "a", nothing)
        .await
        .unwrap();
    let seen = Utc::now();
    let found = view.instances().await.unwrap();
    let all = [
        ("c", true, false, 0),
        ("a", true, true, 2),
        ("d", true, false, 1),
        ("b", true, false, 1),
    ];
    assert_eq!(told(&found), all);
    for one in &found {
        assert_eq!(one.version.as_deref(), Some(VERSION));
        let ago = seen - one.started_at.unwrap();
        assert!(ago < TimeDelta::minutes(1), "{one:?}");
        assert!(
            (seen - one.heard_at).abs() < TimeDelta::seconds(3),
            "{one:?}"
        );
    }
    // Two were killed, and one goes on to do what it does although it could not say so.
    for (holder, ago) in [("c", "2 hours"), ("a", "1 hour"), ("d", "1 minute")] {
        end_of(&db, holder, ago).await;
    }
    end_leases_of(&db, "a").await;
    let found = view.instances().await.unwrap();
    let now = [
        ("d", true, false, 1),
        ("b", true, false, 1),
        ("a", false, false, 0),
        ("c", false, false, 0),
    ];
    assert_eq!(told(&found), now);
    let silent = seen - found[2].heard_at;
    assert!(
        silent > TimeDelta::minutes(59) && silent < TimeDelta::minutes(62),
        "{silent}"
    );
    instances.depart("c").await.unwrap();
    assert_eq!(view.instances().await.unwrap().len(), 3);
}

/// On SQLite nothing else does, and releases without the list are beside later ones while a fleet is upgraded.
async fn leases_tell_of_an_instance(database: TestDatabase) {
    let db = database.migrated().await;
    let view = SqlInstanceView::new(db.clone());
    SqlLeases::new(db.clone()).end_all().await.unwrap();
    assert_eq!(view.instances().await.unwrap(), []);
    holds(&db, "old/7/1", true, &[1, 2]).await;
    let found = view.instances().await.unwrap();
    assert_eq!(told(&found), [("old/7/1", true, true, 2)]);
    assert_eq!((&found[0].version, found[0].started_at), (&None, None));
    let ago = Utc::now() - found[0].heard_at;
    assert!(ago.abs() < TimeDelta::seconds(3), "{ago}");
    end_leases_of(&db, "old/7/1").await;
    assert_eq!(view.instances().await.unwrap(), []);
}

async fn who_sends_is_told(database: TestDatabase) {
    let db = database.migrated().await;
    let view = SqlInstanceView::new(db.clone());
    // Its lease has the number of no receiver.
    holds(&db, "a", true, &[1, 2]).await;
    holds(&db, "b", false, &[3]).await;
    holds(&db, "c", false, &[4]).await;
    end_leases_of(&db, "c").await;
    let asked: Vec<_> = [0, 1, 3, 4, 5].map(ReceiverId).to_vec();
    let mut found: Vec<_> = view.senders_of(&asked).await.unwrap().into_iter().collect();
    found.sort();
    let wanted = [(1, "a"), (3, "b")].map(|(id, name)| (ReceiverId(id), name.to_owned()));
    assert_eq!(found, wanted);
    assert!(view.senders_of(&[]).await.unwrap().is_empty());
}

async fn who_sends_to_a_page_is_found_without_reading_all_leases(database: TestDatabase) {
    const LEASES: i64 = 5000;
    let db = database.migrated().await;
    let sql = format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {LEASES})
         insert into rowhook.leases (kind, subject, holder, expires_at) select 'receiver', i, 'a', $1 from n"
    );
    run(&db, &sql, [(Utc::now() + TimeDelta::hours(1)).into()]).await;
    let asked = match db.dialect() {
        Dialect::Postgres => vec![7_i64, 70, 700].into(),
        Dialect::Sqlite => "[7,70,700]".into(),
    };
    let values = vec!["receiver".into(), asked];
    for analyzed in [false, true] {
        if analyzed {
            db.execute_unprepared("analyze").await.unwrap();
        }
        let plan = plan(&db, &senders_sql(db.dialect()), values.clone()).await;
        assert!(reads(&plan, LEASES) <= 3, "analyzed {analyzed}\n{plan}");
        let walks = plan.contains("kind=? AND subject=?");
        assert!(
            walks || db.dialect() == Dialect::Postgres,
            "analyzed {analyzed}\n{plan}"
        );
        for costly in ["Seq Scan", "SCAN rowhook_leases", "SCAN leases"] {
            assert!(!plan.contains(costly), "analyzed {analyzed}\n{plan}");
        }
    }
}
