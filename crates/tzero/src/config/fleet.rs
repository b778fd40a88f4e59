//! The sections of a fleet: its stores, and how its processes find one another.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

use super::model::empty_is_none;
use super::secret::Secret;
use super::tls::TlsMode;

/// `[redis]`: the inventory of a fleet, and what buyers poll.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Nodes of which at least one must answer; none: the embedded stores.
    pub nodes: Vec<String>,
    /// The user; `None`: the default one.
    #[serde(deserialize_with = "empty_is_none")]
    pub user: Option<String>,
    /// The user's password.
    #[serde(deserialize_with = "empty_is_none")]
    pub password: Option<Secret>,
    /// Whether it is spoken to over TLS.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls: Option<TlsMode>,
    /// Authorities that are believed.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_ca_file: Option<PathBuf>,
    /// The certificate that we show.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_certificate_file: Option<PathBuf>,
    /// Its key.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_key_file: Option<PathBuf>,
    /// How long a connection or an answer may take, milliseconds.
    pub timeout_ms: u64,
}

/// `[kafka]`: the claim log of a fleet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// Brokers of which at least one must answer; none: the embedded stores.
    pub brokers: Vec<String>,
    /// Whether it is spoken to over TLS.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls: Option<TlsMode>,
    /// Authorities that are believed.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_ca_file: Option<PathBuf>,
    /// The certificate that we show.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_certificate_file: Option<PathBuf>,
    /// Its key.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_key_file: Option<PathBuf>,
    /// How the brokers ask who we are; `None`: they do not.
    #[serde(deserialize_with = "empty_is_none")]
    pub sasl_mechanism: Option<SaslMechanism>,
    /// The user.
    #[serde(deserialize_with = "empty_is_none")]
    pub sasl_user: Option<String>,
    /// The user's password.
    #[serde(deserialize_with = "empty_is_none")]
    pub sasl_password: Option<Secret>,
    /// Copies of what is written; 0: as the brokers have it set.
    pub replication: u16,
    /// How long a publication may take, milliseconds.
    pub publish_timeout_ms: u64,
}

/// How brokers ask who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// The password itself is sent.
    Plain,
    /// SCRAM with SHA-256.
    ScramSha256,
    /// SCRAM with SHA-512.
    ScramSha512,
}

impl FromStr for SaslMechanism {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "PLAIN" => Ok(Self::Plain),
            "SCRAM-SHA-256" => Ok(Self::ScramSha256),
            "SCRAM-SHA-512" => Ok(Self::ScramSha512),
            other => Err(format!("there is no mechanism {other}")),
        }
    }
}

/// `[postgres]`: the ledger of a fleet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Where it is, with user, password and database; `None`: the embedded stores.
    #[serde(deserialize_with = "empty_is_none")]
    pub url: Option<Secret>,
    /// Whether it is spoken to over TLS.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls: Option<TlsMode>,
    /// Authorities that are believed.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_ca_file: Option<PathBuf>,
    /// The certificate that we show.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_certificate_file: Option<PathBuf>,
    /// Its key.
    #[serde(deserialize_with = "empty_is_none")]
    pub tls_key_file: Option<PathBuf>,
    /// Connections of one process at most.
    pub connections: usize,
}

/// `[fleet]`: several processes on the same stores.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// What this system is called on stores that it shares with other systems; empty where it shares them with none.
    pub name: String,
    /// Where the role `orders` listens for gateways.
    #[serde(deserialize_with = "empty_is_none")]
    pub orders_listen: Option<SocketAddr>,
    /// Nodes of the role `orders`, as gateways reach them; none: a gateway serves orders itself.
    pub orders_nodes: Vec<String>,
    /// After how long without an acknowledgement a claim is looked at, milliseconds.
    pub relay_after_ms: u64,
}
