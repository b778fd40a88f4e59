//! TLS with the stores of a fleet: the same keys in `[redis]`, `[kafka]` and `[postgres]`, and what must hold between them.
//!
//! Whoever names a store on another machine says whether it is spoken to over TLS: nothing leaves this machine in the clear
//! because a key was forgotten.

use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use super::check::{Relation, WITHOUT_FLEET};
use super::fleet::SaslMechanism;
use super::model::Config;
use super::postgres_address;

macro_rules! of_section {
    ($config:ident . $section:ident) => {{
        let section = &$config.$section;
        StoreTls {
            mode: section.tls,
            ca_file: section.tls_ca_file.as_deref(),
            certificate_file: section.tls_certificate_file.as_deref(),
            key_file: section.tls_key_file.as_deref(),
        }
    }};
}

/// Whether a store is spoken to over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// It is not: whoever is on the way reads and writes along.
    Disable,
    /// It is, and the server shows a certificate of an authority that is believed, for the host whose address was named.
    VerifyFull,
}

impl FromStr for TlsMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "disable" => Ok(Self::Disable),
            "verify-full" => Ok(Self::VerifyFull),
            other => Err(format!("there is no mode {other}")),
        }
    }
}

/// A store of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// `[redis]`
    Redis,
    /// `[kafka]`
    Kafka,
    /// `[postgres]`
    Postgres,
}

impl Store {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Redis, Self::Kafka, Self::Postgres];

    /// What its section is called.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Kafka => "kafka",
            Self::Postgres => "postgres",
        }
    }
}

/// What a section says of TLS.
#[derive(Clone, Copy, Debug)]
pub struct StoreTls<'a> {
    /// Whether; `None`: not said, and everything stays on this machine.
    pub mode: Option<TlsMode>,
    /// Authorities that are believed; `None`: those that this machine believes.
    pub ca_file: Option<&'a Path>,
    /// The certificate that we show.
    pub certificate_file: Option<&'a Path>,
    /// Its key.
    pub key_file: Option<&'a Path>,
}

impl Config {
    /// What the section of a store says of TLS.
    #[must_use]
    pub fn store_tls(&self, store: Store) -> StoreTls<'_> {
        match store {
            Store::Redis => of_section!(self.redis),
            Store::Kafka => of_section!(self.kafka),
            Store::Postgres => of_section!(self.postgres),
        }
    }

    /// Whether the address of a store leads to another machine.
    fn leads_elsewhere(&self, store: Store) -> bool {
        match store {
            Store::Redis => self.redis.nodes.iter().any(|node| !is_here(node)),
            Store::Kafka => self.kafka.brokers.iter().any(|broker| !is_here(broker)),
            Store::Postgres => {
                let url = self.postgres.url.as_ref();
                url.is_some_and(|url| {
                    postgres_address::hosts(url.expose()).iter().any(|host| !is_local(host))
                })
            }
        }
    }

    fn is_encrypted(&self, store: Store) -> bool {
        self.store_tls(store).mode == Some(TlsMode::VerifyFull)
    }
}

/// Whether `host:port` is on this machine; a name counts as another one's, since who answers to it may change.
fn is_here(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(host, _)| is_local(host))
}

fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What must hold in the section of each store; `$name` is the section's, `$address` the key that has its addresses.
macro_rules! relations_of {
    ($store:expr, $name:literal, $address:literal) => {
        [
            Relation {
                keys: &[concat!($name, ".tls"), $address],
                holds: |config| config.store_tls($store).mode.is_some() || !config.leads_elsewhere($store),
                detail: concat!(
                    "must be said, because ",
                    $address,
                    " leads to another machine: \"verify-full\" speaks TLS and makes sure who answers, \"disable\" sends \
                     everything readable, for a network that is yours alone"
                ),
            },
            Relation {
                keys: &[concat!($name, ".tls"), $address],
                holds: |config| config.store_tls($store).mode.is_none() || config.has_fleet_stores(),
                detail: WITHOUT_FLEET,
            },
            Relation {
                keys: &[concat!($name, ".tls_ca_file"), concat!($name, ".tls")],
                holds: |config| config.store_tls($store).ca_file.is_none() || config.is_encrypted($store),
                detail: concat!("has no effect without ", $name, ".tls = \"verify-full\": say that too, or leave it out"),
            },
            Relation {
                keys: &[concat!($name, ".tls_certificate_file"), concat!($name, ".tls")],
                holds: |config| {
                    config.store_tls($store).certificate_file.is_none() || config.is_encrypted($store)
                },
                detail: concat!("has no effect without ", $name, ".tls = \"verify-full\": say that too, or leave it out"),
            },
            Relation {
                keys: &[concat!($name, ".tls_key_file"), concat!($name, ".tls_certificate_file")],
                holds: |config| {
                    let tls = config.store_tls($store);
                    tls.key_file.is_some() || tls.certificate_file.is_none()
                },
                detail: concat!("must name the private key of ", $name, ".tls_certificate_file"),
            },
            Relation {
                keys: &[concat!($name, ".tls_certificate_file"), concat!($name, ".tls_key_file")],
                holds: |config| {
                    let tls = config.store_tls($store);
                    tls.certificate_file.is_some() || tls.key_file.is_none()
                },
                detail: concat!("must name the certificate of ", $name, ".tls_key_file"),
            },
        ]
    };
}

static REDIS: [Relation; 6] = relations_of!(Store::Redis, "redis", "redis.nodes");
static KAFKA: [Relation; 6] = relations_of!(Store::Kafka, "kafka", "kafka.brokers");
static POSTGRES: [Relation; 6] = relations_of!(Store::Postgres, "postgres", "postgres.url");

static OWN: [Relation; 6] = [
    Relation {
        keys: &["kafka.sasl_mechanism", "kafka.brokers"],
        holds: |config| config.kafka.sasl_mechanism.is_none() || config.has_fleet_stores(),
        detail: WITHOUT_FLEET,
    },
    Relation {
        keys: &["kafka.sasl_mechanism", "kafka.sasl_user", "kafka.sasl_password"],
        holds: |config| {
            let kafka = &config.kafka;
            kafka.sasl_mechanism.is_some() || (kafka.sasl_user.is_none() && kafka.sasl_password.is_none())
        },
        detail: "must say how the brokers ask for kafka.sasl_user and kafka.sasl_password: \"SCRAM-SHA-512\", \"SCRAM-SHA-256\" \
                 or \"PLAIN\"",
    },
    Relation {
        keys: &["kafka.sasl_user", "kafka.sasl_mechanism"],
        holds: |config| config.kafka.sasl_mechanism.is_none() || config.kafka.sasl_user.is_some(),
        detail: "must name the user, because kafka.sasl_mechanism is set",
    },
    Relation {
        keys: &["kafka.sasl_password", "kafka.sasl_mechanism"],
        holds: |config| config.kafka.sasl_mechanism.is_none() || config.kafka.sasl_password.is_some(),
        detail: "must be the password of kafka.sasl_user, because kafka.sasl_mechanism is set",
    },
    Relation {
        keys: &["kafka.sasl_mechanism", "kafka.tls"],
        holds: |config| {
            config.kafka.sasl_mechanism != Some(SaslMechanism::Plain)
                || !config.leads_elsewhere(Store::Kafka)
                || config.is_encrypted(Store::Kafka)
        },
        detail: "is \"PLAIN\", which sends the password itself: set kafka.tls = \"verify-full\" too, or use \"SCRAM-SHA-512\"",
    },
    Relation {
        keys: &["postgres.url", "postgres.tls"],
        holds: |config| {
            config.postgres.url.as_ref().is_none_or(|url| !postgres_address::speaks_of_tls(url.expose()))
        },
        detail: "must not say anything of TLS (sslmode, sslrootcert and the like): postgres.tls, postgres.tls_ca_file, \
                 postgres.tls_certificate_file and postgres.tls_key_file do, as with the other stores",
    },
];

/// What must hold.
pub(super) fn relations() -> impl Iterator<Item = &'static Relation> {
    REDIS.iter().chain(&KAFKA).chain(&POSTGRES).chain(&OWN)
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
