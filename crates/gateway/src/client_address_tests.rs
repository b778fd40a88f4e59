//! Tests.

use super::*;

fn through(peer: &str, headers: &[&str]) -> String {
    let trusted = |address: IpAddr| address.is_loopback() || address == IpAddr::from([10, 0, 0, 1]);
    client(peer.parse().unwrap(), headers.iter().copied(), &trusted).to_string()
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
fn ports_and_brackets_are_taken_off() {
    assert_eq!(through("127.0.0.1", &["1.2.3.4:5678"]), "1.2.3.4");
    assert_eq!(through("127.0.0.1", &["[2001:db8::1]:443"]), "2001:db8::1");
    assert_eq!(through("127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
}

#[test]
fn networks_are_addresses_and_64s() {
    let key = |text: &str| network_key(text.parse().unwrap());
    assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff"));
    assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
    assert_ne!(key("1.2.3.4"), key("1.2.3.5"));
    assert_eq!(key("1.2.3.4"), key("::ffff:1.2.3.4"));
}
