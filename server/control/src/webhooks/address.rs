//! Which addresses messages may be posted to, as far as their text tells. Where a name leads is looked at whenever a
//! message is sent (`outbound::guard`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

use crate::outbound::{Reach, refusal};

const MAX_LENGTH: usize = 2_000;
/// Names that lead nowhere on the public internet.
// Source: the IANA registry of special-use domain names, and what networks call their inner side.
const INNER: [&str; 10] = [
    "localhost",
    "local",
    "internal",
    "localdomain",
    "home.arpa",
    "lan",
    "intranet",
    "corp",
    "home",
    "invalid",
];

/// Why an endpoint cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebhook {
    /// Its address.
    #[error("messages cannot be posted to that address: {reason}")]
    Address {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The kinds of messages.
    #[error("`{kind}` is no kind of message: docs/webhooks.md lists them")]
    Kind {
        /// What was given.
        kind: String,
    },
    /// It asks for nothing.
    #[error("an endpoint asks for at least one kind of message")]
    NoKinds,
}

/// The host of an address that messages may be posted to, for the ledger.
pub(super) fn checked(reach: Reach, text: &str) -> Result<String, InvalidWebhook> {
    host_of(reach, text).map_err(|reason| InvalidWebhook::Address { reason })
}

fn host_of(reach: Reach, text: &str) -> Result<String, &'static str> {
    if text.len() > MAX_LENGTH {
        return Err("it is longer than 2000 characters");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains(['\\', '#', '<', '>', '"', '`']) {
        return Err("it holds spaces, control characters, a fragment, or letters that are not ASCII");
    }
    let uri: Uri = text.parse().map_err(|_| "it is not an absolute URL")?;
    let (scheme, authority) = match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => (scheme, authority),
        _ => return Err("it is not an absolute URL"),
    };
    if authority.as_str().contains('@') {
        return Err("it holds a name or a password; endpoints know us by the signature");
    }
    let port = authority.as_str().rsplit_once(':').filter(|(_, port)| !port.contains(']'));
    if port.is_some_and(|(_, port)| port.parse::<u16>().map_or(true, |port| port == 0)) {
        return Err("its port is none");
    }
    let host = authority.host().trim_end_matches('.').to_ascii_lowercase();
    let is_loopback = is_loopback(&host);
    match scheme {
        "https" => {}
        "http" if is_loopback && reach == Reach::PublicAndLoopback => {}
        _ => return Err("it does not begin with https://"),
    }
    if is_loopback && reach == Reach::PublicAndLoopback {
        return Ok(host);
    }
    public_host(&host).map(|()| host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || address(host).is_some_and(|address| address.is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

fn public_host(host: &str) -> Result<(), &'static str> {
    if let Some(address) = address(host) {
        return match refusal(Reach::Public, address) {
            Some(_) => Err("it is no public address"),
            None => Ok(()),
        };
    }
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || !labels.iter().all(is_label) {
        return Err("its host is no name");
    }
    // Resolvers read such a name as an address: in whole, in part, in hexadecimal or in octal.
    // Source: the WHATWG URL standard, "ends in a number".
    let last = labels.last().copied().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return Err("its host is a number; write an address in four parts");
    }
    let is_inner = |inner: &str| host == inner || host.ends_with(&format!(".{inner}"));
    if labels.len() < 2 || INNER.iter().any(|inner| is_inner(inner)) {
        return Err("its host is a name of an inner network");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
