//! The composition root: the only place that knows everybody.
//!
//! It opens the database, puts the triggers on, starts the rooms and the HTTP server, and takes all of
//! it down again in order. It decides nothing that a setting or a layer below decides.

mod database;
mod doctor;
mod instance;
mod outgrown;
mod sample;
mod start_error;
mod traces;
mod watched;

use std::{fs::File, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App as WebApp, HttpServer, dev::ServerHandle};
use chrono::Utc;

use crate::{
    config::{self, Settings},
    domain::{
        api_key::Role,
        instance::instance_name,
        receiver::RetryPolicy,
        resource::{Catalogue, LiveCatalogue},
    },
    graphql::{Api, LookAtUri, ReceiverDefaults, Services, UriCheck, WatchedTables},
    http::{HttpState, KeyAuthenticator, Sockets, routes},
    pipeline::{
        Pipeline, PipelineParts, PipelineSettings,
        catalogue_watch::WatchedCatalogue,
        figures::{FiguresPatience, FiguresReader},
        guardian::GuardianSettings,
        reconciler::ReconcilerSettings,
        retention::RetentionSettings,
        sender::DeliveryDefaults,
        status::Status,
        wakes::Wakes,
    },
    policy::{egress::EgressPolicy, receiver_health::HealthPolicy, webhook_uri::check_uri},
    store::{
        api_keys::ApiKeyStore,
        event_counts::EventCounts,
        leases::LeaseStore,
        sql::{
            api_keys::SqlApiKeyStore,
            capture::SqlCaptureView,
            capture_notes::SqlCaptureNotes,
            catalogue::{LockPatience, SqlResourceInstaller},
            change_log::SqlChangeLog,
            db::{Db, Dialect},
            event_control::SqlEventControl,
            event_log::SqlEventLog,
            event_queue::SqlEventQueue,
            fan_out::SqlFanOut,
            instance_view::SqlInstanceView,
            instances::SqlInstances,
            leases::SqlLeases,
            migrations::MigrateError,
            outcomes::SqlOutcomes,
            page_connection::PageConnection,
            receivers::SqlManagementStore,
            reconciliation::SqlReconciliation,
            replay::SqlHistory,
            retention::SqlRetention,
            stats::SqlStats,
            test_deliveries::SqlTestDeliveries,
        },
    },
    telemetry::Metrics,
    transport::{
        HttpTransportFactory, SystemResolver, TransportSettings, tls::client_config, uri_look,
    },
};

use database::{lock_embedded, sealer};
use doctor::examination;
use instance::ThisInstance;
use sample::ThisSample;
use watched::install;

pub use database::{
    connect_existing, connect_to_look, look_at_existing, open, open_existing, sqlite_path,
};
pub use start_error::StartError;
pub use watched::{is_made_at_start, needed_resources, wanted_resources};

/// How long a stop waits for what is in flight: longer than any timeout that is likely, shorter than
/// the 30 s after which orchestrators kill.
pub const GRACE: Duration = Duration::from_secs(20);
/// A stop waits so long for connections to the database to be closed: one on which no answer comes would not be.
const CLOSED_WITHIN: Duration = Duration::from_secs(3);
/// A stop waits so long for the last traces to reach their collector.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// Events written in one transaction: PostgreSQL, and SQLite, where the application's writes wait.
const EVENTS_PER_COMMIT: (usize, usize) = (20_000, 1000);
/// Old rows dropped in one transaction, on the same terms.
const ROWS_PER_STEP: (u32, u32) = (1000, 250);
/// A start has more urgent things to do than to drop what is old.
const FIRST_PASS: Duration = Duration::from_secs(60);
/// Between two passes that drop what is old: often, so that each has little to do.
const BETWEEN_PASSES: Duration = Duration::from_secs(600);

/// Of the newest changes and events so many are compared, so that a round takes seconds. Where more are made between two
/// rounds (eight a second, as it is), it is a sample; `rowhook doctor --changes` looks further.
const RECONCILED: u32 = 5000;
/// Whoever looks once a minute need not insist.
const FEW_TRIES: u32 = 3;

/// Runs a future on the actix system of this process, which stages and servers need.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    actix::System::new().block_on(work)
}

