//! Tests.

use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::session::{Algorithm, Jwt};

const PRIVATE: &str = include_str!("jwt_test_private.pem");
const PUBLIC: &str = include_str!("jwt_test_public.pem");
/// Public keys of OpenSSH: Ed25519, RSA (its beginning), and ECDSA.
const OPENSSH_LINES: [&str; 3] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAtZSoDlFzBcMx30V+THNmwxOlWU7zezIqEDL1f1zogU shop@host",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCVT5lU1lf+OyWLugFWexLUAm4p6owq2i2lgbEJgHFh",
    "command=\"x\" ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBOCnFpjZpL7UI3i+Slxqx0Q=",
];
/// A public key on P-256: SubjectPublicKeyInfo in base64.
const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4KcWmNmkvtQjeL5KXGrHRDr8F/I3PVVPEf6MFIF0Gun+cNzIG9zKeKYtjV0UGmSUSmdvdmPppkTuzD4IfIAunA==";
/// The beginning of an RSAPublicKey (PKCS#1) and of what PKCS#8 wraps a private key in: a SEQUENCE of an INTEGER and more.
const PKCS1: &[u8] = &[0x30, 0x07, 0x02, 0x02, 0x00, 0xd1, 0x02, 0x01, 0x03];

fn read(secret: &[u8]) -> Result<(), String> {
    Jwt::read(Algorithm::Hs256, secret, None, None, 0).map(drop)
}

fn refused(secret: &[u8], what: &str) {
    let wrong = read(secret).expect_err(what);
    assert!(wrong.starts_with(&format!("must be a shared secret for HS256, and is {what}")), "{wrong}");
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn armour_is_found_wherever_it_stands() {
    for pem in [PUBLIC, PRIVATE] {
        for before in ["", "\n\n", "# the shop's key\n", "\u{feff}", "a-shared-secret-of-at-least-32-bytes\n"]
        {
            refused(format!("{before}{pem}").as_bytes(), "a key in PEM");
        }
        refused(&utf16(pem), "text in UTF-16");
        refused(&utf16(pem)[2..], "a key in PEM");
    }
    refused(b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "a key in PEM");
}

#[test]
fn der_is_found_as_bytes_and_in_base64() {
    let spki = STANDARD.decode(SPKI).unwrap();
    for key in [&spki, &der(PUBLIC), &der(PRIVATE), &PKCS1.to_vec()] {
        refused(key, "a key or certificate in DER");
        refused(&[key.as_slice(), b"\n"].concat(), "a key or certificate in DER");
        let text = STANDARD.encode(key);
        let (half, rest) = text.split_at(text.len() / 2);
        for written in [text.clone(), format!("\u{feff}{text}"), format!("{half}\r\n{rest}\r\n")] {
            refused(written.as_bytes(), "a key or certificate in DER, written in base64");
        }
        let url = text.replace('+', "-").replace('/', "_");
        refused(url.trim_end_matches('=').as_bytes(), "a key or certificate in DER, written in base64");
    }
}

#[test]
fn keys_of_openssh_and_json_web_keys_are_found() {
    for line in OPENSSH_LINES {
        refused(line.as_bytes(), "a key of OpenSSH");
        refused(format!("# known\n{line}\n").as_bytes(), "a key of OpenSSH");
    }
    let alone = OPENSSH_LINES[0].split(' ').nth(1).unwrap();
    refused(alone.as_bytes(), "a key of OpenSSH");
    refused(&STANDARD.decode(alone).unwrap(), "a key of OpenSSH");
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "C1lKgOUXMFwzHfRX5Mc2bDE6VZTvN7MioQMvV_XOiBQ" });
    refused(json!([jwk]).to_string().as_bytes(), "a JSON Web Key");
    refused(format!("\u{feff}{}", json!({ "keys": [jwk] })).as_bytes(), "a JSON Web Key");
    read(jwk.to_string().as_bytes()).expect_err("no document of keys");
    read(json!({ "keys": [jwk] }).to_string().as_bytes()).expect_err("no key for HS256");
    let wrapped = STANDARD.encode(PUBLIC).replace('+', "-").replace('/', "_");
    let oct = json!({ "keys": [{ "kty": "oct", "k": wrapped.trim_end_matches('='), "kid": "a" }] });
    assert!(read(oct.to_string().as_bytes()).unwrap_err().contains("key \"a\" is a key in PEM"));
}

#[test]
fn a_secret_is_taken_whatever_its_bytes() {
    let in_base64 = STANDARD.encode([0x5a; 48]);
    let hex = "0f".repeat(32);
    let sequence = [&[0x30, 30, 0x02, 29][..], &[7; 28]].concat();
    for secret in
        [b"a-shared-secret-of-at-least-thirty-two-bytes".as_slice(), in_base64.as_bytes(), hex.as_bytes()]
    {
        read(secret).unwrap();
    }
    assert_eq!(sequence.len(), 32);
    read(&sequence).expect("its elements are not whole");
    read(&[0xff, 0xfe].repeat(16)).expect("no text");
    read(&[0; 32]).unwrap();
    assert!(read(b"short").unwrap_err().contains("at least 32 bytes"));
}
