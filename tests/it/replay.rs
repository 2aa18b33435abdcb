//! Kept history that is delivered anew, while changes go on coming.

use chrono::{DateTime, TimeDelta, Utc};
use rowhook::{
    domain::ids::SubscriptionId,
    store::{
        StoreError,
        replay::{History as _, Replay},
        sql::{db::Dialect, replay::SqlHistory},
    },
};

use sea_orm::ConnectionTrait as _;

use crate::support::{
    both::on_both,
    database::TestDatabase,
    pipeline::{World, Write},
    stored::{number, run, texts, waiting_for_a_lock},
    wait::{until, until_ok},
};

on_both!(
    a_gap_is_filled_with_new_numbers,
    what_is_not_fanned_out_yet_is_no_history,
    the_present_setting_decides,
    live_changes_and_replayed_ones_share_the_numbers,
    who_gets_no_new_events_gets_no_old_ones,
);

const DELIVERED: i16 = 3;

fn everything() -> Replay {
    Replay {
        subscription_id: SubscriptionId(1),
        from: Some(DateTime::UNIX_EPOCH),
        to: None,
        from_sequence: None,
        to_sequence: None,
        row_id: None,
    }
}

fn history(world: &World) -> SqlHistory {
    SqlHistory::new(world.db.clone())
}

async fn count(world: &World, replay: &Replay) -> u64 {
    history(world).count(replay).await.unwrap()
}

/// A receiver that has got these changes.
async fn delivered(database: TestDatabase, writes: &[Write]) -> World {
    let mut world = World::on(database).await;
    world.receiver("left").await;
    world.start();
    for write in writes {
        world.write(&[*write]).await;
    }
    world.all_delivered().await;
    world
}

fn rows(of: &[i64]) -> Vec<Write> {
    of.iter().map(|row| Write::Row(*row)).collect()
}

async fn a_gap_is_filled_with_new_numbers(database: TestDatabase) {
    let mut world = delivered(database, &rows(&[1, 2, 1, 3, 1, 2])).await;
    let gap = Replay {
        from: None,
        from_sequence: Some(2),
        to_sequence: Some(4),
        ..everything()
    };
    assert_eq!(count(&world, &gap).await, 3);
    assert_eq!(
        world.states().await,
        [(DELIVERED, 6)].into(),
        "only counted"
    );
    assert_eq!(history(&world).replay(&gap).await.unwrap(), 3);
    until("it is delivered", || world.network.posts().len() == 9).await;
    world.states_are(&[(DELIVERED, 9)]).await;
    let new = "select cast(sequence as text) || ' ' || cast(change_id as text) || ' ' || row_id \
               from rowhook.events where id > 6 order by id";
    assert_eq!(texts(&world.db, new).await, ["7 2 2", "8 3 1", "9 4 3"]);
    let same = "select count(*) from rowhook.events e join rowhook.events f on f.change_id = e.change_id \
                and f.id > e.id and f.row_hash = e.row_hash and f.transaction_id = e.transaction_id \
                and f.occurred_at = e.occurred_at and f.resource_id = e.resource_id";
    assert_eq!(number(&world.db, same).await, 3);
    let row = Replay {
        row_id: Some("1".to_owned()),
        ..everything()
    };
    assert_eq!(count(&world, &row).await, 3);
    // Again, and what was replayed is no part of history itself.
    assert_eq!(history(&world).replay(&row).await.unwrap(), 3);
    assert_eq!(count(&world, &everything()).await, 6);
    world.states_are(&[(DELIVERED, 12)]).await;
    let at = "update rowhook.logged_actions set logged_at = $1 where id = 4";
    let moment = Utc::now() - TimeDelta::days(3);
    run(&world.db, at, [moment.into()]).await;
    let then = Replay {
        from: Some(moment),
        to: Some(moment + TimeDelta::seconds(1)),
        ..everything()
    };
    assert_eq!(count(&world, &then).await, 1);
    let before = Replay {
        from: None,
        to: Some(moment),
        ..everything()
    };
    assert_eq!(count(&world, &before).await, 0);
    world.finish().await;
}

async fn what_is_not_fanned_out_yet_is_no_history(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.receiver("left").await;
    world.write(&rows(&[1, 2])).await;
    assert_eq!(count(&world, &everything()).await, 0);
    world.start();
    world.all_delivered().await;
    assert_eq!(count(&world, &everything()).await, 2);
    world.finish().await;
    world.write(&rows(&[1, 2])).await;
    assert_eq!(history(&world).replay(&everything()).await.unwrap(), 2);
    world.start();
    world.states_are(&[(DELIVERED, 6)]).await;
    let twice = "select count(*) from (select change_id from rowhook.events group by change_id \
                 having count(*) = 2) t";
    assert_eq!(number(&world.db, twice).await, 2);
    world.finish().await;
}

