//! The query of a request. In an operator's, a member that the address does not take, or that is there twice, is named; in a
//! buyer's, the one member that counts is there once.

use http::request::Parts;

use crate::admin::authorised;
use crate::edge::Edge;
use crate::openapi::query_members;
use crate::problem::{FieldError, Problem};

/// What is said of a member that two readers could read in two ways.
const REPEATED: &str = "is there more than once";

/// The member of this name, decoded. What else is in the query is not looked at.
///
/// # Errors
/// It is missing, where `missing` says what it is for, or there more than once.
pub fn only(query: Option<&str>, name: &'static str, missing: &'static str) -> Result<String, FieldError> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default();
    let mut values = pairs.into_iter().filter(|(named, _)| named == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(FieldError::new(name, REPEATED)),
        (None, _) => Err(FieldError::new(name, missing)),
    }
}

/// Checks the query of a request; of others than the operator nothing is said here.
///
/// # Errors
/// 400 with every wrong member.
pub fn check(edge: &Edge, head: &Parts) -> Result<(), Problem> {
    let path = head.uri.path();
    let Some(query) = head.uri.query().filter(|_| path.starts_with("/admin/")) else { return Ok(()) };
    let Some(known) = query_members(&head.method, path) else { return Ok(()) };
    // Whoever has no token is told that, and nothing of what the address takes.
    if authorised(edge, &head.headers).is_err() {
        return Ok(());
    }
    let errors = mistakes(query, &known);
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

fn mistakes(query: &str, known: &[&str]) -> Vec<FieldError> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let right = match known {
        [] => "is not known here; this address takes no query".to_owned(),
        known => format!("is not known here; known are {}", known.join(", ")),
    };
    let mut errors: Vec<FieldError> = Vec::new();
    for (at, (name, _)) in pairs.iter().enumerate() {
        let detail = if !known.contains(&name.as_str()) {
            right.as_str()
        } else if pairs[..at].iter().any(|(earlier, _)| earlier == name) {
            REPEATED
        } else {
            continue;
        };
        if errors.iter().all(|error| error.field != *name) {
            errors.push(FieldError::new(name.as_str(), detail));
        }
    }
    errors
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
