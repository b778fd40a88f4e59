//! Tests.

use super::*;
use crate::client_address::{AddressHeader, client};

fn through(peer: &str, lines: &[&[u8]]) -> String {
    let trusted = |address: IpAddr| address.is_loopback() || address == IpAddr::from([10, 0, 0, 1]);
    client(peer.parse().unwrap(), AddressHeader::Forwarded, lines.iter().copied(), &trusted).to_string()
}

fn named(element: &str) -> Option<String> {
    address(element.as_bytes()).map(|address| address.to_string())
}

#[test]
fn an_element_names_an_address_in_every_form_of_the_rfc() {
    for (element, expected) in [
        ("for=192.0.2.60", "192.0.2.60"),
        ("For=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ("proto=https; FOR=\"192.0.2.60\" ;host=\"a,b;for=6.6.6.6\"", "192.0.2.60"),
        ("for=192.0.2.60:4711", "192.0.2.60"),
        ("for=\"192.0.2.60:4711\";by=\"_x\"", "192.0.2.60"),
        ("for=\"192.0.2.60:_port\"", "192.0.2.60"),
        ("for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
        ("for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("for=[2001:db8:cafe::17]", "2001:db8:cafe::17"),
        ("for=\"2001:db8:cafe::17\"", "2001:db8:cafe::17"),
        ("for=\"[::ffff:192.0.2.60]\"", "192.0.2.60"),
        ("for=\"192\\.0.2.60\"", "192.0.2.60"),
        (";;for=192.0.2.60;", "192.0.2.60"),
        ("host=\"\\\"\\\\\";for=192.0.2.60;ext=\"\\\\\"", "192.0.2.60"),
    ] {
        assert_eq!(named(element).as_deref(), Some(expected), "{element}");
    }
    assert_eq!(address(b"host=\"\xff\";for=192.0.2.60"), Some(IpAddr::from([192, 0, 2, 60])));
}

#[test]
fn what_hides_its_address_or_has_two_meanings_names_none() {
    for element in [
        "",
        "192.0.2.60",
        "by=192.0.2.60",
        "for=",
        "for=unknown",
        "for=_hidden",
        "for=\"_SEVKISEK\"",
        "for=_hidden:80",
        "for=192.0.2.60;for=192.0.2.61",
        "for=192.0.2.60;For=192.0.2.60",
        "for=\"192.0.2.60",
        "for=192.0.2.60\"",
        "for=\"192.0.2.60\\\"",
        "for=\"192.0.2.60\"1",
        "for=\"192.0\".2.60",
        "for=192.0.2.60;host",
        "for=192.0.2.60:",
        "for=192.0.2.60:port",
        "for=192.0.2.60:123456",
        "for=[2001:db8::1",
        "for=\"[2001:db8::1]x\"",
        "xfor=192.0.2.60",
        "for =192.0.2.60",
    ] {
        assert_eq!(named(element), None, "{element}");
    }
}

#[test]
fn the_rightmost_untrusted_address_counts_over_elements_and_lines() {
    assert_eq!(
        through("203.0.113.9", &[b"for=1.2.3.4"]),
        "203.0.113.9",
        "who is not trusted is not believed"
    );
    assert_eq!(through("127.0.0.1", &[b"for=6.6.6.6, for=1.2.3.4,for=10.0.0.1"]), "1.2.3.4");
    assert_eq!(
        through("127.0.0.1", &[b"for=6.6.6.6", b"for=1.2.3.4;proto=http", b"for=10.0.0.1"]),
        "1.2.3.4"
    );
    assert_eq!(through("127.0.0.1", &[b"for=6.6.6.6, for=unknown, for=10.0.0.1"]), "10.0.0.1");
    assert_eq!(through("127.0.0.1", &[b"for=6.6.6.6, for=_hidden"]), "127.0.0.1");
    assert_eq!(through("127.0.0.1", &[b"for=6.6.6.6, proto=http"]), "127.0.0.1");
    assert_eq!(through("127.0.0.1", &[b"for=6.6.6.6", b""]), "127.0.0.1");
    assert_eq!(through("127.0.0.1", &[]), "127.0.0.1");
}

/// Everything that a client can make of these pieces, up to four of them, in front of what a proxy writes: on the same line, on a
/// line of its own, and with a second proxy behind.
#[test]
fn no_quotes_of_a_client_hide_the_element_that_a_proxy_appends() {
    let pieces: [&[u8]; 11] = [
        b"\"",
        b"\\",
        b",",
        b";",
        b"=",
        b"for=",
        b"for=\"6.6.6.6",
        b"for=6.6.6.6",
        b"for=10.0.0.1",
        b"x=\"",
        b"\xff",
    ];
    let elements: [&[u8]; 4] = [
        b"for=1.2.3.4",
        b"for=\"1.2.3.4:80\";host=\"a, for=6.6.6.6\"",
        b"host=\"\\\", for=6.6.6.6, \\\\\";for=1.2.3.4",
        b"by=_us;for=\"1.2.3.4\";ext=\"\\\"\"",
    ];
    let count = pieces.len();
    for number in 0..count.pow(4) {
        let sent: Vec<u8> = (0..4).flat_map(|at| pieces[number / count.pow(at) % count]).copied().collect();
        for element in elements {
            let appended = [&sent[..], b", ", element].concat();
            assert_eq!(
                through("127.0.0.1", &[&appended]),
                "1.2.3.4",
                "{:?}",
                appended.escape_ascii().to_string()
            );
            assert_eq!(through("127.0.0.1", &[&sent, element]), "1.2.3.4");
            assert_eq!(through("127.0.0.1", &[&[&appended[..], b",for=10.0.0.1"].concat()]), "1.2.3.4");
        }
    }
}

#[test]
fn a_long_line_is_read_in_one_go() {
    let quotes = [&b"\\\"".repeat(8_000)[..], b", for=10.0.0.1"].concat();
    assert_eq!(through("127.0.0.1", &[&quotes]), "10.0.0.1");
    let commas = [&b",".repeat(16_000)[..], b"for=10.0.0.1"].concat();
    assert_eq!(through("127.0.0.1", &[&commas]), "10.0.0.1");
}
