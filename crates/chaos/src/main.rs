//! Chaos: drops are sold on the real stores while stores and processes are killed, and everything that must be true is
//! checked from outside. It knows the HTTP contract, the operator's API, processes, and the stores' own commands.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its terminal")]

mod books;
mod clock;
mod deed;
mod fault;
mod fleet;
mod judge;
mod means;
mod network;
mod redis_deeds;
mod report;
mod stage;
mod stores;
mod trial;
mod upgrade;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::signal::unix::{SignalKind, signal};

use crate::fault::{Deed, FAULTS, Fault};
use crate::means::Means;
use crate::report::Trial;
use crate::stores::Stores;
use crate::trial::{Scale, World};

/// In which order faults come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    /// Each fault in a drop of its own, in the order of the table
    Turn,
    /// All in one drop, in an order that the seed decides
    Random,
    /// First in turn, then at random
    Both,
}

/// Sells drops on real stores while stores and processes are killed, and checks what is left.
#[derive(Parser)]
#[command(name = "cargo xtask chaos", bin_name = "cargo xtask chaos")]
struct Arguments {
    /// Only this fault; may be repeated
    #[arg(long, value_name = "NAME")]
    fault: Vec<String>,
    /// Print the faults and what must follow from each, and do nothing
    #[arg(long)]
    list: bool,
    /// In which order faults come
    #[arg(long, value_enum, default_value = "both")]
    order: Order,
    /// Units of a drop; the default is small, for a quick run: 10000 is the size to prove
    #[arg(long, default_value_t = 1_000)]
    stock: u32,
    /// Distinct buyers of a drop; the default is small, for a quick run: 200000 is the size to prove
    #[arg(long, default_value_t = 6_000)]
    buyers: u32,
    /// Where chances begin: the order of faults, and what buyers do
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// An answer that takes longer does not conform: the second that the contract gives a checkout, and half a second for a
    /// machine on which everything runs at once
    #[arg(long, default_value_t = 1_500)]
    answer_limit_ms: u64,
    /// The least share of answers that conform
    #[arg(long, default_value_t = 0.999)]
    least_share: f64,
    /// Another version of the program, with which a drop begins that upgrades it: for the fault `upgrade`
    #[arg(long, value_name = "PROGRAM")]
    previous: Option<PathBuf>,
    /// Where the report is written as JSON, if not into the folder
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The program under test
    #[arg(long, hide = true, default_value = "target/release/tzero")]
    program: PathBuf,
    /// The file with the addresses of the stores
    #[arg(long, hide = true, default_value = "target/services.toml")]
    stores: PathBuf,
    /// The program that runs the stores
    #[arg(long, hide = true, default_value = "target/debug/xtask")]
    services: PathBuf,
    /// Where data and logs go
    #[arg(long, hide = true, default_value = "target/chaos")]
    folder: PathBuf,
}

/// A line on the terminal.
fn say(line: &str) {
    println!("{line}");
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.list {
        FAULTS.iter().for_each(|fault| {
            say(&format!("{:<36} {}\n{:<36}   → {}", fault.name, fault.done, "", fault.follows))
        });
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let done = runtime
        .map_err(|error| format!("no runtime: {error}"))
        .and_then(|runtime| runtime.block_on(until_stopped(&arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs; who is stopped stops the fleet's processes.
async fn until_stopped(arguments: &Arguments) -> Result<(), String> {
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    tokio::select! {
        done = run(arguments) => done,
        _ = terminated.recv() => Err("stopped".to_owned()),
        _ = tokio::signal::ctrl_c() => Err("stopped".to_owned()),
    }
}

async fn run(arguments: &Arguments) -> Result<(), String> {
    let means = Means::find(arguments.previous.clone(), &arguments.folder)?;
    let (faults, left_out) = means.choose(&arguments.fault)?;
    left_out.iter().for_each(|line| say(line));
    let scale = Scale {
        stock: arguments.stock,
        buyers: arguments.buyers,
        limit: Duration::from_millis(arguments.answer_limit_ms),
        seed: arguments.seed,
    };
    let http = http_client::builder().timeout(Duration::from_secs(5)).build();
    let world = World {
        program: arguments.program.clone(),
        previous: means.previous,
        clocks: means.clocks,
        stores: Stores::read(&arguments.services, &arguments.stores)?,
        folder: arguments.folder.clone(),
        http: http.map_err(|error| error.to_string())?,
    };
    say(&format!("seed {}: {} units, {} buyers a drop", scale.seed, scale.stock, scale.buyers));
    let mut trials: Vec<Trial> = Vec::new();
    if arguments.order != Order::Random {
        for fault in &faults {
            say(&format!("\n{}", fault.name));
            trials.push(trial::run(&world, fault.name, &[fault], &scale).await);
            tell(&trials, arguments)?;
        }
    }
    if arguments.order != Order::Turn {
        let mut order: Vec<&Fault> = faults.into_iter().filter(|fault| fault.deed != Deed::Nothing).collect();
        order.shuffle(&mut StdRng::seed_from_u64(scale.seed));
        // Whatever else happens is to meet the program under test.
        order.sort_by_key(|fault| fault.deed != Deed::Upgrade);
        let names: Vec<&str> = order.iter().map(|fault| fault.name).collect();
        say(&format!("\nin random order from seed {}: {}", scale.seed, names.join(", ")));
        trials.push(trial::run(&world, "random-order", &order, &scale).await);
        tell(&trials, arguments)?;
    }
    verdict(&trials, arguments.least_share)
}

/// Prints the last drop, and writes the report so far: a run that is stopped leaves what it knows.
fn tell(trials: &[Trial], arguments: &Arguments) -> Result<(), String> {
    trials.last().into_iter().flat_map(Trial::lines).for_each(|line| say(&line));
    let file = arguments.report.clone().unwrap_or_else(|| arguments.folder.join("report.json"));
    let text = serde_json::to_string_pretty(trials).map_err(|error| error.to_string())?;
    std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// The table of all drops; an error where something was wrong.
fn verdict(trials: &[Trial], least_share: f64) -> Result<(), String> {
    say(&format!(
        "\n{:<36} {:>8} {:>9} {:>9} {:>9} {:>10}",
        "fault", "sold", "closed s", "pause s", "conform", "result"
    ));
    let mut wrong = 0;
    for trial in trials {
        let short = trial.conformity.share < least_share;
        let count = trial.wrong().len() + usize::from(short);
        wrong += count;
        let result = if count == 0 { "ok".to_owned() } else { format!("{count} wrong") };
        let closed: f64 = trial.disturbances.iter().map(|one| one.closed_s).sum();
        let pause = trial.disturbances.iter().map(|one| one.longest_pause_s).fold(0.0, f64::max);
        say(&format!(
            "{:<36} {:>8} {closed:>9.1} {pause:>9.1} {:>8.3}% {result:>10}",
            trial.name,
            trial.sold,
            trial.conformity.share * 100.0
        ));
    }
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} violations, or shares below {least_share}")) }
}
