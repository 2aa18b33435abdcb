//! What a scenario measures: a database of its own, and rowhook as a process that serves it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sample::load::{Load, LoadTable};

use super::{
    super::{Failure, api_client::ApiClient},
    plain_http,
    process::Process,
    usage::Usage,
};

/// How long rowhook is given to become ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the service is called with.
const ADMIN_KEY: &str = "the bench's own key";

/// The database and the service.
pub struct House {
    /// The application.
    pub load: Load,
    // None while it is stopped. The first is asked whatever is asked.
    services: Vec<Service>,
    instances: usize,
    database: Database,
    settings: String,
    // With its configuration, its log and an embedded database.
    folder: TempDir,
}

/// Where the tables are.
struct Database {
    url: String,
    /// PostgreSQL: the server and the name to drop in the end.
    server: Option<(Load, String)>,
}

/// What a receiver is registered with, beside its URI.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Its URI.
    pub uri: String,
    /// What it is subscribed to (new rows).
    pub table: LoadTable,
    /// Further members of `CreateWebhookReceiverInput`.
    pub settings: Value,
    /// The subscription's filter.
    pub filter: Option<String>,
}

impl Registered {
    /// Without settings and filter.
    pub fn plain(uri: String, table: LoadTable) -> Self {
        Self {
            uri,
            table,
            settings: json!({}),
            filter: None,
        }
    }
}

impl House {
    /// Makes the database and starts rowhook. `server`: a PostgreSQL server's URL, else the embedded database. `settings`:
    /// further lines of its configuration, before the first table.
    pub async fn start(server: Option<&str>, settings: &str) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(Failure::of_work)?;
        let database = Database::make(server, folder.path()).await?;
        match database.serve(folder.path(), settings).await {
            Ok((load, service)) => Ok(Self {
                load,
                services: vec![service],
                instances: 1,
                database,
                settings: settings.to_owned(),
                folder,
            }),
            Err(failure) => {
                database.remove().await?;
                Err(failure)
            }
        }
    }

    /// Starts further instances on the same database, `instances` in all, and waits until they are ready.
    pub async fn share_among(&mut self, instances: usize) -> Result<(), Failure> {
        self.instances = instances;
        self.start_service().await.map(drop)
    }

    /// Registers a receiver and subscribes it to new rows of its table; returns its id.
    pub async fn register(&self, receiver: &Registered) -> Result<i64, Failure> {
        let mut input = receiver.settings.clone();
        input["name"] = json!("bench");
        input["webhookUri"] = json!(receiver.uri);
        let made = "mutation ($input: CreateWebhookReceiverInput!) {
            createWebhookReceiver(input: $input) { webhookReceiver { id } } }";
        let made = self.api()?.call(made, json!({"input": input})).await?;
        let id = made["createWebhookReceiver"]["webhookReceiver"]["id"].as_i64();
        let id = id.ok_or_else(|| Failure::of_work("the API answered without an id"))?;
        let subscribe = "mutation ($input: CreateWebhookSubscriptionInput!) {
            createWebhookSubscription(input: $input) { webhookSubscription { id } } }";
        let mut input =
            json!({"receiverId": id, "resource": receiver.table.resource(), "action": "CREATE"});
        if let Some(filter) = &receiver.filter {
            input["filter"] = json!(filter);
        }
        self.api()?.call(subscribe, json!({"input": input})).await?;
        Ok(id)
    }

    /// What the API answers.
    pub async fn ask(&self, document: &str) -> Result<Value, Failure> {
        self.api()?.call(document, json!({})).await
    }

    /// Lifts a receiver's throttle.
    pub async fn lift_throttle(&self, id: i64) -> Result<(), Failure> {
        let read = format!("{{ webhookReceiver(id: {id}) {{ _etag }} }}");
        let read = self.ask(&read).await?;
        let input = json!({"id": id, "etag": read["webhookReceiver"]["_etag"], "rateLimit": null});
        let change = "mutation ($input: UpdateWebhookReceiverInput!) {
            updateWebhookReceiver(input: $input) { webhookReceiver { id } } }";
        let changed = self.api()?.call(change, json!({"input": input})).await;
        changed.map(|_| ())
    }

    fn api(&self) -> Result<&ApiClient, Failure> {
        let service = self.services.first();
        let service = service.ok_or_else(|| Failure::of_work("rowhook is stopped"))?;
        Ok(&service.api)
    }

    /// Ends rowhook, as a kill does.
    pub fn stop_service(&mut self) {
        self.services.clear();
    }

    /// Starts rowhook again; how long it took until it was ready, which it is once it polls for changes.
    pub async fn start_service(&mut self) -> Result<Duration, Failure> {
        let began = Instant::now();
        while self.services.len() < self.instances {
            let number = self.services.len() + 1;
            let folder = self.folder.path();
            let service = Service::start(&self.database.url, folder, number, &self.settings)?;
            service.until_ready(began + PATIENCE).await?;
            self.services.push(service);
        }
        Ok(began.elapsed())
    }

    /// Writes `rate` rows per second, each a transaction of its own, for `time`; returns the last id.
    pub async fn write_at(
        load: &Load,
        table: LoadTable,
        first: u64,
        rate: f64,
        time: Duration,
    ) -> Result<u64, Failure> {
        let began = Instant::now();
        let mut next = first;
        loop {
            let due = Duration::from_secs_f64((next - first) as f64 / rate);
            if due >= time {
                return Ok(next - 1);
            }
            tokio::time::sleep_until((began + due).into()).await;
            load.insert(table, next, 1)
                .await
                .map_err(Failure::of_work)?;
            next += 1;
        }
    }

    /// What the service has used so far, all instances together; none where the system does not tell.
    pub fn usage(&self) -> Option<Usage> {
        let each = self.services.iter();
        let each = each.map(|service| Usage::of(service.process.id()));
        each.reduce(|all, one| Some(all? + one?))?
    }

    /// Where deliveries are missing, prints the end of the service's log.
    pub fn tell_if_fewer(&self, came: u64, owed: u64) {
        if came < owed {
            let log = self.log();
            eprintln!("deliveries are missing; the end of rowhook's log:\n{log}");
        }
    }

    /// The end of the service's log.
    pub fn log(&self) -> String {
        let log = std::fs::read_to_string(log_of(self.folder.path(), 1)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Ends the service and drops the database.
    pub async fn stop(self) -> Result<(), Failure> {
        drop(self.services);
        self.load.close().await.map_err(Failure::of_work)?;
        self.database.remove().await
    }
}

/// rowhook as a process.
struct Service {
    process: Process,
    address: String,
    api: ApiClient,
}

impl Database {
    async fn make(server: Option<&str>, folder: &Path) -> Result<Self, Failure> {
        let Some(url) = server else {
            let file = folder.join("rowhook.db");
            return Ok(Self {
                url: format!("sqlite://{}", file.display()),
                server: None,
            });
        };
        let mut own = url::Url::parse(url)
            .map_err(|error| Failure::of_usage(format!("--server {url}: {error}")))?;
        let name = format!("rowhook_bench_{:08x}", rand::random::<u32>());
        own.set_path(&name);
        let server = Load::connect(url, 1).await;
        let server = server.map_err(|error| Failure::of_work(format!("--server: {error}")))?;
        let made = server.create_database(&name).await;
        made.map_err(|error| Failure::of_work(format!("--server: {error}")))?;
        Ok(Self {
            url: own.to_string(),
            server: Some((server, name)),
        })
    }

    /// Makes the tables and starts rowhook on them.
    async fn serve(&self, folder: &Path, settings: &str) -> Result<(Load, Service), Failure> {
        // The application makes an embedded database, and rowhook finds it.
        let url = match &self.server {
            Some(_) => self.url.clone(),
            None => format!("{}?mode=rwc", self.url),
        };
        let load = Load::connect(&url, 8).await.map_err(Failure::of_work)?;
        load.create_tables().await.map_err(Failure::of_work)?;
        Ok((load, Service::start(&self.url, folder, 1, settings)?))
    }

    async fn remove(&self) -> Result<(), Failure> {
        match &self.server {
            Some((server, name)) => server.drop_database(name).await.map_err(Failure::of_work),
            None => Ok(()),
        }
    }
}

fn log_of(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("log-{number}"))
}

