//! The secret that both ends share, and the bearer by which a request proves it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;

/// What the bearer is derived for; another purpose gives another one.
const PURPOSE: &str = "tzero order link, bearer of a request, version 1";

/// The secret of the link: the same 32 bytes at every gateway and every orders node.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// From 32 secret bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What a request carries: derived, so that the secret itself never crosses.
    pub(crate) fn bearer(&self) -> Bearer {
        let derived = URL_SAFE_NO_PAD.encode(blake3::derive_key(PURPOSE, &self.0));
        Bearer(format!("Bearer {derived}"))
    }
}

/// Redacted: a secret does not belong in a log.
impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

/// The value of a request's `authorization`.
pub(crate) struct Bearer(String);

impl Bearer {
    /// As a header. Not marked as sensitive: the header is then sent once a connection and referred to afterwards, and no
    /// stranger's bytes share the connection's compression with it.
    pub(crate) fn header(&self) -> Result<HeaderValue, String> {
        HeaderValue::from_str(&self.0)
            .map_err(|error| format!("the bearer of the link is no header: {error}"))
    }

    /// Whether a request carries it; takes the same time wherever the two differ.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION);
        given.is_some_and(|given| given.as_bytes().ct_eq(self.0.as_bytes()).into())
    }
}
