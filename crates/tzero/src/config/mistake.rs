//! What is wrong, where, and what would be right.

use std::fmt;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the default that is compiled in.
    Default,
    /// In a file, at a line counted from 1; line 0 is the file as a whole.
    File {
        /// The file as it was named.
        name: String,
        /// The line.
        line: usize,
    },
    /// In an environment variable.
    Variable(String),
    /// On the command line.
    CommandLine,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { name, line: 0 } => out.write_str(name),
            Self::File { name, line } => write!(out, "{name}:{line}"),
            Self::Variable(name) => write!(out, "environment variable {name}"),
            Self::CommandLine => out.write_str("command line"),
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where it stands.
    pub place: Place,
    /// The full key or member, such as `server.listen` or `products[0].price.amount`; empty for a whole file.
    pub key: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Mistake {
    pub(super) fn new(place: Place, key: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place, key: key.into(), detail: detail.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(out, "{}: ", self.key)?;
        }
        out.write_str(&self.detail)
    }
}

/// Every mistake, by place; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// All of these, in order; there must be one.
    pub(super) fn of(mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort();
        mistakes.dedup();
        Self(mistakes)
    }

    /// All of them, by place.
    #[must_use]
    pub fn all(&self) -> &[Mistake] {
        &self.0
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Mistake::to_string).collect();
        out.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Mistakes {}
