//! Lengths of files and functions: one subject a file, 400 lines at most outside tests.

use super::finding::Finding;
use super::lexer::{Masked, is_word, line_of};
use super::tree::Tree;

/// The longest file that is still one subject.
const LONGEST_FILE: usize = 400;

/// Files outside tests that are too long.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let long =
        tree.rust().filter(|(file, _)| !file.is_test()).map(|(file, _)| (file, file.text.lines().count()));
    long.filter(|&(_, lines)| lines > LONGEST_FILE)
        .map(|(file, lines)| {
            let reason = format!("{lines} lines; a file holds one subject and at most {LONGEST_FILE} lines: split it by subject");
            Finding::new("length", &file.path, LONGEST_FILE + 1, reason)
        })
        .collect()
}

/// One function and how many lines it has, signature and closing brace included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The file.
    pub file: String,
    /// The line of its `fn`.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Its lines.
    pub lines: usize,
}

/// The lines of every Rust file outside tests, with its path.
pub fn files(tree: &Tree) -> Vec<(String, usize)> {
    let plain = tree.rust().filter(|(file, _)| !file.is_test());
    plain.map(|(file, _)| (file.path.clone(), file.text.lines().count())).collect()
}

/// Every function with a body outside test files.
pub fn functions(tree: &Tree) -> Vec<Function> {
    let plain = tree.rust().filter(|(file, _)| !file.is_test());
    plain.flat_map(|(file, masked)| functions_of(&file.path, masked)).collect()
}

fn functions_of(path: &str, masked: &Masked) -> Vec<Function> {
    let code = masked.code.as_str();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if at.checked_sub(1).and_then(|before| code.as_bytes().get(before)).is_some_and(|&byte| is_word(byte))
        {
            continue;
        }
        let name: String =
            code.bytes().skip(at + 3).take_while(|&byte| is_word(byte)).map(char::from).collect();
        if let Some(end) = body_end(code, at).filter(|_| !name.is_empty()) {
            let line = line_of(code, at);
            found.push(Function { file: path.to_owned(), line, name, lines: line_of(code, end) - line + 1 });
        }
    }
    found
}

/// Where the body of the function whose `fn` is at `from` closes; `None` for a declaration without one.
fn body_end(code: &str, from: usize) -> Option<usize> {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.saturating_sub(1),
            b';' if braces == 0 && others == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces = braces.checked_sub(1)?;
                if braces == 0 && others == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
#[path = "length_tests.rs"]
mod tests;
