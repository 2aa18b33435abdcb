//! The composition root: the only file that knows everybody.
//!
//! It opens the database, puts the triggers on, starts the rooms and the HTTP server, and takes all of
//! it down again in order. It decides nothing that a setting or a layer below decides.

use std::{
    fs::File,
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use actix_web::{App as WebApp, HttpServer, dev::ServerHandle};
use async_trait::async_trait;

use crate::{
    config::{
        Settings,
        key_file::{KeyFileError, load_or_create_key_file},
    },
    domain::{
        api_key::Role,
        receiver::RetryPolicy,
        resource::{Catalogue, Resource},
    },
    graphql::{Api, ReceiverDefaults, Services, UriCheck},
    http::{HttpState, KeyAuthenticator, Readiness, Sockets, routes},
    pipeline::{
        Pipeline, PipelineParts, PipelineSettings, guardian::GuardianSettings,
        retention::RetentionSettings, sender::DeliveryDefaults, status::Status,
    },
    policy::{
        egress::EgressPolicy,
        seal::{InvalidSealingKey, Sealer, parse_key},
        webhook_uri::check_uri,
    },
    sample,
    store::{
        StoreError,
        api_keys::ApiKeyStore,
        catalogue::{InstallError, Installed, ResourceInstaller, WantedResource},
        leases::LeaseStore,
        sql::{
            api_keys::SqlApiKeyStore,
            catalogue::SqlResourceInstaller,
            change_log::SqlChangeLog,
            connect::ConnectError,
            db::{Db, Dialect},
            event_control::SqlEventControl,
            event_log::SqlEventLog,
            event_queue::SqlEventQueue,
            fan_out::SqlFanOut,
            leases::SqlLeases,
            migrations::MigrateError,
            outcomes::SqlOutcomes,
            page_connection::PageConnection,
            receivers::SqlManagementStore,
            replay::SqlHistory,
            retention::SqlRetention,
        },
    },
    telemetry::Metrics,
    transport::{
        HttpTransportFactory, SystemResolver, TransportSettings,
        tls::{TlsSettingsError, client_config},
    },
};

/// How long a stop waits for what is in flight: longer than any timeout that is likely, shorter than
/// the 30 s after which orchestrators kill.
pub const GRACE: Duration = Duration::from_secs(20);
/// Events written in one transaction: PostgreSQL, and SQLite, where the application's writes wait.
const EVENTS_PER_COMMIT: (usize, usize) = (20_000, 1000);
/// Old rows dropped in one transaction, on the same terms.
const ROWS_PER_STEP: (u32, u32) = (1000, 250);
/// A start has more urgent things to do than to drop what is old.
const FIRST_PASS: Duration = Duration::from_secs(60);
/// Between two passes that drop what is old: often, so that each has little to do.
const BETWEEN_PASSES: Duration = Duration::from_secs(600);

/// Why the service can not start. The texts tell the user what to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting.
    #[error("{setting}: {message}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// No table is watched.
    #[error(
        "no resource is configured, so there is nothing to watch; add [[resources]] entries to \
         rowhook.toml (`rowhook resources discover` proposes them), or set sample = true to try rowhook"
    )]
    NoResources,
    /// The database is older than this program.
    #[error(
        "{0} migrations of rowhook's own tables are not applied in this database; run `rowhook migrate up` \
         (`rowhook serve` does it by itself unless auto_migrate is off)"
    )]
    Pending(usize),
    /// A command that only looks was pointed at an embedded database that is not there.
    #[error("database_url: there is no file {}; correct it in rowhook.toml or ROWHOOK_DATABASE_URL", .0.display())]
    NoFile(PathBuf),
    /// Another process serves the embedded database.
    #[error("another rowhook serves {}; stop it first, or name another database_url", .0.display())]
    InUse(PathBuf),
    /// The lock beside the embedded database.
    #[error(
        "database_url: {} can not be made ({error}); its folder must be there, and this user must be able to \
         write in it", .path.display()
    )]
    Lock {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// The address is taken or not ours.
    #[error(
        "listen: {address} can not be listened on ({error}); stop what does, or set another address with \
         `listen` in rowhook.toml or ROWHOOK_LISTEN"
    )]
    Listen {
        /// The address.
        address: String,
        /// The system's words.
        error: std::io::Error,
    },
    /// The key file of the embedded database.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsSettingsError),
    /// A watched table.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// There is no connection to the database.
    #[error("database_url: {0}")]
    Connect(#[from] ConnectError),
    /// rowhook's own tables.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The sample tables.
    #[error("the sample tables could not be made: {0}")]
    Sample(String),
}

