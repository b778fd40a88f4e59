//! Appending and reading, on a broker that is well.

use adapter_kafka::{Kafka, Refusal};
use domain::fence::Position;
use domain::id::ShardId;
use ports::Fault;
use ports::claims::ClaimLog as _;
use ports::clock::{Clock as _, SystemClock};

use crate::broker::SHARED;
use crate::claims::{claim, claims, read, read_all, shard};

#[tokio::test]
async fn what_was_published_is_read_in_order_and_again() {
    let (log, shard) = (SHARED.log().await, shard());
    assert_eq!(log.end(&shard).await.unwrap(), Position(0));
    let empty = log.read(&shard, Position(0), 10).await.unwrap();
    assert_eq!((empty.from, empty.next, empty.claims.len()), (Position(0), Position(0), 0));
    log.publish(&shard, claims(&shard, 0..3)).await.unwrap();
    assert_eq!(log.end(&shard).await.unwrap(), Position(3));
    for _ in 0..2 {
        let batch = read(&log, &shard, Position(0), 3).await;
        let expected: Vec<_> = (0..3).map(|at| (Position(u64::from(at)), claim(&shard, at))).collect();
        assert_eq!((batch.next, batch.claims), (Position(3), expected));
    }
    let one = log.read(&shard, Position(1), 1).await.unwrap();
    assert_eq!((one.next, one.claims), (Position(2), vec![(Position(1), claim(&shard, 1))]));
}

#[tokio::test]
async fn two_nodes_read_the_same_shard_and_neither_takes_anything_away() {
    let (one, other, shard) = (SHARED.log().await, SHARED.log().await, shard());
    one.publish(&shard, claims(&shard, 0..50)).await.unwrap();
    other.publish(&shard, claims(&shard, 50..100)).await.unwrap();
    let expected: Vec<u32> = (0..100).collect();
    let (left, right) = tokio::join!(read_all(&one, &shard, 0), read_all(&other, &shard, 0));
    assert_eq!((&left, &right), (&expected, &expected));
    assert_eq!(read_all(&one, &shard, 40).await, expected[40..]);
}

#[tokio::test]
async fn every_shard_has_a_partition_of_its_own() {
    let (log, first) = (SHARED.log().await, shard());
    let third = ShardId { number: 2, ..first.clone() };
    log.publish(&first, vec![claim(&first, 1)]).await.unwrap();
    log.publish(&third, vec![claim(&third, 3)]).await.unwrap();
    assert_eq!(read_all(&log, &first, 0).await, [1]);
    assert_eq!(read_all(&log, &third, 0).await, [3]);
    let second = ShardId { number: 1, ..first };
    assert_eq!(read_all(&log, &second, 0).await, [0; 0]);
}

#[tokio::test]
async fn who_waits_is_woken_by_a_claim() {
    let (log, shard) = (SHARED.log().await, shard());
    log.read(&shard, Position(0), 1).await.unwrap();
    let woken = async {
        let clock = SystemClock::start();
        log.wait(&shard, Position(0)).await;
        clock.elapsed()
    };
    let publish = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        log.publish(&shard, vec![claim(&shard, 0)]).await.unwrap();
    };
    let (took, ()) = tokio::join!(woken, publish);
    assert!((300..4_000).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test]
