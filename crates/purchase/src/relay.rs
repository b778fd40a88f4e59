//! Relay: closes the gap between an inventory that gave units and a log that never heard of it.
//!
//! Whoever asked for the units was not answered, or was answered with a fault: the claim may still be bought under its key.
//! Published again, it is taken in, told its end by the ledger as any other, and its units come back if nobody pays.

use std::time::Duration;

use domain::fence::Position;
use domain::hold::{Claim, Effect, EffectKind};
use domain::id::{ShardId, TicketId};
use ports::Fault;
use ports::inventory::Unpinned;

use crate::stores::{Settings, Stores};

/// Claims that one turn looks at.
pub const BATCH: usize = 256;
/// How long allocation may take to pass what the log had, milliseconds; where it takes longer, claims wait there.
const PASS_MS: u64 = 2_000;
const PAUSE: Duration = Duration::from_millis(50);

/// Publishes claims of a shard that neither log nor ledger knows, and gives back what a late payment took in vain; gives
/// how many there were.
///
/// # Errors
/// A fault of a store; run it again.
pub async fn relay(stores: &Stores, settings: &Settings, shard: &ShardId) -> Result<usize, Fault> {
    let before = stores.clock.now().minus_millis(settings.relay_after_ms);
    let found = stores.inventory.unpinned(shard, before, BATCH).await?;
    if found.is_empty() || !passed(stores, shard, stores.claims.end(shard).await?).await? {
        return Ok(0);
    }
    let (mut lost, mut done) = (Vec::new(), 0);
    for Unpinned { claim, ticket } in found {
        if ticket != claim.ticket {
            done += usize::from(give_up_late(stores, &claim, ticket).await?);
        } else if stores.ledger.order(ticket).await?.is_none() {
            lost.push(claim);
        }
        // What the ledger knows is acknowledged by an effect that is on its way.
    }
    if !lost.is_empty() {
        let tickets: Vec<_> = lost.iter().map(|claim| claim.ticket).collect();
        tracing::warn!(%shard, claims = lost.len(), "published again");
        stores.claims.publish(shard, lost).await?;
        stores.inventory.touch(shard, &tickets).await?;
        done += tickets.len();
    }
    Ok(done)
}

/// Whether allocation has passed `end`: what was in the log by then is known to the ledger.
async fn passed(stores: &Stores, shard: &ShardId, end: Position) -> Result<bool, Fault> {
    let until = stores.clock.elapsed() + Duration::from_millis(PASS_MS);
    while stores.allocations.position(shard).await? < end {
        if stores.clock.elapsed() >= until {
            return Ok(false);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(true)
}

/// Gives back units that an attempt at a late payment took, where it can use them no more: the order does not have them,
/// and a newer attempt has begun or none is wanted. Also a hold that came after its attempt was given up ends here.
async fn give_up_late(stores: &Stores, claim: &Claim, ticket: TicketId) -> Result<bool, Fault> {
    if let Some(order) = stores.ledger.order(ticket).await?
        && order.may_use_late(claim.ticket, stores.ids.late_claim(ticket, order.late_attempts))
    {
        return Ok(false);
    }
    let (product, units) = (claim.terms.product, claim.units.clone());
    let effect = Effect { kind: EffectKind::Release, product, claim: claim.ticket, units };
    stores.inventory.settle(&claim.shard, claim.epoch, &[effect]).await?;
    Ok(true)
}
