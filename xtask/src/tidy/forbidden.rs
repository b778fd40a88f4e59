//! Marks that must not be in the tree: switched-off tests and lints, unfinished work, empty assertions.

use super::finding::Finding;
use super::tree::{SourceFile, Tree};

/// Marks in code, by the text with blanks removed, and why they are refused.
const IN_CODE: &[(&str, &str)] = &[
    ("#[ignore", "a switched-off test proves nothing: make it run, or delete it"),
    ("#[allow(", "use `#[expect(…, reason = \"…\")]`, which complains when it is no longer needed"),
    ("#![allow(", "use `#![expect(…, reason = \"…\")]`, which complains when it is no longer needed"),
    (",allow(", "use `expect` with a reason, which complains when it is no longer needed"),
    (concat!("to", "do!("), "unfinished work does not go in"),
    (concat!("unimple", "mented!("), "unfinished work does not go in"),
    ("assert!(true", "an assertion that cannot fail proves nothing"),
];

/// Words in comments, and in whole files of other languages.
const WORDS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX"), concat!("HA", "CK")];

/// Other kinds of files that are read for `WORDS`; prose is not, it may have to speak of them.
const OTHER_LANGUAGES: &[&str] =
    &["toml", "sh", "js", "css", "html", "sql", "lua", "py", "yml", "yaml", "vcl", "conf", "service"];

/// Every mark in every file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Vec<Finding> {
    if let Some(masked) = &file.rust {
        let mut findings = marks(file, &masked.code);
        findings.extend(words(file, &masked.comments));
        findings.extend(skipped_examples(file, &masked.comments));
        return findings;
    }
    let extension = file.name().rsplit('.').next().unwrap_or_default();
    if OTHER_LANGUAGES.contains(&extension) { words(file, &file.text) } else { Vec::new() }
}

fn marks(file: &SourceFile, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in code.lines().enumerate() {
        let dense: String = line.split_whitespace().collect();
        let attribute = dense.contains("#[") || dense.contains("#![");
        let found =
            IN_CODE.iter().filter(|(mark, _)| dense.contains(mark) && (attribute || !mark.starts_with(',')));
        findings
            .extend(found.map(|(mark, why)| {
                Finding::new("forbidden", &file.path, at + 1, format!("`{mark}`: {why}"))
            }));
    }
    findings
}

fn words(file: &SourceFile, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let mut here = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        if let Some(word) = here.find(|word| WORDS.contains(word)) {
            let reason = format!(
                "\"{word}\": unfinished work does not go in; do it, or say in the documents what is not done"
            );
            findings.push(Finding::new("forbidden", &file.path, at + 1, reason));
        }
    }
    findings
}

fn skipped_examples(file: &SourceFile, comments: &str) -> Vec<Finding> {
    let skipped = comments
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("```ignore") || line.contains(",ignore"));
    let reason = "an example that is not even compiled goes stale: let it compile, or mark it as `text`";
    skipped.map(|(at, _)| Finding::new("forbidden", &file.path, at + 1, reason)).collect()
}

#[cfg(test)]
#[path = "forbidden_tests.rs"]
mod tests;
