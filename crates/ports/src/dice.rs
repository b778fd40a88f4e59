//! Randomness, passed in.

/// Gives random numbers.
pub trait Dice: Send + Sync {
    /// A number from 0 up to, but not including, 1.
    fn fraction(&self) -> f64;

    /// `base_ms` and up to `share` of it more, milliseconds: spreads what would otherwise come at once.
    fn jittered(&self, base_ms: u64, share: f64) -> u64 {
        base_ms + (base_ms as f64 * share * self.fraction()) as u64
    }
}
