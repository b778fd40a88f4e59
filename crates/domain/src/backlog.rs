//! How long a claim that is made now will wait for its payment address: what waits, divided by how many are served.
//!
//! The rate is measured while more waits than is being worked on, and never above the limit that is configured: a provider
//! that is slower than promised shows in it, and a quiet time does not (then the rate is that of the arrivals). It is an
//! exponentially weighted mean over about ten seconds. A time in which nobody at all is served counts for ten seconds at most: an
//! outage is told by its length ([`Backlog::stuck_ms`]), and says nothing of the rate afterwards. Once nothing waits that
//! nobody works on, the rate is forgotten within seconds. Orders that end unserved are not counted as served.

use std::collections::HashMap;

use crate::fence::Position;
use crate::id::ShardId;

/// A log that has not moved for this long stands still, and what lies in it keeps nobody of another sale waiting, milliseconds.
const STANDS_STILL_MS: u64 = 10_000;

/// How far a shard's log has been taken in, and what waits in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Which one.
    pub shard: ShardId,
    /// What lies before it has been taken in.
    pub position: Position,
    /// Claims behind it.
    pub waiting: u64,
}

/// What was seen of all logs at one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSight {
    /// Claims that wait in logs that move.
    pub moving: u64,
    /// Logs that stand still, and for how long, milliseconds.
    pub still: HashMap<ShardId, u64>,
}

/// Since when each log has been where it is, milliseconds on the clock of the looks.
#[derive(Debug, Default)]
pub struct Logs(HashMap<ShardId, (Position, u64)>);

impl Logs {
    /// Takes in how far each log is at `at_ms`; one that is not named any more is forgotten.
    pub fn see(&mut self, logs: Vec<Log>, at_ms: u64) -> LogSight {
        let (mut before, mut sight) = (std::mem::take(&mut self.0), LogSight::default());
        for Log { shard, position, waiting } in logs {
            let mark = before.remove(&shard).filter(|(known, _)| *known == position && waiting > 0);
            let mark = mark.unwrap_or((position, at_ms));
            let stood_ms = at_ms.saturating_sub(mark.1);
            if stood_ms < STANDS_STILL_MS {
                sight.moving += waiting;
            } else {
                sight.still.insert(shard.clone(), stood_ms);
            }
            self.0.insert(shard, mark);
        }
        sight
    }
}

/// What is seen at one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// When, on a clock that only goes forward, milliseconds.
    pub at_ms: u64,
    /// Claims and orders that wait for their payment address, or have it being made.
    pub waiting: u64,
    /// Those of them that nobody works on.
    pub idle: u64,
    /// Payment addresses ever made, from some moment on.
    pub served: u64,
}

/// The estimate, from look to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    limit_per_s: Option<f64>,
    last: Option<Sight>,
    rate_per_s: f64,
    /// For how long the rate has been measured, milliseconds.
    measured_ms: f64,
    /// For how long nobody has been served while more waited than was worked on, milliseconds.
    unserved_ms: f64,
    /// For how long nothing has waited that nobody works on, milliseconds.
    keeping_up_ms: f64,
    /// Since when nobody has been served although somebody waits, milliseconds on the clock of the looks.
    stuck_since_ms: Option<u64>,
}

/// The weight of the past halves in about this time, milliseconds.
const HALF_LIFE_MS: f64 = 5_000.0;
/// A rate that was measured for less says nothing: the first second of a sale has claims and no address yet.
const TRUSTED_MS: f64 = 3_000.0;
/// The longest time without any service that counts.
const LONGEST_GAP_MS: f64 = 10_000.0;
/// Whoever has kept up for so long has a rate that nobody has measured.
const FORGOTTEN_MS: f64 = 5_000.0;

impl Backlog {
    /// Nothing was seen yet; at most `limit_per_s` are served in a second, where that is known.
    #[must_use]
    pub fn new(limit_per_s: Option<f64>) -> Self {
        Self { limit_per_s: limit_per_s.filter(|limit| *limit > 0.0), ..Self::default() }
    }

    /// Takes in what was seen.
    pub fn see(&mut self, sight: Sight) {
        let last = self.last.replace(sight);
        let Some(last) = last.filter(|last| last.at_ms < sight.at_ms) else { return };
        let served = sight.served.saturating_sub(last.served);
        let took_ms = (sight.at_ms - last.at_ms) as f64;
        if last.idle > 0 && sight.idle > 0 {
            self.keeping_up_ms = 0.0;
            self.unserved_ms += took_ms;
            if served > 0 {
                let took_ms = std::mem::take(&mut self.unserved_ms).min(LONGEST_GAP_MS);
                self.measure(took_ms, served as f64);
            }
        } else {
            self.keep_up(took_ms);
        }
        if served > 0 || sight.waiting == 0 || last.waiting == 0 {
            self.stuck_since_ms = None;
        } else {
            self.stuck_since_ms.get_or_insert(last.at_ms);
        }
    }

    fn keep_up(&mut self, took_ms: f64) {
        self.unserved_ms = 0.0;
        self.keeping_up_ms += took_ms;
        if self.keeping_up_ms >= FORGOTTEN_MS {
            (self.rate_per_s, self.measured_ms) = (0.0, 0.0);
        }
    }

    fn measure(&mut self, took_ms: f64, served: f64) {
        let now = served * 1_000.0 / took_ms;
        self.measured_ms += took_ms;
        // The plain mean at first, until the past weighs enough to be forgotten.
        let share = (1.0 - 0.5_f64.powf(took_ms / HALF_LIFE_MS)).max(took_ms / self.measured_ms);
        self.rate_per_s += (now - self.rate_per_s) * share;
    }

    /// How many are served in a second, where that is known.
    #[must_use]
    pub fn rate_per_s(&self) -> Option<f64> {
        let measured = (self.measured_ms >= TRUSTED_MS && self.rate_per_s > 0.0).then_some(self.rate_per_s);
        match (measured, self.limit_per_s) {
            (Some(measured), Some(limit)) => Some(measured.min(limit)),
            (known, limit) => known.or(limit),
        }
    }

    /// For how long nobody has been served although somebody waits, milliseconds: whoever comes waits at least as long.
    #[must_use]
    pub fn stuck_ms(&self) -> u64 {
        let since = self.stuck_since_ms.zip(self.last);
        since.map_or(0, |(since, last)| last.at_ms.saturating_sub(since))
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
