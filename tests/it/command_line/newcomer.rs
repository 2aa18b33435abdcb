//! What a newcomer gets wrong: each mistake is told in one line that says what happened and what to do, and
//! ends the command with the right code.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
};

use sea_orm::ConnectionTrait as _;
use serde_json::json;

use crate::support::{
    command::{Running, Shell},
    database::TestDatabase,
    http::send,
    wait::until_ok,
};
use rowhook::store::sql::db::Dialect;

const RUNS: &str = "[[resources]]\nname = \"RUN\"\ntable = \"runs\"\n";

fn assert_says(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
}

fn serve_fails(url: &str, code: i32) -> String {
    let shell = Shell::on(url);
    shell.write("rowhook.toml", RUNS);
    shell.run(&["serve"]).fault(code)
}

#[test]
fn nobody_answers() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let line = serve_fails(&format!("postgres://me:word@{address}/x"), 1);
    let parts = [
        "database_url: nothing answers at",
        "refused",
        "PostgreSQL running",
    ];
    assert_says(&line, &parts);
    assert_says(&line, &[&address.to_string()]);
    assert!(!line.contains("word"), "{line}");
}

#[test]
fn the_databases_host_does_not_resolve() {
    let line = serve_fails("postgres://me@nowhere.invalid/x", 1);
    assert_says(
        &line,
        &["\"nowhere.invalid\" does not resolve", "correct its name"],
    );
}

/// A server that lets nobody in, since the tests' own lets everybody. It speaks the first messages of the
/// protocol (PostgreSQL documentation, "Message Formats").
#[test]
fn the_password_is_wrong() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let refuse = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).unwrap();
        // No TLS here.
        stream.write_all(b"N").unwrap();
        let mut startup = [0; 256];
        let _read = stream.read(&mut startup).unwrap();
        let fields = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"me\"\0\0";
        let length = u32::try_from(fields.len() + 4).unwrap();
        stream.write_all(b"E").unwrap();
        stream.write_all(&length.to_be_bytes()).unwrap();
        stream.write_all(fields).unwrap();
    });
    let line = serve_fails(&format!("postgres://me:word@{address}/x"), 1);
    assert_says(
        &line,
        &[
            "does not let user \"me\" in",
            "password authentication failed",
        ],
    );
    assert_says(&line, &["correct user and password"]);
    refuse.join().unwrap();
}

#[actix_rt::test]
async fn there_is_no_such_database() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let line = serve_fails(&format!("{}_not", database.url), 1);
    assert_says(&line, &["there is no database", "createdb"]);
}

#[test]
fn the_url_is_none() {
    let line = serve_fails("postgres://me@host:port/x", 2);
    assert_says(
        &line,
        &[
            "no PostgreSQL URL",
            "postgres://user:password@host:5432/database",
        ],
    );
    let line = serve_fails("mysql://me@host/x", 2);
    assert_says(
        &line,
        &[
            "ROWHOOK_DATABASE_URL: \"mysql\" is no database",
            "postgres://",
        ],
    );
}

#[test]
fn the_embedded_databases_folder_is_missing() {
    let line = serve_fails("sqlite:///nowhere/at/all/rowhook.db", 1);
    assert_says(
        &line,
        &["/nowhere/at/all/rowhook.db", "its folder must be there"],
    );
}

#[actix_rt::test]
async fn the_table_is_missing_or_has_no_key() {
    for dialect in TestDatabase::BOTH {
        let database = TestDatabase::fresh(dialect).await;
        let line = serve_fails(&database.url, 2);
        assert_says(
            &line,
            &["resource RUN: there is no table runs", "resources discover"],
        );
        let application = database.application().await;
        let sql = "create table runs (name text)";
        application.execute_unprepared(sql).await.unwrap();
        if dialect == Dialect::Postgres {
            let line = serve_fails(&database.url, 2);
            assert_says(&line, &["resource RUN", "no primary key", "`key`"]);
        }
    }
}

