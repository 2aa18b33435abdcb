//! Figures. Every metric's name stands here and nowhere else (CONTRACT §9).

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::figures::{AttemptsOf, Figures, FiguresCollector, LastFigures};

/// Seconds: from a local receiver's millisecond to the longest timeout.
const ATTEMPT_BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];
/// Seconds: from a few milliseconds to a backlog of an hour.
const DELIVERY_BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0, 900.0, 3600.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActorLabel {
    actor: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    resource: String,
    action: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabel {
    connection: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug)]
struct Families {
    registry: Registry,
    changes: Family<ChangeLabels, Counter>,
    events: Family<StatusLabel, Counter>,
    attempts: Family<OutcomeLabel, Counter>,
    attempt_duration: Histogram,
    connections_opened: Counter,
    requests: Family<ConnectionLabel, Counter>,
    commit_to_delivery: Histogram,
    restarts: Family<ActorLabel, Counter>,
    filter_failures: Counter,
    reconciliation_differences: Gauge,
    shared: LastFigures,
    /// `None` where they are not asked for: an attempt then pays nothing for them.
    per_receiver: Option<AttemptsOf>,
}

/// What came of a request, as `rowhook_attempts_total` tells it.
pub(super) const OUTCOMES: [&str; 3] = ["delivered", "refused", "unanswered"];
/// What an event can come to, as `rowhook_events_total` tells it: the statuses of the API.
const STATUSES: [&str; 4] = ["pending", "delivered", "failed", "cancelled"];

/// The figures of this instance.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Families>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Metrics {
    /// None yet. `per_receiver`: some are told for each receiver too.
    pub fn new(per_receiver: bool) -> Self {
        let mut families = Families {
            registry: Registry::default(),
            changes: Family::default(),
            events: Family::default(),
            attempts: Family::default(),
            attempt_duration: Histogram::new(ATTEMPT_BUCKETS),
            connections_opened: Counter::default(),
            requests: Family::default(),
            commit_to_delivery: Histogram::new(DELIVERY_BUCKETS),
            restarts: Family::default(),
            filter_failures: Counter::default(),
            reconciliation_differences: Gauge::default(),
            shared: LastFigures::default(),
            per_receiver: per_receiver.then(AttemptsOf::default),
        };
        // A series that begins with 0 shows its first event as a rise.
        for status in STATUSES {
            drop(families.events.get_or_create(&StatusLabel { status }));
        }
        for outcome in OUTCOMES {
            drop(families.attempts.get_or_create(&OutcomeLabel { outcome }));
        }
        for connection in ["new", "reused"] {
            let label = ConnectionLabel { connection };
            drop(families.requests.get_or_create(&label));
        }
        let registry = &mut families.registry;
        registry.register(
            "rowhook_changes",
            "Committed row changes that were fanned out",
            families.changes.clone(),
        );
        registry.register(
            "rowhook_events",
            "Events by the status they came to: pending when made, or owed once more",
            families.events.clone(),
        );
        registry.register(
            "rowhook_attempts",
            "Requests made, by what came of them",
            families.attempts.clone(),
        );
        registry.register(
            "rowhook_attempt_duration_seconds",
            "How long a request took, from its start to the end of the answer",
            families.attempt_duration.clone(),
        );
        // Beyond the contract's names: an attempt that pays for a connection takes several times as long.
        registry.register(
            "rowhook_connections_opened",
            "Connections to receivers that were opened, through a proxy too; TLS may still have failed on some",
            families.connections_opened.clone(),
        );
        registry.register(
            "rowhook_requests",
            "Requests that went out to receivers, by connection: new (opened for this request) or reused. The reuse \
             rate is reused by all; attempts that got no connection are in rowhook_attempts alone",
            families.requests.clone(),
        );
        registry.register(
            "rowhook_commit_to_delivery_seconds",
            "From the commit of a change to the answer that delivered it",
            families.commit_to_delivery.clone(),
        );
        registry.register(
            "rowhook_actor_restarts",
            "Stages that were started again",
            families.restarts.clone(),
        );
        registry.register(
            "rowhook_filter_failures",
            "Changes that a subscription's filter could not judge, and that were delivered for it",
            families.filter_failures.clone(),
        );
        // Beyond the contract's names: the one figure that says whether the others can be believed.
        registry.register(
            "rowhook_reconciliation_differences",
            "Differences between changes, events and attempts that the last round of reconciliation found; 0 in an \
             instance that does not poll",
            families.reconciliation_differences.clone(),
        );
        registry.register_collector(Box::new(FiguresCollector {
            last: families.shared.clone(),
            attempts: families.per_receiver.clone(),
        }));
        Self(Arc::new(families))
    }

    /// A stage was started again.
    pub fn actor_restarted(&self, actor: &'static str) {
        self.0.restarts.get_or_create(&ActorLabel { actor }).inc();
    }

    /// Changes of one resource and action were fanned out.
    pub fn changes(&self, resource: &str, action: &'static str, count: u64) {
        let labels = ChangeLabels {
            resource: resource.to_owned(),
            action,
        };
        self.0.changes.get_or_create(&labels).inc_by(count);
    }

    /// Events came to a status.
    pub fn events(&self, status: &'static str, count: u64) {
        self.0
            .events
            .get_or_create(&StatusLabel { status })
            .inc_by(count);
    }

    /// A request was made to this receiver.
    pub fn attempt(&self, receiver: i32, outcome: &'static str, took: Duration) {
        if let Some(attempts) = &self.0.per_receiver {
            attempts.add(receiver, outcome);
        }
        self.0
            .attempts
            .get_or_create(&OutcomeLabel { outcome })
            .inc();
        self.0.attempt_duration.observe(took.as_secs_f64());
    }

    /// A connection to a receiver was opened.
    pub fn connection_opened(&self) {
        self.0.connections_opened.inc();
    }

    /// A request goes out, on a connection that was opened for it or on one that others have used.
    pub fn request(&self, on_new_connection: bool) {
        let connection = if on_new_connection { "new" } else { "reused" };
        self.0
            .requests
            .get_or_create(&ConnectionLabel { connection })
            .inc();
    }

    /// A change arrived at its receiver.
    pub fn delivered_after(&self, seconds: f64) {
        self.0.commit_to_delivery.observe(seconds.max(0.0));
    }

    /// Whether some are told for each receiver.
    pub fn per_receiver(&self) -> bool {
        self.0.per_receiver.is_some()
    }

    /// What the database was found to hold.
    pub fn found(&self, figures: Figures) {
        self.0.shared.put(figures);
    }

    /// How old that is; `None` as long as nothing was found.
    pub fn found_ago(&self) -> Option<Duration> {
        self.0.shared.age()
    }

    /// A filter could not judge a change.
    pub fn filter_failed(&self) {
        self.0.filter_failures.inc();
    }

    /// What the last round of reconciliation found.
    pub fn reconciliation_differences(&self, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.0.reconciliation_differences.set(count);
    }

    /// The figures in Prometheus' text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.0.registry).expect("writing to a string does not fail");
        text
    }
}
