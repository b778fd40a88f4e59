//! The code map in ARCHITECTURE.md names what is there and nothing that is not.
//!
//! A bare `hold.rs` belongs to the crate that was named last before it, in whatever form the map has
//! (list, table, tree). `lib.rs` and files of tests need no mention.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";

/// The rooms whose files are a story that the map must tell whole.
const TOLD_WHOLE: &[&str] = &["domain", "ports", "purchase"];

/// What the map leaves out, and what it names in vain.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.get(MAP) else {
        return vec![Finding::new(
            "code-map",
            MAP,
            1,
            "there is no ARCHITECTURE.md: a newcomer needs the code map",
        )];
    };
    let crates = tree.crates();
    let mut findings = Vec::new();
    let mut named: BTreeSet<String> = BTreeSet::new();
    let mut room: Option<&str> = None;
    for (line, word) in words(&map.text) {
        if let Some(&known) = crates.keys().find(|&&known| names_room(word, known)) {
            room = Some(known);
            named.insert(known.to_owned());
        }
        if let Some(path) = rust_file(word) {
            match resolve(tree, path, room) {
                Some(found) => drop(named.insert(found)),
                None => findings.push(Finding::new(
                    "code-map",
                    MAP,
                    line,
                    format!("`{path}` is not there: name what is, or nothing"),
                )),
            }
        } else if word.starts_with("crates/") && !word.contains(['<', '*', '{', '…']) && !tree.has(word) {
            findings.push(Finding::new(
                "code-map",
                MAP,
                line,
                format!("`{word}` is not there: name what is, or nothing"),
            ));
        }
    }
    findings.extend(left_out(&crates, &named));
    findings
}

fn left_out(crates: &std::collections::BTreeMap<&str, Vec<&str>>, named: &BTreeSet<String>) -> Vec<Finding> {
    let mut missing = Vec::new();
    for (room, files) in crates {
        if !named.contains(*room) {
            missing.push(format!("crates/{room}"));
        }
        let told = files.iter().filter(|file| TOLD_WHOLE.contains(room) && file.ends_with(".rs"));
        let told = told.filter(|file| **file != "lib.rs" && !file.ends_with("tests.rs"));
        missing.extend(
            told.map(|file| format!("crates/{room}/src/{file}")).filter(|path| !named.contains(path)),
        );
    }
    let reason =
        |path: String| Finding::new("code-map", MAP, 1, format!("the code map does not name `{path}`"));
    missing.into_iter().map(reason).collect()
}

/// Words that may be names: letters, digits and what paths are made of, with their line.
fn words(text: &str) -> Vec<(usize, &str)> {
    let part = |letter: char| letter.is_alphanumeric() || "/._-<>*{}…".contains(letter);
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(at, line)| {
            let words = line.split(move |letter| !part(letter)).filter(|word| !word.is_empty());
            words.map(move |word| (at + 1, word.trim_end_matches('.')))
        })
        .collect()
}

/// Whether `word` is `crates/room`, something in it, or the `room/` of a drawn tree.
fn names_room(word: &str, room: &str) -> bool {
    let rest = word.strip_prefix("crates/").and_then(|rest| rest.strip_prefix(room));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) || word.strip_suffix('/') == Some(room)
}

fn rust_file(word: &str) -> Option<&str> {
    let plain = word.ends_with(".rs") && word.len() > 3 && !word.contains(['<', '*', '{', '…']);
    plain.then_some(word)
}

/// The file that `path` names: from the root, in the crate named last, or anywhere.
fn resolve(tree: &Tree, path: &str, room: Option<&str>) -> Option<String> {
    if tree.get(path).is_some() {
        return Some(path.to_owned());
    }
    let inside =
        room.map(|room| format!("crates/{room}/src/{path}")).filter(|inside| tree.get(inside).is_some());
    inside.or_else(|| {
        let suffix = format!("/{path}");
        tree.files().iter().find(|file| file.path.ends_with(&suffix)).map(|file| file.path.clone())
    })
}

#[cfg(test)]
#[path = "code_map_tests.rs"]
mod tests;
