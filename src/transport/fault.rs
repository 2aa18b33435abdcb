//! What the layers below report, as the [`SendError`] that the user reads.
//!
//! The guard and the HTTP client hand their errors in. One fault has one wording, whichever layer saw
//! it first. Nothing here decides what follows from a fault.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

use actix_http::error::{ParseError, PayloadError};
use awc::error::{ConnectError, SendRequestError};

use super::tls;
use crate::{
    domain::attempt::{Phase, SendError},
    policy::proxy::Proxy,
};

/// The system's limits on open files, of the process and of the machine: `EMFILE` and `ENFILE`.
const TOO_MANY_FILES: [i32; 2] = [24, 23];

/// Who is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer<'a> {
    /// The URI's authority.
    pub(super) host: &'a str,
    /// Whether there is a client certificate for it.
    pub(super) shows_certificate: bool,
}

/// The name did not resolve.
pub(super) fn resolving(host: &str, error: &io::Error) -> SendError {
    let words = error.to_string();
    // The standard library's prefix tells nothing that "DNS: … did not resolve" does not.
    let words = words
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(&words);
    SendError::Dns {
        host: host.to_owned(),
        detail: words.to_owned(),
    }
}

/// The name is known, and has no address.
pub(super) fn no_address(host: &str) -> SendError {
    SendError::Dns {
        host: host.to_owned(),
        detail: "the name has no address".to_owned(),
    }
}

/// No TCP connection came about.
pub(super) fn connecting(host: &str, address: SocketAddr, error: &io::Error) -> SendError {
    let local = |detail: &str| SendError::Local {
        detail: detail.to_owned(),
    };
    if error
        .raw_os_error()
        .is_some_and(|code| TOO_MANY_FILES.contains(&code))
    {
        return local("too many open files; raise the limit (ulimit -n, LimitNOFILE)");
    }
    let detail = match error.kind() {
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => {
            return local(
                "no free local address or port; check that receivers.bind_address is an address \
                 of this machine, and how many connections it has open",
            );
        }
        ErrorKind::ConnectionRefused => format!("{address} refused the connection"),
        ErrorKind::ConnectionReset => format!("{address} reset the connection"),
        ErrorKind::NetworkUnreachable => format!("there is no route to the network of {address}"),
        ErrorKind::HostUnreachable => format!("{address} is unreachable"),
        ErrorKind::TimedOut => format!("{address} did not answer"),
        ErrorKind::PermissionDenied => format!("a local firewall forbids connecting to {address}"),
        _ => format!("{address}: {error}"),
    };
    SendError::Connect {
        host: host.to_owned(),
        detail,
    }
}

/// The proxy's name did not resolve. Like every fault of the proxy it is the operator's, and not counted.
pub(super) fn resolving_proxy(proxy: &Proxy, error: &SendError) -> SendError {
    let words = match error {
        SendError::Dns { detail, .. } => detail.clone(),
        other => other.to_string(),
    };
    proxys_own(proxy, &format!("did not resolve ({words}); check its name"))
}

/// The proxy took no connection.
pub(super) fn connecting_to_proxy(proxy: &Proxy, at: SocketAddr, error: &io::Error) -> SendError {
    match connecting("", at, error) {
        SendError::Connect { detail, .. } => {
            let words = format!("can not be connected to: {detail}; check that it runs");
            proxys_own(proxy, &words)
        }
        ours => ours,
    }
}

/// The proxy took a connection and gave no answer.
pub(super) fn asking_proxy(proxy: &Proxy, error: &io::Error) -> SendError {
    let words = match error.kind() {
        ErrorKind::InvalidData => {
            "does not answer as an HTTP proxy does; check its port".to_owned()
        }
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            "closed the connection without an answer; check whom it lets in".to_owned()
        }
        _ => format!("broke off: {error}"),
    };
    proxys_own(proxy, &words)
}

