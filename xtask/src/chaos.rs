//! `cargo xtask chaos`: starts the real stores with no data of before, and lets `crates/chaos` disturb a fleet on them.

use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::needs::{self, FAKETIME, NFTABLES, Need};
use crate::services;
use crate::steps::call;
use crate::workspace::{self, Outcome, cargo};

/// What the disturbance is told.
#[derive(Args)]
pub struct Options {
    /// `--fault NAME`, `--list`, `--order turn|random|both`, `--stock N`, `--buyers N`, `--seed N`, `--report FILE`,
    /// `--previous PROGRAM`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Faults that need more than the stores do. Where it cannot be had they are left out, and the disturbance says so.
const NEEDS: &[(&str, Need)] = &[
    ("redis-primary-isolated", NFTABLES),
    ("redis-clock-wrong", FAKETIME),
    ("postgres-clock-wrong", FAKETIME),
    ("role-clocks-differ", FAKETIME),
];

/// Sees to what the faults need that may be asked for.
fn provide(words: &[String]) {
    let named = words.iter().any(|word| word.starts_with("--fault"));
    let asked = |fault: &str| !named || words.iter().any(|word| word.trim_start_matches("--fault=") == fault);
    for (_, need) in NEEDS.iter().filter(|(fault, _)| asked(fault)) {
        if let Err(reason) = needs::provide(std::slice::from_ref(need)) {
            println!("{reason}");
        }
    }
}

/// Builds everything for speed, starts the stores, and runs it.
pub fn run(root: &Path, options: &Options) -> Outcome {
    for package in ["tzero", "chaos"] {
        call(&mut cargo(root, &["build", "--release", "-p", package]))?;
    }
    let target = workspace::target(root);
    let built = |name: &str| target.join("release").join(name);
    let mut command = Command::new(built("chaos"));
    command.args(&options.words);
    if options.words.iter().any(|word| word == "--list") {
        return call(&mut command);
    }
    provide(&options.words);
    let folder = target.join("chaos");
    // Logs of before would be taken for this run's.
    if folder.is_dir() {
        std::fs::remove_dir_all(&folder)
            .map_err(|error| format!("cannot empty {}: {error}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let this = std::env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
    services::with(root, "chaos", services::Speak::Plainly, |stores| {
        command.arg("--program").arg(built("tzero")).arg("--stores").arg(stores);
        call(command.arg("--services").arg(&this).arg("--folder").arg(&folder))
    })
}
