//! The value in effect of every key, and where it came from.

use std::collections::BTreeMap;

use super::mistake::Place;

/// The value in effect of every key, and where it came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(BTreeMap<&'static str, Setting>);

/// One value with its origin.
#[derive(Clone, PartialEq)]
pub struct Setting {
    /// The value in its plain form.
    pub value: toml::Value,
    /// Where it came from.
    pub place: Place,
}

/// A value may be a secret: only its origin is shown.
impl std::fmt::Debug for Setting {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "from {}", self.place)
    }
}

impl Settings {
    /// A later layer's value takes the place of an earlier one's.
    pub fn set(&mut self, path: &'static str, value: toml::Value, place: Place) {
        self.0.insert(path, Setting { value, place });
    }

    /// The value in effect.
    pub fn get(&self, path: &str) -> Option<&Setting> {
        self.0.get(path)
    }

    /// Where the last of these keys to be set was set: the place to name when they do not go together.
    pub fn latest(&self, paths: &[&str]) -> Place {
        let places = paths.iter().filter_map(|path| self.get(path)).map(|setting| setting.place.clone());
        places.max().unwrap_or(Place::Default)
    }

    /// All values as one document.
    pub fn document(&self) -> toml::Table {
        let mut document = toml::Table::new();
        for (path, setting) in &self.0 {
            let (section, key) = path.split_once('.').unwrap_or((path, ""));
            let table = document.entry(section).or_insert_with(|| toml::Table::new().into());
            if let toml::Value::Table(table) = table {
                table.insert(key.to_owned(), setting.value.clone());
            }
        }
        document
    }
}
