//! Which proxy a delivery goes through, if any.
//!
//! The configuration makes the [`Proxies`] of the process; the transport asks for each connection, when it knows
//! the receiver's address and has judged it. Nothing here connects, and neither a `Debug` nor an error shows a
//! proxy's credentials.

use std::{fmt, net::IpAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use url::{Host, Url};

/// A proxy that is spoken to in plain HTTP and asked to CONNECT.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    authorization: Option<String>,
    setting: &'static str,
}

/// A text that names no proxy. It holds nothing of the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxy {
    /// Another protocol.
    #[error(
        "a proxy is asked in plain HTTP to CONNECT, so its URI begins with http:// (what is sent through it stays \
         encrypted from rowhook to the receiver); neither https:// nor socks5:// is spoken"
    )]
    Scheme,
    /// No URI at all.
    #[error(
        "is no proxy; write it as \"http://proxy.example:3128\", or \"http://user:password@proxy.example:3128\""
    )]
    Uri,
    /// More than a host and a port.
    #[error("names a path, and a proxy has none; write it as \"http://proxy.example:3128\"")]
    Path,
}

impl Proxy {
    /// Reads `http://[user:password@]host[:port]`; without a scheme it is http, without a port 80. `setting` is
    /// where the text stands, for faults.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn parse(text: &str, setting: &'static str) -> Result<Self, InvalidProxy> {
        let text = text.trim();
        let whole = match text.split_once("://") {
            None => format!("http://{text}"),
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => text.to_owned(),
            Some(_) => return Err(InvalidProxy::Scheme),
        };
        let url = Url::parse(&whole).map_err(|_| InvalidProxy::Uri)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidProxy::Path);
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => ip.to_string(),
            None => return Err(InvalidProxy::Uri),
        };
        let given = !url.username().is_empty() || url.password().is_some();
        let authorization = given.then(|| {
            let mut pair = decoded(url.username());
            pair.push(b':');
            pair.extend(decoded(url.password().unwrap_or_default()));
            format!("Basic {}", STANDARD.encode(pair))
        });
        Ok(Self {
            host,
            port: url.port_or_known_default().unwrap_or(80),
            authorization,
            setting,
        })
    }

    /// Its name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of `Proxy-Authorization`, a secret.
    pub fn expose_authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// The setting or variable that names it.
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

/// Bytes as they were before they were put into a URI.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    out
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// Who is sent to without the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exempt {
    /// `*`.
    Everybody,
    /// Addresses, which are the ones that the receiver's name resolved to.
    Network(IpNet),
    /// A name and all below it, at one port or any.
    Domain { name: String, port: Option<u16> },
}

impl Exempt {
    /// `example.com`, `.example.com`, `*.example.com`, each with `:port` or not; an address, a network, `*`.
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everybody);
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Some(Self::Network(ip.into()));
        }
        if let Ok(network) = text.parse() {
            return Some(Self::Network(network));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let name = name.strip_prefix('*').unwrap_or(name);
        let name = name.trim_matches('.').to_ascii_lowercase();
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
        is_name.then_some(Self::Domain { name, port })
    }

    fn covers(&self, target: &Target<'_>) -> bool {
        match self {
            Self::Everybody => true,
            Self::Network(network) => network.contains(&target.ip),
            Self::Domain { name, port } => {
                let host = target.host.trim_end_matches('.').to_ascii_lowercase();
                let below = host
                    .strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                below && port.is_none_or(|port| port == target.port)
            }
        }
    }
}

/// Where a connection is to go.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Whether the receiver is https.
    pub https: bool,
    /// The host in its URI, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The address that was found for it, and judged.
    pub ip: IpAddr,
}

/// The proxies of a deployment, and who is sent to without.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    https: Option<Arc<Proxy>>,
    http: Option<Arc<Proxy>>,
    exempt: Vec<Exempt>,
}

impl Proxies {
    /// A proxy for https receivers and one for plain http ones, with nobody exempt.
    pub fn new(https: Option<Proxy>, http: Option<Proxy>) -> Self {
        Self {
            https: https.map(Arc::new),
            http: http.map(Arc::new),
            exempt: Vec::new(),
        }
    }

