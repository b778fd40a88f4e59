//! Tests.

use std::io::Write;

use super::*;

/// `sha256-` and the hash, as browsers compute it of the text between the tags.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for chunk in bytes.chunks(3) {
        let all = chunk.iter().chain([&0, &0]).take(3).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        for place in 0..4 {
            let digit = DIGITS[(all >> (18 - 6 * place) & 63) as usize];
            text.write_all(&[if place <= chunk.len() { digit } else { b'=' }]).unwrap();
        }
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn the_policy_lets_in_the_one_style_and_nothing_else() {
    use sha2::Digest;
    let hash = base64(&sha2::Sha256::digest(STYLE));
    assert_eq!(
        POLICY,
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'")
    );
}

#[test]
fn amounts_have_the_digits_of_their_currency() {
    assert_eq!(amount(14_900, "eur"), "149.00 EUR");
    assert_eq!(amount(1_500, "jpy"), "1500 JPY");
    assert_eq!(amount(5, "kwd"), "0.005 KWD");
}
