//! Relative links in documents lead somewhere: to a file, and to a heading where they name one.

use super::finding::Finding;
use super::lexer::line_of;
use super::tree::{SourceFile, Tree};

/// Broken links in every Markdown file.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let documents = tree.files().iter().filter(|file| file.path.ends_with(".md"));
    documents.flat_map(|file| check_document(tree, file)).collect()
}

fn check_document(tree: &Tree, file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (offset, target) in targets(&file.text) {
        if target.contains("://") || target.starts_with("mailto:") || target.starts_with('/') {
            continue;
        }
        if let Some(reason) = broken(tree, file, target) {
            findings.push(Finding::new("links", &file.path, line_of(&file.text, offset), reason));
        }
    }
    findings
}

fn broken(tree: &Tree, file: &SourceFile, target: &str) -> Option<String> {
    let (path, heading) =
        target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let place = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path)? };
    if !tree.has(&place) {
        return Some(format!("the link leads to `{place}`, which is not there"));
    }
    let document = tree.get(&place).filter(|document| document.path.ends_with(".md"))?;
    let heading = heading?;
    let known = headings(&document.text).iter().any(|known| known == heading);
    (!known).then(|| format!("`{place}` has no heading `#{heading}`"))
}

/// The targets of `[text](target)` with their offsets, outside code.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut fenced, mut offset) = (false, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let links = line.match_indices("](").filter(|&(at, _)| !in_code(line, at));
            found.extend(links.filter_map(|(at, _)| {
                let rest = line.get(at + 2..)?;
                let target = rest.get(..rest.find(')')?)?.split_whitespace().next()?;
                Some((offset + at, target.trim_matches(['<', '>'])))
            }));
        }
        offset += line.len();
    }
    found
}

fn in_code(line: &str, at: usize) -> bool {
    line.bytes().take(at).filter(|&byte| byte == b'`').count() % 2 == 1
}

/// `path` as seen from the folder of `from`; `None` where it leaves the checkout.
fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The headings as they are written in links.
fn headings(text: &str) -> Vec<String> {
    let titles =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles.map(slug).collect()
}

fn slug(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
