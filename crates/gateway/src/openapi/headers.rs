//! The headers of answers: what a client reads of them besides their body.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::operations::Operation;

/// A header's name, whether every such answer has it, and what it says.
type Header = (&'static str, bool, &'static str);

const RETRY: Header = ("Retry-After", true, "whole seconds to wait");
const RETRY_OR_NOT: Header = ("Retry-After", false, "whole seconds to wait, where waiting helps");
const REPLAYED: Header = ("Idempotent-Replayed", false, "`true` where an earlier request did it");
const LIMITED: &[Header] = &[
    RETRY,
    ("RateLimit-Policy", true, "the limit: its name, quota `q` and window `w` in seconds"),
    ("RateLimit", true, "how the client stands by it: what remains `r`, and seconds `t` until there is more"),
];
const CACHED: &[Header] = &[
    ("ETag", true, "the tag of these very bytes"),
    ("Cache-Control", true, "for how long caches may keep it"),
    ("Vary", true, "`Accept-Encoding`, and nothing else"),
];

/// The headers of an answer; of a problem where `problem`.
pub(super) fn of(operation: &Operation, status: u16, problem: bool) -> Option<Value> {
    let headers = match (StatusCode::from_u16(status).ok()?, operation.id) {
        (StatusCode::UNAUTHORIZED, _) => &[("WWW-Authenticate", true, "`Bearer`")],
        (StatusCode::TOO_MANY_REQUESTS, _) => LIMITED,
        (StatusCode::SERVICE_UNAVAILABLE, _) if problem => &[RETRY],
        (StatusCode::FORBIDDEN | StatusCode::CONFLICT, "checkout") => &[RETRY_OR_NOT],
        (StatusCode::ACCEPTED, "checkout") => &[("Location", true, "the status_url"), REPLAYED],
        (StatusCode::CREATED, "create_sale") => &[("Location", true, "the sale")][..],
        (StatusCode::OK, "restock") => &[REPLAYED],
        (StatusCode::OK | StatusCode::NOT_MODIFIED, "sale") => CACHED,
        (StatusCode::OK, "export_orders") => &[("Content-Disposition", true, "a name for the file")],
        _ => return None,
    };
    let object = |(name, required, says): &Header| {
        let header = json!({ "description": says, "required": required, "schema": { "type": "string" } });
        ((*name).to_owned(), header)
    };
    Some(Value::Object(headers.iter().map(object).collect::<Map<_, _>>()))
}
