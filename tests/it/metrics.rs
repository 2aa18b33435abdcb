//! What Prometheus is told: every name, and figures that are true although a database is slow or away.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use rowhook::{
    domain::{
        ids::ReceiverId,
        receiver_health::{HealthRecord, HealthState},
        stats::{DeliveryStats, QueueStats, StatsStep},
    },
    pipeline::figures::{FiguresPatience, FiguresReader},
    policy::history::Steps,
    store::{
        StoreError,
        capture::{CaptureState, CaptureView, OpenTransaction},
        receiver_health::ReceiverHealthStore,
        stats::StatsStore,
    },
    telemetry::{Figures, Metrics, ReceiverFigures},
};

use crate::support::{
    both::on_both, database::TestDatabase, house::House, receiver::Answer, service::Service,
    wait::until_ok,
};

on_both!(
    what_is_owed_is_told,
    what_people_do_with_events_is_counted,
    receivers_are_told_apart_where_that_is_asked_for,
);

/// Every metric with one series of each kind, as a service may show it.
fn everything() -> String {
    let metrics = Metrics::new(true);
    metrics.actor_restarted("sender");
    metrics.changes("RUN_STEP", "update", 1);
    metrics.attempt(1, "delivered", Duration::from_millis(3));
    metrics.delivered_after(0.01);
    metrics.found(Figures {
        states: HealthState::ALL.map(|one| (one.in_metrics(), 1)).to_vec(),
        receivers: vec![ReceiverFigures {
            id: 1,
            name: "a \"name\"\n".to_owned(),
            state: "healthy",
            pending: 2,
        }],
        ..Figures::default()
    });
    metrics.render()
}

/// A sample's name, and its labels.
fn sample(line: &str) -> (&str, Vec<(String, String)>) {
    let Some((name, rest)) = line.split_once('{') else {
        return (line.split_once(' ').unwrap().0, Vec::new());
    };
    let (labels, _) = rest.rsplit_once('}').unwrap();
    let labels = labels.split("\",").map(|label| {
        let (key, value) = label.split_once("=\"").unwrap();
        (key.to_owned(), value.trim_end_matches('"').to_owned())
    });
    (name, labels.collect())
}

/// A metric, and the values of its labels.
#[derive(Default)]
struct Family<'a> {
    kind: &'a str,
    help: &'a str,
    labels: BTreeMap<String, BTreeSet<String>>,
}

/// Each metric as people know it: name, type, labels (with all their values where there are few), help.
fn described(page: &str) -> String {
    let mut found: BTreeMap<&str, Family<'_>> = BTreeMap::new();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            found.entry(name).or_default().help = help;
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            found.entry(name).or_default().kind = kind;
        } else if !line.starts_with('#') {
            let (name, labels) = sample(line);
            let known = |name: &str| found.contains_key(name);
            let family = ["_total", "_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end).filter(|name| known(name)))
                .unwrap_or(name);
            let entry = found.get_mut(family).unwrap();
            for (key, value) in labels.into_iter().filter(|(key, _)| key != "le") {
                entry.labels.entry(key).or_default().insert(value);
            }
        }
    }
    let closed = ["status", "outcome", "state", "connection"];
    let mut text = String::new();
    for (name, family) in found {
        let Family { kind, help, labels } = family;
        let total = if kind == "counter" { "_total" } else { "" };
        let labels: Vec<String> = labels
            .into_iter()
            .map(|(key, values)| match closed.contains(&key.as_str()) {
                true => format!("{key}={}", values.into_iter().collect::<Vec<_>>().join("|")),
                false => key,
            })
            .collect();
        let labels = labels.join(", ");
        text.push_str(&format!("{name}{total} {kind} {{{labels}}}\n    {help}\n"));
    }
    text
}

