//! A receiver for trying things: takes deliveries and says whether their signatures verify.
//!
//! It does what a user's receiver does, with nothing but the secret, its own URI and the request.

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    web::{self, Bytes},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{net::SocketAddr, sync::Arc, time::Instant};
use tokio::sync::mpsc;

use crate::{
    domain::shared_secret::SharedSecret,
    policy::signature::{ion_message, verify_ion, verify_standard},
};

/// The largest body that is taken.
const BODY_LIMIT: usize = 64 << 20;

/// A delivery as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// The idempotency key.
    pub event_id: i64,
    /// The number for the subscription.
    pub sequence: Option<i64>,
    /// The resource in lower case.
    pub resource: String,
    /// The action in lower case.
    pub action: String,
    /// `data.id` as JSON text.
    pub row_id: String,
    /// `x-ion-signature` verifies.
    pub ion_verified: bool,
    /// `webhook-signature` verifies.
    pub standard_verified: bool,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    event_id: i64,
    resource: String,
    action: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
}

/// The receiver, running.
pub struct ExampleReceiver {
    /// Its URI, as it is to be registered.
    pub uri: String,
    /// Where it listens.
    pub address: SocketAddr,
    secret: Arc<std::sync::RwLock<Option<SharedSecret>>>,
    server: ServerHandle,
}

#[derive(Clone)]
struct State {
    uri: String,
    secret: Arc<std::sync::RwLock<Option<SharedSecret>>>,
    deliveries: mpsc::UnboundedSender<Received>,
}

impl ExampleReceiver {
    /// Listens on a free port of this machine; each delivery is sent to `deliveries`.
    pub fn start(deliveries: mpsc::UnboundedSender<Received>) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let uri = format!("http://{address}/hooks");
        let secret = Arc::default();
        let state = State {
            uri: uri.clone(),
            secret: Arc::clone(&secret),
            deliveries,
        };
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(state.clone()))
                .app_data(web::PayloadConfig::new(BODY_LIMIT))
                .route("/hooks", web::post().to(receive))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Ok(Self {
            uri,
            address,
            secret,
            server: handle,
        })
    }

    /// The secret that rowhook gave at registration.
    pub fn set_secret(&self, secret: SharedSecret) {
        *self
            .secret
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(secret);
    }

    /// Stops listening.
    pub async fn stop(self) {
        self.server.stop(false).await;
    }
}

/// 200 when both signatures verify, 401 when one does not, 400 when it is no delivery.
async fn receive(request: HttpRequest, body: Bytes, state: web::Data<State>) -> HttpResponse {
    let at = Instant::now();
    let Ok(text) = std::str::from_utf8(&body) else {
        return HttpResponse::BadRequest().body("the body is no UTF-8");
    };
    let (Ok(envelope), Ok(secret)) = (
        serde_json::from_str::<Envelope<'_>>(text),
        state.secret.read().map(|secret| secret.clone()),
    ) else {
        return HttpResponse::BadRequest().body("this is no delivery of rowhook");
    };
    let Some(secret) = secret else {
        return HttpResponse::ServiceUnavailable().body("the secret is not known yet");
    };
    let header = |name: &str| {
        let value = request.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let ion_verified = ion_message(&state.uri, envelope.data.get())
        .is_ok_and(|message| verify_ion(&secret, &message, header("x-ion-signature")));
    let standard_verified = header("webhook-timestamp").parse().is_ok_and(|seconds| {
        let signature = header("webhook-signature");
        verify_standard(&secret, header("webhook-id"), seconds, &body, signature)
    });
    let row_id = serde_json::from_str::<Data<'_>>(envelope.data.get())
        .map(|data| data.id.get().to_owned())
        .unwrap_or_default();
    // Nobody listens any more when the demo is over.
    let _over = state.deliveries.send(Received {
        at,
        event_id: envelope.event_id,
        sequence: header("x-rowhook-sequence").parse().ok(),
        resource: envelope.resource,
        action: envelope.action,
        row_id,
        ion_verified,
        standard_verified,
    });
    if ion_verified && standard_verified {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::Unauthorized().body("the signature does not verify")
    }
}
