//! Tell: the shop's own systems hear how orders stand, at least once.

use std::collections::HashMap;

use domain::id::TicketId;
use ports::Fault;
use ports::facts::{FactLog, Facts, Untold};

/// Changes that one turn tells at most.
pub const BATCH: usize = 1024;
/// How long changes are kept from others while they are told, milliseconds.
const LEASE_MS: u64 = 30_000;

/// Tells changes that were not told; gives how many there were. Of an order that changed more than once only the newest
/// state is told: it is the one that counts.
///
/// # Errors
/// A fault of ledger or log; what was not told comes again.
pub async fn tell(facts: &dyn Facts, log: &dyn FactLog) -> Result<usize, Fault> {
    let untold = facts.take(BATCH, LEASE_MS).await?;
    if untold.is_empty() {
        return Ok(0);
    }
    let ids: Vec<u64> = untold.iter().map(|untold| untold.id).collect();
    log.publish(newest(untold)).await?;
    let count = ids.len();
    facts.told(ids).await?;
    Ok(count)
}

/// One of each order, in the order of their newest changes.
fn newest(untold: Vec<Untold>) -> Vec<Untold> {
    let last: HashMap<TicketId, u64> = untold.iter().map(|untold| (untold.order.ticket, untold.id)).collect();
    untold.into_iter().filter(|untold| last.get(&untold.order.ticket) == Some(&untold.id)).collect()
}
