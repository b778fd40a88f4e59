//! The files of the repository, read once: what git tracks or would track, as text.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::lexer::Masked;
use crate::steps::answer;

/// One file of the repository.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path from the root, with `/`.
    pub path: String,
    /// Its text; empty for a file that is not UTF-8.
    pub text: String,
    /// For Rust: the text with code, comments and strings told apart.
    pub rust: Option<Masked>,
}

impl SourceFile {
    fn new(path: String, text: String) -> Self {
        let rust = path.ends_with(".rs").then(|| Masked::new(&text));
        Self { path, text, rust }
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Whether this is a file of tests: under `tests/`, `tests.rs`, or `…_tests.rs`.
    pub fn is_test(&self) -> bool {
        let name = self.name();
        self.path.split('/').any(|part| part == "tests") || name == "tests.rs" || name.ends_with("_tests.rs")
    }
}

/// Every file, by path.
#[derive(Debug)]
pub struct Tree {
    files: Vec<SourceFile>,
}

impl Tree {
    /// Reads the checkout: what git tracks and what it would track; without git, everything but build products.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut paths = if root.join(".git").exists() { from_git(root)? } else { from_walk(root)? };
        paths.sort();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            let place = root.join(&path);
            if !place.is_file() {
                continue;
            }
            let bytes = std::fs::read(&place).map_err(|error| format!("cannot read {path}: {error}"))?;
            files.push(SourceFile::new(path, String::from_utf8(bytes).unwrap_or_default()));
        }
        Ok(Self { files })
    }

    /// A tree of these files, for bad examples.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| SourceFile::new(path.to_owned(), text.to_owned());
        Self { files: files.iter().map(file).collect() }
    }

    /// All files.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// All Rust files.
    pub fn rust(&self) -> impl Iterator<Item = (&SourceFile, &Masked)> {
        self.files.iter().filter_map(|file| Some((file, file.rust.as_ref()?)))
    }

    /// The file at this path.
    pub fn get(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is a file or a folder at this path.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside =
            |file: &SourceFile| file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        self.files.iter().any(|file| file.path == path || inside(file))
    }

    /// The crates' folders by name, each with the names of its files directly under `src/`.
    pub fn crates(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut crates: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for file in &self.files {
            let parts: Vec<&str> = file.path.split('/').collect();
            match parts[..] {
                ["crates", room, "src", name] => crates.entry(room).or_default().push(name),
                ["crates", room, ..] => drop(crates.entry(room).or_default()),
                _ => {}
            }
        }
        crates
    }
}

fn from_git(root: &Path) -> Result<Vec<String>, String> {
    let mut command = Command::new("git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    Ok(answer(&mut command)?.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn from_walk(root: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if name != "target" && name != "tzero-data" {
                    folders.push(path);
                }
            } else if let Ok(inside) = path.strip_prefix(root) {
                found.push(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
