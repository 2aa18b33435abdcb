//! Receivers that ask who calls: rowhook shows each the certificate that is set for it, and no other's.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Instant};

use rowhook::{
    domain::{attempt::SendError, client_identity::ClientIdentity},
    policy::client_certificate::{Unusable, certified_key, check, facts},
    transport::{DeliveryRequest, Transport},
};
use serde_json::{Value, json};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    support::{
        both::on_both,
        certificates::{Authority, ClientPair, Dates},
        database::TestDatabase,
        house::House,
        raw_server::{OK, RawServer},
        service::{DEADLINE, LOOK_AGAIN},
    },
    transport::{LONG, request, transport_of},
    transport_tls::trusting,
};

on_both!(a_certificate_is_set_changed_and_removed);

/// Who called, once for each request, with the number of its connection.
type Callers = Rc<RefCell<Vec<(usize, String)>>>;

/// A server that notes whose certificate it was shown.
async fn noting(acceptor: TlsAcceptor) -> (RawServer, Callers) {
    let callers = Callers::default();
    let noted = Rc::clone(&callers);
    let server = RawServer::start(move |server, stream| {
        let (acceptor, noted) = (acceptor.clone(), Rc::clone(&noted));
        let connection = server.connections();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let caller = caller(&stream);
            while server.receive(&mut stream).await.is_some() {
                noted.borrow_mut().push((connection, caller.clone()));
                use tokio::io::AsyncWriteExt as _;
                stream.write_all(OK).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    })
    .await;
    (server, callers)
}

fn caller<S>(stream: &TlsStream<S>) -> String {
    let Some(chain) = stream.get_ref().1.peer_certificates() else {
        return "nobody".to_owned();
    };
    let (_, certificate) = x509_parser::parse_x509_certificate(&chain[0]).unwrap();
    certificate.subject().to_string()
}

fn identity(pair: &ClientPair) -> Arc<ClientIdentity> {
    Arc::new(ClientIdentity::new(
        pair.certificate.clone(),
        pair.key.clone(),
    ))
}

async fn post_as(
    transport: &Rc<dyn Transport>,
    identity: Option<&Arc<ClientIdentity>>,
) -> Result<u16, String> {
    let request = DeliveryRequest {
        client_identity: identity.cloned(),
        ..request("https://hooks.test/", LONG)
    };
    match transport.post(request).await {
        Ok(answer) => Ok(answer.status),
        Err(SendError::Tls { detail, .. }) => Err(detail),
        Err(other) => panic!("expected a TLS fault: {other:?}"),
    }
}

#[actix_rt::test]
async fn it_is_shown_to_who_demands_it_and_the_connection_kept() {
    let authority = Authority::new();
    let (server, callers) = noting(authority.demanding_acceptor("hooks.test")).await;
    let transport = transport_of(trusting(&authority, &server));
    let words = post_as(&transport, None).await.unwrap_err();
    assert!(
        words.starts_with("the receiver asks for a client certificate")
            && words.contains("none is set"),
        "{words}"
    );
    let stranger = Authority::named("somebody else's CA").client("stranger", Dates::Valid);
    let words = post_as(&transport, Some(&identity(&stranger)))
        .await
        .unwrap_err();
    assert!(
        words.starts_with("the receiver asks for a client certificate and does not accept"),
        "{words}"
    );
    let expired = authority.client("late", Dates::Expired);
    let words = post_as(&transport, Some(&identity(&expired)))
        .await
        .unwrap_err();
    assert!(
        words.contains("does not accept") && words.contains("Expired"),
        "{words}"
    );
    let refused = server.connections();
    let ours = identity(&authority.client("rowhook", Dates::Valid));
    for _ in 0..3 {
        assert_eq!(post_as(&transport, Some(&ours)).await, Ok(200));
    }
    let connection = (refused + 1, "CN=rowhook".to_owned());
    assert_eq!(*callers.borrow(), vec![connection; 3]);
}

#[actix_rt::test]
async fn connections_are_never_lent_to_another_certificate() {
    let authority = Authority::new();
    let (server, callers) = noting(authority.asking_acceptor("hooks.test")).await;
    let transport = transport_of(trusting(&authority, &server));
    let one = identity(&authority.client("one", Dates::Valid));
    let two = identity(&authority.client("two", Dates::Valid));
    for who in [None, Some(&one), Some(&two), None, Some(&two), Some(&one)] {
        assert_eq!(post_as(&transport, who).await, Ok(200));
    }
    let expected = [
        (1, "nobody"),
        (2, "CN=one"),
        (3, "CN=two"),
        (1, "nobody"),
        (3, "CN=two"),
        (2, "CN=one"),
    ];
    assert_eq!(
        *callers.borrow(),
        expected.map(|(connection, name)| (connection, name.to_owned()))
    );
    // The same pair read anew, as it is once a second, is the same.
    let again = ClientIdentity::new(one.certificate().to_owned(), one.expose_key().to_owned());
    assert_eq!(post_as(&transport, Some(&Arc::new(again))).await, Ok(200));
    assert_eq!(server.connections(), 3);
}

struct Scene {
    house: House,
    receiver: Value,
    rows: i64,
}

impl Scene {
    async fn set(&self, fields: Value) -> Value {
        let read = format!("{{ webhookReceiver(id: {}) {{ _etag }} }}", self.receiver);
        let etag = self.house.service.graphql(&read).await["webhookReceiver"]["_etag"].clone();
        let mut input = fields;
        input["id"] = self.receiver.clone();
        input["etag"] = etag;
        let document = "mutation($input: UpdateWebhookReceiverInput!) {
            updateWebhookReceiver(input: $input) { webhookReceiver {
                clientCertificate { subject issuer pem } } } }";
        let answer = self
            .house
            .service
            .try_graphql_with(document, &json!({"input": input}))
            .await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["updateWebhookReceiver"]["webhookReceiver"].clone()
    }

    /// What comes of changes that commit now, once they go by the present setting.
    async fn until(&mut self, status: &str, says: &str) {
        let began = Instant::now();
        loop {
            self.rows += 1;
            let sql = format!("insert into items (id, n) values ({}, 1)", self.rows);
            self.house.sql(&sql).await;
            self.house.wait_for_count("", self.rows).await;
            self.house.wait_for_count("status: \"pending\"", 0).await;
            let newest = self.house.events("").await[0].clone();
            let error = newest["error"].as_str().unwrap_or_default();
            if newest["status"] == status && error.contains(says) {
                return;
            }
            assert!(began.elapsed() < DEADLINE, "{newest}");
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

async fn a_certificate_is_set_changed_and_removed(database: TestDatabase) {
    let authority = Authority::new();
    let (server, callers) = noting(authority.demanding_acceptor("127.0.0.1")).await;
    let bundle = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(bundle.path(), authority.pem()).unwrap();
    let settings = format!("[receivers]\nca_bundle = {:?}\n", bundle.path());
    let house = House::with(database, &settings, "", &[]).await;
    let one = authority.client("one", Dates::Valid);
    let create = "mutation($input: CreateWebhookReceiverInput!) {
        createWebhookReceiver(input: $input) { webhookReceiver {
            id clientCertificate { subject issuer pem validFrom validUntil } } } }";
    let input = json!({"input": {
        "name": "asks", "webhookUri": format!("https://{}/", server.address),
        "retryPolicy": {"maxAttempts": 1}, "clientCertificate": one.certificate, "clientKey": one.key,
    }});
    let made = house.service.try_graphql_with(create, &input).await;
    let record = &made["data"]["createWebhookReceiver"]["webhookReceiver"];
    let shown = &record["clientCertificate"];
    assert_eq!(shown["subject"], "CN=one", "{made}");
    assert_eq!(shown["issuer"], "CN=rowhook test CA");
    assert_eq!(shown["validUntil"], "4000-01-01T00:00:00.000Z");
    assert_eq!(
        shown["pem"]
            .as_str()
            .unwrap()
            .split_whitespace()
            .collect::<String>(),
        one.certificate.split_whitespace().collect::<String>()
    );
    let receiver = record["id"].clone();
    house
        .subscribe(receiver.as_i64().unwrap(), "ITEM", "CREATE", "")
        .await;
    let mut scene = Scene {
        house,
        receiver,
        rows: 0,
    };
    scene.until("delivered", "").await;
    assert_eq!(callers.borrow().last().unwrap().1, "CN=one");

    // Something else is changed: it stays.
    scene.set(json!({"name": "still asks"})).await;
    scene.until("delivered", "").await;
    assert_eq!(callers.borrow().last().unwrap().1, "CN=one");

    // Another one goes into force within a second, while connections of the first are open.
    let two = authority.client("two", Dates::Valid);
    let after = scene
        .set(json!({"clientCertificate": two.certificate, "clientKey": two.key}))
        .await;
    assert_eq!(after["clientCertificate"]["subject"], "CN=two");
    let changed = Instant::now();
    while callers.borrow().last().unwrap().1 != "CN=two" {
        assert!(changed.elapsed() < DEADLINE);
        scene.until("delivered", "").await;
    }

    let after = scene.set(json!({"clientCertificate": null})).await;
    assert_eq!(after["clientCertificate"], Value::Null);
    scene
        .until("failed", "the receiver asks for a client certificate")
        .await;
}

/// A file of `support/client_pairs`, whose keys serve nothing else. OpenSSL made them, valid for a hundred years:
/// `req -x509` with `rsa:2048` (PKCS #1), `secp384r1` (SEC 1, after its EC PARAMETERS), `ed25519` (PKCS #8) and
/// `secp521r1`; `v1` is `x509 -req` without extensions, for the RSA key.
macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("support/client_pairs/", $name, ".pem"))
    };
}

