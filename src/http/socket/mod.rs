//! `/graphql` as a WebSocket, subprotocol `graphql-transport-ws` (the protocol of the npm package
//! `graphql-ws`): queries and mutations, and whatever answers more than once.
//!
//! `message` reads and writes the protocol's messages, `protocol` decides what follows from them,
//! `connection` moves them over the wire, `operation` runs one operation. Documents run in `graphql::Api`, so
//! everything that holds over plain HTTP holds here.
//!
//! The key comes with the upgrade's `Authorization`, or in the payload of `connection_init` as
//! `{"Authorization": "Bearer KEY"}` (also `authorization`) or `{"apiKey": "KEY"}` (also `key`), since
//! browsers can set no header here. It is looked at again for each operation.
//!
//! `Origin` is not looked at: no browser adds an API key to a request by itself, as it does with
//! cookies, so a page of another site that opens a socket here stays without a key.

mod connection;
mod message;
mod operation;
mod protocol;

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, guard::GuardContext, http::header, rt, web};
use tokio::sync::watch;

use crate::graphql::{ApiError, Code};

use super::{HttpState, auth, negotiate::MediaType, respond};

use self::{connection::Connection, protocol::Closing};

/// The subprotocol that is spoken.
const SUBPROTOCOL: &str = "graphql-transport-ws";

/// How long a socket may keep rowhook waiting, and how much it may have going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketLimits {
    /// `connection_init` has to come within this time.
    pub init_within: Duration,
    /// The pause between two pings, and between two looks at the key while operations run.
    pub ping_every: Duration,
    /// A peer of which nothing was heard for so long, not even a pong, is gone.
    pub silent_for: Duration,
    /// A peer that takes no message for so long is given up.
    pub send_within: Duration,
    /// Operations in flight.
    pub operations: usize,
    /// What is in flight at a stop of rowhook has so long to answer.
    pub last_answers: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            init_within: Duration::from_secs(10),
            // Proxies cut connections that are quiet for a minute.
            ping_every: Duration::from_secs(20),
            silent_for: Duration::from_secs(50),
            send_within: Duration::from_secs(20),
            operations: 32,
            // Operations answer within milliseconds, and a stop waits for this.
            last_answers: Duration::from_secs(1),
        }
    }
}

/// Every socket of this process: what holds for them, and the way to close them.
#[derive(Debug, Default)]
pub struct Sockets {
    limits: SocketLimits,
    closing: watch::Sender<bool>,
}

impl Sockets {
    /// With limits of one's own.
    pub fn new(limits: SocketLimits) -> Self {
        Self {
            limits,
            closing: watch::Sender::new(false),
        }
    }

    /// Closes them all, and each one that is opened from now on. Returns at once.
    pub fn close_all(&self) {
        self.closing.send_replace(true);
    }
}

/// Whether a request wants to become a WebSocket.
pub fn asked_for(request: &GuardContext<'_>) -> bool {
    let upgrade = request.head().headers().get(header::UPGRADE);
    upgrade
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().contains("websocket"))
}

/// `GET /graphql` with `Upgrade: websocket`. A key in `Authorization` that is not good is refused here,
/// with HTTP 401; without one the socket opens and `connection_init` has to bring it.
pub async fn open(
    request: HttpRequest,
    body: web::Payload,
    state: web::Data<HttpState>,
) -> HttpResponse {
    let key = auth::key(&request).map(str::to_owned);
    if let Some(key) = &key
        && let Err(denied) = auth::holder(key, &*state.authenticator).await
    {
        return respond::denied(denied, MediaType::Json);
    }
    let opened = actix_ws::handle_with_protocols(&request, body, &[SUBPROTOCOL]);
    let (response, session, messages) = match opened {
        Ok(opened) => opened,
        Err(error) => return no_handshake(&error),
    };
    let agreed = response
        .headers()
        .contains_key(header::SEC_WEBSOCKET_PROTOCOL);
    let connection = Connection::new(session, messages, &state, key);
    if agreed {
        rt::spawn(connection.run());
    } else {
        rt::spawn(connection.close(Closing::NoSubprotocol));
    }
    response
}

fn no_handshake(error: &actix_web::Error) -> HttpResponse {
    let status = error.error_response().status();
    let message = format!("this is no WebSocket handshake that rowhook understands: {error}");
    let fault = ApiError::new(Code::Validation, message);
    let mut response = respond::error(status, MediaType::Json, fault);
    let version = header::HeaderValue::from_static("13");
    let headers = response.headers_mut();
    headers.insert(header::SEC_WEBSOCKET_VERSION, version);
    response
}
