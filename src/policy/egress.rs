//! Where rowhook may connect to.
//!
//! A receiver's URI is a user's text, so without a rule rowhook would make POSTs into its own network
//! for anybody who may register one. The transport's guard asks here for each address that it is about
//! to dial, and the check of a registered URI asks for address literals. Nothing here resolves names
//! or connects.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The operator's exceptions to the rules about addresses.
#[derive(Clone, Debug, Default)]
pub struct EgressPolicy {
    /// Networks that receivers may be in whatever they are (`receivers.allow_private_networks`).
    pub allow: Vec<IpNet>,
}

/// Why an address may not be connected to. The texts complete "HOST is at ADDRESS, …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// 127.0.0.0/8, ::1: rowhook's own machine.
    #[error("a loopback address")]
    Loopback,
    /// 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16.
    #[error("a private address")]
    Private,
    /// fc00::/7, the private addresses of IPv6.
    #[error("a private (unique local) address")]
    UniqueLocal,
    /// fec0::/10, the older private addresses of IPv6.
    #[error("a private (site-local) address")]
    SiteLocal,
    /// 169.254.0.0/16, fe80::/10.
    #[error("a link-local address")]
    LinkLocal,
    /// The addresses at which clouds hand out credentials.
    #[error("the metadata service of a cloud")]
    CloudMetadata,
    /// 100.64.0.0/10, between a carrier and its customers.
    #[error("a shared address behind a carrier's NAT")]
    CarrierNat,
    /// 224.0.0.0/4, ff00::/8.
    #[error("a multicast address")]
    Multicast,
    /// 0.0.0.0/8 and ::, which mean "this machine".
    #[error("an unspecified address")]
    Unspecified,
    /// 255.255.255.255.
    #[error("the broadcast address")]
    Broadcast,
    /// 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32, 3fff::/20.
    #[error("an address for documentation only")]
    Documentation,
    /// 198.18.0.0/15, 2001:2::/48.
    #[error("an address for benchmarks only")]
    Benchmarking,
    /// 100::/64 and 100:0:0:1::/64, which lead nowhere.
    #[error("an address that discards all traffic")]
    Discard,
    /// ::ffff:0:0/96, ::/96 and ::ffff:0:0:0/96.
    #[error("an IPv4 address written inside an IPv6 address")]
    EmbeddedIpv4,
    /// 64:ff9b::/96 and 64:ff9b:1::/48, where a translator takes the IPv4 address out again.
    #[error("an IPv4 address behind a NAT64 translator")]
    Nat64,
    /// 2002::/16, with an IPv4 address inside.
    #[error("an IPv4 address inside a 6to4 address")]
    SixToFour,
    /// 2001::/32, with an IPv4 address inside.
    #[error("an IPv4 address inside a Teredo address")]
    Teredo,
    /// Everything else that the registries of special addresses keep from public use.
    #[error("a reserved address")]
    Reserved,
}

