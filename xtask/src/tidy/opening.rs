//! Every Rust file opens with `//!`: what the module is for.

use super::finding::Finding;
use super::tree::Tree;

/// Files whose first line is not a module comment.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let silent = tree.rust().filter(|(file, _)| !says_something(&file.text));
    silent
        .map(|(file, _)| {
            let reason = "the file must open with `//!` and say what it is for; a reader decides by it whether to read on";
            Finding::new("opening", &file.path, 1, reason)
        })
        .collect()
}

fn says_something(text: &str) -> bool {
    let first = text.lines().next().and_then(|line| line.strip_prefix("//!"));
    first.is_some_and(|said| !said.trim().is_empty())
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
