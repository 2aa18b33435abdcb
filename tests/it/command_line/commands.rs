//! Keys, resources, the schema, a look before the start, completions.

use rowhook::store::sql::db::Dialect;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::support::{
    both::on_both,
    command::Shell,
    database::TestDatabase,
    stored::{number, texts},
};

on_both!(keys_are_made_listed_and_revoked, resources_go_on_and_off);

async fn keys_are_made_listed_and_revoked(database: TestDatabase) {
    let shell = Shell::on(&database.url);
    if database.dialect == Dialect::Postgres {
        let line = shell.run(&["keys", "list"]).fault(1);
        assert!(line.contains("rowhook migrate up"), "{line}");
    }
    let create = |name: &str, role: &str| {
        let done = shell.run(&["keys", "create", "--name", name, "--role", role]);
        done.well().trim().to_owned()
    };
    let key = create("deploy", "operator");
    assert!(
        key.len() > 40 && !key.contains(char::is_whitespace),
        "{key}"
    );
    create("dashboard", "viewer");
    let text = shell.run(&["keys", "list"]).well();
    assert!(!text.contains(&key), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[1].contains("deploy") && lines[1].contains("operator"),
        "{text}"
    );
    let list = || -> Value {
        serde_json::from_str(&shell.run(&["keys", "list", "--json"]).well()).unwrap()
    };
    let keys = list();
    assert_eq!(keys[0]["revokedAt"], Value::Null);
    let id = keys[0]["id"].to_string();
    let said = shell.run(&["keys", "revoke", &id]).well();
    assert!(said.contains("\"deploy\" is revoked"), "{said}");
    assert_ne!(list()[0]["revokedAt"], Value::Null);
    assert_eq!(list()[1]["revokedAt"], Value::Null);
    let line = shell.run(&["keys", "revoke", "99"]).fault(1);
    assert!(line.contains("no API key with id 99"), "{line}");
    assert_eq!(shell.run(&["keys", "create", "--name", "x"]).code, Some(2));
    let boss = ["keys", "create", "--name", "x", "--role", "boss"];
    assert!(shell.run(&boss).err.contains("admin, operator or viewer"));
}

async fn resources_go_on_and_off(database: TestDatabase) {
    let application = database.application().await;
    for sql in [
        "create table orders (id bigint primary key, _etag text, api_token text)",
        "create table \"Order Lines\" (id bigint primary key)",
    ] {
        application.execute_unprepared(sql).await.unwrap();
    }
    if database.dialect == Dialect::Postgres {
        let sql = "create table notes (body text)";
        application.execute_unprepared(sql).await.unwrap();
    }
    let shell = Shell::on(&database.url);
    let proposed = shell.run(&["resources", "discover"]).well();
    for part in [
        "name = \"ORDER\"\naliases = [\"ORDERS\"]",
        "etag = \"_etag\"",
        "exclude = [\"api_token\"]",
        "name = \"ORDER_LINE\"",
        "\"Order Lines\"",
    ] {
        assert!(proposed.contains(part), "{proposed}");
    }
    // It only looks.
    let tables = match database.dialect {
        Dialect::Postgres => "select nspname from pg_namespace where nspname = 'rowhook'",
        Dialect::Sqlite => "select name from sqlite_master where name like 'rowhook%'",
    };
    let found = application.query_all_raw(sea_orm::Statement::from_string(
        application.get_database_backend(),
        tables,
    ));
    assert!(found.await.unwrap().is_empty());

    shell.write("rowhook.toml", &proposed);
    let states = || -> Vec<(String, String)> {
        let list = shell.run(&["resources", "list", "--json"]).well();
        let list: Vec<Value> = serde_json::from_str(&list).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut states: Vec<_> = list
            .iter()
            .map(|one| (text(&one["name"]), text(&one["triggers"])))
            .collect();
        states.sort();
        states
    };
    let both = |state: &str| {
        ["ORDER", "ORDER_LINE"]
            .map(|name| (name.to_owned(), state.to_owned()))
            .to_vec()
    };
    assert_eq!(states(), both("not installed"));
    let check = shell.run(&["serve", "--check"]).well();
    assert!(
        check.contains("resource ORDER: triggers will be put on"),
        "{check}"
    );
    assert_eq!(states(), both("not installed"));

    let said = shell.run(&["resources", "install"]).well();
    assert_eq!(said.matches("triggers put on").count(), 2, "{said}");
    assert_eq!(states(), both("in force"));
    let check = shell.run(&["serve", "--check"]).well();
    assert!(
        check.contains("resource ORDER: triggers in force"),
        "{check}"
    );
    let said = shell.run(&["resources", "install", "ORDER"]).well();
    assert!(said.starts_with("ORDER: in force already"), "{said}");
    assert!(
        shell
            .run(&["resources", "discover"])
            .well()
            .trim()
            .lines()
            .all(|line| line.starts_with('#'))
    );
    let db = database.migrated().await;
    application
        .execute_unprepared("insert into orders (id) values (1)")
        .await
        .unwrap();
    let logged = "select count(*) from rowhook.logged_actions";
    assert_eq!(number(&db, logged).await, 1);

    application
        .execute_unprepared("alter table orders add column total int")
        .await
        .unwrap();
    assert_eq!(states()[0].1, "out of date");
    let text = shell.run(&["resources", "list"]);
    assert!(
        text.err
            .contains("ORDER: the table or its entry has changed"),
        "{text:?}"
    );
    shell.run(&["resources", "install"]).well();
    assert_eq!(states(), both("in force"));

    // What the configuration names no more is shown, and can be taken off.
    let orders_alone = proposed
        .split("\n\n")
        .find(|entry| entry.contains("ORDERS"));
    shell.write("rowhook.toml", orders_alone.unwrap());
    assert_eq!(
        states()[1],
        ("ORDER_LINE".to_owned(), "not configured".to_owned())
    );
    let line = shell.run(&["resources", "install", "ORDER_LINE"]).fault(2);
    assert!(
        line.contains("ORDER_LINE is no configured resource"),
        "{line}"
    );
    let said = shell.run(&["resources", "uninstall", "ORDER_LINE"]).well();
    assert!(said.starts_with("ORDER_LINE: triggers taken off"), "{said}");
    assert_eq!(states().len(), 1);
    shell.run(&["resources", "uninstall"]).well();
    assert_eq!(states(), [("ORDER".to_owned(), "not installed".to_owned())]);
    application
        .execute_unprepared("insert into orders (id) values (2)")
        .await
        .unwrap();
    assert_eq!(number(&db, logged).await, 1);
    let triggers = match database.dialect {
        // rowhook's own tables may have one.
        Dialect::Postgres => {
            "select tgname::text from pg_trigger join pg_class c on c.oid = tgrelid
             where not tgisinternal and c.relnamespace <> 'rowhook'::regnamespace"
        }
        Dialect::Sqlite => {
            "select name from sqlite_master where type = 'trigger' and tbl_name not like 'rowhook%'"
        }
    };
    assert_eq!(texts(&db, triggers).await, Vec::<String>::new());
    let said = shell.run(&["resources", "uninstall"]).well();
    assert!(said.contains("nothing to do"), "{said}");
}

