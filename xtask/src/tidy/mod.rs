//! `cargo xtask tidy`: the house rules as checks, each with its reason.
//!
//! A check is a function from the `Tree` (all files of the repository, read once) to `Finding`s. Every
//! check has a test with a bad example that it catches. All findings are printed, then the run fails.

mod code_map;
mod dependencies;
mod finding;
mod forbidden;
mod length;
mod lexer;
mod links;
mod machine;
mod names;
mod opening;
mod problems;
mod ratchet;
mod threats;
mod tree;

use std::path::Path;

use finding::Finding;
use tree::Tree;

use crate::workspace::Outcome;

/// What the command line asks for.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Write today's lengths into xtask/ratchet.toml where they are lower than what it allows
    #[arg(long)]
    tighten: bool,
}

/// The checks that need nothing but the files.
const CHECKS: &[fn(&Tree) -> Vec<Finding>] = &[
    opening::check,
    length::check,
    names::check,
    forbidden::check,
    problems::check,
    code_map::check,
    links::check,
];

/// Runs every check, prints what they found and the lengths, and fails when anything was found.
pub fn run(root: &Path, options: &Options) -> Outcome {
    let tree = Tree::read(root)?;
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    findings.extend(machine::check(&tree, &machine::Places::of_this_machine(root)));
    findings.extend(threats::check(&tree, &crate::mutants::all().collect::<Vec<_>>()));
    findings.extend(dependencies::check(&dependencies::read(root)?));
    findings.extend(ratchet::run(root, &tree, options.tighten)?);
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing found", tree.files().len());
        return Ok(());
    }
    Err(format!("tidy found {} things in {} files", findings.len(), tree.files().len()))
}
