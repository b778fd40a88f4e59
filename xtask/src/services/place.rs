//! Where the services live: the folder, and the ports and the password that it keeps from one start to the next.
//!
//! Ports are below those that the system gives to outgoing connections, so that a server that was killed
//! finds its port free when it is started again.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::wait;
use crate::workspace::{self, Outcome};

/// How many nodes the Redis Cluster has: three primaries and three replicas.
pub const REDIS_NODES: usize = 6;

const FIRST_PORT: u16 = 20_000;
const LAST_PORT: u16 = 32_000;

/// Everything that a service needs to know of its surroundings.
#[derive(Debug)]
pub struct Place {
    /// The checkout.
    pub root: PathBuf,
    /// What holds all services' data.
    pub folder: PathBuf,
    /// What stays the same over restarts.
    pub kept: Kept,
}

/// What is chosen once, and kept in the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Where the nodes of the Redis Cluster answer clients.
    pub redis: Vec<u16>,
    /// Where they talk to one another.
    pub redis_bus: Vec<u16>,
    /// Where Kafka answers clients.
    pub kafka: u16,
    /// Where its controller answers its broker.
    pub kafka_controller: u16,
    /// Where PostgreSQL answers.
    pub postgres: u16,
    /// The password of PostgreSQL's roles, and of Kafka's user where it asks for one.
    pub password: String,
    /// Where they answer over TLS, where they do.
    pub tls: Option<KeptTls>,
}

/// Where stores answer over TLS; PostgreSQL does where it answers anyway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTls {
    /// The nodes of the Redis Cluster.
    pub redis: Vec<u16>,
    /// Kafka.
    pub kafka: u16,
}

/// Whether stores answer over TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speak {
    /// They do not.
    #[default]
    Plainly,
    /// They do, and ask who comes.
    Tls,
}

impl Place {
    /// The place in `folder` with what it keeps; `None` where nothing was ever set up.
    pub fn find(root: &Path, folder: &Path) -> Result<Option<Self>, String> {
        let file = folder.join("kept.toml");
        let Ok(text) = std::fs::read_to_string(&file) else { return Ok(None) };
        let kept = toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Some(Self { root: root.to_path_buf(), folder: folder.to_path_buf(), kept }))
    }

    /// The same; where nothing is there, ports and a password are chosen and kept.
    pub fn make(root: &Path, folder: &Path, speak: Speak) -> Result<Self, String> {
        if let Some(place) = Self::find(root, folder)? {
            if speak == Speak::Tls && place.kept.tls.is_none() {
                return Err(format!(
                    "the services in {} do not speak TLS: name another folder with --folder, or run `cargo xtask services down \
                     --wipe` first",
                    folder.display()
                ));
            }
            return Ok(place);
        }
        let kept = choose(folder, speak)?;
        let text = toml::to_string(&kept).map_err(|error| format!("cannot write the ports: {error}"))?;
        write_private(&folder.join("kept.toml"), &text)?;
        Ok(Self { root: root.to_path_buf(), folder: folder.to_path_buf(), kept })
    }

    /// A file of `deploy/`, the one home of the settings that correctness needs.
    pub fn settings(&self, file: &str) -> Result<String, String> {
        let path = self.root.join("deploy").join(file);
        std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    }

    /// Kafka's jars: the same for every folder.
    pub fn kafka_jars(&self) -> PathBuf {
        kafka_jars(&self.root)
    }
}

/// Where Kafka's jars are.
pub fn kafka_jars(root: &Path) -> PathBuf {
    workspace::target(root).join("services/kafka/lib")
}

/// The folder with a hold on it until the file is dropped: one command at a time works on it.
pub fn enter(folder: &Path) -> Result<File, String> {
    let path = folder.join("lock");
    let made = std::fs::create_dir_all(folder).and_then(|()| File::create(&path));
    let file = made.map_err(|error| format!("cannot make {}: {error}", path.display()))?;
    wait::until(Duration::from_secs(120), || {
        let reason = "another `cargo xtask services` is at work on this folder".to_owned();
        file.try_lock().map_err(|_| wait::Unready::NotYet(reason))
    })?;
    Ok(file)
}

/// Writes a file that nobody else may read.
pub fn write_private(path: &Path, text: &str) -> Outcome {
    let opened = File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Makes a folder with all above it.
pub fn make_folder(path: &Path) -> Outcome {
    std::fs::create_dir_all(path).map_err(|error| format!("cannot make {}: {error}", path.display()))
}

/// Deletes everything in the folder but Kafka's jars, should these be in it.
pub fn wipe(root: &Path, folder: &Path) -> Outcome {
    let jars = kafka_jars(root);
    let jars = jars.canonicalize().unwrap_or(jars);
    remove_but(folder, &jars)
}

/// Removes what is in the folder, and leaves `kept` with the folders above it.
fn remove_but(folder: &Path, kept: &Path) -> Outcome {
    let said = |path: &Path, error: std::io::Error| format!("cannot remove {}: {error}", path.display());
    for entry in std::fs::read_dir(folder).map_err(|error| said(folder, error))?.flatten() {
        let path = entry.path();
        if kept.starts_with(&path) {
            if kept != path {
                remove_but(&path, kept)?;
            }
            continue;
        }
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.map_err(|error| said(&path, error))?;
    }
    Ok(())
}

fn choose(folder: &Path, speak: Speak) -> Result<Kept, String> {
    let mut ports = free_ports(folder).into_iter();
    let mut next = || {
        ports
            .next()
            .ok_or_else(|| format!("too few free ports from {FIRST_PORT} to {LAST_PORT} on 127.0.0.1"))
    };
    let redis = (0..REDIS_NODES).map(|_| next()).collect::<Result<_, _>>()?;
    let redis_bus = (0..REDIS_NODES).map(|_| next()).collect::<Result<_, _>>()?;
    let (kafka, kafka_controller, postgres) = (next()?, next()?, next()?);
    let tls = match speak {
        Speak::Plainly => None,
        Speak::Tls => {
            let redis = (0..REDIS_NODES).map(|_| next()).collect::<Result<_, _>>()?;
            Some(KeptTls { redis, kafka: next()? })
        }
    };
    Ok(Kept { redis, redis_bus, kafka, kafka_controller, postgres, password: password()?, tls })
}

/// Enough free ports, beginning where it depends on the folder, so that two checkouts seldom meet.
fn free_ports(folder: &Path) -> Vec<u16> {
    let mix = |sum: u32, byte: &u8| (sum ^ u32::from(*byte)).wrapping_mul(16_777_619);
    let mixed = folder.as_os_str().as_encoded_bytes().iter().fold(2_166_136_261, mix);
    let count = usize::from(LAST_PORT - FIRST_PORT);
    let begin = usize::try_from(mixed).unwrap_or_default() % count;
    let ports = (FIRST_PORT..LAST_PORT).cycle().skip(begin).take(count);
    ports.filter(|&port| is_free(port)).take(REDIS_NODES * 3 + 4).collect()
}

/// Whether nobody listens there.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn password() -> Result<String, String> {
    let mut bytes = [0_u8; 16];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| format!("cannot read /dev/urandom: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
