//! Reading dead letters, for a person who looks: where each came from, and nothing of what it holds.

use std::sync::Arc;
use std::time::Duration;

use ports::Fault;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use crate::consumer::{Consumer, config};
use crate::context::Context;
use crate::fault::{LOG, is_missing, unavailable};
use crate::topics::{Names, blocking};
use crate::{Kafka, Limits, Options, Refusal, client};

/// The topic's one partition that is written to.
const PARTITION: i32 = 0;
/// One look waits no longer than this for a record.
const TURN: Duration = Duration::from_millis(100);

/// A record that was put aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it lies among the dead letters.
    pub position: u64,
    /// When it was put aside, milliseconds since 1970, where the topic says so.
    pub at_ms: Option<i64>,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// Bytes of the record's value; `None` where it has none.
    pub bytes: Option<usize>,
    /// Where the record lay, as its headers say: topic, partition and position.
    pub origin: [String; 3],
    /// Why it is no claim.
    pub reason: String,
}

/// The newest dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letters {
    /// The topic in which they lie.
    pub topic: String,
    /// How many there are, with those that were not read.
    pub total: u64,
    /// The newest, in their order.
    pub newest: Vec<DeadLetter>,
}

/// Reads dead letters; changes nothing, and makes no topic.
pub struct LetterReader {
    consumer: Arc<Consumer>,
    topic: String,
    limits: Limits,
}

impl LetterReader {
    /// Connects, and makes sure that a broker answers.
    ///
    /// # Errors
    /// A refusal that says what to do.
    pub async fn connect(options: Options) -> Result<Self, Refusal> {
        let (topic, limits) = (Names::parse(&options.prefix)?.dead_letters(), options.limits);
        let mut config = config(&client(&options)?, &options.prefix);
        let consumer = config.set("enable.partition.eof", "true").create_with_context(Context::default());
        let consumer = Arc::new(consumer.map_err(|error| Refusal::Client(error.to_string()))?);
        drop(Kafka::connect(options).await?);
        Ok(Self { consumer, topic, limits })
    }

    /// The newest `limit` of them; none where there is no topic.
    ///
    /// # Errors
    /// A fault of the log.
    pub async fn newest(&self, limit: u64) -> Result<Letters, Fault> {
        let (consumer, topic, limits) = (Arc::clone(&self.consumer), self.topic.clone(), self.limits);
        let read = blocking(move || read(&consumer, &topic, limits, limit)).await?;
        let read = read.map_err(|error| unavailable(format_args!("reading topic {}", self.topic), &error))?;
        let (total, newest) = read.ok_or_else(|| {
            Fault::unavailable(LOG, format!("the records of topic {} have not come in time", self.topic))
        })?;
        Ok(Letters { topic: self.topic.clone(), total, newest })
    }
}

/// How many there are, and the newest of them; `None` where they do not come in time.
fn read(
    consumer: &Consumer,
    topic: &str,
    limits: Limits,
    limit: u64,
) -> KafkaResult<Option<(u64, Vec<DeadLetter>)>> {
    let (low, high) = match consumer.fetch_watermarks(topic, PARTITION, limits.answer) {
        Err(error) if error.rdkafka_error_code().is_some_and(is_missing) => return Ok(Some((0, Vec::new()))),
        asked => asked?,
    };
    let total = u64::try_from(high - low).unwrap_or_default();
    let from = high - i64::try_from(total.min(limit)).unwrap_or_default();
    let mut at = TopicPartitionList::new();
    at.add_partition_offset(topic, PARTITION, Offset::Offset(from))?;
    consumer.assign(&at)?;
    let (mut newest, mut next, mut waited) = (Vec::new(), from, Duration::ZERO);
    while next < high {
        match consumer.poll(TURN) {
            // What a stranger's transaction has left at the end is a marker, and no record.
            Some(Err(KafkaError::PartitionEOF(_))) => break,
            Some(record) => {
                let record = record?;
                next = record.offset() + 1;
                waited = Duration::ZERO;
                newest.push(letter(&record));
            }
            None if waited >= limits.arrival => return Ok(None),
            None => waited += TURN,
        }
    }
    Ok(Some((total, newest)))
}

fn letter(record: &BorrowedMessage<'_>) -> DeadLetter {
    let mut letter = DeadLetter {
        position: u64::try_from(record.offset()).unwrap_or_default(),
        at_ms: record.timestamp().to_millis(),
        key: record.key().map(<[u8]>::to_vec),
        bytes: record.payload().map(<[u8]>::len),
        ..DeadLetter::default()
    };
    for header in record.headers().into_iter().flat_map(|headers| headers.iter()) {
        // Those that were put to it come last, and count where the record has others of the same name.
        let said = || String::from_utf8_lossy(header.value.unwrap_or_default()).into_owned();
        match header.key {
            "tzero_topic" => letter.origin[0] = said(),
            "tzero_partition" => letter.origin[1] = said(),
            "tzero_offset" => letter.origin[2] = said(),
            "tzero_reason" => letter.reason = said(),
            _ => {}
        }
    }
    letter
}