/// The metrics and the list under version control are the same.
///
/// After a change that is meant: `ROWHOOK_UPDATE_SNAPSHOTS=1 cargo test --test it metrics::`, and read the difference as
/// those will who have dashboards.
#[test]
fn the_metrics_are_the_documented_ones() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.txt");
    let now = described(&everything());
    if std::env::var_os("ROWHOOK_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let documented = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        now, documented,
        "docs/metrics.txt is not what the code tells"
    );
    for contract in [
        "rowhook_changes_total counter {action, resource}",
        "rowhook_events_total counter {status=cancelled|delivered|failed|pending}",
        "rowhook_attempts_total counter {outcome=",
        "rowhook_attempt_duration_seconds histogram {}",
        "rowhook_commit_to_delivery_seconds histogram {}",
        "rowhook_pending_events gauge {}",
        "rowhook_oldest_pending_seconds gauge {}",
        "rowhook_capture_lag_seconds gauge {}",
        "rowhook_actor_restarts_total counter {actor}",
        "rowhook_receiver_state gauge {state=failing|healthy|inactive|probing}",
    ] {
        assert!(now.contains(contract), "{contract}\n{now}");
    }
}

async fn page(service: &Service) -> String {
    service.http("GET", "/metrics", "").await.unwrap().1
}

/// Waits until all of these series are there.
async fn until_shown(service: &Service, wanted: &[&str]) -> String {
    until_ok("it is shown", async || {
        let page = page(service).await;
        let missing: Vec<_> = wanted
            .iter()
            .filter(|one| !page.lines().any(|line| line == **one))
            .collect();
        match missing.is_empty() {
            true => Ok(page),
            false => Err(format!("{missing:?} of {page}")),
        }
    })
    .await
}

