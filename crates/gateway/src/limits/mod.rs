//! How many requests somebody may send: in bounded memory, whoever sends them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts requests by key in a fixed number of cells, each the theoretical arrival time of the generic cell rate
/// algorithm (ITU-T I.371, virtual scheduling form). Keys whose hashes share a cell share a budget: memory has a bound,
/// and under a spray of keys the limits become stricter, never looser.
pub struct Cells {
    /// Microseconds of the process's clock.
    cells: Vec<AtomicU64>,
    seed: [u8; 32],
}

/// Too many requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// When one more will be taken, milliseconds.
    pub retry_after_ms: u64,
}

impl Cells {
    /// `count` cells (at least 1), hashed under a seed that clients cannot know.
    #[must_use]
    pub fn new(count: usize, seed: [u8; 32]) -> Self {
        Self { cells: (0..count.max(1)).map(|_| AtomicU64::new(0)).collect(), seed }
    }

    /// Counts one request of `key` in the room `name`, where `rate_per_s` are taken in the long run and `burst` at once.
    ///
    /// # Errors
    /// It is one too many; it was not counted.
    pub fn check(
        &self,
        name: &str,
        key: &[u8],
        rate_per_s: f64,
        burst: u32,
        now: Duration,
    ) -> Result<(), Denied> {
        let mut hasher = blake3::Hasher::new_keyed(&self.seed);
        hasher.update(name.as_bytes()).update(&[0]).update(key);
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        let cell = &self.cells[(u64::from_le_bytes(first) % self.cells.len() as u64) as usize];
        let now = now.as_micros() as u64;
        let interval = (1e6 / rate_per_s) as u64;
        let tolerance = interval.saturating_mul(u64::from(burst.max(1)) - 1);
        let mut expected = cell.load(Ordering::Relaxed);
        loop {
            let due = expected.max(now);
            if due > now.saturating_add(tolerance) {
                return Err(Denied { retry_after_ms: (due - now - tolerance).div_ceil(1_000) });
            }
            let next = due + interval;
            match cell.compare_exchange_weak(expected, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => expected = other,
            }
        }
    }
}

/// `RateLimit-Policy` and `RateLimit` of a refusal, in the form of draft-ietf-httpapi-ratelimit-headers-10: the window
/// is the time in which a burst is earned again, and the quota what the rate gives in it.
#[must_use]
pub fn header_value(name: &str, rate_per_s: f64, burst: u32, denied: &Denied) -> (String, String) {
    let window_s = (f64::from(burst) / rate_per_s).ceil().max(1.0) as u64;
    // What is a whole number, and was rounded on its way, stays that number.
    let quota = (rate_per_s.mul_add(window_s as f64, 1e-6).floor() as u64).max(1);
    let wait_s = denied.retry_after_ms.div_ceil(1_000).max(1);
    (format!("\"{name}\";q={quota};w={window_s}"), format!("\"{name}\";r=0;t={wait_s}"))
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
