//! Kafka without the adapter: what a stranger, an operator or a shop's program does.

use std::time::Duration;

use domain::id::ShardId;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::broker::SHARED;

/// The topic of a shard's claims.
pub fn topic(shard: &ShardId) -> String {
    format!("test.claims.{}", shard.sale)
}

/// A record as it lies there.
#[derive(Debug)]
pub struct Raw {
    pub key: Option<String>,
    pub value: Option<String>,
    pub headers: Vec<(String, String)>,
}

impl Raw {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn client() -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", SHARED.address());
    client
}

fn admin() -> AdminClient<DefaultClientContext> {
    client().create().unwrap()
}

fn patience() -> AdminOptions {
    let limit = Some(Duration::from_secs(20));
    AdminOptions::new().request_timeout(limit).operation_timeout(limit)
}

/// Deletes what lies before `offset`.
pub async fn delete_before(topic: &str, offset: i64) {
    let mut before = TopicPartitionList::new();
    before.add_partition_offset(topic, 0, Offset::Offset(offset)).unwrap();
    let deleted = admin().delete_records(&before, &patience()).await.unwrap();
    deleted.elements().iter().for_each(|element| element.error().unwrap());
}

/// Makes a topic, without any setting.
pub async fn make(topic: &str, partitions: i32) {
    make_with(topic, partitions, &[]).await;
}

/// Makes a topic with these settings.
pub async fn make_with(topic: &str, partitions: i32, settings: &[(&str, &str)]) {
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let new = settings.iter().fold(new, |new, (key, value)| new.set(key, value));
    admin().create_topics([&new], &patience()).await.unwrap().remove(0).unwrap();
}

/// Deletes a topic and makes it anew; a deleted name is free after a moment.
pub async fn make_anew(topic: &str) {
    let admin = admin();
    admin.delete_topics(&[topic], &patience()).await.unwrap().remove(0).unwrap();
    for _ in 0..200 {
        let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
        if admin.create_topics([&new], &patience()).await.unwrap().remove(0).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the deleted topic's name is not free");
}

/// A setting of a topic, as the broker sees it.
pub async fn setting(topic: &str, name: &str) -> String {
    let asked = [ResourceSpecifier::Topic(topic)];
    let settings = admin().describe_configs(&asked, &patience()).await.unwrap().remove(0).unwrap();
    settings.get(name).and_then(|entry| entry.value.clone()).unwrap()
}

/// Appends a record with these headers.
pub async fn append(topic: &str, key: &str, value: Option<&str>, headers: &[(&str, &str)]) {
    let producer: FutureProducer = client().create().unwrap();
    let headers = headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
        all.insert(rdkafka::message::Header { key, value: Some(*value) })
    });
    let mut record = FutureRecord::to(topic).key(key).headers(headers).partition(0);
    record.payload = value;
    producer.send(record, Duration::from_secs(10)).await.unwrap();
}

/// Appends a record in a transaction that is committed: its marker takes a position of its own.
pub fn append_in_a_transaction(topic: &str, value: &str) {
    let producer: FutureProducer = client().set("transactional.id", topic).create().unwrap();
    let limit = Duration::from_secs(20);
    producer.init_transactions(limit).unwrap();
    producer.begin_transaction().unwrap();
    let record: FutureRecord<'_, str, str> = FutureRecord::to(topic).payload(value).partition(0);
    drop(producer.send_result(record).map_err(|(error, _)| error).unwrap());
    producer.commit_transaction(limit).unwrap();
}

/// The records of a partition, from its beginning on, as many as there are when it is asked.
pub fn records(topic: &str, partition: i32) -> Vec<Raw> {
    let consumer: BaseConsumer =
        client().set("group.id", "raw").set("enable.auto.commit", "false").create().unwrap();
    let (low, high) = consumer.fetch_watermarks(topic, partition, Duration::from_secs(20)).unwrap();
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic, partition, Offset::Offset(low)).unwrap();
    consumer.assign(&from).unwrap();
    let mut records = Vec::new();
    for _ in low..high {
        let message = consumer.poll(Duration::from_secs(20)).unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers
                .iter()
                .map(|header| (header.key.to_owned(), text(header.value.unwrap_or_default())))
                .collect()
        });
        records.push(Raw { key: message.key().map(text), value: message.payload().map(text), headers });
    }
    records
}
