//! What a check says: a place, the check's name, and the reason with the way out.

use std::fmt;

/// One thing that breaks a house rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, from the root of the checkout.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Which check found it.
    pub check: &'static str,
    /// What is wrong, why it matters, what would be right.
    pub reason: String,
}

impl Finding {
    /// A finding of `check` at this place.
    pub fn new(check: &'static str, file: &str, line: usize, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, check, reason: reason.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: [{}] {}", self.file, self.line, self.check, self.reason)
    }
}

/// The lines of some findings, for assertions.
#[cfg(test)]
pub fn places(findings: &[Finding]) -> Vec<(String, usize)> {
    findings.iter().map(|finding| (finding.file.clone(), finding.line)).collect()
}
