//! The configuration in effect as TOML, each value with its origin; a secret that is set is a comment, so that what is
//! printed never sets it to something else.

use std::fmt::Write;

use super::keys::{KEYS, Key};
use super::kind::{Kind, NOT_SHOWN};
use super::mistake::Place;
use super::model::Config;
use super::web_address::without_credentials;

impl Config {
    /// Where a key's value was set; `None` for the default, and for what is no key.
    #[must_use]
    pub fn place_of(&self, path: &str) -> Option<String> {
        let place = &self.settings.get(path)?.place;
        (*place != Place::Default).then(|| place.to_string())
    }

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
                let _ = if is_hidden(key, &setting.value) {
                    writeln!(text, "# {name} = …  {NOT_SHOWN}  # {}", setting.place)
                } else if let Some(shown) = redacted(key, &setting.value) {
                    writeln!(text, "# {name} = {shown:?}  {NOT_SHOWN}  # {}", setting.place)
                } else {
                    writeln!(text, "{name} = {}  # {}", setting.value, setting.place)
                };
            }
        }
        text
    }
}

fn is_hidden(key: &Key, value: &toml::Value) -> bool {
    matches!(key.kind, Kind::Secret | Kind::Digits) && value.as_str().is_some_and(|text| !text.is_empty())
}

/// An address that has credentials, without them.
fn redacted(key: &Key, value: &toml::Value) -> Option<String> {
    let address = value.as_str().filter(|_| matches!(key.kind, Kind::UrlOrEmpty))?;
    Some(without_credentials(address)).filter(|shown| shown != address)
}

#[cfg(test)]
#[path = "print_tests.rs"]
mod tests;
