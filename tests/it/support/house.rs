//! A database with tables of an application's own, the service that watches them, a receiver.
//!
//! `items` counts in its own rows how often each was changed, and a row that is deleted leaves its count
//! in `gone`. So the tables themselves say which changes have committed, also where a writer was cut
//! off before it heard: see `support::ledger`.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use rowhook::store::sql::db::Dialect;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};
use serde_json::Value;

use super::{
    database::TestDatabase,
    receiver::Receiver,
    service::{DEADLINE, LOOK_AGAIN, Service, Watched},
};

/// Everything that a test of the whole path needs. The order of the fields is that of leaving: the
/// database goes last.
pub struct House {
    /// The service.
    pub service: Service,
    /// Where deliveries go.
    pub receiver: Receiver,
    /// The application's connections; rowhook has no part in them.
    pub app: DatabaseConnection,
    /// Where the database is.
    pub url: String,
    /// Which kind it is.
    pub dialect: Dialect,
    _database: Option<TestDatabase>,
}

/// `items` as another instance watches it.
pub fn items(dialect: Dialect) -> Watched {
    tables(dialect).1
}

fn tables(dialect: Dialect) -> (&'static str, Watched) {
    let (sql, table) = match dialect {
        Dialect::Postgres => (
            "create table items (id bigint primary key, n bigint not null, note text);
             create table gone (id bigint primary key, n bigint not null)",
            "public.items",
        ),
        Dialect::Sqlite => (
            "create table items (id integer primary key, n integer not null, note text);
             create table gone (id integer primary key, n integer not null)",
            "items",
        ),
    };
    let watched = Watched {
        name: "ITEM",
        table,
        more: "",
    };
    (sql, watched)
}

impl House {
    /// With `items` and `gone`.
    pub async fn of(database: TestDatabase) -> Self {
        Self::with(database, "", "", &[]).await
    }

    /// With further settings, SQL that makes further tables, and those that are watched of them.
    pub async fn with(
        database: TestDatabase,
        settings: &str,
        sql: &str,
        watched: &[Watched],
    ) -> Self {
        let (url, dialect) = (database.url.clone(), database.dialect);
        let mut house = Self::at(url, dialect, settings, sql, watched).await;
        house._database = Some(database);
        house
    }

    /// The service reaches the database another way than the application does.
    pub async fn reached_at(database: TestDatabase, of_service: &str, settings: &str) -> Self {
        let (url, dialect) = (database.url.clone(), database.dialect);
        let mut house = Self::between(url, of_service, dialect, settings, "", &[]).await;
        house._database = Some(database);
        house
    }

    /// On a database that someone else takes away.
    pub async fn at(
        url: String,
        dialect: Dialect,
        settings: &str,
        sql: &str,
        watched: &[Watched],
    ) -> Self {
        let of_service = url.clone();
        Self::between(url, &of_service, dialect, settings, sql, watched).await
    }

    async fn between(
        url: String,
        of_service: &str,
        dialect: Dialect,
        settings: &str,
        sql: &str,
        watched: &[Watched],
    ) -> Self {
        let mut options = ConnectOptions::new(url.clone());
        options.max_connections(20).sqlx_logging(false);
        if dialect == Dialect::Sqlite {
            options = ConnectOptions::new(format!("{url}?mode=rwc"));
            options.max_connections(4).sqlx_logging(false);
        }
        let app = Database::connect(options).await.unwrap();
        let (own, items) = tables(dialect);
        app.execute_unprepared(own).await.unwrap();
        app.execute_unprepared(sql).await.unwrap();
        let all: Vec<Watched> = std::iter::once(items)
            .chain(watched.iter().copied())
            .collect();
        Self {
            service: Service::start(of_service, settings, &all).await,
            receiver: Receiver::start().await,
            app,
            url,
            dialect,
            _database: None,
        }
    }

    /// Of a service that works as another role than the application does.
    pub fn with_service(
        service: Service,
        receiver: Receiver,
        app: DatabaseConnection,
        database: TestDatabase,
    ) -> Self {
        Self {
            service,
            receiver,
            app,
            url: database.url.clone(),
            dialect: database.dialect,
            _database: Some(database),
        }
    }

    /// On a database that someone else takes away, with a service that runs already.
    pub fn moved(
        service: Service,
        receiver: Receiver,
        app: DatabaseConnection,
        url: String,
    ) -> Self {
        Self {
            service,
            receiver,
            app,
            url,
            dialect: Dialect::Postgres,
            _database: None,
        }
    }