    /// Adds names, addresses and networks that are sent to without a proxy; those that are none of these come
    /// back.
    #[must_use]
    pub fn except<'a>(
        mut self,
        entries: impl IntoIterator<Item = &'a str>,
    ) -> (Self, Vec<&'a str>) {
        let mut unread = Vec::new();
        for entry in entries.into_iter().map(str::trim) {
            match Exempt::parse(entry) {
                Some(exempt) => self.exempt.push(exempt),
                None if entry.is_empty() => {}
                None => unread.push(entry),
            }
        }
        (self, unread)
    }

    /// The proxy for a connection. A loopback address is rowhook's own machine, which a proxy elsewhere can not
    /// mean, so it is never given to one.
    pub fn of(&self, target: &Target<'_>) -> Option<&Arc<Proxy>> {
        let proxy = if target.https {
            self.https.as_ref()
        } else {
            self.http.as_ref()
        }?;
        let direct = target.ip.to_canonical().is_loopback()
            || self.exempt.iter().any(|exempt| exempt.covers(target));
        (!direct).then_some(proxy)
    }

    /// Each proxy once.
    pub fn all(&self) -> Vec<&Arc<Proxy>> {
        let mut all: Vec<_> = self.https.iter().chain(&self.http).collect();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Proxy, InvalidProxy> {
        Proxy::parse(text, "receivers.proxy")
    }

    #[test]
    fn a_proxy_is_a_host_a_port_and_perhaps_credentials() {
        for (text, shown, authorization) in [
            ("http://proxy.example:3128", "proxy.example:3128", None),
            ("HTTP://proxy.example/", "proxy.example:80", None),
            (" proxy.example:8080 ", "proxy.example:8080", None),
            ("http://[2001:db8::1]:3128", "[2001:db8::1]:3128", None),
            ("http://192.0.2.1:1", "192.0.2.1:1", None),
            ("http://ann:hunter2@p:3128", "p:3128", Some("ann:hunter2")),
            (
                "http://ann:a%40b%3Ac%25@p:3128",
                "p:3128",
                Some("ann:a@b:c%"),
            ),
            ("http://ann@p:3128", "p:3128", Some("ann:")),
        ] {
            let proxy = parsed(text).unwrap();
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(format!("{proxy:?}"), format!("Proxy({shown})"));
            let expected = authorization.map(|pair| format!("Basic {}", STANDARD.encode(pair)));
            assert_eq!(proxy.expose_authorization(), expected.as_deref(), "{text}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_a_word_of_it() {
        for (text, why) in [
            ("https://u:hunter2@p:3128", InvalidProxy::Scheme),
            ("socks5://u:hunter2@p", InvalidProxy::Scheme),
            ("http://", InvalidProxy::Uri),
            ("", InvalidProxy::Uri),
            ("http://u:hunter2@p:port", InvalidProxy::Uri),
            ("http://u:hunter2@p/path", InvalidProxy::Path),
            ("http://p?x", InvalidProxy::Path),
        ] {
            assert_eq!(parsed(text), Err(why), "{text}");
            assert!(!why.to_string().contains("hunter2"));
        }
    }

    fn with(exempt: &str) -> Proxies {
        let https = parsed("http://secure:1").unwrap();
        let http = parsed("http://plain:1").unwrap();
        let (proxies, unread) = Proxies::new(Some(https), Some(http)).except(exempt.split(','));
        assert!(unread.is_empty(), "{unread:?}");
        proxies
    }

    fn through(proxies: &Proxies, https: bool, host: &str, port: u16, ip: &str) -> Option<String> {
        let target = Target {
            https,
            host,
            port,
            ip: ip.parse().unwrap(),
        };
        proxies.of(&target).map(ToString::to_string)
    }

    #[test]
    fn each_scheme_has_its_proxy_and_loopback_none() {
        let proxies = with("");
        let via = |https, ip| through(&proxies, https, "h.example", 443, ip);
        assert_eq!(via(true, "8.8.8.8").as_deref(), Some("secure:1"));
        assert_eq!(via(false, "8.8.8.8").as_deref(), Some("plain:1"));
        assert_eq!(via(true, "10.0.0.1").as_deref(), Some("secure:1"));
        for ip in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(via(true, ip), None, "{ip}");
        }
        let none = Proxies::default();
        assert_eq!(through(&none, true, "h.example", 443, "8.8.8.8"), None);
    }

    #[test]
    fn exceptions_are_names_and_what_is_below_addresses_and_networks() {
        for (exempt, host, ip, direct) in [
            ("example.com", "example.com", "8.8.8.8", true),
            ("example.com", "Hooks.Example.com.", "8.8.8.8", true),
            ("example.com", "notexample.com", "8.8.8.8", false),
            ("example.com", "example.com.org", "8.8.8.8", false),
            (".example.com", "example.com", "8.8.8.8", true),
            (".example.com", "a.b.example.com", "8.8.8.8", true),
            ("*.example.com", "a.example.com", "8.8.8.8", true),
            ("EXAMPLE.com:443", "example.com", "8.8.8.8", true),
            ("example.com:8443", "example.com", "8.8.8.8", false),
            ("10.0.0.0/8", "h.example", "10.9.9.9", true),
            ("10.0.0.0/8", "h.example", "11.0.0.1", false),
            ("10.1.2.3", "h.example", "10.1.2.3", true),
            ("10.1.2.3", "h.example", "10.1.2.4", false),
            ("fd00::/8", "h.example", "fd00::1", true),
            ("[fd00::1]", "fd00::1", "fd00::1", true),
            ("other.example, h.example", "h.example", "8.8.8.8", true),
            ("*", "h.example", "8.8.8.8", true),
        ] {
            let found = through(&with(exempt), true, host, 443, ip);
            assert_eq!(found.is_none(), direct, "{exempt} of {host} at {ip}");
        }
    }

    #[test]
    fn what_is_no_exception_comes_back() {
        let (_, unread) = Proxies::default().except(["", "a.example", "http://b", "c d", "e:f"]);
        assert_eq!(unread, ["http://b", "c d", "e:f"]);
    }
}
