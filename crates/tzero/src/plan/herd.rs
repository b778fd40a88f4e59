//! What a herd asks for in its busiest second.

/// What buyers do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Herd {
    /// Distinct buyers.
    pub buyers: u32,
    /// How many times a buyer presses Buy, on average.
    pub presses: f64,
    /// Over which time the presses come, seconds; 0: all at T-zero.
    pub ramp_s: f64,
    /// Units of an order.
    pub units: u8,
    /// Connections that a buyer keeps open, on average.
    pub connections: f64,
    /// Pause between two looks at a status, seconds; `None`: as the program tells buyers.
    pub poll_s: Option<f64>,
    /// Share of the ticket holders who pay, above 0 and at most 1.
    pub pay_share: f64,
}

/// The pauses that the program tells whoever looks at a status.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pauses {
    /// Shortest, seconds.
    pub min_s: f64,
    /// Longest, seconds.
    pub max_s: f64,
    /// Looks a second of one process up to which the shortest is told; above, it grows in proportion.
    pub calm_per_s: f64,
}

/// By how much a pause is longer than its base, on average: up to half of it, by chance.
const JITTER: f64 = 1.25;

impl Pauses {
    /// The pause at which `holders` who look at their status settle: they look the more rarely, the more they are.
    ///
    /// The base is `min × (looks a second ÷ calm + 1)` and looks a second are `holders ÷ pause`, which is a quadratic
    /// equation of the pause.
    #[must_use]
    pub fn settled_s(&self, holders: f64) -> f64 {
        let shortest = JITTER * self.min_s;
        let crowd = 4.0 * shortest * holders / self.calm_per_s;
        (f64::midpoint(shortest, shortest.mul_add(shortest, crowd).sqrt())).min(self.max_s)
    }
}

/// What is asked of the program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Orders that the stock is enough for and the buyers are there for, at once.
    pub orders: u64,
    /// Checkouts of all.
    pub checkouts: f64,
    /// Checkouts of the busiest second.
    pub peak: f64,
    /// Those of them that are given units.
    pub granted: f64,
    /// Those of them that are refused.
    pub refused: f64,
    /// Buyers who press for the first time in the busiest second.
    pub comers: f64,
    /// Pause between two looks of a ticket holder, seconds.
    pub pause_s: f64,
    /// Looks at a status in a second while all ticket holders wait.
    pub polls: f64,
}

/// Orders of `units` that the stocks are enough for.
#[must_use]
pub fn orders_of(stocks: &[u32], units: u8) -> u64 {
    stocks.iter().map(|stock| u64::from(*stock) / u64::from(units.max(1))).sum()
}

impl Load {
    /// What `herd` asks for where the stock is enough for `supply` orders.
    #[must_use]
    pub fn of(herd: &Herd, supply: u64, pauses: &Pauses) -> Self {
        let orders = supply.min(u64::from(herd.buyers));
        let checkouts = f64::from(herd.buyers) * herd.presses;
        let busiest = herd.ramp_s.max(1.0);
        let peak = checkouts / busiest;
        let granted = (orders as f64).min(peak);
        let pause_s = herd.poll_s.unwrap_or_else(|| pauses.settled_s(orders as f64));
        Self {
            orders,
            checkouts,
            peak,
            granted,
            refused: peak - granted,
            comers: f64::from(herd.buyers) / busiest,
            pause_s,
            polls: orders as f64 / pause_s,
        }
    }
}

#[cfg(test)]
#[path = "herd_tests.rs"]
mod tests;