impl StartError {
    /// Whether the user has to mend the configuration, as against the surroundings.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Setting { .. } | Self::NoResources | Self::NoFile(_) | Self::Tls(_) => true,
            Self::Install(error) => !matches!(error, InstallError::Store(_)),
            Self::Connect(error) => matches!(error, ConnectError::Url(_)),
            Self::Pending(_)
            | Self::InUse(_)
            | Self::Lock { .. }
            | Self::Listen { .. }
            | Self::KeyFile(_)
            | Self::Migrate(_)
            | Self::Store(_)
            | Self::Sample(_) => false,
        }
    }
}

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
    /// What is watched.
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
        check(settings)?;
        drop(bind(settings)?);
        let transport = transport(settings)?;
        let lock = lock_embedded(&settings.database_url)?;
        let db = open(settings).await?;
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
        let parts = PipelineParts {
            change_log: Arc::new(SqlChangeLog::new(pages.clone())),
            fan_out: Arc::new(SqlFanOut::new(pages)),
            queue: Arc::new(SqlEventQueue::new(db.clone())),
            targets: management.clone(),
            outcomes: Arc::new(SqlOutcomes::new(db.clone())),
            catalogue: installer,
            leases,
            retention: Arc::new(SqlRetention::new(db.clone())),
            transport,
        };
        let status = Status::new(Metrics::default());
        let delivery = DeliveryDefaults {
            timeout: settings.defaults.timeout,
            max_in_flight: settings.defaults.max_in_flight,
            retry: RetryPolicy::default(),
            max_payload: usize::try_from(settings.max_payload.as_u64()).unwrap_or(usize::MAX),
        };
        let api = Api::new(Services {
            receivers: management.clone(),
            subscriptions: management,
            keys: keys.clone(),
            has_configured_admin: settings.admin_key.is_some(),
            events: Arc::new(SqlEventLog::new(db.clone())),
            catalogue: catalogue.clone(),
            check_uri: uri_check(settings),
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
        });
        let metrics = status.metrics().clone();
        let sockets = Arc::new(Sockets::default());
        let state = HttpState {
            api: Arc::new(api),
            authenticator: Arc::new(KeyAuthenticator::new(settings.admin_key.as_deref(), keys)),
            readiness: Arc::new(ServiceReadiness {
                db: db.clone(),
                status: status.clone(),
            }),
            metrics: Arc::new(move || metrics.render()),
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
        };
        let pipeline = Pipeline::start(&parts, &pipeline_settings, &holder(), status);
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

    /// Stops taking requests, finishes what is in flight within the time, and closes the database.
    pub async fn stop(self, grace: Duration) {
        // The server waits for every connection, and a WebSocket ends only when someone closes it.
        self.sockets.close_all();
        self.server.stop(true).await;
        self.pipeline.finish(grace).await;
        if let Err(error) = self.db.close().await {
            tracing::warn!(%error, "the database connection was not closed cleanly");
        }
        tracing::info!("stopped");
    }
}

/// This process, in leases: the host and the process for people, random digits so that no two are the
/// same.
fn holder() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "rowhook".to_owned());
    let random: u64 = rand::random();
    format!("{host}/{}/{random:016x}", std::process::id())
}

/// The path of an embedded database.
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))?;
    Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
}

/// One process serves an embedded database. The lock goes with the process, however it ends, so the
/// next one need not wait for leases.
fn lock_embedded(url: &str) -> Result<Option<File>, StartError> {
    let Some(database) = sqlite_path(url) else {
        return Ok(None);
    };
    let path = beside(&database, ".lock");
    let lock_error = |error| StartError::Lock {
        path: path.clone(),
        error,
    };
    let file = File::create(&path).map_err(lock_error)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::InUse(database)),
        Err(std::fs::TryLockError::Error(error)) => Err(lock_error(error)),
    }
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The database, with the schema that this program needs.
pub async fn open(settings: &Settings) -> Result<Db, StartError> {
    let db = Db::connect(&settings.database_url, settings.database_connections).await?;
    if settings.auto_migrate {
        let applied = db.migrate_up().await?;
        if applied > 0 {
            tracing::info!(applied, "migrations applied");
        }
    } else {
        refuse_pending(&db).await?;
    }
    Ok(db)
}

/// The database as it is: for commands that look at it or need no table of rowhook's. Makes nothing.
pub async fn connect_existing(settings: &Settings) -> Result<Db, StartError> {
    if let Some(path) = sqlite_path(&settings.database_url)
        && !path.exists()
    {
        return Err(StartError::NoFile(path));
    }
    Ok(Db::connect(&settings.database_url, settings.database_connections).await?)
}