/// The proxy answered that there is no tunnel.
pub(super) fn refused_by_proxy(
    proxy: &Proxy,
    host: &str,
    target: SocketAddr,
    status: u16,
) -> SendError {
    let of_receiver = |words: &str| SendError::Proxied {
        host: host.to_owned(),
        detail: format!("{target} {words} (it answered {status})"),
    };
    match status {
        407 if proxy.expose_authorization().is_some() => proxys_own(
            proxy,
            "does not accept the user and password (407); correct them",
        ),
        407 => proxys_own(
            proxy,
            "asks for a user and a password (407); write them before its name, as in \
             http://user:password@proxy.example:3128",
        ),
        403 => of_receiver("is forbidden there; have its operator allow this address and port"),
        // What proxies do not understand or will not do for anybody.
        501 | 505 | 511 => proxys_own(
            proxy,
            &format!("answered CONNECT with {status}; it must allow that"),
        ),
        500..=599 => of_receiver(
            "can not be reached from there; check that the receiver runs and lets the proxy in",
        ),
        _ => proxys_own(
            proxy,
            &format!("answered CONNECT with {status}; it must allow that"),
        ),
    }
}

/// The time was over before the proxy took the connection.
pub(super) fn silent_proxy(proxy: &Proxy, after: Duration) -> SendError {
    let words = format!(
        "took no connection within {} ms; check that it runs",
        after.as_millis()
    );
    proxys_own(proxy, &words)
}

fn proxys_own(proxy: &Proxy, words: &str) -> SendError {
    SendError::Local {
        detail: format!("the proxy {proxy} ({}) {words}", proxy.setting()),
    }
}

/// The request failed before the answer's head was there.
pub(super) fn sending(peer: Peer<'_>, timeout: Duration, error: SendRequestError) -> SendError {
    match error {
        SendRequestError::Connect(error) => acquiring(peer, timeout, error),
        SendRequestError::Send(error) => broken(peer, Place::Sending, &error),
        SendRequestError::Response(error) => parsing(peer, error),
        SendRequestError::Timeout => SendError::Timeout {
            after: timeout,
            phase: Phase::Answer,
        },
        SendRequestError::Url(error) => SendError::Uri(error.to_string()),
        SendRequestError::Http(error) => SendError::Uri(error.to_string()),
        // HTTP/2, tunnels and failing bodies: nothing that this transport uses, but the enum is open.
        other => SendError::Broken {
            host: peer.host.to_owned(),
            detail: other.to_string(),
        },
    }
}

/// No connection could be had from awc's pool.
fn acquiring(peer: Peer<'_>, timeout: Duration, error: ConnectError) -> SendError {
    let host = peer.host.to_owned();
    match error {
        // The guard's own words, carried through awc.
        ConnectError::Resolver(error) => match error.downcast::<SendError>() {
            Ok(error) => *error,
            Err(error) => SendError::Dns {
                host,
                detail: error.to_string(),
            },
        },
        ConnectError::NoRecords | ConnectError::Unresolved => no_address(&host),
        ConnectError::Timeout => SendError::Timeout {
            after: timeout,
            phase: Phase::Connect,
        },
        // awc's word for a connection that ended where the answer's head should have begun.
        ConnectError::Disconnected => SendError::Broken {
            host,
            detail: "the receiver closed it without an answer".to_owned(),
        },
        // The guard reports its own I/O errors above, so what is left is the handshake.
        ConnectError::Io(error) => SendError::Tls {
            host,
            detail: handshake_words(&error, peer.shows_certificate),
        },
        other => SendError::Broken {
            host,
            detail: other.to_string(),
        },
    }
}

fn handshake_words(error: &io::Error, shows_certificate: bool) -> String {
    match (tls::fault_in(error), error.kind()) {
        (Some(fault), _) => tls::words(fault, shows_certificate),
        (None, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
            "the server closed the connection during the handshake; check that it speaks TLS on \
             this port and serves this host name"
                .to_owned()
        }
        (None, ErrorKind::InvalidInput) => {
            "no certificate can be for this host name; use a valid DNS name".to_owned()
        }
        (None, _) => error.to_string(),
    }
}

/// What came back is no HTTP.
fn parsing(peer: Peer<'_>, error: ParseError) -> SendError {
    let detail = match error {
        // The codec's own word for bytes that are no whole head; the system's errors have other kinds.
        ParseError::Io(error) if error.kind() == ErrorKind::Other => {
            "the head of the answer broke off".to_owned()
        }
        ParseError::Io(error) => return broken(peer, Place::BeforeAnswer, &error),
        ParseError::TooLarge => "the head of the answer is larger than 128 KiB".to_owned(),
        ParseError::Incomplete => "the head of the answer broke off".to_owned(),
        other => format!(
            "the answer is not HTTP/1.1 ({other}); check the port, and whether it wants https"
        ),
    };
    SendError::Broken {
        host: peer.host.to_owned(),
        detail,
    }
}

