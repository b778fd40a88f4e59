//! ALTCHA's proof of work, version 2, in its deterministic mode.
//!
//! The server picks a counter, derives the key of nonce and counter once (PBKDF2), and tells the first half of the key. A
//! browser guesses counters from 0 on until a key begins like that. The challenge carries a MAC of the key, so that a solution
//! is judged by two MACs and no derivation (`examples/cost.rs`). Everything that a challenge says is under a MAC too: when it
//! expires, and whom it is for.

use std::collections::BTreeMap;

use altcha::{
    Challenge, ChallengeParameters, HmacAlgorithm, Payload, VerifySolutionOptions, sign_challenge,
    verify_solution,
};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::id::IdempotencyKey;
use domain::time::Timestamp;
use ports::Fault;
use ports::challenges::{Asked, Challenges, Verdict};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::binding;
use crate::spent::{Spent, Use, digest};

/// Characters of the longest solution that is looked at; the widget's have about a thousand.
pub const LONGEST: usize = 4_096;
/// Rounds of one guess. A challenge costs the server one guess, and the browser as many as its difficulty says: few rounds
/// and many guesses keep the first small.
const ROUNDS: u32 = 1_000;
/// Bytes of a key, and of its beginning that is told: 128 bits are not found by luck.
const KEY: usize = 32;
const TOLD: usize = KEY / 2;
/// The member of the signed parameters that says whom a challenge is for.
const FOR: &str = "for";

/// Issues and judges proofs of work.
pub struct Altcha {
    /// What nonces, salts and counters are made under.
    seed: [u8; 32],
    /// What ties a challenge to its sale and user.
    binding: [u8; 32],
    /// Signs challenges.
    signature: String,
    /// Signs keys.
    key_signature: String,
    ttl_ms: u64,
    spent: Spent,
}

