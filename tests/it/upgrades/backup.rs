//! A backup is made while the service works, as `docs/OPERATING.md` says, and restored as it says.

use std::{path::Path, process::Command};

use rowhook::store::sql::db::Dialect::{Postgres, Sqlite};
use sea_orm::{ConnectionTrait as _, Database};

use crate::support::{
    cluster::Cluster,
    command::Shell,
    database::TestDatabase,
    house::{House, items},
    receiver::Answer,
    service::Service,
};

/// What stands between backticks on the page and begins so.
fn of_the_page(beginning: &str) -> String {
    let page = include_str!("../../../docs/OPERATING.md");
    let found = page.split('`').find(|text| text.starts_with(beginning));
    found.expect("the page says it").to_owned()
}

fn bash(command: &str, variables: &[(&str, &str)], folder: &Path) {
    let done = Command::new("bash")
        .args(["-euc", command])
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

/// What SQLite's own shell is told on the page, by the Python that is on every machine of ours.
fn sqlite(command: &str, house: &House, folder: &Path) {
    let (_, sql) = command.split_once('"').unwrap();
    let sql = sql.trim_end_matches('"').replace("'backup.db'", "?");
    let backup = folder.join("backup.db").display().to_string();
    let script = "import sqlite3, sys\nfile, sql, backup = sys.argv[1:]\n\
                  app = sqlite3.connect(file, isolation_level=None)\n\
                  app.execute(sql, [backup] if '?' in sql else [])";
    house.python(script, &[house.sqlite_file(), &sql, &backup]);
}

/// Two events are owed when the backup is made, and one is delivered after it.
async fn until_the_backup(house: &House) -> i64 {
    house.receiver.answer(|one| {
        Answer::Status(if one.data()["id"].as_i64() < Some(3) {
            200
        } else {
            500
        })
    });
    house.register_for_items("/items", "").await;
    house
        .sql("insert into items values (1, 0, 'x'), (2, 0, 'x')")
        .await;
    house.receiver.wait_for_events(2).await;
    house.wait_for_count("status: \"delivered\"", 2).await;
    house
        .sql("insert into items values (3, 0, 'x'), (4, 0, 'x')")
        .await;
    let all = house.receiver.wait_for_events(4).await;
    house.wait_for_count("status: \"pending\"", 2).await;
    all.iter().map(|one| one.event_id()).max().unwrap()
}

/// The restored one delivers what was owed, and gives no event id again.
async fn after_the_restore(house: &House, known: i64) {
    house.receiver.answer(|_| Answer::Status(200));
    house.sql("insert into items values (6, 0, 'x')").await;
    let all = house
        .receiver
        .wait_until("the new one", |all| {
            all.iter().any(|one| one.data()["id"] == 6)
        })
        .await;
    let new = all.iter().find(|one| one.data()["id"] == 6).unwrap();
    assert!(
        new.event_id() > known + 1,
        "{} was given before",
        new.event_id()
    );
    house.settled(5).await;
    house.wait_for_count("status: \"delivered\"", 5).await;
}

async fn one_more(house: &House) -> i64 {
    house.receiver.answer(|_| Answer::Status(200));
    house.sql("insert into items values (5, 0, 'x')").await;
    let all = house
        .receiver
        .wait_until("one after the backup", |all| {
            all.iter().any(|one| one.data()["id"] == 5)
        })
        .await;
    all.iter().map(|one| one.event_id()).max().unwrap()
}

#[tokio::test]
async fn of_postgresql_into_another_cluster() {
    let house = House::of(TestDatabase::fresh(Postgres).await).await;
    until_the_backup(&house).await;
    let folder = tempfile::tempdir().unwrap();
    let dump = of_the_page("pg_dump --format");
    bash(&dump, &[("DATABASE", &house.url)], folder.path());
    let known = one_more(&house).await;
    let House {
        mut service,
        receiver,
        app,
        ..
    } = house;
    service.terminate().await;
    app.close().await.unwrap();

    let other = Cluster::start("").await;
    let (server, url) = (other.url("postgres"), other.url("restored"));
    let make = Database::connect(&server).await.unwrap();
    make.execute_unprepared("create database restored")
        .await
        .unwrap();
    make.close().await.unwrap();
    let restore = of_the_page("pg_restore --dbname");
    bash(&restore, &[("NEW_DATABASE", &url)], folder.path());
    let shell = Shell::on(&url);
    assert_eq!(shell.run(&["rebase"]).code, Some(1));
    shell.run(&["rebase", "--yes"]).well();
    let service = Service::start(&url, "", &[items(Postgres)]).await;
    let app = Database::connect(&url).await.unwrap();
    let house = House::moved(service, receiver, app, url);
    after_the_restore(&house, known).await;
}

#[tokio::test]
async fn of_the_embedded_database() {
    let mut house = House::of(TestDatabase::fresh(Sqlite).await).await;
    until_the_backup(&house).await;
    let folder = Path::new(house.sqlite_file()).parent().unwrap().to_owned();
    sqlite(&of_the_page("sqlite3 rowhook.db \"vacuum"), &house, &folder);
    let known = one_more(&house).await;
    house.service.terminate().await;
    house.app.close_by_ref().await.unwrap();
    for suffix in ["-wal", "-shm"] {
        // Whoever closed it last may have taken them away.
        let _gone = std::fs::remove_file(folder.join(format!("rowhook.db{suffix}")));
    }
    std::fs::rename(folder.join("backup.db"), folder.join("rowhook.db")).unwrap();
    sqlite(&of_the_page("sqlite3 rowhook.db \"update"), &house, &folder);
    house.app = Database::connect(&house.url).await.unwrap();
    house.service.restart().await;
    after_the_restore(&house, known).await;
}
