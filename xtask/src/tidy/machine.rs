//! Nothing in the repository speaks of one machine's folders or of how the work was organised.

use std::path::Path;

use super::finding::Finding;
use super::tree::Tree;

/// Folders that are the same on many machines, so that a path in them is no trace of this one.
const COMMON: &[&str] = &[
    "/app",
    "/build",
    "/builds",
    "/code",
    "/data",
    "/etc",
    "/home",
    "/mnt",
    "/opt",
    "/project",
    "/repo",
    "/run",
    "/src",
    "/srv",
    "/usr",
    "/usr/src",
    "/usr/local",
    "/usr/local/src",
    "/var",
    "/var/lib",
    "/workspace",
    "/workspaces",
];

/// Where this machine keeps things.
#[derive(Debug)]
pub struct Places {
    folders: Vec<String>,
}

impl Places {
    /// The checkout, the folder that holds it, and the home folder.
    pub fn of_this_machine(root: &Path) -> Self {
        let home = std::env::var_os("HOME").map(|home| home.to_string_lossy().into_owned());
        let parent = root.parent().map(|parent| parent.to_string_lossy().into_owned());
        let parent = parent.filter(|folder| !COMMON.contains(&folder.as_str()));
        let folders = [Some(root.to_string_lossy().into_owned()), parent, home].into_iter().flatten();
        Self { folders: folders.filter(|folder| folder.len() > 1).collect() }
    }

    /// The machine's folder that `line` names with something inside it, if it names one.
    fn named_in(&self, line: &str) -> Option<String> {
        let temporary = concat!("/t", "mp").to_owned();
        let folders = self.folders.iter().chain(std::iter::once(&temporary));
        folders.filter(|folder| names(line, folder)).max_by_key(|folder| folder.len()).cloned()
    }
}

/// Whether `line` names something inside `folder`, as an absolute path and not as the middle of one.
fn names(line: &str, folder: &str) -> bool {
    let prefix = format!("{folder}/");
    line.match_indices(&prefix).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + prefix.len()..).and_then(|after| after.chars().next());
        let middle = before.is_some_and(|letter| letter.is_alphanumeric() || "/._-}$~".contains(letter));
        !middle && after.is_some_and(|letter| letter.is_alphanumeric() || letter == '.' || letter == '_')
    })
}

/// Absolute paths of this machine, and words about how the work was organised.
pub fn check(tree: &Tree, places: &Places) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(folder) = places.named_in(line) {
                let reason = format!(
                    "a path under {folder}: no other machine has it; use a path from the checkout or a temporary folder"
                );
                findings.push(Finding::new("machine", &file.path, at + 1, reason));
            }
            if let Some(words) = organisation(line) {
                let reason = format!(
                    "\"{words}\": the repository speaks of the product and not of how the work was organised"
                );
                findings.push(Finding::new("machine", &file.path, at + 1, reason));
            }
        }
    }
    findings
}

fn organisation(line: &str) -> Option<String> {
    let line = line.to_lowercase();
    let phrases = [concat!("this ", "session"), concat!("as ", "requested")];
    if let Some(phrase) = phrases.into_iter().find(|phrase| line.contains(phrase)) {
        return Some(phrase.to_owned());
    }
    let word = concat!("iss", "ue");
    line.match_indices(word).find_map(|(at, _)| {
        let number: String = line
            .get(at + word.len()..)?
            .trim_start()
            .strip_prefix('#')?
            .trim_start()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        (!number.is_empty()).then(|| format!("{word} #{number}"))
    })
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
