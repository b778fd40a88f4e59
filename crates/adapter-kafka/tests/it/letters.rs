//! What lies in a claim topic: the bytes of a claim, and what is no claim.

use adapter_kafka::Kafka;
use domain::fence::Position;
use domain::id::ShardId;
use ports::claims::ClaimLog as _;

use crate::broker::SHARED;
use crate::claims::{claim, claims, read, read_all, shard};
use crate::raw;

#[tokio::test]
async fn a_claim_lies_there_as_it_is_documented() {
    let (log, shard) = (SHARED.log().await, shard());
    log.publish(&shard, vec![claim(&shard, 5)]).await.unwrap();
    let record = raw::records(&raw::topic(&shard), 0).remove(0);
    let ticket = "00000005070707070707070707070707";
    assert_eq!(record.key.as_deref(), Some(ticket));
    let headers: Vec<_> = record.headers.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let (source, id) = (format!("/sales/{}/shards/0", shard.sale), format!("{ticket}.1"));
    assert_eq!(
        headers,
        [
            ("ce_specversion", "1.0"),
            ("ce_type", "tzero.claim.v1"),
            ("ce_source", &source),
            ("ce_id", &id),
            ("ce_subject", ticket),
            ("ce_time", "2025-11-25T10:00:00.005Z"),
            ("content-type", "application/json"),
        ]
    );
    let value = format!(
        r#"{{"ticket":"{ticket}","sale":"{}","shard":0,"epoch":1,"issued_at":"2025-11-25T10:00:00.005Z","user":"{ticket}","user_id":"buyer-5","product":0,"quantity":1,"units":[5]}}"#,
        shard.sale
    );
    assert_eq!(record.value, Some(value));
}

#[tokio::test]
async fn a_topic_that_is_made_keeps_its_records_for_ever() {
    let (log, shard) = (SHARED.log().await, shard());
    log.end(&shard).await.unwrap();
    let topic = raw::topic(&shard);
    assert_eq!(raw::setting(&topic, "retention.ms").await, "-1");
    assert_eq!(raw::setting(&topic, "retention.bytes").await, "-1");
    assert_eq!(raw::setting(&topic, "cleanup.policy").await, "delete");
}

#[tokio::test]
async fn a_topic_that_is_there_is_used_as_it_is() {
    let (log, shard) = (SHARED.log().await, shard());
    let topic = raw::topic(&shard);
    raw::make(&topic, 3).await;
    log.publish(&shard, claims(&shard, 0..4)).await.unwrap();
    assert_eq!(read_all(&log, &shard, 0).await, [0, 1, 2, 3]);
    assert_ne!(raw::setting(&topic, "retention.ms").await, "-1");
}

#[tokio::test]
async fn what_is_no_claim_is_put_aside_before_reading_passes_over_it() {
    let (shard, prefix) = (shard(), format!("letters-{}.", std::process::id()));
    let log = Kafka::connect(SHARED.options(&prefix)).await.unwrap();
    let topic = format!("{prefix}claims.{}", shard.sale);
    log.publish(&shard, vec![claim(&shard, 0)]).await.unwrap();
    let later = [("ce_specversion", "1.0"), ("ce_type", "tzero.claim.v2"), ("colour", "red")];
    raw::append(&topic, "a", Some("of a later version"), &later).await;
    let known = [("ce_specversion", "1.0"), ("ce_type", "tzero.claim.v1")];
    raw::append(&topic, "b", Some(r#"{"user_id":"ann"}"#), &known).await;
    raw::append(&topic, "c", None, &known).await;
    log.publish(&shard, vec![claim(&shard, 4)]).await.unwrap();

    let first = log.read(&shard, Position(0), 10).await.unwrap();
    assert_eq!((first.next, first.claims.len()), (Position(1), 1), "a batch ends before what is no claim");
    assert_eq!(log.count_put_aside(), 0);
    let second = read(&log, &shard, first.next, 1).await;
    assert_eq!((second.next, second.claims.len()), (Position(5), 1));
    assert_eq!(second.claims[0].0, Position(4));
    assert_eq!(log.count_put_aside(), 3);
    log.read(&shard, Position(0), 10).await.unwrap();
    assert_eq!(log.count_put_aside(), 3, "once they were put aside they are passed over");

    let letters = raw::records(&format!("{prefix}dead-letters"), 0);
    let seen: Vec<_> = letters
        .iter()
        .map(|letter| {
            assert_eq!(letter.header("tzero_topic"), Some(topic.as_str()));
            assert_eq!(letter.header("tzero_partition"), Some("0"));
            (letter.key.as_deref(), letter.value.as_deref(), letter.header("tzero_offset"))
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some("a"), Some("of a later version"), Some("1")),
            (Some("b"), Some(r#"{"user_id":"ann"}"#), Some("2")),
            (Some("c"), None, Some("3")),
        ]
    );
    assert_eq!(letters[0].header("colour"), Some("red"), "its own headers stay");
    let reasons = letters.iter().map(|letter| letter.header("tzero_reason").unwrap()).collect::<Vec<_>>();
    assert_eq!(
        reasons,
        [
            "its header `ce_type` is missing or not one that this version reads",
            "its value is not the JSON of a claim (line 1, column 17)",
            "it has no value",
        ]
    );
}

/// A log of one claim, behind which a stranger has committed a transaction: its record, and its marker, which is none.
async fn with_a_transaction() -> (Kafka, ShardId) {
    let (log, shard) = (SHARED.log().await, shard());
    let topic = raw::topic(&shard);
    log.publish(&shard, vec![claim(&shard, 0)]).await.unwrap();
    tokio::task::spawn_blocking(move || raw::append_in_a_transaction(&topic, "a stranger's")).await.unwrap();
    // The marker is written after the commit was answered.
    while log.end(&shard).await.unwrap() < Position(3) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    (log, shard)
}

#[tokio::test]
async fn positions_that_hold_no_record_are_passed_over() {
    let (log, shard) = with_a_transaction().await;
    log.publish(&shard, vec![claim(&shard, 3)]).await.unwrap();
    assert_eq!(read_all(&log, &shard, 0).await, [0, 3]);
}

#[tokio::test]
async fn a_marker_that_lies_last_is_passed_though_nobody_publishes_anything() {
    let (log, shard) = with_a_transaction().await;
    let mut next = Position(0);
    let passed = async {
        while next < Position(3) {
            // Once it says that what lies there has not come.
            next = log.read(&shard, next, 10).await.map_or(next, |batch| batch.next);
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), passed).await.expect("it is passed");
}
