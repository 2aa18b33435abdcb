//! The management API as a client sees it: over HTTP, on both databases, down to the tables.

mod access;
mod api_keys;
mod audits;
mod client_certificates;
mod deletion;
mod doctor;
mod error_codes;
mod event_control;
mod event_request;
mod events;
mod filters;
mod headers;
mod instances;
mod last_attempt;
mod lists;
mod live;
mod npm_client;
mod odd_log;
mod over_http;
mod over_socket;
mod pipeline;
mod receiver_health;
mod receiver_search;
mod receivers;
mod replay;
mod rotation;
mod sample;
mod schema;
mod statements;
mod stats_history;
mod subscriptions;
mod uri_check;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle};
use async_trait::async_trait;
use rowhook::{
    doctor::{About, Report, Severity},
    domain::{
        api_key::Role,
        ids::ResourceId,
        receiver::RetryPolicy,
        resource::{Catalogue, Column, LiveCatalogue, OnTruncate, Resource, ResourceDefinition},
    },
    graphql::{Api, ReceiverDefaults, Services, WatchedTables},
    http::{HttpState, KeyAuthenticator, MetricsPage, Readiness, SocketLimits, Sockets, routes},
    policy::{egress::EgressPolicy, seal::Sealer, webhook_uri::check_uri},
    store::{
        api_keys::ApiKeyStore,
        sql::{
            api_keys::SqlApiKeyStore, capture::SqlCaptureView, capture_notes::SqlCaptureNotes,
            catalogue::SqlResourceInstaller, db::Db, event_control::SqlEventControl,
            event_log::SqlEventLog, instance_view::SqlInstanceView, receivers::SqlManagementStore,
            replay::SqlHistory, stats::SqlStats, test_deliveries::SqlTestDeliveries,
        },
    },
    transport::uri_look::look,
};
use serde_json::{Value, json};

use crate::support::{
    database::TestDatabase,
    http::{Answer, send},
};

/// The configured key.
pub const ADMIN: &str = "the-admin-key";

/// The API on a database of its own.
pub struct House {
    db: Db,
    address: SocketAddr,
    /// Keys of these roles, made in the store.
    viewer: String,
    operator: String,
    sockets: Arc<Sockets>,
    server: ServerHandle,
    // The last field, so that the database goes when everybody has left it.
    _database: TestDatabase,
}

impl House {
    /// As usual.
    pub async fn of(database: TestDatabase) -> Self {
        Self::with(database, |_| {}).await
    }

    /// A house in which something is not as usual.
    async fn with(database: TestDatabase, unusual: impl FnOnce(&mut Services)) -> Self {
        Self::limited(database, SocketLimits::default(), unusual).await
    }

    /// A house whose WebSockets have other limits.
    async fn limited(
        database: TestDatabase,
        limits: SocketLimits,
        unusual: impl FnOnce(&mut Services),
    ) -> Self {
        let db = database.migrated().await;
        let keys = Arc::new(SqlApiKeyStore::new(db.clone()));
        let mut services = services(&db);
        unusual(&mut services);
        let sockets = Arc::new(Sockets::new(limits));
        let state = HttpState {
            api: Arc::new(Api::new(services)),
            authenticator: Arc::new(KeyAuthenticator::new(Some(ADMIN), keys.clone())),
            readiness: Arc::new(Ready(Ok(()))),
            metrics: Arc::new(OnePage("rowhook_pending_events 0\n# EOF\n")),
            metrics_public: true,
            sockets: sockets.clone(),
        };
        let (address, server) = serve(state);
        let (_, viewer) = keys.create_key("vera", Role::Viewer).await.unwrap();
        let (_, operator) = keys.create_key("otto", Role::Operator).await.unwrap();
        Self {
            db,
            address,
            viewer,
            operator,
            sockets,
            server,
            _database: database,
        }
    }

    /// The whole response to a request of the admin's.
    async fn ask(&self, query: &str, variables: Value) -> Value {
        self.ask_as(ADMIN, query, variables).await
    }

    async fn ask_as(&self, key: &str, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables}).to_string();
        let answer = self.post(key, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The data of a request in which nothing may go wrong.
    async fn data(&self, query: &str, variables: Value) -> Value {
        let mut response = self.ask(query, variables).await;
        assert_eq!(response["errors"], Value::Null, "{query}");
        response["data"].take()
    }

    /// The first error of a request: its code, message and path in the input.
    async fn refused(&self, query: &str, variables: Value) -> (String, String, Value) {
        failure(&self.ask(query, variables).await)
    }

    pub async fn post(&self, key: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
        ];
        send(self.address, "POST", "/graphql", &headers, body.as_bytes()).await
    }

    /// A receiver: its id and etag.
    async fn receiver(&self) -> (i64, String) {
        let made = self
            .data(
                "mutation($input: CreateWebhookReceiverInput!) {
                   createWebhookReceiver(input: $input) { webhookReceiver { id _etag } } }",
                json!({"input": {"name": "orders", "webhookUri": "https://hooks.example.com/in"}}),
            )
            .await;
        let receiver = &made["createWebhookReceiver"]["webhookReceiver"];
        (
            receiver["id"].as_i64().unwrap(),
            receiver["_etag"].as_str().unwrap().to_owned(),
        )
    }

    /// A subscription of a receiver: its id and etag.
    async fn subscription(&self, receiver: i64) -> (i64, String) {
        let made = self
            .data(
                "mutation($to: Int!) { createWebhookSubscription(input: {
                   receiverId: $to, resource: RUN_STEP, action: UPDATE
                 }) { webhookSubscription { id _etag } } }",
                json!({"to": receiver}),
            )
            .await;
        let subscription = &made["createWebhookSubscription"]["webhookSubscription"];
        (
            subscription["id"].as_i64().unwrap(),
            subscription["_etag"].as_str().unwrap().to_owned(),
        )
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // The command goes out at once; nobody needs to wait for it.
        drop(self.server.stop(false));
    }
}

