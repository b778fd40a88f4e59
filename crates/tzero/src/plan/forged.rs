//! What it costs to judge a session that the shop has signed, without the shop's private key: a forged one is judged with
//! the same arithmetic as a right one, and is refused by its last step.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::time::Timestamp;
use rustix::time::ClockId;
use serde_json::{Value, json};

use super::press::cpu;
use crate::config::{Config, JwtAlgorithm};
use crate::{files, wiring};

/// Bytes of the longest file of keys.
const LONGEST: u64 = 256 << 10;
/// How many are judged.
const ROUNDS: u32 = 200;

/// CPU time of judging one session under the shop's key that is configured, microseconds; `None` where this system issues
/// sessions itself, or where the keys are at an address.
///
/// # Errors
/// The shop's key cannot be read.
pub fn cpu_us(config: &Config) -> Result<Option<f64>, String> {
    let Some(shop) = wiring::shop(config)? else { return Ok(None) };
    let key = config.sessions.jwt_key_file.as_deref().and_then(|file| files::read(file, LONGEST).ok());
    let algorithm = config.sessions.jwt_algorithm;
    let mut most = 0.0_f64;
    for length in lengths(algorithm) {
        let token = token(algorithm, key.as_deref().and_then(first_name), *length);
        let before = cpu(ClockId::ThreadCPUTime);
        for _ in 0..ROUNDS {
            if shop.verify(&token, Timestamp::EPOCH).is_some() {
                return Err("sessions.jwt_key_file: a forged session was taken for a right one".to_owned());
            }
        }
        let used = cpu(ClockId::ThreadCPUTime).saturating_sub(before);
        most = most.max(used.as_secs_f64() * 1e6 / f64::from(ROUNDS));
    }
    Ok(Some(most))
}

/// Bytes that a signature may have; one of a length that is not the key's is refused early, so that the dearest counts.
const fn lengths(algorithm: JwtAlgorithm) -> &'static [usize] {
    match algorithm {
        JwtAlgorithm::EdDSA | JwtAlgorithm::ES256 => &[64],
        JwtAlgorithm::RS256 => &[256, 384, 512],
        JwtAlgorithm::HS256 => &[32],
    }
}

/// The name of the first key of a set of keys.
fn first_name(key: &[u8]) -> Option<String> {
    let set: Value = serde_json::from_slice(key).ok()?;
    set.pointer("/keys/0/kid")?.as_str().map(str::to_owned)
}

fn token(algorithm: JwtAlgorithm, key_name: Option<String>, length: usize) -> String {
    let mut header = json!({ "alg": format!("{algorithm:?}"), "typ": "JWT" });
    if let Some(name) = key_name {
        header["kid"] = name.into();
    }
    let claims =
        json!({ "sub": "buyer-0123456789", "exp": 4_102_444_800_u64, "aud": "tzero", "iss": "the-shop" });
    // Small in every part that has to be below some number, whatever the order of its bytes: refused by nothing but the
    // arithmetic.
    let signature: Vec<u8> =
        (0..length).map(|at| if at % 32 == 0 || at % 32 == 31 { 1 } else { 90 }).collect();
    let parts = [header.to_string().into_bytes(), claims.to_string().into_bytes(), signature];
    parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

#[cfg(test)]
#[path = "forged_tests.rs"]
mod tests;
