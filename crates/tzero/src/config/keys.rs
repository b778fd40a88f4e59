//! Every key with what its value may be, in the order of `config/default.toml`.

use super::kind::Kind;
use Kind::{
    Address, AddressOrEmpty, Choice, Digits, Filled, Flag, Name, Networks, Number, Secret, Servers, Text,
    UrlOrEmpty, Whole,
};

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `section.key`.
    pub path: &'static str,
    /// What its value may be.
    pub kind: Kind,
}

/// Ten minutes: no single request may take longer.
const REQUEST_MS: u64 = 600_000;
/// What buyers are promised: a checkout is answered within a second.
const PROMISED_MS: u64 = 1_000;
/// A day.
const DAY_MS: u64 = 86_400_000;
/// Far above what one process answers.
const PER_S: f64 = 10_000_000.0;
/// Far above what one process keeps under way.
const MANY: u64 = 10_000_000;
/// A share.
const SHARE: Kind = Number(0.0, 1.0);
/// A time from a moment to a day.
const TIME: Kind = Whole(1, DAY_MS);
/// The longest delay of a sandbox fault, ten minutes.
const FAULT: Kind = Whole(0, REQUEST_MS);

/// Guesses of a challenge; a million keep a fast machine busy for minutes.
const GUESSES: Kind = Whole(1, 1_000_000);
/// Whether a store is spoken to over TLS; empty where everything stays on this machine.
const TLS: Kind = Choice(&["", "disable", "verify-full"]);

const fn key(path: &'static str, kind: Kind) -> Key {
    Key { path, kind }
}

