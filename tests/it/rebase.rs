//! A dump is restored into another cluster, where transaction ids begin anew: `rowhook rebase` lets the database work
//! on there.

use std::{collections::BTreeMap, ops::RangeInclusive};

use chrono::{TimeDelta, Utc};
use rowhook::{
    domain::ids::{ChangeId, EventId},
    store::{
        retention::RetentionStore as _,
        sql::{
            db::{Db, Dialect},
            retention::SqlRetention,
        },
    },
};

use sea_orm::{ConnectionTrait as _, TransactionTrait as _};

use crate::support::{
    cluster::Cluster,
    command::Shell,
    house::{House, psql},
    receiver::{Answer, Delivery, Receiver},
    service::{Service, Watched},
    stored::{number, run, texts},
    wait::{until, until_ok},
};

/// What the doctor says at the end where all is well; the warning is that the tests' role is a superuser.
const HEALTHY: &str = "0 problems, 1 warning,";

const ITEM: Watched = Watched {
    name: "ITEM",
    table: "public.items",
    more: "",
};

/// Takes transaction ids that nothing is known of.
fn burn(url: &str, count: u32) {
    psql(
        url,
        &format!(
            "create procedure burn(n integer) language plpgsql as $$ begin
                 for i in 1..n loop perform pg_current_xact_id(); commit; end loop; end $$;
             call burn({count}); drop procedure burn;"
        ),
    );
}

/// Items, a transaction each.
fn items(url: &str, ids: RangeInclusive<i64>) {
    let insert = |id| format!("insert into items values ({id}, 0, 'x');\n");
    psql(url, &ids.map(insert).collect::<String>());
}

/// One that a subtransaction writes, as an ORM's nested block does.
fn nested_item(url: &str, id: i64) {
    psql(
        url,
        &format!("begin; savepoint a; insert into items values ({id}, 0, 'x'); release a; commit;"),
    );
}

/// Which items a path was told of, and by how many events. (A process that was killed may have sent one twice.)
fn told(deliveries: &[Delivery], path: &str) -> BTreeMap<i64, usize> {
    let of_path = deliveries.iter().filter(|one| one.path == path);
    let events: BTreeMap<i64, i64> = of_path
        .map(|one| (one.event_id(), one.data()["id"].as_i64().unwrap()))
        .collect();
    let mut told = BTreeMap::new();
    for item in events.into_values() {
        *told.entry(item).or_default() += 1;
    }
    told
}

fn assert_told(deliveries: &[Delivery], path: &str, wanted: &[RangeInclusive<i64>]) {
    let wanted: BTreeMap<i64, usize> = wanted.iter().cloned().flatten().map(|id| (id, 1)).collect();
    let told = told(deliveries, path);
    let missing: Vec<_> = wanted.keys().filter(|id| !told.contains_key(id)).collect();
    let wrong: Vec<_> = told
        .iter()
        .filter(|(id, count)| wanted.get(id) != Some(count))
        .collect();
    assert!(
        missing.is_empty() && wrong.is_empty(),
        "{path}: missing {missing:?}, wrong {wrong:?}"
    );
}

/// The other poller's lease, for an hour, so that this one stands by and the API goes on.
async fn hold_capture(house: &House) {
    house
        .sql(
            "update rowhook.leases set holder = 'the test', expires_at = now() + interval '1 hour'
             where kind = 'poller'",
        )
        .await;
    until("the poller stands by", || {
        let log = house.service.log_text();
        log.contains("another instance reads changes now")
    })
    .await;
}

async fn unready(service: &Service) -> String {
    until_ok("it is not ready, and says why", async || {
        match service.http("GET", "/readyz", "").await {
            Ok((503, body)) if body.contains("rowhook rebase") => Ok(body),
            other => Err(other),
        }
    })
    .await
}

/// The old cluster has come further than the new one, or the new one further than the old.
#[derive(Clone, Copy, PartialEq)]
enum Busier {
    Old,
    New,
}

