//! `cargo xtask ci`: what continuous integration checks beyond `cargo xtask test`.
//!
//! `.ci/run` calls the test command and nothing else; these checks need tools or a network that a
//! contributor's machine may lack, so they are a command of their own.

use std::path::Path;

use crate::needs::{self, Need, Proof};
use crate::steps::{Steps, call};
use crate::workspace::{Outcome, cargo};

const CARGO_DENY: Need = Need {
    name: "cargo-deny",
    proof: Proof::Succeeds(&["cargo", "deny", "--version"]),
    packages: &[],
    otherwise: "run `cargo install --locked cargo-deny`",
};

/// Documentation without warnings, then licences, bans and sources of every dependency.
pub fn run(root: &Path) -> Outcome {
    let mut steps = Steps::default();
    steps.run("documentation", || {
        call(cargo(root, &["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
    });
    steps.run("licences, bans, sources", || {
        needs::provide(&[CARGO_DENY])?;
        call(&mut cargo(root, &["deny", "--offline", "check", "licenses", "bans", "sources"]))
    });
    steps.close()
}
