//! Client certificates through the API: what is no usable pair is refused at its field, with what to mend, and a
//! key is shown to nobody.

use serde_json::{Value, json};

use super::House;
use crate::support::{
    both::on_both,
    certificates::{Authority, Dates},
    database::TestDatabase,
};

on_both!(each_mistake_names_its_field, a_key_is_never_shown);

const CREATE: &str = "mutation($input: CreateWebhookReceiverInput!) {
    createWebhookReceiver(input: $input) { webhookReceiver { id _etag clientCertificate { subject pem } } } }";
const UPDATE: &str = "mutation($input: UpdateWebhookReceiverInput!) {
    updateWebhookReceiver(input: $input) { webhookReceiver { id _etag clientCertificate { subject pem } } } }";

/// An RSA key of 1024 bits, which is too few.
const SHORT_RSA: &str = "-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEA\n-----END PRIVATE KEY-----\n";

async fn each_mistake_names_its_field(database: TestDatabase) {
    let house = House::of(database).await;
    let authority = Authority::new();
    let good = authority.client("rowhook", Dates::Valid);
    let other = authority.client("other", Dates::Valid);
    let (certificate, key) = (good.certificate.as_str(), good.key.as_str());
    let expired = authority.client("late", Dates::Expired);
    let future = authority.client("early", Dates::Future);
    let both_in_one = format!("{certificate}{key}");
    let turned_round = format!("{}{certificate}", other.certificate);
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let second_broken = format!("{certificate}{no_certificate}");
    let locked = key.replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE");
    let long = "x".repeat(70_000);
    let (at_certificate, at_key) = ("clientCertificate", "clientKey");
    let cases: [(Value, Value, &str, &str); 19] = [
        (
            json!(certificate),
            Value::Null,
            at_key,
            "must be given with clientCertificate",
        ),
        (
            Value::Null,
            json!(key),
            at_certificate,
            "can not be null where clientKey is given",
        ),
        (
            json!(""),
            json!(key),
            at_certificate,
            "holds no certificate",
        ),
        (
            json!("hunter2"),
            json!(key),
            at_certificate,
            "holds no certificate",
        ),
        (
            json!(&certificate[..200]),
            json!(key),
            at_certificate,
            "is not readable as PEM",
        ),
        (
            json!(no_certificate),
            json!(key),
            at_certificate,
            "holds no X.509 certificate in block 1",
        ),
        (
            json!(second_broken),
            json!(key),
            at_certificate,
            "holds no X.509 certificate in block 2",
        ),
        (
            json!(both_in_one),
            json!(key),
            at_certificate,
            "holds a private key",
        ),
        (
            json!(key),
            json!(certificate),
            at_certificate,
            "holds a private key",
        ),
        (
            json!(long),
            json!(key),
            at_certificate,
            "at most 65536 bytes",
        ),
        (
            json!(expired.certificate),
            json!(expired.key),
            at_certificate,
            "expired at 2021-01-01T00:00:00Z",
        ),
        (
            json!(future.certificate),
            json!(future.key),
            at_certificate,
            "is not valid before 3999-01-01T00:00:00Z",
        ),
        (
            json!(certificate),
            json!(""),
            at_key,
            "holds no private key",
        ),
        (
            json!(certificate),
            json!("hunter2"),
            at_key,
            "holds no private key",
        ),
        (
            json!(certificate),
            json!(locked),
            at_key,
            "is encrypted with a passphrase",
        ),
        (
            json!(certificate),
            json!(long),
            at_key,
            "at most 16384 bytes",
        ),
        (
            json!(certificate),
            json!(SHORT_RSA),
            at_key,
            "is of no kind that rowhook can use",
        ),
        (
            json!(certificate),
            json!(other.key),
            at_key,
            "is not the key of the first certificate",
        ),
        (
            json!(turned_round),
            json!(key),
            at_key,
            "but of certificate 2: that one must come first",
        ),
    ];
    let (id, etag) = house.receiver().await;
    for (certificate, key, field, says) in cases {
        let pair = json!({"clientCertificate": certificate, "clientKey": key});
        let mut update = pair.clone();
        update["id"] = json!(id);
        update["etag"] = json!(etag);
        let mut create = pair;
        create["name"] = json!("a");
        create["webhookUri"] = json!("https://a.example");
        for (document, mut input) in [(UPDATE, update), (CREATE, create)] {
            if document == CREATE && says.contains("can not be null") {
                // Null is absent in a new record.
                input.as_object_mut().unwrap().remove("clientCertificate");
                let (code, message, _) = house.refused(CREATE, json!({"input": input})).await;
                assert_eq!(code, "VALIDATION");
                assert!(
                    message.contains("must be given with clientKey"),
                    "{message}"
                );
                continue;
            }
            let (code, message, path) = house.refused(document, json!({"input": input})).await;
            assert_eq!(
                (code.as_str(), path),
                ("VALIDATION", json!(["input", field])),
                "{says}: {message}"
            );
            assert!(message.contains(says), "{message}");
            assert!(
                !message.contains("hunter2") && !message.contains("-----\n"),
                "{message}"
            );
        }
    }
    // One that is only named alone, and a key that is to go alone.
    for (field, value, says) in [
        (
            "clientKey",
            json!(key),
            "input.clientCertificate must be given with clientKey",
        ),
        (
            "clientKey",
            Value::Null,
            "input.clientKey can not be removed alone",
        ),
        (
            "clientCertificate",
            json!(certificate),
            "input.clientKey must be given with clientCertificate",
        ),
    ] {
        let mut input = json!({"id": id, "etag": etag});
        input[field] = value;
        let (_, message, _) = house.refused(UPDATE, json!({"input": input})).await;
        assert!(message.starts_with(says), "{message}");
    }
    // Nothing of all that was saved.
    let read = format!("{{ webhookReceiver(id: {id}) {{ _etag clientCertificate {{ pem }} }} }}");
    let found = house.data(&read, json!({})).await;
    assert_eq!(
        found["webhookReceiver"],
        json!({"_etag": etag, "clientCertificate": null})
    );
}

