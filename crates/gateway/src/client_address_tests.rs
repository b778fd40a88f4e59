//! Tests.

use super::*;

fn through(peer: &str, headers: &[&str]) -> String {
    let headers: Vec<&[u8]> = headers.iter().map(|header| header.as_bytes()).collect();
    through_bytes(peer, &headers)
}

fn through_bytes(peer: &str, headers: &[&[u8]]) -> String {
    let trusted = |address: IpAddr| address.is_loopback() || address == IpAddr::from([10, 0, 0, 1]);
    client(peer.parse().unwrap(), AddressHeader::XForwardedFor, headers.iter().copied(), &trusted).to_string()
}

#[test]
fn only_trusted_peers_are_believed() {
    assert_eq!(through("203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
    assert_eq!(through("127.0.0.1", &["1.2.3.4"]), "1.2.3.4");
    assert_eq!(through("::ffff:127.0.0.1", &["1.2.3.4"]), "1.2.3.4");
}

#[test]
fn the_rightmost_untrusted_address_counts() {
    assert_eq!(through("127.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.1"]), "1.2.3.4");
    assert_eq!(through("127.0.0.1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
    assert_eq!(through("127.0.0.1", &["6.6.6.6, 10.0.0.1"]), "6.6.6.6");
}

#[test]
fn what_cannot_be_read_ends_the_walk() {
    assert_eq!(through("127.0.0.1", &["1.2.3.4, nonsense"]), "127.0.0.1");
    assert_eq!(through("127.0.0.1", &["1.2.3.4, nonsense, 10.0.0.1"]), "10.0.0.1");
    assert_eq!(through("127.0.0.1", &[""]), "127.0.0.1");
    assert_eq!(through("127.0.0.1", &[]), "127.0.0.1");
}

#[test]
fn no_bytes_of_a_client_hide_what_a_proxy_wrote_behind_them() {
    for sent in [&b"\xff"[..], b"\0", b"\x1b[31m", b"\xc3\xa9", b"127.0.0.1\xff", b",", b"127.0.0.1"] {
        assert_eq!(through_bytes("127.0.0.1", &[&[sent, b", 1.2.3.4"].concat()]), "1.2.3.4", "{sent:?}");
        assert_eq!(through_bytes("127.0.0.1", &[sent, b"1.2.3.4"]), "1.2.3.4", "{sent:?}");
    }
    assert_eq!(through_bytes("127.0.0.1", &[b"6.6.6.6, 1.2.3.4\xff, 10.0.0.1"]), "10.0.0.1");
}

#[test]
fn ports_and_brackets_are_taken_off() {
    assert_eq!(through("127.0.0.1", &["1.2.3.4:5678"]), "1.2.3.4");
    assert_eq!(through("127.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
    assert_eq!(through("127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
    assert_eq!(through("127.0.0.1", &["1.2.3.4, [2001:db8::1]nonsense"]), "127.0.0.1");
}

#[test]
fn networks_are_addresses_and_64s() {
    let key = |text: &str| network_key(text.parse().unwrap());
    assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff"));
    assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
    assert_ne!(key("1.2.3.4"), key("1.2.3.5"));
    assert_eq!(key("1.2.3.4"), key("::ffff:1.2.3.4"));
}
