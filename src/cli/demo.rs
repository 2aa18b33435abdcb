//! `rowhook demo`: the main job on the embedded database, with nothing to set up.
//!
//! It starts the service, an example receiver and a small factory that changes the sample tables. The
//! receiver is registered through the public API, as any user would do it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io::IsTerminal as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use chrono::Local;
use clap::Args;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::{
    app::{GRACE, Service},
    config::Settings,
    domain::{action::Action, shared_secret::SharedSecret},
    http::{
        example_receiver::{ExampleReceiver, Incoming, Received, ReceiverOptions},
        has_console,
    },
    sample::{SampleChange, SampleChanges},
};

use super::{Failure, api_client::ApiClient, told_to_stop};

/// How long the demo waits at its end for deliveries that are under way.
const LAST_CALL: Duration = Duration::from_secs(10);

/// Show the main job on an embedded database: no set-up, nothing left behind
#[derive(Args)]
pub struct DemoArgs {
    /// Stop after so many seconds, print a summary, and exit 1 if a change was not delivered
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: Option<u32>,
    /// Changes committed per second
    #[arg(long, value_name = "R", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Where the API listens; a free port is taken when this one is in use
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Keep the database in this folder [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs the demo.
pub async fn run(args: DemoArgs) -> Result<(), Failure> {
    let (folder, _temporary) = data_folder(args.data.as_ref())?;
    let database = folder.join("rowhook-demo.db");
    let settings = Settings {
        database_url: format!("sqlite://{}", database.display()),
        listen: free_address(&args.listen),
        admin_key: Some(random_key()),
        sample: true,
        receivers: crate::config::ReceiverSettings {
            allow_http: true,
            allow_private_networks: vec!["127.0.0.0/8".parse().map_err(Failure::of_work)?],
            ..Default::default()
        },
        ..Settings::default()
    };
    let key = settings.admin_key.clone().unwrap_or_default();
    let service = Service::start(&settings).await?;
    let (sender, incoming) = mpsc::unbounded_channel();
    let options = ReceiverOptions {
        address: ([127, 0, 0, 1], 0).into(),
        uri: None,
        status: 200,
        delay: Duration::ZERO,
    };
    let receiver = ExampleReceiver::start(options, sender).map_err(Failure::of_work)?;
    let uri = format!("http://{}/hooks", receiver.address);
    let api = ApiClient::new(&format!("http://{}/graphql", service.address), &key)?;
    let subscriptions = register(&api, &service, &receiver, &uri).await?;
    greet(&service, &key, &uri, subscriptions, &args);

    let changes = SampleChanges::connect(&settings.database_url, 1)
        .await
        .map_err(Failure::of_work)?;
    let mut show = Show::default();
    show.run(changes, incoming, &args).await?;
    let done = show.summary();
    receiver.stop().await;
    service.stop(GRACE).await;
    done
}

fn data_folder(data: Option<&PathBuf>) -> Result<(PathBuf, Option<TempDir>), Failure> {
    match data {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::of_work(format!("--data {}: {error}", folder.display()))
            })?;
            Ok((folder.clone(), None))
        }
        None => {
            let folder = tempfile::tempdir().map_err(Failure::of_work)?;
            Ok((folder.path().to_path_buf(), Some(folder)))
        }
    }
}

/// The wanted address, or a free port of this machine when it is taken: the demo shows itself anyway.
fn free_address(wanted: &str) -> String {
    match std::net::TcpListener::bind(wanted) {
        Ok(_) => wanted.to_owned(),
        Err(error) => {
            eprintln!("{wanted} can not be used ({error}); taking a free port");
            "127.0.0.1:0".to_owned()
        }
    }
}

fn random_key() -> String {
    format!("demo-{:016x}", rand::random::<u64>())
}

const CREATE_RECEIVER: &str = "
mutation CreateReceiver($input: CreateWebhookReceiverInput!) {
  createWebhookReceiver(input: $input) { webhookReceiver { id sharedSecret } }
}";

