//! The function library: its text, its version, and one call of one of its functions.

use domain::id::Epoch;
use ports::Fault;
use redis::{Cmd, RedisError, Value};

/// The version that the library says and this client speaks.
pub const VERSION: &str = "2";

/// The library, as `FUNCTION LOAD` takes it.
pub const TEXT: &str = concat!(
    include_str!("../lua/1_records.lua"),
    include_str!("../lua/2_hold.lua"),
    include_str!("../lua/3_settle.lua"),
    include_str!("../lua/4_reads.lua"),
    include_str!("../lua/5_rebuild.lua"),
    include_str!("../lua/6_board.lua"),
);

/// The same for servers that keep a library's memory longer than the library: its leases name the run of the server that
/// they are of. One question more a call.
#[must_use]
pub fn naming_runs() -> String {
    TEXT.replacen("local NAMES_ITS_RUN = false", "local NAMES_ITS_RUN = true", 1)
}

/// The version that it says.
pub(crate) fn version_naming_runs() -> String {
    format!("{VERSION} naming runs")
}

/// What the store is called in faults.
pub(crate) const WHAT: &str = "the inventory in Redis";

/// A call of `function` with its keys; arguments follow.
pub(crate) fn call(function: &str, keys: &[String]) -> Cmd {
    let mut command = redis::cmd("FCALL");
    command.arg(function).arg(keys.len()).arg(keys);
    command
}

/// What a function answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It did what was asked for.
    Done(Vec<Value>),
    /// Nothing happened: no lease, or one of this epoch.
    Fenced(Option<Epoch>),
}

/// Whether a server says that it does not have the function.
pub(crate) fn lacks_library(reply: &Result<Value, RedisError>) -> bool {
    reply.as_ref().is_err_and(|error| error.to_string().contains("Function not found"))
}

/// Reads an answer.
///
/// # Errors
/// A fault of the store, or an answer that this client does not know.
pub(crate) fn answer(reply: Result<Value, RedisError>) -> Result<Answer, Fault> {
    let reply = match reply {
        Ok(reply) => reply,
        // A primary that was added, or one whose functions were flushed: it certainly has no lease.
        Err(_) if lacks_library(&reply) => return Ok(Answer::Fenced(None)),
        Err(error) => return Err(Fault::unavailable(WHAT, error)),
    };
    let Value::Array(mut values) = reply else { return Err(unknown()) };
    let rest = values.split_off(1.min(values.len()));
    match (values.first().map(text), rest.first()) {
        (Some(b"OK"), _) => Ok(Answer::Done(rest)),
        (Some(b"FENCED"), Some(epoch)) => Ok(Answer::Fenced(number(epoch).map(|epoch| Epoch(epoch as u32)))),
        _ => Err(unknown()),
    }
}

/// An answer that is none of the library's.
pub(crate) fn unknown() -> Fault {
    Fault::damaged(WHAT, "the function library's answer is not one of this version's")
}

/// The bytes of a text value; empty for anything else.
pub(crate) fn text(value: &Value) -> &[u8] {
    match value {
        Value::BulkString(bytes) => bytes,
        Value::SimpleString(text) => text.as_bytes(),
        _ => &[],
    }
}

/// A number, also one written as text.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => std::str::from_utf8(text(other)).ok()?.parse().ok(),
    }
}

/// The values of a list; empty for anything else.
pub(crate) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        _ => &[],
    }
}
