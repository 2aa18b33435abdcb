//! `rowhook listen` and `rowhook verify`, with deliveries that are made here.

use std::net::SocketAddr;

use rowhook::{
    domain::shared_secret::SharedSecret,
    policy::signature::{ion_message, ion_signature, standard_signature},
};
use serde_json::Value;

use crate::support::{
    command::{Running, Shell},
    http::{Answer, send},
};

const DATA: &str = r#"{"id":7,"etag":"e","old":{"n": 1.50},"new":{"n":null}}"#;

fn body() -> String {
    format!(
        r#"{{"event_id":17,"subscription_id":1,"resource":"run","action":"update","data":{DATA}}}"#
    )
}

fn listen(shell: &Shell, arguments: &[&str]) -> (Running, SocketAddr) {
    let mut all = vec!["listen", "--port", "0"];
    all.extend(arguments);
    let listen = shell.start(&all);
    let line = listen.says("listening on http://");
    let address = line.split(['/', ' ']).nth(4).unwrap().parse().unwrap();
    (listen, address)
}

/// A delivery as rowhook would make it for a receiver at `uri`.
async fn deliver(to: SocketAddr, uri: &str, secret: &SharedSecret, body: &str) -> Answer {
    let ion = ion_signature(secret, &ion_message(uri, DATA).unwrap());
    let standard = standard_signature(secret, "17", 1_777_231_022, body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("x-ion-signature", ion.as_str()),
        ("webhook-signature", standard.as_str()),
        ("webhook-id", "17"),
        ("webhook-timestamp", "1777231022"),
        ("x-rowhook-sequence", "3"),
    ];
    send(to, "POST", "/hooks?x=1", &headers, body.as_bytes()).await
}

#[actix_rt::test]
async fn listening_shows_what_comes_and_whether_it_verifies() {
    let secret = SharedSecret::generate();
    let shell = Shell::new();
    let (listen, address) = listen(&shell, &["--secret", secret.expose()]);
    let uri = format!("http://{address}/hooks?x=1");
    let answer = deliver(address, &uri, &secret, &body()).await;
    assert_eq!(answer.status, 200);
    let line = listen.says("event 17");
    for part in [
        "run update 7",
        "sequence 3",
        "x-ion-signature verified, webhook-signature verified",
    ] {
        assert!(line.contains(part), "{line}");
    }
    assert!(listen.says("POST /hooks?x=1").contains(DATA));

    let other = SharedSecret::generate();
    assert_eq!(deliver(address, &uri, &other, &body()).await.status, 401);
    listen.says("x-ion-signature WRONG, webhook-signature WRONG");
    listen.says("another secret");
    assert_eq!(
        deliver(address, "http://else/", &secret, &body())
            .await
            .status,
        401
    );
    listen.says("x-ion-signature WRONG, webhook-signature verified");

    assert_eq!(send(address, "GET", "/", &[], b"").await.status, 400);
    listen.says("GET / is no delivery");
    assert_eq!(send(address, "POST", "/", &[], b"hello").await.status, 400);
    listen.says("POST / is no delivery");
    let done = listen.stop();
    assert_eq!(done.code, Some(0));
    assert!(
        done.err
            .contains("3 deliveries, 1 with both signatures verified, 2 with a wrong one")
    );
}

#[actix_rt::test]
async fn listening_answers_as_it_is_told_and_talks_to_scripts() {
    let secret = SharedSecret::generate();
    let shell = Shell::new();
    let uri = "https://tunnel.example.com/x";
    let options = [
        "--json",
        "--status",
        "503",
        "--uri",
        uri,
        "--secret",
        secret.expose(),
    ];
    let (listen, address) = listen(&shell, &options);
    assert_eq!(deliver(address, uri, &secret, &body()).await.status, 503);
    let line: Value = serde_json::from_str(&listen.says("eventId")).unwrap();
    assert_eq!(line["eventId"], 17);
    assert_eq!(line["verified"], true);
    assert_eq!(line["body"]["data"]["id"], 7);

    let taken = address.port().to_string();
    let line = shell.run(&["listen", "--port", &taken]).fault(1);
    assert!(line.contains("--port"), "{line}");
    let line = shell.run(&["listen", "--secret", "letmein"]).fault(2);
    assert!(
        line.contains("whsec_") && !line.contains("letmein"),
        "{line}"
    );
}

#[test]
fn verifying_shows_what_was_signed() {
    let secret = SharedSecret::generate();
    let mut shell = Shell::new();
    shell.set("ROWHOOK_SHARED_SECRET", secret.expose());
    let uri = "https://hooks.example.com/x";
    let message = ion_message(uri, DATA).unwrap();
    let ion = ion_signature(&secret, &message);
    let verify = |uri: &str, signature: &str, body: &str| {
        shell.run_with(&["verify", "--uri", uri, "--signature", signature], body)
    };
    let cloud_event = format!(r#"{{"specversion":"1.0","id":"17","data":{}}}"#, body());
    for wrapped in [body(), body() + "\n", cloud_event] {
        let said = verify(uri, &ion, &wrapped).well();
        assert!(said.contains(&format!("signed:   {message}\n")), "{said}");
        assert!(said.contains("verified: "), "{said}");
    }
    assert!(
        message.contains("new:{'n': None}&old:{'n': 1.5}"),
        "{message}"
    );
    let done = verify("https://hooks.example.com/x/", &ion, &body());
    assert_eq!(done.code, Some(1));
    assert!(
        done.out.contains("expected: ") && done.err.contains("every letter counts"),
        "{done:?}"
    );
    let line = verify(uri, &ion, "{}").fault(2);
    assert!(line.contains("standard input holds no delivery"), "{line}");
    let line = shell.run(&["verify", "--signature", &ion]).fault(2);
    assert!(line.contains("--uri"), "{line}");

    let standard = standard_signature(&secret, "17", 1_777_231_022, body().as_bytes());
    let arguments = [
        "verify",
        "--signature",
        &standard,
        "--id",
        "17",
        "--timestamp",
        "1777231022",
    ];
    let said = shell.run_with(&arguments, &body()).well();
    assert!(said.contains("signed:   17.1777231022.{"), "{said}");
    let done = shell.run_with(&arguments, &(body() + "\n"));
    assert!(
        done.code == Some(1) && done.err.contains("line end"),
        "{done:?}"
    );
    let line = shell.run(&arguments[..3]).fault(2);
    assert!(line.contains("--timestamp"), "{line}");
}
