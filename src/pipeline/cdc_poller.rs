//! Room 1: reads committed changes from `logged_actions`, page by page.
//!
//! The audit triggers (room 0) hand it rows; it hands pages to fan-out (room 2) and goes on when that
//! page's events and the cursor are written. One instance polls at a time: the lease says who tries,
//! the cursor's epoch says who may write. It never writes an event, and it keeps nothing that a
//! restart would lose.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::prelude::*;
use tokio::sync::Notify;

use crate::{
    store::{
        StoreError,
        change_log::{ChangeLog, ChangePage, Cursor},
        leases::{LeaseOf, LeaseStore},
    },
    telemetry::Outage,
};

use super::{
    fan_out::FanOut,
    leases::{Lease, RENEW_EVERY},
    lifeline::{BEAT, Lifeline, Pulse, Work},
    messages::{FanOutPage, Finish, Slot},
    status::{CaptureRole, Status},
};

/// Changes read at once.
const PAGE: u32 = 1000;
/// The pause between polls while changes keep coming.
const TICK: Duration = Duration::from_millis(5);
/// The pause grows up to this when nothing comes.
const IDLE_TICK: Duration = Duration::from_millis(50);
/// A busy log notifies without end; reading it more often than so would only make smaller pages.
const BETWEEN_NOTICES: Duration = Duration::from_millis(1);
/// So long after the last change the pause begins to grow.
const LIVELY: Duration = Duration::from_secs(2);
/// The pause after an error, and between tries for the lease.
const RETRY: Duration = Duration::from_millis(500);
/// A watermark that moved without changes is written down this often.
const KEEP_WATERMARK: Duration = Duration::from_secs(30);

/// What the poller works with.
#[derive(Clone)]
pub struct PollerParts {
    /// The log.
    pub log: Arc<dyn ChangeLog>,
    /// Who polls.
    pub leases: Arc<dyn LeaseStore>,
    /// This instance's name in the leases.
    pub holder: Arc<str>,
    /// Room 2.
    pub fan_out: Slot<FanOut>,
    /// The board.
    pub status: Status,
}

/// The stage; its work is one loop beside the mailbox.
pub struct CdcPoller {
    parts: PollerParts,
    lifeline: Lifeline,
    finish: Rc<Notify>,
}

impl CdcPoller {
    /// A new incarnation.
    pub fn new(parts: PollerParts, lifeline: Lifeline) -> Self {
        Self {
            parts,
            lifeline,
            finish: Rc::new(Notify::new()),
        }
    }
}

