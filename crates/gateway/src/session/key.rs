//! Whether a public key can verify anything at all: one that cannot is a mistake, and is said when keys are read.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use jsonwebtoken::{DecodingKey, DecodingKeyKind};

use super::{Algorithm, secret};

/// Bytes of an Ed25519 public key (RFC 8032, section 5.1.5).
const ED25519: usize = 32;
/// Bits of an RSA modulus that signatures are verified under (RFC 7518, section 3.3, asks for 2,048 or more).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// Bits of the largest RSA exponent.
const EXPONENT_BITS: usize = 33;

/// Whether the key can verify signatures of the algorithm.
///
/// # Errors
/// Why it never can.
pub(super) fn check(algorithm: Algorithm, key: &DecodingKey) -> Result<(), String> {
    match (algorithm, key.kind()) {
        (Algorithm::EdDsa, DecodingKeyKind::SecretOrDer(x)) if x.len() != ED25519 => {
            Err(format!("has {} bytes, and an Ed25519 public key has {ED25519}", x.len()))
        }
        (Algorithm::Es256, DecodingKeyKind::SecretOrDer(point)) => {
            let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            parsed.map(drop).map_err(|_| "is no point on the curve P-256".to_owned())
        }
        (Algorithm::Rs256, DecodingKeyKind::RsaModulusExponent { n, e }) => rsa(n, e),
        (Algorithm::Rs256, DecodingKeyKind::SecretOrDer(der)) => {
            let (n, e) = components(der).ok_or_else(|| "is no RSA public key".to_owned())?;
            rsa(n, e)
        }
        (Algorithm::Hs256, DecodingKeyKind::SecretOrDer(secret)) => secret::is_no_key(secret),
        (Algorithm::EdDsa | Algorithm::Hs256, _)
        | (Algorithm::Es256, DecodingKeyKind::RsaModulusExponent { .. }) => Ok(()),
    }
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), String> {
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    if modulus.first() == Some(&0) || exponent.first() == Some(&0) {
        return Err("has an n or e that begins with a zero byte, which RFC 7518 (6.3.1) forbids".to_owned());
    }
    if !RSA_BITS.contains(&bits(modulus)) {
        let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
        return Err(format!("is an RSA key of {} bits, and must have {least} to {most}", bits(modulus)));
    }
    if !is_odd(modulus) || !is_odd(exponent) || !(2..=EXPONENT_BITS).contains(&bits(exponent)) {
        return Err("has an n or e that no RSA key has".to_owned());
    }
    Ok(())
}

/// Bits of a number without leading zero bytes.
fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

/// Modulus and exponent of an RSAPublicKey in DER (RFC 8017, appendix A.1.1), without the zero byte that says "not negative".
fn components(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = value(der, 0x30)?;
    let (modulus, rest) = value(sequence, 0x02)?;
    let (exponent, _) = value(rest, 0x02)?;
    let plain = |number: &'_ [u8]| usize::from(number.first() == Some(&0));
    Some((&modulus[plain(modulus)..], &exponent[plain(exponent)..]))
}

/// The value of a DER element with this tag, and what follows it.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, value, rest) = element(der)?;
    (found == tag).then_some((value, rest))
}

/// The DER element at the start: its tag, its value, and what follows it.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        let length = digits
            .iter()
            .try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add(usize::from(*digit)));
        (length?, rest)
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
