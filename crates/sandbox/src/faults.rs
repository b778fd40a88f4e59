//! What goes wrong, how often, and the chances that decide it.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// What goes wrong; rates are shares from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Shortest time of a call, milliseconds.
    pub latency_min_ms: u64,
    /// Longest time of a call, milliseconds.
    pub latency_max_ms: u64,
    /// Calls that fail without effect.
    pub error_rate: f64,
    /// Calls that take effect and then fail.
    pub error_after_effect_rate: f64,
    /// Calls that are never answered.
    pub timeout_rate: f64,
    /// How often each webhook is sent again.
    pub webhook_duplicate: u32,
    /// Shortest delay of a webhook, milliseconds.
    pub webhook_delay_min_ms: u64,
    /// Longest delay of a webhook, milliseconds.
    pub webhook_delay_max_ms: u64,
    /// Whether webhooks overtake each other.
    pub webhook_shuffle: bool,
    /// Webhooks that are never sent.
    pub webhook_drop_rate: f64,
    /// Webhooks that are sent with a wrong signature only.
    pub webhook_forge_rate: f64,
    /// Webhooks that name a wrong amount.
    pub webhook_wrong_amount_rate: f64,
    /// Calls a second before the answer is 429; 0 for no limit.
    pub rate_limit_per_s: f64,
    /// Where the chances begin.
    pub seed: u64,
}

impl Faults {
    /// What is wrong with them, by name.
    pub(crate) fn mistake(&self) -> Option<String> {
        let shares = [
            ("error_rate", self.error_rate),
            ("error_after_effect_rate", self.error_after_effect_rate),
            ("timeout_rate", self.timeout_rate),
            ("webhook_drop_rate", self.webhook_drop_rate),
            ("webhook_forge_rate", self.webhook_forge_rate),
            ("webhook_wrong_amount_rate", self.webhook_wrong_amount_rate),
        ];
        if let Some((name, share)) = shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Some(format!("{name} must be a share from 0 to 1, and not {share}"));
        }
        if self.rate_limit_per_s < 0.0 {
            return Some(format!("rate_limit_per_s must be 0 or more, and not {}", self.rate_limit_per_s));
        }
        if self.latency_max_ms < self.latency_min_ms {
            return Some("latency_max_ms must be at least latency_min_ms".to_owned());
        }
        (self.webhook_delay_max_ms < self.webhook_delay_min_ms)
            .then(|| "webhook_delay_max_ms must be at least webhook_delay_min_ms".to_owned())
    }
}

/// Longest shuffle of a webhook, milliseconds.
const SHUFFLE_MS: u64 = 500;

/// How one webhook is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) delay_ms: u64,
    pub(crate) copies: u32,
    pub(crate) dropped: bool,
    pub(crate) forged: bool,
    pub(crate) wrong_amount: bool,
}

/// Decides by chance, the same way for the same seed and order.
pub(crate) struct Chances {
    state: Mutex<State>,
}

struct State {
    faults: Faults,
    random: StdRng,
    /// Calls that may still come in this second, and which second it is.
    second: u64,
    calls: f64,
}

impl Chances {
    pub(crate) fn new(faults: Faults) -> Self {
        let random = StdRng::seed_from_u64(faults.seed);
        Self { state: Mutex::new(State { faults, random, second: 0, calls: 0.0 }) }
    }

    pub(crate) fn faults(&self) -> Faults {
        self.with(|state| state.faults)
    }

    /// Other faults; chances begin again where they are `reseeded`, and go on otherwise.
    pub(crate) fn replace(&self, faults: Faults, reseeded: bool) {
        self.with(|state| {
            if reseeded {
                state.random = StdRng::seed_from_u64(faults.seed);
            }
            state.faults = faults;
        });
    }

    /// Whether something of this share happens now.
    pub(crate) fn happens(&self, share: impl Fn(&Faults) -> f64) -> bool {
        self.with(|state| {
            let share = share(&state.faults);
            share > 0.0 && state.random.random::<f64>() < share
        })
    }

    pub(crate) fn latency_ms(&self) -> u64 {
        self.with(|state| {
            let (least, most) = (state.faults.latency_min_ms, state.faults.latency_max_ms);
            if most > least { state.random.random_range(least..=most) } else { least }
        })
    }

    /// Whether a call at `now_ms` is one too many of its second.
    pub(crate) fn is_limited(&self, now_ms: u64) -> bool {
        self.with(|state| {
            if state.second != now_ms / 1_000 {
                state.second = now_ms / 1_000;
                state.calls = 0.0;
            }
            state.calls += 1.0;
            state.faults.rate_limit_per_s > 0.0 && state.calls > state.faults.rate_limit_per_s
        })
    }

    pub(crate) fn delivery(&self) -> Delivery {
        self.with(|State { faults, random, .. }| {
            let mut chance = |share: f64| share > 0.0 && random.random::<f64>() < share;
            let (dropped, forged) = (chance(faults.webhook_drop_rate), chance(faults.webhook_forge_rate));
            let wrong_amount = chance(faults.webhook_wrong_amount_rate);
            let (least, most) = (faults.webhook_delay_min_ms, faults.webhook_delay_max_ms);
            let delay = if most > least { random.random_range(least..=most) } else { least };
            let shuffle = if faults.webhook_shuffle { random.random_range(0..=SHUFFLE_MS) } else { 0 };
            let copies = 1 + faults.webhook_duplicate;
            Delivery { delay_ms: delay + shuffle, copies, dropped, forged, wrong_amount }
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
