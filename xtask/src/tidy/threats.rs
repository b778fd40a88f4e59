//! The table of threats names tests and guards that are there, and every guard of the edge.
//!
//! In `docs/threats.md` a test is written `hostile.rs::its_name` (with as many folders as tell the file from others of its name),
//! and a guard that `cargo xtask mutants` takes away `without its name`, in the row of the test that fails without it.

use super::finding::Finding;
use super::tree::{SourceFile, Tree};
use crate::mutants::Mutant;

const TABLE: &str = "docs/threats.md";
const GUARD: &str = "without ";

/// What the table names in vain, and what it leaves out; nothing where there is no table.
pub fn check(tree: &Tree, mutants: &[&Mutant]) -> Vec<Finding> {
    let Some(table) = tree.get(TABLE) else { return Vec::new() };
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(table.text.lines()) {
        let spans: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        let tests: Vec<&str> = spans.iter().copied().filter(|span| is_test(span)).collect();
        let guards = spans.iter().filter_map(|span| span.strip_prefix(GUARD));
        let wrong = tests.iter().filter_map(|test| missing(tree, test));
        let wrong = wrong.chain(guards.filter_map(|guard| unfit(guard, &tests, mutants)));
        findings.extend(wrong.map(|reason| Finding::new("threats", TABLE, number, reason)));
    }
    let left_out = mutants.iter().filter(|mutant| of_the_edge(mutant));
    let left_out = left_out.filter(|mutant| !table.text.contains(&format!("`{GUARD}{}`", mutant.guard)));
    findings.extend(left_out.map(|mutant| {
        let reason = format!("no row has the guard `{GUARD}{}`: say which threat it meets", mutant.guard);
        Finding::new("threats", TABLE, 1, reason)
    }));
    findings
}

fn is_test(span: &str) -> bool {
    span.split_once(".rs::").is_some_and(|(file, name)| !file.contains(' ') && !name.contains(' '))
}

/// Guards of what a client meets first.
fn of_the_edge(mutant: &Mutant) -> bool {
    mutant.file.starts_with("crates/gateway/") || mutant.file.starts_with("crates/adapter-payments/")
}

/// Why a test of this name cannot be meant.
fn missing(tree: &Tree, test: &str) -> Option<String> {
    let (file, name) = test.split_once("::")?;
    let fits = |found: &&SourceFile| found.path == file || found.path.ends_with(&format!("/{file}"));
    let found: Vec<&SourceFile> = tree.files().iter().filter(fits).collect();
    let [found] = found[..] else {
        return Some(format!("{} files end with `{file}`: name one", found.len()));
    };
    let after = |mark: &'static str| found.text.split(mark).skip(1);
    let known = after("#[test]").chain(after("#[tokio::test")).any(|text| {
        let declared = text.lines().find(|line| line.contains("fn ")).unwrap_or_default();
        declared.contains(&format!("fn {name}("))
    });
    (!known).then(|| format!("`{}` has no test `{name}`: name one that attacks this", found.path))
}

/// Why a guard of this name does not belong into a row with these tests.
fn unfit(guard: &str, tests: &[&str], mutants: &[&Mutant]) -> Option<String> {
    let Some(mutant) = mutants.iter().find(|mutant| mutant.guard == guard) else {
        return Some(format!("`cargo xtask mutants` knows no guard `{guard}`"));
    };
    let name = mutant.test.rsplit("::").next().unwrap_or_default();
    let told = tests.iter().any(|test| test.ends_with(&format!("::{name}")));
    (!told).then(|| format!("without `{guard}` the test `{name}` fails, which this row does not name"))
}

#[cfg(test)]
#[path = "threats_tests.rs"]
mod tests;
