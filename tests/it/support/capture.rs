//! Rooms 1 and 2 of this process alone: what is committed becomes events, and nobody sends them.
//!
//! They come up and go down at a word, so a test has a poller that is behind for as long as it likes.

use std::{sync::Arc, time::Duration};

use actix::prelude::*;
use rowhook::{
    pipeline::{
        cdc_poller::{CdcPoller, PollerParts},
        fan_out::{FanOut, FanOutParts},
        guardian::{FinishAll, Guardian, GuardianSettings},
        messages::{Hints, Slot},
        senders::Senders,
        status::{StageKind, Status},
        versions::Versions,
    },
    store::{
        leases::LeaseStore as _,
        sql::{
            catalogue::SqlResourceInstaller, change_log::SqlChangeLog, db::Db, fan_out::SqlFanOut,
            leases::SqlLeases, page_connection::PageConnection,
        },
    },
    telemetry::Metrics,
};

use super::wait::DEADLINE;

/// The two rooms, up or down.
pub struct CaptureRooms {
    db: Db,
    guardian: Option<Addr<Guardian>>,
    starts: u32,
}

impl CaptureRooms {
    /// Down.
    pub fn of(db: &Db) -> Self {
        Self {
            db: db.clone(),
            guardian: None,
            starts: 0,
        }
    }

    pub fn is_up(&self) -> bool {
        self.guardian.is_some()
    }

    /// They begin to read, another instance than the one before.
    pub fn start(&mut self) {
        assert!(self.guardian.is_none(), "they are up already");
        self.starts += 1;
        let status = Status::new(Metrics::default());
        let pages = PageConnection::new(self.db.clone());
        let fan_out = Slot::<FanOut>::default();
        let room_2 = FanOutParts {
            store: Arc::new(SqlFanOut::new(pages.clone())),
            versions: Versions::new(Arc::new(SqlResourceInstaller::new(self.db.clone()))),
            // Few, so that pages are cut.
            events_per_commit: 20,
            dispatcher: Slot::default(),
            hints: Hints::default(),
            senders: Senders::default(),
            status: status.clone(),
        };
        let room_1 = PollerParts {
            log: Arc::new(SqlChangeLog::new(pages)),
            leases: Arc::new(SqlLeases::new(self.db.clone())),
            holder: format!("instance {}", self.starts).into(),
            fan_out: fan_out.clone(),
            status: status.clone(),
        };
        let stages: Vec<(StageKind, rowhook::pipeline::guardian::Factory)> = vec![
            (
                StageKind::FanOut,
                Box::new(move |thread, lifeline| {
                    let parts = room_2.clone();
                    let room =
                        FanOut::start_in_arbiter(thread, move |_| FanOut::new(parts, lifeline));
                    fan_out.put(room.clone());
                    room.recipient()
                }),
            ),
            (
                StageKind::CdcPoller,
                Box::new(move |thread, lifeline| {
                    let parts = room_1.clone();
                    let room = CdcPoller::start_in_arbiter(thread, move |_| {
                        CdcPoller::new(parts, lifeline)
                    });
                    room.recipient()
                }),
            ),
        ];
        let guardian = Guardian::new(stages, GuardianSettings::default(), status);
        self.guardian = Some(guardian.start());
    }

    /// A clean stop.
    pub async fn stop(&mut self) {
        self.finish(DEADLINE).await;
    }

    /// A stop that finishes nothing and gives nothing back: to the database it is a crash.
    pub async fn kill(&mut self) {
        self.finish(Duration::ZERO).await;
        let leases = SqlLeases::new(self.db.clone());
        // Whoever held a lease is dead.
        leases.end_all().await.unwrap();
    }

    async fn finish(&mut self, grace: Duration) {
        let guardian = self.guardian.take().expect("they are down already");
        guardian.send(FinishAll { grace }).await.unwrap();
    }
}
