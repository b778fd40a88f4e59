//! Logs that lost records: what of it is told, and how they are read on.

use adapter_kafka::Kafka;
use domain::fence::Position;
use domain::id::ShardId;
use ports::Fault;
use ports::claims::{ClaimBatch, ClaimLog as _};

use crate::broker::SHARED;
use crate::claims::{claims, read_all, shard};
use crate::raw;

async fn damage(log: &Kafka, shard: &ShardId, from: u64) -> String {
    match log.read(shard, Position(from), 10).await {
        Err(Fault::Damaged { what: "the claim log", detail }) => detail,
        other => panic!("it is damaged: {other:?}"),
    }
}

#[tokio::test]
async fn claims_that_were_deleted_unread_are_passed_over() {
    let (log, shard) = (SHARED.log().await, shard());
    let topic = raw::topic(&shard);
    log.publish(&shard, claims(&shard, 0..9)).await.unwrap();
    raw::delete_before(&topic, 5).await;
    for from in [3, 0] {
        let passed = log.read(&shard, Position(from), 10).await.unwrap();
        assert_eq!(passed, ClaimBatch { from: Position(from), next: Position(5), claims: Vec::new() });
    }
    assert_eq!(read_all(&log, &shard, 3).await, [5, 6, 7, 8], "what is left can be read");
}

#[tokio::test]
async fn a_topic_that_was_made_anew_is_told() {
    let (log, shard) = (SHARED.log().await, shard());
    let topic = raw::topic(&shard);
    log.publish(&shard, claims(&shard, 0..9)).await.unwrap();
    assert_eq!(read_all(&log, &shard, 0).await.len(), 9);
    raw::make_anew(&topic).await;
    let detail = damage(&log, &shard, 9).await;
    assert_eq!(
        detail,
        format!(
            "{shard}: position 9 is asked for, and topic {topic} ends at 0: the topic was truncated, or deleted and made anew, \
             and what the ledger has taken in from it is there no longer"
        )
    );
    // Whoever publishes is told the truth as well: after at most a few refusals the new topic has it.
    for _ in 0..20 {
        if log.publish(&shard, claims(&shard, 0..2)).await.is_ok() {
            break;
        }
    }
    assert!(log.end(&shard).await.unwrap() >= Position(2));
    assert!(damage(&log, &shard, 99).await.contains("99 is asked for"));
    assert_eq!(read_all(&SHARED.log().await, &shard, 0).await[..2], [0, 1]);
}

#[tokio::test]
async fn damage_of_one_shard_does_not_keep_another_from_being_read() {
    let (log, well, damaged) = (SHARED.log().await, shard(), shard());
    for shard in [&well, &damaged] {
        log.publish(shard, claims(shard, 0..6)).await.unwrap();
    }
    assert_eq!(read_all(&log, &well, 0).await.len(), 6);
    for round in 1..6 {
        damage(&log, &damaged, 99).await;
        log.publish(&well, claims(&well, round * 6..round * 6 + 6)).await.unwrap();
        log.wait(&damaged, Position(99)).await;
        let from = u64::from(round * 6);
        assert_eq!(read_all(&log, &well, from).await, (round * 6..round * 6 + 6).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_log_that_lost_its_end_is_made_up_and_read_on() {
    let (log, shard) = (SHARED.log().await, shard());
    log.publish(&shard, claims(&shard, 0..9)).await.unwrap();
    assert_eq!(read_all(&log, &shard, 0).await.len(), 9);
    raw::make_anew(&raw::topic(&shard)).await;
    damage(&log, &shard, 3000).await;
    let padded = async { while log.pad(&shard, Position(3000)).await.is_err() {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), padded)
        .await
        .expect("the new topic takes records");
    assert!(log.end(&shard).await.unwrap() >= Position(3000));
    log.publish(&shard, claims(&shard, 9..12)).await.unwrap();
    assert_eq!(read_all(&log, &shard, 3000).await, [9, 10, 11]);
    assert_eq!(read_all(&SHARED.log().await, &shard, 0).await, [9, 10, 11], "padding is passed over");
    assert_eq!(log.count_put_aside(), 0, "and is no dead letter");
    let end = log.end(&shard).await.unwrap();
    log.pad(&shard, Position(5)).await.unwrap();
    assert_eq!(log.end(&shard).await.unwrap(), end, "what is long enough stays as it is");
}