async fn goes_on_in_another_cluster(busier: Busier, window_under_way: bool) {
    let quick = "fsync = off\nsynchronous_commit = off\ntrack_commit_timestamp = on";
    let (mut old, new) = (Cluster::start(quick).await, Cluster::start(quick).await);
    let (old_url, new_url) = (old.url("postgres"), new.url("postgres"));
    burn(
        if busier == Busier::Old {
            &old_url
        } else {
            &new_url
        },
        5000,
    );

    // What came before the dump, and what was active meanwhile.
    let house = House::at(old_url.clone(), Dialect::Postgres, "", "", &[]).await;
    let mut subscriptions = BTreeMap::new();
    for path in ["/always", "/until", "/unto"] {
        let receiver = house.register(path, "").await;
        let subscription = house.subscribe(receiver, "ITEM", "CREATE", "").await;
        subscriptions.insert(path, subscription);
    }
    // An event of it waits for its next attempt when the dump is made.
    house.receiver.answer(|delivery| {
        let fails = delivery.path == "/always" && delivery.data()["id"] == 10;
        Answer::Status(if fails { 500 } else { 200 })
    });
    let long = house.app.begin().await.unwrap();
    long.execute_unprepared("insert into items values (50, 0, 'x')")
        .await
        .unwrap();
    items(&old_url, 1..=10);
    house.wait_for_count("", 30).await;
    house.wait_for_count("status: \"pending\"", 1).await;
    hold_capture(&house).await;
    items(&old_url, 1001..=1700);
    if window_under_way {
        house
            .sql(
                "update rowhook.capture_cursor set window_to = pg_current_snapshot()::text,
                        window_after = l.low - 1, window_last = l.high
                 from (select min(id) as low, max(id) as high from rowhook.logged_actions
                       where not pg_visible_in_snapshot(xid, (
                           select watermark::pg_snapshot from rowhook.capture_cursor))) l",
            )
            .await;
    }
    house
        .update("Subscription", subscriptions["/until"], "active: false")
        .await;
    let since = house.register("/since", "").await;
    house.subscribe(since, "ITEM", "CREATE", "").await;
    items(&old_url, 3001..=3600);
    nested_item(&old_url, 5000);
    long.commit().await.unwrap();
    let receiver = closed(house).await;
    let delivered = receiver.deliveries().len();
    let known = receiver
        .deliveries()
        .iter()
        .map(Delivery::event_id)
        .max()
        .unwrap();

    old.restore_into(&new);
    old.kill9();
    nested_item(&new_url, 6000);
    items(&new_url, 6001..=6010);
    nested_item(&new_url, 6011);
    receiver.answer(|_| Answer::Status(200));
    let service = Service::start_unready(&new_url, "", &[ITEM]).await;
    unready(&service).await;
    let db = Db::connect(&new_url, 3).await.unwrap();
    run(
        &db,
        "update rowhook.events set due_at = now() where state = 1",
        [],
    )
    .await;
    until("deliveries are held up, and it says why", || {
        let log = service.log_text();
        log.contains("due events can not be handed to senders") && log.contains("rowhook rebase")
    })
    .await;
    assert_eq!(receiver.deliveries().len(), delivered, "nothing is sent");

    let shell = shell_on(&new_url);
    let doctor = shell.run(&["doctor"]);
    assert!(doctor.out.contains("run `rowhook rebase`"), "{doctor:?}");
    assert_eq!(doctor.code, Some(1));
    let asked = shell.run(&["rebase"]);
    assert_eq!(asked.code, Some(1), "{asked:?}");
    for part in ["would be delivered: 1", "/since: http://127.0.0.1", "--yes"] {
        assert!(format!("{asked:?}").contains(part), "{part} in {asked:?}");
    }
    unready(&service).await;

    // It gets stuck in the midst of what was restored; meanwhile subscriptions change.
    run(
        &db,
        "create function rowhook.stuck() returns trigger language plpgsql as $$ begin
             raise exception 'the test holds it'; end $$",
        [],
    )
    .await;
    let at = number(
        &db,
        "select id from rowhook.logged_actions where row_data like '[3500,%' limit 1",
    )
    .await;
    run(
        &db,
        &format!(
            "create trigger stuck before insert on rowhook.events for each row when (new.change_id >= {at})
             execute function rowhook.stuck()"
        ),
        [],
    )
    .await;
    let last = number(
        &db,
        "select max(id) from rowhook.logged_actions where id < (
        select min(id) from rowhook.logged_actions where row_data like '[6000,%')",
    )
    .await;
    let told = shell.run(&["rebase", "--yes"]).well();
    assert!(
        told.contains(&format!("up to change {last}, is read first")),
        "{told}"
    );
    until("it is stuck", || {
        service.log_text().contains("the test holds it")
    })
    .await;
    let app = sea_orm::Database::connect(&new_url).await.unwrap();
    let mut house = House::moved(service, receiver, app, new_url.clone());
    let from_now = house.register("/from-now", "").await;
    house.subscribe(from_now, "ITEM", "CREATE", "").await;
    house
        .update("Subscription", subscriptions["/unto"], "active: false")
        .await;
    items(&new_url, 7001..=7010);
    let watermark = "select watermark from rowhook.capture_cursor";
    assert!(
        !texts(&db, watermark).await[0].contains('@'),
        "it is in the old era still"
    );
    let retention = SqlRetention::new(db.clone());
    let later = Utc::now() + TimeDelta::hours(1);
    let kept = "select count(*) from rowhook.logged_actions where row_data ~ '^\\[(3[56]|[567]0)'";
    let owed = number(&db, kept).await;
    assert!(owed > 100, "{owed}");
    retention
        .drop_changes(later, ChangeId(0), 100_000)
        .await
        .unwrap();
    assert_eq!(
        number(&db, kept).await,
        owed,
        "what is not fanned out stays"
    );
    house.service.kill9();
    run(&db, "drop trigger stuck on rowhook.events", []).await;
    house.service.restart().await;
    items(&new_url, 8001..=8005);

    let all = house
        .receiver
        .wait_until("every change", |all| {
            let last = |path: &str| {
                all.iter()
                    .any(|one| one.path == path && one.data()["id"] == 8005)
            };
            ["/always", "/since", "/from-now"]
                .iter()
                .all(|path| last(path))
        })
        .await;
    drop(all);
    house.wait_for_count("status: \"pending\"", 0).await;
    let all = house.receiver.deliveries();
    // The one that failed at first came twice.
    let (first, again): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|one| {
        one.event_id() <= known && !(one.path == "/always" && one.data()["id"] == 10)
    });
    assert_eq!(first.len(), 29);
    let new: Vec<_> = again
        .iter()
        .filter(|one| one.event_id() > known)
        .cloned()
        .collect();
    assert!(new.iter().all(|one| one.event_id() > 1_000_000));
    let after = [6000..=6011, 7001..=7010, 8001..=8005];
    let with_after = |restored: &[RangeInclusive<i64>]| [restored, &after].concat();
    let (backlog, rest) = (1001..=1700, [3001..=3600, 5000..=5000]);
    assert_told(
        &new,
        "/always",
        &with_after(&[&[50..=50, backlog.clone()], &rest[..]].concat()),
    );
    assert_told(&new, "/until", std::slice::from_ref(&backlog));
    assert_told(
        &new,
        "/since",
        &with_after(&[&[50..=50], &rest[..]].concat()),
    );
    assert_told(&new, "/from-now", &[7001..=7010, 8001..=8005]);
    assert_told(
        &new,
        "/unto",
        &[&[50..=50, backlog], &rest[..], &[6000..=6011]].concat(),
    );

    assert_eq!(
        texts(&db, watermark).await[0].split_once('@').unwrap().1,
        last.to_string()
    );
    let capture = house
        .service
        .graphql("{ webhookCapture { lagSeconds } }")
        .await;
    assert_eq!(capture["webhookCapture"]["lagSeconds"], 0.0);
    let doctor = shell.run(&["doctor"]).well();
    assert!(doctor.contains(HEALTHY), "{doctor}");
    assert!(
        shell
            .run(&["rebase", "--yes"])
            .well()
            .contains("nothing to settle")
    );
    retention
        .drop_events(later, EventId(0), 100_000)
        .await
        .unwrap();
    retention
        .drop_changes(later, ChangeId(0), 100_000)
        .await
        .unwrap();
    let left = number(&db, "select count(*) from rowhook.logged_actions").await;
    assert_eq!(left, 0, "what was restored goes as everything does");
    db.close().await.unwrap();
}

