//! Counts as this node saw them last: what answers brought along, and a look at most every 100 ms where somebody asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::hold::StockView;
use domain::id::{Epoch, ProductNo, ShardId};
use tokio::sync::Notify;

/// Shards that are remembered at most; further ones are not looked at until the process starts anew.
const SHARDS: usize = 10_000;

/// How old counts are: a later one has a higher value.
pub(crate) type Age = (Epoch, u64);

#[derive(Default)]
struct Seen {
    open: bool,
    asked: AtomicBool,
    products: HashMap<ProductNo, (Age, StockView)>,
}

/// What this node knows of every shard that somebody asked for.
#[derive(Default)]
pub(crate) struct Views {
    shards: RwLock<HashMap<ShardId, Seen>>,
    /// Somebody asked.
    pub(crate) asked: Notify,
}

impl Views {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<ShardId, Seen>> {
        self.shards.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<ShardId, Seen>> {
        self.shards.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts, where there are any; a look at the store follows in either case.
    pub(crate) fn of(&self, shard: &ShardId, product: ProductNo) -> Option<StockView> {
        let shards = self.read();
        let Some(seen) = shards.get(shard) else {
            drop(shards);
            self.remember(shard);
            self.asked.notify_one();
            return None;
        };
        if !seen.asked.swap(true, Ordering::Relaxed) {
            self.asked.notify_one();
        }
        seen.products.get(&product).map(|(_, view)| StockView { open: seen.open, ..*view })
    }

    fn remember(&self, shard: &ShardId) {
        let mut shards = self.write();
        if shards.len() < SHARDS {
            shards.entry(shard.clone()).or_default().asked = AtomicBool::new(true);
        }
    }

    /// Shards that somebody asked for since the last time.
    pub(crate) fn wanted(&self) -> Vec<ShardId> {
        let shards = self.read();
        let asked = shards.iter().filter(|(_, seen)| seen.asked.swap(false, Ordering::Relaxed));
        asked.map(|(shard, _)| shard.clone()).collect()
    }

    /// Counts that came with an answer of an open shard.
    pub(crate) fn saw(
        &self,
        shard: &ShardId,
        age: Age,
        counts: impl Iterator<Item = (ProductNo, StockView)>,
    ) {
        let mut shards = self.write();
        if shards.len() >= SHARDS && !shards.contains_key(shard) {
            return;
        }
        let seen = shards.entry(shard.clone()).or_default();
        seen.open = true;
        for (product, view) in counts {
            let entry = seen.products.entry(product).or_insert((age, view));
            if entry.0 <= age {
                *entry = (age, view);
            }
        }
    }

    /// The shard answered that it is closed.
    pub(crate) fn closed(&self, shard: &ShardId) {
        if let Some(seen) = self.write().get_mut(shard) {
            seen.open = false;
        }
    }
}
