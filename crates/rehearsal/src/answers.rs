//! The contract's table of answers to a checkout: what may come, and with what.

use crate::client::Answer;

/// What became of a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 202.
    Accepted { ticket: String, replayed: bool },
    /// Nothing free now.
    Held,
    /// Final.
    SoldOut,
    /// Final for this buyer.
    Limit,
    /// To be tried again with the same key.
    Again,
    /// To be tried again with the same key and the solution of a challenge, which is had there.
    Challenged { url: String },
    /// Final, whatever it is.
    Refused,
}

/// (status, code, whether `Retry-After` must be there)
const TABLE: &[(u16, &str, bool)] = &[
    (413, "body-too-large", false),
    (431, "headers-too-large", false),
    (503, "overloaded", true),
    (415, "unsupported-media-type", false),
    (401, "invalid-session", false),
    (429, "rate-limited", true),
    (400, "invalid-request", false),
    (403, "user-mismatch", false),
    (404, "unknown-sale", false),
    (404, "unknown-product", false),
    (422, "idempotency-key-reused", false),
    (410, "sale-ended", false),
    (403, "sale-not-started", true),
    (503, "paused", true),
    (403, "not-admitted", false),
    (403, "challenge-required", false),
    (409, "limit-reached", false),
    (410, "sold-out", false),
    (409, "all-units-held", true),
    (409, "not-enough-units", true),
    (503, "unavailable", true),
];

/// Reads the answer to a checkout.
///
/// # Errors
/// How it breaks the contract.
pub(crate) fn read(answer: &Answer) -> Result<(Outcome, String), String> {
    let body = answer.json();
    let media = answer.header("content-type").unwrap_or_default();
    if answer.status == 202 {
        let ticket = body["queue_ticket_id"].as_str().filter(|ticket| !ticket.is_empty());
        let ticket = ticket.ok_or("a 202 without queue_ticket_id")?.to_owned();
        let location = answer.header("location");
        if location.is_none() || location != body["status_url"].as_str() {
            return Err("a 202 whose Location is not its status_url".to_owned());
        }
        if body.get("hold_expires_at").is_none() || body["poll_after_ms"].as_u64().is_none() {
            return Err("a 202 without hold_expires_at or poll_after_ms".to_owned());
        }
        let replayed = answer.header("idempotent-replayed") == Some("true");
        return Ok((Outcome::Accepted { ticket, replayed }, "202 accepted".to_owned()));
    }
    let (status, code) = (answer.status.as_u16(), body["code"].as_str().unwrap_or_default());
    let named = format!("{status} {code}");
    let row = TABLE.iter().find(|(known, word, _)| *known == status && *word == code);
    let Some((_, _, waits)) = row else { return Err(format!("the answer {named} is not in the contract")) };
    if media != "application/problem+json" {
        return Err(format!("{named} came as {media} and not as application/problem+json"));
    }
    if *waits && answer.retry_after().is_none() {
        return Err(format!("{named} came without Retry-After"));
    }
    if code == "limit-reached" && (answer.retry_after().is_some() || !body["queue_ticket_id"].is_string()) {
        return Err(format!("{named} must have queue_ticket_id and no Retry-After"));
    }
    if code == "challenge-required" {
        let url = body["challenge_url"].as_str().filter(|url| url.starts_with('/'));
        let url = url.ok_or_else(|| format!("{named} came without challenge_url"))?.to_owned();
        return Ok((Outcome::Challenged { url }, named));
    }
    let outcome = match (status, code) {
        (_, "sold-out") => Outcome::SoldOut,
        (_, "limit-reached") => Outcome::Limit,
        (_, "all-units-held" | "not-enough-units") => Outcome::Held,
        (429 | 503, _) | (_, "sale-not-started") => Outcome::Again,
        _ => Outcome::Refused,
    };
    Ok((outcome, named))
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
