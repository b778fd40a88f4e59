//! Tests.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"a-shared-secret-of-at-least-thirty-two-bytes";
/// An Ed25519 key pair made for these tests: private as PKCS#8, public as PEM.
const PRIVATE: &str = include_str!("jwt_test_private.pem");
const PUBLIC: &str = include_str!("jwt_test_public.pem");

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn signed(algorithm: jsonwebtoken::Algorithm, key: &EncodingKey, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, key).unwrap()
}

fn ed(claims: &Value) -> String {
    signed(jsonwebtoken::Algorithm::EdDSA, &EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap(), claims)
}

fn shop() -> Jwt {
    Jwt::read(Algorithm::EdDsa, PUBLIC.as_bytes(), None, None, 5_000).unwrap()
}

#[test]
fn a_signed_session_is_valid_until_its_end_and_the_leeway() {
    let (shop, token) = (shop(), ed(&json!({ "sub": "ann", "exp": 1_000 })));
    let session = shop.verify(&token, at(999)).unwrap();
    assert_eq!((session.user.as_str(), session.expires_at), ("ann", at(1_000)));
    assert!(shop.verify(&token, at(1_004)).is_some());
    assert!(shop.verify(&token, at(1_005)).is_none(), "also where the token is remembered");
    assert!(shop.verify(&ed(&json!({ "sub": "ann", "exp": 1_000, "nbf": 500 })), at(494)).is_none());
    assert!(shop.verify(&ed(&json!({ "sub": "ann", "exp": 1_000, "nbf": 500 })), at(495)).is_some());
}

#[test]
fn another_algorithm_is_never_believed_whatever_the_token_says() {
    let claims = json!({ "sub": "ann", "exp": 1_000 });
    let with_public_key = EncodingKey::from_secret(PUBLIC.as_bytes());
    assert!(
        shop().verify(&signed(jsonwebtoken::Algorithm::HS256, &with_public_key, &claims), at(1)).is_none()
    );
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjEwMDB9.";
    assert!(shop().verify(none, at(1)).is_none());
    assert!(
        Jwt::read(Algorithm::Hs256, PUBLIC.as_bytes(), None, None, 0).is_err(),
        "a public key is no secret"
    );
    assert!(Jwt::read(Algorithm::Hs256, b"short", None, None, 0).is_err());
    assert!(Jwt::read(Algorithm::EdDsa, b"nonsense", None, None, 0).is_err());
}

#[test]
fn claims_must_be_there_and_in_their_form() {
    let secret = EncodingKey::from_secret(SECRET);
    let shop = Jwt::read(Algorithm::Hs256, SECRET, Some("drops"), Some("shop"), 0).unwrap();
    let verify = |claims: Value| {
        shop.verify(&signed(jsonwebtoken::Algorithm::HS256, &secret, &claims), at(1)).is_some()
    };
    assert!(verify(json!({ "sub": "ann", "exp": 9, "aud": "drops", "iss": "shop" })));
    for wrong in [
        json!({ "sub": "ann", "exp": 9, "iss": "shop" }),
        json!({ "sub": "ann", "exp": 9, "aud": "others", "iss": "shop" }),
        json!({ "sub": "ann", "exp": 9, "aud": "drops", "iss": "other" }),
        json!({ "sub": "ann", "aud": "drops", "iss": "shop" }),
        json!({ "exp": 9, "aud": "drops", "iss": "shop" }),
        json!({ "sub": "a b", "exp": 9, "aud": "drops", "iss": "shop" }),
        json!({ "sub": "ann", "exp": -1, "aud": "drops", "iss": "shop" }),
    ] {
        assert!(!verify(wrong.clone()), "{wrong}");
    }
}

#[test]
fn every_changed_character_is_refused() {
    let (shop, token) = (shop(), ed(&json!({ "sub": "ann", "exp": 1_000 })));
    for at_character in 0..token.len() - 1 {
        let mut forged = token.clone().into_bytes();
        forged[at_character] = if forged[at_character] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert!(shop.verify(&forged, at(1)).is_none(), "{at_character}");
    }
}
