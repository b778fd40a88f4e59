//! Every problem code that the gateway answers with has its page, and every page its code.
//!
//! `type` in a problem document is `/problems/<code>`: a link that leads nowhere helps nobody. Codes are
//! the kebab-case strings in match arms (`=> "sold-out"`) and in `fn code` of the gateway's problem module.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::lexer::Masked;
use super::tree::Tree;

const PAGES: &str = "docs/problems/";

/// Codes without a page, and pages without a code; nothing while there is no problem module.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let codes = codes(tree);
    if codes.is_empty() {
        return Vec::new();
    }
    let without_page = codes.iter().filter(|(code, _)| !tree.has(&format!("{PAGES}{code}.md")));
    let mut findings: Vec<Finding> = without_page
        .map(|(code, (file, line))| {
            let reason =
                format!("the code `{code}` has no page: write {PAGES}{code}.md (what it means, what to do)");
            Finding::new("problems", file, *line, reason)
        })
        .collect();
    let pages = tree
        .files()
        .iter()
        .filter_map(|file| Some((file, file.path.strip_prefix(PAGES)?.strip_suffix(".md")?)));
    let stale = pages.filter(|(_, code)| *code != "README" && !codes.contains_key(*code));
    findings.extend(stale.map(|(file, code)| {
        Finding::new(
            "problems",
            &file.path,
            1,
            format!("no answer of the gateway has the code `{code}`: delete the page or name the code"),
        )
    }));
    findings
}

/// Each code with the place that names it first.
fn codes(tree: &Tree) -> BTreeMap<String, (String, usize)> {
    let mut codes = BTreeMap::new();
    for (file, masked) in tree.rust() {
        let module = file.path == "crates/gateway/src/problem.rs"
            || file.path.starts_with("crates/gateway/src/problem/");
        if module && !file.is_test() {
            for (code, line) in codes_of(masked) {
                codes.entry(code).or_insert_with(|| (file.path.clone(), line));
            }
        }
    }
    codes
}

fn codes_of(masked: &Masked) -> Vec<(String, usize)> {
    let code_function = masked.code.find("fn code").and_then(|from| {
        let length = masked.code.get(from..)?.find("\n    }")?;
        Some(from..from + length)
    });
    let literals = masked.strings.iter().filter(|literal| {
        let before = masked.code.get(..literal.offset).unwrap_or_default().trim_end_matches('"').trim_end();
        let inside = code_function.as_ref().is_some_and(|range| range.contains(&literal.offset));
        is_code(&literal.text) && if code_function.is_some() { inside } else { before.ends_with("=>") }
    });
    literals.map(|literal| (literal.text.clone(), literal.line)).collect()
}

fn is_code(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.split('-').all(part)
}

#[cfg(test)]
#[path = "problems_tests.rs"]
mod tests;
