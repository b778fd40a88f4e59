//! Whose request it is: the connection's address, or what a trusted proxy says of it.

mod forwarded;

use std::net::IpAddr;

use http::HeaderName;

/// The header in which trusted proxies say who the client is. A proxy that writes one of them passes the other on as the client
/// sent it, so only one of them ever counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressHeader {
    /// `X-Forwarded-For`: addresses.
    XForwardedFor,
    /// `Forwarded` (RFC 7239): elements with the parameter `for`.
    Forwarded,
}

impl AddressHeader {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => http::header::FORWARDED,
        }
    }
}

/// The client behind `peer`: where the peer is trusted, the rightmost address of this header's lines that is not trusted
/// itself. What cannot be read ends the walk: everything to its left was written by somebody unknown. A line is never left out as
/// a whole: what a proxy wrote at its end counts, whatever bytes the client sent before it.
#[must_use]
pub fn client<'a>(
    peer: IpAddr,
    header: AddressHeader,
    lines: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &(dyn Fn(IpAddr) -> bool + Send + Sync),
) -> IpAddr {
    let lines = lines.rev();
    match header {
        AddressHeader::XForwardedFor => {
            walk(peer, lines.flat_map(|line| line.rsplit(|byte| *byte == b',')).map(node), trusted)
        }
        AddressHeader::Forwarded => {
            walk(peer, lines.flat_map(forwarded::elements).map(forwarded::address), trusted)
        }
    }
}

/// From the peer on, from whoever is trusted to whom they name.
fn walk(
    peer: IpAddr,
    named: impl Iterator<Item = Option<IpAddr>>,
    trusted: &(dyn Fn(IpAddr) -> bool + Send + Sync),
) -> IpAddr {
    let mut client = peer.to_canonical();
    for address in named {
        if !trusted(client) {
            return client;
        }
        match address {
            Some(address) => client = address,
            None => return client,
        }
    }
    client
}

/// An address, possibly with a port; one of IPv6 with a port is in brackets.
fn node(bytes: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(bytes.trim_ascii()).ok()?;
    let (address, after) = match text.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?,
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => (address, &text[address.len()..]),
            _ => (text, ""),
        },
    };
    let known = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
    let address: IpAddr = known.then(|| address.parse().ok()).flatten()?;
    Some(address.to_canonical())
}

/// A port, or what hides one (RFC 7239, section 6.2).
fn is_port(text: &str) -> bool {
    let hides = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match text.strip_prefix('_') {
        Some(hidden) => !hidden.is_empty() && hidden.bytes().all(hides),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The network that counts as one client: an IPv4 address, or an IPv6 /64, which is what one customer gets.
#[must_use]
pub fn network_key(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(u32::from(address)) | 0xffff_0000_0000,
        IpAddr::V6(address) => u128::from(address) >> 64 << 64,
    }
}

#[cfg(test)]
#[path = "client_address_tests.rs"]
mod tests;
