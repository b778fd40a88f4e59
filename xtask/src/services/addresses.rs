//! The file that says where the stores answer: `target/services.toml`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::place::{Place, write_private};
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
}

/// Kafka.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kafka {
    /// Brokers of which at least one must answer; the cluster names the rest.
    pub brokers: Vec<String>,
}

/// PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postgres {
    /// The address with user, password and database.
    pub url: String,
}

impl Addresses {
    /// Where the services of this place answer.
    pub fn of(place: &Place) -> Self {
        let kept = &place.kept;
        let (password, port) = (&kept.password, kept.postgres);
        Self {
            redis: Redis { nodes: kept.redis.iter().map(|&port| local(port)).collect() },
            kafka: Kafka { brokers: vec![local(kept.kafka)] },
            postgres: Postgres { url: format!("postgres://tzero:{password}@127.0.0.1:{port}/tzero") },
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
