//! `cargo xtask sim`: hands its words to the simulation, built for speed.

use std::path::Path;

use clap::Args;

use crate::steps::call;
use crate::workspace::{Outcome, cargo};

/// What the simulation is told.
#[derive(Args)]
pub struct Options {
    /// `--seeds N`, `--from SEED`, `--steps N`, `--mutant NAME`, `--last N`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Builds and runs it.
pub fn run(root: &Path, options: &Options) -> Outcome {
    let mut words = vec!["run", "--release", "-q", "-p", "simulation", "--"];
    words.extend(options.words.iter().map(String::as_str));
    call(&mut cargo(root, &words))
}
