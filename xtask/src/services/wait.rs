//! Waiting for a state, with a bound.

use std::time::Duration;

use crate::steps::now;
use crate::workspace::Outcome;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Why what is waited for is not there.
#[derive(Debug)]
pub enum Unready {
    /// It may still come.
    NotYet(String),
    /// It will not come.
    Never(String),
}

/// Looks again and again until `look` succeeds; the last reason when it has not within `limit`.
pub fn until(limit: Duration, mut look: impl FnMut() -> Result<(), Unready>) -> Outcome {
    let began = now();
    loop {
        match look() {
            Ok(()) => return Ok(()),
            Err(Unready::Never(reason)) => return Err(reason),
            Err(Unready::NotYet(reason)) if began.elapsed() >= limit => {
                return Err(format!("waited {} s: {reason}", limit.as_secs()));
            }
            Err(Unready::NotYet(_)) => std::thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
#[path = "wait_tests.rs"]
mod tests;
