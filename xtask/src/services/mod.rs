//! `cargo xtask services`: a Redis Cluster, Apache Kafka and PostgreSQL, run on this machine for tests.
//!
//! Every process has a folder of its own with `pid`, `log` and data; its settings are a file of `deploy/`
//! with the folder and the port added. Nothing that others started is ever stopped.

mod addresses;
mod kafka;
mod place;
mod postgres;
mod process;
mod redis;
mod service;
mod status;
mod tls;
mod up;
mod wait;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use kafka::{JAVA, bring_jars as bring_kafka_jars};
use place::Place;
pub use place::{Speak, kafka_jars};
use process::Process;
use service::{SERVICES, Service};

use crate::workspace::{self, Outcome};

/// How long a server may take to end in good order.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the command line asks for.
#[derive(clap::Args)]
pub struct Options {
    /// Where the data is, if not in target/services; the addresses are written to the file of this name with .toml
    #[arg(long, global = true, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Start what does not run, wait until each store answers, and write target/services.toml
    Up(up::Elsewhere),
    /// Stop all of them
    Down {
        /// Delete their data, ports and password as well; Kafka's jars stay
        #[arg(long)]
        wipe: bool,
    },
    /// Say of each process how it is; fails when something is not up
    Status,
    /// Send a signal to one process: redis-1 to redis-6, kafka, postgres
    Kill {
        /// The process
        name: String,
        /// The signal, as `kill -s` names it
        #[arg(long, default_value = "KILL")]
        signal: String,
    },
    /// Stop one process if it runs, start it, and wait until its store answers
    Restart {
        /// The process
        name: String,
        /// Without its data, as after the loss of a disk: for nodes of Redis, which stay who they are
        #[arg(long)]
        empty: bool,
    },
}

/// Does what `options` ask for.
pub fn run(root: &Path, options: &Options) -> Outcome {
    if !Path::new("/proc/self/cmdline").exists() {
        return Err("services need Linux; start the stores in another way and name them by address (--help)"
            .to_owned());
    }
    let folder = absolute(root, options.folder.as_deref())?;
    let _alone = place::enter(&folder)?;
    match &options.action {
        Action::Up(elsewhere) => up::run(root, &folder, elsewhere),
        Action::Down { wipe } => down(root, &folder, *wipe),
        Action::Status => status::run(root, &folder),
        Action::Kill { name, signal } => kill(&known(root, &folder)?, name, signal),
        Action::Restart { name, empty } => restart(&known(root, &folder)?, name, *empty),
    }
}

/// Runs `work` while all services run with no data of before, and stops them; it is given the file with their addresses.
pub fn with(root: &Path, name: &str, speak: Speak, work: impl FnOnce(&Path) -> Outcome) -> Outcome {
    let folder = absolute(root, Some(&workspace::target(root).join("suites").join(name).join("stores")))?;
    let started = {
        let _alone = place::enter(&folder)?;
        down(root, &folder, true)?;
        up::run(root, &folder, &up::Elsewhere::nothing(speak))
    };
    let mut file = folder.clone().into_os_string();
    file.push(".toml");
    let done = started.and_then(|()| work(Path::new(&file)));
    let _alone = place::enter(&folder)?;
    done.and(down(root, &folder, true))
}

/// The folder as every path of a service begins with it.
fn absolute(root: &Path, folder: Option<&Path>) -> Result<PathBuf, String> {
    let target = workspace::target(root).join("services");
    let folder = folder.map_or(target, Path::to_path_buf);
    place::make_folder(&folder)?;
    folder.canonicalize().map_err(|error| format!("cannot find {}: {error}", folder.display()))
}

fn known(root: &Path, folder: &Path) -> Result<Place, String> {
    let place = Place::find(root, folder)?;
    place.ok_or_else(|| {
        format!("there are no services in {}: run `cargo xtask services up`", folder.display())
    })
}

fn processes(place: &Place) -> Vec<Process> {
    SERVICES.iter().flat_map(|service| (service.processes)(place)).collect()
}

/// The process of this name and the service that it is part of.
fn named(place: &Place, name: &str) -> Result<(Process, &'static Service), String> {
    let mut all = SERVICES
        .iter()
        .flat_map(|service| (service.processes)(place).into_iter().map(move |one| (one, service)));
    all.find(|(process, _)| process.name == name).ok_or_else(|| {
        let names: Vec<String> = processes(place).into_iter().map(|process| process.name).collect();
        format!("there is no process `{name}`; there are {}", names.join(", "))
    })
}

fn down(root: &Path, folder: &Path, wipe: bool) -> Outcome {
    let began = crate::steps::now();
    if let Some(place) = Place::find(root, folder)? {
        let processes = processes(&place);
        let running = processes.iter().filter(|process| process.running().is_some()).count();
        process::stop_all(&processes, PATIENCE)?;
        println!("stopped {running} processes in {:.1} s", began.elapsed().as_secs_f64());
    } else {
        println!("there are no services in {}", folder.display());
    }
    addresses::forget(folder)?;
    if wipe { place::wipe(root, folder) } else { Ok(()) }
}

fn kill(place: &Place, name: &str, signal: &str) -> Outcome {
    let (process, _) = named(place, name)?;
    let pid = process.running();
    process.signal(signal)?;
    println!("{name}: sent {signal} to pid {}", pid.unwrap_or_default());
    if signal.trim_start_matches("SIG") == "KILL" { process.ended(Duration::from_secs(5)) } else { Ok(()) }
}

fn restart(place: &Place, name: &str, empty: bool) -> Outcome {
    let (process, service) = named(place, name)?;
    if empty && service.name != redis::SERVICE.name {
        return Err(format!(
            "{name} would not be the same without its data: only nodes of Redis start empty"
        ));
    }
    let began = crate::steps::now();
    process::stop_all(std::slice::from_ref(&process), PATIENCE)?;
    if empty {
        redis::empty(&process)?;
    }
    (service.prepare)(place)?;
    process.start()?;
    (service.settle)(place)?;
    println!("{name}: up again in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

#[cfg(test)]
#[path = "services_tests.rs"]
mod tests;
