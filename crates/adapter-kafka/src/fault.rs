//! What the client library's errors mean to who asked.

use domain::id::ShardId;
use ports::Fault;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What is unavailable, overloaded or damaged, in an operator's words.
pub(crate) const LOG: &str = "the claim log";

/// Kafka did not answer, or not as it should.
pub(crate) fn unavailable(doing: impl std::fmt::Display, error: &KafkaError) -> Fault {
    let reason = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
    Fault::unavailable(LOG, format!("{doing}: {reason}"))
}

/// Whether the topic, or this partition of it, is not there.
pub(crate) fn is_missing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
    matches!(code, UnknownPartition | UnknownTopic | UnknownTopicOrPartition)
}

/// Whether asking again may help: a leader moves, a connection broke.
pub(crate) fn is_passing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        BrokerTransportFailure, LeaderNotAvailable, NotLeaderForPartition, OffsetNotAvailable, WaitCache,
    };
    matches!(
        code,
        BrokerTransportFailure | LeaderNotAvailable | NotLeaderForPartition | OffsetNotAvailable | WaitCache
    )
}

/// The bounds of a shard's log: where the oldest record lies, and where the next one will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub low: u64,
    pub high: u64,
}

/// Why nothing can be read at a position that lies behind the log's end.
pub(crate) fn outside(shard: &ShardId, topic: &str, from: u64, high: u64) -> Option<Fault> {
    (from > high).then(|| {
        Fault::damaged(
            LOG,
            format!(
                "{shard}: position {from} is asked for, and topic {topic} ends at {high}: the topic was truncated, or deleted \
                 and made anew, and what the ledger has taken in from it is there no longer"
            ),
        )
    })
}
