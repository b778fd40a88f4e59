//! What a PEM file must have in it, and what is there instead.

use rustls::pki_types::pem::{Error, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Every certificate; at least one.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|error| format!("is not PEM throughout: {error:?}"))?;
    if found.is_empty() {
        return Err(format!("{} `-----BEGIN CERTIFICATE-----`", lacks(text)));
    }
    Ok(found)
}

/// The first private key.
pub(crate) fn key(text: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => Ok(key),
        Err(_) if has(text, "ENCRYPTED") => {
            Err("has a key that is encrypted with a passphrase: write it without one (`openssl pkey -in FILE`), readable only \
                 by this program's user"
                .to_owned())
        }
        Err(_) => Err(format!("{} `-----BEGIN PRIVATE KEY-----`", lacks(text))),
    }
}

fn lacks(text: &[u8]) -> &'static str {
    if has(text, "-----BEGIN ") {
        "is PEM of another kind: it must have a part that begins with"
    } else {
        "is not PEM: it must be a text with a part that begins with"
    }
}

fn has(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}
