//! The way to a payment address: how fast addresses are made, how long the last winner waits, when all is sold.
//!
//! A buyer's time to pay begins when the payment address is there; until then `processor.payment_address_deadline_ms`
//! limits the wait, and a ticket without an address ends. So a slow provider never eats a buyer's time, but its rate
//! decides how many winners can have an address before the deadline.

/// What bounds how many payment addresses are made in a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// `processor.rate_per_s` of all processes that make addresses.
    pub configured: f64,
    /// Sessions a second that the provider takes, where it is known.
    pub provider: Option<f64>,
    /// `processor.concurrency` of all processes that make addresses.
    pub calls: f64,
    /// How long a call to the provider takes, seconds, where it is known.
    pub call_s: Option<f64>,
}

/// Which of them bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `processor.rate_per_s`.
    Configured,
    /// The provider.
    Provider,
    /// As many calls at once as `processor.concurrency` allows, each as long as it takes.
    Calls,
}

impl Bound {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Configured => "processor.rate_per_s bounds it",
            Self::Provider => "the provider bounds it",
            Self::Calls => "processor.concurrency and the time of a call bound it",
        }
    }
}

impl Rates {
    /// Payment addresses a second at most, and what bounds them.
    #[must_use]
    pub fn least(&self) -> (f64, Bound) {
        let calls = self.call_s.map(|took| self.calls / took);
        let bounds = [(self.provider, Bound::Provider), (calls, Bound::Calls)];
        let known = bounds.into_iter().filter_map(|(rate, bound)| Some((rate?, bound)));
        known.fold(
            (self.configured, Bound::Configured),
            |least, other| {
                if other.0 < least.0 { other } else { least }
            },
        )
    }
}

/// Until the last of `orders` that come at once has its payment address, seconds.
#[must_use]
pub fn last_wait_s(orders: u64, per_s: f64) -> f64 {
    orders as f64 / per_s
}

/// How many of `orders` that come at once have their payment address within `deadline_s`.
#[must_use]
pub fn in_time(orders: u64, per_s: f64, deadline_s: f64) -> u64 {
    // A whole number that was rounded on its way stays that number.
    (per_s.mul_add(deadline_s, 1e-6) as u64).min(orders)
}

/// The share of an order below which the last one counts as sold.
const LAST: f64 = 0.5;

/// Until all of `orders` are sold, seconds, where whoever does not pay lets a whole hold pass and the next buyers are there.
///
/// Round by round: addresses are made for what is free, and a hold later the share that was not paid for is free again.
#[must_use]
pub fn sold_after_s(orders: u64, per_s: f64, pay_share: f64, hold_s: f64) -> f64 {
    rounds(orders, per_s, pay_share, hold_s).1
}

/// Until the last of these units is claimed, seconds: at the beginning of the last round. A sale that ends then takes no more
/// checkouts, but holds that run may still be paid.
#[must_use]
pub fn last_claim_s(orders: u64, per_s: f64, pay_share: f64, hold_s: f64) -> f64 {
    rounds(orders, per_s, pay_share, hold_s).0
}

/// When the last round begins and when it ends, seconds.
fn rounds(orders: u64, per_s: f64, pay_share: f64, hold_s: f64) -> (f64, f64) {
    let (mut left, mut begun, mut took) = (orders as f64, 0.0, 0.0);
    while left >= LAST {
        begun = took;
        took += left / per_s + hold_s;
        left *= 1.0 - pay_share;
    }
    (begun, took)
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
