//! Tests.

use super::*;
use crate::client_address::AddressHeader;

fn refusal(text: &str) -> Option<Refusal> {
    parse(text.as_bytes(), 100, Hot::of).err()
}

fn plan(text: &str) -> Plan {
    parse(text.as_bytes(), 100, Hot::of).unwrap().unwrap().plan
}

#[test]
fn a_checkout_is_hot_and_its_headers_are_found() {
    let text = "POST /v1/sales/s/checkout?x=1 HTTP/1.1\r\nHost: x\r\nauthorization: Bearer t\r\nContent-Type: application/json\r\n\
        IDEMPOTENCY-KEY: k\r\nX-Forwarded-For: 192.0.2.1\r\nFORWARDED: for=192.0.2.2\r\nContent-Length: 2\r\n\r\n{}";
    let head = parse(text.as_bytes(), 100, Hot::of).unwrap().unwrap();
    let Asked::Hot(asked) = head.asked else { panic!("it is hot") };
    assert_eq!((asked.hot, asked.path), (Hot::Checkout { sale: "s" }, "/v1/sales/s/checkout"));
    assert_eq!(asked.given.authorization, Some(&b"Bearer t"[..]));
    assert_eq!(asked.given.content_type, Some(&b"application/json"[..]));
    assert_eq!(asked.given.key, Some(&b"k"[..]));
    assert_eq!(asked.told.line(AddressHeader::XForwardedFor), Some(&b"192.0.2.1"[..]));
    assert_eq!(asked.told.line(AddressHeader::Forwarded), Some(&b"for=192.0.2.2"[..]));
    let expected = Plan {
        head: text.len() - 2,
        framing: Framing::Length(2),
        keep_alive: true,
        expects: false,
        old: false,
    };
    assert_eq!(head.plan, expected);
}

#[test]
fn what_is_not_the_usual_form_of_a_hot_route_takes_the_long_way_with_every_header() {
    for more in [
        "authorization: a\r\nauthorization: b\r\n",
        "idempotency-key: a\r\nidempotency-key: b\r\n",
        "x-forwarded-for: 192.0.2.1\r\nx-forwarded-for: 192.0.2.2\r\n",
        "forwarded: for=192.0.2.1\r\nForwarded: for=192.0.2.2\r\n",
        "transfer-encoding: chunked\r\nx: y\r\n",
    ] {
        let text = format!("POST /v1/sales/s/checkout HTTP/1.1\r\nhost: x\r\n{more}\r\n");
        let head = parse(text.as_bytes(), 100, Hot::of).unwrap().unwrap();
        let Asked::Other(request) = head.asked else { panic!("{more} is not hot") };
        assert_eq!(request.headers().len(), 3, "{more}");
        assert_eq!(request.uri().path(), "/v1/sales/s/checkout");
    }
}

#[test]
fn a_head_of_two_meanings_is_refused() {
    for lines in [
        "content-length: 1\r\ncontent-length: 1\r\n",
        "content-length: 1, 1\r\n",
        "content-length: +1\r\n",
        "content-length: 0x1\r\n",
        "content-length: -1\r\n",
        "content-length: \r\n",
        "content-length: 9999999999999999999\r\n",
        "content-length: 1\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding : chunked\r\n",
        "host: a\r\nhost: b\r\n",
        "x: a\r\n folded\r\n",
        "x y: a\r\n",
        "x: a\u{0}b\r\n",
        ": a\r\n",
    ] {
        let text = format!("POST /v1/sales/s/checkout HTTP/1.1\r\nhost: x\r\n{lines}\r\n");
        assert!(matches!(refusal(&text), Some(Refusal::Malformed(_))), "{lines:?}: {:?}", refusal(&text));
    }
    for text in [
        "GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n",
        "G@T / HTTP/1.1\r\nhost: x\r\n\r\n",
        "\u{16}\u{3}\u{1}",
    ] {
        assert!(matches!(refusal(text), Some(Refusal::Malformed(_))), "{text:?}: {:?}", refusal(text));
    }
}

#[test]
fn every_head_that_is_cut_short_is_waited_for() {
    let text = "GET /v1/orders/status/t HTTP/1.1\r\nhost: x\r\nx-a: b\r\n\r\n";
    for end in 0..text.len() {
        assert!(matches!(parse(&text.as_bytes()[..end], 100, Hot::of), Ok(None)), "{end}");
    }
    assert!(matches!(parse(text.as_bytes(), 100, Hot::of), Ok(Some(_))));
}

