//! The nearest name is the one a person meant.

use super::nearest;

const KNOWN: &[&str] = &["server.listen", "server.idle_timeout_ms", "sessions.ttl_ms", "payments.timeout_ms"];

#[test]
fn slips_lead_to_the_key_that_was_meant() {
    for (slip, meant) in [
        ("server.listn", "server.listen"),
        ("servr.listen", "server.listen"),
        ("listen", "server.listen"),
        ("server.ttl_ms", "sessions.ttl_ms"),
        ("server.idle_timeout", "server.idle_timeout_ms"),
        ("payments.timeout", "payments.timeout_ms"),
    ] {
        assert_eq!(nearest(slip, KNOWN.iter().copied()), Some(meant), "{slip}");
    }
    assert_eq!(nearest("x", []), None);
}

#[test]
fn where_nothing_is_near_there_is_no_hint() {
    for name in ["colour", "server.wallpaper", "x"] {
        assert_eq!(nearest(name, KNOWN.iter().copied()), None, "{name}");
    }
}
