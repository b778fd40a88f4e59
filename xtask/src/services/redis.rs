//! A Redis Cluster of three primaries and three replicas.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::place::{Place, REDIS_NODES, make_folder};
use super::process::Process;
use super::service::{self, Service};
use super::tls::Certificates;
use super::wait;
use crate::needs::{Need, Proof};
use crate::steps::answer;
use crate::workspace::Outcome;

/// The server, 7.0 or later: functions came with it.
const SERVER: Need = Need {
    name: "Redis 7.0 or later",
    proof: Proof::Succeeds(&[
        "sh",
        "-c",
        "redis-server --version | grep -Eq 'v=([7-9]|[1-9][0-9])\\.' && command -v redis-cli",
    ]),
    packages: &["redis-server", "redis-tools"],
    otherwise: "install Redis 7.0 or later, so that `redis-server` and `redis-cli` are on the path",
};

/// How long all nodes may take to agree.
const AGREEMENT: Duration = Duration::from_secs(60);

/// The cluster as a service.
pub const SERVICE: Service = Service {
    name: "redis",
    needs: &[SERVER],
    check_needs: &[],
    processes,
    prepare,
    settle,
    answers: |place| whole(&place.kept.redis),
};

fn folder(place: &Place, node: usize) -> PathBuf {
    place.folder.join(format!("redis/{}", node + 1))
}

fn processes(place: &Place) -> Vec<Process> {
    let process = |(node, &port): (usize, &u16)| {
        let folder = folder(place, node);
        let settings = folder.join("redis.conf").to_string_lossy().into_owned();
        Process {
            name: format!("redis-{}", node + 1),
            port,
            data: folder.clone(),
            folder,
            words: vec!["redis-server".to_owned(), settings.clone()],
            mark: settings,
            stop: "TERM",
        }
    };
    place.kept.redis.iter().enumerate().map(process).collect()
}

