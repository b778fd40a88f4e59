//! Dead letters: records of a claim topic that are no claims, kept for a person before reading passes over them.
//!
//! A letter has the bytes, key and headers of the record, and four headers more: `tzero_topic`, `tzero_partition`,
//! `tzero_offset` and `tzero_reason`. Two readers, or one that began again, may put the same record aside twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::fence::Position;
use ports::Fault;
use rdkafka::message::{BorrowedMessage, Header, Message as _, OwnedHeaders};

use crate::fault::LOG;
use crate::producer::{Outgoing, Publisher};
use crate::topics::Topics;

/// A record that is no claim.
pub(crate) struct Letter {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: OwnedHeaders,
    topic: String,
    partition: i32,
    offset: i64,
    reason: String,
}

/// Shows where it came from and nothing of what it holds.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({} {} {})", self.topic, self.partition, self.offset)
    }
}

impl Letter {
    pub(crate) fn of(message: &BorrowedMessage<'_>, reason: impl std::fmt::Display) -> Self {
        Self {
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: message
                .headers()
                .map_or_else(OwnedHeaders::new, rdkafka::message::BorrowedHeaders::detach),
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            reason: reason.to_string(),
        }
    }

    /// A claim that could be read, and of which nothing can be decided: its members as they were read.
    pub(crate) fn of_claim(record: Outgoing, partition: i32, at: Position, reason: &str) -> Self {
        let Outgoing { topic, key, value, headers, .. } = record;
        Self {
            key,
            value,
            headers,
            topic: topic.to_string(),
            partition,
            offset: i64::try_from(at.0).unwrap_or(i64::MAX),
            reason: reason.to_owned(),
        }
    }

    /// One for tests that look at no letter.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        let (key, value, headers) = (None, None, OwnedHeaders::new());
        Self { key, value, headers, topic: String::new(), partition: 0, offset: 0, reason: String::new() }
    }

    fn outgoing(&self, topic: String) -> Outgoing {
        let (partition, offset) = (self.partition.to_string(), self.offset.to_string());
        let origin = [
            ("tzero_topic", self.topic.as_str()),
            ("tzero_partition", &partition),
            ("tzero_offset", &offset),
            ("tzero_reason", &self.reason),
        ];
        let headers = origin.into_iter().fold(self.headers.clone(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        Outgoing {
            topic: topic.into(),
            partition: Some(0),
            key: self.key.clone(),
            value: self.value.clone(),
            headers,
        }
    }
}

/// Puts records aside.
pub(crate) struct DeadLetters {
    publisher: Arc<Publisher>,
    topics: Arc<Topics>,
    count: AtomicU64,
}

impl DeadLetters {
    pub(crate) const fn new(publisher: Arc<Publisher>, topics: Arc<Topics>) -> Self {
        Self { publisher, topics, count: AtomicU64::new(0) }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns once the letter is durable.
    pub(crate) async fn keep(&self, letter: &Letter) -> Result<(), Fault> {
        let topic = self.topics.dead_letters().await?;
        self.publisher.send(vec![letter.outgoing(topic)]).await?;
        self.count.fetch_add(1, Ordering::Relaxed);
        let Letter { topic, partition, offset, reason, .. } = letter;
        tracing::warn!(topic, partition, offset, reason, "{LOG}: a record that is no claim was put aside");
        Ok(())
    }
}
