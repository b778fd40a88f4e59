//! `cargo xtask bench`: measures, side by side in one run.
//!
//! Every measurement of HTTP is taken beside the anchor (nginx) under the same load (wrk, and `pace` where the pace is
//! fixed); both are provided and named with their versions. What a fleet costs its stores is measured beside what is usually
//! done with the same stores. What hostile buyers cost is measured by rehearsals without and with them. The drivers are
//! `xtask/bench/side_by_side.py`, `xtask/bench/overload.py`, `xtask/bench/status_delivery.py`, `xtask/bench/hostile.py` and
//! `xtask/bench/fleet`; they print no figure that they have not taken.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::needs::{self, NGINX, Need, PGBENCH, VARNISH, WRK};
use crate::services;
use crate::steps::call;
use crate::workspace::{self, Outcome, cargo};

/// What is measured.
#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// Writes the costs that `alone` and `fleet` measure into this file, for `tzero plan --costs`; figures of this machine
    /// that are in it and are not measured now are kept
    #[arg(long, global = true, value_name = "FILE")]
    costs: Option<PathBuf>,
}

/// A part of it.
#[derive(clap::Subcommand, PartialEq, Eq)]
enum Part {
    /// The program alone: durable holds, HTTP side by side with nginx, memory per connection
    Alone,
    /// Five times as much as the program can take, with a quarter of a core: what it still sells, and how soon it answers
    Overload,
    /// Buyers who wait for news of their orders, by polling and by streams, directly and through Varnish
    Status,
    /// The fleet on real stores: CPU time of Redis and PostgreSQL, acknowledgement, how long a failover closes a shard
    Fleet,
    /// What hostile buyers cost the honest ones: rehearsals without and with a tenth hostile, A B A B, and the server's memory.
    /// Part of no other run: it takes minutes a pair and needs a machine with nothing else to do
    Hostile(Hostile),
}

/// How long hostile buyers are measured.
#[derive(clap::Args, PartialEq, Eq)]
struct Hostile {
    /// Pairs of rehearsals
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Buyers in each rehearsal; at least 80, so that a tenth of them has every kind
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(80..))]
    buyers: u32,
    /// Time over which they come evenly, milliseconds; 0 for all of them at T-zero
    #[arg(long, default_value_t = 20_000)]
    ramp_ms: u64,
}

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

/// Builds the program and measures.
pub fn run(root: &Path, options: &Options) -> Outcome {
    let measures_costs = matches!(options.part, None | Some(Part::Alone | Part::Fleet));
    if options.costs.is_some() && !measures_costs {
        return Err(
            "--costs: only `bench alone` and `bench fleet` measure what `tzero plan` knows; leave it out"
                .to_owned(),
        );
    }
    if let Some(Part::Hostile(hostile)) = &options.part {
        return run_hostile(root, hostile);
    }
    let wanted = |part: &Part| options.part.as_ref().is_none_or(|only| only == part);
    for (role, tool) in [("anchor", nginx()?), ("load", wrk()?)] {
        println!("{role:<7} {} ({})", tool.version, tool.program.display());
    }
    call(&mut cargo(root, &["build", "--release"]))?;
    call(&mut cargo(root, &["build", "--release", "-p", "rehearsal", "--example", "pace"]))?;
    let costs = options.costs.as_deref();
    if wanted(&Part::Alone) {
        run_alone(root, costs)?;
    }
    if wanted(&Part::Overload) {
        run_overload(root)?;
    }
    if wanted(&Part::Status) {
        run_status(root)?;
    }
    if wanted(&Part::Fleet) { run_fleet(root, costs) } else { Ok(()) }
}

/// The program, held to a quarter of a core, under five times its load.
fn run_overload(root: &Path) -> Outcome {
    let release = workspace::target(root).join("release");
    let driver = root.join("xtask/bench/overload.py");
    let built = [release.join("tzero"), release.join("examples/pace")];
    call(Command::new("python3").arg("-B").arg(driver).args(built))
}

/// The inventory alone, then the HTTP paths side by side with nginx.
fn run_alone(root: &Path, costs: Option<&Path>) -> Outcome {
    call(&mut cargo(root, &["run", "--release", "-q", "-p", "adapter-embedded", "--example", "holds"]))?;
    let release = workspace::target(root).join("release");
    let driver = root.join("xtask/bench/side_by_side.py");
    call(
        Command::new("python3")
            .arg("-B")
            .arg(driver)
            .args([release.join("tzero"), release.join("examples/pace")])
            .args(costs),
    )
}

/// Rehearsals without and with hostile buyers, in turn.
fn run_hostile(root: &Path, hostile: &Hostile) -> Outcome {
    call(&mut cargo(root, &["build", "--release"]))?;
    let figures = [u64::from(hostile.pairs), u64::from(hostile.buyers), hostile.ramp_ms];
    call(
        Command::new("python3")
            .arg("-B")
            .arg(root.join("xtask/bench/hostile.py"))
            .arg(workspace::target(root).join("release/tzero"))
            .args(figures.map(|figure| figure.to_string())),
    )
}

/// What a buyer who waits costs, by each way of being told.
fn run_status(root: &Path) -> Outcome {
    needs::provide(&[VARNISH])?;
    let program = workspace::target(root).join("release/tzero");
    let driver = root.join("xtask/bench/status_delivery.py");
    call(Command::new("python3").arg("-B").arg(driver).arg(program).arg(root))
}

/// The stores side by side with what is usually done with them, then the fleet on them. The stores are this run's own.
fn run_fleet(root: &Path, costs: Option<&Path>) -> Outcome {
    needs::provide(&[PGBENCH])?;
    let pgbench = PGBENCH.program().ok_or("pgbench was installed but is not there")?;
    call(&mut cargo(root, &["build", "--release", "-p", "adapter-redis", "--example", "grants"]))?;
    call(&mut cargo(root, &["build", "--release", "-p", "adapter-postgres", "--example", "allocate"]))?;
    let xtask = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let release = workspace::target(root).join("release");
    services::with(root, "bench", services::Speak::Plainly, |stores| {
        let mut driver = Command::new("python3");
        driver
            .arg("-B")
            .arg(root.join("xtask/bench/fleet"))
            .arg(stores)
            .arg(&release)
            .arg(&pgbench)
            .arg(&xtask)
            .args(costs);
        call(&mut driver)
    })
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
