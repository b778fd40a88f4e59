//! The backlog as a service level: whoever could not have a payment address in time is refused *before* a unit is taken.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::backlog::{Backlog as Estimate, Sight};
use domain::fence::Position;
use domain::id::ShardId;
use domain::order::Work;
use domain::sale::Sale;
use ports::Fault;

use crate::stores::Stores;

/// What this node sees of the way from a claim to its payment address.
#[derive(Default)]
pub struct Backlog {
    seen: Mutex<Seen>,
    /// The estimate, for the hot path.
    estimate_ms: AtomicU64,
}

#[derive(Default)]
struct Seen {
    estimate: Estimate,
    ends: HashMap<ShardId, Position>,
}

impl Backlog {
    /// How long a claim that is made now will wait for its payment address, milliseconds; never blocks.
    #[must_use]
    pub fn estimate_ms(&self) -> u64 {
        self.estimate_ms.load(Ordering::Relaxed)
    }

    fn see(&self, at_ms: u64, waiting: u64, ends: HashMap<ShardId, Position>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let came = ends.iter().map(|(shard, end)| {
            // A shard that is seen for the first time has brought nothing since the look before.
            let before = seen.ends.get(shard).map_or(end.0, |before| before.0);
            end.0.saturating_sub(before)
        });
        let came = came.sum();
        seen.ends = ends;
        seen.estimate.see(Sight { at_ms, waiting, came });
        self.estimate_ms.store(seen.estimate.estimate_ms(), Ordering::Relaxed);
    }
}

/// Looks at what waits: claims in the logs of the sales that are open, and orders without a payment address.
///
/// # Errors
/// A fault of log or ledger; the estimate stays as it was.
pub async fn look<'a>(stores: &Stores, open: impl Iterator<Item = &'a Sale>) -> Result<(), Fault> {
    let (mut waiting, mut ends) = (stores.ledger.waiting(Work::Address).await?, HashMap::new());
    for sale in open {
        for number in 0..sale.shards {
            let shard = ShardId { sale: sale.sale_id.clone(), number };
            let end = stores.claims.end(&shard).await?;
            waiting += end.0.saturating_sub(stores.allocations.position(&shard).await?.0);
            ends.insert(shard, end);
        }
    }
    let at_ms = stores.clock.elapsed().as_millis() as u64;
    stores.backlog.see(at_ms, waiting, ends);
    Ok(())
}
