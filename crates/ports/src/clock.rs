//! The one home of the clock.

use std::time::{Duration, Instant};

use domain::time::Timestamp;

/// Tells the time. `now` MUST NOT go back within one process.
pub trait Clock: Send + Sync {
    /// The instant, UTC.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment of this process; not moved by corrections of the wall clock.
    fn elapsed(&self) -> Duration;
}

/// The machine's clock: the wall clock as it was at start, carried on by the monotonic clock, and moved forward
/// (never back) when the wall clock has been corrected by more than [`SystemClock::STEP`].
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    offset_ms: std::sync::atomic::AtomicI64,
}

impl SystemClock {
    /// A difference to the wall clock that is followed, milliseconds: less is drift within one reading.
    pub const STEP: i64 = 5;

    /// A clock that starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one home of the clock")]
    pub fn start() -> Self {
        Self { started: Instant::now(), offset_ms: std::sync::atomic::AtomicI64::new(wall_ms()) }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of the clock")]
fn wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        use std::sync::atomic::Ordering::Relaxed;
        let elapsed = self.elapsed().as_millis() as i64;
        let offset = self.offset_ms.load(Relaxed);
        let ahead = wall_ms() - (offset + elapsed);
        if ahead > Self::STEP {
            self.offset_ms.fetch_max(offset + ahead, Relaxed);
        }
        Timestamp::from_millis(self.offset_ms.load(Relaxed) + elapsed)
    }

    #[expect(clippy::disallowed_methods, reason = "the one home of the clock")]
    fn elapsed(&self) -> Duration {
        Instant::now().duration_since(self.started)
    }
}