const SUBSCRIBE: &str = "
mutation Subscribe($input: CreateWebhookSubscriptionInput!) {
  createWebhookSubscription(input: $input) { webhookSubscription { id } }
}";

/// Registers the receiver for every resource and action; returns how many subscriptions that are.
async fn register(
    api: &ApiClient,
    service: &Service,
    receiver: &ExampleReceiver,
    uri: &str,
) -> Result<usize, Failure> {
    let input = json!({"input": {
        "name": "Example receiver",
        "description": "Started by rowhook demo",
        "webhookUri": uri,
    }});
    let made = api.call(CREATE_RECEIVER, input).await?;
    let made = &made["createWebhookReceiver"]["webhookReceiver"];
    let secret = made["sharedSecret"].as_str().unwrap_or_default();
    receiver.set_secret(SharedSecret::parse(secret).map_err(Failure::of_work)?);
    let id: &Value = &made["id"];
    let mut count = 0;
    for resource in service.catalogue.resources() {
        for action in Action::ALL {
            let input = json!({"input": {
                "receiverId": id,
                "resource": resource.name.as_str(),
                "action": action.as_str(),
                "active": true,
            }});
            api.call(SUBSCRIBE, input).await?;
            count += 1;
        }
    }
    Ok(count)
}

fn greet(service: &Service, key: &str, uri: &str, subscriptions: usize, args: &DemoArgs) {
    println!("rowhook demo: committed changes of the sample tables become signed webhooks");
    if has_console() {
        // The key stands behind the #, which no browser sends anywhere.
        println!("  console   http://{}/#key={key}", service.address);
    }
    println!("  API       http://{}/graphql", service.address);
    println!("  API key   {key}");
    println!("  receiver  {uri} ({subscriptions} subscriptions)");
    match args.seconds {
        Some(seconds) => println!("  {} changes per second for {seconds} s", args.rate),
        None => println!("  {} changes per second until Ctrl-C", args.rate),
    }
    println!();
    println!(
        "{:<12}  {:<16} {:<7} {:>7}  {:>8} {:>5}  {:>9}  signatures",
        "received", "resource", "action", "row", "event", "seq", "latency"
    );
}

/// A row and what happened to it: what a delivery is matched with its change by.
type Key = (String, String, String);

/// What was changed, what came, and how they fit.
#[derive(Default)]
struct Show {
    changes: u64,
    deliveries: u64,
    verified: u64,
    repeated: u64,
    events: HashSet<i64>,
    awaited: HashMap<Key, VecDeque<Instant>>,
    early: HashMap<Key, VecDeque<Instant>>,
    latencies: Vec<Duration>,
}

impl Show {
    async fn run(
        &mut self,
        mut factory: SampleChanges,
        mut incoming: mpsc::UnboundedReceiver<Incoming>,
        args: &DemoArgs,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        let end = args
            .seconds
            .map(|seconds| began + Duration::from_secs(seconds.into()));
        let mut stop = std::pin::pin!(told_to_stop());
        loop {
            let due = began + Duration::from_secs_f64(self.changes as f64 / f64::from(args.rate));
            tokio::select! {
                () = &mut stop => break,
                Some(incoming) = incoming.recv() => self.came(&incoming),
                () = tokio::time::sleep_until(due.into()) => {
                    if end.is_some_and(|end| Instant::now() >= end) {
                        break;
                    }
                    let made = factory.next().await.map_err(Failure::of_work)?;
                    self.changed(made);
                }
            }
        }
        let deadline = tokio::time::Instant::now() + LAST_CALL;
        while self.missing() > 0 {
            match tokio::time::timeout_at(deadline, incoming.recv()).await {
                Ok(Some(incoming)) => self.came(&incoming),
                Ok(None) | Err(_) => break,
            }
        }
        Ok(())
    }

