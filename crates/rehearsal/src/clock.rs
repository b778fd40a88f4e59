//! The herd's own clock, and waiting by it.

use std::time::{Duration, Instant};

/// Since a fixed moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a foreign party has a clock of its own; this is its one home"
    )]
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a foreign party has a clock of its own; this is its one home"
    )]
    pub(crate) fn elapsed(&self) -> Duration {
        Instant::now().duration_since(self.started)
    }

    pub(crate) async fn until(&self, at: Duration) {
        tokio::time::sleep(at.saturating_sub(self.elapsed())).await;
    }

    /// Milliseconds since the Unix epoch.
    #[expect(
        clippy::disallowed_methods,
        reason = "a foreign party has a clock of its own; this is its one home"
    )]
    pub(crate) fn wall_ms() -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| since.as_millis() as i64)
    }
}
