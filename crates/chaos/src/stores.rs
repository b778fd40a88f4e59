//! The stores as their administrators see them: processes that are signalled and started, and commands of Redis.

use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::Value;
use serde::Deserialize;
use tokio::process::Command;
use tokio_postgres::NoTls;

use crate::clock::Environment;

/// How long a node of Redis may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Addresses {
    redis: Nodes,
    kafka: Brokers,
    postgres: Server,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<String>,
}

#[derive(Deserialize)]
struct Brokers {
    brokers: Vec<String>,
}

#[derive(Deserialize)]
struct Server {
    url: String,
}

/// The stores that `cargo xtask services` runs.
pub struct Stores {
    services: PathBuf,
    folder: PathBuf,
    /// Nodes of Redis, in the order of their names: `redis-1`, `redis-2`, …
    pub redis: Vec<String>,
    /// Brokers of Kafka.
    pub kafka: Vec<String>,
    /// PostgreSQL, with its first database.
    pub postgres: String,
}

/// A node of the cluster as it sees itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its place among the nodes.
    pub at: usize,
    /// Its name in the cluster.
    pub id: String,
    /// Where the other nodes talk to it.
    pub bus: u16,
    /// Whose replica it is.
    pub master: Option<String>,
    epoch: u64,
    slots: Vec<(u16, u16)>,
}

impl Node {
    /// What `cargo xtask services` calls it.
    pub fn name(&self) -> String {
        format!("redis-{}", self.at + 1)
    }

    /// Reads its own line of `CLUSTER NODES`.
    fn read(at: usize, text: &str) -> Option<Self> {
        let line = text.lines().find(|line| line.contains("myself"))?;
        let words: Vec<&str> = line.split(' ').collect();
        let (id, flags, master, epoch) = (words.first()?, words.get(2)?, words.get(3)?, words.get(6)?);
        let (_, bus) = words.get(1)?.split_once('@')?;
        let bus = bus.split(',').next()?.parse().ok()?;
        let slots = words.iter().skip(8).filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some((first.parse().ok()?, last.parse().ok()?))
        });
        Some(Self {
            at,
            id: (*id).to_owned(),
            bus,
            master: flags.contains("slave").then(|| (*master).to_owned()),
            epoch: epoch.parse().ok()?,
            slots: slots.collect(),
        })
    }

    fn serves(&self, slot: u16) -> bool {
        self.master.is_none() && self.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot))
    }
}

