//! The two roles of `docs/OPERATING.md`, as it says: one installs, one runs, and neither is a superuser.

use rowhook::store::sql::db::Dialect::Postgres;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbErr};

use crate::support::{
    command::Shell,
    database::TestDatabase,
    house::House,
    receiver::Receiver,
    service::{Service, Watched},
};

const ENTRY: &str = "[[resources]]\nname = \"ITEM\"\ntable = \"app.items\"\n";

/// The page's SQL, with roles of this test's own in place of the page's.
fn of_the_page(rename: &impl Fn(&str) -> String) -> Vec<String> {
    let page = include_str!("../../docs/OPERATING.md");
    let (_, chapter) = page.split_once("\n## Two roles on PostgreSQL\n").unwrap();
    let chapter = chapter.split("\n## ").next().unwrap();
    let blocks = chapter.split("```sql\n").skip(1);
    blocks
        .map(|block| rename(block.split("```").next().unwrap()))
        .collect()
}

async fn connect(url: &str, role: &str) -> DatabaseConnection {
    Database::connect(as_role(url, role)).await.unwrap()
}

fn as_role(url: &str, role: &str) -> String {
    let (head, tail) = url.split_once("rowhook@").unwrap();
    format!("{head}{role}@{tail}")
}

#[track_caller]
fn refused(done: Result<sea_orm::ExecResult, DbErr>) {
    let error = done.unwrap_err().to_string();
    let no_right = ["permission denied", "must be owner"];
    assert!(
        no_right.iter().any(|words| error.contains(words)),
        "{error}"
    );
}

#[tokio::test]
async fn one_role_installs_and_a_lesser_one_runs() {
    let database = TestDatabase::fresh(Postgres).await;
    let name = database.url.rsplit('/').next().unwrap().to_owned();
    let mine = |role: &str| format!("{role}_{name}");
    let rename = |text: &str| {
        ["rowhook_owner", "rowhook_service", "app_owner"]
            .iter()
            .fold(text.replace("mydb", &name), |text, role| {
                text.replace(role, &mine(role))
            })
    };
    let [before, names, after] = of_the_page(&rename).try_into().unwrap();
    let (owner, service) = (mine("rowhook_owner"), mine("rowhook_service"));
    let (app_owner, writer) = (mine("app_owner"), mine("writer"));
    let admin = database.application().await;
    let sql = async |sql: &str| admin.execute_unprepared(sql).await.unwrap();
    sql(&format!(
        "create role {app_owner}; create role {writer} login;
         create schema app authorization {app_owner}; grant usage on schema app to {writer};
         create table app.items (id int primary key, n int); alter table app.items owner to {app_owner};
         grant select, insert, update, delete, truncate on app.items to {writer}"
    ))
    .await;
    sql(&before).await;
    sql(&names).await;

    let shell = Shell::on(&as_role(&database.url, &owner));
    shell.write("rowhook.toml", ENTRY);
    shell.run(&["migrate", "up"]).well();
    shell.run(&["resources", "install"]).well();
    let as_owner = connect(&database.url, &owner).await;
    as_owner.execute_unprepared(&after).await.unwrap();
    as_owner.close().await.unwrap();

    let service_url = as_role(&database.url, &service);
    let items = Watched {
        name: "ITEM",
        table: "app.items",
        more: "",
    };
    let mut house = House::with_service(
        Service::start(&service_url, "auto_migrate = false", &[items]).await,
        Receiver::start().await,
        connect(&database.url, &writer).await,
        database,
    );
    house.register_for_items("/items", "").await;
    house
        .sql("insert into app.items values (1, 1), (2, 1); update app.items set n = 2 where id = 1; delete from app.items where id = 2")
        .await;
    house
        .sql("begin isolation level repeatable read; truncate app.items; commit")
        .await;
    house.receiver.wait_for_events(5).await;
    house.settled(5).await;

    let shell = Shell::on(&service_url);
    shell.write("rowhook.toml", ENTRY);
    shell.run(&["doctor"]).well();

    let as_service = connect(&house.url, &service).await;
    for beyond in [
        "select * from app.items",
        "update app.items set n = 3",
        "drop trigger \" rowhook_item\" on app.items",
        "alter table app.items disable trigger all",
        "alter table rowhook.logged_actions add column more text",
        "create table rowhook.more ()",
        "insert into rowhook.fresh_reads default values",
        "create or replace function rowhook.log_item() returns trigger language plpgsql as 'begin return null; end'",
    ] {
        refused(as_service.execute_unprepared(beyond).await);
    }
    for forged in [
        "insert into rowhook.logged_actions (resource_id, action, row_data) values (1, 1, '[7, 7]')",
        "delete from rowhook.logged_actions",
        "update rowhook.events set state = 3",
    ] {
        refused(house.app.execute_unprepared(forged).await);
    }
    as_service.close().await.unwrap();
    // Roles belong to the whole server: they go, and so everything of theirs.
    house.app.clone().close().await.unwrap();
    house.service.terminate().await;
    sql(&format!(
        "drop schema rowhook cascade; drop schema app cascade;
         drop owned by {owner}, {service}, {app_owner}, {writer};
         drop role {owner}, {service}, {app_owner}, {writer}"
    ))
    .await;
}
