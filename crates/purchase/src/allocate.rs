//! Allocation: claims go from the log into the ledger, in order, each exactly once.

use domain::fence::Position;
use domain::id::ShardId;
use domain::order::Work;
use ports::Fault;
use ports::claims::ClaimBatch;

use crate::pulse::Progress;
use crate::stores::Stores;

/// Claims that one transaction takes in at most.
pub const BATCH: usize = 1024;

/// Takes in what waits in the shard's log from `from` on (asked from the ledger where unknown); gives the position to
/// go on from, and how many claims were taken in.
///
/// # Errors
/// A fault of log or ledger; the claims are still in the log.
pub async fn allocate(
    stores: &Stores,
    shard: &ShardId,
    from: Option<Position>,
) -> Result<(Position, usize), Fault> {
    let from = match from {
        Some(from) => from,
        None => stores.allocations.position(shard).await?,
    };
    let batch = stores.claims.read(shard, from, BATCH).await?;
    if batch.claims.is_empty() && batch.next == from {
        return Ok((from, 0));
    }
    let next = batch.next;
    let decided = match stores.allocations.allocate(shard, batch).await {
        Err(fault @ Fault::Damaged { .. }) => {
            let batch = without_strangers(stores, shard, from, fault).await?;
            stores.allocations.allocate(shard, batch).await?
        }
        decided => decided?,
    };
    let Some(decisions) = decided else {
        // Another reader was faster: go on from where it left off.
        return Ok((stores.allocations.position(shard).await?, 0));
    };
    let now = stores.clock.now();
    stores.pulse.progress(Progress::Allocation, now, decisions.len() as u64);
    stores.pulse.nudge(Work::Address);
    tracing::debug!(%shard, claims = decisions.len(), "allocated");
    Ok((next, decisions.len()))
}

/// The same claims again, without those of products that the sale does not have, which are put aside first: somebody else than
/// this system wrote them, and no order of theirs can be made. Where there is none, `fault` it is.
async fn without_strangers(
    stores: &Stores,
    shard: &ShardId,
    from: Position,
    fault: Fault,
) -> Result<ClaimBatch, Fault> {
    let sales = stores.sales.list().await?;
    let Some(sale) = sales.into_iter().find(|sale| sale.sale_id == shard.sale) else { return Err(fault) };
    let mut batch = stores.claims.read(shard, from, BATCH).await?;
    let read = std::mem::take(&mut batch.claims);
    let (known, strangers): (Vec<_>, Vec<_>) =
        read.into_iter().partition(|(_, claim)| claim.terms.product.index() < sale.products.len());
    if strangers.is_empty() {
        return Err(fault);
    }
    for (at, claim) in &strangers {
        stores.claims.put_aside(shard, *at, claim, "its member `product` is none of the sale's").await?;
    }
    batch.claims = known;
    Ok(batch)
}

/// Takes in everything up to `until`; returns when the ledger has passed it.
///
/// # Errors
/// A fault of log or ledger.
pub async fn allocate_until(stores: &Stores, shard: &ShardId, until: Position) -> Result<(), Fault> {
    let mut at = stores.allocations.position(shard).await?;
    while at < until {
        let (next, _) = allocate(stores, shard, Some(at)).await?;
        if next == at {
            return Err(Fault::damaged(
                "the claim log",
                format!("{shard}: nothing to read at {} of {}", at.0, until.0),
            ));
        }
        at = next;
    }
    Ok(())
}
