//! The backlog as a service level: whoever could not have a payment address in time is refused *before* a unit is taken.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use domain::backlog::{Backlog as Estimate, Log, LogSight, Logs, Sight};
use domain::id::ShardId;
use domain::sale::Sale;
use ports::Fault;
use ports::ledger::AddressQueue;

use crate::stores::Stores;

/// What this node sees of the way from a claim to its payment address. The hot path reads a few numbers and never waits for a store.
pub struct Backlog {
    estimate: Mutex<Estimate>,
    waiting: AtomicU64,
    /// Claims of this node since the last look.
    admitted: AtomicU64,
    /// Addresses a second, as the bits of a float; 0 while nothing is known.
    rate_per_s: AtomicU64,
    stuck_ms: AtomicU64,
    logs: Mutex<Logs>,
    /// Logs that stand still, and for how long, milliseconds.
    still: RwLock<HashMap<ShardId, u64>>,
    any_still: AtomicBool,
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
            logs: Mutex::default(),
            still: RwLock::default(),
            any_still: AtomicBool::new(false),
        }
    }

    /// How long a claim of this shard that is made now will wait for its payment address, milliseconds.
    #[must_use]
    pub fn estimate_of(&self, shard: &ShardId) -> u64 {
        let everybody = self.of_everybody();
        if !self.any_still.load(Ordering::Relaxed) {
            return everybody;
        }
        let still = self.still.read().unwrap_or_else(PoisonError::into_inner);
        everybody.max(still.get(shard).copied().unwrap_or_default())
    }

    /// The longest such wait of any sale, milliseconds.
    #[must_use]
    pub fn estimate_ms(&self) -> u64 {
        self.of_everybody().max(self.still_ms())
    }

    /// For how long the log that has stood still for longest has, milliseconds; 0 where none does.
    #[must_use]
    pub fn still_ms(&self) -> u64 {
        let still = self.still.read().unwrap_or_else(PoisonError::into_inner);
        still.values().copied().max().unwrap_or_default()
    }

    /// What everybody waits for, whichever sale it is: the addresses of all are made by the same processors.
    fn of_everybody(&self) -> u64 {
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

    /// Takes in how far each log is; gives what waits in those that move.
    fn see_logs(&self, logs: Vec<Log>, at_ms: u64) -> u64 {
        let LogSight { moving, still } =
            self.logs.lock().unwrap_or_else(PoisonError::into_inner).see(logs, at_ms);
        self.any_still.store(!still.is_empty(), Ordering::Relaxed);
        *self.still.write().unwrap_or_else(PoisonError::into_inner) = still;
        moving
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

/// Looks at what waits: claims in the logs of the sales that are open, and orders without a payment address. A log that does not
/// move keeps its own sale waiting, and no other.
///
/// # Errors
/// A fault of log or ledger; the estimate stays as it was.
pub async fn look<'a>(stores: &Stores, open: impl Iterator<Item = &'a Sale>) -> Result<(), Fault> {
    let admitted = stores.backlog.admitted.load(Ordering::Relaxed);
    let mut logs = Vec::new();
    for sale in open {
        for number in 0..sale.shards {
            let shard = ShardId { sale: sale.sale_id.clone(), number };
            let end = stores.claims.end(&shard).await?;
            let position = stores.allocations.position(&shard).await?;
            logs.push(Log { shard, position, waiting: position.until(end) });
        }
    }
    let AddressQueue { waiting, idle, made } = stores.ledger.address_queue().await?;
    let at_ms = stores.clock.elapsed().as_millis() as u64;
    let claims = stores.backlog.see_logs(logs, at_ms);
    let sight = Sight { at_ms, waiting: waiting + claims, idle: idle + claims, served: made };
    stores.backlog.see(sight, admitted);
    Ok(())
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
