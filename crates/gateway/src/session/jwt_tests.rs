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
fn a_private_key_is_refused_whatever_its_kind() {
    let private = |algorithm, key: &str| {
        let read = Jwt::read(algorithm, key.as_bytes(), None, None, 0);
        assert!(read.err().unwrap().contains("must be the public key"), "{key}");
    };
    private(Algorithm::EdDsa, PRIVATE);
    private(Algorithm::Rs256, "-----BEGIN RSA PRIVATE KEY-----\r\nMIIB\r\n-----END RSA PRIVATE KEY-----\r\n");
    private(Algorithm::Rs256, "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    private(Algorithm::Es256, "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n");
    let mut key = jwk("one");
    key["d"] = "AAAA".into();
    private(Algorithm::EdDsa, &json!({ "keys": [key] }).to_string());
}

/// The public key of these tests as a JWK.
fn jwk(id: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "C1lKgOUXMFwzHfRX5Mc2bDE6VZTvN7MioQMvV_XOiBQ", "kid": id })
}

fn of_set(keys: &[Value]) -> Result<Jwt, String> {
    Jwt::read(Algorithm::EdDsa, json!({ "keys": keys }).to_string().as_bytes(), None, None, 0)
}

#[test]
fn a_token_without_kid_is_judged_by_the_only_key_and_refused_where_there_are_several() {
    let claims = json!({ "sub": "ann", "exp": 1_000 });
    let pair = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap();
    let named = |id: &str| {
        let mut header = Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.kid = Some(id.to_owned());
        encode(&header, &claims, &pair).unwrap()
    };
    let unfit = json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "other" });
    let one = of_set(&[jwk("one"), unfit]).unwrap();
    assert!(one.verify(&ed(&claims), at(1)).is_some(), "the other key is not for this algorithm");
    assert!(one.verify(&named("one"), at(1)).is_some());
    assert!(one.verify(&named("two"), at(1)).is_none(), "a key that is named must be there");
    let several = of_set(&[jwk("one"), jwk("two")]).unwrap();
    assert!(several.verify(&ed(&claims), at(1)).is_none());
    assert!(several.verify(&named("two"), at(1)).is_some());
}

#[test]
fn a_set_names_each_of_several_keys_once() {
    let mut nameless = jwk("");
    nameless.as_object_mut().unwrap().remove("kid");
    assert!(
        of_set(&[nameless.clone()]).unwrap().verify(&ed(&json!({ "sub": "ann", "exp": 9 })), at(1)).is_some()
    );
    assert!(of_set(&[nameless, jwk("one")]).err().unwrap().contains("kid"));
    assert!(of_set(&[jwk("one"), jwk("one")]).err().unwrap().contains("one twice"));
    assert!(of_set(&[json!({ "kty": "oct", "k": "c2VjcmV0" })]).err().unwrap().contains("no key for EdDSA"));
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

fn named(id: &str, claims: &Value) -> String {
    let mut header = Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.kid = Some(id.to_owned());
    encode(&header, claims, &EncodingKey::from_ed_pem(PRIVATE.as_bytes()).unwrap()).unwrap()
}

fn document(names: &[&str]) -> Vec<u8> {
    json!({ "keys": names.iter().map(|name| jwk(name)).collect::<Vec<_>>() }).to_string().into_bytes()
}

#[test]
fn who_was_let_in_by_a_key_that_is_gone_is_let_in_no_more() {
    let claims = json!({ "sub": "ann", "exp": 1_000 });
    let shop = Jwt::read(Algorithm::EdDsa, &document(&["old"]), None, None, 0).unwrap();
    let (old, new) = (named("old", &claims), named("new", &claims));
    assert!(shop.verify(&old, at(1)).is_some());
    assert!(shop.verify(&new, at(1)).is_none());
    assert_eq!(shop.replace_keys(&document(&["old", "new"])), Ok(true));
    assert!(shop.verify(&old, at(1)).is_some() && shop.verify(&new, at(1)).is_some());
    assert_eq!(shop.replace_keys(&document(&["old", "new"])), Ok(false), "the same again changes nothing");
    assert_eq!(shop.replace_keys(&document(&["new"])), Ok(true));
    assert!(shop.verify(&old, at(1)).is_none(), "also where its token was remembered");
    assert!(shop.verify(&new, at(1)).is_some());
    shop.replace_keys(b"{ \"keys\": [] }").unwrap_err();
    shop.replace_keys(b"nonsense").unwrap_err();
    assert!(shop.verify(&new, at(1)).is_some(), "what cannot be read takes nothing away");
}

#[tokio::test]
async fn a_key_that_is_not_there_is_asked_for_and_costs_its_token_nothing_more() {
    let claims = json!({ "sub": "ann", "exp": 1_000 });
    let shop = Jwt::read(Algorithm::EdDsa, &document(&["old"]), None, None, 0).unwrap();
    let asked = |shop: &Jwt| {
        let asked = std::pin::pin!(shop.unknown_key());
        futures::FutureExt::now_or_never(asked).is_some()
    };
    assert!(shop.verify(&named("old", &claims), at(1)).is_some());
    assert!(!asked(&shop));
    for number in 0..1_000 {
        assert!(shop.verify(&named(&format!("guess-{number}"), &claims), at(1)).is_none());
    }
    assert!(asked(&shop));
    assert!(!asked(&shop), "however many there were");
}

#[test]
fn a_header_that_insists_on_anything_is_refused_whatever_the_value() {
    let shop = Jwt::read(Algorithm::Hs256, SECRET, None, None, 0).unwrap();
    let verify = |header: Value| {
        let claims = json!({ "sub": "ann", "exp": 1_000 });
        let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let key = EncodingKey::from_secret(SECRET);
        let mac = jsonwebtoken::crypto::sign(parts.as_bytes(), &key, jsonwebtoken::Algorithm::HS256);
        shop.verify(&format!("{parts}.{}", mac.unwrap()), at(1)).is_some()
    };
    assert!(verify(json!({ "alg": "HS256" })));
    assert!(verify(json!({ "alg": "HS256", "typ": "JWT", "kid": "any", "more": 1 })));
    for value in [json!(null), json!([]), json!(["b64"]), json!(false), json!("exp")] {
        assert!(!verify(json!({ "alg": "HS256", "crit": value })), "crit: {value}");
    }
    for value in [json!(false), json!(null), json!(true)] {
        assert!(!verify(json!({ "alg": "HS256", "b64": value })), "b64: {value}");
    }
}
