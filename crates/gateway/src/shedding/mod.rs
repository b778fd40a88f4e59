//! Which checkouts are taken to be answered in time, and which are sent away at once.
//!
//! Before the inventory there is a queue with a bound ([`Bound`]), which follows the time that checkouts are measured to take.
//! Whoever finds no place is answered 503 before anything of the request is looked at but its head, and told to come back after
//! a time over which the service can take in all who were sent away.
//!
//! To send somebody away costs half as much as to sell to them. Where the processor is what is short, clients that ask again at
//! once, over connections that they have, would make the service do nothing else. There the answer comes late, not at once: a
//! connection asks no more than that often, and those who were taken are served.

mod bound;
mod processor;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::time::Timestamp;
use ports::dice::Dice;

use crate::edge::PerSecond;
use bound::{Bound, Seen};
use processor::Processor;

/// How long is measured before the bound may move.
const SPAN: Duration = Duration::from_millis(20);
/// Shortest wait told to those who are sent away, milliseconds.
const WAIT_MS: u64 = 1_000;
/// How many times as much chance adds at least, and at most.
const SPREAD: (f64, f64) = (4.0, 30.0);
/// Shortest and longest time until somebody is sent away then, milliseconds; chance adds half of it at most.
const HELD_MS: (u64, u64) = (500, 3_000);
/// Of the answers a second, the part that may be those of people who are sent away late: in between, their time grows with their
/// number.
const LATE: u64 = 8;

/// The queue before the inventory.
pub struct Shedding {
    bound: Mutex<Bound>,
    places: AtomicU64,
    under_way: AtomicU64,
    sent_away: AtomicU64,
    held: AtomicU64,
    holding: AtomicU64,
    processor: Processor,
    sent_away_per_s: PerSecond,
    answered_per_s: AtomicU64,
    span: Span,
}

/// What is measured in the present span of time. While nobody waits, the span stands still: its beginning moves on.
#[derive(Default)]
struct Span {
    began_us: AtomicU64,
    /// When somebody was answered last.
    last_us: AtomicU64,
    answered: AtomicU64,
    took_us: AtomicU64,
    peak: AtomicU64,
    full: AtomicBool,
}

/// A place in the queue; given back, and measured, when it is dropped.
pub struct Place<'a> {
    shedding: &'a Shedding,
    clock: &'a dyn ports::clock::Clock,
    since: Duration,
}

impl Shedding {
    /// At most `most` checkouts at once, which should take no longer than `aim`.
    #[must_use]
    pub fn new(most: u64, aim: Duration) -> Self {
        let bound = Bound::new(most, aim);
        Self {
            places: AtomicU64::new(bound.places()),
            bound: Mutex::new(bound),
            under_way: AtomicU64::new(0),
            sent_away: AtomicU64::new(0),
            held: AtomicU64::new(0),
            holding: AtomicU64::new(0),
            processor: Processor::default(),
            sent_away_per_s: PerSecond::default(),
            answered_per_s: AtomicU64::new(0),
            span: Span::default(),
        }
    }

    /// A place for a checkout; `None` where there is none, and it is to be sent away.
    pub fn enter<'a>(&'a self, clock: &'a dyn ports::clock::Clock) -> Option<Place<'a>> {
        let before = self.under_way.fetch_add(1, Ordering::Relaxed);
        if before < self.places() {
            let since = clock.elapsed();
            if before == 0 {
                let idle = micros(since).saturating_sub(self.span.last_us.load(Ordering::Relaxed));
                self.span.began_us.fetch_add(idle, Ordering::Relaxed);
            }
            self.span.peak.fetch_max(before + 1, Ordering::Relaxed);
            self.turn(since);
            return Some(Place { shedding: self, clock, since });
        }
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        self.sent_away.fetch_add(1, Ordering::Relaxed);
        self.span.full.store(true, Ordering::Relaxed);
        None
    }

    /// Returns at once, or after half a second to four and a half where the processor is what is short.
    pub async fn step_aside(&self, clock: &dyn ports::clock::Clock, dice: &dyn Dice) {
        if self.processor.is_short(clock.elapsed()) {
            self.held.fetch_add(1, Ordering::Relaxed);
            let held = Held::begin(&self.holding);
            let late_per_s = (self.answered_per_s.load(Ordering::Relaxed) / LATE).max(1);
            let fitting_ms = (held.before * 1_000 / late_per_s).clamp(HELD_MS.0, HELD_MS.1);
            tokio::time::sleep(Duration::from_millis(dice.jittered(fitting_ms, 0.5))).await;
        }
    }

    /// The wait told to somebody who is sent away at `now`, milliseconds.
    pub fn wait_ms(&self, now: Timestamp, dice: &dyn Dice) -> u64 {
        self.sent_away_per_s.count(now);
        let away = self.sent_away_per_s.most(now) as f64;
        let answered = self.answered_per_s.load(Ordering::Relaxed).max(1) as f64;
        dice.jittered(WAIT_MS, (away / answered).clamp(SPREAD.0, SPREAD.1))
    }

    /// Checkouts that wait for their answer.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Checkouts that may wait at once.
    #[must_use]
    pub fn places(&self) -> u64 {
        self.places.load(Ordering::Relaxed)
    }

    /// Checkouts that were sent away.
    #[must_use]
    pub fn sent_away(&self) -> u64 {
        self.sent_away.load(Ordering::Relaxed)
    }

    /// Those of them whose answer had to wait, because the processor was short.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Ends the span where it is over. Those who come do, not those who are answered: these come by batches, which belong to one
    /// span whole.
    fn turn(&self, now: Duration) {
        let (began, ends) = (self.span.began_us.load(Ordering::Relaxed), micros(now));
        let over = ends.saturating_sub(began) >= micros(SPAN);
        if over
            && self.span.began_us.compare_exchange(began, ends, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.learn(now, Duration::from_micros(ends - began));
        }
    }

    fn learn(&self, at: Duration, lasted: Duration) {
        let span = &self.span;
        let seen = Seen {
            at,
            lasted,
            answered: span.answered.swap(0, Ordering::Relaxed),
            took: Duration::from_micros(span.took_us.swap(0, Ordering::Relaxed)),
            peak: span.peak.swap(0, Ordering::Relaxed),
            full: span.full.swap(false, Ordering::Relaxed),
        };
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        bound.learn(&seen);
        self.places.store(bound.places(), Ordering::Relaxed);
        let per_s = seen.answered as f64 / lasted.as_secs_f64();
        self.answered_per_s.store(per_s as u64, Ordering::Relaxed);
    }
}

/// Somebody whose answer waits.
struct Held<'a> {
    holding: &'a AtomicU64,
    before: u64,
}

impl<'a> Held<'a> {
    fn begin(holding: &'a AtomicU64) -> Self {
        Self { holding, before: holding.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.holding.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let (now, span) = (self.clock.elapsed(), &self.shedding.span);
        span.answered.fetch_add(1, Ordering::Relaxed);
        span.took_us.fetch_add(micros(now.saturating_sub(self.since)), Ordering::Relaxed);
        span.last_us.store(micros(now), Ordering::Relaxed);
        self.shedding.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "shedding_tests.rs"]
mod tests;
