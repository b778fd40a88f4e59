//! The provider's own clock.

/// Milliseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "a foreign party has a clock of its own; this is its one home")]
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