async fn a_batch_of_ten_thousand_is_there_whole() {
    let (log, shard) = (SHARED.log().await, shard());
    log.publish(&shard, claims(&shard, 0..10_000)).await.unwrap();
    assert_eq!(read_all(&log, &shard, 0).await, (0..10_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_shelf_that_was_full_goes_on_once_it_was_read() {
    let mut options = SHARED.options("test.");
    options.limits.shelf = 64;
    options.limits.queue = 50;
    let (log, shard) = (Kafka::connect(options).await.unwrap(), shard());
    log.publish(&shard, claims(&shard, 0..1_000)).await.unwrap();
    let first = log.read(&shard, Position(0), 10).await.unwrap();
    let count = first.claims.len() as u32;
    assert!(
        (1..=10).contains(&count) && first.next == Position(count.into()),
        "what has come, and no more than asked for"
    );
    assert_eq!(read_all(&log, &shard, count.into()).await, (count..1_000).collect::<Vec<_>>());
    assert_eq!(read_all(&log, &shard, 500).await, (500..1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    let mut options = SHARED.options("test.");
    options.brokers = vec!["127.0.0.1:9".to_owned()];
    options.limits.connect = std::time::Duration::from_secs(1);
    let refusal = Kafka::connect(options).await.err().unwrap();
    assert!(matches!(refusal, Refusal::Unreachable { .. }));
    assert!(
        refusal.to_string().contains("no Kafka broker of 127.0.0.1:9 has answered within 1000 ms"),
        "{refusal}"
    );
    let refusal = Kafka::connect(SHARED.options("a b")).await.err().unwrap();
    assert_eq!(refusal, Refusal::Prefix("a b".to_owned()));
}

#[tokio::test]
async fn a_queue_that_is_full_takes_nothing_in() {
    let mut options = SHARED.options("test.");
    options.limits.queue = 3;
    let (log, shard) = (Kafka::connect(options).await.unwrap(), shard());
    log.end(&shard).await.unwrap();
    let (first, second) =
        tokio::join!(log.publish(&shard, claims(&shard, 0..2)), log.publish(&shard, claims(&shard, 2..4)));
    assert_eq!((first, second), (Ok(()), Err(Fault::Overloaded("the claim log"))));
    log.publish(&shard, claims(&shard, 4..5)).await.unwrap();
    assert_eq!(read_all(&log, &shard, 0).await, [0, 1, 4]);
}

#[tokio::test]
async fn a_topic_that_cannot_be_made_is_named_with_how_to_make_it() {
    let mut options = SHARED.options("test.");
    options.replication = Some(3);
    let (log, shard) = (Kafka::connect(options).await.unwrap(), shard());
    let topic = crate::raw::topic(&shard);
    let refused = log.publish(&shard, claims(&shard, 0..1)).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        format!(
            "the claim log is unavailable: topic {topic} with at least 1 partitions is missing and cannot be made from here \
             (InvalidReplicationFactor (Broker: Invalid replication factor)); make it: kafka-topics.sh --create --topic {topic} \
             --partitions 1 --replication-factor 3 --config cleanup.policy=delete --config retention.ms=-1 --config \
             retention.bytes=-1 --config min.insync.replicas=2"
        )
    );
    crate::raw::make(&topic, 1).await;
    log.publish(&shard, claims(&shard, 0..1)).await.unwrap();
    assert_eq!(read_all(&log, &shard, 0).await, [0]);
}

#[tokio::test]
async fn a_shard_that_nobody_asked_for_is_read_again_once_somebody_does() {
    let mut options = SHARED.options("test.");
    options.limits.idle = std::time::Duration::from_millis(300);
    let (log, shard) = (Kafka::connect(options).await.unwrap(), shard());
    for round in 0..3 {
        log.publish(&shard, claims(&shard, round * 5..round * 5 + 5)).await.unwrap();
        assert_eq!(read_all(&log, &shard, 0).await, (0..round * 5 + 5).collect::<Vec<_>>());
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    }
}

#[tokio::test]
async fn a_topic_that_may_lose_claims_is_refused_and_one_that_keeps_them_a_day_is_not() {
    for (key, value, fits) in [
        ("cleanup.policy", "compact", false),
        ("cleanup.policy", "compact,delete", false),
        ("retention.ms", "60000", false),
        ("retention.bytes", "1000000", false),
        ("retention.ms", "86400000", true),
    ] {
        let (log, shard) = (SHARED.log().await, shard());
        let topic = crate::raw::topic(&shard);
        crate::raw::make_with(&topic, 1, &[(key, value)]).await;
        match log.publish(&shard, claims(&shard, 0..1)).await {
            Ok(_) => assert!(fits, "{key}={value} is taken"),
            Err(fault) => {
                let said = fault.to_string();
                assert!(!fits && said.contains(&format!("{topic} has {key}={value}")), "{said}");
                assert!(said.contains(&format!("--entity-name {topic} --add-config {key}=")), "{said}");
            }
        }
    }
}
