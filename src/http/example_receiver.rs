//! A receiver for trying things: takes deliveries and says whether their signatures verify.
//!
//! `rowhook demo` and `rowhook listen` start it. It does what a user's receiver does, with nothing but the
//! secret, its own URI and the request; of rowhook it knows no more than that.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::{Method, StatusCode},
    web::{self, Bytes},
};
use tokio::sync::mpsc;

use crate::{
    domain::shared_secret::SharedSecret,
    policy::{
        received::{Envelope, NotADelivery, envelope, inner_json},
        signature::{ion_message, verify_ion, verify_standard},
    },
};

/// The largest body that is taken.
const BODY_LIMIT: usize = 64 << 20;

/// What came in.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// A delivery.
    Delivery(Received),
    /// Some other request.
    Other {
        /// Its method.
        method: String,
        /// Its path.
        path: String,
        /// Why it is no delivery.
        why: String,
    },
}

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
    /// The path and query that were asked for.
    pub path: String,
    /// The JSON body.
    pub body: String,
    /// `x-ion-signature`.
    pub ion: Checked,
    /// `webhook-signature`.
    pub standard: Checked,
}

impl Received {
    /// Whether both signatures verify.
    pub fn verified(&self) -> bool {
        self.ion == Checked::Verified && self.standard == Checked::Verified
    }

    /// Whether one of the signatures is wrong.
    pub fn wrong(&self) -> bool {
        self.ion == Checked::Wrong || self.standard == Checked::Wrong
    }
}

/// What became of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It is right.
    Verified,
    /// It is there and wrong.
    Wrong,
    /// The header is not there.
    Absent,
    /// No secret is known to check it with.
    Unchecked,
}

/// How the receiver behaves.
#[derive(Clone, Debug)]
pub struct ReceiverOptions {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its URI as it is registered with rowhook, letter by letter; else what the request says.
    pub uri: Option<String>,
    /// The status that it answers to what verifies, or to everything while it knows no secret.
    pub status: u16,
    /// How long it takes to answer.
    pub delay: Duration,
}

/// The receiver, running.
pub struct ExampleReceiver {
    /// Where it listens.
    pub address: SocketAddr,
    secret: Secret,
    server: ServerHandle,
}

type Secret = Arc<RwLock<Option<SharedSecret>>>;

#[derive(Clone)]
struct State {
    options: ReceiverOptions,
    secret: Secret,
    incoming: mpsc::UnboundedSender<Incoming>,
}

impl ExampleReceiver {
    /// Listens; whatever comes, on whatever path, is told to `incoming`.
    pub fn start(
        options: ReceiverOptions,
        incoming: mpsc::UnboundedSender<Incoming>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.address)?;
        let address = listener.local_addr()?;
        let secret = Secret::default();
        let state = State {
            options,
            secret: secret.clone(),
            incoming,
        };
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(state.clone()))
                .app_data(web::PayloadConfig::new(BODY_LIMIT))
                .default_service(web::to(receive))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Ok(Self {
            address,
            secret,
            server: handle,
        })
    }

    /// The secret that rowhook gave at registration.
    pub fn set_secret(&self, secret: SharedSecret) {
        *self.secret.write().unwrap_or_else(PoisonError::into_inner) = Some(secret);
    }

    /// Stops listening.
    pub async fn stop(self) {
        self.server.stop(false).await;
    }
}

/// The configured status to what verifies, 401 to what does not, 400 to what is no delivery.
async fn receive(request: HttpRequest, body: Bytes, state: web::Data<State>) -> HttpResponse {
    let at = Instant::now();
    // Nobody listens any more when the command is over.
    let tell = |incoming| {
        let _over = state.incoming.send(incoming);
    };
    let received = if request.method() == Method::POST {
        read(&request, &body, &state, at).map_err(|error| error.to_string())
    } else {
        Err("deliveries are POST requests".to_owned())
    };
    let received = match received {
        Ok(received) => received,
        Err(why) => {
            tell(Incoming::Other {
                method: request.method().to_string(),
                path: request.path().to_owned(),
                why: why.clone(),
            });
            return HttpResponse::BadRequest().body(format!("this is no delivery: {why}"));
        }
    };
    let wrong = received.wrong();
    tell(Incoming::Delivery(received));
    if !state.options.delay.is_zero() {
        actix_web::rt::time::sleep(state.options.delay).await;
    }
    if wrong {
        return HttpResponse::Unauthorized().body("the signature does not verify");
    }
    let status = StatusCode::from_u16(state.options.status).unwrap_or(StatusCode::OK);
    HttpResponse::build(status).finish()
}

fn read(
    request: &HttpRequest,
    bytes: &[u8],
    state: &State,
    at: Instant,
) -> Result<Received, NotADelivery> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let body = inner_json(bytes)?;
    let envelope = envelope(&body)?;
    let row_id = envelope.row_id()?;
    let secret = state.secret.read().unwrap_or_else(PoisonError::into_inner);
    let checked = |header: Option<&str>, check: &dyn Fn(&SharedSecret, &str) -> bool| match (
        header,
        secret.as_ref(),
    ) {
        (None, _) => Checked::Absent,
        (Some(_), None) => Checked::Unchecked,
        (Some(header), Some(secret)) if check(secret, header) => Checked::Verified,
        (Some(_), Some(_)) => Checked::Wrong,
    };
    let uris = match &state.options.uri {
        Some(uri) => vec![uri.clone()],
        None => likely_uris(request),
    };
    let ion_of = |name: &str| {
        checked(header(name), &|secret, signature| {
            uris.iter()
                .any(|uri| ion_verifies(uri, &envelope, secret, signature))
        })
    };
    // During a rotation's overlap the old secret's signature stands in a header of its own.
    let ion = match (
        ion_of("x-ion-signature"),
        ion_of("x-ion-signature-previous"),
    ) {
        (Checked::Wrong, Checked::Verified) => Checked::Verified,
        (newest, _) => newest,
    };
    let standard = checked(header("webhook-signature"), &|secret, signature| {
        let id = header("webhook-id");
        let seconds = header("webhook-timestamp").and_then(|text| text.parse().ok());
        id.zip(seconds)
            .is_some_and(|(id, seconds)| verify_standard(secret, id, seconds, bytes, signature))
    });
    let path = request.uri().path_and_query();
    Ok(Received {
        at,
        event_id: envelope.event_id,
        sequence: header("x-rowhook-sequence").and_then(|text| text.parse().ok()),
        row_id,
        path: path.map_or_else(String::new, ToString::to_string),
        ion,
        standard,
        resource: envelope.resource.clone(),
        action: envelope.action.clone(),
        body: body.clone().into_owned(),
    })
}

fn ion_verifies(
    uri: &str,
    envelope: &Envelope<'_>,
    secret: &SharedSecret,
    signature: &str,
) -> bool {
    ion_message(uri, envelope.data.get())
        .is_ok_and(|message| verify_ion(secret, &message, signature))
}

/// What the URI of this request can have been registered as: plain, or behind something that ends TLS.
fn likely_uris(request: &HttpRequest) -> Vec<String> {
    let host = request.headers().get("host");
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let target = request.uri().path_and_query();
    let target = target.map_or("/", |target| target.as_str());
    let mut uris = Vec::new();
    for scheme in ["http", "https"] {
        let base = format!("{scheme}://{host}");
        uris.push(format!("{base}{target}"));
        if target == "/" {
            uris.push(base);
        }
    }
    uris
}