impl Altcha {
    /// Under a key that every gateway of the system has; a challenge is valid for `ttl_ms` milliseconds, to the second.
    #[must_use]
    pub fn new(key: [u8; 32], ttl_ms: u64) -> Self {
        let derive = |purpose: &str| blake3::derive_key(&format!("tzero 2026-11 altcha {purpose}"), &key);
        let text = |purpose: &str| derive(purpose).iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            seed: derive("seed"),
            binding: derive("binding"),
            signature: text("signature"),
            key_signature: text("key signature"),
            ttl_ms,
            spent: Spent::default(),
        }
    }

    /// Nonce, salt and counter out of 16 random bytes. The counter is what the browser looks for: it is below twice the
    /// difficulty, each number as likely as any other. Whoever begins later than a browser does, or gives up early and tries
    /// another challenge, has no less work on average.
    fn made(&self, random: [u8; 16], guesses: u32) -> ([u8; 16], [u8; 16], u32) {
        let mut bytes = [0; 40];
        blake3::Hasher::new_keyed(&self.seed).update(&random).finalize_xof().fill(&mut bytes);
        let (mut nonce, mut salt, mut last) = ([0; 16], [0; 16], [0; 8]);
        nonce.copy_from_slice(&bytes[..16]);
        salt.copy_from_slice(&bytes[16..32]);
        last.copy_from_slice(&bytes[32..]);
        let counter = (u64::from_le_bytes(last) % (u64::from(guesses) * 2).max(1)) as u32;
        (nonce, salt, counter)
    }

    fn challenge(
        &self,
        asked: Asked<'_>,
        guesses: u32,
        random: [u8; 16],
        now: Timestamp,
    ) -> Result<Challenge, altcha::Error> {
        let (nonce, salt, counter) = self.made(random, guesses);
        let mut key = [0; KEY];
        let password = [&nonce[..], &counter.to_be_bytes()].concat();
        pbkdf2::pbkdf2_hmac::<Sha256>(&password, &salt, ROUNDS, &mut key);
        let bound = (FOR.to_owned(), binding::of(&self.binding, asked).into());
        let mut parameters = ChallengeParameters {
            algorithm: "PBKDF2/SHA-256".to_owned(),
            cost: ROUNDS,
            data: Some(BTreeMap::from([bound])),
            expires_at: Some(now.plus_millis(self.ttl_ms).as_millis() / 1_000),
            key_length: KEY,
            key_prefix: hex(&key[..TOLD]),
            key_signature: None,
            memory_cost: None,
            nonce: hex(&nonce),
            parallelism: None,
            salt: hex(&salt),
        };
        let secret = Some(self.key_signature.as_str());
        sign_challenge(&HmacAlgorithm::Sha256, &mut parameters, Some(&key), &self.signature, secret)
    }

    /// Whether a challenge was made under this key.
    fn is_ours(&self, challenge: &Challenge) -> bool {
        let mut parameters = challenge.parameters.clone();
        let again = sign_challenge(&HmacAlgorithm::Sha256, &mut parameters, None, &self.signature, None);
        let right = again.ok().and_then(|again| again.signature);
        let pair = challenge.signature.as_ref().zip(right.as_ref());
        pair.is_some_and(|(told, right)| told.as_bytes().ct_eq(right.as_bytes()).into())
    }

    fn judge(&self, solution: &str, asked: Asked<'_>, key: &IdempotencyKey, now: Timestamp) -> Verdict {
        let Some(Payload { challenge, solution }) = read(solution) else { return Verdict::Wrong };
        let mut options = VerifySolutionOptions::new(&challenge, &solution, &self.signature);
        options.hmac_key_signature_secret = Some(self.key_signature.clone());
        let parameters = &challenge.parameters;
        // Without a key's signature the library would derive the key anew, at the price that the challenge names. Ours have one.
        let (Some(expires_at), Some(_)) = (parameters.expires_at, &parameters.key_signature) else {
            return Verdict::Wrong;
        };
        let told = match verify_solution(options) {
            Ok(told) => told,
            Err(_) => return Verdict::Wrong,
        };
        // Of a challenge that has expired the library looks at nothing else. Whose it was no longer matters then, and whether
        // it was ever one of ours does.
        let until = Timestamp::from_millis(expires_at.saturating_mul(1_000));
        if told.expired || (told.verified && now > until) {
            return if self.is_ours(&challenge) { Verdict::Expired } else { Verdict::Wrong };
        }
        if !told.verified || !is_for(parameters, &binding::of(&self.binding, asked)) {
            return Verdict::Wrong;
        }
        // The nonce is signed, and another solution of the same challenge is the same key.
        match self.spent.spend(digest(parameters.nonce.as_bytes()), key, until, now) {
            Use::First | Use::Same => Verdict::Passed,
            Use::Other => Verdict::Spent,
        }
    }
}

/// What the widget sends: base64 of challenge and solution as JSON.
fn read(solution: &str) -> Option<Payload> {
    if solution.len() > LONGEST {
        return None;
    }
    serde_json::from_slice(&STANDARD.decode(solution).ok()?).ok()
}

fn is_for(parameters: &ChallengeParameters, bound: &str) -> bool {
    let told = parameters.data.as_ref().and_then(|data| data.get(FOR)?.as_str());
    told.is_some_and(|told| told.as_bytes().ct_eq(bound.as_bytes()).into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[async_trait]
impl Challenges for Altcha {
    fn issue(
        &self,
        asked: Asked<'_>,
        guesses: u32,
        random: [u8; 16],
        now: Timestamp,
    ) -> Result<String, Fault> {
        let challenge = self.challenge(asked, guesses, random, now);
        let challenge = challenge.map_err(|error| Fault::damaged("the making of challenges", error))?;
        serde_json::to_string(&challenge).map_err(|error| Fault::damaged("the making of challenges", error))
    }

    async fn verify(
        &self,
        solution: &str,
        asked: Asked<'_>,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Verdict {
        self.judge(solution, asked, key, now)
    }

    fn trouble(&self, _now: Timestamp) -> Option<String> {
        None
    }
}

#[cfg(test)]
#[path = "altcha_tests.rs"]
mod tests;
