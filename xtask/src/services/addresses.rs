//! The file that says where the stores answer: `target/services.toml`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::place::{Place, write_private};
use super::tls::{Certificates, shown};
use crate::workspace::Outcome;

/// Where each store answers; the keys are the file's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The Redis Cluster.
    pub redis: Redis,
    /// Kafka.
    pub kafka: Kafka,
    /// PostgreSQL.
    pub postgres: Postgres,
}

/// The Redis Cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redis {
    /// Nodes of which at least one must answer; the cluster names the rest.
    pub nodes: Vec<String>,
    /// Whether over TLS.
    #[serde(flatten)]
    pub tls: Tls,
}

/// Kafka.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kafka {
    /// Brokers of which at least one must answer; the cluster names the rest.
    pub brokers: Vec<String>,
    /// Whether over TLS.
    #[serde(flatten)]
    pub tls: Tls,
    /// Who they want to know comes.
    #[serde(flatten)]
    pub sasl: Option<Sasl>,
}

/// PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postgres {
    /// The address with user, password and database.
    pub url: String,
    /// Whether over TLS.
    #[serde(flatten)]
    pub tls: Tls,
}

/// What is said of TLS; nothing where everything stays on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// The authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ca_file: Option<String>,
    /// What is shown to the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate_file: Option<String>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key_file: Option<String>,
}

/// A user of Kafka.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sasl {
    /// How the brokers ask.
    pub sasl_mechanism: String,
    /// The user.
    pub sasl_user: String,
    /// The password.
    pub sasl_password: String,
}

impl Tls {
    /// A store that was named by its address, and answered without.
    pub fn disabled() -> Self {
        Self { tls: Some("disable".to_owned()), ..Self::default() }
    }

    /// As the stores of this place speak it.
    fn of(place: &Place) -> Self {
        if place.kept.tls.is_none() {
            return Self::default();
        }
        let certificates = Certificates::of(place);
        let file = |name: &str| Some(shown(&certificates.file(name)));
        Self {
            tls: Some("verify-full".to_owned()),
            tls_ca_file: file("ca.pem"),
            tls_certificate_file: file("client.pem"),
            tls_key_file: file("client.key"),
        }
    }
}

impl Addresses {
    /// Where the services of this place answer.
    pub fn of(place: &Place) -> Self {
        let kept = &place.kept;
        let (password, port) = (&kept.password, kept.postgres);
        let (redis, kafka) =
            kept.tls.as_ref().map_or((&kept.redis, kept.kafka), |tls| (&tls.redis, tls.kafka));
        let tls = Tls::of(place);
        let sasl = kept.tls.as_ref().map(|_| Sasl {
            sasl_mechanism: "SCRAM-SHA-512".to_owned(),
            sasl_user: "tzero".to_owned(),
            sasl_password: password.clone(),
        });
        let url = format!("postgres://tzero:{password}@127.0.0.1:{port}/tzero");
        Self {
            redis: Redis { nodes: redis.iter().map(|&port| local(port)).collect(), tls: tls.clone() },
            kafka: Kafka { brokers: vec![local(kafka)], tls: tls.clone(), sasl },
            postgres: Postgres { url, tls },
        }
    }

    /// Writes them beside the folder; gives where.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, String> {
        let keys = toml::to_string(self).map_err(|error| format!("cannot write the addresses: {error}"))?;
        let file = file(folder);
        write_private(
            &file,
            &format!("# Where the stores answer; written by `cargo xtask services up`.\n\n{keys}"),
        )?;
        Ok(file)
    }

    /// Those that the last `up` wrote.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let file = file(folder);
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|error| said(&error))?;
        toml::from_str(&text).map_err(|error| said(&error))
    }
}

/// Removes the file: nothing answers any longer.
pub fn forget(folder: &Path) -> Outcome {
    let file = file(folder);
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", file.display()))
        }
        _ => Ok(()),
    }
}

/// The file's place: the folder's name with `.toml`.
fn file(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".toml");
    name.into()
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[cfg(test)]
#[path = "addresses_tests.rs"]
mod tests;
