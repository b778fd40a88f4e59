//! The keys of the file are what configurations are written against.

use std::path::Path;

use super::{Addresses, Kafka, Postgres, Redis, Sasl, Tls, file};

#[test]
fn the_file_has_these_keys() {
    let addresses = Addresses {
        redis: Redis { nodes: vec!["127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned()], tls: Tls::default() },
        kafka: Kafka { brokers: vec!["127.0.0.1:3".to_owned()], tls: Tls::default(), sasl: None },
        postgres: Postgres { url: "postgres://tzero:x@127.0.0.1:4/tzero".to_owned(), tls: Tls::default() },
    };
    let written = "[redis]\nnodes = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n\n[kafka]\nbrokers = [\"127.0.0.1:3\"]\n\n\
                   [postgres]\nurl = \"postgres://tzero:x@127.0.0.1:4/tzero\"\n";
    assert_eq!(toml::to_string(&addresses).unwrap(), written);
    assert_eq!(toml::from_str::<Addresses>(written).unwrap(), addresses);
}

#[test]
fn what_a_store_asks_for_is_in_its_section() {
    let tls = Tls { tls_ca_file: Some("ca.pem".to_owned()), ..Tls::disabled() };
    let sasl = Sasl {
        sasl_mechanism: "PLAIN".to_owned(),
        sasl_user: "tzero".to_owned(),
        sasl_password: "x".to_owned(),
    };
    let kafka = Kafka { brokers: vec!["127.0.0.1:3".to_owned()], tls, sasl: Some(sasl) };
    let written = "brokers = [\"127.0.0.1:3\"]\ntls = \"disable\"\ntls_ca_file = \"ca.pem\"\nsasl_mechanism = \"PLAIN\"\n\
                   sasl_user = \"tzero\"\nsasl_password = \"x\"\n";
    assert_eq!(toml::to_string(&kafka).unwrap(), written);
    assert_eq!(toml::from_str::<Kafka>(written).unwrap(), kafka);
}

#[test]
fn it_is_beside_the_folder() {
    assert_eq!(file(Path::new("target/services")), Path::new("target/services.toml"));
}