#[tokio::test]
async fn from_a_busier_cluster() {
    goes_on_in_another_cluster(Busier::Old, false).await;
}

#[tokio::test]
async fn into_a_busier_cluster() {
    goes_on_in_another_cluster(Busier::New, false).await;
}

#[tokio::test]
async fn a_window_that_was_under_way_is_finished_first() {
    goes_on_in_another_cluster(Busier::Old, true).await;
}

/// A shell whose commands work on this database, and know what it watches.
fn shell_on(url: &str) -> Shell {
    let shell = Shell::on(url);
    shell.write(
        "rowhook.toml",
        "[[resources]]\nname = \"ITEM\"\ntable = 'public.items'\n",
    );
    shell
}

/// Stops the service, frees the poller's lease that [`hold_capture`] holds, and keeps the receiver.
async fn closed(house: House) -> Receiver {
    let House {
        mut service,
        receiver,
        app,
        ..
    } = house;
    service.terminate().await;
    let lease = "update rowhook.leases set expires_at = now() where kind = 'poller'";
    app.execute_unprepared(lease).await.unwrap();
    app.close().await.unwrap();
    receiver
}

#[tokio::test]
async fn pg_upgrade_keeps_what_the_cursor_knows() {
    let mut old = Cluster::start("").await;
    let house = House::at(old.url("postgres"), Dialect::Postgres, "", "", &[]).await;
    let receiver = house.register("/all", "").await;
    house.subscribe(receiver, "ITEM", "CREATE", "").await;
    items(&house.url, 1..=10);
    house.settled(10).await;
    hold_capture(&house).await;
    items(&house.url, 11..=15);
    nested_item(&house.url, 16);
    let receiver = closed(house).await;
    old.shut_down();

    let new = old.upgraded().await;
    let url = new.url("postgres");
    nested_item(&url, 20);
    items(&url, 21..=25);
    let service = Service::start_unready(&url, "", &[ITEM]).await;
    unready(&service).await;
    let shell = shell_on(&url);
    let asked = shell.run(&["rebase"]);
    assert!(asked.out.contains("by its files"), "{asked:?}");
    shell.run(&["rebase", "--yes"]).well();
    service.ready().await;
    receiver.wait_for_events(22).await;
    items(&url, 26..=26);
    let all = receiver.wait_for_events(23).await;
    assert_told(&all, "/all", &[1..=16, 20..=26]);
    let doctor = shell.run(&["doctor"]).well();
    assert!(doctor.contains(HEALTHY), "{doctor}");
}

