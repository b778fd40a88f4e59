//! Faults that requests and orders meet: counted by what failed, and each kind logged at most once in a while.
//!
//! What fails once fails for everybody who comes: a line for each of them would fill the log with what one line says.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::seldom::Seldom;

/// What was met since the start of the process.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Kind>>);

/// One kind of fault: what failed, and what became of whoever met it. Both are words of the program, so that there are few.
struct Kind {
    what: &'static str,
    outcome: &'static str,
    met: u64,
    said: Seldom,
}

impl Faults {
    /// Counts a fault. Where it is to be logged now: how often this kind was met since it was logged last, this time counted.
    pub fn met(&self, what: &'static str, outcome: &'static str, now: Duration) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kinds.iter().position(|kind| kind.what == what && kind.outcome == outcome);
        let place = known.unwrap_or_else(|| {
            kinds.push(Kind { what, outcome, met: 0, said: Seldom::default() });
            kinds.len() - 1
        });
        let kind = &mut kinds[place];
        kind.met += 1;
        kind.said.happened(now)
    }

    /// How often each kind was met: what failed, what became of whoever met it, how often.
    #[must_use]
    pub fn counts(&self) -> Vec<(&'static str, &'static str, u64)> {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.iter().map(|kind| (kind.what, kind.outcome, kind.met)).collect()
    }
}

#[cfg(test)]
#[path = "faults_tests.rs"]
mod tests;
