//! Which addresses a request that somebody else has named may reach. The name is looked up here, every address that it
//! leads to is judged, and the connection goes to one of those: a name that leads elsewhere a moment later changes
//! nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::Reach;

/// A name that leads where no request may go.
#[derive(Debug, thiserror::Error)]
#[error("the address leads to {what}: name a server on the public internet")]
struct NotPublic {
    what: &'static str,
}

/// Looks names up, and refuses those that lead where a client may not go.
#[derive(Debug)]
pub(super) struct Guarded<R> {
    names: R,
    reach: Reach,
}

impl<R> Guarded<R> {
    pub(super) const fn new(names: R, reach: Reach) -> Self {
        Self { names, reach }
    }
}

impl<R: Resolver> Resolver for Guarded<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        vet(self.reach, &found).map_err(|refused| ureq::Error::Other(Box::new(refused)))?;
        Ok(found)
    }
}

/// Every address has to be allowed: which of them is connected to is not decided here.
fn vet(reach: Reach, found: &[SocketAddr]) -> Result<(), NotPublic> {
    match found.iter().find_map(|address| refusal(reach, address.ip())) {
        Some(what) => Err(NotPublic { what }),
        None => Ok(()),
    }
}

/// Why an address may not be reached; `None` when it may.
pub(crate) fn refusal(reach: Reach, address: IpAddr) -> Option<&'static str> {
    match reach {
        Reach::Operators => None,
        Reach::PublicAndLoopback if address.is_loopback() => None,
        Reach::Public | Reach::PublicAndLoopback => match address {
            IpAddr::V4(address) => not_public_v4(address),
            IpAddr::V6(address) => not_public_v6(address),
        },
    }
}

/// Source: the IANA special-purpose address registry for IPv4, and the metadata service of one cloud that answers at a
/// public address.
fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    const RANGES: [([u8; 4], u32, &str); 17] = [
        ([0, 0, 0, 0], 8, "no host"),
        ([10, 0, 0, 0], 8, "a private network"),
        ([100, 64, 0, 0], 10, "a carrier's inner network"),
        ([127, 0, 0, 0], 8, "this machine"),
        ([168, 63, 129, 16], 32, "a metadata service"),
        ([169, 254, 0, 0], 16, "a link-local address or a metadata service"),
        ([172, 16, 0, 0], 12, "a private network"),
        ([192, 0, 0, 0], 24, "a protocol's own addresses"),
        ([192, 0, 2, 0], 24, "addresses for documents"),
        ([192, 31, 196, 0], 24, "a relay"),
        ([192, 88, 99, 0], 24, "a relay"),
        ([192, 168, 0, 0], 16, "a private network"),
        ([198, 18, 0, 0], 15, "a network for measurements"),
        ([198, 51, 100, 0], 24, "addresses for documents"),
        ([203, 0, 113, 0], 24, "addresses for documents"),
        ([224, 0, 0, 0], 4, "a multicast group"),
        ([240, 0, 0, 0], 4, "reserved addresses"),
    ];
    let bits = address.to_bits();
    let holds = |(network, length, _): &&([u8; 4], u32, &'static str)| {
        let shift = 32 - *length;
        bits >> shift == u32::from_be_bytes(*network) >> shift
    };
    RANGES.iter().find(holds).map(|(_, _, what)| *what)
}

/// Source: the IANA special-purpose address registry for IPv6. Global unicast is 2000::/3; all else is refused, with it
/// whatever carries an IPv4 address (mapped, compatible, NAT64), and of 2000::/3 the tunnels and documents.
fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [first, second, ..] = address.segments();
    if address.is_loopback() {
        return Some("this machine");
    }
    if first & 0xe000 != 0x2000 {
        return Some("no public IPv6 address");
    }
    match (first, second) {
        (0x2001, 0x0000..=0x01ff) => Some("a tunnel, or a protocol's own addresses"),
        (0x2001, 0x0db8) => Some("addresses for documents"),
        (0x2002, _) => Some("a tunnel to an IPv4 address"),
        (0x3fff, 0x0000..=0x0fff) => Some("addresses for documents"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[track_caller]
    fn check(address: &str, is_public: bool) {
        let address: IpAddr = address.parse().expect("it is an address");
        assert_eq!(refusal(Reach::Public, address).is_none(), is_public, "{address}");
        assert!(refusal(Reach::Operators, address).is_none(), "{address}");
        let with_loopback = is_public || address.is_loopback();
        assert_eq!(refusal(Reach::PublicAndLoopback, address).is_none(), with_loopback, "{address}");
    }

    /// By hand, from the first and last address of each range of the two registries, and their neighbours.
    const REFUSED: [&str; 55] = [
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.31.196.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ];

    const PUBLIC: [&str; 23] = [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
        "2003::1",
        "3ffe:ffff::1",
    ];

    #[test]
    fn only_public_addresses_are_reached() {
        for address in REFUSED {
            check(address, false);
        }
        for address in PUBLIC {
            check(address, true);
        }
    }

    #[test]
    fn one_private_address_among_public_ones_is_enough() {
        let at = |text: &str| -> SocketAddr { text.parse().expect("it is an address") };
        assert!(vet(Reach::Public, &[at("1.1.1.1:443"), at("[2606:4700::1]:443")]).is_ok());
        let refused = vet(Reach::Public, &[at("1.1.1.1:443"), at("192.168.1.1:443")]);
        let words = refused.expect_err("one is private").to_string();
        assert_eq!(words, "the address leads to a private network: name a server on the public internet");
    }

    /// A name server that answers with a public address first and with this machine from then on.
    #[derive(Debug)]
    struct Rebinding(AtomicUsize);

    impl Resolver for Rebinding {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let is_first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
            let mut found = self.empty();
            let address = if is_first { "203.0.114.1:443" } else { "127.0.0.1:443" };
            found.push(address.parse().expect("it is an address"));
            Ok(found)
        }
    }

    #[test]
    fn a_name_is_looked_up_and_judged_at_every_connection() {
        let guarded = Guarded::new(Rebinding(AtomicUsize::new(0)), Reach::Public);
        let (uri, config) = (Uri::from_static("https://rebind.example/"), Config::default());
        let ask = || guarded.resolve(&uri, &config, NextTimeout::default());
        // What is judged is what is connected to: the agent gets these addresses and asks nobody again.
        let found = ask().expect("it is public");
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["203.0.114.1:443"]);
        let refused = ask().expect_err("it is this machine");
        assert!(refused.to_string().contains("this machine"), "{refused}");
    }
}