/// Every key.
pub const KEYS: &[Key] = &[
    key("server.listen", Address),
    key("server.admin_listen", AddressOrEmpty),
    key("server.public_url", UrlOrEmpty),
    key("server.trusted_proxies", Networks),
    key("server.client_address_header", Choice(&["x-forwarded-for", "forwarded"])),
    key("server.header_timeout_ms", Whole(1, REQUEST_MS)),
    key("server.body_timeout_ms", Whole(1, REQUEST_MS)),
    key("server.idle_timeout_ms", TIME),
    key("server.max_connections", Whole(1, MANY)),
    key("server.max_connections_per_address", Whole(0, MANY)),
    key("server.drain_timeout_ms", Whole(0, REQUEST_MS)),
    key("server.header_bytes", Whole(1_024, 1_048_576)),
    key("server.header_count", Whole(8, 1_024)),
    key("data.dir", Filled),
    key("data.secret", Digits),
    key("redis.nodes", Servers),
    key("redis.user", Text),
    key("redis.password", Secret),
    key("redis.tls", TLS),
    key("redis.tls_ca_file", Text),
    key("redis.tls_certificate_file", Text),
    key("redis.tls_key_file", Text),
    key("redis.timeout_ms", Whole(1, REQUEST_MS)),
    key("kafka.brokers", Servers),
    key("kafka.tls", TLS),
    key("kafka.tls_ca_file", Text),
    key("kafka.tls_certificate_file", Text),
    key("kafka.tls_key_file", Text),
    key("kafka.sasl_mechanism", Choice(&["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])),
    key("kafka.sasl_user", Text),
    key("kafka.sasl_password", Secret),
    key("kafka.replication", Whole(0, 100)),
    key("kafka.publish_timeout_ms", Whole(100, REQUEST_MS)),
    key("postgres.url", Secret),
    key("postgres.tls", TLS),
    key("postgres.tls_ca_file", Text),
    key("postgres.tls_certificate_file", Text),
    key("postgres.tls_key_file", Text),
    key("postgres.connections", Whole(1, 65_536)),
    key("fleet.name", Name),
    key("fleet.orders_listen", AddressOrEmpty),
    key("fleet.orders_nodes", Servers),
    key("fleet.relay_after_ms", Whole(100, REQUEST_MS)),
    key("sessions.issuer", Choice(&["builtin", "jwt"])),
    key("sessions.ttl_ms", Whole(1_000, 31_536_000_000)),
    key("sessions.jwt_algorithm", Choice(&["EdDSA", "ES256", "RS256", "HS256"])),
    key("sessions.jwt_key_file", Text),
    key("sessions.jwt_keys_url", UrlOrEmpty),
    key("sessions.jwt_refresh_ms", Whole(10_000, DAY_MS)),
    key("sessions.jwt_audience", Text),
    key("sessions.jwt_issuer", Text),
    key("sessions.jwt_leeway_ms", Whole(0, REQUEST_MS)),
    key("sessions.revoked_file", Text),
    key("limits.user_per_s", Number(0.0, PER_S)),
    key("limits.user_burst", Whole(1, MANY)),
    key("limits.network_per_s", Number(0.0, PER_S)),
    key("limits.network_burst", Whole(1, MANY)),
    key("limits.networks_file", Text),
    key("limits.sale_per_s", Number(0.0, PER_S)),
    key("limits.checkout_queue", Whole(1, MANY)),
    key("limits.checkout_wait_ms", Whole(1, REQUEST_MS)),
    key("limits.checkout_deadline_ms", Whole(1, PROMISED_MS)),
    key("challenge.provider", Choice(&["altcha", "turnstile"])),
    key("challenge.ttl_ms", Whole(1_000, DAY_MS)),
    key("challenge.difficulty_min", GUESSES),
    key("challenge.difficulty_max", GUESSES),
    key("challenge.full_per_s", Whole(1, MANY)),
    key("challenge.most_per_s", Whole(0, 1_000_000)),
    key("challenge.turnstile_site_key", Text),
    key("challenge.turnstile_secret", Secret),
    key("challenge.turnstile_verify_url", UrlOrEmpty),
    key("challenge.turnstile_timeout_ms", Whole(1, REQUEST_MS)),
    key("processor.rate_per_s", Number(0.001, PER_S)),
    key("processor.concurrency", Whole(1, 65_536)),
    key("processor.payment_address_deadline_ms", TIME),
    key("processor.retry_min_ms", TIME),
    key("processor.retry_max_ms", TIME),
    key("expiration.grace_ms", Whole(0, DAY_MS)),
    key("expiration.batch", Whole(1, 65_536)),
    key("expiration.concurrency", Whole(1, 65_536)),
    key("expiration.tick_ms", Whole(1, REQUEST_MS)),
    key("payments.provider", Choice(&["sandbox", "stripe"])),
    key("payments.base_url", UrlOrEmpty),
    key("payments.secret_key", Secret),
    key("payments.webhook_secret", Secret),
    key("payments.webhook_secret_previous", Secret),
    key("payments.timeout_ms", Whole(1, REQUEST_MS)),
    key("sandbox.enabled", Flag),
    key("sandbox.webhook_url", UrlOrEmpty),
    key("sandbox.latency_min_ms", FAULT),
    key("sandbox.latency_max_ms", FAULT),
    key("sandbox.error_rate", SHARE),
    key("sandbox.error_after_effect_rate", SHARE),
    key("sandbox.timeout_rate", SHARE),
    key("sandbox.webhook_duplicate", Whole(0, 100)),
    key("sandbox.webhook_delay_min_ms", Whole(0, DAY_MS)),
    key("sandbox.webhook_delay_max_ms", Whole(0, DAY_MS)),
    key("sandbox.webhook_shuffle", Flag),
    key("sandbox.webhook_drop_rate", SHARE),
    key("sandbox.webhook_forge_rate", SHARE),
    key("sandbox.webhook_wrong_amount_rate", SHARE),
    key("sandbox.rate_limit_per_s", Number(0.0, PER_S)),
    key("sandbox.seed", Whole(0, i64::MAX as u64)),
    key("status.poll_min_ms", TIME),
    key("status.poll_max_ms", TIME),
    key("admin.token", Secret),
    key("log.format", Choice(&["text", "json"])),
    key("log.level", Choice(&["error", "warn", "info", "debug", "trace"])),
];

/// The key at this path.
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The sections, each once, in order.
pub fn sections() -> Vec<&'static str> {
    let mut sections: Vec<&str> = KEYS.iter().filter_map(|key| key.path.split('.').next()).collect();
    sections.dedup();
    sections
}

/// The variable that sets this key.
pub fn variable(path: &str) -> String {
    format!("TZERO_{}", path.replacen('.', "__", 1).to_uppercase())
}
