//! Tests.

use serde_json::json;

use super::*;

const GOOD: &str = "C1lKgOUXMFwzHfRX5Mc2bDE6VZTvN7MioQMvV_XOiBQ";

fn ed(id: &str, x: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": id })
}

fn read(keys: &[Value]) -> Result<KeySet, String> {
    KeySet::read(Algorithm::EdDsa, json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn what_cannot_be_used_is_left_out_by_its_name_and_the_others_count() {
    let mut encrypts = ed("encrypts", GOOD);
    encrypts["use"] = json!("enc");
    let set = read(&[
        ed("short", "AAAA"),
        json!({ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "kid": "curve" }),
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "later" }),
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "empty" }),
        encrypts,
        json!("no key"),
        ed("good", GOOD),
        json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "secret" }),
    ])
    .unwrap();
    assert_eq!(set.keys.keys().collect::<Vec<_>>(), ["good"]);
    let names = ["\"short\"", "\"curve\"", "\"later\"", "\"empty\"", "\"encrypts\"", "6", "\"secret\""];
    assert_eq!(set.left_out.len(), names.len(), "{:?}", set.left_out);
    for (said, name) in set.left_out.iter().zip(names) {
        assert!(said.starts_with(&format!("key {name} ")), "{said}");
    }
    assert_eq!(set.left_out[0], "key \"short\" has 3 bytes, and an Ed25519 public key has 32");
    assert_eq!(set.left_out[6], "key \"secret\" is not for EdDSA");
}

#[test]
fn a_set_without_a_usable_key_says_what_is_wrong_with_each() {
    let wrong = read(&[ed("short", "AAAA"), json!({ "kty": "oct", "k": "c2VjcmV0" })]).err().unwrap();
    let said = "has no key for EdDSA: key \"short\" has 3 bytes, and an Ed25519 public key has 32; key 2 is not for EdDSA";
    assert_eq!(wrong, said);
    assert_eq!(read(&[]).err().unwrap(), "has no key for EdDSA");
    for document in ["{}", r#"{"keys":{}}"#, r#"{"keys""#] {
        let wrong = KeySet::read(Algorithm::EdDsa, document.as_bytes()).err().unwrap();
        assert!(wrong.starts_with("must be a JWKS document"), "{wrong}");
    }
}

#[test]
fn what_may_not_be_in_a_set_at_all_makes_it_none() {
    let mut private = json!({ "kty": "OKP", "crv": "Ed448", "x": "AAAA" });
    private["d"] = json!("AAAA");
    assert_eq!(read(&[ed("good", GOOD), private]).err().unwrap(), NOT_PUBLIC);
    // Also where one of the two could not be used.
    let twice = read(&[ed("one", GOOD), ed("one", "AAAA"), ed("two", GOOD)]).err().unwrap();
    assert!(twice.contains("one twice"), "{twice}");
}

#[test]
fn of_many_keys_that_are_left_out_the_first_are_named() {
    let bad = (0..40).map(|at| ed(&at.to_string(), "AAAA"));
    let set = read(&bad.chain([ed("good", GOOD)]).collect::<Vec<_>>()).unwrap();
    assert_eq!(set.left_out.len(), NAMED + 1);
    assert_eq!(set.left_out[NAMED], "24 more keys cannot be used");
}
