//! Answers as bytes of HTTP/1.1.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::Duration;

use http::{Response, StatusCode, header};
use ports::clock::Clock;

use crate::listener::LENGTHLESS;
use crate::reply::{EXPOSED, Whole};

/// How an answer's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimited {
    /// There is none, whatever the headers say of it.
    Absent,
    /// After so many bytes.
    Length(u64),
    /// By chunks.
    Chunked,
    /// By the end of the connection.
    Close,
}

/// Length of a date: `Sun, 06 Nov 1994 08:49:37 GMT`.
const DATE: usize = 29;

thread_local! {
    /// The date as this thread wrote it last, and the second of the process in which it did.
    static DATED: RefCell<(u64, [u8; DATE])> = const { RefCell::new((u64::MAX, [b' '; DATE])) };
}

/// Writes `Date: …`, made once a second.
fn date(out: &mut Vec<u8>, clock: &dyn Clock, elapsed: Duration) {
    DATED.with_borrow_mut(|(second, text)| {
        if *second != elapsed.as_secs() {
            let now = jiff::Timestamp::from_millisecond(clock.now().as_millis()).unwrap_or_default();
            let printed = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
            if let Ok(Ok(fresh)) = printed.map(|printed| printed.into_bytes().try_into()) {
                (*second, *text) = (elapsed.as_secs(), fresh);
            }
        }
        out.extend_from_slice(b"date: ");
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    });
}

fn status_line(out: &mut Vec<u8>, status: StatusCode) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    // Writing into memory cannot fail.
    drop(write!(out, "{name}: {value}\r\n"));
}

/// What the connection does afterwards, as the client must be told.
fn connection(out: &mut Vec<u8>, keep_alive: bool, old: bool) {
    match (keep_alive, old) {
        (false, _) => out.extend_from_slice(b"connection: close\r\n"),
        (true, true) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        (true, false) => {}
    }
}

/// How an answer goes out: at which instant, and what becomes of the connection.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    /// Tells the date.
    pub(super) clock: &'a dyn Clock,
    /// Time of the process.
    pub(super) elapsed: Duration,
    /// Whether the connection stays.
    pub(super) keep_alive: bool,
    /// Whether the client speaks HTTP/1.0.
    pub(super) old: bool,
}

/// A whole answer, open to browsers of other origins.
pub(super) fn whole(out: &mut Vec<u8>, whole: &Whole, how: Manner<'_>) {
    out.reserve(512 + whole.body.len());
    status_line(out, whole.status);
    line(out, "content-type", whole.media.as_bytes());
    number(out, "content-length", whole.body.len() as u64);
    out.extend_from_slice(b"cache-control: no-store\r\naccess-control-allow-origin: *\r\n");
    line(out, "access-control-expose-headers", EXPOSED.as_bytes());
    if let Some(seconds) = whole.retry_after_s {
        number(out, "retry-after", seconds);
    }
    for (name, value) in &whole.headers {
        line(out, name.as_str(), value.as_bytes());
    }
    date(out, how.clock, how.elapsed);
    connection(out, how.keep_alive, how.old);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(whole.body.as_bytes());
}

/// The head of any answer.
pub(super) fn head<B>(out: &mut Vec<u8>, answer: &Response<B>, delimited: Delimited, how: Manner<'_>) {
    status_line(out, answer.status());
    for (name, value) in answer.headers() {
        // What the connection does is said here, by who does it.
        let ours = *name == header::CONNECTION || *name == header::TRANSFER_ENCODING;
        // Of a body that is left out the length may be told, but not everywhere.
        let told = delimited == Delimited::Absent && !LENGTHLESS.contains(&answer.status());
        let length = *name == header::CONTENT_LENGTH && !told;
        if !ours && !length {
            line(out, name.as_str(), value.as_bytes());
        }
    }
    match delimited {
        Delimited::Length(length) => number(out, "content-length", length),
        Delimited::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Delimited::Absent | Delimited::Close => {}
    }
    if !answer.headers().contains_key(header::DATE) {
        date(out, how.clock, how.elapsed);
    }
    connection(out, how.keep_alive, how.old);
    out.extend_from_slice(b"\r\n");
}

/// A part of a body.
pub(super) fn part(out: &mut Vec<u8>, data: &[u8], delimited: Delimited) {
    if delimited == Delimited::Chunked {
        drop(write!(out, "{:x}\r\n", data.len()));
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    } else {
        out.extend_from_slice(data);
    }
}