async fn the_present_setting_decides(database: TestDatabase) {
    let writes = [Write::Row(1), Write::Rekey(1, 5), Write::Row(5)];
    let mut world = delivered(database, &writes).await;
    let set = "update rowhook.subscriptions set changed_fields = $1";
    run(&world.db, set, [r#"["id"]"#.into()]).await;
    assert_eq!(count(&world, &everything()).await, 1);
    run(&world.db, set, [r#"["id","n"]"#.into()]).await;
    assert_eq!(count(&world, &everything()).await, 3);
    // The last is a member that no row has: what a filter can not judge is replayed.
    for (filter, counted) in [
        ("new.n >= 2", 2),
        ("old.id == 1 && new.id == 5", 1),
        ("false", 0),
        ("new.m > 2", 3),
    ] {
        let set = "update rowhook.subscriptions set filter = $1";
        run(&world.db, set, [filter.into()]).await;
        assert_eq!(count(&world, &everything()).await, counted, "{filter}");
    }
    let set = "update rowhook.subscriptions set filter = $1";
    run(&world.db, set, ["new.n >= 2".into()]).await;
    assert_eq!(history(&world).replay(&everything()).await.unwrap(), 2);
    world.states_are(&[(DELIVERED, 5)]).await;
    run(
        &world.db,
        "update rowhook.subscriptions set filter = null",
        [],
    )
    .await;
    for (column, value) in [("action", "DELETE"), ("resource", "PART")] {
        let set = format!("update rowhook.subscriptions set {column} = $1");
        run(&world.db, &set, [value.into()]).await;
        assert_eq!(count(&world, &everything()).await, 0, "{column}");
        run(
            &world.db,
            "update rowhook.subscriptions set action = 'UPDATE'",
            [],
        )
        .await;
    }
    world.finish().await;
}

async fn live_changes_and_replayed_ones_share_the_numbers(database: TestDatabase) {
    let mut world = delivered(database, &rows(&[1, 2, 3, 4, 5, 6, 7, 8])).await;
    let history = history(&world);
    let replaying = tokio::spawn(async move {
        let mut made = 0;
        for _ in 0..10 {
            made += history.replay(&everything()).await.unwrap();
        }
        made
    });
    for row in 0..60 {
        world.touch(row).await;
    }
    let replayed = i64::try_from(replaying.await.unwrap()).unwrap();
    assert!(replayed >= 80, "{replayed}");
    world.states_are(&[(DELIVERED, 68 + replayed)]).await;
    let astray = "select cast(e.sequence as text) from rowhook.events e where e.sequence <> \
                  (select count(*) from rowhook.events o where o.id <= e.id)";
    assert_eq!(texts(&world.db, astray).await, Vec::<String>::new());
    world.finish().await;
}

/// On SQLite there is one writer, so the transaction itself is the turn.
#[actix_rt::test]
async fn a_replay_and_fan_out_take_turns() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let mut world = delivered(database, &rows(&[1])).await;
    world.finish().await;
    let fan_out = world.db.begin().await.unwrap();
    let page = "update rowhook.capture_cursor set updated_at = now()";
    fan_out
        .execute_raw(fan_out.statement(page, []))
        .await
        .unwrap();
    let history = history(&world);
    let replay = tokio::spawn(async move { history.replay(&everything()).await.unwrap() });
    until_ok("it waits", async || {
        match waiting_for_a_lock(&world.db).await {
            1 => Ok(()),
            waiting => Err(waiting),
        }
    })
    .await;
    fan_out.commit().await.unwrap();
    assert_eq!(replay.await.unwrap(), 1);
}

async fn who_gets_no_new_events_gets_no_old_ones(database: TestDatabase) {
    let mut world = delivered(database, &rows(&[1])).await;
    for table in ["subscriptions", "receivers"] {
        for (column, value) in [("active", false.into()), ("deleted_at", Utc::now().into())] {
            let set = format!("update rowhook.{table} set {column} = $1");
            run(&world.db, &set, [value]).await;
            let refused = history(&world).replay(&everything()).await.unwrap_err();
            let as_meant = match column {
                "active" => matches!(refused, StoreError::Conflict),
                _ => matches!(refused, StoreError::NotFound { id: 1, .. }),
            };
            assert!(as_meant, "{table} {column}: {refused}");
            let back = format!("update rowhook.{table} set active = $1, deleted_at = null");
            run(&world.db, &back, [true.into()]).await;
        }
    }
    assert_eq!(history(&world).replay(&everything()).await.unwrap(), 1);
    world.states_are(&[(DELIVERED, 2)]).await;
    world.finish().await;
}
