//! The rooms that a change passes through, read from top to bottom.
//!
//! `cdc_poller` reads the log (room 1), `fan_out` makes events (room 2), `dispatcher` wakes the
//! `sender` of each receiver (room 3), `outcome_recorder` writes what came of it (room 4). Each is an
//! actix actor that `guardian` keeps up. What crosses a wall is listed in `messages`; past the database
//! it is a wake-up with no content, so anything lost with a process is found again by reading tables.
//! Beside the path `retention` drops what has been kept long enough, `catalogue_watch` keeps the triggers on the tables,
//! and `reconciler` compares what there is with what there should be. `figures` is read for whoever scrapes.

pub mod catalogue_watch;
pub mod cdc_poller;
pub mod delivery_log;
pub mod dispatcher;
pub mod fan_out;
pub mod figures;
mod filter_failures;
pub mod guardian;
pub mod leases;
pub mod lifeline;
pub mod messages;
pub mod outcome_recorder;
pub mod reconciler;
pub mod retention;
pub mod sender;
pub mod senders;
mod shared_texts;
mod sharing;
pub mod status;
pub mod versions;
pub mod wakes;

use std::{sync::Arc, time::Duration};

use actix::prelude::*;

use crate::{
    store::{
        capture_notes::CaptureNotes,
        catalogue::ResourceInstaller,
        change_log::{ChangeLog, FanOutStore},
        delivery_targets::DeliveryTargets,
        event_queue::{EventQueue, OutcomeLog},
        instances::Instances,
        leases::LeaseStore,
        reconciliation::Reconciliation,
        retention::RetentionStore,
    },
    transport::TransportFactory,
};

use catalogue_watch::{CatalogueWatch, CatalogueWatchParts, WatchedCatalogue};
use cdc_poller::{CdcPoller, PollerParts};
use dispatcher::{Dispatcher, DispatcherParts};
use fan_out::{FanOut, FanOutParts};
use guardian::{Factory, FinishAll, Guardian, GuardianSettings};
use messages::Slot;
use outcome_recorder::{OutcomeRecorder, RecorderParts};
use reconciler::{Reconciler, ReconcilerParts, ReconcilerSettings};
use retention::{Retention, RetentionParts, RetentionSettings};
use sender::{DeliveryDefaults, SenderParts};
use senders::Senders;
use status::{StageKind, Status};
use versions::Versions;
use wakes::Wakes;

/// What the rooms are given; each reads and writes through its own narrow door.
#[derive(Clone)]
pub struct PipelineParts {
    /// Room 1 reads here.
    pub change_log: Arc<dyn ChangeLog>,
    /// Room 2 writes here.
    pub fan_out: Arc<dyn FanOutStore>,
    /// Room 3 reads here.
    pub queue: Arc<dyn EventQueue>,
    /// What receivers want.
    pub targets: Arc<dyn DeliveryTargets>,
    /// Room 4 writes here.
    pub outcomes: Arc<dyn OutcomeLog>,
    /// What log rows mean.
    pub catalogue: Arc<dyn ResourceInstaller>,
    /// Who does what.
    pub leases: Arc<dyn LeaseStore>,
    /// Who else runs.
    pub instances: Arc<dyn Instances>,
    /// Drops what is old.
    pub retention: Arc<dyn RetentionStore>,
    /// The tables that are to be watched.
    pub watched: WatchedCatalogue,
    /// Compares changes with events.
    pub reconciliation: Arc<dyn Reconciliation>,
    /// What was found, for whoever asks.
    pub notes: Arc<dyn CaptureNotes>,
    /// The network.
    pub transport: Arc<dyn TransportFactory>,
    /// Who else wakes senders.
    pub wakes: Wakes,
}

/// How the rooms run.
#[derive(Clone, Copy, Debug)]
pub struct PipelineSettings {
    /// How stages are kept up.
    pub guardian: GuardianSettings,
    /// For receivers that set nothing themselves.
    pub delivery: DeliveryDefaults,
    /// Events written in one transaction at most.
    pub events_per_commit: usize,
    /// Threads that send.
    pub sender_threads: usize,
    /// How long the log is kept.
    pub retention: RetentionSettings,
    /// The pause between two looks at the watched tables.
    pub look_at_tables: Duration,
    /// How far changes are compared with events.
    pub reconciler: ReconcilerSettings,
}

/// The rooms of this instance, running.
pub struct Pipeline {
    guardian: Addr<Guardian>,
    senders: Senders,
    status: Status,
}

