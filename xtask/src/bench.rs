//! `cargo xtask bench`: the tools that the side-by-side measurements need.
//!
//! Every measurement is a ratio within one run, so the anchor (nginx) and the load (wrk) must be on the
//! machine. This module provides them and says which versions they are; it prints no figure that it
//! has not taken.

use std::path::PathBuf;
use std::process::Command;

use crate::needs::{self, NGINX, Need, WRK};
use crate::workspace::Outcome;

/// A tool that is on the machine.
#[derive(Debug)]
pub struct Tool {
    /// Where it is.
    pub program: PathBuf,
    /// What it says of itself.
    pub version: String,
}

/// nginx, installed if need be: the anchor.
pub fn nginx() -> Result<Tool, String> {
    tool(NGINX)
}

/// wrk, installed if need be: the load.
pub fn wrk() -> Result<Tool, String> {
    tool(WRK)
}

/// Provides both tools and prints what they are.
pub fn run() -> Outcome {
    needs::provide(&[NGINX, WRK])?;
    for (role, tool) in [("anchor", nginx()?), ("load", wrk()?)] {
        println!("{role:<7} {} ({})", tool.version, tool.program.display());
    }
    Ok(())
}

fn tool(need: Need) -> Result<Tool, String> {
    needs::provide(&[need])?;
    let program =
        need.program().ok_or_else(|| format!("{} was installed but is not on the path", need.name))?;
    let version = version(&program)?;
    Ok(Tool { program, version })
}

/// The first line of what `program -v` says, on either stream; wrk ends with 1 after saying it.
fn version(program: &PathBuf) -> Result<String, String> {
    let said = Command::new(program).arg("-v").output();
    let said = said.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let text = [said.stdout, said.stderr].concat();
    let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned();
    if line.is_empty() { Err(format!("{} says nothing of its version", program.display())) } else { Ok(line) }
}