    fn changed(&mut self, made: Vec<SampleChange>) {
        for change in made {
            self.changes += 1;
            let key = (
                change.resource.to_owned(),
                change.action.in_body().to_owned(),
                change.id.to_string(),
            );
            // A delivery may overtake the return of the commit that it tells of.
            let early = self.early.get_mut(&key).and_then(VecDeque::pop_front);
            match early {
                Some(at) => self
                    .latencies
                    .push(at.saturating_duration_since(change.committed_at)),
                None => self
                    .awaited
                    .entry(key)
                    .or_default()
                    .push_back(change.committed_at),
            }
        }
    }

    fn came(&mut self, incoming: &Incoming) {
        match incoming {
            Incoming::Delivery(received) => self.received(received),
            // Somebody looked at the receiver with a browser.
            Incoming::Other { .. } => {}
        }
    }

    fn received(&mut self, received: &Received) {
        self.deliveries += 1;
        let verified = received.verified();
        self.verified += u64::from(verified);
        if !self.events.insert(received.event_id) {
            self.repeated += 1;
            return;
        }
        let key = (
            received.resource.clone(),
            received.action.clone(),
            received.row_id.clone(),
        );
        let committed = self.awaited.get_mut(&key).and_then(VecDeque::pop_front);
        let latency = match committed {
            Some(at) => {
                let latency = received.at.saturating_duration_since(at);
                if verified {
                    self.latencies.push(latency);
                }
                latency
            }
            None => {
                self.early.entry(key).or_default().push_back(received.at);
                Duration::ZERO
            }
        };
        print_row(received, latency, verified);
    }

    fn missing(&self) -> usize {
        self.awaited.values().map(VecDeque::len).sum()
    }

    /// Prints what came of it; an error when a change was not delivered and verified.
    fn summary(mut self) -> Result<(), Failure> {
        self.latencies.sort_unstable();
        let quantile = |part: f64| {
            let last = self.latencies.len().saturating_sub(1);
            let latency = self.latencies.get((last as f64 * part).round() as usize);
            latency.map_or("–".to_owned(), |latency| milliseconds(*latency))
        };
        let missing = self.missing();
        let stray: usize = self.early.values().map(VecDeque::len).sum();
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_header(["", "count"])
            .add_row(["changes committed".to_owned(), self.changes.to_string()])
            .add_row(["deliveries".to_owned(), self.deliveries.to_string()])
            .add_row([
                "  both signatures verified".to_owned(),
                self.verified.to_string(),
            ])
            .add_row(["  sent again".to_owned(), self.repeated.to_string()])
            .add_row(["changes not delivered".to_owned(), missing.to_string()])
            .add_row(["commit to receipt, p50".to_owned(), quantile(0.5)])
            .add_row(["commit to receipt, p99".to_owned(), quantile(0.99)]);
        println!("\n{table}");
        if missing > 0 || stray > 0 || self.verified != self.deliveries {
            return Err(Failure::of_work(format!(
                "{missing} changes were not delivered, {stray} deliveries had no change, and {} did \
                 not verify",
                self.deliveries - self.verified
            )));
        }
        println!("Every committed change was delivered and verified.");
        Ok(())
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

fn print_row(received: &Received, latency: Duration, verified: bool) {
    let (mark, colour) = if verified {
        ("✓ both verified", "\x1b[32m")
    } else {
        ("✗ NOT VERIFIED", "\x1b[31m")
    };
    let (on, off) = if std::io::stdout().is_terminal() {
        (colour, "\x1b[0m")
    } else {
        ("", "")
    };
    println!(
        "{:<12}  {:<16} {:<7} {:>7}  {:>8} {:>5}  {:>9}  {on}{mark}{off}",
        Local::now().format("%H:%M:%S%.3f"),
        received.resource,
        received.action,
        received.row_id,
        received.event_id,
        received.sequence.unwrap_or_default(),
        milliseconds(latency),
    );
}
