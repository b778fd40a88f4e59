//! The inventory: numbered units, handed out by shards.

use async_trait::async_trait;
use domain::hold::{Claim, Effect, Glance, HoldOutcome, HoldRequest, Settled, StockView};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId};
use domain::inventory::InventoryUnits;
use domain::snapshot::ShardSnapshot;
use domain::time::Timestamp;

use crate::Fault;

/// A claim that the ledger has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpinned {
    /// The claim, whole: it can be published again.
    pub claim: Claim,
    /// The ticket that its buyer knows: the claim's own, unless it was made for late money. Such a claim MUST NOT be
    /// published.
    pub ticket: TicketId,
}

/// Hands out units.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// Counts of a product over all its shards: a hint that may be behind, and MUST NOT block. `sold` MUST count
    /// only what the ledger has confirmed. `None` where this node knows nothing of the product.
    fn view(&self, sale: &SaleId, product: ProductNo) -> Option<StockView>;

    /// The answer that can be given at once. MUST NOT block, MUST NOT change anything, and MUST answer only what is
    /// durable; [`Glance::Unknown`] is always allowed.
    fn glance(&self, shard: &ShardId, request: &HoldRequest) -> Glance;

    /// Decides each request, in order, atomically per request; one outcome for each. MUST be safe to repeat: the
    /// claim of a request that was decided before is replayed. MUST NOT answer before what it answers is durable
    /// as far as the backend promises durability of claims.
    ///
    /// # Errors
    /// [`Fault::Closed`] and nothing happened, or [`Fault::Unavailable`] and it may have.
    async fn hold(&self, shard: &ShardId, requests: Vec<HoldRequest>) -> Result<Vec<HoldOutcome>, Fault>;

    /// Applies effects that were read together with `epoch`. What an effect does not match exactly MUST be left alone,
    /// so that repetition is harmless. Effects of one claim are given in the order in which they were caused.
    ///
    /// # Errors
    /// [`Fault::Closed`] where the shard is closed or open at another epoch; nothing happened.
    async fn settle(&self, shard: &ShardId, epoch: Epoch, effects: &[Effect]) -> Result<Vec<Settled>, Fault>;

    /// Claims made before `before` that the ledger has not acknowledged, oldest first, at most `limit`.
    ///
    /// # Errors
    /// A fault of the store.
    async fn unpinned(
        &self,
        shard: &ShardId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Unpinned>, Fault>;

    /// These claims were published again: from here on they count as made now for [`Inventory::unpinned`]. What is not
    /// there, or is acknowledged, MUST be left alone.
    ///
    /// # Errors
    /// [`Fault::Closed`] where the shard is closed, or a fault of the store.
    async fn touch(&self, shard: &ShardId, claims: &[TicketId]) -> Result<(), Fault>;

    /// Every unit of a shard, by product number; `None` where the shard is closed.
    ///
    /// # Errors
    /// A fault of the store.
    async fn units(&self, shard: &ShardId) -> Result<Option<Vec<InventoryUnits>>, Fault>;
}

/// What a loader is given by [`Rebuild::begin`]: load and open are accepted with it only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadKey(pub u64);

/// Closes a shard, loads it anew and opens it.
#[async_trait]
pub trait Rebuild: Send + Sync {
    /// The epoch at which the shard is open now; `None` where it is closed.
    ///
    /// # Errors
    /// A fault of the store.
    async fn running(&self, shard: &ShardId) -> Result<Option<Epoch>, Fault>;

    /// Closes the shard: from here on nothing is handed out.
    ///
    /// # Errors
    /// A fault of the store.
    async fn close(&self, shard: &ShardId) -> Result<(), Fault>;

    /// Begins a load at `epoch`: MUST forget whatever was loaded or open before it. The key is the store's own.
    ///
    /// # Errors
    /// [`Fault::Closed`] where the shard is open at `epoch` or a later one.
    async fn begin(&self, shard: &ShardId, epoch: Epoch) -> Result<LoadKey, Fault>;

    /// Loads chunk `number` (0, 1, …). Each chunk MUST be applied once and in order; a repeated one is a no-op.
    ///
    /// # Errors
    /// [`Fault::Closed`] where the key is not the newest, or a chunk is missing before this one.
    async fn load(
        &self,
        shard: &ShardId,
        key: LoadKey,
        number: u32,
        chunk: ShardSnapshot,
    ) -> Result<(), Fault>;

    /// Opens the shard after exactly `chunks` chunks. Sent once: any answer but `Ok` burns the epoch.
    ///
    /// # Errors
    /// [`Fault::Closed`] where the key is not the newest or the chunks are not all there.
    async fn open(&self, shard: &ShardId, key: LoadKey, chunks: u32) -> Result<(), Fault>;
}
