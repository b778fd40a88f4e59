//! What the client library is told, and that it is told nothing where nothing is asked for.

use rdkafka::ClientConfig;

use super::{Mechanism, Sasl, Security};
use crate::Refusal;

fn scram() -> Security {
    let sasl =
        Sasl { mechanism: Mechanism::ScramSha512, user: "tzero".to_owned(), password: "secret".to_owned() };
    Security { tls: None, sasl: Some(sasl) }
}

#[test]
fn without_either_the_client_is_as_it_was() {
    let mut client = ClientConfig::new();
    Security::default().tell(&mut client).unwrap();
    assert!(client.config_map().is_empty(), "{:?}", client.config_map());
}

#[test]
fn a_user_is_told_to_a_build_that_can_and_refused_by_one_that_cannot() {
    let mut client = ClientConfig::new();
    let told = scram().tell(&mut client);
    if cfg!(feature = "tls") {
        assert_eq!(told, Ok(()));
        assert_eq!(client.get("security.protocol"), Some("sasl_plaintext"));
        assert_eq!(client.get("sasl.mechanisms"), Some("SCRAM-SHA-512"));
        client.create_native_config().expect("the library knows them all");
    } else {
        assert_eq!(told, Err(Refusal::BuiltWithout));
    }
}

#[test]
fn nobody_sees_user_or_password() {
    let shown = format!("{:?}", scram());
    assert!(!shown.contains("secret") && !shown.contains("tzero"), "{shown}");
}
