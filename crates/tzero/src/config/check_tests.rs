//! Each relation is caught, at the place that broke it.

use super::super::{Config, Sources};
use super::{RELATIONS, times};

fn said(flags: &[(&str, &str)]) -> Vec<String> {
    let flags = flags.iter().map(|&(path, value)| (path.to_owned(), value.to_owned()));
    match Config::load(Sources::new().flags(flags)) {
        Ok(_) => Vec::new(),
        Err(mistakes) => {
            mistakes.all().iter().map(|mistake| format!("{}: {}", mistake.key, mistake.detail)).collect()
        }
    }
}

/// Values that break exactly one relation, in the order of the relations; those of TLS have a test of their own.
const BREAKING: &[&[(&str, &str)]] = &[
    &[("processor.retry_min_ms", "10001")],
    &[("status.poll_max_ms", "499")],
    &[("sandbox.latency_min_ms", "1")],
    &[("sandbox.webhook_delay_min_ms", "1")],
    &[("kafka.brokers", "127.0.0.1:1"), ("postgres.url", "postgres://localhost/b")],
    &[("redis.nodes", "127.0.0.1:1"), ("postgres.url", "postgres://localhost/b")],
    &[("fleet.orders_nodes", "a:1")],
    &[
        ("redis.nodes", "127.0.0.1:1"),
        ("kafka.brokers", "127.0.0.1:2"),
        ("postgres.url", "postgres://localhost/b"),
        ("fleet.orders_nodes", "a:1,b:1,a:1"),
    ],
    &[("redis.user", "tzero")],
    &[("redis.password", "word")],
    &[("kafka.replication", "3")],
    &[("fleet.orders_listen", "127.0.0.1:7000")],
    &[("sessions.issuer", "jwt")],
    &[("sessions.jwt_keys_url", "https://shop.example/keys"), ("sessions.jwt_key_file", "shop.pem")],
    &[("sessions.jwt_keys_url", "https://shop.example/keys"), ("sessions.jwt_algorithm", "HS256")],
    &[("sessions.jwt_keys_url", "http://127.0.0.1:80@shop.example/keys")],
    &[("challenge.difficulty_max", "999")],
    &[("challenge.ttl_ms", "49999")],
    &[("challenge.provider", "turnstile"), ("challenge.turnstile_secret", "s")],
    &[("challenge.provider", "turnstile"), ("challenge.turnstile_site_key", "k")],
    &[
        ("challenge.provider", "turnstile"),
        ("challenge.turnstile_secret", "s"),
        ("challenge.turnstile_site_key", "k"),
        ("challenge.turnstile_verify_url", "http://judge.example/siteverify"),
    ],
    &[("server.trusted_proxies", "10.0.0.0/8,::/0")],
    &[("server.admin_listen", "127.0.0.1:8080")],
    &[("sandbox.enabled", "false")],
    &[("payments.provider", "stripe"), ("payments.webhook_secret", "whsec")],
    &[("payments.base_url", "http://127.0.0.1:9")],
    &[("payments.webhook_secret_previous", "old")],
    &[("server.listen", "0.0.0.0:8080")],
    &[("server.listen", "0.0.0.0:8080"), ("admin.token", "seven..")],
    // From here on those of `times`.
    &[("fleet.relay_after_ms", "3000")],
    &[
        ("redis.nodes", "127.0.0.1:1"),
        ("kafka.brokers", "127.0.0.1:2"),
        ("postgres.url", "postgres://localhost/b"),
        ("redis.timeout_ms", "1000"),
    ],
    &[("kafka.publish_timeout_ms", "15000"), ("fleet.relay_after_ms", "20000")],
    &[("payments.timeout_ms", "20000")],
];

#[test]
fn every_relation_is_caught_alone() {
    let relations: Vec<_> = RELATIONS.iter().chain(times::RELATIONS).collect();
    assert_eq!(BREAKING.len(), relations.len());
    for (breaking, relation) in BREAKING.iter().zip(relations) {
        assert_eq!(said(breaking), [format!("{}: {}", relation.keys[0], relation.detail)], "{breaking:?}");
    }
}

#[test]
fn what_goes_together_passes() {
    for fitting in [
        &[("processor.retry_min_ms", "10000")][..],
        &[("sessions.issuer", "jwt"), ("sessions.jwt_key_file", "shop.pem")],
        &[("sessions.issuer", "jwt"), ("sessions.jwt_keys_url", "https://shop.example/keys")],
        &[("sessions.jwt_keys_url", "http://[::1]:8000/keys")],
        &[("sessions.jwt_keys_url", "http://localhost/keys")],
        &[
            ("redis.nodes", "127.0.0.1:1, localhost:1"),
            ("kafka.brokers", "[::1]:2"),
            ("postgres.url", "postgres://localhost/b"),
            ("fleet.name", "staging-2"),
            ("fleet.orders_nodes", "a:3,b:3"),
            ("data.secret", "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"),
        ],
        &[("server.listen", "127.0.0.1:0"), ("server.admin_listen", "127.0.0.1:0")],
        &[("server.listen", "0.0.0.0:8080"), ("admin.token", "sixteen letters.")],
        &[("server.listen", "127.0.0.1:8080"), ("admin.token", "t")],
        &[("server.listen", "[::1]:8080"), ("server.admin_listen", "127.0.0.2:1")],
        &[
            ("payments.provider", "stripe"),
            ("payments.secret_key", "sk"),
            ("payments.webhook_secret", "whsec"),
            ("sandbox.enabled", "false"),
        ],
    ] {
        assert_eq!(said(fitting), Vec::<String>::new(), "{fitting:?}");
    }
}

#[test]
fn an_open_listener_with_a_real_provider_asks_for_every_secret_at_once() {
    let said = said(&[
        ("server.listen", "0.0.0.0:8080"),
        ("payments.provider", "stripe"),
        ("sandbox.enabled", "false"),
    ]);
    let keys: Vec<&str> = said.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(keys, ["admin.token", "payments.secret_key", "payments.webhook_secret"]);
}

#[test]
fn in_the_open_a_token_that_is_guessed_at_once_is_refused() {
    let short = said(&[("server.listen", "0.0.0.0:8080"), ("admin.token", "seven..")]);
    assert!(short[0].starts_with("admin.token: must have at least 8 characters"), "{short:?}");
}

#[test]
fn an_admin_listener_in_the_open_asks_for_its_token() {
    assert!(said(&[("server.admin_listen", "192.0.2.1:1")])[0].starts_with("admin.token: must be set"));
}

#[test]
fn a_wrong_address_of_keys_asks_for_no_key_file() {
    let said = said(&[("sessions.issuer", "jwt"), ("sessions.jwt_keys_url", "ftp://shop.example/keys")]);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("sessions.jwt_keys_url: must be an address"), "{said:?}");
}

#[test]
fn a_relation_about_a_wrong_value_is_passed_over() {
    assert_eq!(said(&[("processor.retry_min_ms", "10001"), ("processor.retry_max_ms", "long")]).len(), 1);
}