impl Service {
    /// Starts it and waits until it tells its address.
    fn start(database: &str, folder: &Path, number: usize, further: &str) -> Result<Self, Failure> {
        let mut settings = format!(
            "{further}database_url = {database:?}\nlisten = \"127.0.0.1:0\"\nadmin_key = {ADMIN_KEY:?}\n\
         secret_key = \"{}\"\n[receivers]\nallow_http = true\n\
         allow_private_networks = [\"127.0.0.0/8\"]\n",
            // Nothing that the bench seals is a secret.
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        );
        for table in LoadTable::ALL {
            settings.push_str(&format!(
                "[[resources]]\nname = {:?}\ntable = {:?}\n",
                table.resource(),
                table.table()
            ));
        }
        let file = folder.join("rowhook.toml");
        std::fs::write(&file, settings).map_err(Failure::of_work)?;
        let log = File::create(log_of(folder, number)).map_err(Failure::of_work)?;
        let mut command = Command::new(std::env::current_exe().map_err(Failure::of_work)?);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROWHOOK_")) {
            command.env_remove(name);
        }
        command
            .args(["serve", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(log);
        let (process, line) = Process::start(&mut command)?;
        let Some((_, address)) = line.trim().rsplit_once("http://") else {
            let log = std::fs::read_to_string(log_of(folder, number)).unwrap_or_default();
            return Err(Failure::of_work(format!("rowhook did not start:\n{log}")));
        };
        let api = ApiClient::new(&format!("http://{address}/graphql"), ADMIN_KEY)?;
        Ok(Self {
            process,
            address: address.to_owned(),
            api,
        })
    }

    async fn until_ready(&self, end: Instant) -> Result<(), Failure> {
        loop {
            match plain_http::call(&self.address, "GET", "/readyz").await {
                Ok(_) => return Ok(()),
                Err(failure) if Instant::now() > end => return Err(failure),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}
