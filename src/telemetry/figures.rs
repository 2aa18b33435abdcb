//! Figures that are true across instances: what the database was found to hold, and how long ago that was.
//!
//! Whoever reads the database puts them here; a scrape shows the last ones. Before the first there are none, and their
//! series are absent. Their age is always told, so that nobody takes an old figure for a new one.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::metrics::OUTCOMES;

/// What the database holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Events owed, as far as they are counted.
    pub pending: u64,
    /// How long the oldest of them has been there; 0 where there is none.
    pub oldest_pending: Duration,
    /// How long the oldest change has waited that is committed and not fanned out.
    pub capture_lag: Duration,
    /// How many receivers are in each state.
    pub states: Vec<(&'static str, u64)>,
    /// Each receiver, where that is asked for.
    pub receivers: Vec<ReceiverFigures>,
}

/// What the database holds of a receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiverFigures {
    /// Its id.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: &'static str,
    /// Events owed to it, as far as they are counted.
    pub pending: u64,
}

impl ReceiverFigures {
    fn labels(&self) -> [(&'static str, String); 2] {
        [
            ("receiver", self.id.to_string()),
            ("name", self.name.clone()),
        ]
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The figures that were found last.
#[derive(Clone, Debug)]
pub(super) struct LastFigures {
    began: Instant,
    found: Arc<Mutex<Option<(Instant, Figures)>>>,
}

impl Default for LastFigures {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            found: Arc::default(),
        }
    }
}

impl LastFigures {
    pub(super) fn put(&self, figures: Figures) {
        *locked(&self.found) = Some((Instant::now(), figures));
    }

    pub(super) fn age(&self) -> Option<Duration> {
        locked(&self.found).as_ref().map(|(at, _)| at.elapsed())
    }
}

/// Attempts of this instance, by receiver and outcome.
#[derive(Clone, Debug, Default)]
pub(super) struct AttemptsOf(Arc<Mutex<HashMap<i32, [u64; OUTCOMES.len()]>>>);

impl AttemptsOf {
    pub(super) fn add(&self, receiver: i32, outcome: &'static str) {
        if let Some(place) = OUTCOMES.iter().position(|one| *one == outcome) {
            locked(&self.0).entry(receiver).or_default()[place] += 1;
        }
    }
}

/// Writes them into each scrape.
#[derive(Debug)]
pub(super) struct FiguresCollector {
    pub(super) last: LastFigures,
    pub(super) attempts: Option<AttemptsOf>,
}

impl Collector for FiguresCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let found = locked(&self.last.found).clone();
        let age = found
            .as_ref()
            .map_or(self.last.began.elapsed(), |(at, _)| at.elapsed());
        gauge(
            &mut encoder,
            "rowhook_figures_age_seconds",
            "How long ago the database told rowhook_pending_events, rowhook_oldest_pending_seconds, \
             rowhook_capture_lag_seconds and the states of receivers; as long as it never did, since the start",
            age.as_secs_f64(),
        )?;
        let Some((_, figures)) = found else {
            return Ok(());
        };
        gauge(
            &mut encoder,
            "rowhook_pending_events",
            "Events that are owed, counted up to 100000, whichever instance is asked",
            figures.pending,
        )?;
        gauge(
            &mut encoder,
            "rowhook_oldest_pending_seconds",
            "How long the oldest event that is owed has been there, whichever instance is asked; 0 when none is",
            figures.oldest_pending.as_secs_f64(),
        )?;
        gauge(
            &mut encoder,
            "rowhook_capture_lag_seconds",
            "How long the oldest change has waited that is committed and not fanned out, whichever instance is asked; \
             0 when none waits",
            figures.capture_lag.as_secs_f64(),
        )?;
        let mut family = encoder.encode_descriptor(
            "rowhook_receiver_state",
            "Receivers in each state, whichever instance is asked",
            None,
            MetricType::Gauge,
        )?;
        for (state, count) in &figures.states {
            let labels = [("state", *state)];
            ConstGauge::new(*count).encode(family.encode_family(&labels)?)?;
        }
        match &self.attempts {
            Some(attempts) => per_receiver(&mut encoder, &figures, attempts),
            None => Ok(()),
        }
    }
}

fn gauge<N>(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: N) -> fmt::Result
where
    N: prometheus_client::encoding::EncodeGaugeValue + Copy,
{
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(value).encode(metric)
}

/// What is told for each receiver, by the name that it has now. One that is deleted is told of no more.
fn per_receiver(
    encoder: &mut DescriptorEncoder<'_>,
    figures: &Figures,
    attempts: &AttemptsOf,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(
        "rowhook_receiver_attempts",
        "Requests that this instance made to a receiver, by what came of them",
        None,
        MetricType::Counter,
    )?;
    let counts = locked(&attempts.0).clone();
    for receiver in &figures.receivers {
        let counts = counts.get(&receiver.id).copied().unwrap_or_default();
        for (outcome, count) in OUTCOMES.into_iter().zip(counts) {
            let [id, name] = receiver.labels();
            let labels = [id, name, ("outcome", outcome.to_owned())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    let mut family = encoder.encode_descriptor(
        "rowhook_receiver_pending_events",
        "Events that are owed to a receiver, counted up to 10000, whichever instance is asked",
        None,
        MetricType::Gauge,
    )?;
    for receiver in &figures.receivers {
        let labels = receiver.labels();
        ConstGauge::new(receiver.pending).encode(family.encode_family(&labels)?)?;
    }
    let mut family = encoder.encode_descriptor(
        "rowhook_receiver_in_state",
        "1 for the state that a receiver is in, 0 for the others, whichever instance is asked",
        None,
        MetricType::Gauge,
    )?;
    for receiver in &figures.receivers {
        for (state, _) in &figures.states {
            let [id, name] = receiver.labels();
            let labels = [id, name, ("state", (*state).to_owned())];
            let is_in = u64::from(*state == receiver.state);
            ConstGauge::new(is_in).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
