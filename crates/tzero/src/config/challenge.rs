//! `[challenge]` as a type.

use serde::Deserialize;

use super::model::empty_is_none;
use super::secret::Secret;

/// `[challenge]`: what buyers are asked where a sale says so.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Which form.
    pub provider: ChallengeProvider,
    /// How long a challenge can be solved and used, milliseconds.
    pub ttl_ms: u64,
    /// Least guesses of a challenge.
    pub difficulty_min: u32,
    /// Most guesses of a challenge.
    pub difficulty_max: u32,
    /// Challenges a second from which on it is the most.
    pub full_per_s: u32,
    /// Challenges made a second, at most; 0: as many as the processors make beside their work.
    pub most_per_s: u32,
    /// The site's key at Turnstile.
    #[serde(deserialize_with = "empty_is_none")]
    pub turnstile_site_key: Option<String>,
    /// The secret that belongs to it.
    #[serde(deserialize_with = "empty_is_none")]
    pub turnstile_secret: Option<Secret>,
    /// Where its tokens are judged.
    #[serde(deserialize_with = "empty_is_none")]
    pub turnstile_verify_url: Option<String>,
    /// How long that may take, milliseconds.
    pub turnstile_timeout_ms: u64,
}

/// Which form of challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChallengeProvider {
    /// Proof of work.
    Altcha,
    /// Cloudflare's.
    Turnstile,
}
