//! One step after the other, in an order that the seed decides: what each subscription is owed leaves no choice,
//! with transactions open across mutations (PostgreSQL) and a poller that is down for all of it or comes and
//! goes.

use std::{sync::Arc, time::Duration};

use rand::{RngExt as _, rngs::StdRng};
use rowhook::{policy::seal::Sealer, store::sql::receivers::SqlManagementStore};

use super::{
    Compared, Scene, make_tables, may_stay_open,
    oracle::Clock,
    owner::{ByStore, Management},
    watch_tables,
};
use crate::support::{both::on_both, capture::CaptureRooms, database::TestDatabase, seed::Rounds};

on_both!(everybody_in_turn);

/// In the everyday suite.
const LASTS: Duration = Duration::from_secs(3);
/// Of a round.
const STEPS: usize = 120;

async fn everybody_in_turn(database: TestDatabase) {
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
        round(&mut scene, &mut rooms, &management, &mut chance).await;
        all += scene.compare().await;
    }
    println!("{} rounds on {:?}: {all:?}", rounds.count, db.dialect());
    assert_eq!(all.either, 0, "one after the other");
    assert!(all.owed > 0 && all.not_owed > 0);
    rooms.stop().await;
}

async fn round(
    scene: &mut Scene,
    rooms: &mut CaptureRooms,
    management: &impl Management,
    chance: &mut StdRng,
) {
    let down_all_the_time = chance.random_bool(0.5);
    if down_all_the_time && rooms.is_up() {
        rooms.stop().await;
    }
    for _ in 0..STEPS {
        if chance.random_bool(0.25) {
            let owner = chance.random_range(0..scene.owners.len());
            scene.owners[owner].step(management, chance).await;
        } else {
            let writer = chance.random_range(0..scene.writers.len());
            let writer = &mut scene.writers[writer];
            writer.step(chance).await;
            while writer.is_open() && !may_stay_open(&scene.db) {
                writer.step(chance).await;
            }
        }
        if !down_all_the_time && chance.random_bool(0.03) {
            match (rooms.is_up(), chance.random()) {
                (false, _) => rooms.start(),
                (true, false) => rooms.stop().await,
                (true, true) => rooms.kill().await,
            }
        }
    }
    // They leave while some are still open, which commit for nobody then, or before.
    for index in 0..scene.writers.len().max(scene.owners.len()) {
        if let Some(owner) = scene.owners.get_mut(index) {
            owner.leave(management).await;
        }
        if let Some(writer) = scene.writers.get_mut(index) {
            writer.end(chance).await;
        }
    }
    if !rooms.is_up() {
        rooms.start();
    }
}
