//! Something that may happen at every request and is said at most once in a while.

use std::time::Duration;

/// How long nothing is said after it was said.
pub const APART: Duration = Duration::from_secs(5);

/// How often something happened since it was said last. Time is that of the process, from its start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seldom {
    /// When it may be said again; `None` before the first time.
    again: Option<Duration>,
    times: u64,
}

impl Seldom {
    /// It happened. Where it is to be said now: how often it happened since it was said last, this time counted.
    pub fn happened(&mut self, now: Duration) -> Option<u64> {
        self.times += 1;
        if self.again.is_some_and(|again| now < again) {
            return None;
        }
        self.again = Some(now + APART);
        Some(std::mem::take(&mut self.times))
    }
}

#[cfg(test)]
#[path = "seldom_tests.rs"]
mod tests;