/// The service, running.
pub struct Service {
    /// Where the API listens.
    pub address: SocketAddr,
    /// An API key that was made because there was none; shown once.
    pub first_key: Option<String>,
    /// What is watched, as its tables were at the start.
    pub catalogue: Arc<Catalogue>,
    pipeline: Pipeline,
    server: ServerHandle,
    sockets: Arc<Sockets>,
    db: Db,
    /// Held for as long as the embedded database is served.
    _lock: Option<File>,
}

impl Service {
    /// Starts everything. Needs a running actix system.
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        // Before anything is touched. The address is bound again when there is something to answer with.
        let metrics = Metrics::new(settings.metrics.per_receiver);
        let transport = before_the_database(settings, &metrics)?;
        drop(bind(settings)?);
        let lock = lock_embedded(&settings.database_url)?;
        let db = open(settings).await?.counting(event_counts(&metrics));
        let sealer = Arc::new(sealer(settings)?);
        let installer = Arc::new(SqlResourceInstaller::new(db.clone()));
        let catalogue = Arc::new(install(settings, &db, &*installer).await?);
        let keys = Arc::new(SqlApiKeyStore::new(db.clone()));
        let first_key = first_key(settings, &*keys).await?;
        let leases = Arc::new(SqlLeases::new(db.clone()));
        if lock.is_some() {
            // The file is ours alone, so whoever held a lease is dead.
            leases.end_all().await?;
        }
        let pages = PageConnection::new(db.clone());
        let management = Arc::new(SqlManagementStore::new(db.clone(), sealer));
        // What a deletion left that was cut off; nobody waits for it.
        let tidying = management.clone();
        tokio::spawn(async move {
            if let Err(error) = tidying.tidy().await {
                tracing::warn!(%error, "what deletions left is looked at again at the next start");
            }
        });
        let notes = Arc::new(SqlCaptureNotes::new(db.clone()));
        let live = LiveCatalogue::new((*catalogue).clone());
        let wanted: Arc<[_]> = wanted_resources(settings, db.dialect()).into();
        let parts = PipelineParts {
            change_log: Arc::new(change_log(settings, pages.clone())),
            fan_out: Arc::new(SqlFanOut::new(pages)),
            queue: Arc::new(SqlEventQueue::new(db.clone())),
            targets: management.clone(),
            outcomes: Arc::new(SqlOutcomes::new(db.clone())),
            catalogue: installer,
            leases,
            instances: Arc::new(SqlInstances::new(db.clone())),
            retention: Arc::new(SqlRetention::new(db.clone())),
            watched: WatchedCatalogue {
                installer: Arc::new(SqlResourceInstaller::with_patience(
                    db.clone(),
                    LockPatience {
                        tries: FEW_TRIES,
                        ..LockPatience::default()
                    },
                )),
                wanted: wanted.clone(),
                catalogue: live.clone(),
            },
            reconciliation: Arc::new(SqlReconciliation::new(db.clone())),
            notes: notes.clone(),
            transport,
            wakes: Wakes::default(),
        };
        let name = holder();
        let traces = traces::traces(settings, &name)?;
        let status = Status::new(metrics).tracing(traces);
        let delivery = DeliveryDefaults {
            timeout: settings.defaults.timeout,
            max_in_flight: settings.defaults.max_in_flight,
            retry: RetryPolicy::default(),
            max_payload: usize::try_from(settings.max_payload.as_u64()).unwrap_or(usize::MAX),
            health: HealthPolicy::default(),
        };
        let wakes = parts.wakes.clone();
        let figures = FiguresReader {
            stats: Arc::new(SqlStats::new(db.clone())),
            capture: Arc::new(SqlCaptureView::new(db.clone())),
            receivers: management.clone(),
            metrics: status.metrics().clone(),
            patience: FiguresPatience::default(),
            reading: Arc::default(),
        };
        let instance = Arc::new(ThisInstance {
            name,
            started_at: Utc::now(),
            db: db.clone(),
            status: status.clone(),
            capture: figures.capture.clone(),
            longest_lag: settings.capture.longest_lag,
        });
        let api = Api::new(Services {
            receivers: management.clone(),
            subscriptions: management.clone(),
            keys: keys.clone(),
            has_configured_admin: settings.admin_key.is_some(),
            events: Arc::new(SqlEventLog::new(db.clone())),
            catalogue: live,
            check_uri: uri_check(settings),
            look_at_uri: uri_look(settings),
            defaults: ReceiverDefaults {
                timeout: delivery.timeout,
                max_in_flight: delivery.max_in_flight,
                retry: delivery.retry,
            },
            source_ips: settings
                .receivers
                .egress_ips
                .iter()
                .map(ToString::to_string)
                .collect(),
            event_control: Arc::new(SqlEventControl::new(db.clone())),
            history: Arc::new(SqlHistory::new(db.clone())),
            test_deliveries: Arc::new(SqlTestDeliveries::new(db.clone())),
            stats: figures.stats.clone(),
            health: management,
            capture: figures.capture.clone(),
            notes,
            examine: examination(settings, &db, wanted.clone()),
            watched: WatchedTables {
                installer: parts.catalogue.clone(),
                wanted,
            },
            wake: Arc::new(move |receiver| wakes.wake([receiver])),
            instances: Arc::new(SqlInstanceView::new(db.clone())),
            instance: instance.clone(),
            sample: ThisSample::of(settings, db.dialect()).map(|sample| Arc::new(sample) as _),
        });
        let sockets = Arc::new(Sockets::default());
        let state = HttpState {
            api: Arc::new(api),
            authenticator: Arc::new(KeyAuthenticator::new(settings.admin_key.as_deref(), keys)),
            readiness: instance.clone(),
            metrics: Arc::new(figures),
            metrics_public: settings.metrics_public,
            sockets: sockets.clone(),
        };
        let (server, address) = listen(settings, state)?;
        let pipeline_settings = PipelineSettings {
            guardian: GuardianSettings::default(),
            delivery,
            events_per_commit: match db.dialect() {
                Dialect::Postgres => EVENTS_PER_COMMIT.0,
                Dialect::Sqlite => EVENTS_PER_COMMIT.1,
            },
            sender_threads: std::thread::available_parallelism().map_or(2, usize::from),
            retention: RetentionSettings {
                events: settings.retention.events,
                changes: settings.retention.changes,
                rows_per_step: match db.dialect() {
                    Dialect::Postgres => ROWS_PER_STEP.0,
                    Dialect::Sqlite => ROWS_PER_STEP.1,
                },
                first_pass: FIRST_PASS,
                between_passes: BETWEEN_PASSES,
            },
            look_at_tables: settings.capture.look_at_tables,
            reconciler: ReconcilerSettings {
                newest: RECONCILED,
                keep: settings.retention.events,
                first_round: FIRST_PASS.min(settings.capture.reconcile),
                between_rounds: settings.capture.reconcile,
            },
        };
        let pipeline = Pipeline::start(&parts, &pipeline_settings, &instance.name, status);
        tracing::info!(%address, resources = catalogue.resources().len(), "rowhook serves");
        Ok(Self {
            address,
            first_key,
            catalogue,
            pipeline,
            server,
            sockets,
            db,
            _lock: lock,
        })
    }

    /// What operators are told.
    pub fn status(&self) -> &Status {
        self.pipeline.status()
    }

    /// Ends when a newer release has changed rowhook's tables so that this program can not work with them: it has to
    /// stop then.
    pub async fn outgrown(&self) -> MigrateError {
        outgrown::outgrown(&self.db).await
    }

    /// Stops taking requests, finishes what is in flight within the time, and closes the database.
    pub async fn stop(self, grace: Duration) {
        // The server waits for every connection, and a WebSocket ends only when someone closes it.
        self.sockets.close_all();
        self.server.stop(true).await;
        let traces = self.pipeline.status().traces().clone();
        self.pipeline.finish(grace).await;
        let told = tokio::task::spawn_blocking(move || traces.stop(TOLD_WITHIN));
        if let Err(error) = told.await {
            tracing::warn!(%error, "the last traces were not sent");
        }
        match tokio::time::timeout(CLOSED_WITHIN, self.db.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database connection was not closed cleanly");
            }
            Err(_) => tracing::warn!("the database does not answer; its connections are dropped"),
        }
        tracing::info!("stopped");
    }
}

