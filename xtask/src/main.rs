//! The repository's own commands: `cargo xtask test`, `tidy`, `bench`, `mutants`, `sim`, `chaos`, `services`, `ci`.
//!
//! This program runs on a developer's machine and in continuous integration, never in production; it
//! knows the product only by its files and its command line, and links none of its crates.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its terminal")]

mod bench;
mod chaos;
mod ci;
mod mutants;
mod needs;
mod services;
mod sim;
mod steps;
mod suites;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The commands of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up what the tests need and run all of them
    ///
    /// Formatting, lints, the architecture checks of `tidy`, every cargo test of the workspace, and the
    /// external suites. Missing Debian packages are installed with apt-get when this runs as root; otherwise
    /// an error says what to install. Every step runs, whether or not an earlier one failed; the exit code
    /// is 0 only when all of them passed.
    Test(test::Options),
    /// Check the architecture and the house rules, and print every finding with its reason
    ///
    /// Who may depend on whom, module openings, lengths of files and functions (xtask/ratchet.toml), names,
    /// forbidden marks, machine paths, problem pages, the code map of ARCHITECTURE.md, links in documents.
    /// Every finding is printed as file:line with its reason; one finding makes the command fail.
    Tidy(tidy::Options),
    /// Measure, side by side with what is usually done: CPU time of the program and of its stores, latencies, failover
    ///
    /// `bench alone` and `bench fleet` take one half each.
    /// Missing Debian packages are installed with apt-get when this runs as root; otherwise an error says what to
    /// install. Debian's nginx package may start a server of its own on port 80. The fleet's stores are servers of this
    /// run's own; see `services`.
    Bench(bench::Options),
    /// Take each guard away, one at a time, and expect the test of its name to fail
    ///
    /// Works on a copy of the sources under target/mutants. Those of what is sold are part of `test`. `cargo xtask mutants webhook` tries only those of
    /// which the guard's name, file or test contains the word.
    Mutants(mutants::Options),
    /// Walk the fleet's protocol from seeds: every role on one thread, with faults, checked after each step
    ///
    /// `cargo xtask sim --seeds 100000 --from 0`; `--help` of it is in docs/simulation.md. Part of `test` for a
    /// bounded number of seeds.
    Sim(sim::Options),
    /// Sell drops on the real stores while stores and processes are killed, and check what is left
    ///
    /// Starts stores of its own and every role of a fleet twice; `--list` names the faults, docs/chaos.md says what is checked.
    /// The default is a small drop for each fault and one with all of them: about an hour.
    Chaos(chaos::Options),
    /// Run the real stores on this machine: a Redis Cluster, Apache Kafka, PostgreSQL
    ///
    /// Their data is in target/services of the checkout, their ports are free ones of 127.0.0.1. Missing Debian
    /// packages are installed with apt-get when this runs as root; otherwise an error says what to install.
    /// Debian's packages of Redis and PostgreSQL may start servers of their own on the usual ports; these are
    /// neither used nor stopped. Kafka's jars are fetched by Maven, once. Needs Linux.
    Services(services::Options),
    /// What continuous integration checks beyond `test`: documentation, licences and sources
    ///
    /// Needs cargo-deny; uses no network besides what cargo itself fetches.
    Ci,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = workspace::root().and_then(|root| match arguments.command {
        Command::Test(options) => test::run(&root, &options),
        Command::Tidy(options) => tidy::run(&root, &options),
        Command::Bench(options) => bench::run(&root, &options),
        Command::Mutants(options) => mutants::run(&root, &options),
        Command::Sim(options) => sim::run(&root, &options),
        Command::Chaos(options) => chaos::run(&root, &options),
        Command::Services(options) => services::run(&root, &options),
        Command::Ci => ci::run(&root),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}
