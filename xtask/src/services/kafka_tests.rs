//! The one question that is asked of Kafka, and its answer, as bytes.

use super::{CLUSTER_ID, controller, metadata_request};

/// What Kafka 4.3.1 answered: one broker, 127.0.0.1:21092, without a rack; controller 1; no topics.
const ANSWER: &[u8] = b"\0\0\0\x07\0\0\0\x01\0\0\0\x01\0\x09127.0.0.1\0\0Rd\xff\xff\0\0\0\x01\0\0\0\0";

#[test]
fn the_question_is_metadata_about_no_topic() {
    assert_eq!(metadata_request(), b"\0\0\0\x13\0\x03\0\x01\0\0\0\x07\0\x05xtask\0\0\0\0");
}

#[test]
fn the_controller_is_read_after_the_brokers() {
    assert_eq!(controller(ANSWER), Some(1));
    let mut without = ANSWER.to_vec();
    without[29..33].copy_from_slice(&(-1_i32).to_be_bytes());
    assert_eq!(controller(&without), Some(-1));
}

#[test]
fn anything_else_is_no_answer() {
    assert_eq!(controller(b"HTTP/1.1 400 Bad Request"), None);
    assert_eq!(controller(b"\0\0\0\x07\0\0\0\0\0\0\0\x01"), None, "no broker");
    for end in 0..33 {
        assert_eq!(controller(&ANSWER[..end]), None, "cut after {end} bytes");
    }
}

#[test]
fn the_cluster_has_a_name_that_kafka_takes() {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    assert!(CLUSTER_ID.len() == 22 && CLUSTER_ID.chars().all(letters), "{CLUSTER_ID}");
}