/// The answer's head was there, and its body ended too early.
pub(super) fn reading(peer: Peer<'_>, error: PayloadError) -> SendError {
    match error {
        PayloadError::Io(error) | PayloadError::Incomplete(Some(error)) => {
            broken(peer, Place::Body, &error)
        }
        PayloadError::Incomplete(None) => SendError::Broken {
            host: peer.host.to_owned(),
            detail: "the receiver closed it in the middle of the answer's body".to_owned(),
        },
        other => SendError::Broken {
            host: peer.host.to_owned(),
            detail: format!("the answer's body can not be read ({other})"),
        },
    }
}

/// Where a connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Sending,
    BeforeAnswer,
    Body,
}

impl Place {
    fn words(self) -> &'static str {
        match self {
            Self::Sending => "while sending",
            Self::BeforeAnswer => "before the answer",
            Self::Body => "in the middle of the answer's body",
        }
    }
}

fn broken(peer: Peer<'_>, place: Place, error: &io::Error) -> SendError {
    let host = peer.host.to_owned();
    // A TLS 1.3 server judges the client's side only after the handshake.
    if let Some(fault) = tls::fault_in(error) {
        return SendError::Tls {
            host,
            detail: tls::words(fault, peer.shows_certificate),
        };
    }
    let what = match error.kind() {
        ErrorKind::ConnectionReset => "the receiver reset it".to_owned(),
        ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => "the receiver closed it".to_owned(),
        _ => error.to_string(),
    };
    // Its alert may have been lost with the connection.
    let perhaps = if peer.shows_certificate && place != Place::Body {
        "; perhaps it does not accept the client certificate"
    } else {
        ""
    };
    SendError::Broken {
        host,
        detail: format!("{what} {}{perhaps}", place.words()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connecting_to(error: &io::Error) -> SendError {
        connecting("hooks.test", "192.0.2.1:443".parse().unwrap(), error)
    }

    #[test]
    fn faults_of_this_machine_are_not_the_receivers() {
        for error in [
            io::Error::from_raw_os_error(TOO_MANY_FILES[0]),
            io::Error::from_raw_os_error(TOO_MANY_FILES[1]),
            io::Error::from(ErrorKind::AddrNotAvailable),
            io::Error::from(ErrorKind::AddrInUse),
        ] {
            assert!(connecting_to(&error).is_ours(), "{error}");
        }
    }

    #[test]
    fn faults_on_the_way_name_the_address() {
        for (kind, words) in [
            (ErrorKind::ConnectionRefused, "refused the connection"),
            (ErrorKind::NetworkUnreachable, "no route"),
            (ErrorKind::HostUnreachable, "is unreachable"),
            (ErrorKind::TimedOut, "did not answer"),
            (ErrorKind::PermissionDenied, "local firewall"),
            (ErrorKind::Other, "192.0.2.1:443: "),
        ] {
            let error = connecting_to(&io::Error::from(kind));
            let text = error.to_string();
            assert!(!error.is_ours());
            assert!(
                text.starts_with("could not connect to hooks.test: "),
                "{text}"
            );
            assert!(
                text.contains("192.0.2.1:443") && text.contains(words),
                "{text}"
            );
        }
    }

    #[test]
    fn the_guards_own_fault_comes_through_awc_unchanged() {
        let fault = no_address("hooks.test");
        let carried = SendRequestError::Connect(ConnectError::Resolver(Box::new(fault.clone())));
        let peer = Peer {
            host: "hooks.test:1",
            shows_certificate: false,
        };
        assert_eq!(sending(peer, Duration::ZERO, carried), fault);
    }

    #[test]
    fn a_timeout_says_where_and_what_to_do() {
        let text = |phase| {
            let after = Duration::from_secs(5);
            SendError::Timeout { after, phase }.to_string()
        };
        assert_eq!(
            text(Phase::Answer),
            "no complete answer within 5000 ms (while waiting for the answer); answer first and \
             process later, or raise timeoutMs"
        );
        assert!(text(Phase::Connect).contains("(while connecting); check that the receiver runs"));
        assert!(
            text(Phase::Body).contains("(while reading the answer's body); answer with a short")
        );
    }
}