fn prepare(place: &Place) -> Outcome {
    let base = place.settings("redis.conf")?;
    for (node, (port, bus)) in place.kept.redis.iter().zip(&place.kept.redis_bus).enumerate() {
        let folder = folder(place, node);
        make_folder(&folder)?;
        let own = format!(
            "\n# This node's own.\nbind 127.0.0.1\nport {port}\ncluster-port {bus}\ndir \"{}\"\n\
             # By where it comes from the others can be told apart from clients, and one from another: a network between\n\
             # nodes alone can be cut. Where it answers is the same for all.\n\
             bind-source-addr 127.0.1.{}\ncluster-announce-ip 127.0.0.1\n\
             # Redis takes such an address for another machine's; nobody but this machine gets here.\nprotected-mode no\n\
             # Its command line must go on naming this file.\nset-proc-title no\n\
             # One machine: a replica need not wait for another to copy with.\nrepl-diskless-sync-delay 0\n",
            folder.display(),
            node + 1
        );
        let own = own + &over_tls(place, node);
        let file = folder.join("redis.conf");
        std::fs::write(&file, format!("{base}{own}"))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}

/// Deletes what a node that does not run has kept of its data and its functions; who it is in the cluster stays.
pub fn empty(node: &Process) -> Outcome {
    for name in ["appendonlydir", "dump.rdb"] {
        let kept = node.folder.join(name);
        let removed = if kept.is_dir() {
            std::fs::remove_dir_all(&kept)
        } else if kept.exists() {
            std::fs::remove_file(&kept)
        } else {
            Ok(())
        };
        removed.map_err(|error| format!("cannot remove {}: {error}", kept.display()))?;
    }
    Ok(())
}

/// Clients over TLS besides, and the nodes among themselves, as the cluster tells of one kind of port only. Whoever comes must
/// show a certificate.
fn over_tls(place: &Place, node: usize) -> String {
    let port = place.kept.tls.as_ref().and_then(|tls| tls.redis.get(node));
    let Some(port) = port else { return String::new() };
    let certificates = Certificates::of(place);
    let file = |name: &str| certificates.file(name).display().to_string();
    format!(
        "tls-port {port}\ntls-cluster yes\ntls-replication yes\ntls-auth-clients yes\ntls-cert-file \"{}\"\n\
         tls-key-file \"{}\"\ntls-ca-cert-file \"{}\"\n",
        file("server.pem"),
        file("server.key"),
        file("ca.pem")
    )
}

/// Waits for every node, makes the cluster where there is none, and waits until all agree on it.
fn settle(place: &Place) -> Outcome {
    let ports = &place.kept.redis;
    let nodes = processes(place);
    for node in &nodes {
        node.ready(Duration::from_secs(30), || ask_local(node.port, "CLUSTER INFO").map(drop))?;
    }
    let alone = |&port: &u16| ask_local(port, "CLUSTER INFO").is_ok_and(|text| known_nodes(&text) == Some(1));
    if ports.iter().all(alone) {
        create(place)?;
    }
    wait::until(AGREEMENT, || whole(ports).map_err(wait::Unready::NotYet)).map_err(|reason| {
        let tails: Vec<String> = nodes.iter().map(Process::tail).collect();
        format!("the Redis Cluster does not become whole: {reason}\n{}", tails.join("\n"))
    })
}

fn create(place: &Place) -> Outcome {
    let ports = place.kept.tls.as_ref().map_or(&place.kept.redis, |tls| &tls.redis);
    let pairs = ports.iter().zip(&place.kept.redis_bus);
    let addresses = pairs.map(|(port, bus)| format!("127.0.0.1:{port}@{bus}"));
    let mut command = Command::new("timeout");
    command.args(["60", "redis-cli"]);
    if place.kept.tls.is_some() {
        let certificates = Certificates::of(place);
        command.arg("--tls").arg("--cacert").arg(certificates.file("ca.pem"));
        command.arg("--cert").arg(certificates.file("client.pem"));
        command.arg("--key").arg(certificates.file("client.key"));
    }
    command.args(["--cluster", "create"]).args(addresses);
    answer(command.args(["--cluster-replicas", "1", "--cluster-yes"])).map(drop)
}

/// Whether every node sees the whole cluster, every primary has a replica, and every replica is in step.
fn whole(ports: &[u16]) -> Outcome {
    ports.iter().try_for_each(|&port| {
        let cluster = fields(&ask_local(port, "CLUSTER INFO")?);
        let replication = fields(&ask_local(port, "INFO replication")?);
        sound(&cluster, &replication).map_err(|reason| format!("the node on port {port}: {reason}"))
    })
}

/// The first thing that keeps a node's own report from being that of a whole cluster.
fn sound(cluster: &BTreeMap<String, String>, replication: &BTreeMap<String, String>) -> Outcome {
    let expect = |report: &BTreeMap<String, String>, field: &str, right: &str| {
        let value = report.get(field).map_or("missing", String::as_str);
        if value == right { Ok(()) } else { Err(format!("{field} is {value} and not {right}")) }
    };
    expect(cluster, "cluster_state", "ok")?;
    expect(cluster, "cluster_known_nodes", &REDIS_NODES.to_string())?;
    expect(cluster, "cluster_slots_ok", "16384")?;
    if replication.get("role").is_some_and(|role| role == "master") {
        let replicas = replication.get("connected_slaves").is_some_and(|count| count != "0");
        return if replicas { Ok(()) } else { Err("a primary without a replica".to_owned()) };
    }
    expect(replication, "master_link_status", "up")
}

/// Whether a cluster that others run answers and has all its slots.
pub fn check(address: &str) -> Outcome {
    let report = fields(&ask(address, "CLUSTER INFO")?);
    match report.get("cluster_state").map(String::as_str) {
        Some("ok") => Ok(()),
        state => Err(format!("{address}: cluster_state is {} and not ok", state.unwrap_or("missing"))),
    }
}

fn known_nodes(report: &str) -> Option<usize> {
    fields(report).get("cluster_known_nodes")?.parse().ok()
}

/// The `name:value` lines of a report.
fn fields(report: &str) -> BTreeMap<String, String> {
    let pairs = report.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

fn ask_local(port: u16, question: &str) -> Result<String, String> {
    ask(&format!("127.0.0.1:{port}"), question)
}

/// Sends one command as a line and reads the one text that answers it.
fn ask(address: &str, question: &str) -> Result<String, String> {
    let mut stream = service::connect(address)?;
    let mut talk = || {
        stream.write_all(format!("{question}\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            line.extend(byte);
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        let Some(length) = line.strip_prefix('$').and_then(|length| length.parse::<u16>().ok()) else {
            return Ok(Err(line));
        };
        let mut text = vec![0; usize::from(length)];
        stream.read_exact(&mut text)?;
        Ok(Ok(String::from_utf8_lossy(&text).into_owned()))
    };
    let said = talk().map_err(|error: std::io::Error| service::broken(address, &error))?;
    said.map_err(|line| format!("{address} answers {question} with: {line}"))
}

#[cfg(test)]
#[path = "redis_tests.rs"]
mod tests;
