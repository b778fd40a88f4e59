//! The lengths of files and functions may only fall: `xtask/ratchet.toml` holds what is allowed.
//!
//! Goals are a median under 12 and a 90th percentile under 40 lines a function; the ratchet keeps what
//! was reached. `cargo xtask tidy --tighten` lowers it to today's figures and never raises it.

use std::collections::BTreeMap;
use std::path::Path;

use super::finding::Finding;
use super::length::{files, functions};
use super::tree::Tree;

const FILE: &str = "xtask/ratchet.toml";

/// Lengths in lines, by the name they have in the file.
type Figures = BTreeMap<String, usize>;

/// Prints today's figures, compares them with the ratchet, and lowers it where asked.
pub fn run(root: &Path, tree: &Tree, tighten: bool) -> Result<Vec<Finding>, String> {
    let today = measure(tree);
    let place = root.join(FILE);
    let text = std::fs::read_to_string(&place).map_err(|error| format!("cannot read {FILE}: {error}"))?;
    let allowed: Figures = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
    for (name, lines) in &today {
        println!(
            "{name:<16} {lines:>5} lines   (at most {})",
            allowed.get(name).copied().unwrap_or_default()
        );
    }
    if tighten {
        std::fs::write(&place, lowered(&text, &allowed, &today))
            .map_err(|error| format!("cannot write {FILE}: {error}"))?;
    }
    Ok(compare(&text, &allowed, &today, tree))
}

fn measure(tree: &Tree) -> Figures {
    let functions: Vec<usize> = functions(tree).into_iter().map(|function| function.lines).collect();
    let files: Vec<usize> = files(tree).into_iter().map(|(_, lines)| lines).collect();
    let mut figures = Figures::new();
    for (kind, mut lengths) in [("file", files), ("function", functions)] {
        lengths.sort_unstable();
        figures.insert(format!("{kind}_median"), quantile(&lengths, 50));
        figures.insert(format!("{kind}_p90"), quantile(&lengths, 90));
        figures.insert(format!("{kind}_longest"), lengths.last().copied().unwrap_or_default());
    }
    figures
}

/// The smallest length that at least `percent` of all lengths do not exceed; 0 without any.
fn quantile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

fn compare(text: &str, allowed: &Figures, today: &Figures, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, &lines) in today {
        let line = text.lines().position(|line| line.starts_with(name.as_str())).map_or(1, |at| at + 1);
        match allowed.get(name) {
            None => findings.push(Finding::new(
                "ratchet",
                FILE,
                1,
                format!("`{name}` is missing; today it is {lines}"),
            )),
            Some(&most) if lines > most => {
                let culprit = culprit(name, tree);
                let reason = format!(
                    "{name} is {lines} lines and may be at most {most}{culprit}: lengths may only fall"
                );
                findings.push(Finding::new("ratchet", FILE, line, reason));
            }
            Some(_) => {}
        }
    }
    findings
}

/// Where the longest one is, for the figures that are about one.
fn culprit(figure: &str, tree: &Tree) -> String {
    let longest = match figure {
        "function_longest" => functions(tree)
            .into_iter()
            .max_by_key(|function| function.lines)
            .map(|function| format!("{}:{} `{}`", function.file, function.line, function.name)),
        "file_longest" => files(tree).into_iter().max_by_key(|&(_, lines)| lines).map(|(path, _)| path),
        _ => None,
    };
    longest.map(|place| format!(" ({place})")).unwrap_or_default()
}

/// The file's text with every figure that is higher than today's lowered to it; comments stay.
fn lowered(text: &str, allowed: &Figures, today: &Figures) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for line in &mut lines {
        let name = line.split('=').next().unwrap_or_default().trim().to_owned();
        if let (Some(&most), Some(&now)) = (allowed.get(&name), today.get(&name)) {
            *line = format!("{name} = {}", most.min(now));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
#[path = "ratchet_tests.rs"]
mod tests;
