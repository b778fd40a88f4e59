//! How many requests somebody may send: in bounded memory, whoever sends them.
//!
//! What is promised while millions of keys are sprayed: the memory is what it was at the start; whoever is limited stays limited;
//! and somebody else's requests use up a buyer's only where they fill all of the buyer's cells, in the room of their own kind.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Cells that each key has. A hundred thousand users who ask as fast as they can keep their cells full: a buyer meets them in all
/// four with a chance of 1 in 1,000 where a row has 2^19 cells. With one cell each, in as much memory, it would be 1 in 20.
const ROWS: usize = 4;
/// Keys that are counted at once; those of one turn wait for each other, which takes less than a microsecond.
const TURNS: usize = 64;

/// Cells of a row for users: ten million who come at a hundred thousand a second fill no four.
const USERS: usize = 1 << 19;
/// For users who ask for challenges, which takes them longer to forget.
const CHALLENGES: usize = 1 << 18;
/// For networks, which may send much more each.
const NETWORKS: usize = 1 << 17;
/// For sales, of which there are few; anybody can make up names.
const SALES: usize = 1 << 12;

/// Counts by what is counted. Keys that may come at different rates do not meet: one request in two seconds would use up ten a
/// second for somebody else.
pub struct Rooms {
    /// Checkouts of a user.
    pub users: Cells,
    /// Challenges of a user.
    pub challenges: Cells,
    /// Requests of a network.
    pub networks: Cells,
    /// Checkouts of a sale.
    pub sales: Cells,
}

impl Rooms {
    /// Empty, under a seed that clients cannot know.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        let room = |width| Cells::new(width, seed);
        Self {
            users: room(USERS),
            challenges: room(CHALLENGES),
            networks: room(NETWORKS),
            sales: room(SALES),
        }
    }
}

/// Counts requests by key in a fixed number of cells, each the theoretical arrival time of the generic cell rate
/// algorithm (ITU-T I.371, virtual scheduling form).
///
/// A key has a cell in each of [`ROWS`] rows and shares each with other keys, in each row with others. The earliest time in its
/// cells counts, and no cell is put further ahead than what that makes (a count-min sketch with conservative update; C. Estan and
/// G. Varghese, New Directions in Traffic Measurement and Accounting, 2002). So none of a key's cells is ever behind what the key
/// has used: limits become stricter where all its cells are shared with others who use them up, and never looser.
pub struct Cells {
    /// Microseconds of the process's clock, row by row.
    cells: Vec<AtomicU64>,
    width: usize,
    /// Requests of one key are counted one after another.
    turns: Vec<Mutex<()>>,
    seed: [u8; 32],
}

/// Too many requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// When one more will be taken, milliseconds.
    pub retry_after_ms: u64,
}

impl Cells {
    /// Rows of `width` cells (at least 1), hashed under a seed that clients cannot know.
    #[must_use]
    pub fn new(width: usize, seed: [u8; 32]) -> Self {
        let width = width.max(1);
        Self {
            cells: (0..width * ROWS).map(|_| AtomicU64::new(0)).collect(),
            width,
            turns: (0..TURNS).map(|_| Mutex::default()).collect(),
            seed,
        }
    }

    /// What this takes of the memory, bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let (cells, turns) = (self.cells.capacity(), self.turns.capacity());
        size_of::<Self>() + cells * size_of::<AtomicU64>() + turns * size_of::<Mutex<()>>()
    }

    /// Counts one request of `key`, where `rate_per_s` are taken in the long run and `burst` at once.
    ///
    /// # Errors
    /// It is one too many; it was not counted.
    pub fn check(&self, key: &[u8], rate_per_s: f64, burst: u32, now: Duration) -> Result<(), Denied> {
        let hash = blake3::keyed_hash(&self.seed, key);
        let mut parts = hash
            .as_bytes()
            .chunks_exact(size_of::<u64>())
            .map(|part| part.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)));
        let places: [u64; ROWS] = std::array::from_fn(|_| parts.next().unwrap_or_default());
        let cell = |row: usize| {
            let column = (places[row] % self.width as u64) as usize;
            &self.cells[row * self.width + column]
        };
        let now = now.as_micros() as u64;
        let interval = (1e6 / rate_per_s) as u64;
        let tolerance = interval.saturating_mul(u64::from(burst.max(1)) - 1);
        let turn = &self.turns[(places[0] >> 32) as usize % TURNS];
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = (0..ROWS).map(|row| cell(row).load(Ordering::Relaxed)).min();
        let due = earliest.unwrap_or_default().max(now);
        if due > now.saturating_add(tolerance) {
            return Err(Denied { retry_after_ms: (due - now - tolerance).div_ceil(1_000) });
        }
        for row in 0..ROWS {
            cell(row).fetch_max(due + interval, Ordering::Relaxed);
        }
        Ok(())
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
