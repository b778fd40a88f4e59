//! The backlog as a service level: whoever could not have a payment address in time is refused *before* a unit is taken.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::backlog::{Backlog as Estimate, Sight};
use domain::id::ShardId;
use domain::sale::Sale;
use ports::Fault;
use ports::ledger::AddressQueue;

use crate::stores::Stores;
use crate::totals::lag;

/// What this node sees of the way from a claim to its payment address. The hot path reads four numbers and never waits.
pub struct Backlog {
    estimate: Mutex<Estimate>,
    waiting: AtomicU64,
    /// Claims of this node since the last look.
    admitted: AtomicU64,
    /// Addresses a second, as the bits of a float; 0 while nothing is known.
    rate_per_s: AtomicU64,
    stuck_ms: AtomicU64,
}

impl Backlog {
    /// Nothing was seen yet; at most `limit_per_s` addresses are made in a second by everybody together, where that is known.
    #[must_use]
    pub fn new(limit_per_s: Option<f64>) -> Self {
        let estimate = Estimate::new(limit_per_s);
        let rate = estimate.rate_per_s().unwrap_or_default();
        Self {
            estimate: Mutex::new(estimate),
            waiting: AtomicU64::new(0),
            admitted: AtomicU64::new(0),
            rate_per_s: AtomicU64::new(rate.to_bits()),
            stuck_ms: AtomicU64::new(0),
        }
    }

    /// How long a claim that is made now will wait for its payment address, milliseconds.
    #[must_use]
    pub fn estimate_ms(&self) -> u64 {
        let waiting = self.waiting.load(Ordering::Relaxed) + self.admitted.load(Ordering::Relaxed);
        if waiting == 0 {
            return 0;
        }
        let rate = f64::from_bits(self.rate_per_s.load(Ordering::Relaxed));
        // Saturates: an hour and a century are refused alike.
        let served = if rate > 0.0 { (waiting as f64 * 1_000.0 / rate) as u64 } else { 0 };
        served.max(self.stuck_ms.load(Ordering::Relaxed))
    }

    /// A claim was made; it counts at once, and not only from the next look on.
    pub(crate) fn admit(&self) {
        self.admitted.fetch_add(1, Ordering::Relaxed);
    }

    fn see(&self, sight: Sight, admitted_before: u64) {
        let mut estimate = self.estimate.lock().unwrap_or_else(PoisonError::into_inner);
        estimate.see(sight);
        self.rate_per_s.store(estimate.rate_per_s().unwrap_or_default().to_bits(), Ordering::Relaxed);
        self.stuck_ms.store(estimate.stuck_ms(), Ordering::Relaxed);
        self.waiting.store(sight.waiting, Ordering::Relaxed);
        // What was admitted before the look is in what was seen; what came since is not.
        self.admitted.fetch_sub(admitted_before, Ordering::Relaxed);
    }
}

/// Looks at what waits: claims in the logs of the sales that are open, and orders without a payment address.
///
/// # Errors
/// A fault of log or ledger; the estimate stays as it was.
pub async fn look<'a>(stores: &Stores, open: impl Iterator<Item = &'a Sale>) -> Result<(), Fault> {
    let admitted = stores.backlog.admitted.load(Ordering::Relaxed);
    let mut claims = 0;
    for sale in open {
        for number in 0..sale.shards {
            claims += lag(stores, &ShardId { sale: sale.sale_id.clone(), number }).await?;
        }
    }
    let AddressQueue { waiting, idle, made } = stores.ledger.address_queue().await?;
    let at_ms = stores.clock.elapsed().as_millis() as u64;
    let sight = Sight { at_ms, waiting: waiting + claims, idle: idle + claims, served: made };
    stores.backlog.see(sight, admitted);
    Ok(())
}
