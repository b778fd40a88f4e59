//! `cargo xtask bench`: measures, side by side in one run.
//!
//! Every measurement of HTTP is taken beside the anchor (nginx) under the same load (wrk, and `pace` where the pace is
//! fixed); both are provided and named with their versions. The driver is `xtask/bench/side_by_side.py`; it prints no figure that it has not taken.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::needs::{self, NGINX, Need, WRK};
use crate::steps::call;
use crate::workspace::{self, Outcome, cargo};

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

/// Builds the program and measures: the inventory alone, then the HTTP paths side by side with nginx.
pub fn run(root: &Path) -> Outcome {
    needs::provide(&[NGINX, WRK])?;
    for (role, tool) in [("anchor", nginx()?), ("load", wrk()?)] {
        println!("{role:<7} {} ({})", tool.version, tool.program.display());
    }
    call(&mut cargo(root, &["build", "--release"]))?;
    call(&mut cargo(root, &["run", "--release", "-q", "-p", "adapter-embedded", "--example", "holds"]))?;
    call(&mut cargo(root, &["build", "--release", "-p", "rehearsal", "--example", "pace"]))?;
    let built = |name: &str| workspace::target(root).join("release").join(name);
    let driver = root.join("xtask/bench/side_by_side.py");
    call(Command::new("python3").arg(driver).arg(built("tzero")).arg(built("examples/pace")))
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