impl Stores {
    /// Those whose addresses are in `file`; `services` is the program that runs them.
    pub fn read(services: &Path, file: &Path) -> Result<Self, String> {
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| said(&error))?;
        let addresses: Addresses = toml::from_str(&text).map_err(|error| said(&error))?;
        Ok(Self {
            services: services.to_path_buf(),
            folder: file.with_extension(""),
            redis: addresses.redis.nodes,
            kafka: addresses.kafka.brokers,
            postgres: addresses.postgres.url,
        })
    }

    /// `cargo xtask services …` on these stores.
    pub async fn services(&self, words: &[&str]) -> Result<(), String> {
        self.services_in(words, Vec::new()).await
    }

    /// The same; what it starts inherits the environment.
    async fn services_in(&self, words: &[&str], environment: Environment) -> Result<(), String> {
        let mut command = Command::new(&self.services);
        command.envs(environment);
        let done = command.args(["services", "--folder"]).arg(&self.folder).args(words).output().await;
        let done = done.map_err(|error| format!("cannot start {}: {error}", self.services.display()))?;
        if done.status.success() {
            return Ok(());
        }
        Err(format!("services {words:?}: {}", String::from_utf8_lossy(&done.stderr).trim()))
    }

    /// `kill -9`.
    pub async fn kill(&self, name: &str) -> Result<(), String> {
        self.services(&["kill", name]).await
    }

    /// Sends a signal.
    pub async fn signal(&self, name: &str, signal: &str) -> Result<(), String> {
        self.services(&["kill", name, "--signal", signal]).await
    }

    /// Stops one in good order if it runs, starts it, and waits until its store is whole.
    pub async fn restart(&self, name: &str) -> Result<(), String> {
        self.services(&["restart", name]).await
    }

    /// The same, in an environment of its own.
    pub async fn restart_in(&self, name: &str, environment: Environment) -> Result<(), String> {
        self.services_in(&["restart", name], environment).await
    }

    /// The same, without the data that it kept.
    pub async fn restart_empty(&self, name: &str) -> Result<(), String> {
        self.services(&["restart", name, "--empty"]).await
    }

    /// Makes a database; gives its address.
    pub async fn database(&self, name: &str) -> Result<String, String> {
        let (client, connection) =
            tokio_postgres::connect(&self.postgres, NoTls).await.map_err(|error| error.to_string())?;
        let statement = format!("CREATE DATABASE {name}");
        tokio::select! {
            made = client.batch_execute(&statement) => made.map_err(|error| error.to_string())?,
            _ = connection => return Err("PostgreSQL closed the connection".to_owned()),
        }
        let (server, _) = self.postgres.rsplit_once('/').ok_or("the address names no database")?;
        Ok(format!("{server}/{name}"))
    }

    /// Asks one node.
    pub async fn ask(&self, at: usize, words: &[&str]) -> Result<Value, String> {
        let address = self.redis.get(at).ok_or_else(|| format!("there is no node {at}"))?;
        let said = |error: redis::RedisError| format!("{address}: {error}");
        let client = redis::Client::open(format!("redis://{address}")).map_err(said)?;
        let asked = async {
            let mut connection = client.get_multiplexed_async_connection().await.map_err(said)?;
            let mut command = redis::cmd(words.first().copied().unwrap_or("PING"));
            for word in words.iter().skip(1) {
                command.arg(*word);
            }
            command.query_async(&mut connection).await.map_err(said)
        };
        tokio::time::timeout(PATIENCE, asked).await.map_err(|_| format!("{address} does not answer"))?
    }

    /// Every node that answers, as it sees itself.
    pub async fn nodes(&self) -> Vec<Node> {
        let mut nodes = Vec::new();
        for at in 0..self.redis.len() {
            let told = self.ask(at, &["CLUSTER", "NODES"]).await.ok().and_then(|told| text(&told));
            nodes.extend(told.and_then(|told| Node::read(at, &told)));
        }
        nodes
    }

    /// The slot of a key.
    pub async fn slot(&self, at: usize, key: &str) -> Result<u16, String> {
        match self.ask(at, &["CLUSTER", "KEYSLOT", key]).await? {
            Value::Int(slot) => u16::try_from(slot).map_err(|error| error.to_string()),
            other => Err(format!("CLUSTER KEYSLOT: {other:?}")),
        }
    }

    /// The primary of a key, and its replica. Of two that both take themselves for it, the one of the later epoch.
    pub async fn primary(&self, key: &str) -> Result<(Node, Option<Node>), String> {
        let nodes = self.nodes().await;
        let first = nodes.first().ok_or("no node of Redis answers")?;
        let slot = self.slot(first.at, key).await?;
        let primary = nodes.iter().filter(|node| node.serves(slot)).max_by_key(|node| node.epoch);
        let primary = primary.ok_or_else(|| format!("nobody serves slot {slot}"))?.clone();
        let replica = nodes.into_iter().find(|node| node.master.as_deref() == Some(primary.id.as_str()));
        Ok((primary, replica))
    }

    /// By how many bytes the replicas of a primary are behind it, the most of them; none where it has no replica.
    pub async fn lag(&self, primary: &Node) -> Result<Option<u64>, String> {
        let told = self.ask(primary.at, &["INFO", "replication"]).await?;
        Ok(text(&told).and_then(|told| lag(&told)))
    }

    /// Does something at every primary.
    pub async fn at_primaries(&self, words: &[&str]) -> Result<(), String> {
        for node in self.nodes().await.iter().filter(|node| node.master.is_none()) {
            self.ask(node.at, words).await?;
        }
        Ok(())
    }

    /// Loads every function library again that there is.
    pub async fn reload_functions(&self) -> Result<(), String> {
        for node in self.nodes().await.iter().filter(|node| node.master.is_none()) {
            let listed = self.ask(node.at, &["FUNCTION", "LIST", "WITHCODE"]).await?;
            let code = code(&listed).ok_or("there is no function library")?;
            self.ask(node.at, &["FUNCTION", "LOAD", "REPLACE", &code]).await?;
        }
        Ok(())
    }
}

/// The text of an answer.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Some(text.clone()),
        Value::VerbatimString { text, .. } => Some(text.clone()),
        _ => None,
    }
}

/// The code that `FUNCTION LIST WITHCODE` tells of the one library.
fn code(listed: &Value) -> Option<String> {
    match listed {
        Value::Array(values) => {
            let named = values.iter().position(|value| text(value).as_deref() == Some("library_code"));
            match named {
                Some(at) => values.get(at + 1).and_then(text),
                None => values.iter().find_map(code),
            }
        }
        Value::Map(pairs) => pairs.iter().find_map(|(name, value)| {
            (text(name).as_deref() == Some("library_code")).then(|| text(value)).flatten()
        }),
        _ => None,
    }
}

fn lag(told: &str) -> Option<u64> {
    let end: u64 =
        told.lines().find_map(|line| line.strip_prefix("master_repl_offset:"))?.trim().parse().ok()?;
    let replicas = told.lines().filter(|line| line.starts_with("slave") && line.contains("offset="));
    let behind = replicas.filter_map(|line| {
        let offset = line.split(',').find_map(|field| field.strip_prefix("offset="))?;
        Some(end.saturating_sub(offset.trim().parse().ok()?))
    });
    behind.max()
}

#[cfg(test)]
#[path = "stores_tests.rs"]
mod tests;