async fn a_key_is_never_shown(database: TestDatabase) {
    let house = House::of(database).await;
    let authority = Authority::new();
    let pair = authority.client("rowhook", Dates::Valid);
    let noted = format!(
        "issued for the ERP\n{}\n# chain\n{}",
        pair.certificate,
        authority.pem()
    );
    let input = json!({"input": {"name": "a", "webhookUri": "https://a.example",
        "clientCertificate": noted, "clientKey": pair.key}});
    let made = house.data(CREATE, input).await;
    let record = &made["createWebhookReceiver"]["webhookReceiver"];
    let pem = record["clientCertificate"]["pem"].as_str().unwrap();
    assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(!pem.contains("ERP") && !pem.contains("PRIVATE"), "{pem}");
    // Whoever may not change the receiver may read whom its certificate names.
    let read = format!(
        "{{ webhookReceiver(id: {}) {{ clientCertificate {{ subject issuer validFrom validUntil pem }} }} }}",
        record["id"]
    );
    let found = house.ask_as(&house.viewer, &read, json!({})).await;
    let shown = &found["data"]["webhookReceiver"]["clientCertificate"];
    assert_eq!(shown["subject"], "CN=rowhook", "{found}");
    // There is no field of that name to ask for.
    let read = format!(
        "{{ webhookReceiver(id: {}) {{ clientKey }} }}",
        record["id"]
    );
    let (code, _, _) = house.refused(&read, json!({})).await;
    assert_eq!(code, "VALIDATION");
    // Operators pause; they change no certificate.
    let input = json!({"input": {"id": record["id"], "etag": record["_etag"], "active": false,
        "clientCertificate": null}});
    let refused = house.ask_as(&house.operator, UPDATE, input).await;
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "FORBIDDEN",
        "{refused}"
    );
}
