//! Figures that are true across instances, for whoever scrapes: read from the database when they are asked for, and then
//! not again for a while.
//!
//! `/metrics` asks it; it asks the stores, and hands what it finds to [`Metrics`]. A scrape never waits long: when the
//! database is slow or away it shows what was found last, and how old that is. Nobody scrapes, nothing is read.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::timeout};

use crate::{
    domain::{ids::ReceiverId, receiver_health::HealthState},
    store::{
        StoreError, capture::CaptureView, receiver_health::ReceiverHealthStore, stats::StatsStore,
    },
    telemetry::{Figures, Metrics, ReceiverFigures},
};

/// Receivers whose queues are counted in one statement.
const AT_ONCE: usize = 500;

/// How patient a scrape is.
#[derive(Clone, Copy, Debug)]
pub struct FiguresPatience {
    /// What was found so lately is not read again: several servers may scrape.
    pub fresh: Duration,
    /// A scrape waits so long for what is read, and else shows what there was.
    pub scrape: Duration,
    /// A database that does not answer is given up after this, so that it can be asked again.
    pub read: Duration,
}

impl Default for FiguresPatience {
    fn default() -> Self {
        Self {
            fresh: Duration::from_secs(5),
            scrape: Duration::from_millis(500),
            read: Duration::from_secs(10),
        }
    }
}

/// Where they come from and where they go.
#[derive(Clone)]
pub struct FiguresReader {
    /// What waits.
    pub stats: Arc<dyn StatsStore>,
    /// How far capture is.
    pub capture: Arc<dyn CaptureView>,
    /// How receivers do.
    pub receivers: Arc<dyn ReceiverHealthStore>,
    /// Who shows them.
    pub metrics: Metrics,
    /// How long is waited.
    pub patience: FiguresPatience,
    /// Held while they are read.
    pub reading: Arc<Mutex<()>>,
}

impl FiguresReader {
    /// The page of a scrape.
    pub async fn page(&self) -> String {
        if !self.is_fresh() {
            let reader = self.clone();
            // A task of its own: it ends well although the scrape waits no longer, and the next one has what it found.
            let look = async move {
                match reader.reading.clone().try_lock_owned() {
                    Ok(_held) => reader.look().await,
                    Err(_) => drop(reader.reading.lock().await),
                }
            };
            let _too_late = timeout(self.patience.scrape, tokio::spawn(look)).await;
        }
        self.metrics.render()
    }

    fn is_fresh(&self) -> bool {
        let age = self.metrics.found_ago();
        age.is_some_and(|age| age < self.patience.fresh)
    }

    async fn look(&self) {
        match timeout(self.patience.read, self.read()).await {
            Ok(Ok(figures)) => self.metrics.found(figures),
            // The stages tell of a database that is away, and the age of the figures tells it too.
            Ok(Err(error)) => tracing::debug!(%error, "figures can not be read"),
            Err(_) => tracing::debug!("the database does not tell figures in time"),
        }
    }

    async fn read(&self) -> Result<Figures, StoreError> {
        let queue = self.stats.queue().await?;
        let capture_lag = self.capture.lag().await?;
        let counts = self.receivers.states().await?;
        let count = |state: HealthState| {
            let count = counts.get(&state).copied().unwrap_or_default();
            (state.in_metrics(), count)
        };
        Ok(Figures {
            pending: queue.pending,
            oldest_pending: queue.oldest.unwrap_or_default(),
            capture_lag,
            states: HealthState::ALL.into_iter().map(count).collect(),
            receivers: match self.metrics.per_receiver() {
                true => self.each_receiver().await?,
                false => Vec::new(),
            },
        })
    }

    async fn each_receiver(&self) -> Result<Vec<ReceiverFigures>, StoreError> {
        let each = self.receivers.each_state().await?;
        let mut queues = HashMap::new();
        for some in each.chunks(AT_ONCE) {
            let ids: Vec<ReceiverId> = some.iter().map(|(id, _, _)| *id).collect();
            queues.extend(self.stats.queues_of(&ids).await?);
        }
        let figures = |(id, name, state): (ReceiverId, String, HealthState)| ReceiverFigures {
            pending: queues.get(&id).map_or(0, |queue| queue.pending),
            id: id.0,
            name,
            state: state.in_metrics(),
        };
        Ok(each.into_iter().map(figures).collect())
    }
}