/// What people bring to a status is counted like what the stages do.
fn event_counts(metrics: &Metrics) -> EventCounts {
    let metrics = metrics.clone();
    EventCounts::new(move |status, count| metrics.events(status.as_str(), count))
}

fn change_log(settings: &Settings, pages: PageConnection) -> SqlChangeLog {
    if settings.capture.notify {
        SqlChangeLog::listening(pages)
    } else {
        SqlChangeLog::new(pages)
    }
}

/// This process, in leases.
fn holder() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "rowhook".to_owned());
    instance_name(&host, std::process::id(), rand::random())
}

/// Whether the settings can be started with, as far as that can be told without the database.
pub fn check(settings: &Settings) -> Result<(), StartError> {
    before_the_database(settings, &Metrics::default()).map(drop)
}

/// What a start needs of the settings alone, and looks at before it touches anything.
fn before_the_database(
    settings: &Settings,
    metrics: &Metrics,
) -> Result<Arc<HttpTransportFactory>, StartError> {
    let transport = transport(settings, metrics)?;
    if sqlite_path(&settings.database_url).is_none() {
        sealer(settings)?;
    }
    // Only whether there is one matters here, and that is the same on both databases.
    needed_resources(settings, Dialect::Postgres)?;
    Ok(transport)
}

/// Without a configured admin key and without any other, someone has to get the first one.
async fn first_key(
    settings: &Settings,
    keys: &dyn ApiKeyStore,
) -> Result<Option<String>, StartError> {
    if settings.admin_key.is_some() || !keys.keys().await?.is_empty() {
        return Ok(None);
    }
    let (_, key) = keys.create_key("admin", Role::Admin).await?;
    Ok(Some(key))
}