    /// One statement or several, each committed for itself unless they say otherwise.
    pub async fn sql(&self, sql: &str) {
        self.app
            .execute_unprepared(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Registers the receiver under a path; `more`: further fields of the input. Returns its id.
    pub async fn register(&self, path: &str, more: &str) -> i64 {
        let uri = self.receiver.uri(path);
        let data = self
            .service
            .graphql(&format!(
                "mutation {{ createWebhookReceiver(input: {{name: \"{path}\", webhookUri: \"{uri}\" {more}}})
                 {{ webhookReceiver {{ id sharedSecret }} }} }}"
            ))
            .await;
        let record = &data["createWebhookReceiver"]["webhookReceiver"];
        self.receiver
            .expect_signed(path, record["sharedSecret"].as_str().unwrap());
        record["id"].as_i64().unwrap()
    }

    /// Subscribes a receiver; `more`: further fields of the input. Returns the subscription's id.
    pub async fn subscribe(&self, receiver: i64, resource: &str, action: &str, more: &str) -> i64 {
        let data = self
            .service
            .graphql(&format!(
                "mutation {{ createWebhookSubscription(input: {{receiverId: {receiver},
                 resource: {resource}, action: {action} {more}}}) {{ webhookSubscription {{ id }} }} }}"
            ))
            .await;
        data["createWebhookSubscription"]["webhookSubscription"]["id"]
            .as_i64()
            .unwrap()
    }

    /// A receiver that gets every change of `items`. Returns its id.
    pub async fn register_for_items(&self, path: &str, more: &str) -> i64 {
        let receiver = self.register(path, more).await;
        for action in ["CREATE", "UPDATE", "DELETE"] {
            self.subscribe(receiver, "ITEM", action, "").await;
        }
        receiver
    }

    /// Changes a receiver (`kind` `Receiver`) or a subscription: `fields` as in the input.
    pub async fn update(&self, kind: &str, id: i64, fields: &str) {
        let read = format!("{{ webhook{kind}(id: {id}) {{ _etag }} }}");
        let data = self.service.graphql(&read).await;
        let etag = &data[format!("webhook{kind}")]["_etag"];
        let write = format!(
            "mutation {{ updateWebhook{kind}(input: {{id: {id}, etag: {etag}, {fields}}})
             {{ webhook{kind} {{ id }} }} }}"
        );
        self.service.graphql(&write).await;
    }

    /// The newest events that match: `filters` as in the input.
    pub async fn events(&self, filters: &str) -> Vec<Value> {
        let data = self
            .service
            .graphql(&format!(
                "{{ webhookEvents(filters: {{{filters}}}, limit: 1000) {{ id sequence status attemptCount
                 responseStatus error nextAttemptAt requestData
                 deliveryAttempts {{ number responseStatus error }} }} }}"
            ))
            .await;
        data["webhookEvents"].as_array().unwrap().clone()
    }

    /// How many events match.
    pub async fn count(&self, filters: &str) -> i64 {
        let data = self
            .service
            .graphql(&format!(
                "{{ webhookEventConnection(first: 1, filters: {{{filters}}})
                 {{ pageInfo {{ totalCount }} }} }}"
            ))
            .await;
        data["webhookEventConnection"]["pageInfo"]["totalCount"]
            .as_i64()
            .unwrap()
    }

    /// Waits until so many events match.
    pub async fn wait_for_count(&self, filters: &str, wanted: i64) {
        let began = Instant::now();
        loop {
            let count = self.count(filters).await;
            if count == wanted {
                return;
            }
            assert!(
                began.elapsed() < DEADLINE,
                "waited in vain for {wanted} events with {{{filters}}}: there are {count}"
            );
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until so many events were made and nothing is owed any more, and checks that no further
    /// one was made meanwhile.
    pub async fn settled(&self, events: usize) {
        let events = i64::try_from(events).unwrap();
        self.wait_for_count("", events).await;
        self.wait_for_count("status: \"pending\"", 0).await;
        assert_eq!(self.count("").await, events);
    }

    /// Gives a script to `psql`, another process, on standard input.
    pub fn psql(&self, script: &str) {
        psql(&self.url, script);
    }

    /// Runs a Python script, another process, with these arguments.
    pub fn python(&self, script: &str, arguments: &[&str]) {
        feed(python(arguments), script);
    }

    /// The file of an embedded database.
    pub fn sqlite_file(&self) -> &str {
        self.url.strip_prefix("sqlite://").unwrap()
    }
}

/// Runs a script as psql does, each statement a transaction of its own, on the database of a URL.
pub fn psql(url: &str, script: &str) {
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", url]);
    feed(command, script);
}

/// CPython with a script on standard input.
pub fn python(arguments: &[&str]) -> Command {
    let program = std::env::var("ROWHOOK_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(program);
    command.arg("-").args(arguments);
    command
}

fn feed(mut command: Command, script: &str) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{script}");
}
