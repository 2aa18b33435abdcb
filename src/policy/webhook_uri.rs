//! Whether a URI can be a receiver's address at all.
//!
//! The management API asks before it stores a `webhookUri`. A name that does not resolve yet is
//! accepted: what it resolves to is judged at each delivery. The URI is signed and sent letter by
//! letter as registered, so one that HTTP can not carry so is refused rather than mended in silence.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::egress::{EgressPolicy, Refusal};

/// The longest URI, in characters; proxies and servers begin to refuse request lines not far above.
pub const MAX_URI_CHARS: usize = 2048;

/// What is wrong with a URI. The texts tell the user what to mend, and complete "The webhookUri …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriProblem {
    /// Longer than [`MAX_URI_CHARS`].
    #[error("is {chars} characters long, and at most {MAX_URI_CHARS} are possible")]
    TooLong {
        /// Its length.
        chars: usize,
    },
    /// No absolute URI.
    #[error("is not an absolute URI ({detail}); write it as https://host/path")]
    Unreadable {
        /// The parser's words.
        detail: String,
    },
    /// Another scheme than http or https.
    #[error("has the scheme {scheme}; write https://")]
    Scheme {
        /// The scheme found.
        scheme: String,
    },
    /// `http` where only `https` is allowed.
    #[error("must use https; http is sent only where the operator sets receivers.allow_http")]
    HttpNotAllowed,
    /// `user:password@`.
    #[error("holds credentials; put them into a header of the receiver instead")]
    Credentials,
    /// `#…`.
    #[error("holds a fragment (#…), which is never sent to a server; remove it")]
    Fragment,
    /// An international host name that is not in its ASCII form.
    #[error("has a host name that HTTP can not carry as it is; write it as {ascii}")]
    InternationalHost {
        /// The same name for the wire.
        ascii: String,
    },
    /// A character that can not stand in a request line.
    #[error("holds the character {found:?}, which HTTP can not carry; percent-encode it")]
    Character {
        /// The first of them.
        found: char,
    },
    /// Parsers disagree on it, or HTTP can not carry it.
    #[error("can not be sent as it is ({detail}); write it in its plain form, {plain}")]
    Ambiguous {
        /// What is odd.
        detail: String,
        /// The plain form.
        plain: String,
    },
    /// Port 0.
    #[error("has the port 0, at which nothing can listen")]
    Port,
    /// TLS to an IPv6 literal, which the HTTP client can not do.
    #[error("uses https with an IPv6 address; use a host name that the certificate is for")]
    TlsToIpv6,
    /// An address that rowhook does not connect to.
    #[error(
        "points to {address}, {refusal}; only the operator can allow it, in \
         receivers.allow_private_networks"
    )]
    Forbidden {
        /// The address as it would be dialled.
        address: IpAddr,
        /// What kind of address it is.
        refusal: Refusal,
    },
}

/// Checks a URI before it is registered.
pub fn check_uri(uri: &str, allow_http: bool, policy: &EgressPolicy) -> Result<Url, UriProblem> {
    let chars = uri.chars().count();
    if chars > MAX_URI_CHARS {
        return Err(UriProblem::TooLong { chars });
    }
    let url = Url::parse(uri).map_err(|error| UriProblem::Unreadable {
        detail: error.to_string(),
    })?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http => {}
        "http" => return Err(UriProblem::HttpNotAllowed),
        scheme => {
            return Err(UriProblem::Scheme {
                scheme: scheme.to_owned(),
            });
        }
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UriProblem::Credentials);
    }
    if url.fragment().is_some() {
        return Err(UriProblem::Fragment);
    }
    if url.port() == Some(0) {
        return Err(UriProblem::Port);
    }
    let wire = check_wire_form(uri, &url)?;
    check_host(&url, wire.host().unwrap_or_default(), policy)?;
    Ok(url)
}

/// The two parsers must agree: `url` follows browsers and mends much, while `http` is what the HTTP
/// client dials and writes.
fn check_wire_form(uri: &str, url: &Url) -> Result<http::Uri, UriProblem> {
    let ambiguous = |detail: &str| UriProblem::Ambiguous {
        detail: detail.to_owned(),
        plain: url.to_string(),
    };
    let wire = match http::Uri::try_from(uri) {
        Ok(wire) => wire,
        Err(error) => {
            let ascii = url.host_str().unwrap_or_default();
            let host_is_foreign = !uri.to_lowercase().contains(ascii);
            return Err(match uri.chars().find(|c| !c.is_ascii_graphic()) {
                Some(c) if !c.is_ascii() && host_is_foreign => UriProblem::InternationalHost {
                    ascii: ascii.to_owned(),
                },
                Some(found) => UriProblem::Character { found },
                None => ambiguous(&error.to_string()),
            });
        }
    };
    let Some(authority) = wire.authority() else {
        return Err(ambiguous("it has no host after //"));
    };
    // An empty pair of credentials ("https://@host") is invisible to `url`.
    if authority.as_str().contains('@') {
        return Err(UriProblem::Credentials);
    }
    let host = Host::parse(authority.host()).ok().map(|it| it.to_string());
    let default_port = if url.scheme() == "https" { 443 } else { 80 };
    let port = Some(authority.port_u16().unwrap_or(default_port));
    // No such case is known, because `http` refuses what `url` mends. Both change, and a difference
    // would mean that one address is judged and another dialled.
    if host != url.host().map(|it| it.to_string()) || port != url.port_or_known_default() {
        return Err(ambiguous("its host or port can be read in two ways"));
    }
    Ok(wire)
}

