//! Sessions that a shop signs: JWTs (RFC 7519) under one algorithm, fixed by configuration.
//!
//! The algorithm is never taken from the token. A verified token is remembered for a while, so that a buyer who polls
//! does not cost a signature each time. The shop may replace its keys at any time; what was judged by the old ones is then
//! judged again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::UserId;
use domain::time::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Notify;

use super::key_set::KeySet;
use super::{Session, key, secret};

/// Tokens that are remembered at most; beyond, all are forgotten and verified again.
const REMEMBERED: usize = 100_000;

/// What is said of a key that must not be here at all.
pub(super) const NOT_PUBLIC: &str =
    "must be the public key, and not the private one, which only the shop may have";

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
    algorithm: Algorithm,
    keys: ArcSwap<ShopKeys>,
    /// Somebody names a key that is not there.
    unknown_key: Notify,
    validation: Validation,
    leeway_ms: u64,
    remembered: RwLock<HashMap<[u8; 32], Session>>,
}

/// The shop's keys, and the digest of the document that they were read from.
struct ShopKeys {
    digest: blake3::Hash,
    keys: Keys,
    /// What is said of keys in it that do not count.
    left_out: Vec<String>,
}

enum Keys {
    One(DecodingKey),
    /// By `kid`; a token without one is judged by the only key, where there is only one.
    Set(HashMap<String, DecodingKey>),
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    // Of any form: a shop that means something else by them is not locked out.
    #[serde(default)]
    iat: serde_json::Value,
    #[serde(default)]
    jti: serde_json::Value,
    #[serde(default)]
    vouched: serde_json::Value,
}

impl Algorithm {
    /// Its name, as the configuration and tokens write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }

    const fn of_jwt(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Hs256 => jsonwebtoken::Algorithm::HS256,
        }
    }

    /// Whether a key of a set is for this algorithm: by its `alg`, or where it names none by its kind and curve.
    pub(super) fn fits(self, jwk: &Jwk) -> bool {
        if jwk.common.public_key_use.as_ref().is_some_and(|named| *named != PublicKeyUse::Signature) {
            return false;
        }
        let kind = match (self, &jwk.algorithm) {
            (Self::EdDsa, AlgorithmParameters::OctetKeyPair(pair)) => pair.curve == EllipticCurve::Ed25519,
            (Self::Es256, AlgorithmParameters::EllipticCurve(point)) => point.curve == EllipticCurve::P256,
            (Self::Rs256, AlgorithmParameters::RSA(_)) | (Self::Hs256, AlgorithmParameters::OctetKey(_)) => {
                true
            }
            _ => false,
        };
        let named = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        kind && named.is_none_or(|named| named == self.name())
    }

    fn key(self, bytes: &[u8]) -> Result<DecodingKey, String> {
        let pem = |key: Result<DecodingKey, jsonwebtoken::errors::Error>| {
            key.map_err(|_| {
                let name = self.name();
                format!(
                    "must be the shop's public key for {name} as PEM, which begins with -----BEGIN PUBLIC KEY-----, or a JWKS document"
                )
            })
        };
        if self != Self::Hs256 && is_private(bytes) {
            return Err(NOT_PUBLIC.to_owned());
        }
        match self {
            Self::EdDsa => pem(DecodingKey::from_ed_pem(bytes)),
            Self::Es256 => pem(DecodingKey::from_ec_pem(bytes)),
            Self::Rs256 => pem(DecodingKey::from_rsa_pem(bytes)),
            Self::Hs256 => secret::of_file(bytes).map(DecodingKey::from_secret),
        }
    }
}

