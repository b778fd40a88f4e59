//! `cargo xtask services status`: each process, and whether each store answers.

use std::path::Path;

use super::addresses::Addresses;
use super::process::Process;
use super::service::SERVICES;
use super::{kafka, known, postgres, redis};
use crate::workspace::Outcome;

/// Prints the table; an error names the stores that are not up.
pub fn run(root: &Path, folder: &Path) -> Outcome {
    let place = known(root, folder)?;
    let ours = Addresses::of(&place);
    let written = Addresses::read(folder).unwrap_or_else(|_| ours.clone());
    println!("{:<9} {:<8} {:>7} {:>6} {:>10}  data", "process", "state", "pid", "port", "memory");
    let mut wrong = Vec::new();
    for service in SERVICES {
        let verdict = match elsewhere(service.name, &ours, &written) {
            Some((address, verdict)) => {
                println!("{:<9} elsewhere: {address}", service.name);
                verdict
            }
            None => {
                let processes = (service.processes)(&place);
                for process in &processes {
                    println!("{}", row(process));
                }
                all_run(&processes).and_then(|()| (service.answers)(&place))
            }
        };
        wrong.extend(verdict.err().map(|reason| format!("{}: {reason}", service.name)));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("not up: {}", wrong.join("\n       "))) }
}

/// Where a store is that others run, and whether it answers there.
fn elsewhere(service: &str, ours: &Addresses, written: &Addresses) -> Option<(String, Outcome)> {
    let all = |addresses: &[String], check: fn(&str) -> Outcome| {
        (addresses.join(", "), addresses.iter().try_for_each(|address| check(address)))
    };
    match service {
        "redis" if written.redis != ours.redis => Some(all(&written.redis.nodes, redis::check)),
        "kafka" if written.kafka != ours.kafka => Some(all(&written.kafka.brokers, kafka::check)),
        "postgres" if written.postgres != ours.postgres => {
            let url = &written.postgres.url;
            Some((postgres::without_password(url).0, postgres::check(url)))
        }
        _ => None,
    }
}

fn all_run(processes: &[Process]) -> Outcome {
    let stopped: Vec<&str> = processes
        .iter()
        .filter(|process| process.running().is_none())
        .map(|process| process.name.as_str())
        .collect();
    if stopped.is_empty() { Ok(()) } else { Err(format!("stopped: {}", stopped.join(", "))) }
}

fn row(process: &Process) -> String {
    let (name, port, data) = (&process.name, process.port, process.data.display());
    match process.running() {
        Some(pid) => {
            let memory = format!("{:.1} MiB", process.memory() as f64 / 1024.0);
            format!("{name:<9} {:<8} {pid:>7} {port:>6} {memory:>10}  {data}", "running")
        }
        None => format!("{name:<9} {:<8} {:>7} {port:>6} {:>10}  {data}", "stopped", "-", "-"),
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
