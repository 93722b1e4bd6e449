//! Where a request comes from, for limits on attempts to sign in.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::State;
use crate::listen::Remote;

/// The address of whoever sent the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl FromRequestParts<State> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let connected =
            parts.extensions.get::<ConnectInfo<Remote>>().map(|info| info.0.address.ip().to_canonical());
        Ok(Self(
            connected.map(|address| behind_proxies(address, &parts.headers, &state.surroundings.proxies)),
        ))
    }
}

/// The nearest address that is none of our proxies'. Each proxy puts the address that it sees at the end of
/// `X-Forwarded-For`; what stands before that, anybody can have written.
fn behind_proxies(connected: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut address = connected;
    for hop in hops.into_iter().rev() {
        if !proxies.contains(&address) {
            break;
        }
        let Ok(before) = hop.parse::<IpAddr>() else { break };
        address = before.to_canonical();
    }
    address
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check_peer(connected: &str, forwarded: &[&'static str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let proxies = [address("10.0.0.1"), address("10.0.0.2")];
        assert_eq!(
            behind_proxies(address(connected), &headers, &proxies),
            address(expected),
            "{forwarded:?}"
        );
    }

    #[test]
    fn only_what_our_own_proxies_say_is_believed() {
        check_peer("192.0.2.1", &[], "192.0.2.1");
        check_peer("192.0.2.1", &["198.51.100.7"], "192.0.2.1");
        check_peer("10.0.0.1", &["198.51.100.7"], "198.51.100.7");
        check_peer("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7");
        check_peer("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7");
        check_peer("10.0.0.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7");
        check_peer("10.0.0.1", &["nonsense"], "10.0.0.1");
        check_peer("10.0.0.1", &[], "10.0.0.1");
    }
}
