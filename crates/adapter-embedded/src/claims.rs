//! The claim log: claims lie in the journal; those that the ledger has not taken in are at hand.

use async_trait::async_trait;
use domain::fence::Position;
use domain::hold::Claim;
use domain::id::ShardId;
use ports::Fault;
use ports::claims::{ClaimBatch, ClaimLog};
use wire::record::Record;

use crate::Embedded;

/// A claim is kept at hand until the ledger has passed it; reading from before that begins at the first one kept.
#[async_trait]
impl ClaimLog for Embedded {
    async fn publish(&self, shard: &ShardId, claims: Vec<Claim>) -> Result<(), Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            core.touch(&shard);
            core.record(Record::Claims { shard, claims })
        })
        .await?
    }

    async fn read(&self, shard: &ShardId, from: Position, limit: usize) -> Result<ClaimBatch, Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let book = core.book.shard(&shard);
            let first = book.position.0.max(from.0);
            let skip = (first - book.position.0) as usize;
            let claims = book.log.iter().skip(skip).take(limit).cloned().zip(first..);
            let claims: Vec<_> = claims.map(|(claim, at)| (Position(at), claim)).collect();
            let next = Position(first.min(book.end().0.max(from.0)) + claims.len() as u64);
            ClaimBatch { from, next, claims }
        })
        .await
    }

    async fn end(&self, shard: &ShardId) -> Result<Position, Fault> {
        let shard = shard.clone();
        self.call(move |core| core.book.shard(&shard).end()).await
    }

    async fn wait(&self, shard: &ShardId, from: Position) {
        let mut end = self.shared.cell(shard).end.subscribe();
        drop(end.wait_for(|end| *end > from.0).await);
    }
}