/// The code, message and input path of a response's first error.
fn failure(response: &Value) -> (String, String, Value) {
    let error = &response["errors"][0];
    let code = error["extensions"]["code"].as_str();
    (
        code.unwrap_or_else(|| panic!("no code: {response}"))
            .to_owned(),
        error["message"].as_str().unwrap().to_owned(),
        error["extensions"]["path"].clone(),
    )
}

struct OnePage(&'static str);

#[async_trait]
impl MetricsPage for OnePage {
    async fn page(&self) -> String {
        self.0.to_owned()
    }
}

struct Ready(Result<(), Vec<String>>);

#[async_trait]
impl Readiness for Ready {
    async fn ready(&self) -> Result<(), Vec<String>> {
        self.0.clone()
    }
}

fn serve(state: HttpState) -> (SocketAddr, ServerHandle) {
    let mount = routes(state);
    let server = HttpServer::new(move || App::new().configure(mount.clone()))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    tokio::spawn(running);
    (address, handle)
}

fn services(db: &Db) -> Services {
    let store = Arc::new(SqlManagementStore::new(
        db.clone(),
        Arc::new(Sealer::new([3; 32], vec![])),
    ));
    Services {
        receivers: store.clone(),
        subscriptions: store.clone(),
        keys: Arc::new(SqlApiKeyStore::new(db.clone())),
        has_configured_admin: true,
        events: Arc::new(SqlEventLog::new(db.clone())),
        catalogue: LiveCatalogue::new(catalogue()),
        check_uri: Arc::new(|uri| {
            check_uri(uri, false, &EgressPolicy::default())
                .map(|_| ())
                .map_err(|problem| problem.to_string())
        }),
        look_at_uri: Arc::new(|uri| {
            Box::pin(async move { look(&uri, false, &EgressPolicy::default()).await })
        }),
        defaults: ReceiverDefaults {
            timeout: Duration::from_secs(5),
            max_in_flight: 16,
            retry: RetryPolicy::default(),
        },
        source_ips: vec!["203.0.113.7/32".to_owned()],
        event_control: Arc::new(SqlEventControl::new(db.clone())),
        history: Arc::new(SqlHistory::new(db.clone())),
        test_deliveries: Arc::new(SqlTestDeliveries::new(db.clone())),
        stats: Arc::new(SqlStats::new(db.clone())),
        health: store,
        capture: Arc::new(SqlCaptureView::new(db.clone())),
        notes: Arc::new(SqlCaptureNotes::new(db.clone())),
        watched: WatchedTables {
            installer: Arc::new(SqlResourceInstaller::new(db.clone())),
            wanted: [].into(),
        },
        wake: Arc::new(|_| {}),
        instances: Arc::new(SqlInstanceView::new(db.clone())),
        instance: Arc::new(pipeline::Quiet),
        sample: None,
        examine: Arc::new(|| {
            let mut report = Report::default();
            report.advise(
                Severity::Problem,
                About::Triggers,
                "ITEM",
                "missing",
                "put them on",
            );
            Box::pin(async move { report })
        }),
    }
}

fn catalogue() -> Catalogue {
    Catalogue::new(vec![
        resource(1, "RUN", &["RUNS"], "public.runs"),
        resource(2, "RUN_STEP", &["RUN_STEPS"], "public.run_steps"),
    ])
}

fn resource(id: i32, name: &str, aliases: &[&str], table: &str) -> Resource {
    Resource {
        id: ResourceId(id),
        name: name.parse().unwrap(),
        aliases: aliases.iter().map(|alias| alias.parse().unwrap()).collect(),
        definition: ResourceDefinition {
            table: table.to_owned(),
            columns: ["id", "status", "completed_at", "_etag"]
                .map(|name| Column {
                    name: name.to_owned(),
                    data_type: "text".to_owned(),
                })
                .to_vec(),
            key: vec!["id".to_owned()],
            etag: Some("_etag".to_owned()),
            exclude: vec!["password".to_owned()],
            on_truncate: OnTruncate::Rows,
        },
    }
}
