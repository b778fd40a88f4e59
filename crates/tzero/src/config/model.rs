//! The configuration as types, one struct a section; what each key means is said in `config/default.toml`.
//!
//! The structs have no defaults of their own and refuse unknown members, so that loading the default
//! proves that file and types name the same keys.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::challenge::Challenge;
use super::fleet::{Fleet, Kafka, Postgres, Redis};
use super::network::Network;
use super::origin::Settings;
use super::secret::Secret;
use super::web_address::WebAddress;

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[data]`
    pub data: Data,
    /// `[redis]`
    pub redis: Redis,
    /// `[kafka]`
    pub kafka: Kafka,
    /// `[postgres]`
    pub postgres: Postgres,
    /// `[fleet]`
    pub fleet: Fleet,
    /// `[sessions]`
    pub sessions: Sessions,
    /// `[limits]`
    pub limits: Limits,
    /// `[challenge]`
    pub challenge: Challenge,
    /// `[processor]`
    pub processor: Processor,
    /// `[expiration]`
    pub expiration: Expiration,
    /// `[payments]`
    pub payments: Payments,
    /// `[sandbox]`
    pub sandbox: Sandbox,
    /// `[status]`
    pub status: Status,
    /// `[admin]`
    pub admin: Admin,
    /// `[log]`
    pub log: Log,
    /// Every value in its plain form with its origin, for printing.
    #[serde(skip)]
    pub(super) settings: Settings,
}

/// `[server]`: the listeners and what a connection may cost.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The public listener; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A listener of its own for `/admin/v1`.
    #[serde(deserialize_with = "empty_is_none")]
    pub admin_listen: Option<SocketAddr>,
    /// What browsers call this server, without a slash at the end; `None`: derived from the listener.
    #[serde(deserialize_with = "empty_is_none")]
    pub public_url: Option<String>,
    /// Networks of proxies whose word counts for who the client is.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they say it.
    pub client_address_header: ClientAddressHeader,
    /// Until the headers of a request are there, milliseconds.
    pub header_timeout_ms: u64,
    /// Until the body of a request is there, milliseconds.
    pub body_timeout_ms: u64,
    /// Until a connection without a request is closed, milliseconds.
    pub idle_timeout_ms: u64,
    /// Open connections.
    pub max_connections: usize,
    /// Open connections of one network (an IPv4 address, an IPv6 /64) that is no trusted proxy; 0: no limit.
    pub max_connections_per_address: usize,
    /// How long a shutdown waits for requests, milliseconds.
    pub drain_timeout_ms: u64,
    /// Largest request head, bytes.
    pub header_bytes: usize,
    /// Most header lines.
    pub header_count: usize,
}

/// The header in which proxies say who the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAddressHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// `[data]`: the embedded stores.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The folder.
    pub dir: PathBuf,
    /// The secret that every key is derived from; `None`: one is made and kept in the folder.
    #[serde(deserialize_with = "empty_is_none")]
    pub secret: Option<Secret>,
}

/// `[sessions]`: who issues sessions and how they are judged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Who issues them.
    pub issuer: Issuer,
    /// How long one of the built-in issuer is valid, milliseconds.
    pub ttl_ms: u64,
    /// The one algorithm that is accepted.
    pub jwt_algorithm: JwtAlgorithm,
    /// The shop's key; there whenever the issuer is `jwt` and there is no address.
    #[serde(deserialize_with = "empty_is_none")]
    pub jwt_key_file: Option<PathBuf>,
    /// Where the shop publishes its keys as a JWKS document.
    #[serde(deserialize_with = "empty_is_none")]
    pub jwt_keys_url: Option<WebAddress>,
    /// How often that is asked, milliseconds.
    pub jwt_refresh_ms: u64,
    /// The `aud` that a token must carry.
    #[serde(deserialize_with = "empty_is_none")]
    pub jwt_audience: Option<String>,
    /// The `iss` that a token must carry.
    #[serde(deserialize_with = "empty_is_none")]
    pub jwt_issuer: Option<String>,
    /// By how much clocks may differ, milliseconds.
    pub jwt_leeway_ms: u64,
    /// Sessions that are valid no more.
    #[serde(deserialize_with = "empty_is_none")]
    pub revoked_file: Option<PathBuf>,
}

/// Who issues sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Issuer {
    /// This server, at `POST /v1/sessions`.
    Builtin,
    /// The shop.
    Jwt,
}

/// How the shop signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum JwtAlgorithm {
    /// Ed25519.
    EdDSA,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RS256,
    /// HMAC with SHA-256: the shop's secret must be kept here too.
    HS256,
}

/// `[limits]`: how much one buyer, network or sale may ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Checkouts a second of one user; 0: no limit.
    pub user_per_s: f64,
    /// Checkouts of one user at once.
    pub user_burst: u32,
    /// Requests a second of one network; 0: no limit.
    pub network_per_s: f64,
    /// Requests of one network at once.
    pub network_burst: u32,
    /// Networks that are turned away, or not limited.
    #[serde(deserialize_with = "empty_is_none")]
    pub networks_file: Option<PathBuf>,
    /// Checkouts a second of one sale; 0: no limit.
    pub sale_per_s: f64,
    /// Checkouts that may wait at once, whatever is measured.
    pub checkout_queue: usize,
    /// How long a checkout that is taken should wait for its answer, milliseconds: as many may wait as that allows.
    pub checkout_wait_ms: u64,
    /// How long a checkout may wait for the stores, milliseconds.
    pub checkout_deadline_ms: u64,
}

/// `[processor]`: how payment addresses are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    /// Payment sessions that are opened a second, at most.
    pub rate_per_s: f64,
    /// Calls under way at once, at most.
    pub concurrency: usize,
    /// A ticket without a payment address after this long expires, milliseconds.
    pub payment_address_deadline_ms: u64,
    /// First pause after a failure, milliseconds.
    pub retry_min_ms: u64,
    /// Longest pause between tries, milliseconds.
    pub retry_max_ms: u64,
}

/// `[expiration]`: how holds end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expiration {
    /// How long after its end a hold waits for a payment under way, milliseconds.
    pub grace_ms: u64,
    /// Holds looked at in one go.
    pub batch: usize,
    /// Payment sessions that are closed at once, at most.
    pub concurrency: usize,
    /// How often the loop looks, milliseconds.
    pub tick_ms: u64,
}

/// `[payments]`: the provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    /// Which one.
    pub provider: Provider,
    /// Where its API is, without a slash at the end; `None`: the provider's own place.
    #[serde(deserialize_with = "empty_is_none")]
    pub base_url: Option<String>,
    /// The key with which we call it.
    #[serde(deserialize_with = "empty_is_none")]
    pub secret_key: Option<Secret>,
    /// The secret with which it signs webhooks.
    #[serde(deserialize_with = "empty_is_none")]
    pub webhook_secret: Option<Secret>,
    /// The secret before it, while it is being rotated.
    #[serde(deserialize_with = "empty_is_none")]
    pub webhook_secret_previous: Option<Secret>,
    /// How long one call may take, milliseconds.
    pub timeout_ms: u64,
}

/// Which payment provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Our own; no money moves.
    Sandbox,
    /// Stripe.
    Stripe,
}

/// `[sandbox]`: the sandbox provider in this process and its faults; rates are shares from 0 to 1.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// Whether this process runs it.
    pub enabled: bool,
    /// Where it sends webhooks; `None`: the gateway of this process.
    #[serde(deserialize_with = "empty_is_none")]
    pub webhook_url: Option<String>,
    /// Shortest time of a call, milliseconds.
    pub latency_min_ms: u64,
    /// Longest time of a call, milliseconds.
    pub latency_max_ms: u64,
    /// Calls that fail without effect.
    pub error_rate: f64,
    /// Calls that take effect and then fail.
    pub error_after_effect_rate: f64,
    /// Calls that are never answered.
    pub timeout_rate: f64,
    /// How often each webhook is sent again.
    pub webhook_duplicate: u32,
    /// Shortest delay of a webhook, milliseconds.
    pub webhook_delay_min_ms: u64,
    /// Longest delay of a webhook, milliseconds.
    pub webhook_delay_max_ms: u64,
    /// Whether webhooks overtake each other.
    pub webhook_shuffle: bool,
    /// Webhooks that are never sent.
    pub webhook_drop_rate: f64,
    /// Webhooks with a wrong signature.
    pub webhook_forge_rate: f64,
    /// Webhooks that name a wrong amount.
    pub webhook_wrong_amount_rate: f64,
    /// Calls a second before it answers 429; 0: no limit.
    pub rate_limit_per_s: f64,
    /// Where its chances begin.
    pub seed: u64,
}

/// `[status]`: how often a buyer's page looks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Shortest pause, milliseconds.
    pub poll_min_ms: u64,
    /// Longest pause, milliseconds.
    pub poll_max_ms: u64,
}

/// `[admin]`: the operator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// The bearer token of `/admin/v1`; `None` only where every listener is on loopback.
    #[serde(deserialize_with = "empty_is_none")]
    pub token: Option<Secret>,
}

/// `[log]`: what is written on standard error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// In which form.
    pub format: LogFormat,
    /// The least that is written.
    pub level: LogLevel,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The least that is written into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Faults.
    Error,
    /// And what may become one.
    Warn,
    /// And what an operator wants to know.
    Info,
    /// And what a developer wants to know.
    Debug,
    /// And everything else.
    Trace,
}

impl LogLevel {
    /// Its name, as `tracing` filters know it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Config {
    /// Whether the stores are those of a fleet: Redis, Kafka and PostgreSQL.
    #[must_use]
    pub fn has_fleet_stores(&self) -> bool {
        self.postgres.url.is_some()
    }
}

impl Payments {
    /// Whether payments go to the sandbox in this very process.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.provider == Provider::Sandbox && self.base_url.is_none()
    }
}

/// An empty text stands for "not set".
pub(super) fn empty_is_none<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(D::Error::custom)
}
