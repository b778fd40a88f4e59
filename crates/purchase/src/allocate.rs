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
    let batch = match stores.claims.read(shard, from, BATCH).await {
        Err(fault @ Fault::Damaged { .. }) => return padded(stores, shard, from, fault).await,
        read => read?,
    };
    if batch.claims.is_empty() && batch.next == from {
        return Ok((from, 0));
    }
    let next = batch.next;
    let decided = match stores.allocations.allocate(shard, batch).await {
        Err(Fault::Damaged { .. }) => return one_by_one(stores, shard, from).await,
        decided => decided?,
    };
    let Some(decisions) = decided else {
        // Another reader was faster: go on from where it left off.
        return Ok((stores.allocations.position(shard).await?, 0));
    };
    Ok((next, took_in(stores, shard, decisions.len())))
}

/// A log that ends before what the ledger has taken in from it has lost its end. It is made up, so that whatever is published from
/// now on lies where it is read. What was lost and not taken in is still held, and published again by whoever looks for such holds.
async fn padded(
    stores: &Stores,
    shard: &ShardId,
    from: Position,
    fault: Fault,
) -> Result<(Position, usize), Fault> {
    let end = stores.claims.end(shard).await?;
    if end >= from {
        return Err(fault);
    }
    tracing::warn!(%shard, end = end.0, taken_in = from.0, %fault, "the claim log lost its end, and is made up");
    stores.claims.pad(shard, from).await?;
    Ok((from, 0))
}

fn took_in(stores: &Stores, shard: &ShardId, claims: usize) -> usize {
    stores.pulse.progress(Progress::Allocation, stores.clock.now(), claims as u64);
    stores.pulse.nudge(Work::Address);
    tracing::debug!(%shard, claims, "allocated");
    claims
}

/// Takes in what the ledger refused as a whole, up to the first claim that it refuses by itself. One of a product that the sale does
/// not have is put aside: somebody else than this system wrote it, and no order of it can be made. Any other stays where it is, and
/// is named: a claim of a buyer that was put aside would be a ticket that ends unpaid.
async fn one_by_one(stores: &Stores, shard: &ShardId, from: Position) -> Result<(Position, usize), Fault> {
    let sales = stores.sales.list().await?;
    let sale = sales.iter().find(|sale| sale.sale_id == shard.sale);
    let ClaimBatch { next: end, claims, .. } = stores.claims.read(shard, from, BATCH).await?;
    let (mut from, mut taken) = (from, 0);
    for (at, claim) in claims {
        let is_stranger = sale.is_some_and(|sale| claim.terms.product.index() >= sale.products.len());
        if is_stranger {
            stores.claims.put_aside(shard, at, &claim, "its member `product` is none of the sale's").await?;
        }
        let claims = if is_stranger { Vec::new() } else { vec![(at, claim)] };
        let next = Position(at.0 + 1);
        let decided = stores.allocations.allocate(shard, ClaimBatch { from, next, claims }).await;
        let decided = decided.map_err(|fault| match fault {
            Fault::Damaged { .. } => {
                let detail = format!(
                    "the claim at position {} of {shard} is refused, and those behind it wait ({fault}); \
                     docs/events.md says what to do",
                    at.0
                );
                Fault::damaged("the claim log", detail)
            }
            fault => fault,
        })?;
        let Some(decisions) = decided else {
            return Ok((stores.allocations.position(shard).await?, taken));
        };
        taken += took_in(stores, shard, decisions.len());
        from = next;
    }
    if from < end {
        let rest = ClaimBatch { from, next: end, claims: Vec::new() };
        stores.allocations.allocate(shard, rest).await?;
    }
    Ok((end, taken))
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
