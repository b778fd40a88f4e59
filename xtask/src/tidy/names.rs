//! One word per idea: synonyms of the house's words are refused in public names and module names.

use super::finding::Finding;
use super::lexer::{is_word, line_of};
use super::tree::Tree;

/// The refused words and what to say instead.
const REFUSED: &[(&str, &str)] = &[
    ("item", "product, or unit (of stock)"),
    ("sku", "product"),
    ("reservation", "hold"),
    ("lock", "hold, or the name of what is guarded"),
    ("cart", "order"),
    ("booking", "hold, or order"),
    ("reaper", "expiration"),
    ("helper", "a name that says what it does"),
    ("util", "a name that says what it does"),
    ("manager", "a name that says what it does"),
    ("dispatch", "a name that says what is handed to whom"),
];

/// What declares a name; `mod` counts without `pub` as well, since a file is named after it.
const DECLARING: &[&str] = &["struct", "enum", "union", "trait", "type", "fn", "const", "static", "mod"];

/// What may stand between `pub` and the declaring word.
const BETWEEN: &[&str] = &["async", "unsafe", "extern", "const"];

/// Public names, module names and file names with a refused word in them.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, masked) in tree.rust() {
        let stem = file.name().trim_end_matches(".rs");
        findings.extend(refusal(&file.path, 1, "file", stem));
        for (offset, kind, name) in declarations(&masked.code) {
            findings.extend(refusal(&file.path, line_of(&masked.code, offset), kind, name));
        }
    }
    findings
}

fn refusal(path: &str, line: usize, kind: &str, name: &str) -> Option<Finding> {
    let words = words(name);
    let (word, instead) = REFUSED.iter().find(|(refused, _)| {
        words.iter().any(|word| word == refused || word.strip_suffix('s') == Some(refused))
    })?;
    let reason = format!(
        "{kind} `{name}`: the word \"{word}\" is a synonym that this house does not use; say {instead}"
    );
    Some(Finding::new("names", path, line, reason))
}

/// The public declarations and all modules: offset, what it declares, name.
fn declarations(code: &str) -> Vec<(usize, &str, &str)> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    for (at, &(offset, token)) in tokens.iter().enumerate() {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        if token == "pub" && !code.get(offset + 3..).is_some_and(|after| after.starts_with('(')) {
            found.extend(declared(rest).map(|(kind, name)| (offset, kind, name)));
        } else if token == "mod" && !follows_pub(&tokens, at) {
            found.extend(rest.first().map(|&(_, name)| (offset, "mod", name)));
        }
    }
    found
}

/// The first declaring word with its name, where nothing but qualifiers stands before it.
fn declared<'a>(tokens: &[(usize, &'a str)]) -> Option<(&'a str, &'a str)> {
    let mut words = tokens.iter().map(|&(_, word)| word).peekable();
    while let Some(word) = words.next() {
        let qualifies = BETWEEN.contains(&word)
            && words.peek().is_some_and(|next| DECLARING.contains(next) || BETWEEN.contains(next));
        if qualifies {
            continue;
        }
        return if DECLARING.contains(&word) { words.next().map(|name| (word, name)) } else { None };
    }
    None
}

fn follows_pub(tokens: &[(usize, &str)], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|&(_, token)| token == "pub")
}

/// The words of the code (identifiers and keywords) with their offsets.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut begun = None;
    for (at, byte) in code.bytes().chain(std::iter::once(b' ')).enumerate() {
        match (is_word(byte), begun) {
            (true, None) => begun = Some(at),
            (false, Some(from)) => {
                found.extend(code.get(from..at).map(|word| (from, word)));
                begun = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    found
}

/// The words of a CamelCase, snake_case or SHOUTING name, in lower case.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before));
        let starts = letter.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase())
                || letters.get(at + 1).is_some_and(|next| next.is_lowercase()));
        if starts || letter == '_' || letter == '-' {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
