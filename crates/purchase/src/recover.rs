//! Recover: a shard gets a new epoch, loaded from the ledger. The same at every start, after every loss of an
//! inventory's memory, and for a new sale.
//!
//! No claim that was published is lost: the old epoch is fenced, the end of the log is read *after* that, and the
//! snapshot is taken once allocation has passed it. The steps R1 to R7 are those of [`domain::fence`].

use std::time::Duration;

use domain::id::{Epoch, ShardId};
use domain::snapshot::ShardSnapshot;
use ports::Fault;

use crate::allocate::allocate_until;
use crate::stores::Stores;

/// Records that one chunk carries at most.
const CHUNK: usize = 8_192;

/// How long a turn is waited for, milliseconds.
const TURN_MS: u64 = 15_000;
/// Between two looks for it.
const PAUSE: Duration = Duration::from_millis(20);

/// Whether the shard sells: its inventory is open at the term's own epoch.
///
/// # Errors
/// A fault of inventory or ledger.
pub async fn is_open(stores: &Stores, shard: &ShardId) -> Result<bool, Fault> {
    let running = stores.rebuild.running(shard).await?;
    let term = stores.terms.term(shard).await?;
    Ok(term.sells_at(running))
}

/// Renews the shard unless it is open; gives whether it is open now. Another may be at it: then look again.
///
/// # Errors
/// A fault; run it again.
pub async fn ensure_open(stores: &Stores, shard: &ShardId) -> Result<bool, Fault> {
    if is_open(stores, shard).await? {
        return Ok(true);
    }
    let Some(_turn) = stores.terms.turn(shard).await? else { return Ok(false) };
    // Somebody may have had the turn between the look and ours.
    Ok(is_open(stores, shard).await? || renew_now(stores, shard).await?.is_some())
}

/// Opens a shard that is new, unless somebody else has opened it meanwhile, or is at it.
///
/// # Errors
/// A fault, or another's renewal that takes too long; run it again.
pub async fn open(stores: &Stores, shard: &ShardId) -> Result<(), Fault> {
    let until = stores.clock.elapsed() + Duration::from_millis(TURN_MS);
    while !ensure_open(stores, shard).await? {
        wait(stores, until).await?;
    }
    Ok(())
}

/// Opens a shard at a new epoch, whatever it is at; gives the epoch, or `None` where another node did it.
///
/// # Errors
/// A fault; run it again.
pub async fn renew(stores: &Stores, shard: &ShardId) -> Result<Option<Epoch>, Fault> {
    let until = stores.clock.elapsed() + Duration::from_millis(TURN_MS);
    loop {
        if let Some(_turn) = stores.terms.turn(shard).await? {
            return renew_now(stores, shard).await;
        }
        wait(stores, until).await?;
    }
}

/// A pause while somebody else renews a shard.
async fn wait(stores: &Stores, until: Duration) -> Result<(), Fault> {
    if stores.clock.elapsed() >= until {
        return Err(Fault::unavailable("the inventory", "the shard is being renewed by somebody else"));
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

async fn renew_now(stores: &Stores, shard: &ShardId) -> Result<Option<Epoch>, Fault> {
    stores.rebuild.close(shard).await?;
    let term = stores.terms.fence(shard).await?;
    tracing::info!(%shard, epoch = term.epoch.0, "shard closed, to be renewed");
    let end = stores.claims.end(shard).await?;
    let fenced = stores.terms.set_fence(shard, term.epoch, end).await?;
    let (true, Some(fence)) = (fenced.epoch == term.epoch, fenced.fence) else { return Ok(None) };
    allocate_until(stores, shard, fence).await?;
    let Some(snapshot) = stores.terms.snapshot(shard, term.epoch).await? else { return Ok(None) };
    load(stores, shard, snapshot).await?;
    let opened = stores.terms.opened(shard, term.epoch).await?;
    tracing::info!(%shard, epoch = term.epoch.0, opened, "shard renewed");
    Ok(opened.then_some(term.epoch))
}

async fn load(stores: &Stores, shard: &ShardId, snapshot: ShardSnapshot) -> Result<(), Fault> {
    let ShardSnapshot { epoch, products, records } = snapshot;
    let key = stores.rebuild.begin(shard, epoch).await?;
    let mut records = records.into_iter().peekable();
    let mut number = 0;
    let mut products = Some(products);
    // The first chunk carries the products, and is sent even where there is no record.
    while number == 0 || records.peek().is_some() {
        let chunk = ShardSnapshot {
            epoch,
            products: products.take().unwrap_or_default(),
            records: records.by_ref().take(CHUNK).collect(),
        };
        stores.rebuild.load(shard, key, number, chunk).await?;
        number += 1;
    }
    stores.rebuild.open(shard, key, number).await
}
