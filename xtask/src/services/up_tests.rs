//! A store that is named by address is looked at before anything is written down.

use std::net::TcpListener;

use super::Elsewhere;
use crate::services::addresses::{Addresses, Kafka, Postgres, Redis, Tls};

#[test]
fn one_that_does_not_answer_is_refused_and_named() {
    // Bound and closed again: nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let ours = Addresses {
        redis: Redis { nodes: vec!["ours".to_owned()], tls: Tls::default() },
        kafka: Kafka { brokers: vec!["ours".to_owned()], tls: Tls::default(), sasl: None },
        postgres: Postgres { url: "ours".to_owned(), tls: Tls::default() },
    };
    for elsewhere in [
        Elsewhere { redis: vec![nobody.clone()], ..Elsewhere::default() },
        Elsewhere { kafka: vec![nobody.clone()], ..Elsewhere::default() },
    ] {
        let mut addresses = ours.clone();
        let refusal = elsewhere.check_into(&mut addresses).unwrap_err();
        assert!(refusal.starts_with(&format!("cannot reach {nobody}")), "{refusal}");
        assert_eq!(addresses, ours);
    }
}

#[test]
fn only_those_that_are_named_are_not_started() {
    let elsewhere = Elsewhere { kafka: vec!["k:1".to_owned()], ..Elsewhere::default() };
    assert_eq!(["redis", "kafka", "postgres"].map(|name| elsewhere.names(name)), [false, true, false]);
}
