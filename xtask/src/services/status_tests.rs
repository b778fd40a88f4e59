//! What is stopped is named; what others run is told apart from ours.

use std::path::PathBuf;

use super::{all_run, elsewhere, row};
use crate::services::addresses::{Addresses, Kafka, Postgres, Redis, Tls};
use crate::services::process::Process;

fn stopped() -> Process {
    let folder = PathBuf::from("/data/none");
    let (words, mark) = (Vec::new(), "none".to_owned());
    Process { name: "kafka".to_owned(), port: 9092, data: folder.clone(), folder, words, mark, stop: "TERM" }
}

#[test]
fn a_stopped_process_is_shown_and_named() {
    let shown = row(&stopped());
    assert_eq!(
        shown.split_whitespace().collect::<Vec<_>>(),
        ["kafka", "stopped", "-", "9092", "-", "/data/none"]
    );
    assert_eq!(all_run(&[stopped()]), Err("stopped: kafka".to_owned()));
}

#[test]
fn a_store_at_another_address_is_elsewhere() {
    let ours = Addresses {
        redis: Redis { nodes: vec!["127.0.0.1:1".to_owned()], tls: Tls::default() },
        kafka: Kafka { brokers: vec!["127.0.0.1:1".to_owned()], tls: Tls::default(), sasl: None },
        postgres: Postgres { url: "postgres://127.0.0.1:1/tzero".to_owned(), tls: Tls::default() },
    };
    let mut written = ours.clone();
    assert!(elsewhere("kafka", &ours, &written).is_none());
    written.kafka.brokers = vec!["127.0.0.1:0".to_owned()];
    let (address, verdict) = elsewhere("kafka", &ours, &written).unwrap();
    assert_eq!(address, "127.0.0.1:0");
    assert!(verdict.is_err(), "nobody can listen on port 0");
    assert!(elsewhere("redis", &ours, &written).is_none());
}