impl Pipeline {
    /// Starts every room, the last one first, on threads of their own. Needs a running actix system.
    /// `holder` names this instance in the leases and must be its own at each start.
    pub fn start(
        parts: &PipelineParts,
        settings: &PipelineSettings,
        holder: &str,
        status: Status,
    ) -> Self {
        let (fan_out, recorder) = (Slot::default(), Slot::default());
        let Wakes { hints, dispatcher } = parts.wakes.clone();
        let holder: Arc<str> = holder.into();
        let senders = Senders::on_threads(settings.sender_threads);
        let versions = Versions::new(parts.catalogue.clone());
        let sender = SenderParts {
            queue: parts.queue.clone(),
            targets: parts.targets.clone(),
            versions: versions.clone(),
            transport: parts.transport.clone(),
            recorder: recorder.clone(),
            defaults: settings.delivery,
            status: status.clone(),
        };
        let stages = vec![
            (
                StageKind::OutcomeRecorder,
                recorder_factory(
                    RecorderParts {
                        log: parts.outcomes.clone(),
                        status: status.clone(),
                    },
                    recorder,
                ),
            ),
            (
                StageKind::Dispatcher,
                dispatcher_factory(
                    DispatcherParts {
                        sender,
                        leases: parts.leases.clone(),
                        instances: parts.instances.clone(),
                        holder: holder.clone(),
                        hints: hints.clone(),
                        senders: senders.clone(),
                        patience: settings.guardian.patience,
                        status: status.clone(),
                    },
                    dispatcher.clone(),
                ),
            ),
            (
                StageKind::FanOut,
                fan_out_factory(
                    FanOutParts {
                        store: parts.fan_out.clone(),
                        versions,
                        events_per_commit: settings.events_per_commit,
                        dispatcher,
                        hints,
                        senders: senders.clone(),
                        status: status.clone(),
                    },
                    fan_out.clone(),
                ),
            ),
            (
                StageKind::CdcPoller,
                poller_factory(PollerParts {
                    log: parts.change_log.clone(),
                    leases: parts.leases.clone(),
                    holder,
                    fan_out,
                    status: status.clone(),
                }),
            ),
            (
                StageKind::Retention,
                retention_factory(RetentionParts {
                    store: parts.retention.clone(),
                    settings: settings.retention,
                    status: status.clone(),
                }),
            ),
            (
                StageKind::CatalogueWatch,
                catalogue_watch_factory(CatalogueWatchParts::new(
                    parts.watched.clone(),
                    parts.notes.clone(),
                    settings.look_at_tables,
                    status.clone(),
                )),
            ),
            (
                StageKind::Reconciler,
                reconciler_factory(ReconcilerParts {
                    store: parts.reconciliation.clone(),
                    retention: parts.retention.clone(),
                    notes: parts.notes.clone(),
                    settings: settings.reconciler,
                    status: status.clone(),
                }),
            ),
        ];
        Self {
            guardian: Guardian::new(stages, settings.guardian, status.clone()).start(),
            senders,
            status,
        }
    }

    /// What operators are told.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Finishes what is in flight within the time, writes it down and gives the leases back.
    pub async fn finish(self, grace: Duration) {
        if self.guardian.send(FinishAll { grace }).await.is_err() {
            tracing::warn!("the guardian had ended before the stages were finished");
        }
        self.senders.stop_threads();
    }
}

fn recorder_factory(parts: RecorderParts, slot: Slot<OutcomeRecorder>) -> Factory {
    Box::new(move |thread, lifeline| {
        let parts = parts.clone();
        let address = OutcomeRecorder::start_in_arbiter(thread, move |_| {
            OutcomeRecorder::new(parts, lifeline)
        });
        slot.put(address.clone());
        address.recipient()
    })
}

fn dispatcher_factory(parts: DispatcherParts, slot: Slot<Dispatcher>) -> Factory {
    Box::new(move |thread, lifeline| {
        let parts = parts.clone();
        let address =
            Dispatcher::start_in_arbiter(thread, move |_| Dispatcher::new(parts, lifeline));
        slot.put(address.clone());
        address.recipient()
    })
}

fn fan_out_factory(parts: FanOutParts, slot: Slot<FanOut>) -> Factory {
    Box::new(move |thread, lifeline| {
        let parts = parts.clone();
        let address = FanOut::start_in_arbiter(thread, move |_| FanOut::new(parts, lifeline));
        slot.put(address.clone());
        address.recipient()
    })
}

fn poller_factory(parts: PollerParts) -> Factory {
    Box::new(move |thread, lifeline| {
        let parts = parts.clone();
        CdcPoller::start_in_arbiter(thread, move |_| CdcPoller::new(parts, lifeline)).recipient()
    })
}

fn retention_factory(parts: RetentionParts) -> Factory {
    Box::new(move |thread, lifeline| {
        let parts = parts.clone();
        Retention::start_in_arbiter(thread, move |_| Retention::new(parts, lifeline)).recipient()
    })
}

fn catalogue_watch_factory(parts: CatalogueWatchParts) -> Factory {
    Box::new(move |thread, lifeline| {
        let parts = parts.clone();
        CatalogueWatch::start_in_arbiter(thread, move |_| CatalogueWatch::new(parts, lifeline))
            .recipient()
    })
}

fn reconciler_factory(parts: ReconcilerParts) -> Factory {
    Box::new(move |thread, lifeline| {
        let parts = parts.clone();
        Reconciler::start_in_arbiter(thread, move |_| Reconciler::new(parts, lifeline)).recipient()
    })
}
