//! Deliveries over HTTP/1.1 with awc.
//!
//! Senders hand in a finished request and get the answer, or the one fault that ended it, within the
//! request's own time. Nothing here follows redirects, decompresses, retries, signs or judges. Beside
//! the given headers the wire carries `host`, `content-length` and awc's `date`.
//!
//! What awc can not do: it takes an interim answer (1xx) for the final one, and it does not see
//! the body of an HTTP/1.1 answer that neither announces its length nor is chunked.

use std::{
    convert::Infallible,
    net::IpAddr,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_http::{
    body::{BodySize, MessageBody},
    error::PayloadError,
};
use async_trait::async_trait;
use awc::{
    ClientRequest,
    http::{
        Method, Uri,
        header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
        uri::{Authority, PathAndQuery},
    },
};
use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt};
use rustls::ClientConfig;

use super::{
    DeliveryRequest, Transport, TransportFactory, clients::Clients, fault, fault::Peer,
    guard::Guard, guard::Resolve, journey::Journey,
};
use crate::{
    domain::attempt::{Answer, KEPT_RESPONSE_BYTES, Phase, SendError},
    policy::{egress::EgressPolicy, proxy::Proxies},
    telemetry::Metrics,
};

/// Bytes of a body past the kept ones that are read and thrown away if they are there already: that
/// is cheaper than a new connection. Whatever is larger costs its connection.
const DRAINED_BYTES: usize = 64 * 1024;

/// Bytes of response headers that are kept; a receiver must not fill the log with them.
const KEPT_HEADER_BYTES: usize = 16 * 1024;

/// What all threads' transports have in common.
#[derive(Clone)]
pub struct TransportSettings {
    /// Where rowhook may connect to.
    pub egress: EgressPolicy,
    /// Whether plain `http` URIs are sent to.
    pub allow_http: bool,
    /// Whom to trust; see [`super::tls::client_config`].
    pub tls: Arc<ClientConfig>,
    /// The source address of deliveries.
    pub bind_address: Option<IpAddr>,
    /// How names become addresses; [`super::SystemResolver`] outside tests.
    pub resolver: Arc<dyn Resolve>,
    /// Which proxies connections go through.
    pub proxies: Proxies,
    /// Where connections and requests are counted.
    pub metrics: Metrics,
}

/// Makes each thread's [`HttpTransport`].
#[derive(Clone)]
pub struct HttpTransportFactory {
    settings: TransportSettings,
}

impl HttpTransportFactory {
    /// A factory with these settings.
    pub fn new(settings: TransportSettings) -> Self {
        Self { settings }
    }
}

impl TransportFactory for HttpTransportFactory {
    fn for_this_thread(&self) -> Rc<dyn Transport> {
        Rc::new(HttpTransport::new(&self.settings))
    }
}

/// One thread's HTTP client.
pub struct HttpTransport {
    allow_http: bool,
    clients: Clients,
    metrics: Metrics,
}

impl HttpTransport {
    /// A transport for this thread, with no connection open yet.
    pub fn new(settings: &TransportSettings) -> Self {
        let guard = Guard::new(
            settings.egress.clone(),
            Arc::clone(&settings.resolver),
            settings.bind_address,
            settings.proxies.clone(),
            settings.metrics.clone(),
        );
        Self {
            allow_http: settings.allow_http,
            clients: Clients::new(guard, Arc::clone(&settings.tls)),
            metrics: settings.metrics.clone(),
        }
    }

    async fn exchange(
        &self,
        request: DeliveryRequest,
        journey: Rc<Journey>,
    ) -> Result<Answer, SendError> {
        let target = Target::of(request.uri, self.allow_http)?;
        let host = target.authority;
        let identity = request.client_identity.as_deref();
        let peer = Peer {
            host: host.as_str(),
            shows_certificate: identity.is_some(),
        };
        let mut post = self
            .clients
            .for_receiver(host.as_str(), identity)?
            .request(Method::POST, target.uri)
            .no_decompress();
        put_headers(&mut post, &request.headers, target.host_header)?;
        let body = WatchedBody {
            bytes: request.body,
            journey: Rc::clone(&journey),
            metrics: self.metrics.clone(),
        };
        let mut response = post
            .send_body(body)
            .await
            .map_err(|error| fault::sending(peer, request.timeout, error))?;
        journey.enter(Phase::Body);
        let announced = announced_length(response.headers());
        let body = read_body(&mut response, announced)
            .await
            .map_err(|error| fault::reading(peer, error))?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: kept_headers(response.headers()),
            body: as_text(&body),
        })
    }
}

#[async_trait(?Send)]
impl Transport for HttpTransport {
    async fn post(&self, request: DeliveryRequest) -> Result<Answer, SendError> {
        let after = request.timeout;
        let journey = Journey::new();
        let exchange = self.exchange(request, Rc::clone(&journey));
        // Dropping the exchange closes its connection, so nothing of a late answer is left over.
        let exchange = Rc::clone(&journey).around(exchange);
        match tokio::time::timeout(after, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(journey.proxy().map_or_else(
                || SendError::Timeout {
                    after,
                    phase: journey.phase(),
                },
                |proxy| fault::silent_proxy(&proxy, after),
            )),
        }
    }
}

/// A URI taken apart for the wire.
struct Target {
    uri: Uri,
    authority: Authority,
    host_header: HeaderValue,
}