/// Into a third and a fourth cluster, with and without changes in between; first of all before there was any.
#[tokio::test]
async fn again_and_again() {
    let mut old = Cluster::start("").await;
    burn(&old.url("postgres"), 1000);
    let house = House::at(old.url("postgres"), Dialect::Postgres, "", "", &[]).await;
    let id = house.register("/all", "").await;
    house.subscribe(id, "ITEM", "CREATE", "").await;
    let House {
        mut service,
        mut receiver,
        app,
        ..
    } = house;
    service.terminate().await;
    app.close().await.unwrap();
    let (mut wanted, mut of_second) = (Vec::new(), Vec::new());
    for (round, before, after) in [
        (1, true, false),
        (2, false, false),
        (3, true, true),
        (4, true, true),
    ] {
        let new = Cluster::start("").await;
        let url = new.url("postgres");
        old.restore_into(&new);
        old.kill9();
        let first = round * 10;
        if before {
            nested_item(&url, first);
            items(&url, first + 1..=first + 3);
            wanted.push(first..=first + 3);
        }
        let service = Service::start_unready(&url, "", &[ITEM]).await;
        unready(&service).await;
        shell_on(&url).run(&["rebase", "--yes"]).well();
        service.ready().await;
        if after {
            items(&url, first + 5..=first + 6);
            wanted.push(first + 5..=first + 6);
        }
        let app = sea_orm::Database::connect(&url).await.unwrap();
        let house = House::moved(service, receiver, app, url.clone());
        if round == 2 {
            // Of a time in which nothing was logged, far ahead of the next cluster.
            burn(&url, 2000);
            let id = house.register("/second", "").await;
            house.subscribe(id, "ITEM", "CREATE", "").await;
        } else if round > 2 {
            of_second.extend([first..=first + 3, first + 5..=first + 6]);
        }
        let count = |ranges: &[RangeInclusive<i64>]| ranges.iter().cloned().flatten().count();
        house.settled(count(&wanted) + count(&of_second)).await;
        let all = house.receiver.deliveries();
        assert_told(&all, "/all", &wanted);
        assert_told(&all, "/second", &of_second);
        let House {
            mut service,
            receiver: same,
            app,
            ..
        } = house;
        receiver = same;
        service.terminate().await;
        let doctor = shell_on(&url).run(&["doctor"]).well();
        assert!(doctor.contains(HEALTHY), "{doctor}");
        app.close().await.unwrap();
        old = new;
    }
}
