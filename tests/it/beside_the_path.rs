//! The stages beside the path, in trouble: a failure is no end, a hang and a panic are, and each time they come back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use rowhook::{
    domain::{
        ids::ResourceId,
        resource::{OnTruncate, Resource, ResourceDefinition, ResourceName},
    },
    pipeline::status::StageKind,
    store::{
        StoreError,
        catalogue::{
            FoundTable, InstallError, Installed, ResourceInstaller, TableLook, WantedResource,
        },
        leases::LeaseOf,
        reconciliation::{Account, Reach, Reconciliation},
    },
};

use crate::support::{both::on_both, database::TestDatabase, pipeline::World, wait::until};

on_both!(
    looks_and_comparisons_that_fail_or_end_are_made_again,
    a_stop_waits_for_neither,
    only_the_instance_that_polls_looks_and_compares,
);

#[derive(Clone, Copy)]
enum Mood {
    Fails,
    Hangs,
    Panics,
}

/// What the next calls meet, and how many there were.
#[derive(Default)]
struct Moods {
    plan: Mutex<VecDeque<Mood>>,
    calls: Mutex<u32>,
}

impl Moods {
    fn plan(&self, moods: impl IntoIterator<Item = Mood>) {
        self.plan.lock().unwrap().extend(moods);
    }

    fn calls(&self) -> u32 {
        *self.calls.lock().unwrap()
    }

    async fn meet(&self) -> Result<(), StoreError> {
        *self.calls.lock().unwrap() += 1;
        let mood = self.plan.lock().unwrap().pop_front();
        match mood {
            None => Ok(()),
            Some(Mood::Fails) => Err(StoreError::Unavailable("on purpose".to_owned())),
            Some(Mood::Hangs) => std::future::pending().await,
            Some(Mood::Panics) => panic!("on purpose"),
        }
    }
}

/// The doors to the catalogue and to reconciliation, with trouble on order.
struct Moody<T: ?Sized> {
    door: Arc<T>,
    moods: Arc<Moods>,
}

#[async_trait]
impl Reconciliation for Moody<dyn Reconciliation> {
    async fn reconcile(&self, reach: &Reach) -> Result<Account, StoreError> {
        self.moods.meet().await?;
        self.door.reconcile(reach).await
    }
}

#[async_trait]
impl ResourceInstaller for Moody<dyn ResourceInstaller> {
    async fn look(&self, wanted: &WantedResource) -> Result<TableLook, InstallError> {
        self.moods.meet().await?;
        self.door.look(wanted).await
    }

    async fn tables(&self) -> Result<Vec<FoundTable>, StoreError> {
        self.door.tables().await
    }

    async fn describe(&self, wanted: &WantedResource) -> Result<ResourceDefinition, InstallError> {
        self.door.describe(wanted).await
    }

    async fn install(
        &self,
        wanted: &WantedResource,
    ) -> Result<(Resource, Installed), InstallError> {
        self.door.install(wanted).await
    }

    async fn in_force(&self, wanted: &WantedResource) -> Result<bool, InstallError> {
        self.door.in_force(wanted).await
    }

    async fn installed(&self) -> Result<Vec<Resource>, StoreError> {
        self.door.installed().await
    }

    async fn uninstall(&self, name: &ResourceName) -> Result<Installed, InstallError> {
        self.door.uninstall(name).await
    }

    async fn versions(&self, ids: &[ResourceId]) -> Result<Vec<Resource>, StoreError> {
        self.door.versions(ids).await
    }
}

/// A world whose stages look and compare all the time; what they meet.
async fn world(database: TestDatabase) -> (World, Arc<Moods>, Arc<Moods>) {
    let mut world = World::on(database).await;
    let (looks, rounds) = (Arc::<Moods>::default(), Arc::<Moods>::default());
    world.parts.watched.installer = Arc::new(Moody {
        door: world.parts.watched.installer.clone(),
        moods: looks.clone(),
    });
    world.parts.watched.wanted = [WantedResource {
        name: "THING".parse().unwrap(),
        aliases: Vec::new(),
        table: "things".to_owned(),
        key: Vec::new(),
        etag: None,
        exclude: Vec::new(),
        on_truncate: OnTruncate::Rows,
    }]
    .into();
    world.parts.reconciliation = Arc::new(Moody {
        door: world.parts.reconciliation.clone(),
        moods: rounds.clone(),
    });
    let often = Duration::from_millis(20);
    world.settings.look_at_tables = often;
    world.settings.reconciler.first_round = often;
    world.settings.reconciler.between_rounds = often;
    (world, looks, rounds)
}

async fn looks_and_comparisons_that_fail_or_end_are_made_again(database: TestDatabase) {
    let (mut world, looks, rounds) = world(database).await;
    world.settings.guardian.patience.in_work = Duration::from_secs(2);
    looks.plan([Mood::Fails, Mood::Fails, Mood::Hangs, Mood::Panics]);
    rounds.plan([Mood::Fails, Mood::Fails, Mood::Panics]);
    world.receiver("a").await;
    world.start();
    world.touch(1).await;
    until("both go on", || looks.calls() > 6 && rounds.calls() > 6).await;
    world.all_delivered().await;
    assert_eq!(world.restarts(StageKind::CatalogueWatch), 2);
    assert_eq!(world.restarts(StageKind::Reconciler), 1);
    assert_eq!(world.restarts(StageKind::CdcPoller), 0);
    world.finish().await;
}

async fn a_stop_waits_for_neither(database: TestDatabase) {
    let (mut world, looks, rounds) = world(database).await;
    looks.plan([Mood::Hangs]);
    rounds.plan([Mood::Hangs]);
    world.start();
    until("both hang", || looks.calls() > 0 && rounds.calls() > 0).await;
    let began = std::time::Instant::now();
    world.finish().await;
    assert!(began.elapsed() < world.settings.guardian.patience.in_work);
}

async fn only_the_instance_that_polls_looks_and_compares(database: TestDatabase) {
    let (mut world, looks, rounds) = world(database).await;
    let leases = world.parts.leases.clone();
    let taken = leases.acquire(LeaseOf::Poller, "another").await.unwrap();
    assert!(taken.is_some());
    world.start();
    until("it stands by", || world.status.ready() == Ok(())).await;
    assert_eq!((looks.calls(), rounds.calls()), (0, 0));
    leases.end_all().await.unwrap();
    until("it looks and compares", || {
        looks.calls() > 0 && rounds.calls() > 0
    })
    .await;
    world.finish().await;
}
