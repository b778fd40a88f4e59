//! The claim log's port: appending, reading, where it ends, waiting.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::fence::Position;
use domain::hold::Claim;
use domain::id::ShardId;
use ports::Fault;
use ports::claims::{ClaimBatch, ClaimLog};
use wire::{claim_event, padding_event};

use crate::Kafka;
use crate::consumer::Standing;
use crate::dead_letters::Letter;
use crate::fault::{Bounds, LOG, is_missing, outside, unavailable};
use crate::producer::Outgoing;
use crate::shelf::Seen;
use crate::topics::partition;

/// Records of padding that are on their way together.
const PADDING: usize = 1024;
/// Who waits for what lies in the log looks this often why it does not come.
const LOOK: Duration = Duration::from_millis(500);

impl Kafka {
    /// The shard's place. Its topic is looked for the first time only: what was read ahead stays readable while no broker
    /// answers.
    async fn standing(&self, shard: &ShardId) -> Result<Arc<Standing>, Fault> {
        if let Some(standing) = self.reader.find(shard, &self.topics.name(shard)) {
            return Ok(standing);
        }
        let topic = self.topics.claims(shard).await?;
        Ok(self.reader.place(shard, topic))
    }

    /// Where the shard's log begins and ends, now. A topic that is gone is made anew, and so begins and ends at 0.
    async fn bounds(&self, standing: &Arc<Standing>) -> Result<Bounds, Fault> {
        let fault = |error| unavailable(format_args!("topic {}", standing.topic), &error);
        match self.reader.bounds(standing).await {
            Err(error) if error.rdkafka_error_code().is_some_and(is_missing) => {
                self.topics.forget(&standing.topic);
                self.topics.claims(&standing.shard).await?;
                self.reader.bounds(standing).await.map_err(fault)
            }
            asked => asked.map_err(fault),
        }
    }

    async fn send(&self, topic: &str, records: Vec<Outgoing>) -> Result<(), Fault> {
        let sent = self.publisher.send(records).await;
        if sent.is_err() {
            // It may be that the topic is gone, or was made anew: whoever comes next looks.
            self.topics.forget(topic);
        }
        sent
    }

    /// What lies at hand, with everything that is none put aside first.
    async fn look(&self, standing: &Standing, from: u64, limit: usize) -> Result<Option<ClaimBatch>, Fault> {
        loop {
            let seen = standing.shelf().look(from, limit);
            match seen {
                Seen::Batch(batch) => return Ok(Some(batch)),
                Seen::Letter(at, letter) => {
                    self.dead_letters.keep(&letter).await?;
                    standing.shelf().pass(at);
                }
                Seen::Nothing | Seen::Elsewhere => return Ok(None),
            }
        }
    }

    /// Goes on reading ahead where a full shelf has room again.
    async fn go_on(&self, standing: &Arc<Standing>) -> Result<(), Fault> {
        if standing.is_followed() || !standing.shelf().has_room() {
            return Ok(());
        }
        self.reader.follow(standing, None).await
    }

    /// What should lie between two positions does not come. A marker of a stranger's transaction takes a position and is never
    /// brought, so that nothing would come as long as it lies last: with padding behind it the next reader sees that it is passed.
    async fn overdue(&self, standing: &Standing, from: u64, high: u64) -> Fault {
        standing.fell_behind();
        let detail = format!("{}: claims from {from} to {high} have not come in time", standing.shard);
        match self.pad(&standing.shard, Position(high + 1)).await {
            Ok(()) => Fault::unavailable(LOG, detail),
            Err(fault) => fault,
        }
    }

