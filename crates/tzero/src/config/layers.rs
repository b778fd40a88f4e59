//! The layers: the default, a file, the environment, the command line; each key's last value counts.

use std::path::{Path, PathBuf};

use super::document::{self, Member, Node};
use super::keys::{self, KEYS, Key};
use super::mistake::{Mistake, Mistakes, Place};
use super::model::Config;
use super::nearest::nearest;
use super::origin::Settings;
use super::{DEFAULT, check};

/// The other name of `TZERO_ADMIN__TOKEN`, which the commands that talk to a server read as well.
const TOKEN_ALIAS: &str = "TZERO_ADMIN_TOKEN";
/// Flags, as one might write them as variables, and their keys.
const FLAGS: [(&str, &str); 4] = [
    ("LISTEN", "server.listen"),
    ("ADMIN_LISTEN", "server.admin_listen"),
    ("PUBLIC_URL", "server.public_url"),
    ("DATA", "data.dir"),
];
/// Where no known name is near.
const EVERY_KEY: &str = "tzero config print shows every section and key";

/// What a configuration is made of, besides the default.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    variables: Vec<(String, String)>,
    flags: Vec<(String, String)>,
}

impl Sources {
    /// The default alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this TOML file over the default.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// With the `TZERO_SECTION__KEY` among these variables over the file.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// With these values, by full key, over everything else.
    #[must_use]
    pub fn flags(mut self, flags: impl IntoIterator<Item = (String, String)>) -> Self {
        self.flags.extend(flags);
        self
    }
}

impl Config {
    /// Reads all layers and checks every value and how they go together.
    ///
    /// # Errors
    /// Every mistake, each with its place, its key and what would be right.
    pub fn load(sources: Sources) -> Result<Self, Mistakes> {
        let mut layers = Layers::default();
        layers.document(DEFAULT, |_| Place::Default);
        if let Some(path) = &sources.file {
            layers.file(path);
        }
        layers.environment(&sources.variables);
        for (path, value) in &sources.flags {
            layers.text(path, value, Place::CommandLine);
        }
        layers.finish()
    }
}

/// The layers so far: values in effect, and what is wrong.
#[derive(Default)]
struct Layers {
    settings: Settings,
    mistakes: Vec<Mistake>,
}

impl Layers {
    fn file(&mut self, path: &Path) {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => self.document(&text, |line| Place::File { name: name.clone(), line }),
            Err(error) => {
                let detail = format!("cannot be read ({error}); name a TOML file that is there");
                self.mistakes.push(Mistake::new(Place::File { name, line: 0 }, "", detail));
            }
        }
    }

    fn document(&mut self, text: &str, place: impl Fn(usize) -> Place) {
        match document::read(text) {
            Ok(members) => members.iter().for_each(|member| self.section(member, &place)),
            Err(broken) => {
                let wrong = broken
                    .into_iter()
                    .map(|(line, what)| Mistake::new(place(line), "", format!("not TOML: {what}")));
                self.mistakes.extend(wrong);
            }
        }
    }

    fn section(&mut self, section: &Member, place: &impl Fn(usize) -> Place) {
        let name = section.name.as_str();
        let known = keys::sections().contains(&name);
        match &section.value.node {
            Node::Table(members) if known => {
                members.iter().for_each(|member| self.member(name, member, place))
            }
            Node::Table(_) => {
                let detail = match nearest(name, keys::sections()) {
                    Some(near) => format!("unknown section; the nearest known one is [{near}]"),
                    None => format!("unknown section; {EVERY_KEY}"),
                };
                self.mistakes.push(Mistake::new(place(section.line), name, detail));
            }
            other if known => {
                let detail =
                    format!("must be a section, [{name}] with its keys below, and not {}", other.described());
                self.mistakes.push(Mistake::new(place(section.line), name, detail));
            }
            _ => self.unknown(name, place(section.line)),
        }
    }

    fn member(&mut self, section: &str, member: &Member, place: &impl Fn(usize) -> Place) {
        let path = format!("{section}.{}", member.name);
        match keys::find(&path) {
            Some(key) => self.value(key, key.kind.accept(&member.value.node), place(member.line)),
            None => self.unknown(&path, place(member.line)),
        }
    }

    fn environment(&mut self, variables: &[(String, String)]) {
        let ours = variables.iter().filter(|(name, _)| name.starts_with("TZERO_"));
        ours.for_each(|(name, value)| self.variable(name, value));
        let given = |wanted: &str| variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let token = keys::variable("admin.token");
        if let (Some(one), Some(other)) = (given(TOKEN_ALIAS), given(&token))
            && one != other
        {
            let detail = format!("differs from {token}, which is the same setting; set one of the two");
            self.mistakes.push(Mistake::new(Place::Variable(TOKEN_ALIAS.to_owned()), "admin.token", detail));
        }
    }

    /// Other programs' `TZERO_…` variables, without `__`, are none of ours.
    fn variable(&mut self, name: &str, value: &str) {
        let bare = name.strip_prefix("TZERO_").unwrap_or(name);
        let place = Place::Variable(name.to_owned());
        if name == TOKEN_ALIAS {
            self.text("admin.token", value, place);
        } else if name.contains("__") {
            let path = bare.trim_start_matches('_').replacen("__", ".", 1).to_lowercase();
            self.text(&path, value, place);
        } else if let Some(key) = KEYS.iter().find(|key| key.path.replace('.', "_").to_uppercase() == bare) {
            let detail =
                format!("section and key are parted by two underscores: {}", keys::variable(key.path));
            self.mistakes.push(Mistake::new(place, key.path, detail));
        } else if let Some((_, path)) = FLAGS.iter().find(|(flag, _)| *flag == bare) {
            let detail = format!("a variable has its section and its key: {}", keys::variable(path));
            self.mistakes.push(Mistake::new(place, *path, detail));
        }
    }

    fn text(&mut self, path: &str, value: &str, place: Place) {
        match keys::find(path) {
            Some(key) => self.value(key, key.kind.accept_text(value), place),
            None => self.unknown(path, place),
        }
    }

    fn value(&mut self, key: &Key, accepted: Result<toml::Value, String>, place: Place) {
        match accepted {
            Ok(value) => self.settings.set(key.path, value, place),
            Err(detail) => self.mistakes.push(Mistake::new(place, key.path, detail)),
        }
    }

    fn unknown(&mut self, path: &str, place: Place) {
        let near = nearest(path, KEYS.iter().map(|key| key.path));
        let written = |near| {
            if matches!(place, Place::Variable(_)) { keys::variable(near) } else { String::from(near) }
        };
        let detail = match near.map(written) {
            Some(near) => format!("unknown key; the nearest known one is {near}"),
            None => format!("unknown key; {EVERY_KEY}"),
        };
        self.mistakes.push(Mistake::new(place, path, detail));
    }

    fn finish(mut self) -> Result<Config, Mistakes> {
        let document = toml::Value::Table(self.settings.document());
        let mut config: Config = document.try_into().map_err(|error| {
            let unfit = Mistake::new(Place::Default, "", error.message());
            Mistakes::of(std::iter::once(unfit).chain(std::mem::take(&mut self.mistakes)).collect())
        })?;
        let refused: Vec<String> = self.mistakes.iter().map(|mistake| mistake.key.clone()).collect();
        self.mistakes.extend(check::relations(&config, &self.settings, &refused));
        if !self.mistakes.is_empty() {
            return Err(Mistakes::of(self.mistakes));
        }
        config.settings = self.settings;
        Ok(config)
    }
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
