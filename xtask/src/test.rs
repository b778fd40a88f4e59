//! `cargo xtask test`: everything that must hold, from a fresh clone, in one command.

use std::path::Path;

use crate::mutants;
use crate::needs::{
    self, BASH, C_COMPILER, CLIPPY, MAKE, OPENSSL_HEADERS, POSTGRES, REDIS, RUSTFMT, VARNISH,
};
use crate::services::{self, JAVA};
use crate::steps::{Steps, call};
use crate::suites::{SUITES, Suite};
use crate::tidy;
use crate::workspace::{Outcome, cargo};

/// What the command line asks for.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Skip the external suites (said again in the summary)
    #[arg(long)]
    fast: bool,
    /// Run only the cargo tests and external suites whose name contains this
    filter: Option<String>,
    /// Arguments for the test programs themselves, such as `--nocapture`
    #[arg(last = true)]
    passed_on: Vec<String>,
}

/// Runs what `options` ask for.
pub fn run(root: &Path, options: &Options) -> Outcome {
    needs::provide(&[C_COMPILER, BASH, MAKE, RUSTFMT, CLIPPY, POSTGRES, REDIS, JAVA])?;
    let mut steps = Steps::default();
    if options.filter.is_none() {
        static_checks(root, &mut steps);
    } else {
        steps.note(
            "a filter was given: formatting, lints and tidy did not run, nor did tests it does not name",
        );
    }
    steps.run("Kafka's jars, for the tests of its adapter", || services::bring_kafka_jars(root));
    steps.run("cargo test", || {
        let mut test = cargo(root, &["test", "--workspace", "--no-fail-fast"]);
        test.env("TZERO_KAFKA_JARS", services::kafka_jars(root));
        call(test.args(test_arguments(options, &["--skip", "fleet::"])))
    });
    if options.fast {
        steps.note("--fast: THE PROGRAM WAS NOT TESTED ON REDIS, KAFKA AND POSTGRESQL");
    } else {
        steps.run("fleet", || on_servers(root, options));
        steps.run("fleet behind Varnish", || behind_varnish(root, options));
        if options.filter.as_ref().is_none_or(|filter| OVER_TLS.contains(filter.as_str())) {
            steps.run("fleet over TLS", || over_tls(root, options));
        }
    }
    if options.filter.is_none() {
        steps.run("mutants", || mutants::rules(root));
    }
    external_suites(root, options, &mut steps);
    steps.close()
}

/// The same end-to-end tests once more, on the real stores of a fleet.
fn on_servers(root: &Path, options: &Options) -> Outcome {
    services::with(root, "fleet", services::Speak::Plainly, |addresses| {
        let run = |own: &[&str]| {
            let test = &["test", "--package", "tzero", "--test", "it", "--no-fail-fast"];
            call(cargo(root, test).args(test_arguments(options, own)).env("TZERO_TEST_STORES", addresses))
        };
        let elsewhere = ["embedded::", "fleet::faults::", "fleet::hangs::", OVER_TLS];
        let beside = run(&elsewhere.map(|name| ["--skip", name]).concat());
        if options.filter.is_some() {
            return beside;
        }
        // These kill the servers that all tests share.
        beside.and(run(&["fleet::faults::", "fleet::hangs::", "--test-threads", "1"]))
    })
}

/// And once more, through Varnish and a gateway that is a process of its own, as orders and everything behind it are.
fn behind_varnish(root: &Path, options: &Options) -> Outcome {
    needs::provide(&[VARNISH])?;
    services::with(root, "fleet-varnish", services::Speak::Plainly, |addresses| {
        let mut test = cargo(root, &["test", "--package", "tzero", "--test", "it", "--no-fail-fast"]);
        test.args(test_arguments(options, &["--skip", "embedded::", "--skip", "fleet::"]));
        call(test.env("TZERO_TEST_STORES", addresses).env("TZERO_TEST_FRONT", "varnish"))
    })
}

/// Tests of stores that speak TLS.
const OVER_TLS: &str = "fleet::tls::";

/// Those, on servers that do, with a program that can with all of them; and purchases that have nothing to do with it.
fn over_tls(root: &Path, options: &Options) -> Outcome {
    needs::provide(&[OPENSSL_HEADERS])?;
    services::with(root, "fleet-tls", services::Speak::Tls, |addresses| {
        let mut test =
            cargo(root, &["test", "--package", "tzero", "--features", "kafka-tls", "--test", "it"]);
        test.args(["--no-fail-fast", "--", OVER_TLS, "checkout::", "--skip", "embedded::"]);
        call(test.args(&options.passed_on).env("TZERO_TEST_STORES", addresses))
    })
}

fn static_checks(root: &Path, steps: &mut Steps) {
    steps.run("formatting", || call(&mut cargo(root, &["fmt", "--all", "--check"])));
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    steps.run("lints", || call(&mut cargo(root, &clippy)));
    steps.run("tidy", || tidy::run(root, &tidy::Options::default()));
}

fn external_suites(root: &Path, options: &Options, steps: &mut Steps) {
    let chosen = chosen(SUITES, options);
    if options.fast {
        steps.note(format!("--fast: EXTERNAL SUITES WERE SKIPPED: {}", listed(&chosen)));
        return;
    }
    if chosen.is_empty() {
        return;
    }
    steps
        .run("build the program for the suites", || call(&mut cargo(root, &["build", "--package", "tzero"])));
    for suite in chosen {
        steps.run(suite.name, || suite.run(root));
    }
}

fn listed(suites: &[&Suite]) -> String {
    let names: Vec<&str> = suites.iter().map(|suite| suite.name).collect();
    if names.is_empty() { "none would have run".to_owned() } else { names.join(", ") }
}

fn chosen<'a>(suites: &'a [Suite], options: &Options) -> Vec<&'a Suite> {
    let wanted =
        |suite: &&Suite| options.filter.as_ref().is_none_or(|filter| suite.name.contains(filter.as_str()));
    suites.iter().filter(wanted).collect()
}

/// What follows `cargo test`: the filter, then what the test programs get: `own`, and what was passed on.
fn test_arguments<'a>(options: &'a Options, own: &[&'a str]) -> Vec<&'a str> {
    let filter = options.filter.as_deref();
    let own = own.iter().copied();
    filter.into_iter().chain(["--"]).chain(own).chain(options.passed_on.iter().map(String::as_str)).collect()
}

#[cfg(test)]
#[path = "test_tests.rs"]
mod tests;
