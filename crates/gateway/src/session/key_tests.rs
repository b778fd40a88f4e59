//! Tests: keys made for them, and what becomes of them when a byte is changed.

use serde_json::{Value, json};

use crate::session::{Algorithm, Jwt};

/// RSA public keys of 1,024 and 2,048 bits.
const SMALL: &str = "7hZvumqxPaHTHGcvOK7HPwyFGlvifA1aLCFGJGmuy_GvbA2MslFLqX20sADH_KxtI9fVswLEhRsjDRxBFIfbNUC5DyCdYnbBHE9lAhWu6qYMX2WyhxBq_3y2BNcmvyMUd3HujcCj_jd-nZqpLBzzK62ca6QxEkQb2KKpn9yXhhU";
const LARGE: &str = "lU-ZVNZX_jsli7oBVnsS1AJuKeqMKtotpYGxCYBxYUjiqJU2zZTZIoIaCv3xLgIlOFcprNley9sBHpiLOFZmjmFv-XZ8OSBPk-1WtOXb_iDSBY_zB6JpzJmux9oatYcqiKg6Jq-d5yW6YKo0X6VPzmdYh4UqwyqQtwI6C7HoOF8EjtdEfojNOxK_i2RiG8Drq4hOzbYCxHX5s8zq1t-xAKkwVGqZXEiQXP07Ybe6r3fQMdIxGS-GDKXPAPsoamGp6ElJYZBpmolMK6q0VhNcfqiYJGRg2y9TlX_f3pbWkUltykRbFOKLz6McpSvyyMReEY51ib4g52v0i7opz58V8Q";
/// A point on P-256.
const POINT: (&str, &str) =
    ("HMi-fHWpErfJl0TtVAzFc2nJEuyE5JxblR16Y-K3VZY", "MvU7XPtD1VnIl-Lxvio3np_a6lUjbscKd1-4G8XMGeA");
const SMALL_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDuFm+6arE9odMcZy84rsc/DIUa\n\
W+J8DVosIUYkaa7L8a9sDYyyUUupfbSwAMf8rG0j19WzAsSFGyMNHEEUh9s1QLkP\n\
IJ1idsEcT2UCFa7qpgxfZbKHEGr/fLYE1ya/IxR3ce6NwKP+N36dmqksHPMrrZxr\n\
pDESRBvYoqmf3JeGFQIDAQAB\n\
-----END PUBLIC KEY-----";

fn read(algorithm: Algorithm, keys: &[Value]) -> Result<(), String> {
    let document = json!({ "keys": keys }).to_string();
    Jwt::read(algorithm, document.as_bytes(), None, None, 0).map(drop)
}

fn ed(x: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "ed" })
}

fn ec(x: &str, y: &str) -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "ec" })
}

fn rsa(n: &str, e: &str) -> Value {
    json!({ "kty": "RSA", "n": n, "e": e, "kid": "rsa" })
}

#[test]
fn a_key_that_can_never_verify_is_refused_by_its_name() {
    let right = "C1lKgOUXMFwzHfRX5Mc2bDE6VZTvN7MioQMvV_XOiBQ";
    read(Algorithm::EdDsa, &[ed(right)]).unwrap();
    let short = read(Algorithm::EdDsa, &[ed("AAAA")]).unwrap_err();
    assert_eq!(short, "has no key for EdDSA: key \"ed\" has 3 bytes, and an Ed25519 public key has 32");
    read(Algorithm::Es256, &[ec(POINT.0, POINT.1)]).unwrap();
    let off = read(Algorithm::Es256, &[ec(POINT.1, POINT.0)]).unwrap_err();
    assert_eq!(off, "has no key for ES256: key \"ec\" is no point on the curve P-256");
    read(Algorithm::Es256, &[ec("AAAA", "AAAA")]).unwrap_err();
    read(Algorithm::Rs256, &[rsa(LARGE, "AQAB")]).unwrap();
    let small = read(Algorithm::Rs256, &[rsa(SMALL, "AQAB")]).unwrap_err();
    assert_eq!(
        small,
        "has no key for RS256: key \"rsa\" is an RSA key of 1024 bits, and must have 2048 to 8192"
    );
    read(Algorithm::Rs256, &[rsa(LARGE, "AA")]).unwrap_err();
    read(Algorithm::Rs256, &[rsa(LARGE, "AQ")]).unwrap_err();
    read(Algorithm::Rs256, &[rsa("", "AQAB")]).unwrap_err();
}

#[test]
fn a_key_without_a_name_is_told_by_its_number() {
    let mut nameless = ed("AAAA");
    nameless.as_object_mut().unwrap().remove("kid");
    let wrong = read(Algorithm::EdDsa, &[rsa(LARGE, "AQAB"), nameless]).unwrap_err();
    assert!(wrong.contains("key 2 has 3 bytes"), "{wrong}");
}

#[test]
fn a_key_in_a_file_of_its_own_is_judged_alike() {
    let wrong = Jwt::read(Algorithm::Rs256, SMALL_PEM.as_bytes(), None, None, 0).err().unwrap();
    assert!(wrong.starts_with("is an RSA key of 1024 bits"), "{wrong}");
}
