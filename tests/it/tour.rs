//! The README's five-minute tour, copied from the page and run: every command block between its headings, in the
//! order of the page, each terminal in a shell of its own.

use sea_orm::{ConnectionTrait as _, Database};

use crate::support::{
    command::{Running, Shell},
    wait::until_ok,
};

const README: &str = include_str!("../../README.md");
/// What a reader puts the own database's URL for.
const THEIR_DATABASE: &str = "postgres://me:secret@localhost/mydb";
/// What a reader runs once, and cargo has done for the tests.
const INSTALL: &str = "cargo install";

/// The shell blocks of a chapter.
fn blocks(chapter: &str) -> Vec<String> {
    let (_, rest) = README
        .split_once(&format!("\n## {chapter}\n"))
        .unwrap_or_else(|| panic!("the README has no chapter {chapter:?}"));
    let text = rest.split("\n## ").next().unwrap();
    text.split("\n```sh\n")
        .skip(1)
        .map(|block| block.split("\n```").next().unwrap().to_owned())
        .collect()
}

/// Waits until something listens there: what a reader sees in the other terminal.
async fn answers(address: &str) {
    let connects = async || tokio::net::TcpStream::connect(address).await;
    until_ok(&format!("somebody listens at {address}"), connects).await;
}

#[actix_rt::test]
async fn the_tour_ends_with_a_verified_delivery() {
    let server = std::env::var("ROWHOOK_TEST_POSTGRES").expect("tests/run names a server");
    let (base, _) = server.rsplit_once('/').unwrap();
    let url = format!("{base}/rowhook_tour");
    let admin = Database::connect(&server).await.unwrap();
    for sql in [
        "drop database if exists rowhook_tour with (force)",
        "create database rowhook_tour",
    ] {
        admin.execute_unprepared(sql).await.unwrap();
    }
    let blocks = blocks("Five minutes, with your own PostgreSQL");
    assert!(blocks[0].contains(INSTALL), "{}", blocks[0]);
    assert!(blocks[1].contains(THEIR_DATABASE), "{}", blocks[1]);
    let first_lines = blocks[1].replace(THEIR_DATABASE, &url);
    let exported: String = first_lines
        .lines()
        .filter(|line| line.starts_with("export "))
        .map(|line| format!("{line}\n"))
        .collect();

    // The ports of the page may be taken on this machine; the test's own are not.
    let ports: Vec<u16> = [(); 2]
        .map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect();
    let with_ports = |block: &str| {
        block
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", ports[0]))
            .replace("127.0.0.1:9000", &format!("127.0.0.1:{}", ports[1]))
            .replace(
                "rowhook listen",
                &format!("rowhook listen --port {}", ports[1]),
            )
    };
    let mut shell = Shell::new();
    shell.set("ROWHOOK_LISTEN", &format!("127.0.0.1:{}", ports[0]));
    // A reader's psql works in the schema public; that of the tests' role is the server's own affair.
    shell.set("PGOPTIONS", "-c search_path=public");

    let mut running: Vec<(String, Running)> = Vec::new();
    for block in std::iter::once(first_lines.as_str()).chain(blocks[2..].iter().map(String::as_str))
    {
        let script = format!("{exported}{}", with_ports(block));
        let stays = ["rowhook serve\n", "rowhook listen"]
            .iter()
            .any(|command| format!("{block}\n").contains(command));
        if stays {
            // The last command takes the shell's place, so that ending one ends the other.
            let (before, last) = script.trim_end().rsplit_once('\n').unwrap();
            running.push((
                block.to_owned(),
                shell.bash(&format!("{before}\nexec {last}")),
            ));
            let port = if block.contains("listen") {
                ports[1]
            } else {
                ports[0]
            };
            answers(&format!("127.0.0.1:{port}")).await;
        } else {
            let done = shell.bash(&script).ends();
            assert_eq!(done.code, Some(0), "{block}\n{done:?}");
            assert!(!done.out.contains("\"errors\""), "{block}\n{done:?}");
        }
    }
    let (_, listen) = running
        .iter()
        .find(|(block, _)| block.contains("listen"))
        .unwrap();
    let line = listen.says("order update 1");
    assert!(
        line.contains("x-ion-signature verified, webhook-signature verified"),
        "{line}"
    );
    listen.says(r#""old":{"state":"open"},"new":{"state":"paid"}"#);
    for (block, running) in running {
        let done = running.stop();
        assert_eq!(done.code, Some(0), "{block}\n{done:?}");
    }
    admin
        .execute_unprepared("drop database rowhook_tour with (force)")
        .await
        .unwrap();
}
