//! The HTTP clients of one thread, and with them its open connections.
//!
//! awc keeps a connection that it has no more use for until the next request to the same host, and
//! closes nothing by itself. Thousands of receivers with an event a day would hold thousands of dead
//! sockets. So a client is given up after a while: its idle connections close at once, those in use
//! when their request is done. That happens by shards, not for all receivers at the same moment.
//!
//! A client certificate has clients of its own, since a connection on which it was shown speaks for whoever it
//! names: it is never lent to a receiver with another certificate or none, at the same host or not.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use awc::Client;
use rustls::ClientConfig;
use tokio::time::Instant;

use super::{guard::Guard, tls};
use crate::domain::{attempt::SendError, client_identity::ClientIdentity};

/// How many clients share the receivers of a thread.
const SHARDS: usize = 8;

/// How long a client and its connections are used. It also bounds for how long a receiver whose name
/// has moved to another address is still sent to at the old one.
pub(super) const CLIENT_LIFETIME: Duration = Duration::from_secs(60);

/// How often clients of certificates are looked through for such as nobody has asked for.
const LOOK_FOR_IDLE: Duration = Duration::from_secs(5);

/// How long a connection may be idle and still be used again. Many servers close after 5 seconds,
/// and a request that crosses their farewell is lost.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// Connections of a client. Each receiver has its own limit (`maxInFlight`); one over all of them
/// would let slow receivers hold up the others.
const MAX_CONNECTIONS: usize = 1 << 16;

/// awc's own time limits, out of the way of the one over the whole attempt.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// The clients of one thread.
pub(super) struct Clients {
    guard: Guard,
    tls: Arc<ClientConfig>,
    shards: [RefCell<Option<Generation>>; SHARDS],
    by_identity: RefCell<HashMap<[u8; 32], Generation>>,
    look_for_idle_at: Cell<Instant>,
}

struct Generation {
    client: Client,
    until: Instant,
}

impl Clients {
    pub(super) fn new(guard: Guard, tls: Arc<ClientConfig>) -> Self {
        Self {
            guard,
            tls,
            shards: Default::default(),
            by_identity: RefCell::default(),
            look_for_idle_at: Cell::new(Instant::now()),
        }
    }

    /// The client for a host, and for a certificate that may be asked for there.
    pub(super) fn for_receiver(
        &self,
        authority: &str,
        identity: Option<&ClientIdentity>,
    ) -> Result<Client, SendError> {
        self.drop_unused();
        match identity {
            None => Ok(self.for_authority(authority)),
            Some(identity) => self.for_identity(identity),
        }
    }

    /// The same client for as long as it lives, so that connections are used again.
    fn for_authority(&self, authority: &str) -> Client {
        let mut hasher = DefaultHasher::new();
        authority.hash(&mut hasher);
        let shard = usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or_default();
        let mut slot = self.shards[shard].borrow_mut();
        let now = Instant::now();
        if let Some(generation) = slot.as_ref()
            && now < generation.until
        {
            return generation.client.clone();
        }
        // The first lives are of different lengths, and so the shards never again end together.
        let lifetime = match *slot {
            None => {
                CLIENT_LIFETIME * (u32::try_from(shard).unwrap_or_default() + 1) / SHARDS as u32
            }
            Some(_) => CLIENT_LIFETIME,
        };
        let client = self.build(Arc::clone(&self.tls));
        *slot = Some(Generation {
            client: client.clone(),
            until: now + lifetime,
        });
        client
    }

    fn for_identity(&self, identity: &ClientIdentity) -> Result<Client, SendError> {
        let mut all = self.by_identity.borrow_mut();
        let now = Instant::now();
        if let Some(generation) = all.get(&identity.fingerprint())
            && now < generation.until
        {
            return Ok(generation.client.clone());
        }
        let client = self.build(Arc::new(tls::showing(&self.tls, identity)?));
        let generation = Generation {
            client: client.clone(),
            until: now + CLIENT_LIFETIME,
        };
        all.insert(identity.fingerprint(), generation);
        Ok(client)
    }

    /// A certificate that no receiver has any more is asked for by nobody, so nothing else would give its
    /// client up.
    fn drop_unused(&self) {
        let now = Instant::now();
        if now < self.look_for_idle_at.get() {
            return;
        }
        self.look_for_idle_at.set(now + LOOK_FOR_IDLE);
        self.by_identity
            .borrow_mut()
            .retain(|_, generation| now < generation.until);
    }

    fn build(&self, tls: Arc<ClientConfig>) -> Client {
        let connector = awc::Connector::new()
            .connector(self.guard.clone())
            .rustls_0_23(tls)
            .timeout(NEVER)
            .handshake_timeout(NEVER)
            .limit(MAX_CONNECTIONS)
            .conn_keep_alive(KEEP_ALIVE)
            .conn_lifetime(CLIENT_LIFETIME);
        Client::builder()
            .connector(connector)
            .disable_timeout()
            .disable_redirects()
            .no_default_headers()
            .finish()
    }
}
