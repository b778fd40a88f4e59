//! What a check says when a promise is broken.

use std::fmt;

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant, as `docs/simulation.md` numbers it.
    pub rule: &'static str,
    /// What is wrong, with names and numbers.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// A step that may find a promise broken.
pub(crate) type Checked<T = ()> = Result<T, Violation>;

/// Breaks a promise unless `holds`.
pub(crate) fn ensure(holds: bool, rule: &'static str, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Violation { rule, what: what() }) }
}
