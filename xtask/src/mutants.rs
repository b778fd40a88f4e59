//! `cargo xtask mutants`: takes each guard away, one at a time, and expects the test of its name to fail.
//!
//! The sources are copied first, so that the checkout is never touched; compiled dependencies are shared. The copy's own crates
//! have another version, since cargo takes crates of one name and version in one target folder for the same, and would test the
//! copy where the checkout is meant. A guard is named by
//! its text, which must stand exactly once in its file: who changes it changes the row here.

mod edge;
mod rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::steps::Steps;
use crate::workspace::{self, Outcome, cargo};

/// What the command line asks for.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Take away only the guards whose name, file, test or package of that test contains this
    filter: Option<String>,
}

/// A guard, and what the code is without it.
pub struct Mutant {
    /// What it guards.
    pub guard: &'static str,
    /// Where it stands.
    pub file: &'static str,
    original: &'static str,
    without: &'static str,
    package: &'static str,
    /// Which of the package's test programs: `lib`, or one of `tests/`.
    tests: &'static str,
    /// The test that fails without it, by its path in that program.
    pub test: &'static str,
}

impl Mutant {
    fn is_wanted(&self, filter: &str) -> bool {
        [self.guard, self.file, self.test, self.package].iter().any(|text| text.contains(filter))
    }
}

/// Every guard.
pub fn all() -> impl Iterator<Item = &'static Mutant> {
    rules::GUARDS.iter().chain(edge::GUARDS)
}

/// Tries every mutant that is asked for.
pub fn run(root: &Path, options: &Options) -> Outcome {
    let filter = options.filter.as_deref().unwrap_or_default();
    let mutants: Vec<&Mutant> = all().filter(|mutant| mutant.is_wanted(filter)).collect();
    if mutants.is_empty() {
        return Err(format!("no guard has {filter:?} in its name, file, test or package"));
    }
    take_away(root, mutants)
}

/// Tries the mutants of what is sold: those of the edge, of which most build the whole program anew,
/// are tried by [`run`].
pub fn rules(root: &Path) -> Outcome {
    take_away(root, rules::GUARDS.iter().collect())
}

/// Copies the sources and tries these mutants.
fn take_away(root: &Path, mutants: Vec<&Mutant>) -> Outcome {
    let copy = workspace::target(root).join("mutants");
    let mut programs: BTreeMap<(&str, &str), Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants {
        programs.entry((mutant.package, mutant.tests)).or_default().push(mutant);
    }
    let mut steps = Steps::default();
    for ((package, tests), mutants) in programs {
        steps.run(&format!("with every guard: the tests of {package}, {tests}, pass"), || {
            fresh(root, &copy)?;
            let before = tested(root, &copy, &mutants)?;
            let missed =
                mutants.iter().find(|mutant| !before.contains(&format!("test {} ... ok", mutant.test)));
            missed.map_or(Ok(()), |mutant| {
                Err(format!("{} does not pass with the guard:\n{before}", mutant.test))
            })
        });
        for mutant in mutants {
            steps.run(&format!("without {}: {} fails", mutant.guard, mutant.test), || {
                fresh(root, &copy)?;
                let path = copy.join(mutant.file);
                let text = read(&path)?;
                write(&path, &text.replace(mutant.original, mutant.without))?;
                let after = tested(root, &copy, &[mutant])?;
                if !after.contains(&format!("test {} ... FAILED", mutant.test)) {
                    return Err(format!("the test does not fail without the guard:\n{after}"));
                }
                Ok(())
            });
        }
    }
    steps.close()
}

/// Runs the tests of some guards, of one program, in the copy; gives what was printed.
fn tested(root: &Path, copy: &Path, mutants: &[&Mutant]) -> Result<String, String> {
    let Some(first) = mutants.first() else { return Ok(String::new()) };
    let mut arguments = vec!["test", "--offline", "--package", first.package];
    match first.tests {
        "lib" => arguments.push("--lib"),
        name => arguments.extend(["--test", name]),
    }
    arguments.extend(["--", "--exact"]);
    arguments.extend(mutants.iter().map(|mutant| mutant.test));
    let mut command = cargo(copy, &arguments);
    command.env("CARGO_TARGET_DIR", workspace::target(root));
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(printed.concat())
}

/// Makes the copy what the checkout is; what is the same keeps its time, so that cargo builds no more than it must.
fn fresh(root: &Path, copy: &Path) -> Outcome {
    std::fs::create_dir_all(copy).map_err(|error| format!("cannot make {}: {error}", copy.display()))?;
    for part in ["Cargo.lock", "BENCHMARKS.md", "config", "crates", "deploy", "docs", "sales", "xtask"] {
        mirror(&root.join(part), &copy.join(part))?;
    }
    write(&copy.join("Cargo.toml"), &renamed(&read(&root.join("Cargo.toml"))?)?)
}

/// The workspace's manifest, with a version that the copy's crates share with none of the checkout.
fn renamed(manifest: &str) -> Result<String, String> {
    let line = manifest.lines().find(|line| line.starts_with("version = "));
    let line = line.ok_or("Cargo.toml says no version of the workspace")?;
    Ok(manifest.replacen(line, &format!("{}+mutant\"", line.trim_end_matches('"')), 1))
}

fn mirror(from: &Path, to: &Path) -> Outcome {
    let said =
        |path: &Path, error: &dyn std::fmt::Display| format!("cannot copy {}: {error}", path.display());
    if !from.is_dir() {
        let new = std::fs::read(from).map_err(|error| said(from, &error))?;
        if std::fs::read(to).is_ok_and(|old| old == new) {
            return Ok(());
        }
        return std::fs::write(to, new).map_err(|error| said(to, &error));
    }
    std::fs::create_dir_all(to).map_err(|error| said(to, &error))?;
    let entries = |path: &Path| -> Result<Vec<PathBuf>, String> {
        let listed = std::fs::read_dir(path).map_err(|error| said(path, &error))?;
        listed.map(|entry| entry.map(|entry| entry.path()).map_err(|error| said(path, &error))).collect()
    };
    for gone in entries(to)? {
        let name = gone.file_name().unwrap_or_default();
        if !from.join(name).exists() {
            let removed =
                if gone.is_dir() { std::fs::remove_dir_all(&gone) } else { std::fs::remove_file(&gone) };
            removed.map_err(|error| said(&gone, &error))?;
        }
    }
    entries(from)?.iter().try_for_each(|path| mirror(path, &to.join(path.file_name().unwrap_or_default())))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
#[path = "mutants_tests.rs"]
mod tests;
