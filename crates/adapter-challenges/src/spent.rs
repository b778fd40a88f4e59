//! Solutions that were used, until they expire: in bounded memory, whoever sends them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use domain::id::IdempotencyKey;
use domain::time::Timestamp;

/// What tells one solution from another: a digest.
pub type SolutionId = [u8; 16];

/// Solutions that are remembered at most, about 100 bytes each.
pub const MOST: usize = 1 << 18;

/// What a solution was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// For nothing yet; where it was to be spent, it is now.
    First,
    /// For this very key.
    Same,
    /// For another key.
    Other,
}

/// The solutions that were used.
pub struct Spent {
    most: usize,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    uses: HashMap<SolutionId, (KeyId, Timestamp)>,
    /// In the order in which they were used.
    order: VecDeque<(SolutionId, Timestamp)>,
}

type KeyId = [u8; 16];

fn key_id(key: &IdempotencyKey) -> KeyId {
    digest(key.as_str().as_bytes())
}

/// 128 bits of a digest.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    first
}

impl Default for Spent {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Spent {
    /// Remembers at most `most` (at least 1). Where there are more that have not expired, the one that was used first is
    /// forgotten: it costs its user the work of a challenge and their place under the limit to gain by that.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), known: Mutex::default() }
    }

    /// What the solution was used for, if it has not expired since.
    #[must_use]
    pub fn look(&self, solution: &SolutionId, key: &IdempotencyKey, now: Timestamp) -> Use {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.used(solution, key_id(key), now)
    }

    /// Uses the solution, which expires at `until`, for the key, unless it was used already.
    pub fn spend(&self, solution: SolutionId, key: &IdempotencyKey, until: Timestamp, now: Timestamp) -> Use {
        let key = key_id(key);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.used(&solution, key, now);
        if before == Use::First {
            known.forget(now, self.most - 1);
            known.uses.insert(solution, (key, until));
            known.order.push_back((solution, until));
        }
        before
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).uses.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Known {
    fn used(&self, solution: &SolutionId, key: KeyId, now: Timestamp) -> Use {
        match self.uses.get(solution).filter(|(_, until)| *until >= now) {
            None => Use::First,
            Some((known, _)) if *known == key => Use::Same,
            Some(_) => Use::Other,
        }
    }

    /// Forgets from the front what has expired, and what is too many. Challenges live equally long and are used soon, so what
    /// has expired is at the front; what stands behind one that has not is forgotten a little later.
    fn forget(&mut self, now: Timestamp, most: usize) {
        while let Some((solution, until)) = self.order.front() {
            if *until >= now && self.uses.len() <= most {
                return;
            }
            self.uses.remove(solution);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
#[path = "spent_tests.rs"]
mod tests;