    /// Waits until what lies at `from` is at hand; `None` where nothing does.
    async fn fetched(
        &self,
        standing: &Arc<Standing>,
        from: u64,
        limit: usize,
    ) -> Result<Option<ClaimBatch>, Fault> {
        let until = self.clock.elapsed() + self.limits.arrival;
        loop {
            let arrived = standing.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            if let Some(batch) = self.look(standing, from, limit).await? {
                return Ok(Some(batch));
            }
            let bounds = self.bounds(standing).await?;
            if let Some(fault) = outside(&standing.shard, &standing.topic, from, bounds.high) {
                return Err(fault);
            }
            if from < bounds.low {
                return Ok(Some(deleted(standing, from, bounds.low)));
            }
            if !standing.brings(from) {
                self.reader.follow(standing, Some(from)).await?;
            }
            if from == bounds.high {
                return Ok(None);
            }
            let left = until.saturating_sub(self.clock.elapsed());
            if left.is_zero() {
                return Err(self.overdue(standing, from, bounds.high).await);
            }
            // Either way it is looked again.
            let came = tokio::time::timeout(left.min(LOOK), arrived).await.is_ok();
            if came && !standing.is_followed() {
                tokio::time::sleep(left.min(LOOK / 5)).await;
            }
        }
    }
}

/// Nothing brings back what was deleted unread, by retention or by hand. Going on behind it lets whoever looks for claims that are
/// held and not known publish them again.
fn deleted(standing: &Standing, from: u64, low: u64) -> ClaimBatch {
    let Standing { shard, topic, .. } = standing;
    tracing::error!(
        %shard, topic, from, to = low,
        "{LOG}: what lay there was deleted, by retention or by hand, and the ledger has not taken it in; claims of it that are still \
         held are published again"
    );
    ClaimBatch { from: Position(from), next: Position(low), claims: Vec::new() }
}

#[async_trait]
impl ClaimLog for Kafka {
    async fn put_aside(&self, shard: &ShardId, at: Position, claim: &Claim, why: &str) -> Result<(), Fault> {
        let topic: Arc<str> = self.topics.name(shard).into();
        let record = Outgoing::event(topic, Some(partition(shard)), claim_event::write(claim));
        self.dead_letters.keep(&Letter::of_claim(record, partition(shard), at, why)).await
    }

    /// Each is counted once a reader has passed over it.
    fn count_put_aside(&self) -> u64 {
        self.dead_letters.count()
    }

    async fn publish(&self, shard: &ShardId, claims: Vec<Claim>) -> Result<(), Fault> {
        let topic: Arc<str> = self.topics.claims(shard).await?.into();
        let to = Some(partition(shard));
        let records =
            claims.iter().map(|claim| Outgoing::event(Arc::clone(&topic), to, claim_event::write(claim)));
        self.send(&topic, records.collect()).await
    }

    async fn pad(&self, shard: &ShardId, to: Position) -> Result<(), Fault> {
        loop {
            let end = self.end(shard).await?.0;
            if end >= to.0 {
                return Ok(());
            }
            let topic: Arc<str> = self.topics.claims(shard).await?.into();
            let record = |at| {
                let event = padding_event::write(shard, at, self.clock.now());
                Outgoing::event(Arc::clone(&topic), Some(partition(shard)), event)
            };
            self.send(&topic, (end..to.0).take(PADDING).map(record).collect()).await?;
        }
    }

    async fn read(&self, shard: &ShardId, from: Position, limit: usize) -> Result<ClaimBatch, Fault> {
        let standing = self.standing(shard).await?;
        let limit = limit.max(1);
        let batch = match self.look(&standing, from.0, limit).await? {
            Some(batch) => Some(batch),
            None => self.fetched(&standing, from.0, limit).await?,
        };
        self.go_on(&standing).await?;
        Ok(batch.unwrap_or(ClaimBatch { from, next: from, claims: Vec::new() }))
    }

    async fn end(&self, shard: &ShardId) -> Result<Position, Fault> {
        let standing = self.standing(shard).await?;
        Ok(Position(self.bounds(&standing).await?.high))
    }

    async fn wait(&self, shard: &ShardId, from: Position) {
        let Ok(standing) = self.standing(shard).await else { return tokio::time::sleep(LOOK).await };
        let arrived = standing.arrived.notified();
        tokio::pin!(arrived);
        arrived.as_mut().enable();
        if !standing.shelf().has(from.0) {
            // Where nothing will come by itself, a reader must look.
            let limit =
                if standing.brings(from.0) { self.limits.wait } else { self.limits.wait.min(LOOK / 2) };
            let _ = tokio::time::timeout(limit, arrived).await;
        }
    }
}
