//! Everybody at the same time: mutations race commits, and the poller reads while both go on.

use std::{cell::Cell, sync::Arc, time::Duration};

use futures::{
    future::{join, join_all},
    lock::Mutex,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rowhook::{policy::seal::Sealer, store::sql::receivers::SqlManagementStore};

use super::{
    Compared, Scene, make_tables, may_stay_open,
    oracle::Clock,
    owner::{ByStore, Management},
    watch_tables,
};
use crate::support::{both::on_both, capture::CaptureRooms, database::TestDatabase, seed::Rounds};

on_both!(everybody_at_once);

/// In the everyday suite.
const LASTS: Duration = Duration::from_secs(3);
/// Of each owner in a round.
const MUTATIONS: usize = 15;
/// On SQLite whoever waits for its one writer's turn asks now and then, and has to find it free.
const TURN_OF_OTHERS: Duration = Duration::from_millis(20);

async fn everybody_at_once(database: TestDatabase) {
    let db = database.migrated().await;
    let app = database.application().await;
    make_tables(&app).await;
    watch_tables(&db).await;
    let clock = Clock::default();
    let sealer = Arc::new(Sealer::new([3; 32], vec![]));
    let management = ByStore {
        store: SqlManagementStore::new(db.clone(), sealer),
        clock: clock.clone(),
    };
    let mut rooms = CaptureRooms::of(&db);
    let mut scene = Scene::new(&db, &app, &clock, &management).await;
    let mut rounds = Rounds::lasting(LASTS);
    let mut all = Compared::default();
    for mut chance in rounds.by_ref() {
        match (rooms.is_up(), chance.random_range(0..4)) {
            (false, 1..) => rooms.start(),
            (true, 0) => rooms.stop().await,
            (true, 1) => {
                rooms.kill().await;
                rooms.start();
            }
            _ => {}
        }
        mingle(&mut scene, &management, &mut chance, MUTATIONS).await;
        if !rooms.is_up() {
            rooms.start();
        }
        all += scene.compare().await;
    }
    println!("{} rounds on {:?}: {all:?}", rounds.count, db.dialect());
    assert!(all.owed > 0 && all.not_owed > all.either);
    rooms.stop().await;
}

/// Writers write and owners mutate, all at once: each owner so often, and the writers for as long as that takes.
/// Then the owners leave.
pub async fn mingle(
    scene: &mut Scene,
    management: &impl Management,
    chance: &mut StdRng,
    mutations: usize,
) {
    let mut own = || StdRng::seed_from_u64(chance.random());
    let mutating = Cell::new(scene.owners.len());
    let still = &mutating;
    let one_writer = (!may_stay_open(&scene.db)).then(Mutex::default);
    let one_writer: Option<&Mutex<()>> = one_writer.as_ref();
    let writers = scene.writers.iter_mut().map(|writer| {
        let mut chance = own();
        async move {
            while still.get() > 0 {
                let Some(turn) = one_writer else {
                    writer.step(&mut chance).await;
                    pause(&mut chance).await;
                    continue;
                };
                let turn = turn.lock().await;
                writer.step(&mut chance).await;
                while writer.is_open() {
                    writer.step(&mut chance).await;
                }
                drop(turn);
                tokio::time::sleep(TURN_OF_OTHERS).await;
            }
            writer.end(&mut chance).await;
        }
    });
    let writers: Vec<_> = writers.collect();
    let owners = scene.owners.iter_mut().map(|owner| {
        let mut chance = own();
        async move {
            for _ in 0..mutations {
                owner.step(management, &mut chance).await;
                pause(&mut chance).await;
            }
            owner.leave(management).await;
            still.set(still.get() - 1);
        }
    });
    let owners: Vec<_> = owners.collect();
    join(join_all(writers), join_all(owners)).await;
}

/// Mostly none, now and then one that others can do much in.
async fn pause(chance: &mut StdRng) {
    if chance.random_bool(0.2) {
        tokio::time::sleep(Duration::from_millis(chance.random_range(1..8))).await;
    }
}
