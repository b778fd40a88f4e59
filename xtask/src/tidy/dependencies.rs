//! Who may depend on whom, read from `cargo metadata`.
//!
//! Development dependencies are exempt, except that the core may not even test itself with an adapter:
//! its tests would then prove one technology and not the rules.

use std::path::Path;

use serde::Deserialize;

use super::finding::Finding;
use crate::steps::answer;
use crate::workspace::cargo;

/// One room of the house and what it may use.
struct Room {
    name: &'static str,
    /// Rooms that it may use; `"*"` stands for all but the program and this crate.
    rooms: &'static [&'static str],
    /// What it may use from outside.
    outside: Outside,
}

/// What a room may use from outside.
enum Outside {
    /// Only these.
    Only(&'static [&'static str]),
    /// Anything but these.
    AllBut(&'static [&'static str]),
}

/// HTTP and its frameworks.
const HTTP: &[&str] = &["axum", "hyper", "hyper-util", "reqwest", "tower"];
/// Stores and their drivers, and HTTP: what the core must not know.
const TECHNOLOGIES: &[&str] =
    &["axum", "hyper", "hyper-util", "reqwest", "tower", "rusqlite", "redis", "rdkafka", "tokio-postgres"];
/// Stores and their drivers.
const STORES: &[&str] = &["rusqlite", "redis", "rdkafka", "tokio-postgres"];

/// What adapters of stores elsewhere may use.
const OF_STORES: &[&str] = &["domain", "ports", "wire", "store-tls"];

const ROOMS: &[Room] = &[
    Room { name: "domain", rooms: &[], outside: Outside::Only(&["thiserror", "blake3"]) },
    Room { name: "ports", rooms: &["domain"], outside: Outside::AllBut(TECHNOLOGIES) },
    Room { name: "purchase", rooms: &["domain", "ports"], outside: Outside::AllBut(TECHNOLOGIES) },
    Room { name: "wire", rooms: &["domain", "ports"], outside: Outside::AllBut(TECHNOLOGIES) },
    Room { name: "adapter-embedded", rooms: &["domain", "ports", "wire"], outside: Outside::AllBut(HTTP) },
    Room { name: "adapter-redis", rooms: OF_STORES, outside: Outside::AllBut(HTTP) },
    Room { name: "adapter-kafka", rooms: OF_STORES, outside: Outside::AllBut(HTTP) },
    Room { name: "adapter-postgres", rooms: OF_STORES, outside: Outside::AllBut(HTTP) },
    Room {
        name: "adapter-payments",
        rooms: &["domain", "ports", "wire", "http-client"],
        outside: Outside::AllBut(STORES),
    },
    Room {
        name: "adapter-challenges",
        rooms: &["domain", "ports", "wire", "http-client"],
        outside: Outside::AllBut(STORES),
    },
    Room { name: "order-link", rooms: &["domain", "ports", "wire"], outside: Outside::AllBut(STORES) },
    Room {
        name: "gateway",
        rooms: &["domain", "ports", "purchase", "wire"],
        outside: Outside::AllBut(STORES),
    },
    Room {
        name: "workers",
        rooms: &["domain", "ports", "purchase", "wire"],
        outside: Outside::AllBut(STORES),
    },
    Room { name: "rehearsal", rooms: &[], outside: Outside::AllBut(&[]) },
    Room { name: "chaos", rooms: &["rehearsal", "http-client"], outside: Outside::AllBut(&[]) },
    Room { name: "http-client", rooms: &[], outside: Outside::AllBut(STORES) },
    Room { name: "store-tls", rooms: &[], outside: Outside::AllBut(TECHNOLOGIES) },
    Room { name: "sandbox", rooms: &["http-client"], outside: Outside::AllBut(&[]) },
    Room { name: "simulation", rooms: &["domain"], outside: Outside::Only(&[]) },
    Room { name: "tzero", rooms: &["*"], outside: Outside::AllBut(&[]) },
    Room { name: "xtask", rooms: &[], outside: Outside::AllBut(&[]) },
];

/// The rooms that must not be tested with an adapter.
const CORE: &[&str] = &["domain", "ports", "purchase", "wire"];

/// The part of `cargo metadata` that matters here.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `null` for ordinary ones, `dev`, `build`.
    kind: Option<String>,
    /// The folder, for those inside the workspace.
    path: Option<String>,
}

/// Asks cargo; needs no network.
pub fn read(root: &Path) -> Result<Metadata, String> {
    let text = answer(&mut cargo(root, &["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata is not what it was: {error}"))
}

/// Every dependency that the table does not allow, and every crate that is not in it.
pub fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let manifest = manifest(&package.name);
        let Some(room) = ROOMS.iter().find(|room| room.name == package.name) else {
            let reason = format!(
                "`{}` has no row in the table of who may use whom (xtask/src/tidy/dependencies.rs)",
                package.name
            );
            findings.push(Finding::new("dependencies", &manifest, 1, reason));
            continue;
        };
        let refused = package.dependencies.iter().filter_map(|dependency| refusal(room, dependency));
        findings.extend(refused.map(|reason| Finding::new("dependencies", &manifest, 1, reason)));
    }
    findings
}

fn manifest(name: &str) -> String {
    if name == "xtask" { "xtask/Cargo.toml".to_owned() } else { format!("crates/{name}/Cargo.toml") }
}

fn refusal(room: &Room, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    if dependency.kind.as_deref() == Some("dev") {
        let wrong = CORE.contains(&room.name) && name.starts_with("adapter-");
        return wrong.then(|| {
            format!("`{}` tests itself with `{name}`: the core is proven without a technology", room.name)
        });
    }
    if dependency.path.is_some() { refused_room(room, name) } else { refused_outside(room, name) }
}

fn refused_room(room: &Room, name: &str) -> Option<String> {
    if name == "tzero" || name == "xtask" {
        return Some(format!("`{}` uses `{name}`: nobody depends on it", room.name));
    }
    if room.rooms.contains(&"*") || room.rooms.contains(&name) {
        return None;
    }
    let may = if room.rooms.is_empty() { "no other room".to_owned() } else { room.rooms.join(", ") };
    Some(format!(
        "`{}` uses `{name}` and may use {may}: only the program brings the others together",
        room.name
    ))
}

fn refused_outside(room: &Room, name: &str) -> Option<String> {
    match room.outside {
        Outside::Only(allowed) if !allowed.contains(&name) => Some(format!(
            "`{}` uses `{name}` and may use std and {} only: it stays pure",
            room.name,
            allowed.join(", ")
        )),
        Outside::AllBut(refused) if refused.contains(&name) => {
            Some(format!("`{}` uses `{name}`, a technology that this room must not know", room.name))
        }
        Outside::Only(_) | Outside::AllBut(_) => None,
    }
}

#[cfg(test)]
#[path = "dependencies_tests.rs"]
mod tests;
