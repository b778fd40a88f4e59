//! How many checkouts may wait at once, so that each is answered in time.
//!
//! A queue is as long in time as in places divided by what is answered a second (Little's law, Operations Research 9(3), 1961).
//! So the bound is what was answered a second, times the time that a checkout may take. It is lowered only where that can help:
//! a store that takes long for one checkout alone takes as long for many together, and fewer places would only send buyers
//! away. Therefore a checkout may always take twice the time that it took at ease (as in Netflix's concurrency-limits, whose
//! gradient compares with the time without load).

use std::time::Duration;

/// Fewest places: a batch of so many costs hardly more than a batch of one, and on the slowest machine nobody is sent away while
/// only a few hundred come.
const LEAST: u64 = 512;
/// Places at the start, before anything was measured.
const FIRST: u64 = 1_024;
/// How much longer than at ease a checkout may always take.
const TOLERANCE: u32 = 2;
/// Which part of the places may be taken, on average, for it to be called ease.
const EASE: u64 = 4;
/// For how long the time at ease is remembered, at least; at most twice as long.
const REMEMBERED: Duration = Duration::from_secs(10);
/// By which part of itself the bound grows after a span in which somebody was sent away without need.
const GROWTH: u64 = 8;

/// What was seen in a span of time.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// When the span ended, in time of the process.
    pub at: Duration,
    /// How long it was.
    pub lasted: Duration,
    /// Checkouts answered in it.
    pub answered: u64,
    /// How long those took, all together.
    pub took: Duration,
    /// Whether somebody was sent away in it.
    pub full: bool,
}

/// The bound.
#[derive(Debug)]
pub struct Bound {
    most: u64,
    aim: Duration,
    places: u64,
    /// The shortest mean at ease, in this span of memory and in the one before.
    eased: [Option<Duration>; 2],
    remembered_until: Duration,
}

impl Bound {
    /// At most `most` places, for checkouts that should take no longer than `aim`.
    #[must_use]
    pub fn new(most: u64, aim: Duration) -> Self {
        Self { most, aim, places: FIRST.min(most), eased: [None; 2], remembered_until: REMEMBERED }
    }

    /// How many checkouts may wait now.
    #[must_use]
    pub const fn places(&self) -> u64 {
        self.places
    }

    /// Takes in what was seen.
    pub fn learn(&mut self, seen: &Seen) {
        let Some(mean) = u32::try_from(seen.answered).ok().and_then(|count| seen.took.checked_div(count))
        else {
            return;
        };
        let allowed = self.aim.max(self.at_ease(seen, mean) * TOLERANCE);
        if mean > allowed {
            let per_s = seen.answered as f64 / seen.lasted.as_secs_f64().max(f64::EPSILON);
            let fitting = (per_s * allowed.as_secs_f64()) as u64;
            // One stall must not empty the house: by half at most.
            self.places = fitting.max(self.places / 2).min(self.places).max(self.least());
        } else if seen.full {
            self.places = (self.places + self.places / GROWTH + 1).min(self.most);
        }
    }

    /// How long a checkout takes at ease; 0 while that is not known.
    fn at_ease(&mut self, seen: &Seen, mean: Duration) -> Duration {
        if seen.at >= self.remembered_until {
            self.eased = [None, self.eased[0]];
            self.remembered_until = seen.at + REMEMBERED;
        }
        let waiting = seen.took.as_secs_f64() / seen.lasted.as_secs_f64().max(f64::EPSILON);
        if waiting <= (self.places / EASE) as f64 || self.places == self.least() {
            self.eased[0] = Some(self.eased[0].map_or(mean, |known| known.min(mean)));
        }
        self.eased.into_iter().flatten().min().unwrap_or_default()
    }

    fn least(&self) -> u64 {
        LEAST.min(self.most)
    }
}

#[cfg(test)]
#[path = "bound_tests.rs"]
mod tests;
