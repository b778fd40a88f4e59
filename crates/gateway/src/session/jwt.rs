//! Sessions that a shop signs: JWTs (RFC 7519) under one algorithm, fixed by configuration.
//!
//! The algorithm is never taken from the token. A verified token is remembered for a while, so that a buyer who polls
//! does not cost a signature each time.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use domain::id::UserId;
use domain::time::Timestamp;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::Session;

/// Tokens that are remembered at most; beyond, all are forgotten and verified again.
const REMEMBERED: usize = 100_000;

/// How the shop signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
    /// HMAC with SHA-256.
    Hs256,
}

/// Verifies a shop's sessions.
pub struct Jwt {
    keys: Keys,
    validation: Validation,
    leeway_ms: u64,
    remembered: RwLock<HashMap<[u8; 32], Session>>,
}

enum Keys {
    One(DecodingKey),
    /// By `kid`.
    Set(HashMap<String, DecodingKey>),
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
}

impl Algorithm {
    const fn of_jwt(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
        }
    }

    fn key(self, bytes: &[u8]) -> Result<DecodingKey, String> {
        let pem = |key: Result<DecodingKey, jsonwebtoken::errors::Error>| {
            key.map_err(|error| {
                format!("must be the shop's public key for {self:?} as PEM, or a JWKS document: {error}")
            })
        };
        match self {
            Self::EdDsa => pem(DecodingKey::from_ed_pem(bytes)),
            Self::Es256 => pem(DecodingKey::from_ec_pem(bytes)),
            Self::Rs256 => pem(DecodingKey::from_rsa_pem(bytes)),
            Self::Hs256 if bytes.starts_with(b"-----BEGIN") => {
                Err("must be a shared secret for HS256, and not a public key: anybody could sign".to_owned())
            }
            Self::Hs256 if bytes.trim_ascii().len() < 32 => {
                Err("must be a shared secret of at least 32 bytes for HS256".to_owned())
            }
            Self::Hs256 => Ok(DecodingKey::from_secret(bytes.trim_ascii())),
        }
    }
}

impl Jwt {
    /// From the shop's key: PEM, a shared secret, or a JWKS document.
    ///
    /// # Errors
    /// What would be right.
    pub fn read(
        algorithm: Algorithm,
        key: &[u8],
        audience: Option<&str>,
        issuer: Option<&str>,
        leeway_ms: u64,
    ) -> Result<Self, String> {
        let mut validation = Validation::new(algorithm.of_jwt());
        // Time is an argument here, and judged below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = audience.is_some();
        if let Some(audience) = audience {
            validation.set_audience(&[audience]);
        }
        if let Some(issuer) = issuer {
            validation.set_issuer(&[issuer]);
        }
        let mut required = vec!["exp", "sub"];
        required.extend(audience.map(|_| "aud"));
        required.extend(issuer.map(|_| "iss"));
        validation.set_required_spec_claims(&required);
        let keys = if key.trim_ascii_start().starts_with(b"{") {
            Keys::Set(key_set(algorithm, key)?)
        } else {
            Keys::One(algorithm.key(key)?)
        };
        Ok(Self { keys, validation, leeway_ms, remembered: RwLock::default() })
    }

    /// The session of a token that is valid at `now`.
    #[must_use]
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Session> {
        let hash = *blake3::hash(token.as_bytes()).as_bytes();
        let known = self.remembered.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(session) = known {
            return (now < session.expires_at.plus_millis(self.leeway_ms)).then_some(session);
        }
        let session = self.verify_signature(token, now)?;
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(hash, session.clone());
        Some(session)
    }

    fn verify_signature(&self, token: &str, now: Timestamp) -> Option<Session> {
        let header = decode_header(token).ok()?;
        // No extension is known here, so a token that insists on one is not understood (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return None;
        }
        let key = match &self.keys {
            Keys::One(key) => key,
            Keys::Set(keys) => keys.get(header.kid.as_deref()?)?,
        };
        let claims = decode::<Claims>(token, key, &self.validation).ok()?.claims;
        let expires_at = seconds(claims.exp)?;
        let begun = match claims.nbf {
            Some(nbf) => seconds(nbf)? <= now.plus_millis(self.leeway_ms),
            None => true,
        };
        let user = UserId::parse(&claims.sub).ok()?;
        (begun && now < expires_at.plus_millis(self.leeway_ms)).then_some(Session { user, expires_at })
    }
}

/// A NumericDate: seconds, possibly with a fraction.
fn seconds(value: f64) -> Option<Timestamp> {
    let millis = value * 1_000.0;
    (millis.is_finite() && millis >= 0.0).then(|| Timestamp::from_millis(millis as i64))
}

fn key_set(algorithm: Algorithm, document: &[u8]) -> Result<HashMap<String, DecodingKey>, String> {
    let set: JwkSet = serde_json::from_slice(document)
        .map_err(|error| format!("must be a JWKS document (RFC 7517): {error}"))?;
    let mut keys = HashMap::new();
    for jwk in &set.keys {
        let Some(id) = jwk.common.key_id.clone() else {
            return Err("every key of the JWKS document must have a kid".to_owned());
        };
        let named = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        if named.is_some_and(|named| named != format!("{:?}", algorithm.of_jwt())) {
            continue;
        }
        let key = DecodingKey::from_jwk(jwk).map_err(|error| format!("key {id} cannot be used: {error}"))?;
        keys.insert(id, key);
    }
    if keys.is_empty() { Err(format!("has no key for {algorithm:?}")) } else { Ok(keys) }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
