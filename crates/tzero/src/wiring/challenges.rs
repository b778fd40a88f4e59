//! The form of challenge that is configured.

use std::sync::Arc;

use adapter_challenges::Altcha;
use adapter_challenges::turnstile::{Options, Turnstile};
use domain::challenge::Difficulty;
use gateway::challenges::Challenger;
use ports::challenges::Challenges;

use super::random;
use crate::config::{ChallengeProvider, Config, Secret};
use crate::keys::Keys;

/// The form of challenge of every gateway of the system: they have their keys of one secret.
///
/// # Errors
/// There can be no HTTP client.
pub fn open(config: &Config, keys: &Keys) -> Result<Arc<dyn Challenges>, String> {
    let (challenge, key) = (&config.challenge, keys.derive("challenges"));
    Ok(match challenge.provider {
        ChallengeProvider::Altcha => Arc::new(Altcha::new(key, challenge.ttl_ms)),
        ChallengeProvider::Turnstile => {
            let options = Options {
                site_key: challenge.turnstile_site_key.clone().unwrap_or_default(),
                secret: challenge
                    .turnstile_secret
                    .as_ref()
                    .map(Secret::expose)
                    .unwrap_or_default()
                    .to_owned(),
                verify_url: challenge.turnstile_verify_url.clone().unwrap_or_default(),
                timeout_ms: challenge.turnstile_timeout_ms,
            };
            Arc::new(Turnstile::new(options, key)?)
        }
    })
}

/// Challenges that are made a second for each processor, at most, where nothing is configured. One costs about a quarter of a millisecond
/// (`cargo run --release -p adapter-challenges --example cost`): all of them together a quarter of the machine.
const PER_PROCESSOR_S: f64 = 1_000.0;

/// Who asks at checkouts.
pub fn challenger(config: &Config, form: Arc<dyn Challenges>) -> Challenger {
    let challenge = &config.challenge;
    let difficulty = Difficulty {
        floor: challenge.difficulty_min,
        ceiling: challenge.difficulty_max,
        full_per_s: challenge.full_per_s,
    };
    let most_per_s = match challenge.most_per_s {
        0 => std::thread::available_parallelism().map_or(1, usize::from) as f64 * PER_PROCESSOR_S,
        most_per_s => f64::from(most_per_s),
    };
    Challenger::new(form, difficulty, most_per_s, random())
}
