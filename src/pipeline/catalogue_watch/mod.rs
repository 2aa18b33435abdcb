//! Watches the watched tables: sees columns that come and go, partitions, triggers that were disabled or dropped, tables
//! that were dropped and made anew, puts the triggers on again, and says so.
//!
//! Beside the path of a change, not on it: nobody hands it work and it wakes nobody. About once a minute the instance
//! that polls compares each table with its triggers and the version of its description, which takes no lock that a writer
//! could meet; only where something is wrong does it install, under the installer's short lock timeout and with few
//! tries, since it looks again soon. What it found and did goes into the log, and into the notes that `webhookCapture`
//! shows. Every instance then takes the new descriptions into its catalogue.
//!
//! It mends what has happened to a table. It never argues with people: what `rowhook resources uninstall` took off stays
//! off until the next start, and what an instance with other settings has put on stays as it is.

mod table;

use std::{
    collections::HashMap,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix::prelude::*;
use chrono::Utc;
use tokio::sync::Notify;

use crate::{
    domain::{
        ids::ResourceId,
        resource::{LiveCatalogue, ResourceName},
    },
    store::{
        StoreError,
        capture_notes::CaptureNotes,
        catalogue::{ResourceInstaller, WantedResource},
    },
    telemetry::Outage,
};

use super::{
    lifeline::{BEAT, Lifeline, Pulse},
    messages::Finish,
    status::Status,
};
use table::Table;

/// The versions that this process has put in force, or found in force under its own settings.
#[derive(Clone, Debug, Default)]
pub struct OwnVersions(Arc<Mutex<HashMap<ResourceName, ResourceId>>>);

impl OwnVersions {
    fn get(&self, name: &ResourceName) -> Option<ResourceId> {
        let own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.get(name).copied()
    }

    fn set(&self, name: &ResourceName, id: ResourceId) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.insert(name.clone(), id);
    }
}

/// The tables, and who looks at them.
#[derive(Clone)]
pub struct WatchedCatalogue {
    /// Looks, and installs with few tries.
    pub installer: Arc<dyn ResourceInstaller>,
    /// What the configuration wants.
    pub wanted: Arc<[WantedResource]>,
    /// What the API shows; at the start of the process what it installed.
    pub catalogue: LiveCatalogue,
}

/// What the stage works with.
#[derive(Clone)]
pub struct CatalogueWatchParts {
    watched: WatchedCatalogue,
    own: OwnVersions,
    notes: Arc<dyn CaptureNotes>,
    every: Duration,
    status: Status,
}

impl CatalogueWatchParts {
    /// For a process that has just installed. `every`: the pause between two looks.
    pub fn new(
        watched: WatchedCatalogue,
        notes: Arc<dyn CaptureNotes>,
        every: Duration,
        status: Status,
    ) -> Self {
        let own = OwnVersions::default();
        for resource in watched.catalogue.now().resources() {
            own.set(&resource.name, resource.id);
        }
        Self {
            watched,
            own,
            notes,
            every,
            status,
        }
    }
}

/// The stage; its work is one loop beside the mailbox.
pub struct CatalogueWatch {
    parts: CatalogueWatchParts,
    lifeline: Lifeline,
    finish: Rc<Notify>,
}

impl CatalogueWatch {
    /// A new incarnation.
    pub fn new(parts: CatalogueWatchParts, lifeline: Lifeline) -> Self {
        Self {
            parts,
            lifeline,
            finish: Rc::new(Notify::new()),
        }
    }
}

impl Actor for CatalogueWatch {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(BEAT, |stage, _| stage.lifeline.pulse().beat());
        let parts = self.parts.clone();
        let mut looks = Looks {
            tables: parts.watched.wanted.iter().map(Table::new).collect(),
            parts,
            pulse: self.lifeline.pulse().clone(),
            outage: Outage::new("the watched tables can not be looked at"),
        };
        let finish = self.finish.clone();
        let work = async move {
            tokio::select! {
                // At once, also in the middle of an installation: its transaction is rolled back.
                () = finish.notified() => {}
                () = looks.run() => {}
            }
        };
        ctx.spawn(work.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Finish> for CatalogueWatch {
    type Result = ();

    fn handle(&mut self, _: Finish, _: &mut Context<Self>) {
        self.finish.notify_one();
    }
}

struct Looks {
    parts: CatalogueWatchParts,
    tables: Vec<Table>,
    pulse: Pulse,
    outage: Outage,
}

impl Looks {
    /// Until the keeper gives this incarnation up.
    async fn run(&mut self) {
        let every = self.parts.every;
        // The start has just looked at every table.
        tokio::time::sleep(every).await;
        while !self.pulse.is_revoked() {
            match self.look().await {
                Ok(()) => self.outage.is_over(),
                Err(error) => self.outage.goes_on(&error),
            }
            tokio::time::sleep(every).await;
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let work = self.pulse.work();
        if self.parts.status.polls() {
            let mut looked = Vec::with_capacity(self.tables.len());
            let mut failed = None;
            for table in &mut self.tables {
                work.goes_on();
                match table
                    .look(&*self.parts.watched.installer, &self.parts.own)
                    .await
                {
                    Ok(note) => looked.push((table.name().clone(), note)),
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
                if self.pulse.is_revoked() {
                    return Ok(());
                }
            }
            work.goes_on();
            self.parts.notes.looked(Utc::now(), &looked).await?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
        let versions = self.parts.watched.installer.installed().await?;
        if self.parts.watched.catalogue.describe(&versions) {
            tracing::info!("the API goes by the tables' new descriptions");
        }
        Ok(())
    }
}