fn egress(settings: &Settings) -> EgressPolicy {
    EgressPolicy {
        allow: settings.receivers.allow_private_networks.clone(),
    }
}

fn uri_check(settings: &Settings) -> UriCheck {
    let (policy, allow_http) = (egress(settings), settings.receivers.allow_http);
    Arc::new(move |uri| match check_uri(uri, allow_http, &policy) {
        Ok(_) => Ok(()),
        Err(problem) => Err(problem.to_string()),
    })
}

fn uri_look(settings: &Settings) -> LookAtUri {
    let (policy, allow_http) = (egress(settings), settings.receivers.allow_http);
    Arc::new(move |uri| {
        let policy = policy.clone();
        Box::pin(async move { uri_look::look(&uri, allow_http, &policy).await })
    })
}

/// Whom this deployment trusts.
fn tls(settings: &Settings) -> Result<rustls::ClientConfig, StartError> {
    let bundle = match &settings.receivers.ca_bundle {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|error| StartError::Setting {
            setting: "receivers.ca_bundle",
            message: format!("{}: {error}", path.display()),
        })?),
    };
    Ok(client_config(bundle.as_deref())?)
}

fn transport(
    settings: &Settings,
    metrics: &Metrics,
) -> Result<Arc<HttpTransportFactory>, StartError> {
    let tls = tls(settings)?;
    let proxies = config::proxies(&settings.receivers)
        .map_err(|(setting, message)| StartError::Setting { setting, message })?;
    for proxy in proxies.all() {
        tracing::info!(%proxy, setting = proxy.setting(), "deliveries go through a proxy");
    }
    Ok(Arc::new(HttpTransportFactory::new(TransportSettings {
        egress: egress(settings),
        allow_http: settings.receivers.allow_http,
        tls: Arc::new(tls),
        bind_address: settings.receivers.bind_address,
        resolver: Arc::new(SystemResolver),
        metrics: metrics.clone(),
        proxies,
    })))
}

fn bind(settings: &Settings) -> Result<std::net::TcpListener, StartError> {
    std::net::TcpListener::bind(&settings.listen).map_err(|error| StartError::Listen {
        address: settings.listen.clone(),
        error,
    })
}

fn listen(settings: &Settings, state: HttpState) -> Result<(ServerHandle, SocketAddr), StartError> {
    let configure = routes(state);
    let failed = |error| StartError::Listen {
        address: settings.listen.clone(),
        error,
    };
    let server = HttpServer::new(move || WebApp::new().configure(configure.clone()))
        .workers(2)
        .disable_signals()
        .shutdown_timeout(5)
        .bind(&settings.listen)
        .map_err(failed)?;
    let address = server
        .addrs()
        .first()
        .copied()
        .ok_or_else(|| failed(std::io::Error::other("it resolves to no address")))?;
    let running = server.run();
    let handle = running.handle();
    actix::spawn(running);
    Ok((handle, address))
}