fn check_host(url: &Url, spelling: &str, policy: &EgressPolicy) -> Result<(), UriProblem> {
    let tls = url.scheme() == "https";
    let judge = |address: IpAddr| {
        policy
            .judge(address)
            .map_err(|refusal| UriProblem::Forbidden { address, refusal })
    };
    match url.host() {
        // These names are loopback by definition (RFC 6761), so waiting for the resolver adds nothing.
        Some(Host::Domain(name)) if is_localhost(name) => {
            let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            if loopback.iter().any(|ip| policy.judge(*ip).is_ok()) {
                return Ok(());
            }
            judge(loopback[0])
        }
        Some(Host::Domain(_)) => Ok(()),
        Some(Host::Ipv4(address)) => {
            judge(address.into())?;
            if tls && spelling != address.to_string() {
                // No certificate can be for such a spelling.
                return Err(UriProblem::Ambiguous {
                    detail: "its address is in an odd spelling".to_owned(),
                    plain: url.to_string(),
                });
            }
            Ok(())
        }
        Some(Host::Ipv6(address)) => {
            judge(address.into())?;
            if tls {
                return Err(UriProblem::TlsToIpv6);
            }
            Ok(())
        }
        None => Err(UriProblem::Unreadable {
            detail: "it has no host".to_owned(),
        }),
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str) -> Result<Url, UriProblem> {
        check_uri(uri, false, &EgressPolicy::default())
    }

    fn check_open(uri: &str, allow: &[&str]) -> Result<Url, UriProblem> {
        let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
        check_uri(uri, true, &EgressPolicy { allow })
    }

    fn refusal(problem: &UriProblem) -> Option<Refusal> {
        match problem {
            UriProblem::Forbidden { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }

    #[test]
    fn plain_uris_pass_and_are_sent_letter_by_letter() {
        for uri in [
            "https://example.com/",
            "https://Example.COM/Hook?a=1&b=2",
            "HTTPS://example.com/",
            "https://no-such-name.invalid/hook",
            "https://example.com:8443/x",
            "https://example.com:443/",
            "https://example.com?token=1",
            "https://xn--bcher-kva.example/",
            "https://my_host.example.com/a/../b/./c//d",
            "https://8.8.8.8/hook",
            "https://intranet/hook",
            "https://example.com./",
            "https://example.com/%7Euser/%zz{\"a\":1}|\\b?x=%41",
        ] {
            assert!(check(uri).is_ok(), "{uri}: {:?}", check(uri));
            let wire = http::Uri::try_from(uri).unwrap();
            assert!(
                uri.ends_with(wire.path_and_query().unwrap().as_str()),
                "{uri}"
            );
        }
        assert!(check("https://example.com").is_ok());
    }

    #[test]
    fn length_counts_characters_up_to_the_limit() {
        let of = |chars: usize| format!("https://example.com/{}", "a".repeat(chars - 20));
        assert!(check(&of(MAX_URI_CHARS)).is_ok());
        let chars = MAX_URI_CHARS + 1;
        assert_eq!(check(&of(chars)), Err(UriProblem::TooLong { chars }));
    }

    #[test]
    fn each_fault_is_named() {
        let character = |found| UriProblem::Character { found };
        for (uri, problem) in [
            ("http://example.com/", UriProblem::HttpNotAllowed),
            (
                "ftp://example.com/",
                UriProblem::Scheme {
                    scheme: "ftp".into(),
                },
            ),
            (
                "file:///etc/passwd",
                UriProblem::Scheme {
                    scheme: "file".into(),
                },
            ),
            ("https://user:pw@example.com/", UriProblem::Credentials),
            ("https://user@example.com/", UriProblem::Credentials),
            ("https://@example.com/", UriProblem::Credentials),
            ("https://:@example.com/", UriProblem::Credentials),
            ("https://example.com/#top", UriProblem::Fragment),
            ("https://example.com/#", UriProblem::Fragment),
            ("https://example.com:0/", UriProblem::Port),
            ("https://example.com/a b", character(' ')),
            (" https://example.com/", character(' ')),
            ("https://example.com/\n", character('\n')),
            ("https://exam\tple.com/", character('\t')),
            ("https://example.com/ü", character('ü')),
            (
                "https://bücher.example/",
                UriProblem::InternationalHost {
                    ascii: "xn--bcher-kva.example".into(),
                },
            ),
        ] {
            assert_eq!(check(uri), Err(problem), "{uri:?}");
        }
    }

    #[test]
    fn no_absolute_uri_is_no_uri() {
        for uri in [
            "",
            "example.com",
            "/hook",
            "//example.com/hook",
            "https://",
            "https://?x",
            "https://exa mple.com/",
            "https://[::1",
            "https://example.com:99999/",
            "https://1.2.3.4.5/",
            "https://256.1.1.1/",
            "https://[fe80::1%25eth0]/",
        ] {
            assert!(
                matches!(check(uri), Err(UriProblem::Unreadable { .. })),
                "{uri}: {:?}",
                check(uri)
            );
        }
    }

    #[test]
    fn what_two_parsers_read_differently_is_refused() {
        for uri in [
            "https:example.com/",
            "https:/example.com/",
            "https:///example.com/",
            "https:\\\\example.com/",
            "https://example.com\\@127.0.0.1/",
            "https://ex%61mple.com/",
            "https://%31%32%37.0.0.1/",
            "https://example.com/a<b>",
            "https://example.com/?q={\"a\":1}",
            "https://134744072/",
            "https://8.8.2056/",
            "https://0x8.8.8.8/",
        ] {
            assert!(
                matches!(check(uri), Err(UriProblem::Ambiguous { .. })),
                "{uri}: {:?}",
                check(uri)
            );
        }
    }

    #[test]
    fn every_spelling_of_a_forbidden_address_is_refused() {
        for (host, kind) in [
            ("127.0.0.1", Refusal::Loopback),
            ("2130706433", Refusal::Loopback),
            ("017700000001", Refusal::Loopback),
            ("0x7f000001", Refusal::Loopback),
            ("0x7f.1", Refusal::Loopback),
            ("127.1", Refusal::Loopback),
            ("127.0.1", Refusal::Loopback),
            ("0177.0.0.1", Refusal::Loopback),
            ("127.0.0.1.", Refusal::Loopback),
            ("localhost", Refusal::Loopback),
            ("LOCALHOST", Refusal::Loopback),
            ("localhost.", Refusal::Loopback),
            ("api.localhost", Refusal::Loopback),
            ("[::1]", Refusal::Loopback),
            ("[0:0:0:0:0:0:0:1]", Refusal::Loopback),
            ("[::ffff:127.0.0.1]", Refusal::EmbeddedIpv4),
            ("[::ffff:7f00:1]", Refusal::EmbeddedIpv4),
            ("[::127.0.0.1]", Refusal::EmbeddedIpv4),
            ("[64:ff9b::7f00:1]", Refusal::Nat64),
            ("[2002:7f00:1::]", Refusal::SixToFour),
            ("[fd00:ec2::254]", Refusal::CloudMetadata),
            ("[fe80::1]", Refusal::LinkLocal),
            ("169.254.169.254", Refusal::CloudMetadata),
            ("2852039166", Refusal::CloudMetadata),
            ("0", Refusal::Unspecified),
            ("0.0.0.0", Refusal::Unspecified),
            ("10.1", Refusal::Private),
        ] {
            let uri = format!("http://{host}/hook");
            let problem = check_open(&uri, &[]).unwrap_err();
            assert_eq!(refusal(&problem), Some(kind), "{host}");
            let problem = check(&format!("https://{host}/hook")).unwrap_err();
            assert_eq!(refusal(&problem), Some(kind), "{host}");
        }
    }

    #[test]
    fn an_allowed_network_opens_it() {
        let open = &["127.0.0.0/8"];
        for uri in [
            "http://127.0.0.1:9/",
            "http://localhost:9/",
            "http://[::ffff:127.0.0.1]/",
            "http://2130706433/",
            "https://127.0.0.1/",
        ] {
            assert!(check_open(uri, open).is_ok(), "{uri}");
        }
        assert!(check_open("http://localhost/", &["::1/128"]).is_ok());
        assert_eq!(
            check_open("http://[::1]/", open).map_err(|p| refusal(&p)),
            Err(Some(Refusal::Loopback))
        );
        assert_eq!(
            check_open("https://[::1]/", &["::1/128"]),
            Err(UriProblem::TlsToIpv6)
        );
    }

    #[test]
    fn http_is_for_the_operator_to_allow() {
        assert!(check_open("http://example.com/", &[]).is_ok());
        assert_eq!(
            check("http://example.com/"),
            Err(UriProblem::HttpNotAllowed)
        );
    }
}
