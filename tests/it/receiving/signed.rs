//! Deliveries that a test signs itself, and what the page's functions must say to them.

use std::collections::BTreeMap;

use chrono::Utc;
use rowhook::{
    domain::shared_secret::SharedSecret,
    policy::signature::{ion_message, ion_signature, standard_signature},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A delivery, as a function of the page is given it.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    pub secret: String,
    pub uri: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// Whether each way of verifying accepts a delivery.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Verdicts {
    pub standard: bool,
    pub library: bool,
    pub ion: bool,
}

impl Verdicts {
    /// `webhook-signature` and `x-ion-signature`.
    pub fn of(standard: bool, ion: bool) -> Self {
        Self {
            standard,
            library: standard,
            ion,
        }
    }
}

#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Case {
    /// A body of content type `json`, signed now with each of the secrets; the first is the new one.
    pub fn signed(secrets: &[&SharedSecret], uri: &str, body: &str) -> Self {
        let parts: Parts = serde_json::from_str(body).unwrap();
        Self::with_data(secrets, uri, "application/json", body, parts.data.get())
    }

    /// The same for any content type; `data`: the inner `data`, as it stands in the body.
    pub fn with_data(
        secrets: &[&SharedSecret],
        uri: &str,
        content_type: &str,
        body: &str,
        data: &str,
    ) -> Self {
        let timestamp = Utc::now().timestamp();
        let standard: Vec<String> = secrets
            .iter()
            .map(|secret| standard_signature(secret, "7", timestamp, body.as_bytes()))
            .collect();
        let message = ion_message(uri, data).unwrap();
        let mut headers = BTreeMap::from([
            ("content-type".to_owned(), content_type.to_owned()),
            ("webhook-id".to_owned(), "7".to_owned()),
            ("webhook-timestamp".to_owned(), timestamp.to_string()),
            ("webhook-signature".to_owned(), standard.join(" ")),
        ]);
        let names = ["x-ion-signature", "x-ion-signature-previous"];
        for (secret, name) in secrets.iter().zip(names) {
            headers.insert(name.to_owned(), ion_signature(secret, &message));
        }
        Self {
            secret: secrets[0].expose().to_owned(),
            uri: uri.to_owned(),
            headers,
            body: body.to_owned(),
        }
    }

    /// These `data`, signed by `x-ion-signature` alone: for many of them, a second signature takes its time.
    pub fn by_ion(secret: &SharedSecret, uri: &str, data: &str) -> Self {
        let message = ion_message(uri, data).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            secret: secret.expose().to_owned(),
            uri: uri.to_owned(),
            headers: BTreeMap::from([
                pair("content-type", "application/json"),
                pair("x-ion-signature", &ion_signature(secret, &message)),
            ]),
            body: format!("{{\"event_id\":1,\"data\":{data}}}"),
        }
    }

    /// With one header changed.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        assert!(
            self.headers
                .insert(name.to_owned(), value.to_owned())
                .is_some()
        );
        self
    }

    /// With something in the body replaced.
    pub fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.body.contains(from), "{from:?} is not in {}", self.body);
        self.body = self.body.replacen(from, to, 1);
        self
    }

    /// As it is verified by the holder of this secret.
    pub fn held_by(mut self, secret: &SharedSecret) -> Self {
        secret.expose().clone_into(&mut self.secret);
        self
    }

    /// The headers as a client takes them.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let pairs = self.headers.iter();
        pairs.map(|(name, value)| (&**name, &**value)).collect()
    }
}
