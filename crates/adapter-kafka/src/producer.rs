//! Appending: a record is there once every replica in sync has it, in the order in which it was handed over.

use std::sync::{Arc, Mutex, PoisonError};

use ports::Fault;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use tokio::sync::Semaphore;
use wire::event::Event;

use crate::Limits;
use crate::context::Context;
use crate::fault::{LOG, unavailable};

/// A record on its way to the log.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub topic: Arc<str>,
    /// Where it must go; by its key where that is all the same.
    pub partition: Option<i32>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: OwnedHeaders,
}

impl Outgoing {
    /// An event as a record.
    pub(crate) fn event(topic: Arc<str>, partition: Option<i32>, event: Event) -> Self {
        let Event { key, headers, value } = event;
        let none = OwnedHeaders::new_with_capacity(headers.len());
        let headers = headers
            .iter()
            .fold(none, |all, (key, value)| all.insert(Header { key, value: Some(value.as_str()) }));
        Self { topic, partition, key: Some(key.into_bytes()), value: Some(value), headers }
    }

    fn hand_to(self, client: &Client) -> Result<DeliveryFuture, KafkaError> {
        let record = FutureRecord {
            topic: &self.topic,
            partition: self.partition,
            payload: self.value.as_deref(),
            key: self.key.as_deref(),
            timestamp: None,
            headers: Some(self.headers),
        };
        client.send_result(record).map_err(|(error, _)| error)
    }
}

type Client = FutureProducer<Context>;

/// Appends records.
pub(crate) struct Publisher {
    config: ClientConfig,
    client: Mutex<Client>,
    /// Room for records on their way.
    room: Semaphore,
    queue: usize,
}

impl Publisher {
    pub(crate) fn new(client: &ClientConfig, limits: Limits) -> KafkaResult<Self> {
        let queue = limits.queue.clamp(1, 1_000_000);
        let delivery = limits.delivery.as_millis().max(10);
        let mut config = client.clone();
        config
            // Order is kept and nothing is appended twice, also where the client sends again.
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "1")
            .set("message.timeout.ms", delivery.to_string())
            .set("request.timeout.ms", delivery.clamp(10, 30_000).to_string())
            // Where a Java program would put the same key.
            .set("partitioner", "murmur2_random")
            // Room is counted here, so that a full queue is known before anything is handed over.
            .set("queue.buffering.max.messages", (queue * 2).to_string());
        let client = Mutex::new(config.create_with_context(Context::default())?);
        Ok(Self { config, client, room: Semaphore::new(queue), queue })
    }

    /// The client that appends now.
    pub(crate) fn client(&self) -> Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns once all of them are there, in this order. [`Fault::Overloaded`] means that none was handed over; any other
    /// fault that some or all may have been appended.
    pub(crate) async fn send(&self, records: Vec<Outgoing>) -> Result<(), Fault> {
        let share = records.len().min(self.queue);
        let room = self.room.try_acquire_many(share.try_into().unwrap_or(u32::MAX));
        let _room = room.map_err(|_| Fault::Overloaded(LOG))?;
        let mut records = records.into_iter();
        while records.len() > 0 {
            self.send_share(records.by_ref().take(self.queue)).await?;
        }
        Ok(())
    }

    async fn send_share(&self, records: impl Iterator<Item = Outgoing>) -> Result<(), Fault> {
        let client = self.client();
        let (mut under_way, mut failure) = (Vec::with_capacity(records.size_hint().0), None);
        for record in records {
            match record.hand_to(&client) {
                Ok(delivery) => under_way.push(delivery),
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) if under_way.is_empty() => {
                    return Err(Fault::Overloaded(LOG));
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let failure = first_failure(under_way).await.or(failure);
        failure.map_or(Ok(()), |error| Err(self.failed(&client, &error)))
    }

    /// A client that has lost count of what it sent appends nothing any longer, and another takes its place.
    fn failed(&self, client: &Client, error: &KafkaError) -> Fault {
        if let Some((code, reason)) = client.client().fatal_error() {
            tracing::warn!(%code, reason, "{LOG}: the client that appends is made anew");
            match self.config.create_with_context(Context::default()) {
                Ok(new) => self.replace(client, new),
                Err(error) => tracing::warn!(%error, "{LOG}: it cannot be made"),
            }
        }
        unavailable("a record was not acknowledged, and may have been appended", error)
    }

    fn replace(&self, old: &Client, new: Client) {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let same = std::ptr::eq(old.client().native_ptr(), client.client().native_ptr());
        if same {
            *client = new;
        }
    }
}

/// Waits for all of them.
async fn first_failure(under_way: Vec<DeliveryFuture>) -> Option<KafkaError> {
    let mut failure = None;
    for delivery in under_way {
        let error = match delivery.await {
            Ok(Ok(_)) => continue,
            Ok(Err((error, _))) => error,
            Err(_) => KafkaError::Canceled,
        };
        failure = failure.or(Some(error));
    }
    failure
}
