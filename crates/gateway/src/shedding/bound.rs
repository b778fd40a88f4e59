//! How many checkouts may wait at once, so that each is answered in time.
//!
//! A queue is as long in time as in places divided by what is answered a second (Little's law, Operations Research 9(3), 1961).
//! So the bound is what was answered a second, times the time that a checkout may take. It is lowered only where that can help:
//! a store that takes long for one checkout alone takes as long for many together, and fewer places would only send buyers
//! away. Therefore a checkout may always take twice the time that it took at ease (as in Netflix's concurrency-limits, whose
//! gradient compares with the time without load). And a stall that is over soon, as a disk has them, is waited out: only a queue
//! that stands is shortened, not one that drains (the thought of CoDel, RFC 8289).

use std::time::Duration;

/// Fewest places: a batch of so many costs hardly more than a batch of one.
const LEAST: u64 = 64;
/// Places before anything was measured, and again after a while at ease.
const FIRST: u64 = 4_096;
/// After so many spans of slowness, one after the other, a queue stands.
const STANDS: u32 = 3;
/// A queue drains where its longest is shorter than in the span before, by this part of it at least.
const DRAINS: u64 = 16;
/// How much longer than at ease a checkout may always take.
const TOLERANCE: u32 = 2;
/// Which part of the places may be taken, on average, for it to be called ease.
const EASE: u64 = 4;
/// For how long the time at ease is remembered, at least; at most twice as long.
const REMEMBERED: Duration = Duration::from_secs(10);
/// By which part of itself the bound grows after a span in which somebody was sent away without need, or at ease.
const GROWTH: u64 = 16;

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
    /// The most that waited in it at once.
    pub peak: u64,
    /// Whether somebody was sent away in it.
    pub full: bool,
}

/// The bound.
#[derive(Debug)]
pub struct Bound {
    most: u64,
    aim: Duration,
    places: u64,
    /// Spans of slowness, up to now.
    slow: u32,
    /// The most that waited at once in the span before, or may wait since.
    peak: u64,
    /// The shortest mean at ease, in this span of memory and in the one before.
    eased: [Option<Duration>; 2],
    remembered_until: Duration,
}

impl Bound {
    /// At most `most` places, for checkouts that should take no longer than `aim`.
    #[must_use]
    pub fn new(most: u64, aim: Duration) -> Self {
        Self {
            most,
            aim,
            places: FIRST.min(most),
            slow: 0,
            peak: 0,
            eased: [None; 2],
            remembered_until: REMEMBERED,
        }
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
        let eased = self.is_ease(seen);
        let allowed = self.aim.max(self.at_ease(seen, mean, eased) * TOLERANCE);
        let (late, drains) = (mean > allowed, seen.peak < self.peak - self.peak / DRAINS);
        if !late {
            self.slow = 0;
        } else if !drains {
            self.slow += 1;
        }
        if self.slow >= STANDS {
            let per_s = seen.answered as f64 / seen.lasted.as_secs_f64().max(f64::EPSILON);
            let fitting = (per_s * allowed.as_secs_f64()) as u64;
            // No span may empty the house: by half at most.
            let half = self.places.min(seen.peak) / 2;
            self.places = fitting.max(half).min(self.places).max(self.least());
        } else if !late && (seen.full || eased && self.places < FIRST) {
            self.places = (self.places + self.places / GROWTH + 1).min(self.most);
        }
        self.peak = seen.peak.min(self.places);
    }

    /// Whether few waited in a span, or as few as there can be places.
    fn is_ease(&self, seen: &Seen) -> bool {
        let waiting = seen.took.as_secs_f64() / seen.lasted.as_secs_f64().max(f64::EPSILON);
        waiting <= (self.places / EASE) as f64 || self.places == self.least()
    }

    /// How long a checkout takes at ease; 0 while that is not known.
    fn at_ease(&mut self, seen: &Seen, mean: Duration, eased: bool) -> Duration {
        if seen.at >= self.remembered_until {
            self.eased = [None, self.eased[0]];
            self.remembered_until = seen.at + REMEMBERED;
        }
        if eased {
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
