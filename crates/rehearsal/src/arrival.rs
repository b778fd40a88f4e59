//! When each buyer comes.

use std::time::Duration;

use crate::herd::Herd;
use crate::plan::Arrival;

impl Herd {
    /// When a buyer presses Buy; known as soon as the gate has opened, for those who wait behind one.
    pub(crate) async fn arrival(&self, number: u32, total: u64) -> Duration {
        let evenly = |number: u32, of: u64, over_ms: u64| {
            Duration::from_micros(over_ms * 1_000 * u64::from(number) / of.max(1))
        };
        match self.plan.arrival {
            Arrival::TZero => self.t_zero,
            Arrival::Ramp { over_ms } => self.t_zero + evenly(number, total, over_ms),
            Arrival::Gate { first, over_ms, then_ms } => {
                let early = number < first;
                let due =
                    if early { self.t_zero + evenly(number, u64::from(first), over_ms) } else { self.over };
                let left = due.saturating_sub(self.clock.elapsed());
                match tokio::time::timeout(left, self.gauge.gate_opened()).await {
                    Ok(()) => self.clock.elapsed().max(self.t_zero) + evenly(number, total, then_ms),
                    Err(_) => due,
                }
            }
        }
    }
}
