//! The narrow door to the network: one request out, one answer or one [`SendError`] back.
//!
//! Senders (room 3) hand a finished request in. Nothing here signs, retries or judges.

mod clients;
pub mod collector;
mod fault;
mod guard;
mod http_client;
mod journey;
mod line;
pub mod probe;
pub mod tls;
mod tunnel;
pub mod uri_look;

pub use guard::{Resolve, SystemResolver};
pub use http_client::{HttpTransport, HttpTransportFactory, TransportSettings};

use std::{rc::Rc, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use crate::domain::{
    attempt::{Answer, SendError},
    client_identity::ClientIdentity,
};

/// A delivery ready for the wire.
#[derive(Clone, Debug)]
pub struct DeliveryRequest {
    /// Where it goes, as registered.
    pub uri: String,
    /// Every header, names in lower case; `content-length` and `host` are the transport's.
    pub headers: Vec<(String, String)>,
    /// The exact bytes that were signed.
    pub body: Bytes,
    /// The time for the whole attempt: name look-up, connect, TLS, headers and body.
    pub timeout: Duration,
    /// Shown where the receiver asks for a certificate.
    pub client_identity: Option<Arc<ClientIdentity>>,
}

/// Makes one HTTP POST. It must be called on an actix arbiter (or in another `LocalSet`).
#[async_trait(?Send)]
pub trait Transport {
    /// Sends the request and reads the answer. Redirects are answers, not followed.
    async fn post(&self, request: DeliveryRequest) -> Result<Answer, SendError>;
}

/// Makes the transport of a thread: HTTP clients are not `Send`, and each thread keeps one for good.
pub trait TransportFactory: Send + Sync {
    /// The transport that this thread will keep.
    fn for_this_thread(&self) -> Rc<dyn Transport>;
}
