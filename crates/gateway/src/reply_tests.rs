//! Tests.

use super::is_json;

#[test]
fn json_is_utf8_and_says_nothing_else() {
    for right in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/json; profile=x; charset=utf-8",
    ] {
        assert!(is_json(Some(right.as_bytes())).is_ok(), "{right}");
    }
    for wrong in
        ["", "text/plain", "application/json; charset=latin1", "application/json;CHARSET=utf-16", "text/json"]
    {
        assert!(is_json(Some(wrong.as_bytes())).is_err(), "{wrong}");
    }
    assert!(is_json(None).is_err());
}
