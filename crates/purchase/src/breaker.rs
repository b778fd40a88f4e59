//! A circuit breaker before the claim log: while publications do not succeed, checkouts are refused before a unit is taken, and
//! one at a time tries.
//!
//! What was taken for a publication that failed waits for the same key, or for the relay. Without the breaker each buyer who comes
//! while the log is away would have a unit held so, waiting the whole deadline for a refusal.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// While the log is away, the next request that tries it comes no sooner than this after the last one.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// Publications succeed, as far as is known.
const CLOSED: u64 = u64::MAX;

/// How a publication ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// What was handed over is in the log.
    Published,
    /// It is not known to be there.
    Failed,
    /// Nothing was handed over, for want of room here: that says nothing of the log.
    Untried,
}

/// Of one shard's log, as this node sees it. Asked by every checkout; it never waits.
pub(crate) struct Breaker {
    /// When somebody may try next, milliseconds of elapsed time; [`CLOSED`] where everybody passes.
    try_at_ms: AtomicU64,
    /// Publications on their way.
    under_way: AtomicUsize,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { try_at_ms: AtomicU64::new(CLOSED), under_way: AtomicUsize::new(0) }
    }
}

impl Breaker {
    /// Whether a request that comes at `now` may take a unit. While the log is away one may, once nothing is on its way any more:
    /// what is on its way tells as well that the log is back.
    pub(crate) fn admits(&self, now: Duration) -> bool {
        let try_at = self.try_at_ms.load(Ordering::Relaxed);
        if try_at == CLOSED {
            return true;
        }
        now.as_millis() as u64 >= try_at
            && self.under_way.load(Ordering::Relaxed) == 0
            && self.replace(try_at, now + TRY_EVERY)
    }

    /// A publication is on its way from now on.
    pub(crate) fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    /// At `now` nobody waits any longer for a publication that is on its way.
    pub(crate) fn outlasted(&self, now: Duration) {
        // Where that was known already, the next try stays when it was.
        self.replace(CLOSED, now + TRY_EVERY);
    }

    /// A publication ended at `now`.
    pub(crate) fn end(&self, end: End, now: Duration) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        match end {
            End::Published => self.try_at_ms.store(CLOSED, Ordering::Relaxed),
            End::Failed => self.outlasted(now),
            End::Untried => {}
        }
    }

    /// Whether nobody was faster.
    fn replace(&self, known: u64, next: Duration) -> bool {
        let next = next.as_millis() as u64;
        self.try_at_ms.compare_exchange(known, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
