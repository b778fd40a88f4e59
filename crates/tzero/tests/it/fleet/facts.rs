//! What a shop's own program reads of orders in Kafka.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{PATIENCE, Server};
use crate::stores;

/// Partitions of the topic.
const PARTITIONS: i32 = 8;

/// Reads the topic from its beginning until `enough`.
fn read_until(topic: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let brokers: Vec<String> =
        serde_json::from_value(stores::fleet()["kafka"]["brokers"].clone()).expect("addresses");
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers.join(",")).set("group.id", "a shop's program");
    let consumer: BaseConsumer = client.create().expect("a consumer");
    let mut from = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        from.add_partition_offset(topic, partition, Offset::Beginning).expect("a place");
    }
    consumer.assign(&from).expect("assigned");
    let mut read = Vec::new();
    let turns = PATIENCE.as_millis() / 100;
    for _ in 0..turns {
        if enough(&read) {
            return read;
        }
        // A topic that is not there yet is an error that goes away.
        if let Some(Ok(record)) = consumer.poll(Duration::from_millis(100)) {
            read.push(serde_json::from_slice(record.payload().expect("a value")).expect("JSON"));
        }
    }
    panic!("only this came: {read:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shops_program_hears_how_orders_end() {
    let server = Server::start(&[]);
    server.sale("s", 2, json!({})).await;
    let (buyer, other) = (server.buyer().await, server.buyer().await);
    let ticket = server.buy("s", &buyer, "k").await.ticket();
    let url = server.payable(&ticket).await;
    server.pay(&url, "pay").await;
    server.until(&ticket, "confirmed").await;
    let given_up = server.buy("s", &other, "k").await.ticket();
    server.payable(&given_up).await;
    let path = format!("/v1/orders/{given_up}");
    server.request(Method::DELETE, &path).send().await.expect("an answer");
    server.until(&given_up, "cancelled").await;
    let ends = |read: &[Value], user: &str, status: &str| {
        read.iter().any(|fact| fact["user_id"] == user && fact["status"] == status)
    };
    let (buyer, other) = (buyer.user, other.user);
    let topic = format!("tzero.{}.orders", server.name());
    let reading = tokio::task::spawn_blocking(move || {
        let read =
            read_until(&topic, |read| ends(read, &buyer, "confirmed") && ends(read, &other, "cancelled"));
        (read, buyer)
    });
    let (read, buyer) = reading.await.expect("read");
    let sold = read.iter().find(|fact| fact["user_id"] == *buyer && fact["status"] == "confirmed");
    let sold = sold.expect("it was read");
    assert_eq!((&sold["sale"], &sold["product"], &sold["quantity"]), (&"s".into(), &"p".into(), &1.into()));
    assert_eq!((&sold["amount"], &sold["currency"]), (&"10.00".into(), &"EUR".into()));
    assert_eq!(sold["units"].as_array().map(Vec::len), Some(1));
}
