//! What a herd tells while it runs, to those who disturb the system meanwhile; and the gate behind which buyers wait for them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// Flaws that are kept one by one; more are only counted.
const KEPT: usize = 20_000;

/// What an answer lacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// There was none: the connection was refused or reset, or nothing came in 10 seconds.
    Answer,
    /// It came, but late.
    Haste,
}

/// A request that was not answered as it should have been.
#[derive(Clone, Debug, Serialize)]
pub struct Flaw {
    /// Who was asked: host and port.
    pub gateway: String,
    /// What was asked: method and the first parts of its path.
    pub request: String,
    /// When it was sent, on the gauge's clock.
    pub sent: Duration,
    /// When it was answered or given up.
    pub ended: Duration,
    /// What is wrong.
    pub lack: Lack,
    /// In words.
    pub what: String,
}

/// Tells how a herd fares while it runs. Times are since the gauge was made.
pub struct Gauge {
    clock: Clock,
    limit: Duration,
    gate: CancellationToken,
    in_flight: AtomicU64,
    answers: AtomicU64,
    without: AtomicU64,
    late: AtomicU64,
    accepted: Mutex<Vec<Duration>>,
    flaws: Mutex<Vec<Flaw>>,
    sold_out: Mutex<Option<(Duration, i64)>>,
}

fn open<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gauge {
    /// A gauge for one run; an answer that takes longer than `limit` is late.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            clock: Clock::start(),
            limit,
            gate: CancellationToken::new(),
            in_flight: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            without: AtomicU64::new(0),
            late: AtomicU64::new(0),
            accepted: Mutex::default(),
            flaws: Mutex::default(),
            sold_out: Mutex::default(),
        }
    }

    /// Now.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Requests to the system that are not answered yet.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How long ago the last new ticket was given.
    #[must_use]
    pub fn since_accepted(&self) -> Option<Duration> {
        let last = open(&self.accepted).last().copied()?;
        Some(self.elapsed().saturating_sub(last))
    }

    /// When each new ticket was given.
    #[must_use]
    pub fn accepted(&self) -> Vec<Duration> {
        open(&self.accepted).clone()
    }

    /// Requests to the system that were answered.
    #[must_use]
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Requests that were not, and answers that were late; the list of [`Gauge::flaws`] may be shorter.
    #[must_use]
    pub fn flawed(&self) -> (u64, u64) {
        (self.without.load(Ordering::Relaxed), self.late.load(Ordering::Relaxed))
    }

    /// Requests that were not answered as they should have been.
    #[must_use]
    pub fn flaws(&self) -> Vec<Flaw> {
        open(&self.flaws).clone()
    }

    /// When `sold-out` was answered first: on this clock, and in milliseconds since the Unix epoch by the server's.
    #[must_use]
    pub fn sold_out(&self) -> Option<(Duration, i64)> {
        *open(&self.sold_out)
    }

    /// Lets those come who wait behind the gate.
    pub fn open_gate(&self) {
        self.gate.cancel();
    }

    pub(crate) async fn gate_opened(&self) {
        self.gate.cancelled().await;
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn accept(&self) {
        open(&self.accepted).push(self.elapsed());
    }

    pub(crate) fn saw_sold_out(&self, server_ms: i64) {
        open(&self.sold_out).get_or_insert((self.elapsed(), server_ms));
    }

    /// A request leaves; it is in flight until the returned guard is dropped.
    pub(crate) fn leave(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    /// What became of a request that was sent at `sent`.
    pub(crate) fn note(&self, gateway: &str, request: &str, sent: Duration, lost: Option<&str>) {
        let ended = self.elapsed();
        let took = ended.saturating_sub(sent);
        let (lack, what) = match lost {
            Some(what) => {
                self.without.fetch_add(1, Ordering::Relaxed);
                (Lack::Answer, what.to_owned())
            }
            None => {
                self.answers.fetch_add(1, Ordering::Relaxed);
                if took <= self.limit {
                    return;
                }
                self.late.fetch_add(1, Ordering::Relaxed);
                (Lack::Haste, format!("answered after {} ms", took.as_millis()))
            }
        };
        let mut flaws = open(&self.flaws);
        if flaws.len() < KEPT {
            let (gateway, request) = (gateway.to_owned(), request.to_owned());
            flaws.push(Flaw { gateway, request, sent, ended, lack, what });
        }
    }
}

/// A request that is in flight.
pub(crate) struct InFlight<'a>(&'a Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "gauge_tests.rs"]
mod tests;
