//! `cargo xtask mutants`: takes each guard away, one at a time, and expects the test of its name to fail.
//!
//! The sources are copied first, so that the checkout is never touched; compiled dependencies are shared. The copy's own crates
//! have another version, since cargo takes crates of one name and version in one target folder for the same, and would test the
//! copy where the checkout is meant. A guard is named by
//! its text, which must stand exactly once in its file: who changes it changes the row here.

use std::path::{Path, PathBuf};

use crate::steps::Steps;
use crate::workspace::{self, Outcome, cargo};

/// A guard, and what the code is without it.
struct Mutant {
    guard: &'static str,
    file: &'static str,
    original: &'static str,
    without: &'static str,
    package: &'static str,
    test: &'static str,
}

const INVENTORY: &str = "crates/domain/src/inventory.rs";
const RECORDS: &str = "crates/domain/src/records.rs";
const ALLOCATION: &str = "crates/domain/src/allocation.rs";

const MUTANTS: &[Mutant] = &[
    Mutant {
        guard: "a buyer's limit",
        file: INVENTORY,
        original: "standing.units + quantity <= u32::from(request.limit)",
        without: "standing.units + quantity <= u32::MAX || request.limit == 0",
        package: "domain",
        test: "guard_limit",
    },
    Mutant {
        guard: "the fingerprint's terms",
        file: INVENTORY,
        original: "record.terms == request.terms && record.user == request.user",
        without: "record.user == request.user",
        package: "domain",
        test: "guard_fingerprint",
    },
    Mutant {
        guard: "the fingerprint's user",
        file: INVENTORY,
        original: "record.terms == request.terms && record.user == request.user",
        without: "record.terms == request.terms",
        package: "domain",
        test: "guard_fingerprint",
    },
    Mutant {
        guard: "the place of a claim that an effect moves",
        file: RECORDS,
        original: "self.place == place && self.terms.product",
        without: "(self.place == place || true) && self.terms.product",
        package: "domain",
        test: "guard_presence_match",
    },
    Mutant {
        guard: "the units of a claim that an effect moves",
        file: RECORDS,
        original: "&& self.units == effect.units",
        without: "",
        package: "domain",
        test: "guard_presence_match",
    },
    Mutant {
        guard: "the ledger's own look at the unit",
        file: ALLOCATION,
        original: "!owned || facts.taken",
        without: "!owned",
        package: "domain",
        test: "guards_of_allocation",
    },
    Mutant {
        guard: "the ledger's own look at the limit",
        file: ALLOCATION,
        original: "facts.user_units + u32::from(claim.terms.quantity) > u32::from(facts.limit)",
        without: "facts.user_units > 255",
        package: "domain",
        test: "guards_of_allocation",
    },
    Mutant {
        guard: "the fence",
        file: ALLOCATION,
        original: "!facts.term.accepts(claim.epoch, facts.position)",
        without: "claim.epoch.0 > 255",
        package: "domain",
        test: "guards_of_allocation",
    },
    Mutant {
        guard: "the place of a vouched buyer before a suspicion",
        file: "crates/domain/src/challenge.rs",
        original: "suspected && !vouched",
        without: "suspected",
        package: "domain",
        test: "challenge::tests::who_is_asked",
    },
    Mutant {
        guard: "whom a challenge is for",
        file: "crates/adapter-challenges/src/altcha.rs",
        original: "!told.verified || !is_for(parameters, &binding::of(&self.binding, asked))",
        without: "!told.verified",
        package: "adapter-challenges",
        test: "altcha::a_solution_passes_for_nobody_else",
    },
    Mutant {
        guard: "the memory of solutions that were used",
        file: "crates/adapter-challenges/src/spent.rs",
        original: "known.uses.insert(solution, (key, until));",
        without: "",
        package: "adapter-challenges",
        test: "altcha::a_solution_passes_for_one_key_however_often",
    },
    Mutant {
        guard: "the questions in a row before a judge is away",
        file: "crates/adapter-challenges/src/turnstile.rs",
        original: "before.saturating_add(1) < AWAY_AFTER",
        without: "before == u32::MAX",
        package: "adapter-challenges",
        test: "turnstile::a_question_that_is_lost_now_and_then_lets_nobody_else_by",
    },
    Mutant {
        guard: "the group commit's wait",
        file: "crates/adapter-embedded/src/writer.rs",
        original: "    if !core.group.bytes().is_empty() {",
        without: "    answers.drain(..).for_each(|answer| answer());\n    if !core.group.bytes().is_empty() {",
        package: "adapter-embedded",
        test: "an_answer_waits_for_its_commit",
    },
    Mutant {
        guard: "an answer from memory waits as well",
        file: "crates/adapter-embedded/src/inventory.rs",
        original: "mark <= self.shared.durable()",
        without: "mark <= self.shared.durable().max(mark)",
        package: "adapter-embedded",
        test: "an_answer_waits_for_its_commit",
    },
];

/// Copies the sources and tries every mutant.
pub fn run(root: &Path) -> Outcome {
    let copy = workspace::target(root).join("mutants");
    let mut steps = Steps::default();
    for mutant in MUTANTS {
        steps.run(&format!("without {}: {} fails", mutant.guard, mutant.test), || {
            fresh(root, &copy)?;
            let before = tested(root, &copy, mutant)?;
            if !before.contains(&format!("test {} ... ok", mutant.test)) {
                return Err(format!("the test does not pass with the guard:\n{before}"));
            }
            let path = copy.join(mutant.file);
            let text = read(&path)?;
            write(&path, &text.replace(mutant.original, mutant.without))?;
            let after = tested(root, &copy, mutant)?;
            if !after.contains(&format!("test {} ... FAILED", mutant.test)) {
                return Err(format!("the test does not fail without the guard:\n{after}"));
            }
            Ok(())
        });
    }
    steps.close()
}

/// Runs the test in the copy; gives what it printed.
fn tested(root: &Path, copy: &Path, mutant: &Mutant) -> Result<String, String> {
    let mut command = cargo(copy, &["test", "--offline", "--package", mutant.package, mutant.test]);
    command.env("CARGO_TARGET_DIR", workspace::target(root));
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(printed.concat())
}

/// Makes the copy what the checkout is; what is the same keeps its time, so that cargo builds no more than it must.
fn fresh(root: &Path, copy: &Path) -> Outcome {
    std::fs::create_dir_all(copy).map_err(|error| format!("cannot make {}: {error}", copy.display()))?;
    for part in ["Cargo.lock", "crates", "xtask", "docs", "sales"] {
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