#[actix_rt::test]
async fn the_port_is_in_use() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let application = database.application().await;
    let sql = "create table runs (id int primary key)";
    application.execute_unprepared(sql).await.unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut shell = Shell::on(&database.url);
    shell.set("ROWHOOK_LISTEN", &address);
    shell.write("rowhook.toml", RUNS);
    let line = shell.run(&["serve"]).fault(1);
    assert_says(&line, &["listen: ", &address, "in use", "ROWHOOK_LISTEN"]);
    // Nothing was touched before.
    let sql = "select from pg_trigger where not tgisinternal";
    let rows = application.execute_unprepared(sql).await.unwrap();
    assert_eq!(rows.rows_affected(), 0);
}

/// A role of its own, with these rights. Roles belong to the server, so it goes again.
async fn as_role(database: &TestDatabase, grants: &str) -> (String, String) {
    let role = database.url.rsplit_once('/').unwrap().1.to_owned() + "_role";
    let application = database.application().await;
    let sql = format!(
        "create role {role} login; {}",
        grants.replace("ROLE", &role)
    );
    application.execute_unprepared(&sql).await.unwrap();
    let (_, rest) = database.url.split_once('@').unwrap();
    (format!("postgres://{role}@{rest}"), role)
}

#[actix_rt::test]
async fn the_role_may_not() {
    let database = TestDatabase::fresh(Dialect::Postgres).await;
    let name = database.url.rsplit_once('/').unwrap().1.to_owned();
    let application = database.application().await;
    let sql = "create table runs (id int primary key)";
    application.execute_unprepared(sql).await.unwrap();
    let (url, role) = as_role(&database, "grant select on runs to ROLE").await;
    let line = serve_fails(&url, 1);
    assert_says(
        &line,
        &[
            "may not make rowhook's own tables",
            "rowhook migrate up",
            "permission denied",
        ],
    );
    let sql = format!("grant create on database {name} to {role}");
    application.execute_unprepared(&sql).await.unwrap();
    let line = serve_fails(&url, 2);
    assert_says(
        &line,
        &["resource RUN", "may not put triggers on", "owns the table"],
    );
    let sql = format!("drop owned by {role} cascade; drop role {role}");
    application.execute_unprepared(&sql).await.unwrap();
}

#[test]
fn nothing_is_configured() {
    let shell = Shell::new();
    let line = shell.run(&["serve"]).fault(2);
    assert_says(
        &line,
        &[
            "no resource is configured",
            "rowhook resources discover",
            "sample = true",
        ],
    );
    let line = shell.run(&["serve", "--config", "missing.toml"]).fault(2);
    assert_says(&line, &["missing.toml", "--config"]);
    // Wherever in the line it stands.
    for place in [
        ["keys", "--config", "missing.toml", "list"],
        ["keys", "list", "--config", "missing.toml"],
    ] {
        assert_says(&shell.run(&place).fault(2), &["missing.toml"]);
    }
    let line = shell.run(&["schema"]).fault(2);
    assert_says(&line, &["no resource is configured"]);
    let line = shell.run(&["keys", "list"]).fault(2);
    assert_says(
        &line,
        &["there is no file rowhook.db", "ROWHOOK_DATABASE_URL"],
    );
    assert!(!shell.folder.path().join("rowhook.db").exists());
    let mut shell = Shell::on("postgres://me@127.0.0.1:1/x");
    shell.set("ROWHOOK_SECRET_KEY", "short");
    let line = shell.run(&["serve"]).fault(2);
    assert_says(
        &line,
        &["ROWHOOK_SECRET_KEY: it must be base64", "openssl rand"],
    );
    assert_eq!(shell.run(&["serv"]).code, Some(2));
}

