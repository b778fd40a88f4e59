//! What the threads share of one shard: its inventory, the counts that are shown, and who waits.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arc_swap::ArcSwap;
use domain::hold::StockView;
use domain::id::Epoch;
use domain::inventory::Shard;
use domain::snapshot::ShardSnapshot;
use tokio::sync::watch;

/// A shard's inventory, open or closed.
pub(crate) struct Selling {
    pub(crate) open: bool,
    pub(crate) shard: Shard,
    pub(crate) loading: Option<Loading>,
}

/// An inventory that is being loaded.
pub(crate) struct Loading {
    pub(crate) key: u64,
    pub(crate) epoch: Epoch,
    pub(crate) chunks: u32,
    pub(crate) shard: Option<Shard>,
}

impl Loading {
    /// Takes the next chunk; the first one brings the products.
    pub(crate) fn take(&mut self, chunk: ShardSnapshot) {
        let shard = self.shard.get_or_insert_with(|| Shard::new(self.epoch, &chunk.products));
        chunk.records.into_iter().for_each(|record| shard.load(record));
        self.chunks += 1;
    }
}

/// One shard as every thread sees it.
pub(crate) struct ShardCell {
    selling: RwLock<Selling>,
    /// Counts by product number, as of the last commit.
    pub(crate) views: ArcSwap<Vec<StockView>>,
    /// The end of the claim log, as of the last commit.
    pub(crate) end: watch::Sender<u64>,
    /// Raised when effects were added, as of the last commit.
    pub(crate) effects: watch::Sender<u64>,
}

impl Default for ShardCell {
    fn default() -> Self {
        let selling = Selling { open: false, shard: Shard::new(Epoch(0), &[]), loading: None };
        Self {
            selling: RwLock::new(selling),
            views: ArcSwap::default(),
            end: watch::Sender::new(0),
            effects: watch::Sender::new(0),
        }
    }
}

impl ShardCell {
    /// For the writer.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Selling> {
        self.selling.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the writer, reading.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Selling> {
        self.selling.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For everybody else: at once, or not at all.
    pub(crate) fn try_read(&self) -> Option<RwLockReadGuard<'_, Selling>> {
        self.selling.try_read().ok()
    }
}
