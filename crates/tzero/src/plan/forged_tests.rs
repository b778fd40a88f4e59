//! A signature costs what a signature costs, and not what an early refusal does.

use super::cpu_us;
use crate::config::{Config, Sources};

fn config(flags: &[(&str, &str)]) -> Config {
    let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Config::load(Sources::new().flags(flags)).unwrap()
}

#[test]
fn sessions_of_this_system_have_no_signature() {
    assert_eq!(cpu_us(&config(&[])).unwrap(), None);
}

#[test]
fn a_signature_costs_more_than_a_hash_of_the_same_token() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "0123456789abcdef0123456789abcdef").unwrap();
    let public =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../gateway/src/session/jwt_test_public.pem").to_owned();
    let of = |algorithm: &str, file: &str| {
        let flags = [
            ("sessions.issuer", "jwt"),
            ("sessions.jwt_algorithm", algorithm),
            ("sessions.jwt_key_file", file),
        ];
        cpu_us(&config(&flags)).unwrap().unwrap()
    };
    let (signature, hash) = (of("EdDSA", &public), of("HS256", &secret.display().to_string()));
    assert!(signature > 2.0 * hash, "{signature} µs and {hash} µs: the signature was looked at");
}
