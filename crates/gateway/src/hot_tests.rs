//! Tests.

use super::*;

#[test]
fn only_the_very_routes_are_hot() {
    let checkout = |sale| Some(Hot::Checkout { sale });
    let status = |ticket| Some(Hot::Status { ticket });
    for (method, path, expected) in [
        ("POST", "/v1/sales/s/checkout", checkout("s")),
        ("POST", "/v1/sales/checkout", None),
        ("POST", "/v1/sales//checkout", None),
        ("POST", "/v1/sales/a/b/checkout", None),
        ("POST", "/v1/sales/s/checkout/", None),
        ("GET", "/v1/sales/s/checkout", None),
        ("post", "/v1/sales/s/checkout", None),
        ("GET", "/v1/orders/status/t", status("t")),
        ("GET", "/v1/orders/status/", None),
        ("GET", "/v1/orders/status/t/events", None),
        ("HEAD", "/v1/orders/status/t", None),
        ("DELETE", "/v1/orders/status/t", None),
    ] {
        assert_eq!(Hot::of(method, path), expected, "{method} {path}");
    }
}

#[test]
fn what_is_not_visible_ascii_is_no_text() {
    assert_eq!(visible(b"Bearer a~\t!"), Some("Bearer a~\t!"));
    for wrong in [&b"\x7f"[..], b"\x00", b"\n", "ü".as_bytes(), b"\xff"] {
        assert_eq!(visible(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_header_of_two_meanings_is_none() {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, "Bearer a".parse().unwrap());
    headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    assert_eq!(Given::of(&headers).authorization, Some(&b"Bearer a"[..]));
    headers.insert(SOLUTION_HEADER, "one".parse().unwrap());
    assert_eq!(Given::of(&headers).solution, Some(&b"one"[..]));
    headers.append(SOLUTION_HEADER, "other".parse().unwrap());
    headers.append(header::AUTHORIZATION, "Bearer b".parse().unwrap());
    headers.append(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    let given = Given::of(&headers);
    assert_eq!((given.authorization, given.content_type, given.solution), (None, None, None));
}