#[test]
fn keys_of_every_kind_that_tls_can_use_are_taken() {
    let now = chrono::Utc::now();
    for (certificate, key, subject, label) in [
        (
            sample!("rsa.crt"),
            sample!("rsa.key"),
            "O=Example, CN=rsa",
            "RSA PRIVATE KEY",
        ),
        (
            sample!("v1.crt"),
            sample!("rsa.key"),
            "CN=version 1",
            "RSA PRIVATE KEY",
        ),
        (
            sample!("ec.crt"),
            sample!("ec.key"),
            "CN=ec",
            "EC PRIVATE KEY",
        ),
        (
            sample!("ed25519.crt"),
            sample!("ed25519.key"),
            "CN=ed25519",
            "PRIVATE KEY",
        ),
    ] {
        let identity = check(certificate, key, now).unwrap();
        assert_eq!(identity.certificate(), certificate, "{subject}");
        assert_eq!(facts(identity.certificate()).unwrap().subject, subject);
        let kept = identity.expose_key();
        assert!(
            kept.starts_with(&format!("-----BEGIN {label}-----\n")),
            "{subject}"
        );
        assert!(key.ends_with(kept), "{subject}");
        assert!(certified_key(&identity).is_ok(), "{subject}");
    }
    let of = |certificate, key| check(certificate, key, now).unwrap_err();
    assert_eq!(
        of(sample!("p521.crt"), sample!("p521.key")),
        Unusable::KeyKind
    );
    assert_eq!(
        of(sample!("rsa.crt"), sample!("locked.key")),
        Unusable::KeyEncrypted
    );
    assert_eq!(
        of(sample!("rsa.crt"), sample!("ec.key")),
        Unusable::Mismatch { of: None }
    );
}