impl Target {
    /// Whoever registered the URI had it checked; what is looked at again is what awc would get wrong,
    /// and what the operator may have changed since.
    fn of(uri: String, allow_http: bool) -> Result<Self, SendError> {
        let unusable = |words: &str| SendError::Uri(words.to_owned());
        let uri = Uri::try_from(uri).map_err(|error| unusable(&error.to_string()))?;
        let default_port = match uri.scheme_str() {
            Some("https") => 443,
            Some("http") if allow_http => 80,
            Some("http") => {
                return Err(unusable(
                    "it must use https; http is sent only where the operator sets \
                     receivers.allow_http",
                ));
            }
            _ => return Err(unusable("it must begin with https://")),
        };
        let authority = match uri.authority() {
            Some(authority) if authority.as_str().contains('@') => {
                return Err(unusable(
                    "it holds credentials; put them into a header instead",
                ));
            }
            Some(authority) if !authority.host().is_empty() => authority.clone(),
            _ => return Err(unusable("it has no host")),
        };
        // awc leaves out the ports 80 and 443 whatever the scheme, so the header is written here.
        let host_header = match authority.port_u16() {
            Some(port) if port != default_port => HeaderValue::from_str(authority.as_str()),
            _ => HeaderValue::from_str(authority.host()),
        }
        .map_err(|error| unusable(&error.to_string()))?;
        Ok(Self {
            uri: with_path(uri)?,
            authority,
            host_header,
        })
    }
}

/// "https://host?query" has no path, and a request line that begins with "?" is none.
fn with_path(uri: Uri) -> Result<Uri, SendError> {
    let rooted = match uri.path_and_query() {
        Some(path) if path.as_str().starts_with('?') => format!("/{}", path.as_str()),
        _ => return Ok(uri),
    };
    let mut parts = uri.into_parts();
    parts.path_and_query =
        Some(PathAndQuery::try_from(rooted).map_err(|error| SendError::Uri(error.to_string()))?);
    Uri::from_parts(parts).map_err(|error| SendError::Uri(error.to_string()))
}

fn put_headers(
    post: &mut ClientRequest,
    given: &[(String, String)],
    host: HeaderValue,
) -> Result<(), SendError> {
    let headers = post.headers_mut();
    for (name, value) in given {
        // Bytes rather than text: a value may hold any UTF-8, and goes out as it is.
        let pair = HeaderName::from_bytes(name.as_bytes())
            .ok()
            .zip(HeaderValue::from_bytes(value.as_bytes()).ok());
        let Some((header, value)) = pair else {
            return Err(SendError::Header { name: name.clone() });
        };
        headers.append(header, value);
    }
    headers.insert(HOST, host);
    Ok(())
}

/// The request's body. awc has no hook for "connected", but it asks for the body only when it has a
/// connection, new or used, TLS included: that is what ends [`Phase::Connect`]. (An empty body is
/// never asked for; a delivery always has one.)
struct WatchedBody {
    bytes: Bytes,
    journey: Rc<Journey>,
    metrics: Metrics,
}

impl MessageBody for WatchedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.journey.phase() == Phase::Connect {
            self.journey.enter(Phase::Answer);
            self.metrics.request(self.journey.has_opened());
        }
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
    }
}

/// The first [`KEPT_RESPONSE_BYTES`]. A longer body is no fault: by then the status has counted.
async fn read_body<S>(stream: &mut S, announced: Option<u64>) -> Result<Vec<u8>, PayloadError>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let mut kept = Vec::new();
    while kept.len() < KEPT_RESPONSE_BYTES {
        let Some(chunk) = stream.next().await else {
            // awc takes a closed connection for the end, whatever length was announced.
            return match announced {
                Some(length) if (kept.len() as u64) < length => Err(PayloadError::Incomplete(None)),
                _ => Ok(kept),
            };
        };
        let mut chunk = chunk?;
        chunk.truncate(KEPT_RESPONSE_BYTES - kept.len());
        kept.extend_from_slice(&chunk);
    }
    let mut drained = 0;
    // Only what has arrived already: the attempt is decided, and must not wait for more.
    while drained < DRAINED_BYTES
        && let Some(Some(Ok(chunk))) = stream.next().now_or_never()
    {
        drained += chunk.len();
    }
    Ok(kept)
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// As text that any database can hold: invalid UTF-8 and NUL replaced, and no half of a character
/// where the body was cut.
fn as_text(body: &[u8]) -> String {
    let whole = if body.len() == KEPT_RESPONSE_BYTES {
        without_half_character(body)
    } else {
        body
    };
    let text = String::from_utf8_lossy(whole);
    if text.contains('\0') {
        text.replace('\0', "\u{FFFD}")
    } else {
        text.into_owned()
    }
}

fn without_half_character(body: &[u8]) -> &[u8] {
    // The start of a character that needs more bytes is at most three from the end.
    for at in body.len().saturating_sub(3)..body.len() {
        if let Err(error) = std::str::from_utf8(&body[at..])
            && error.valid_up_to() == 0
            && error.error_len().is_none()
        {
            return &body[..at];
        }
    }
    body
}

/// The headers in alphabetical order, up to [`KEPT_HEADER_BYTES`]; `retry-after` is kept in any case,
/// because the backoff needs it.
fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut came: Vec<_> = headers.iter().collect();
    // Stable, so that the values of one name stay in their order.
    came.sort_by_key(|(name, _)| name.as_str());
    let mut room = KEPT_HEADER_BYTES;
    came.retain(|(name, value)| {
        let size = name.as_str().len() + value.len();
        let kept = size <= room || *name == RETRY_AFTER;
        if kept {
            room = room.saturating_sub(size);
        }
        kept
    });
    came.into_iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}