#[test]
fn a_setting_that_is_mistyped_is_told_with_its_line() {
    let shell = Shell::new();
    shell.write(
        "rowhook.toml",
        "sample = true\n[receivers]\nallow_htttp = true\n",
    );
    let line = shell.run(&["serve"]).fault(2);
    assert_eq!(
        line,
        "rowhook.toml:3: receivers.allow_htttp: there is no such setting; did you mean `allow_http`?"
    );
    shell.write("rowhook.toml", "sample = yes\n");
    let line = shell.run(&["serve"]).fault(2);
    assert_says(&line, &["rowhook.toml:1: "]);
}

/// The sample service with the defaults for receivers, and where it answers.
fn sample(shell: &mut Shell) -> (Running, SocketAddr) {
    shell.set("ROWHOOK_SAMPLE", "true");
    shell.set("ROWHOOK_ADMIN_KEY", "k");
    shell.set("ROWHOOK_LISTN", "oops");
    let service = shell.start(&["serve"]);
    service.says(
        "ROWHOOK_LISTN is no setting of rowhook and is ignored; did you mean ROWHOOK_LISTEN?",
    );
    let line = service.says("rowhook serves on http://");
    let (_, address) = line.split_once("http://").unwrap();
    (service, address.parse().unwrap())
}

#[actix_rt::test]
async fn the_key_is_wrong_or_the_receiver_can_not_be_reached() {
    let mut shell = Shell::new();
    shell.set("ROWHOOK_LISTEN", "127.0.0.1:0");
    let (_service, address) = sample(&mut shell);
    let ask = async |key: &str, query: &str| {
        let body = json!({"query": query}).to_string();
        let authorization = format!("Bearer {key}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
        ];
        let answer = send(address, "POST", "/graphql", &headers, body.as_bytes()).await;
        (answer.status, answer.json())
    };
    let (status, answer) = ask("wrong", "{currentUser{id}}").await;
    assert_eq!(status, 401);
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert_says(message, &["key"]);
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

    let create = |uri: &str| {
        format!(
            "mutation {{ createWebhookReceiver(input: {{name: \"x\", webhookUri: \"{uri}\"}}) \
             {{ webhookReceiver {{ id }} }} }}"
        )
    };
    let (_, answer) = ask("k", &create("http://hooks.example.com/x")).await;
    let fault = &answer["errors"][0];
    assert_eq!(fault["extensions"]["code"], "VALIDATION", "{answer}");
    assert_says(fault["message"].as_str().unwrap(), &["https"]);
    let (_, answer) = ask("k", &create("https://127.0.0.1/x")).await;
    let fault = &answer["errors"][0];
    assert_eq!(fault["extensions"]["code"], "VALIDATION", "{answer}");
    assert_says(
        fault["message"].as_str().unwrap(),
        &["allow_private_networks"],
    );

    let (_, answer) = ask("k", &create("https://hooks.nowhere.invalid/x")).await;
    let id = &answer["data"]["createWebhookReceiver"]["webhookReceiver"]["id"];
    let (_, answer) = ask(
        "k",
        &format!(
            "mutation {{ createWebhookSubscription(input: {{receiverId: {id}, resource: PART, \
             action: CREATE}}) {{ webhookSubscription {{ id }} }} }}"
        ),
    )
    .await;
    assert!(answer["errors"].is_null(), "{answer}");
    let url = format!(
        "sqlite://{}",
        shell.folder.path().join("rowhook.db").display()
    );
    let application = sea_orm::Database::connect(url).await.unwrap();
    let sql = "insert into parts (part_number, description) values ('P-1', 'a part')";
    application.execute_unprepared(sql).await.unwrap();
    let query = "{ webhookEvents { status deliveryAttempts { error } } }";
    let error = until_ok("an attempt is in the log", async || {
        let (_, answer) = ask("k", query).await;
        let error = &answer["data"]["webhookEvents"][0]["deliveryAttempts"][0]["error"];
        error.as_str().map(str::to_owned).ok_or(answer.to_string())
    })
    .await;
    assert_says(&error, &["hooks.nowhere.invalid", "resolve"]);
}
