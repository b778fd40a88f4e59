//! The configuration in effect as TOML, each value with its origin; secrets are not shown.

use std::fmt::Write;

use super::keys::{KEYS, Key};
use super::kind::Kind;
use super::model::Config;

/// What stands in the place of a secret.
const REDACTED: &str = "(set, not shown)";

impl Config {
    /// The configuration in effect as TOML, in the order of the default, with each value's origin as a comment.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = String::new();
        let mut current = "";
        for key in KEYS {
            let (section, name) = key.path.split_once('.').unwrap_or(("", key.path));
            if section != current {
                let gap = if current.is_empty() { "" } else { "\n" };
                // Writing into a String cannot fail.
                let _ = writeln!(text, "{gap}[{section}]");
                current = section;
            }
            if let Some(setting) = self.settings.get(key.path) {
                let _ = writeln!(text, "{name} = {}  # {}", shown(key, &setting.value), setting.place);
            }
        }
        text
    }
}

fn shown(key: &Key, value: &toml::Value) -> String {
    let set = value.as_str().is_some_and(|text| !text.is_empty());
    if matches!(key.kind, Kind::Secret) && set {
        return toml::Value::from(REDACTED).to_string();
    }
    value.to_string()
}

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
