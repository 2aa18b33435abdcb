//! The management API as a command calls it: over HTTP, with a key, like everyone.

use std::{rc::Rc, sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{
    policy::{delivery::USER_AGENT, egress::EgressPolicy, proxy::Proxies},
    telemetry::Metrics,
    transport::{
        DeliveryRequest, HttpTransportFactory, SystemResolver, Transport, TransportFactory,
        TransportSettings, tls::client_config,
    },
};

use super::Failure;

/// A caller of one API.
pub struct ApiClient {
    uri: String,
    key: String,
    transport: Rc<dyn Transport>,
}

impl ApiClient {
    /// For the API at `uri`, which may be on this machine.
    pub fn new(uri: &str, key: &str) -> Result<Self, Failure> {
        let factory = HttpTransportFactory::new(TransportSettings {
            egress: EgressPolicy {
                allow: vec![
                    "0.0.0.0/0".parse().map_err(Failure::of_work)?,
                    "::/0".parse().map_err(Failure::of_work)?,
                ],
            },
            allow_http: true,
            tls: Arc::new(client_config(None).map_err(Failure::of_work)?),
            bind_address: None,
            resolver: Arc::new(SystemResolver),
            metrics: Metrics::default(),
            proxies: Proxies::default(),
        });
        Ok(Self {
            uri: uri.to_owned(),
            key: key.to_owned(),
            transport: factory.for_this_thread(),
        })
    }

    /// The `data` of a document's answer; its first error otherwise.
    pub async fn call(&self, query: &str, variables: Value) -> Result<Value, Failure> {
        let body = json!({"query": query, "variables": variables}).to_string();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let answer = self
            .transport
            .post(DeliveryRequest {
                uri: self.uri.clone(),
                headers: vec![
                    header("content-type", "application/json"),
                    header("user-agent", USER_AGENT),
                    header("authorization", &format!("Bearer {}", self.key)),
                ],
                body: body.into(),
                timeout: Duration::from_secs(10),
                client_identity: None,
            })
            .await
            .map_err(Failure::of_work)?;
        let mut body: Value = serde_json::from_str(&answer.body).map_err(|_| {
            Failure::of_work(format!(
                "{} answered {}: {}",
                self.uri, answer.status, answer.body
            ))
        })?;
        if let Some(error) = body["errors"][0]["message"].as_str() {
            return Err(Failure::of_work(format!("the API refused: {error}")));
        }
        Ok(body["data"].take())
    }
}
