//! The door that every connection goes through: resolve the name, judge each address, dial only
//! those that passed.
//!
//! awc's pool hands a connect request in when it has no open connection. Because the guard dials the
//! very addresses that it has judged, a name that resolves differently a moment later gains nothing.
//! It never follows an address that came with the request, and never asks the resolver twice for one
//! connection. Where the operator names a proxy, it is the proxy that is told those addresses (`tunnel`).

use std::{
    cell::RefCell,
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_service::Service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::http::Uri;
use futures::{
    FutureExt, StreamExt,
    future::{LocalBoxFuture, Shared, WeakShared},
    stream::FuturesUnordered,
};
use tokio::net::{TcpSocket, TcpStream};

use super::{fault, journey, line::Line, tunnel};
use crate::{
    domain::attempt::SendError,
    policy::{
        egress::EgressPolicy,
        proxy::{Proxies, Proxy, Target},
    },
    telemetry::Metrics,
};

/// How long one address may keep silent before the next is tried beside it (RFC 8305 says 250 ms).
const STAGGER: Duration = Duration::from_millis(250);

/// Finds a host's addresses.
pub trait Resolve: Send + Sync {
    /// The addresses of a host name, in the order in which to try them.
    fn lookup(
        &self,
        host: String,
        port: u16,
    ) -> LocalBoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl SystemResolver {
    /// The addresses of a host name, in the order in which to try them.
    pub(super) async fn addresses(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

impl Resolve for SystemResolver {
    fn lookup(
        &self,
        host: String,
        port: u16,
    ) -> LocalBoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Self::addresses(host, port).boxed_local()
    }
}

/// What a look-up found, in a form that several waiters can share.
type Found = Result<Rc<[SocketAddr]>, Rc<io::Error>>;
type Lookup = LocalBoxFuture<'static, Found>;

/// The connector for awc. Its errors are [`SendError`]s inside [`ConnectError::Resolver`], the one
/// variant that carries any error unchanged.
#[derive(Clone)]
pub(super) struct Guard(Rc<Inner>);

struct Inner {
    policy: EgressPolicy,
    resolver: Arc<dyn Resolve>,
    local_address: Option<IpAddr>,
    proxies: Proxies,
    metrics: Metrics,
    /// Look-ups under way. Each holds a thread of the blocking pool, and a name server that does not
    /// answer holds it for long, so a receiver's parallel requests share one.
    lookups: RefCell<HashMap<(String, u16), WeakShared<Lookup>>>,
}

impl Guard {
    pub(super) fn new(
        policy: EgressPolicy,
        resolver: Arc<dyn Resolve>,
        local_address: Option<IpAddr>,
        proxies: Proxies,
        metrics: Metrics,
    ) -> Self {
        Self(Rc::new(Inner {
            policy,
            resolver,
            local_address,
            proxies,
            metrics,
            lookups: RefCell::default(),
        }))
    }
}

impl Service<ConnectInfo<Uri>> for Guard {
    type Response = Connection<Uri, Line>;
    type Error = ConnectError;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    actix_service::always_ready!();

    fn call(&self, info: ConnectInfo<Uri>) -> Self::Future {
        let inner = Rc::clone(&self.0);
        async move {
            let https = info.request().scheme_str() == Some("https");
            match inner.connect(https, info.hostname(), info.port()).await {
                Ok(stream) => Ok(Connection::new(info.request().clone(), Line::over(stream))),
                Err(error) => Err(ConnectError::Resolver(Box::new(error))),
            }
        }
        .boxed_local()
    }
}

impl Inner {
    async fn connect(&self, https: bool, host: &str, port: u16) -> Result<TcpStream, SendError> {
        // A URI writes an IPv6 address in brackets, everything else reads it without.
        let bare = host.trim_matches(['[', ']']);
        let found = match bare.parse() {
            Ok(ip) => Rc::from([SocketAddr::new(ip, port)]),
            Err(_) => self.lookup(bare, port).await?,
        };
        let allowed = self.admit(bare, &found)?;
        let proxy_for = |address: &SocketAddr| {
            self.proxies.of(&Target {
                https,
                host: bare,
                port,
                ip: address.ip(),
            })
        };
        let direct: Vec<_> = allowed
            .iter()
            .copied()
            .filter(|address| proxy_for(address).is_none())
            .collect();
        let stream = match allowed.first().and_then(proxy_for) {
            Some(proxy) if direct.is_empty() => self.through(proxy, host, &allowed).await?,
            _ => {
                let reachable = self.in_our_family(bare, direct)?;
                dial(reachable, self.local_address)
                    .await
                    .map_err(|(address, error)| fault::connecting(host, address, &error))?
            }
        };
        // Head and body go out together; waiting for an acknowledgement of the first part of a large
        // body (Nagle) would only delay its last part. A socket that refuses this works none the less.
        let _ = stream.set_nodelay(true);
        self.metrics.connection_opened();
        journey::opened();
        Ok(stream)
    }

    /// A connection to the first of the addresses that the proxy can connect to. The proxy's own address is the
    /// operator's business and not judged.
    async fn through(
        &self,
        proxy: &Proxy,
        host: &str,
        targets: &[SocketAddr],
    ) -> Result<TcpStream, SendError> {
        journey::waits_for(Some(proxy));
        let found = match proxy.host().parse() {
            Ok(ip) => Rc::from([SocketAddr::new(ip, proxy.port())]),
            Err(_) => self
                .lookup(proxy.host(), proxy.port())
                .await
                .map_err(|error| fault::resolving_proxy(proxy, &error))?,
        };
        let reachable = self.in_our_family(proxy.host(), found.to_vec())?;
        tunnel::open(proxy, &reachable, self.local_address, host, targets).await
    }

    async fn lookup(&self, host: &str, port: u16) -> Result<Rc<[SocketAddr]>, SendError> {
        let key = (host.to_owned(), port);
        let found = self.shared_lookup(&key).await;
        self.lookups.borrow_mut().remove(&key);
        match found {
            Ok(addresses) if addresses.is_empty() => Err(fault::no_address(host)),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(fault::resolving(host, &error)),
        }
    }

    fn shared_lookup(&self, key: &(String, u16)) -> Shared<Lookup> {
        let mut lookups = self.lookups.borrow_mut();
        if let Some(running) = lookups.get(key).and_then(WeakShared::upgrade) {
            return running;
        }
        // What all its waiters gave up on is dead, and nobody else would remove it.
        lookups.retain(|_, lookup| lookup.upgrade().is_some());
        let lookup = self.resolver.lookup(key.0.clone(), key.1);
        let shared = async move { lookup.await.map(Rc::from).map_err(Rc::new) }
            .boxed_local()
            .shared();
        if let Some(weak) = shared.downgrade() {
            lookups.insert(key.clone(), weak);
        }
        shared
    }

    /// The addresses that may be dialled, or why none may.
    fn admit(&self, host: &str, found: &[SocketAddr]) -> Result<Vec<SocketAddr>, SendError> {
        let mut refused = None;
        let mut allowed = Vec::with_capacity(found.len());
        for address in found {
            match self.policy.judge(address.ip()) {
                Ok(()) => allowed.push(unmapped(*address)),
                Err(refusal) => {
                    refused.get_or_insert((address.ip(), refusal));
                }
            }
        }
        match refused {
            Some((address, refusal)) if allowed.is_empty() => Err(SendError::Forbidden {
                host: host.to_owned(),
                address: address.to_string(),
                reason: refusal.to_string(),
            }),
            _ => Ok(allowed),
        }
    }

    /// A socket that is bound to an IPv4 address reaches no IPv6 one, nor the other way round.
    fn in_our_family(
        &self,
        host: &str,
        mut addresses: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, SendError> {
        let Some(local) = self.local_address else {
            return Ok(addresses);
        };
        addresses.retain(|address| address.is_ipv4() == local.is_ipv4());
        if addresses.is_empty() {
            let family = if local.is_ipv4() { "IPv4" } else { "IPv6" };
            return Err(SendError::Local {
                detail: format!(
                    "{host} has no {family} address, and deliveries leave from {local}; change \
                     receivers.bind_address"
                ),
            });
        }
        Ok(addresses)
    }
}

/// An IPv4-mapped address as the IPv4 address that it stands for, so that a bound IPv4 socket can
/// reach it and errors show what is dialled.
fn unmapped(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        // Kept whole: a link-local address has a scope beside its IP.
        IpAddr::V6(_) => address,
    }
}

/// Connects to the first address that answers. A silent one gets company after [`STAGGER`], so that
/// one dead machine behind a name does not use up the whole time of an attempt. The error is that of
/// the first address that failed.
pub(super) async fn dial(
    addresses: Vec<SocketAddr>,
    local: Option<IpAddr>,
) -> Result<TcpStream, (SocketAddr, io::Error)> {
    let mut waiting = addresses.into_iter();
    let mut running = FuturesUnordered::new();
    let mut fault = None;
    loop {
        if let Some(address) = waiting.next() {
            running.push(async move {
                dial_one(address, local)
                    .await
                    .map_err(|error| (address, error))
            });
        }
        let ended = if waiting.len() == 0 {
            running.next().await
        } else {
            match tokio::time::timeout(STAGGER, running.next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => fault = fault.or(Some(error)),
            None => return Err(fault.expect("the guard never dials an empty list")),
        }
    }
}

async fn dial_one(address: SocketAddr, local: Option<IpAddr>) -> io::Result<TcpStream> {
    let Some(local) = local else {
        return TcpStream::connect(address).await;
    };
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(local, 0))?;
    socket.connect(address).await
}
