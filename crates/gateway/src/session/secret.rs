//! Whether a shared secret is one: a file with a public key would let everybody sign who has it, and many have it.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::key::element;

/// Bytes of the shortest secret.
const SHORTEST: usize = 32;
/// What a file in UTF-8 may begin with.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// What begins a key that is written as text.
const ARMOURS: [&[u8]; 2] = [b"-----BEGIN", b"---- BEGIN"];
/// What the kinds of keys of OpenSSH begin with (RFC 4253, section 6.6).
const OPENSSH: [&[u8]; 3] = [b"ssh-", b"ecdsa-", b"sk-"];

/// Base64 in whichever of its alphabets, with or without padding.
const BASE64: [GeneralPurpose; 2] = {
    let either = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    [
        GeneralPurpose::new(&base64::alphabet::STANDARD, either),
        GeneralPurpose::new(&base64::alphabet::URL_SAFE, either),
    ]
};

/// The secret in a file: what is there but white space around it.
///
/// # Errors
/// What would be right.
pub(super) fn of_file(bytes: &[u8]) -> Result<&[u8], String> {
    is_no_key(bytes).map_err(|wrong| format!("must be a shared secret for HS256, and {wrong}"))?;
    let secret = bytes.trim_ascii();
    if secret.len() < SHORTEST {
        return Err(format!("must be a shared secret of at least {SHORTEST} bytes for HS256"));
    }
    Ok(secret)
}

/// Whether these bytes are no public or private key, in whatever form; 32 bytes of a key alone cannot be told from a secret.
///
/// # Errors
/// What they are.
pub(super) fn is_no_key(bytes: &[u8]) -> Result<(), String> {
    if is_utf16(bytes) {
        return Err("is text in UTF-16: write it in UTF-8".to_owned());
    }
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes);
    // Also where every other byte is zero, as in UTF-16.
    let letters: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
    let found = if ARMOURS.iter().any(|armour| contains(&letters, armour)) {
        "a key in PEM"
    } else if contains(text, b"\"kty\"") {
        "a JSON Web Key, and no plain JWKS document"
    } else if is_openssh(text) || text.split(u8::is_ascii_whitespace).any(|word| decodes(word, is_openssh)) {
        "a key of OpenSSH"
    } else if is_der(text) || is_der(text.trim_ascii_end()) {
        "a key or certificate in DER"
    } else if decodes(text, is_der) {
        "a key or certificate in DER, written in base64"
    } else {
        return Ok(());
    };
    Err(format!("is {found}: anybody who has the public key could sign"))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Text in UTF-16 that says so, most of it in ASCII.
fn is_utf16(bytes: &[u8]) -> bool {
    let (units, odd) = bytes.as_chunks::<2>();
    let Some((mark, units)) = units.split_first() else { return false };
    let high = match mark {
        [0xff, 0xfe] => 1,
        [0xfe, 0xff] => 0,
        _ => return false,
    };
    let ascii = units.iter().filter(|unit| unit[high] == 0 && unit[1 - high].is_ascii()).count();
    odd.is_empty() && ascii * 2 > units.len()
}

/// Whether base64, with white space wherever it is, says such bytes.
fn decodes(text: &[u8], is_key: impl Fn(&[u8]) -> bool) -> bool {
    let letters: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.iter().any(|form| form.decode(&letters).is_ok_and(|bytes| is_key(&bytes)))
}

/// A key of OpenSSH begins with the name of its kind, and the name with its length (RFC 4251, section 5).
fn is_openssh(bytes: &[u8]) -> bool {
    bytes.split_first_chunk().is_some_and(|(length, rest)| {
        let name = rest.get(..u32::from_be_bytes(*length) as usize).unwrap_or_default();
        OPENSSH.iter().any(|kind| name.starts_with(kind))
    })
}

/// Whether the bytes are one whole SEQUENCE of whole elements, as every key and certificate is.
fn is_der(bytes: &[u8]) -> bool {
    let Some((0x30, mut inside, [])) = element(bytes) else { return false };
    while let Some((_, _, rest)) = element(inside) {
        inside = rest;
    }
    inside.is_empty()
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
