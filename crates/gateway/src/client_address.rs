//! Whose request it is: the connection's address, or what a trusted proxy says of it.

use std::net::IpAddr;

/// The client behind `peer`: where the peer is trusted, the rightmost address of `X-Forwarded-For` that is not trusted
/// itself. What cannot be read ends the walk: everything to its left was written by somebody unknown. A line is never left out as
/// a whole: what a proxy wrote at its end counts, whatever bytes the client sent before it.
#[must_use]
pub fn client<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &(dyn Fn(IpAddr) -> bool + Send + Sync),
) -> IpAddr {
    let mut client = peer.to_canonical();
    for address in forwarded.rev().flat_map(|line| line.rsplit(|byte| *byte == b',')) {
        if !trusted(client) {
            return client;
        }
        match read(address) {
            Some(address) => client = address,
            None => return client,
        }
    }
    client
}

/// An address, possibly with a port.
fn read(bytes: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.split(']').next()).unwrap_or(text);
    let address =
        bare.parse().ok().or_else(|| text.parse().map(|with: std::net::SocketAddr| with.ip()).ok())?;
    Some(IpAddr::to_canonical(&address))
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