impl EgressPolicy {
    /// Whether rowhook may connect to this address.
    ///
    /// An allowed network wins over every rule; for an IPv4-mapped address its IPv4 form may be in the
    /// network, because that is the address which the system would dial. Other addresses with IPv4
    /// inside are refused as ranges rather than judged by what they hold: whether and where a
    /// translator takes it out is nothing that can be known here.
    pub fn judge(&self, ip: IpAddr) -> Result<(), Refusal> {
        let canonical = ip.to_canonical();
        if self
            .allow
            .iter()
            .any(|net| net.contains(&ip) || net.contains(&canonical))
        {
            return Ok(());
        }
        let refusal = match ip {
            IpAddr::V4(ip) => refuse_v4(ip),
            IpAddr::V6(ip) => refuse_v6(ip),
        };
        refusal.map_or(Ok(()), Err)
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, d: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// IANA's registry of special IPv4 addresses, and the metadata services. The first match names the kind.
const REFUSED_V4: &[(Ipv4Net, Refusal)] = &[
    // AWS, Azure, Google Cloud and most others; AWS ECS; Alibaba; Oracle's older one; Azure's host agent,
    // which is a public address that only its own virtual machines reach.
    (v4(169, 254, 169, 254, 32), Refusal::CloudMetadata),
    (v4(169, 254, 170, 2, 32), Refusal::CloudMetadata),
    (v4(169, 254, 170, 23, 32), Refusal::CloudMetadata),
    (v4(100, 100, 100, 200, 32), Refusal::CloudMetadata),
    (v4(192, 0, 0, 192, 32), Refusal::CloudMetadata),
    (v4(168, 63, 129, 16, 32), Refusal::CloudMetadata),
    (v4(0, 0, 0, 0, 8), Refusal::Unspecified),
    (v4(10, 0, 0, 0, 8), Refusal::Private),
    (v4(100, 64, 0, 0, 10), Refusal::CarrierNat),
    (v4(127, 0, 0, 0, 8), Refusal::Loopback),
    (v4(169, 254, 0, 0, 16), Refusal::LinkLocal),
    (v4(172, 16, 0, 0, 12), Refusal::Private),
    (v4(192, 0, 0, 0, 24), Refusal::Reserved),
    (v4(192, 0, 2, 0, 24), Refusal::Documentation),
    (v4(192, 88, 99, 0, 24), Refusal::Reserved),
    (v4(192, 168, 0, 0, 16), Refusal::Private),
    (v4(198, 18, 0, 0, 15), Refusal::Benchmarking),
    (v4(198, 51, 100, 0, 24), Refusal::Documentation),
    (v4(203, 0, 113, 0, 24), Refusal::Documentation),
    (v4(224, 0, 0, 0, 4), Refusal::Multicast),
    (v4(255, 255, 255, 255, 32), Refusal::Broadcast),
    (v4(240, 0, 0, 0, 4), Refusal::Reserved),
];

/// IANA's registry of special IPv6 addresses; single addresses are in [`refuse_v6`].
const REFUSED_V6: &[(Ipv6Net, Refusal)] = &[
    (
        Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
        Refusal::EmbeddedIpv4,
    ),
    (
        Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96),
        Refusal::EmbeddedIpv4,
    ),
    (v6(0, 0, 0, 0, 96), Refusal::EmbeddedIpv4),
    (v6(0x64, 0xff9b, 0, 0, 96), Refusal::Nat64),
    (v6(0x64, 0xff9b, 1, 0, 48), Refusal::Nat64),
    (v6(0x100, 0, 0, 0, 64), Refusal::Discard),
    (v6(0x100, 0, 0, 1, 64), Refusal::Discard),
    (v6(0x2001, 0, 0, 0, 32), Refusal::Teredo),
    (v6(0x2001, 2, 0, 0, 48), Refusal::Benchmarking),
    (v6(0x2001, 0xdb8, 0, 0, 32), Refusal::Documentation),
    // Protocol assignments: anycast of protocols, ORCHID and the like. None of them is a web server.
    (v6(0x2001, 0, 0, 0, 23), Refusal::Reserved),
    (v6(0x2002, 0, 0, 0, 16), Refusal::SixToFour),
    (v6(0x3fff, 0, 0, 0, 20), Refusal::Documentation),
    (v6(0xfc00, 0, 0, 0, 7), Refusal::UniqueLocal),
    (v6(0xfe80, 0, 0, 0, 10), Refusal::LinkLocal),
    (v6(0xfec0, 0, 0, 0, 10), Refusal::SiteLocal),
    (v6(0xff00, 0, 0, 0, 8), Refusal::Multicast),
];

/// All that is handed out to networks lies in here, so whatever else there is (segment routing, blocks
/// not yet in use) needs no rule of its own.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 0, 3);

/// AWS, Google Cloud and Oracle, all in the unique local range.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

fn refuse_v4(ip: Ipv4Addr) -> Option<Refusal> {
    REFUSED_V4
        .iter()
        .find(|(net, _)| net.contains(&ip))
        .map(|(_, refusal)| *refusal)
}

fn refuse_v6(ip: Ipv6Addr) -> Option<Refusal> {
    if ip.is_loopback() {
        return Some(Refusal::Loopback);
    }
    if ip.is_unspecified() {
        return Some(Refusal::Unspecified);
    }
    if METADATA_V6.contains(&ip) {
        return Some(Refusal::CloudMetadata);
    }
    REFUSED_V6
        .iter()
        .find(|(net, _)| net.contains(&ip))
        .map(|(_, refusal)| *refusal)
        .or_else(|| (!GLOBAL_V6.contains(&ip)).then_some(Refusal::Reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(allow: &[&str], ip: &str) -> Result<(), Refusal> {
        let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
        EgressPolicy { allow }.judge(ip.parse().unwrap())
    }

    #[test]
    fn every_special_range_is_refused_at_both_ends_and_named() {
        for (first, last, refusal) in [
            ("0.0.0.0", "0.255.255.255", Refusal::Unspecified),
            ("10.0.0.0", "10.255.255.255", Refusal::Private),
            ("100.64.0.0", "100.127.255.255", Refusal::CarrierNat),
            ("127.0.0.0", "127.255.255.255", Refusal::Loopback),
            ("169.254.0.0", "169.254.255.255", Refusal::LinkLocal),
            ("172.16.0.0", "172.31.255.255", Refusal::Private),
            ("192.0.0.0", "192.0.0.255", Refusal::Reserved),
            ("192.0.2.0", "192.0.2.255", Refusal::Documentation),
            ("192.88.99.0", "192.88.99.255", Refusal::Reserved),
            ("192.168.0.0", "192.168.255.255", Refusal::Private),
            ("198.18.0.0", "198.19.255.255", Refusal::Benchmarking),
            ("198.51.100.0", "198.51.100.255", Refusal::Documentation),
            ("203.0.113.0", "203.0.113.255", Refusal::Documentation),
            ("224.0.0.0", "239.255.255.255", Refusal::Multicast),
            ("240.0.0.0", "255.255.255.254", Refusal::Reserved),
            ("255.255.255.255", "255.255.255.255", Refusal::Broadcast),
            ("::", "::", Refusal::Unspecified),
            ("::1", "::1", Refusal::Loopback),
            ("::2", "::ffff:ffff", Refusal::EmbeddedIpv4),
            (
                "::ffff:0.0.0.0",
                "::ffff:255.255.255.255",
                Refusal::EmbeddedIpv4,
            ),
            ("::ffff:0:0:0", "::ffff:0:ffff:ffff", Refusal::EmbeddedIpv4),
            ("64:ff9b::", "64:ff9b::ffff:ffff", Refusal::Nat64),
            (
                "64:ff9b:1::",
                "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
                Refusal::Nat64,
            ),
            ("100::", "100::ffff:ffff:ffff:ffff", Refusal::Discard),
            (
                "100:0:0:1::",
                "100::1:ffff:ffff:ffff:ffff",
                Refusal::Discard,
            ),
            (
                "2001::",
                "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::Teredo,
            ),
            (
                "2001:1::",
                "2001:1:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::Reserved,
            ),
            (
                "2001:2::",
                "2001:2:0:ffff:ffff:ffff:ffff:ffff",
                Refusal::Benchmarking,
            ),
            (
                "2001:20::",
                "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::Reserved,
            ),
            (
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::Documentation,
            ),
            (
                "2002::",
                "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::SixToFour,
            ),
            (
                "3fff::",
                "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::Documentation,
            ),
            (
                "5f00::",
                "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::Reserved,
            ),
            (
                "4000::",
                "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::Reserved,
            ),
            (
                "fc00::",
                "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::UniqueLocal,
            ),
            (
                "fe80::",
                "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::LinkLocal,
            ),
            (
                "fec0::",
                "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::SiteLocal,
            ),
            (
                "ff00::",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                Refusal::Multicast,
            ),
        ] {
            assert_eq!(judge(&[], first), Err(refusal), "{first}");
            assert_eq!(judge(&[], last), Err(refusal), "{last}");
        }
    }

    #[test]
    fn metadata_services_are_named_before_their_range() {
        for ip in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
        ] {
            assert_eq!(judge(&[], ip), Err(Refusal::CloudMetadata), "{ip}");
        }
    }

    #[test]
    fn public_addresses_up_to_the_edge_of_each_range_pass() {
        for ip in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "8.8.8.8",
            "168.63.129.15",
            "2000::1",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001:81b::200e",
            "3ffe:ffff::1",
        ] {
            assert_eq!(judge(&[], ip), Ok(()), "{ip}");
        }
    }

    #[test]
    fn an_allowed_network_wins_also_for_the_mapped_form() {
        assert_eq!(judge(&["127.0.0.0/8"], "127.9.9.9"), Ok(()));
        assert_eq!(judge(&["127.0.0.0/8"], "::ffff:127.0.0.1"), Ok(()));
        assert_eq!(judge(&["169.254.169.254/32"], "169.254.169.254"), Ok(()));
        assert_eq!(judge(&["::ffff:10.0.0.0/104"], "::ffff:10.1.2.3"), Ok(()));
        assert_eq!(judge(&["fd00::/8"], "fd00:ec2::254"), Ok(()));
        assert_eq!(judge(&["64:ff9b::/96"], "64:ff9b::8.8.8.8"), Ok(()));
    }

    #[test]
    fn an_allowed_network_allows_nothing_else() {
        assert_eq!(judge(&["127.0.0.0/8"], "::1"), Err(Refusal::Loopback));
        assert_eq!(
            judge(&["127.0.0.1/32"], "127.0.0.2"),
            Err(Refusal::Loopback)
        );
        assert_eq!(
            judge(&["10.0.0.0/8"], "::10.0.0.1"),
            Err(Refusal::EmbeddedIpv4)
        );
        assert_eq!(
            judge(&["10.0.0.0/8"], "64:ff9b::10.0.0.1"),
            Err(Refusal::Nat64)
        );
        assert_eq!(
            judge(&["10.0.0.0/8"], "2002:a00:1::"),
            Err(Refusal::SixToFour)
        );
        assert_eq!(
            judge(&["10.0.0.0/8"], "::ffff:127.0.0.1"),
            Err(Refusal::EmbeddedIpv4)
        );
    }
}
