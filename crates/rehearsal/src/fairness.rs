//! Whether hostile buyers got more units than chance gives them.
//!
//! Were units given without regard to who is hostile, they would be a draw without replacement from all that buyers may
//! have, and the number that hostile ones get would follow the hypergeometric distribution. The chance of as many or more is
//! its upper tail: the one-sided exact test of R. A. Fisher, "The Logic of Inductive Inference", Journal of the Royal
//! Statistical Society 98 (1935), pages 39 to 82.

/// Chance below which chance explains nothing: one honest run in a thousand is called unfair.
pub(crate) const DOUBT: f64 = 0.001;

/// A draw of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draw {
    /// Units that all buyers together may have.
    pub(crate) places: u64,
    /// Units that the hostile ones together may have.
    pub(crate) hostile: u64,
    /// Units that were sold.
    pub(crate) drawn: u64,
}

impl Draw {
    /// The chance, from 0 to 1, that hostile buyers get `got` units or more.
    pub(crate) fn chance(self, got: u64) -> f64 {
        self.tail()
            .into_iter()
            .rev()
            .take_while(|(units, _)| *units >= got)
            .map(|(_, p)| p)
            .sum::<f64>()
            .min(1.0)
    }

    /// The most units that chance explains.
    pub(crate) fn explained(self) -> u64 {
        let mut above = 0.0;
        for (units, chance) in self.tail().into_iter().rev() {
            above += chance;
            if above >= DOUBT {
                return units;
            }
        }
        0
    }

    /// Each possible number of units, rising, with its chance.
    fn tail(self) -> Vec<(u64, f64)> {
        let (places, hostile) = (self.places, self.hostile.min(self.places));
        let drawn = self.drawn.min(places);
        let choose = |n: u64, k: u64| log_factorial(n) - log_factorial(k) - log_factorial(n - k);
        let honest = places - hostile;
        (drawn.saturating_sub(honest)..=drawn.min(hostile))
            .map(|units| {
                let log = choose(hostile, units) + choose(honest, drawn - units) - choose(places, drawn);
                (units, log.exp())
            })
            .collect()
    }
}

/// The natural logarithm of n!: summed where n is small, and Stirling's series otherwise, exact to twelve digits.
fn log_factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|each| (each as f64).ln()).sum();
    }
    let n = n as f64;
    let series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1_260.0 * n.powi(5));
    n * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI * n).ln() + series
}

#[cfg(test)]
#[path = "fairness_tests.rs"]
mod tests;
