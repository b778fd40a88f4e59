//! Shards, as an operator looks at them.

use domain::fence::{Position, Term};
use domain::id::{Epoch, ShardId};
use ports::Fault;

use super::Operator;

/// How a shard stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardState {
    /// Which one.
    pub shard: ShardId,
    /// Its term in the ledger.
    pub term: Term,
    /// The epoch at which its inventory hands out units; `None` while it is closed.
    pub running: Option<Epoch>,
    /// How far allocation has read its log.
    pub position: Position,
    /// The end of its log.
    pub end: Position,
}

impl ShardState {
    /// Whether it sells.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.term.sells_at(self.running)
    }

    /// Claims in its log that are not taken in.
    #[must_use]
    pub const fn claims_waiting(&self) -> u64 {
        self.position.until(self.end)
    }
}

impl Operator {
    /// Every shard of every sale.
    ///
    /// # Errors
    /// A fault of a store.
    pub async fn shards(&self) -> Result<Vec<ShardState>, Fault> {
        let (stores, mut states) = (&self.stores, Vec::new());
        for sale in self.catalog.all() {
            for number in 0..sale.shards {
                let shard = ShardId { sale: sale.sale_id.clone(), number };
                states.push(ShardState {
                    term: stores.terms.term(&shard).await?,
                    running: stores.rebuild.running(&shard).await?,
                    position: stores.allocations.position(&shard).await?,
                    end: stores.claims.end(&shard).await?,
                    shard,
                });
            }
        }
        Ok(states)
    }
}