fn value(page: &str, name: &str) -> f64 {
    let line = page
        .lines()
        .find(|line| line.starts_with(&format!("{name} ")));
    let line = line.unwrap_or_else(|| panic!("{name} is not in {page}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

async fn what_is_owed_is_told(database: TestDatabase) {
    let house = House::of(database).await;
    house
        .receiver
        .answer(|delivery| match delivery.path.as_str() {
            "/ill" => Answer::Status(503),
            _ => Answer::Status(200),
        });
    house
        .register_for_items("/ill", ", retryPolicy: {initialDelayMs: 3600000}")
        .await;
    house.register_for_items("/well", "").await;
    let off = house.register("/off", "").await;
    house.update("Receiver", off, "active: false").await;
    house
        .sql("insert into items values (1, 0, 'a'); insert into items values (2, 0, 'a')")
        .await;
    house.wait_for_count("status: \"delivered\"", 2).await;
    let page = until_shown(
        &house.service,
        &[
            "rowhook_pending_events 2",
            "rowhook_receiver_state{state=\"healthy\"} 1",
            "rowhook_receiver_state{state=\"failing\"} 1",
            "rowhook_receiver_state{state=\"probing\"} 0",
            "rowhook_receiver_state{state=\"inactive\"} 1",
            "rowhook_events_total{status=\"pending\"} 4",
            "rowhook_events_total{status=\"delivered\"} 2",
            "rowhook_events_total{status=\"failed\"} 0",
            "rowhook_events_total{status=\"cancelled\"} 0",
            "rowhook_attempts_total{outcome=\"delivered\"} 2",
            "rowhook_attempts_total{outcome=\"refused\"} 2",
            "rowhook_attempts_total{outcome=\"unanswered\"} 0",
            "rowhook_changes_total{resource=\"ITEM\",action=\"create\"} 2",
        ],
    )
    .await;
    assert!(value(&page, "rowhook_oldest_pending_seconds") > 0.0);
    assert!(value(&page, "rowhook_capture_lag_seconds") >= 0.0);
    assert!(value(&page, "rowhook_figures_age_seconds") < 6.0);
    assert!(!page.contains("receiver=\""), "{page}");
    // Another instance tells the same, though it has delivered nothing. An embedded database has one.
    if house.dialect == rowhook::store::sql::db::Dialect::Postgres {
        let items = crate::support::house::items(house.dialect);
        let other = Service::start(&house.url, "", &[items]).await;
        until_shown(
            &other,
            &[
                "rowhook_pending_events 2",
                "rowhook_receiver_state{state=\"inactive\"} 1",
                "rowhook_attempts_total{outcome=\"delivered\"} 0",
            ],
        )
        .await;
    }
}

async fn what_people_do_with_events_is_counted(database: TestDatabase) {
    let house = House::of(database).await;
    house.receiver.answer(|_| Answer::Status(503));
    let retry = ", retryPolicy: {initialDelayMs: 3600000}";
    let receiver = house.register_for_items("/items", retry).await;
    house
        .sql("insert into items values (1, 0, 'a'), (2, 0, 'a'), (3, 0, 'a')")
        .await;
    house.wait_for_count("status: \"pending\"", 3).await;
    let of = format!("filters: {{receiverId: {receiver}}}");
    let cancel = format!("mutation {{ cancelWebhookEvents({of}) {{ count }} }}");
    house.service.graphql(&cancel).await;
    house.wait_for_count("status: \"cancelled\"", 3).await;
    let again = format!("mutation {{ redeliverWebhookEvents({of}) {{ count }} }}");
    house.service.graphql(&again).await;
    house.wait_for_count("status: \"pending\"", 3).await;
    let delete = format!(
        "mutation {{ deleteWebhookReceiver(input: {{id: {receiver}}}) {{ webhookReceiver {{ id }} }} }}"
    );
    house.service.graphql(&delete).await;
    house.wait_for_count("status: \"cancelled\"", 3).await;
    until_shown(
        &house.service,
        &[
            "rowhook_events_total{status=\"pending\"} 6",
            "rowhook_events_total{status=\"cancelled\"} 6",
        ],
    )
    .await;
}

async fn receivers_are_told_apart_where_that_is_asked_for(database: TestDatabase) {
    let settings = "[metrics]\nper_receiver = true\n";
    let house = House::with(database, settings, "", &[]).await;
    house
        .receiver
        .answer(|delivery| match delivery.path.as_str() {
            "/ill" => Answer::Status(503),
            _ => Answer::Status(200),
        });
    let retry = ", retryPolicy: {initialDelayMs: 3600000}";
    let ill = house.register_for_items("/ill", retry).await;
    let well = house.register_for_items("/well", "").await;
    house.sql("insert into items values (1, 0, 'a')").await;
    house.wait_for_count("status: \"delivered\"", 1).await;
    let of = |id: i64, name: &str| format!("receiver=\"{id}\",name=\"{name}\"");
    let (ill, well) = (of(ill, "/ill"), of(well, "/well"));
    let wanted = [
        format!("rowhook_receiver_attempts_total{{{ill},outcome=\"refused\"}} 1"),
        format!("rowhook_receiver_attempts_total{{{well},outcome=\"delivered\"}} 1"),
        format!("rowhook_receiver_attempts_total{{{well},outcome=\"refused\"}} 0"),
        format!("rowhook_receiver_pending_events{{{ill}}} 1"),
        format!("rowhook_receiver_pending_events{{{well}}} 0"),
        format!("rowhook_receiver_in_state{{{ill},state=\"failing\"}} 1"),
        format!("rowhook_receiver_in_state{{{ill},state=\"healthy\"}} 0"),
        format!("rowhook_receiver_in_state{{{well},state=\"healthy\"}} 1"),
    ];
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    until_shown(&house.service, &wanted).await;
}

/// A database that answers, is away, or hangs.
#[derive(Default)]
struct Moody {
    asked: AtomicU32,
    /// From which question on it is away, and from which on it hangs.
    away_from: u32,
    hangs_from: u32,
}

#[async_trait]
impl StatsStore for Moody {
    async fn queue(&self) -> Result<QueueStats, StoreError> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        if asked >= self.hangs_from {
            std::future::pending::<()>().await;
        }
        if asked >= self.away_from {
            return Err(StoreError::Unavailable("away".to_owned()));
        }
        Ok(QueueStats {
            pending: 7,
            oldest: Some(Duration::from_secs(60)),
        })
    }

    async fn queues_of(
        &self,
        _: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, QueueStats>, StoreError> {
        unreachable!("receivers are not told apart")
    }

    async fn deliveries(&self) -> Result<DeliveryStats, StoreError> {
        unreachable!("nobody asks")
    }

    async fn deliveries_of(
        &self,
        _: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, DeliveryStats>, StoreError> {
        unreachable!("nobody asks")
    }

    async fn history(&self, _: Option<ReceiverId>, _: Steps) -> Result<Vec<StatsStep>, StoreError> {
        unreachable!("nobody asks")
    }
}

#[async_trait]
impl CaptureView for Moody {
    async fn state(&self) -> Result<CaptureState, StoreError> {
        unreachable!("nobody asks")
    }

    async fn lag(&self) -> Result<Duration, StoreError> {
        Ok(Duration::from_secs(2))
    }

    async fn oldest_open_transaction(&self) -> Result<Option<OpenTransaction>, StoreError> {
        unreachable!("nobody asks")
    }
}

#[async_trait]
impl ReceiverHealthStore for Moody {
    async fn health_of(
        &self,
        _: &[ReceiverId],
    ) -> Result<HashMap<ReceiverId, HealthRecord>, StoreError> {
        unreachable!("nobody asks")
    }

    async fn states(&self) -> Result<HashMap<HealthState, u64>, StoreError> {
        Ok(HashMap::from([(HealthState::Probing, 3)]))
    }

    async fn each_state(&self) -> Result<Vec<(ReceiverId, String, HealthState)>, StoreError> {
        unreachable!("receivers are not told apart")
    }
}

fn reader(moody: Moody, fresh: Duration) -> (Arc<Moody>, FiguresReader) {
    let moody = Arc::new(moody);
    let reader = FiguresReader {
        stats: moody.clone(),
        capture: moody.clone(),
        receivers: moody.clone(),
        metrics: Metrics::default(),
        patience: FiguresPatience {
            fresh,
            ..FiguresPatience::default()
        },
        reading: Arc::default(),
    };
    (moody, reader)
}

#[tokio::test(start_paused = true)]
async fn what_was_found_lately_is_not_read_again() {
    let moody = Moody {
        away_from: 9,
        hangs_from: 9,
        ..Moody::default()
    };
    let (moody, reader) = reader(moody, Duration::from_secs(3600));
    for _ in 0..3 {
        let page = reader.page().await;
        assert!(page.contains("rowhook_pending_events 7\n"), "{page}");
        assert!(page.contains("rowhook_receiver_state{state=\"probing\"} 3\n"));
    }
    assert_eq!(moody.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_scrape_shows_what_there_was_when_the_database_is_away() {
    let moody = Moody {
        away_from: 1,
        hangs_from: 2,
        ..Moody::default()
    };
    let (moody, reader) = reader(moody, Duration::ZERO);
    let first = reader.page().await;
    assert!(first.contains("rowhook_pending_events 7\n"), "{first}");
    let age = value(&first, "rowhook_figures_age_seconds");
    // It is away, then it hangs: each scrape comes soon, and says how old its figures are.
    for _ in 0..3 {
        let began = tokio::time::Instant::now();
        let page = reader.page().await;
        assert!(
            began.elapsed() <= Duration::from_millis(501),
            "by the paused clock"
        );
        assert!(page.contains("rowhook_pending_events 7\n"), "{page}");
        assert!(value(&page, "rowhook_figures_age_seconds") > age);
    }
    assert_eq!(moody.asked.load(Ordering::SeqCst), 3, "one look at a time");
}

#[tokio::test(start_paused = true)]
async fn what_was_never_told_is_absent() {
    let (_, reader) = reader(Moody::default(), Duration::ZERO);
    let page = reader.page().await;
    for absent in ["rowhook_pending_events", "rowhook_receiver_state{"] {
        let shown = page.lines().any(|line| line.starts_with(absent));
        assert!(!shown, "{absent} is in {page}");
    }
    assert!(value(&page, "rowhook_figures_age_seconds") >= 0.0);
}
