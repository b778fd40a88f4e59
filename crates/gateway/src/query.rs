//! The query of an operator's request: a member that the address does not take, or that is there twice, is named.

use http::request::Parts;

use crate::admin::authorised;
use crate::edge::Edge;
use crate::openapi::query_members;
use crate::problem::{FieldError, Problem};

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
            "is there more than once"
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
