//! A look at a URI before a receiver has it: the rules for URIs, the resolver and the guard's judgement, and no
//! connection.

use std::time::Duration;

use url::{Host, Url};

use crate::{
    domain::uri_look::{JudgedAddress, UriLook},
    policy::{egress::EgressPolicy, webhook_uri::check_uri},
};

use super::SystemResolver;

/// The resolver is waited for so long: a delivery's time limit is mostly not much longer.
const RESOLVED_WITHIN: Duration = Duration::from_secs(3);

/// Looks at a URI, by the rules of this deployment.
pub async fn look(uri: &str, allow_http: bool, policy: &EgressPolicy) -> UriLook {
    let mut look = UriLook {
        refused: check_uri(uri, allow_http, policy)
            .err()
            .map(|problem| problem.to_string()),
        ..UriLook::default()
    };
    // What it resolves to is told of a URI that is refused for another reason too.
    let Ok(url) = Url::parse(uri) else {
        return look;
    };
    let addresses = match url.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        Some(Host::Domain(name)) => {
            let port = url.port_or_known_default().unwrap_or_default();
            let asked = SystemResolver::addresses(name.to_owned(), port);
            match tokio::time::timeout(RESOLVED_WITHIN, asked).await {
                Ok(Ok(found)) => found.iter().map(|one| one.ip().to_canonical()).collect(),
                Ok(Err(error)) => {
                    look.unreachable = Some(format!("{name} does not resolve now: {error}"));
                    return look;
                }
                Err(_) => {
                    let seconds = RESOLVED_WITHIN.as_secs();
                    look.unreachable = Some(format!(
                        "the resolver has not answered for {name} within {seconds} s"
                    ));
                    return look;
                }
            }
        }
        None => return look,
    };
    for address in addresses {
        let judged = JudgedAddress {
            address,
            refusal: policy.judge(address).err().map(|why| why.to_string()),
        };
        if !look.addresses.contains(&judged) {
            look.addresses.push(judged);
        }
    }
    let host = url.host_str().unwrap_or_default();
    look.unreachable = match look.addresses.first() {
        None => Some(format!("{host} has no address")),
        Some(first) if look.addresses.iter().all(|one| one.refusal.is_some()) => {
            let why = first.refusal.as_deref().unwrap_or_default();
            Some(format!(
                "{host} resolves to {}, {why}; only the operator can allow it, in receivers.allow_private_networks",
                first.address
            ))
        }
        Some(_) => None,
    };
    look
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn looked(uri: &str, allow: &[&str]) -> UriLook {
        let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
        look(uri, false, &EgressPolicy { allow }).await
    }

    #[tokio::test]
    async fn literal_addresses_are_judged() {
        let found = looked("https://93.184.216.34/in", &[]).await;
        assert_eq!((found.refused, found.unreachable), (None, None));
        assert_eq!(found.addresses[0].refusal, None);
        let found = looked("https://10.1.2.3/in", &[]).await;
        assert!(found.refused.unwrap().contains("a private address"));
        assert!(found.unreachable.unwrap().contains("a private address"));
        assert_eq!(
            found.addresses[0].refusal.as_deref(),
            Some("a private address")
        );
        let found = looked("https://10.1.2.3/in", &["10.0.0.0/8"]).await;
        assert_eq!((found.refused, found.unreachable), (None, None));
        // The metadata service of a cloud, written as IPv6 would have it.
        let found = looked("https://[::ffff:169.254.169.254]/", &[]).await;
        assert!(found.addresses[0].refusal.is_some());
    }

    #[tokio::test]
    async fn names_are_resolved() {
        let found = looked("https://localhost/in", &["127.0.0.0/8", "::1/128"]).await;
        assert_eq!((found.refused, found.unreachable), (None, None));
        assert!(found.addresses.iter().all(|one| one.address.is_loopback()));
        let found = looked("http://localhost/in", &[]).await;
        assert!(found.refused.unwrap().contains("https"));
        assert!(!found.addresses.is_empty(), "told all the same");
        let found = looked("https://no-such-name.invalid/in", &[]).await;
        assert_eq!(found.refused, None, "a receiver may have it");
        assert!(found.unreachable.is_some());
        assert_eq!(looked("nothing", &[]).await.addresses, []);
    }
}
