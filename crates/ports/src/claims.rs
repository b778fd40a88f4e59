//! The claim log: the shock absorber between the inventory and the ledger.

use async_trait::async_trait;
use domain::fence::Position;
use domain::hold::Claim;
use domain::id::ShardId;

use crate::Fault;

/// Claims as they lie in the log: `claims[i]` lies at `positions[i]`, and reading goes on at `next`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimBatch {
    /// Where this batch begins.
    pub from: Position,
    /// Where reading goes on after it.
    pub next: Position,
    /// The claims, each with its position.
    pub claims: Vec<(Position, Claim)>,
}

/// An append-only log of claims, one sequence a shard.
#[async_trait]
pub trait ClaimLog: Send + Sync {
    /// Appends claims whose hold did not record them. `Ok` MUST mean that they survive every fault that the backend
    /// promises to survive. Anything else means unknown: they may have been appended.
    ///
    /// # Errors
    /// A fault of the log; the claims may have been appended.
    async fn publish(&self, shard: &ShardId, claims: Vec<Claim>) -> Result<(), Fault>;

    /// Up to `limit` claims from `from` on; returns at once, possibly with none. Where the log begins after `from`, because what
    /// lay there was deleted, that is said in the process's log, and reading goes on where the log begins.
    ///
    /// # Errors
    /// A fault of the log.
    async fn read(&self, shard: &ShardId, from: Position, limit: usize) -> Result<ClaimBatch, Fault>;

    /// The position after the last claim whose `publish` (or recording hold) has been answered: MUST cover all of them.
    ///
    /// # Errors
    /// A fault of the log.
    async fn end(&self, shard: &ShardId) -> Result<Position, Fault>;

    /// Makes the log of a shard end at `to` or later, with records that readers pass over: for a log that lost what lay at its
    /// end. A log that cannot lose it without the ledger refuses, and damage it is.
    ///
    /// # Errors
    /// A fault of the log; some of the records may have been appended.
    async fn pad(&self, shard: &ShardId, to: Position) -> Result<(), Fault> {
        Err(Fault::damaged("the claim log", format!("{shard}: the log ends before position {}", to.0)))
    }

    /// Puts the claim that lies at `at` aside, because nothing can be decided of it; reading may pass over it once this has
    /// returned. A log in which only claims of this system can lie refuses, and damage it is.
    ///
    /// # Errors
    /// A fault of the log; the claim may have been put aside.
    async fn put_aside(&self, shard: &ShardId, at: Position, _claim: &Claim, why: &str) -> Result<(), Fault> {
        Err(Fault::damaged("the claim log", format!("{shard}: the claim at {} {why}", at.0)))
    }

    /// How many records that were no claims were put aside by this process since its start; a log in which nothing else can
    /// lie has none.
    fn count_put_aside(&self) -> u64 {
        0
    }

    /// Waits until there may be something to read after `from`; may return early.
    async fn wait(&self, shard: &ShardId, from: Position);
}
