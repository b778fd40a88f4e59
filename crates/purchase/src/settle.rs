//! Settle: the inventory follows the ledger, effect by effect, at least once.

use domain::id::ShardId;
use ports::Fault;

use crate::stores::Stores;

/// Effects that one call applies at most.
pub const BATCH: usize = 1024;

/// Applies the effects of a shard that wait; gives how many there were.
///
/// # Errors
/// A fault of ledger or inventory; effects that were not forgotten are applied again, which is harmless.
pub async fn settle(stores: &Stores, shard: &ShardId) -> Result<usize, Fault> {
    let (epoch, pending) = stores.effects.pending(shard, BATCH).await?;
    if pending.is_empty() {
        return Ok(0);
    }
    let ids: Vec<u64> = pending.iter().map(|pending| pending.id).collect();
    let effects: Vec<_> = pending.into_iter().map(|pending| pending.effect).collect();
    stores.inventory.settle(shard, epoch, &effects).await?;
    let count = ids.len();
    stores.effects.forget(shard, ids).await?;
    Ok(count)
}
