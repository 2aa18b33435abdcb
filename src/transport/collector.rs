//! The HTTP client that takes traces to their collector.
//!
//! OpenTelemetry's exporter asks it from a thread without a runtime; awc's clients belong to a thread with one. So it has a
//! thread of its own, which ends with it. No address guard: the collector is the operator's choice, like the database. It
//! never holds up a delivery.

use std::{fmt, sync::Arc, thread, time::Duration};

use async_trait::async_trait;
use awc::Client;
use bytes::Bytes;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use rustls::ClientConfig;
use tokio::sync::{mpsc, oneshot};

use crate::telemetry::Outage;

/// The exporter sends one batch after the other.
const WAITING: usize = 4;
/// A collector that takes longer is given up for this batch.
const TIMEOUT: Duration = Duration::from_secs(10);

type Answer = Result<Response<Bytes>, CollectorError>;
type Order = (Request<Bytes>, oneshot::Sender<Answer>);

/// Why a batch of traces did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// The thread could not be started, or has ended.
    #[error("the thread that sends traces does not run")]
    NoThread,
    /// No answer, or none that could be read.
    #[error("{0}")]
    NoAnswer(String),
}

/// The client.
pub struct CollectorClient {
    orders: mpsc::Sender<Order>,
}

impl fmt::Debug for CollectorClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectorClient").finish_non_exhaustive()
    }
}

impl CollectorClient {
    /// Starts its thread. An https collector is trusted as receivers are.
    pub fn start(tls: Arc<ClientConfig>) -> Result<Self, CollectorError> {
        let (orders, waiting) = mpsc::channel(WAITING);
        let run = move || actix_rt::System::new().block_on(serve(tls, waiting));
        let started = thread::Builder::new().name("traces".to_owned()).spawn(run);
        started.map_err(|_| CollectorError::NoThread)?;
        Ok(Self { orders })
    }
}

#[async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (answer, wait) = oneshot::channel();
        let sent = self.orders.send((request, answer)).await;
        sent.map_err(|_| CollectorError::NoThread)?;
        let answer = wait.await.map_err(|_| CollectorError::NoThread)?;
        Ok(answer?)
    }
}

async fn serve(tls: Arc<ClientConfig>, mut waiting: mpsc::Receiver<Order>) {
    let client = Client::builder()
        .connector(awc::Connector::new().rustls_0_23(tls).timeout(TIMEOUT))
        .timeout(TIMEOUT)
        .disable_redirects()
        .finish();
    let mut outage = Outage::new("traces do not reach their collector");
    while let Some((request, answer)) = waiting.recv().await {
        let done = send(&client, request).await;
        match &done {
            Ok(response) if response.status().is_success() => outage.is_over(),
            Ok(response) => outage.goes_on(&format!("it answered {}", response.status())),
            Err(error) => outage.goes_on(error),
        }
        // The exporter may have given up meanwhile.
        let _gone = answer.send(done);
    }
}

async fn send(client: &Client, request: Request<Bytes>) -> Answer {
    let no_answer = |error: &dyn fmt::Display| CollectorError::NoAnswer(error.to_string());
    let (head, body) = request.into_parts();
    // What the exporter speaks of HTTP is a newer version of what awc does.
    let mut sent = client.post(head.uri.to_string());
    for (name, value) in &head.headers {
        sent = sent.insert_header((name.as_str(), value.as_bytes()));
    }
    let mut answer = sent
        .send_body(body)
        .await
        .map_err(|error| no_answer(&error))?;
    let body = answer.body().await.map_err(|error| no_answer(&error))?;
    let status = answer.status().as_u16();
    let response = Response::builder().status(status).body(body);
    response.map_err(|error| no_answer(&error))
}
