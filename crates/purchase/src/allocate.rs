//! Allocation: claims go from the log into the ledger, in order, each exactly once.

use domain::fence::Position;
use domain::id::ShardId;
use domain::order::Work;
use ports::Fault;

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
    let (next, tickets) =
        (batch.next, batch.claims.iter().map(|(_, claim)| claim.ticket).collect::<Vec<_>>());
    let Some(decisions) = stores.allocations.allocate(shard, batch).await? else {
        // Another reader was faster: go on from where it left off.
        return Ok((stores.allocations.position(shard).await?, 0));
    };
    let now = stores.clock.now();
    stores.pulse.progress(Progress::Allocation, now, decisions.len() as u64);
    stores.pulse.nudge(Work::Address);
    tracing::debug!(%shard, claims = tickets.len(), "allocated");
    Ok((next, decisions.len()))
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