/// The database with the schema that this program needs, which is not made.
pub async fn open_existing(settings: &Settings) -> Result<Db, StartError> {
    let db = connect_existing(settings).await?;
    refuse_pending(&db).await?;
    Ok(db)
}

async fn refuse_pending(db: &Db) -> Result<(), StartError> {
    match db.pending_migrations().await? {
        0 => Ok(()),
        pending => Err(StartError::Pending(pending)),
    }
}

/// Whether the settings can be started with, as far as that can be told without the database.
pub fn check(settings: &Settings) -> Result<(), StartError> {
    transport(settings)?;
    if sqlite_path(&settings.database_url).is_none() {
        sealer(settings)?;
    }
    // Only how many there are matters here, and that is the same on both databases.
    if wanted_resources(settings, Dialect::Postgres).is_empty() {
        return Err(StartError::NoResources);
    }
    Ok(())
}

/// What opens and closes secrets.
fn sealer(settings: &Settings) -> Result<Sealer, StartError> {
    let key_of = |setting: &'static str, text: &str| {
        parse_key(text).map_err(|error: InvalidSealingKey| StartError::Setting {
            setting,
            message: error.to_string(),
        })
    };
    let previous = settings
        .previous_secret_keys
        .iter()
        .map(|text| key_of("previous_secret_keys", text))
        .collect::<Result<Vec<_>, _>>()?;
    let current = match (&settings.secret_key, sqlite_path(&settings.database_url)) {
        (Some(text), _) => key_of("secret_key", text)?,
        (None, Some(database)) => load_or_create_key_file(&beside(&database, ".key"))?,
        (None, None) => {
            return Err(StartError::Setting {
                setting: "secret_key",
                message: "is needed with PostgreSQL: secrets are encrypted with it; make one with \
                          `openssl rand -base64 32` and keep it safe"
                    .to_owned(),
            });
        }
    };
    Ok(Sealer::new(current, previous))
}

/// Every resource that the settings ask for.
pub fn wanted_resources(settings: &Settings, dialect: Dialect) -> Vec<WantedResource> {
    let configured = settings.resources.iter().map(|one| WantedResource {
        name: one.name.clone(),
        aliases: one.aliases.clone(),
        table: one.table.clone(),
        key: one.key.clone(),
        etag: one.etag.clone(),
        exclude: one.exclude.clone(),
        on_truncate: one.on_truncate,
    });
    let mut wanted: Vec<WantedResource> = configured.collect();
    if settings.sample {
        let names: Vec<_> = wanted.iter().map(|one| one.name.clone()).collect();
        let sample = sample::resources(dialect).into_iter();
        wanted.extend(sample.filter(|one| !names.contains(&one.name)));
    }
    wanted
}

/// Puts the triggers on every wanted table.
async fn install(
    settings: &Settings,
    db: &Db,
    installer: &dyn ResourceInstaller,
) -> Result<Catalogue, StartError> {
    if settings.sample {
        sample::create_tables(db)
            .await
            .map_err(|error| StartError::Sample(error.to_string()))?;
    }
    let wanted = wanted_resources(settings, db.dialect());
    if wanted.is_empty() {
        return Err(StartError::NoResources);
    }
    let mut resources: Vec<Resource> = Vec::with_capacity(wanted.len());
    for one in &wanted {
        let (resource, done) = installer.install(one).await?;
        if done == Installed::Changed {
            let table = &resource.definition.table;
            tracing::info!(resource = %resource.name, %table, "triggers put on");
        }
        resources.push(resource);
    }
    Ok(Catalogue::new(resources))
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

fn transport(settings: &Settings) -> Result<Arc<HttpTransportFactory>, StartError> {
    let bundle = match &settings.receivers.ca_bundle {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|error| StartError::Setting {
            setting: "receivers.ca_bundle",
            message: format!("{}: {error}", path.display()),
        })?),
    };
    let tls = client_config(bundle.as_deref())?;
    Ok(Arc::new(HttpTransportFactory::new(TransportSettings {
        egress: egress(settings),
        allow_http: settings.receivers.allow_http,
        tls: Arc::new(tls),
        bind_address: settings.receivers.bind_address,
        resolver: Arc::new(SystemResolver),
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

struct ServiceReadiness {
    db: Db,
    status: Status,
}

#[async_trait]
impl Readiness for ServiceReadiness {
    async fn ready(&self) -> Result<(), Vec<String>> {
        let mut reasons = self.status.ready().err().unwrap_or_default();
        if let Err(error) = self.db.ping().await {
            reasons.push(error.to_string());
        }
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(reasons)
        }
    }
}