/// Whether a PEM file has a private key, of whatever kind.
fn is_private(pem: &[u8]) -> bool {
    let mut lines = pem.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.any(|line| line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----"))
}

impl ShopKeys {
    fn read(algorithm: Algorithm, key: &[u8]) -> Result<Self, String> {
        let digest = blake3::hash(key);
        if key.trim_ascii_start().starts_with(b"{") {
            let KeySet { keys, left_out } = KeySet::read(algorithm, key)?;
            return Ok(Self { digest, keys: Keys::Set(keys), left_out });
        }
        let one = algorithm.key(key)?;
        key::check(algorithm, &one)?;
        Ok(Self { digest, keys: Keys::One(one), left_out: Vec::new() })
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
        let keys = ArcSwap::from_pointee(ShopKeys::read(algorithm, key)?);
        let (unknown_key, remembered) = (Notify::new(), RwLock::default());
        Ok(Self { algorithm, keys, unknown_key, validation, leeway_ms, remembered })
    }

    /// Judges by the shop's keys as they are now, and says whether they are others than before. Whoever was let in by a key
    /// that is gone is let in no more.
    ///
    /// # Errors
    /// What would be right; the keys stay those that were.
    pub fn replace_keys(&self, key: &[u8]) -> Result<bool, String> {
        if self.keys.load().digest == blake3::hash(key) {
            return Ok(false);
        }
        let keys = Arc::new(ShopKeys::read(self.algorithm, key)?);
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        self.keys.store(keys);
        // Given back after the lock: requests wait for it.
        let forgotten = std::mem::take(&mut *remembered);
        drop(remembered);
        drop(forgotten);
        Ok(true)
    }

    /// What is said of keys of the shop's document that do not count: each by its name, and why.
    #[must_use]
    pub fn left_out(&self) -> Vec<String> {
        self.keys.load().left_out.clone()
    }

    /// Waits until a token names a key that is not there: the shop may have a new one. Anybody can write such a token.
    pub async fn unknown_key(&self) {
        self.unknown_key.notified().await;
    }

    /// The session of a token that is valid at `now`.
    #[must_use]
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<Session> {
        let hash = *blake3::hash(token.as_bytes()).as_bytes();
        let known = self.remembered.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(session) = known {
            return (now < session.expires_at.plus_millis(self.leeway_ms)).then_some(session);
        }
        let shop = self.keys.load_full();
        let session = self.verify_signature(&shop.keys, token, now)?;
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        // By keys that were replaced meanwhile nobody is let in a second time.
        if !Arc::ptr_eq(&shop, &self.keys.load()) {
            return Some(session);
        }
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(hash, session.clone());
        Some(session)
    }

    fn verify_signature(&self, keys: &Keys, token: &str, now: Timestamp) -> Option<Session> {
        let header = decode_header(token).ok()?;
        if insists(token) {
            return None;
        }
        let key = match keys {
            Keys::One(key) => key,
            Keys::Set(keys) => match header.kid.as_deref() {
                // A key without a name is the only one.
                Some(id) => keys.get(id).or_else(|| keys.get("")).or_else(|| {
                    self.unknown_key.notify_one();
                    None
                })?,
                None if keys.len() == 1 => keys.values().next()?,
                None => return None,
            },
        };
        let claims = decode::<Claims>(token, key, &self.validation).ok()?.claims;
        let expires_at = seconds(claims.exp)?;
        let begun = match claims.nbf {
            Some(nbf) => seconds(nbf)? <= now.plus_millis(self.leeway_ms),
            None => true,
        };
        let user = UserId::parse(&claims.sub).ok()?;
        let issued_at = claims.iat.as_f64().and_then(seconds);
        let id = claims.jti.as_str().map(Into::into);
        let valid = begun && now < expires_at.plus_millis(self.leeway_ms);
        let vouched = claims.vouched == serde_json::Value::Bool(true);
        valid.then_some(Session { user, expires_at, issued_at, id, vouched })
    }
}

/// Whether a token insists on an extension, none of which is known here (RFC 7515, section 4.1.11), or says that its claims
/// are not in base64 (RFC 7797): whatever the values, null too.
fn insists(token: &str) -> bool {
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    let header: Option<serde_json::Value> = header.and_then(|header| serde_json::from_slice(&header).ok());
    header.is_none_or(|header| header.get("crit").is_some() || header.get("b64").is_some())
}

/// A NumericDate: seconds, possibly with a fraction.
fn seconds(value: f64) -> Option<Timestamp> {
    let millis = value * 1_000.0;
    (millis.is_finite() && millis >= 0.0).then(|| Timestamp::from_millis(millis as i64))
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
