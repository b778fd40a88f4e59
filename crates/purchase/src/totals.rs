//! Totals of a sale: what the ledger says, and what is still on its way into it.

use std::ops::Deref;

use domain::id::ShardId;
use domain::sale::Sale;
use ports::Fault;
use ports::ledger::SaleTotals;

use crate::stores::Stores;

/// Totals of a sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// What the ledger says.
    pub ledger: SaleTotals,
    /// Claims in the log that are not taken in, over all shards.
    pub claims_waiting: u64,
}

impl Deref for Totals {
    type Target = SaleTotals;

    fn deref(&self) -> &SaleTotals {
        &self.ledger
    }
}

/// Reads the totals of a sale. The log is read first: what it lacks afterwards has been taken in, and is in the ledger.
///
/// # Errors
/// A fault of log or ledger.
pub async fn totals(stores: &Stores, sale: &Sale) -> Result<Totals, Fault> {
    let mut claims_waiting = 0;
    for number in 0..sale.shards {
        claims_waiting += lag(stores, &ShardId { sale: sale.sale_id.clone(), number }).await?;
    }
    Ok(Totals { ledger: stores.books.totals(&sale.sale_id).await?, claims_waiting })
}

/// Claims of a shard's log that are not taken in.
///
/// # Errors
/// A fault of log or ledger.
pub async fn lag(stores: &Stores, shard: &ShardId) -> Result<u64, Fault> {
    let end = stores.claims.end(shard).await?;
    Ok(stores.allocations.position(shard).await?.until(end))
}