#[test]
fn lines_are_counted_up_to_the_configured_number() {
    for (lines, most, right) in
        [(8, 8, true), (9, 8, false), (32, 32, true), (100, 100, true), (101, 100, false)]
    {
        let text = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(lines - 1));
        let parsed = parse(text.as_bytes(), most, Hot::of);
        assert_eq!(matches!(parsed, Ok(Some(_))), right, "{lines} of {most}");
        assert_eq!(matches!(parsed, Err(Refusal::TooManyLines)), !right);
    }
}

#[test]
fn the_connection_stays_as_the_version_and_the_header_say() {
    for (version, line, stays) in [
        ("1.1", "", true),
        ("1.1", "connection: close\r\n", false),
        ("1.1", "connection: te, Close\r\n", false),
        ("1.1", "connection: close, keep-alive\r\n", false),
        ("1.1", "connection: keep-alive\r\nconnection: close\r\n", false),
        ("1.0", "", false),
        ("1.0", "connection: Keep-Alive\r\n", true),
    ] {
        let plan = plan(&format!("GET / HTTP/{version}\r\nhost: x\r\n{line}\r\n"));
        assert_eq!((plan.keep_alive, plan.old), (stays, version == "1.0"), "{version} {line}");
    }
    assert!(plan("POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-Continue\r\ncontent-length: 1\r\n\r\n").expects);
    assert!(!plan("POST / HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n").expects);
}

#[test]
fn a_host_is_needed_since_1_1() {
    assert_eq!(refusal("GET / HTTP/1.1\r\n\r\n"), Some(Refusal::Malformed("Host must be sent once")));
    assert_eq!(refusal("GET / HTTP/1.0\r\n\r\n"), None);
}

#[test]
fn targets_may_be_whole_addresses() {
    let text = "GET http://example.com/v1/time?x=1 HTTP/1.1\r\nhost: x\r\n\r\n";
    let Asked::Other(request) = parse(text.as_bytes(), 9, Hot::of).unwrap().unwrap().asked else { panic!() };
    assert_eq!((request.uri().path(), request.uri().query()), ("/v1/time", Some("x=1")));
}

#[test]
fn an_address_of_another_scheme_than_those_of_the_web_is_refused() {
    for right in ["/x", "*", "http://x/y", "HTTP://x", "https://x:8443/y"] {
        assert_eq!(refusal(&format!("OPTIONS {right} HTTP/1.1\r\nhost: x\r\n\r\n")), None, "{right}");
    }
    for wrong in ["ftp://evil/metrics", "file:///etc/passwd", "ws://x/v1/time", "gopher://x:70/_GET"] {
        let refused = refusal(&format!("GET {wrong} HTTP/1.1\r\nhost: x\r\n\r\n"));
        assert!(matches!(refused, Some(Refusal::Malformed(_))), "{wrong}: {refused:?}");
    }
}

#[test]
fn a_host_is_a_host_with_its_port() {
    for right in ["x", "shop.example:8080", "[::1]:80", "192.0.2.1", ""] {
        assert_eq!(refusal(&format!("GET / HTTP/1.1\r\nHost: {right}\r\n\r\n")), None, "{right}");
    }
    for wrong in ["a b", "a/b", "a<b", "u@h", "a?b", "a#b", "a\"b", "h\u{e9}"] {
        let refused = refusal(&format!("GET / HTTP/1.1\r\nHost: {wrong}\r\n\r\n"));
        assert!(matches!(refused, Some(Refusal::Malformed(_))), "{wrong}: {refused:?}");
    }
}

#[test]
fn the_path_is_told_by_the_first_line_where_the_rest_cannot_be_read() {
    let cases: [(&[u8], &str); 6] = [
        (b"GET /v1/time?x=1 HTTP/1.1\r\nbad header", "/v1/time"),
        (b"\r\nPOST /v1/sales/s/checkout HTTP/1.1\r\n", "/v1/sales/s/checkout"),
        (b"GET http://shop.example/s/a HTTP/1.1\r\n", "/s/a"),
        (b"GET /v1/ti", "/"),
        (b"GET /a b HTTP/1.1\r\n", "/"),
        (b"\x16\x03\x01 nonsense\r\n", "/"),
    ];
    for (bytes, right) in cases {
        assert_eq!(path(bytes), right, "{}", String::from_utf8_lossy(bytes));
    }
}
