//! The keys of the file are what configurations are written against.

use std::path::Path;

use super::{Addresses, Kafka, Postgres, Redis, file};

#[test]
fn the_file_has_these_keys() {
    let addresses = Addresses {
        redis: Redis { nodes: vec!["127.0.0.1:1".to_owned(), "127.0.0.1:2".to_owned()] },
        kafka: Kafka { brokers: vec!["127.0.0.1:3".to_owned()] },
        postgres: Postgres { url: "postgres://tzero:x@127.0.0.1:4/tzero".to_owned() },
    };
    let written = "[redis]\nnodes = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n\n[kafka]\nbrokers = [\"127.0.0.1:3\"]\n\n\
                   [postgres]\nurl = \"postgres://tzero:x@127.0.0.1:4/tzero\"\n";
    assert_eq!(toml::to_string(&addresses).unwrap(), written);
    assert_eq!(toml::from_str::<Addresses>(written).unwrap(), addresses);
}

#[test]
fn it_is_beside_the_folder() {
    assert_eq!(file(Path::new("target/services")), Path::new("target/services.toml"));
}
