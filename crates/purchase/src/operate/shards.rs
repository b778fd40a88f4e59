//! Shards, as an operator looks at them.

use std::sync::Arc;
use std::time::Duration;

use domain::fence::{Position, Term, TermState};
use domain::id::{Epoch, ShardId};
use domain::sale::Sale;
use futures::StreamExt as _;
use ports::Fault;

use super::Operator;
use crate::stores::Stores;

/// Shards that are asked about side by side: those that hang leave room for the others.
const AT_ONCE: usize = 64;
/// How long a store may take to say something of one shard.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the whole list may take.
const LIST: Duration = Duration::from_secs(5);

/// Whether a shard sells, as far as the stores have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It sells.
    Open,
    /// It does not: one store is enough to know that.
    Closed,
    /// A store that would have to say so did not answer.
    Unknown,
}

/// How a shard stands: of each store what it says, or why it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardState {
    /// Which one.
    pub shard: ShardId,
    /// Its term in the ledger.
    pub term: Result<Term, Fault>,
    /// The epoch at which its inventory hands out units; `None` while it is closed.
    pub running: Result<Option<Epoch>, Fault>,
    /// How far allocation has read its log, as the ledger says.
    pub position: Result<Position, Fault>,
    /// The end of its log.
    pub end: Result<Position, Fault>,
}

impl ShardState {
    /// Whether it sells.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (&self.term, &self.running) {
            (Ok(term), Ok(running)) if term.sells_at(*running) => Standing::Open,
            (Ok(_), Ok(_)) | (_, Ok(None)) => Standing::Closed,
            (Ok(term), Err(_)) if term.state != TermState::Open => Standing::Closed,
            _ => Standing::Unknown,
        }
    }

    /// Claims in its log that are not taken in, where both ends are known.
    #[must_use]
    pub fn claims_waiting(&self) -> Option<u64> {
        let (position, end) = (self.position.as_ref().ok()?, self.end.as_ref().ok()?);
        Some(position.until(*end))
    }
}

impl Operator {
    /// Every shard of every sale, with what is known of each. No store that is away or hangs keeps back what others say, nor the
    /// list.
    pub async fn shards(&self) -> Vec<ShardState> {
        let until = self.stores.clock.elapsed() + LIST;
        let of_sale = |sale: Arc<Sale>| {
            let shard = |number| ShardId { sale: sale.sale_id.clone(), number };
            (0..sale.shards).map(shard).collect::<Vec<_>>()
        };
        let shards: Vec<ShardId> = self.catalog.all().into_iter().flat_map(of_sale).collect();
        let asked = shards.into_iter().map(|shard| state(&self.stores, shard, until));
        futures::stream::iter(asked).buffered(AT_ONCE).collect().await
    }
}

async fn state(stores: &Stores, shard: ShardId, until: Duration) -> ShardState {
    let limit = until.saturating_sub(stores.clock.elapsed()).min(PATIENCE);
    let (term, running, position, end) = tokio::join!(
        in_time("the ledger", limit, stores.terms.term(&shard)),
        in_time("the inventory", limit, stores.rebuild.running(&shard)),
        in_time("the ledger", limit, stores.allocations.position(&shard)),
        in_time("the claim log", limit, stores.claims.end(&shard)),
    );
    ShardState { shard, term, running, position, end }
}

async fn in_time<T>(
    store: &'static str,
    limit: Duration,
    asked: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let answered = tokio::time::timeout(limit, asked).await;
    answered.unwrap_or_else(|_| Err(Fault::unavailable(store, "no answer in time")))
}

#[cfg(test)]
#[path = "shards_tests.rs"]
mod tests;
