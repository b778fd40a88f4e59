//! How long a claim that is made now will wait for its payment address: what waits, divided by how fast it drains.
//!
//! The rate is measured, not configured: a provider that is slower than promised shows in it. Little's law, with the
//! rate as an exponentially weighted mean over about ten seconds.

/// What is seen at one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When, on a clock that only goes forward, milliseconds.
    pub at_ms: u64,
    /// Claims and orders that wait now.
    pub waiting: u64,
    /// How many have come since the look before.
    pub came: u64,
}

/// The estimate, from look to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    last: Option<Sight>,
    rate_per_s: f64,
    /// For how long the rate has been measured, milliseconds.
    measured_ms: f64,
    /// Since when nothing has left although something waits, milliseconds on the clock of the looks.
    stuck_since_ms: Option<u64>,
}

/// The weight of the past halves in about this time, milliseconds.
const HALF_LIFE_MS: f64 = 5_000.0;
/// A rate that was measured for less says nothing: the first second of a sale has claims and no address yet.
const TRUSTED_MS: f64 = 3_000.0;

impl Backlog {
    /// Takes in what was seen.
    pub fn see(&mut self, sight: Sight) {
        let last = self.last.replace(sight);
        if sight.waiting == 0 {
            self.stuck_since_ms = None;
        }
        let Some(last) = last.filter(|last| last.at_ms < sight.at_ms) else { return };
        let left = (last.waiting + sight.came).saturating_sub(sight.waiting);
        // Where nothing waited the whole time, the rate is that of the arrivals and says nothing of what is possible.
        if last.waiting > 0 && sight.waiting > 0 {
            self.measure((sight.at_ms - last.at_ms) as f64, left as f64);
        }
        if left > 0 || sight.waiting == 0 {
            self.stuck_since_ms = None;
        } else {
            self.stuck_since_ms.get_or_insert(last.at_ms);
        }
    }

    fn measure(&mut self, took_ms: f64, left: f64) {
        let now = left * 1_000.0 / took_ms;
        self.measured_ms += took_ms;
        // The plain mean at first, until the past weighs enough to be forgotten.
        let share = (1.0 - 0.5_f64.powf(took_ms / HALF_LIFE_MS)).max(took_ms / self.measured_ms);
        self.rate_per_s += (now - self.rate_per_s) * share;
    }

    /// How long a claim that is made now will wait, milliseconds; 0 while nothing is known.
    #[must_use]
    pub fn estimate_ms(&self) -> u64 {
        let Some(last) = self.last.filter(|last| last.waiting > 0) else { return 0 };
        let stuck = self.stuck_since_ms.map_or(0, |since| last.at_ms.saturating_sub(since));
        let known = self.measured_ms >= TRUSTED_MS && self.rate_per_s > 0.0;
        // Saturates: an hour and a century are refused alike.
        let drained = if known { (last.waiting as f64 * 1_000.0 / self.rate_per_s) as u64 } else { 0 };
        drained.max(stuck)
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
