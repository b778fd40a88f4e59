//! Each relation is caught, alone, at each store; and what goes together passes.

use super::super::{Config, Sources};
use super::{Store, TlsMode, is_local, relations};

/// The stores of a fleet on this machine.
const HERE: [(&str, &str); 3] = [
    ("redis.nodes", "127.0.0.1:1,localhost:2"),
    ("kafka.brokers", "[::1]:3"),
    ("postgres.url", "postgres://127.0.0.1/b"),
];

type Flags = Vec<(String, String)>;

fn flags(pairs: &[(&str, &str)]) -> Flags {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn said(flags: Flags) -> Vec<String> {
    match Config::load(Sources::new().flags(flags)) {
        Ok(_) => Vec::new(),
        Err(mistakes) => {
            mistakes.all().iter().map(|mistake| format!("{}: {}", mistake.key, mistake.detail)).collect()
        }
    }
}

fn in_fleet(more: Flags) -> Vec<String> {
    said(flags(&HERE).into_iter().chain(more).collect())
}

/// What breaks exactly one relation of a store's section, in their order.
fn breaking(store: Store) -> Vec<Flags> {
    let section = store.section();
    let of = |pairs: &[(&str, &str)]| -> Flags {
        pairs.iter().map(|(key, value)| (format!("{section}.{key}"), (*value).to_owned())).collect()
    };
    let fleet = |more: Flags| flags(&HERE).into_iter().chain(more).collect();
    let elsewhere = match store {
        Store::Redis => ("nodes", "127.0.0.1:1,10.0.0.1:6379"),
        Store::Kafka => ("brokers", "broker.example.com:9094"),
        Store::Postgres => ("url", "postgres://tzero:p@ledger.example.com/tzero"),
    };
    vec![
        fleet(of(&[elsewhere])),
        of(&[("tls", "disable")]),
        of(&[("tls_ca_file", "ca.pem")]),
        of(&[("tls_certificate_file", "c.pem"), ("tls_key_file", "k.pem")]),
        fleet(of(&[("tls", "verify-full"), ("tls_certificate_file", "c.pem")])),
        fleet(of(&[("tls", "verify-full"), ("tls_key_file", "k.pem")])),
    ]
}

fn breaking_own() -> Vec<Flags> {
    let user = [("kafka.sasl_user", "u"), ("kafka.sasl_password", "p")];
    let with_user = |more: &[(&str, &str)]| flags(&[more, &user[..]].concat());
    let fleet = |more: Flags| flags(&HERE).into_iter().chain(more).collect();
    vec![
        with_user(&[("kafka.sasl_mechanism", "SCRAM-SHA-512")]),
        flags(&user),
        fleet(flags(&[("kafka.sasl_mechanism", "SCRAM-SHA-256"), user[1]])),
        fleet(flags(&[("kafka.sasl_mechanism", "SCRAM-SHA-256"), user[0]])),
        fleet(with_user(&[
            ("kafka.sasl_mechanism", "PLAIN"),
            ("kafka.brokers", "10.0.0.1:9092"),
            ("kafka.tls", "disable"),
        ])),
        fleet(flags(&[("postgres.url", "postgres://127.0.0.1/b?sslmode=require")])),
    ]
}

#[test]
fn every_relation_is_caught_alone() {
    let breaking = Store::ALL.into_iter().flat_map(breaking).chain(breaking_own());
    let breaking: Vec<Flags> = breaking.collect();
    assert_eq!(breaking.len(), relations().count());
    for (flags, relation) in breaking.into_iter().zip(relations()) {
        let expected = [format!("{}: {}", relation.keys[0], relation.detail)];
        assert_eq!(said(flags.clone()), expected, "{flags:?}");
    }
}

#[test]
fn a_store_on_another_machine_is_a_choice() {
    let elsewhere = [
        ("redis.nodes", "10.0.0.1:6379"),
        ("kafka.brokers", "10.0.0.2:9092"),
        ("postgres.url", "postgres://10.0.0.3/tzero"),
    ];
    let missing = said(flags(&elsewhere));
    let keys: Vec<&str> = missing.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(keys, ["kafka.tls", "postgres.tls", "redis.tls"]);
    for mode in ["disable", "verify-full"] {
        let chosen = [("redis.tls", mode), ("kafka.tls", mode), ("postgres.tls", mode)];
        assert_eq!(said(flags(&[elsewhere, chosen].concat())), Vec::<String>::new(), "{mode}");
    }
}

#[test]
fn what_is_said_is_what_a_store_is_told() {
    let more = flags(&[
        ("postgres.tls", "verify-full"),
        ("postgres.tls_ca_file", "ca.pem"),
        ("postgres.tls_certificate_file", "c.pem"),
        ("postgres.tls_key_file", "k.pem"),
        ("kafka.tls", "disable"),
        ("kafka.sasl_mechanism", "SCRAM-SHA-512"),
        ("kafka.sasl_user", "tzero"),
        ("kafka.sasl_password", "secret word"),
    ]);
    assert_eq!(in_fleet(more.clone()), Vec::<String>::new());
    let all = flags(&HERE).into_iter().chain(more);
    let config = Config::load(Sources::new().flags(all)).unwrap();
    let tls = config.store_tls(Store::Postgres);
    assert_eq!(tls.mode, Some(TlsMode::VerifyFull));
    assert_eq!(
        [tls.ca_file, tls.certificate_file, tls.key_file].map(|file| file.and_then(|file| file.to_str())),
        [Some("ca.pem"), Some("c.pem"), Some("k.pem")]
    );
    assert_eq!(config.store_tls(Store::Kafka).mode, Some(TlsMode::Disable));
    assert_eq!(config.store_tls(Store::Redis).mode, None);
    let (printed, shown) = (config.print(), format!("{config:?}"));
    assert!(
        printed.contains("# sasl_password = …") && printed.contains("tls_key_file = \"k.pem\""),
        "{printed}"
    );
    assert!(!printed.contains("secret word") && !shown.contains("secret word"));
}

#[test]
fn a_word_that_others_use_is_answered_with_those_that_are_right() {
    let refused = in_fleet(flags(&[("postgres.tls", "verify-ful")]));
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(
        refused[0].contains("\"disable\", \"verify-full\"") && refused[0].contains("nearest"),
        "{refused:?}"
    );
}

#[test]
fn only_loopback_is_this_machine() {
    assert!(["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"].into_iter().all(is_local));
    assert!(!["0.0.0.0", "10.0.0.1", "localhost.example.com", "redis", "[::]"].into_iter().any(is_local));
}
