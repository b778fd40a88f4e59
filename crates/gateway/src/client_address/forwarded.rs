//! The lines of `Forwarded` (RFC 7239), read from their end.
//!
//! Proxies append: what stands at the end of a line was written by the one next to us, and what stands before it may be anything
//! that the client sent, such as a quotation mark that nobody closes. Read from its beginning, such a mark would take the proxy's
//! element into a text of the client's. A proxy's own element is well-formed, and read from its end it is itself whatever
//! stands before it: the end of a line is outside of quotes, and a comma outside of quotes begins an element.

use std::borrow::Cow;
use std::net::IpAddr;

use super::node;

/// The elements of a line, the last one first.
pub(super) fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    parts(line, b',')
}

/// The address that an element's `for` names. `None` where it is hidden (`unknown`, `_gateway`) or missing, or where the element
/// is not well-formed.
pub(super) fn address(element: &[u8]) -> Option<IpAddr> {
    let mut named = None;
    for pair in parts(element, b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty()) {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (&pair[..equals], text(&pair[equals + 1..])?);
        // Each parameter is there once at most (section 4): of two, nobody knows which one counts.
        if name.eq_ignore_ascii_case(b"for") && named.replace(value).is_some() {
            return None;
        }
    }
    node(&named?)
}

/// What stands between these separators outside of quotes, the last one first.
fn parts(line: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let at = last_unquoted(line, separator);
        rest = at.map(|at| &line[..at]);
        Some(at.map_or(line, |at| &line[at + 1..]))
    })
}

/// Where a byte stands last that is not between quotes, of a line whose end is not.
fn last_unquoted(line: &[u8], wanted: u8) -> Option<usize> {
    let mut quoted = false;
    (0..line.len()).rev().find(|at| {
        let byte = line[*at];
        if byte == b'"' && !(quoted && is_escaped(&line[..*at])) {
            quoted = !quoted;
        }
        byte == wanted && !quoted
    })
}

/// Whether what follows these bytes inside quotes is taken as it is: an odd number of backslashes stands before it.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// A value: a text in quotes without them, anything else as it is.
fn text(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(opened) = value.strip_prefix(b"\"") else {
        return (!value.contains(&b'"')).then_some(Cow::Borrowed(value));
    };
    let (mut plain, mut bytes) = (Vec::with_capacity(opened.len()), opened.strip_suffix(b"\"")?.iter());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'"' => return None,
            b'\\' => *bytes.next()?,
            other => *other,
        });
    }
    Some(plain.into())
}

#[cfg(test)]
#[path = "forwarded_tests.rs"]
mod tests;