impl Actor for CdcPoller {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_interval(BEAT, |poller, _| poller.lifeline.pulse().beat());
        let polling = Polling {
            parts: self.parts.clone(),
            pulse: self.lifeline.pulse().clone(),
            lease: None,
            renewed: Instant::now(),
            cursor: None,
            last_change: Instant::now(),
            tick: TICK,
            kept: Instant::now(),
            outage: Outage::new("changes can not be read"),
        };
        let work = polling.run(self.finish.clone());
        ctx.spawn(work.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Finish> for CdcPoller {
    type Result = ();

    fn handle(&mut self, _: Finish, _: &mut Context<Self>) {
        self.finish.notify_one();
    }
}

struct Polling {
    parts: PollerParts,
    pulse: Pulse,
    lease: Option<Lease>,
    renewed: Instant,
    cursor: Option<Cursor>,
    last_change: Instant,
    tick: Duration,
    kept: Instant,
    outage: Outage,
}

impl Polling {
    async fn run(mut self, finish: Rc<Notify>) {
        loop {
            let pause = match self.turn().await {
                Ok(pause) => {
                    self.outage.is_over();
                    pause
                }
                Err(error) => {
                    self.fail(&error);
                    RETRY
                }
            };
            if self.pulse.is_revoked() {
                return;
            }
            let log = self.parts.log.clone();
            let notice = async {
                tokio::time::sleep(BETWEEN_NOTICES).await;
                log.heard().await;
            };
            tokio::select! {
                () = finish.notified() => break,
                () = tokio::time::sleep(pause), if !pause.is_zero() => {}
                () = notice, if self.cursor.is_some() && !pause.is_zero() => {}
                () = std::future::ready(()), if pause.is_zero() => {}
            }
        }
        if self.lease.take().is_some() {
            let (leases, holder) = (&self.parts.leases, &self.parts.holder);
            let released = leases.release(LeaseOf::Poller, holder, Duration::ZERO);
            if let Err(error) = released.await {
                tracing::warn!(%error, "the poller's lease could not be given back; it ends by itself");
            }
        }
    }

    fn fail(&mut self, error: &StoreError) {
        // What the database holds decides; it is read anew.
        self.cursor = None;
        if matches!(error, StoreError::Fenced) {
            tracing::info!("the cursor has moved on; reading it again");
            return;
        }
        self.outage.goes_on(error);
        let role = CaptureRole::Failing(error.to_string());
        self.parts.status.set_role(role);
    }

    /// One turn; returns the pause before the next one.
    async fn turn(&mut self) -> Result<Duration, StoreError> {
        let work = self.pulse.work();
        if !self.leads().await? {
            self.parts.status.set_role(CaptureRole::StandingBy);
            return Ok(RETRY);
        }
        let cursor = match self.cursor.take() {
            Some(cursor) => cursor,
            None => {
                let cursor = self.parts.log.take_over().await?;
                tracing::info!(watermark = %cursor.watermark, epoch = cursor.epoch, "reading changes");
                cursor
            }
        };
        self.parts.status.set_role(CaptureRole::Polling);
        if cursor.window.is_none() && !self.parts.log.may_have_news().await? {
            self.cursor = Some(cursor);
            return Ok(self.idle());
        }
        let page = self.parts.log.read(&cursor, PAGE).await?;
        if page.changes.is_empty() && page.ends_window {
            return self.nothing_new(cursor, page, &work).await;
        }
        self.last_change = Instant::now();
        self.tick = TICK;
        let ends = page.ends_window;
        let next = self.fan_out(cursor, page, &work).await?;
        let caught_up = ends && next.window.is_none();
        self.cursor = Some(next);
        Ok(if caught_up { TICK } else { Duration::ZERO })
    }

    /// The watermark moves in memory: a restart that reads an empty stretch again finds it empty. Now
    /// and then it is written down, for those who look at it.
    async fn nothing_new(
        &mut self,
        cursor: Cursor,
        page: ChangePage,
        work: &Work,
    ) -> Result<Duration, StoreError> {
        if self.kept.elapsed() > KEEP_WATERMARK && cursor.watermark != page.window.to {
            self.kept = Instant::now();
            self.cursor = Some(self.fan_out(cursor, page, work).await?);
        } else {
            self.cursor = Some(Cursor {
                epoch: cursor.epoch,
                ..page.cursor_after(&cursor, 0)
            });
        }
        Ok(self.idle())
    }

    fn idle(&mut self) -> Duration {
        if self.last_change.elapsed() > LIVELY {
            self.tick = (self.tick * 3 / 2).min(IDLE_TICK);
        }
        self.tick
    }

    /// Whether this instance polls: by a lease that it holds, renews or takes.
    async fn leads(&mut self) -> Result<bool, StoreError> {
        let asked = Instant::now();
        let (leases, holder) = (&self.parts.leases, &self.parts.holder);
        match &self.lease {
            Some(lease) if lease.held() && self.renewed.elapsed() < RENEW_EVERY => Ok(true),
            Some(lease) => {
                let renewed = leases.renew(&[LeaseOf::Poller], holder).await?;
                if renewed.is_empty() {
                    tracing::warn!("another instance reads changes now");
                    self.lease = None;
                    self.cursor = None;
                    return Ok(false);
                }
                lease.renewed(asked);
                self.renewed = asked;
                Ok(true)
            }
            None => {
                if leases.acquire(LeaseOf::Poller, holder).await?.is_none() {
                    return Ok(false);
                }
                self.lease = Some(Lease::from(asked));
                self.renewed = asked;
                self.cursor = None;
                Ok(true)
            }
        }
    }

    /// Hands the page to room 2 and waits until it is written.
    async fn fan_out(
        &mut self,
        cursor: Cursor,
        page: ChangePage,
        work: &Work,
    ) -> Result<Cursor, StoreError> {
        let room = self.parts.fan_out.clone();
        let mut written = std::pin::pin!(room.ask(FanOutPage { cursor, page }));
        loop {
            tokio::select! {
                cursor = &mut written => return cursor.unwrap_or_else(|| {
                    let why = "fan-out is being started again";
                    Err(StoreError::Unavailable(why.to_owned()))
                }),
                // A page with many events takes its time; the lease must not end meanwhile. Fan-out's
                // own keeper sees to it that the wait ends.
                () = tokio::time::sleep(RENEW_EVERY) => {
                    work.goes_on();
                    self.leads().await?;
                }
            }
        }
    }
}