#[test]
fn the_schema_is_the_configurations_own() {
    let shell = Shell::new();
    shell.write(
        "rowhook.toml",
        "[[resources]]\nname = \"ORDER\"\naliases = [\"ORDERS\"]\ntable = \"orders\"\n",
    );
    let schema = shell.run(&["schema"]).well();
    let (_, resources) = schema.split_once("enum ResourceEnum {").unwrap();
    let (resources, _) = resources.split_once('}').unwrap();
    assert!(
        resources.contains("ORDER\n") && resources.contains("ORDERS @deprecated"),
        "{resources}"
    );
    assert!(schema.contains("createWebhookReceiver("));
}

#[test]
fn a_look_before_the_start_changes_nothing() {
    let shell = Shell::new();
    shell.write("rowhook.toml", "sample = true\n");
    let said = shell.run(&["serve", "--check"]).well();
    assert!(said.contains("rowhook.db will be made"), "{said}");
    assert_eq!(std::fs::read_dir(shell.folder.path()).unwrap().count(), 1);
    shell.write("rowhook.toml", "[receivers]\nca_bundle = \"nowhere.pem\"\n");
    let line = shell.run(&["serve", "--check"]).fault(2);
    assert!(
        line.contains("receivers.ca_bundle") && line.contains("nowhere.pem"),
        "{line}"
    );
}

#[test]
fn a_proxy_of_the_environment_is_read_where_the_file_names_none() {
    let mut shell = Shell::new();
    shell.set("HTTPS_PROXY", "socks5://ann:hunter2@proxy.example");
    shell.write("rowhook.toml", "sample = true\n");
    let line = shell.run(&["serve", "--check"]).fault(2);
    assert!(
        line.contains("HTTPS_PROXY: a proxy is asked in plain HTTP"),
        "{line}"
    );
    assert!(!line.contains("hunter2"), "{line}");
    for proxy in ["direct", "http://proxy.example:3128"] {
        let file = format!("sample = true\n[receivers]\nproxy = \"{proxy}\"\n");
        shell.write("rowhook.toml", &file);
        shell.run(&["serve", "--check"]).well();
    }
}

#[test]
fn shells_complete_the_commands() {
    let shell = Shell::new();
    for (name, part) in [
        ("bash", "_rowhook"),
        ("zsh", "#compdef rowhook"),
        ("fish", "complete -c rowhook"),
    ] {
        let script = shell.run(&["completions", name]).well();
        assert!(
            script.contains(part) && script.contains("discover"),
            "{name}"
        );
    }
    let help = shell.run(&["--help"]).well();
    for command in [
        "demo",
        "serve",
        "doctor",
        "instances",
        "migrate",
        "rebase",
        "resources",
        "keys",
        "listen",
        "verify",
        "schema",
    ] {
        assert!(help.contains(command), "{help}");
        let own = shell.run(&[command, "--help"]).well();
        assert!(own.contains("Usage: rowhook"), "{own}");
    }
    assert_eq!(
        json!(shell.run(&["--version"]).well().trim()),
        format!("rowhook {}", env!("CARGO_PKG_VERSION"))
    );
}
