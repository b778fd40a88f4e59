//! A request's head: what HTTP/1.1 (RFC 9112) lets a server take, and not a byte more.
//!
//! Where a head can be read in two ways, a proxy in front may read it in the other: such heads are refused (section 11.2).

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri, Version};
use httparse::{Header, Status};

use crate::hot::{Given, Hot, HotRequest, Told};
use crate::listener::{OTHER_SCHEME, is_of_the_web};

/// Most header lines that any configuration allows.
const MOST_LINES: usize = 1_024;
/// Header lines for which there is room without asking for it.
const USUAL_LINES: usize = 32;

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not a head, or one of two meanings.
    Malformed(&'static str),
    /// Too many lines.
    TooManyLines,
}

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length in bytes; 0 where there is none.
    Length(u64),
    /// By chunks.
    Chunked,
}

/// A head that is complete.
pub(super) struct Head<'a> {
    /// What the connection must know of it.
    pub(super) plan: Plan,
    /// What it asks for.
    pub(super) asked: Asked<'a>,
}

/// What a connection must know of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Its bytes.
    pub(super) head: usize,
    /// How its body is delimited.
    pub(super) framing: Framing,
    /// Whether the client wants the connection to stay.
    pub(super) keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub(super) expects: bool,
    /// Whether the client speaks HTTP/1.0 and knows no chunks.
    pub(super) old: bool,
}

/// What a request asks for.
pub(super) enum Asked<'a> {
    /// One of the hot routes, its body not yet looked at.
    Hot(HotRequest<'a>),
    /// Anything else.
    Other(Box<Request<()>>),
}

/// Reads the head at the start of `bytes`; `None` while it is not complete. `hot` is asked for the hot routes.
pub(super) fn parse<'a>(
    bytes: &'a [u8],
    most_lines: usize,
    hot: impl Fn(&str, &'a str) -> Option<Hot<'a>>,
) -> Result<Option<Head<'a>>, Refusal> {
    let mut usual = [const { MaybeUninit::uninit() }; USUAL_LINES];
    match read(bytes, &mut usual[..most_lines.min(USUAL_LINES)], &hot) {
        Err(Refusal::TooManyLines) if most_lines > USUAL_LINES => {
            let mut many = vec![MaybeUninit::uninit(); most_lines.min(MOST_LINES)];
            read(bytes, &mut many, &hot)
        }
        read => read,
    }
}

/// The path that a head asks for, by its first line alone: of a request that cannot be read further. `/` where that line
/// does not tell.
pub(super) fn path(bytes: &[u8]) -> String {
    let line = bytes.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let (_, target, version) = (words.next(), words.next(), words.next());
    let whole = version.is_some_and(|version| version.starts_with(b"HTTP/"));
    let uri = target.filter(|_| whole).and_then(|target| Uri::try_from(target).ok());
    uri.map(|uri| uri.path().to_owned()).filter(|path| !path.is_empty()).unwrap_or_else(|| "/".to_owned())
}

fn read<'a>(
    bytes: &'a [u8],
    lines: &mut [MaybeUninit<Header<'a>>],
    hot: &impl Fn(&str, &'a str) -> Option<Hot<'a>>,
) -> Result<Option<Head<'a>>, Refusal> {
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, lines) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooManyLines),
        Err(_) => return Err(Refusal::Malformed("the request is not HTTP/1.1")),
    };
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Err(Refusal::Malformed("the request line is not complete"));
    };
    let found = Found::among(request.headers, version == 0)?;
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let asked = match hot(method, path) {
        Some(hot) if !found.repeated && !found.chunked => {
            Asked::Hot(HotRequest { hot, path, given: found.given, told: found.told, body: &[] })
        }
        _ => Asked::Other(Box::new(whole(method, target, version, request.headers)?)),
    };
    let plan = Plan {
        head: length,
        framing: found.framing(),
        keep_alive: found.keep_alive && !found.close,
        expects: found.expects && version == 1,
        old: version == 0,
    };
    Ok(Some(Head { plan, asked }))
}

/// What the header lines say of the connection, and what the hot routes look at.
struct Found<'a> {
    length: Option<u64>,
    chunked: bool,
    keep_alive: bool,
    close: bool,
    expects: bool,
    given: Given<'a>,
    told: Told<'a>,
    /// Whether a header that the hot routes look at came more than once.
    repeated: bool,
}

impl<'a> Found<'a> {
    fn among(lines: &[Header<'a>], old: bool) -> Result<Self, Refusal> {
        let mut found = Self {
            length: None,
            chunked: false,
            keep_alive: !old,
            close: false,
            expects: false,
            given: Given::default(),
            told: Told::default(),
            repeated: false,
        };
        let (mut host, mut repeated_host) = (false, false);
        for line in lines {
            let (name, value) = (line.name, line.value);
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
            // By length first: nearly every line is one of none of these.
            match name.len() {
                4 if is("host") => {
                    repeated_host |= host;
                    host = true;
                    if !value.iter().all(is_of_a_host) {
                        return Err(Refusal::Malformed("Host must be a host with its port"));
                    }
                }
                6 if is("expect") => found.expects |= value.eq_ignore_ascii_case(b"100-continue"),
                9 if is("forwarded") => found.repeated |= found.told.forwarded.replace(value).is_some(),
                10 if is("connection") => found.connection(value),
                12 if is("content-type") => found.note(|given| &mut given.content_type, value),
                13 if is("authorization") => found.note(|given| &mut given.authorization, value),
                14 if is("content-length") => found.content_length(value)?,
                15 if is("idempotency-key") => found.note(|given| &mut given.key, value),
                15 if is("x-forwarded-for") => {
                    found.repeated |= found.told.x_forwarded_for.replace(value).is_some();
                }
                17 if is("transfer-encoding") => {
                    if old || found.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                        return Err(Refusal::Malformed("Transfer-Encoding may only be one 'chunked'"));
                    }
                    found.chunked = true;
                }
                18 if is("challenge-solution") => found.note(|given| &mut given.solution, value),
                _ => {}
            }
        }
        if repeated_host || (!host && !old) {
            return Err(Refusal::Malformed("Host must be sent once"));
        }
        if found.chunked && found.length.is_some() {
            return Err(Refusal::Malformed("Content-Length and Transfer-Encoding exclude each other"));
        }
        Ok(found)
    }

    fn note(
        &mut self,
        place: impl for<'g> Fn(&'g mut Given<'a>) -> &'g mut Option<&'a [u8]>,
        value: &'a [u8],
    ) {
        self.repeated |= place(&mut self.given).replace(value).is_some();
    }

    /// `close` wins over whatever else is said (RFC 9112, section 9.3).
    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        let digits = !value.is_empty() && value.len() <= 18 && value.iter().all(u8::is_ascii_digit);
        if !digits || self.length.is_some() {
            return Err(Refusal::Malformed("Content-Length must be one number, sent once"));
        }
        self.length = Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')));
        Ok(())
    }

    const fn framing(&self) -> Framing {
        match (self.chunked, self.length) {
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Length(0),
        }
    }
}

/// The request with its map of headers.
fn whole(method: &str, target: &str, version: u8, lines: &[Header<'_>]) -> Result<Request<()>, Refusal> {
    let uri: Uri =
        target.parse().map_err(|_| Refusal::Malformed("the request's target is not an address"))?;
    if !is_of_the_web(&uri) {
        return Err(Refusal::Malformed(OTHER_SCHEME));
    }
    let mut request = Request::new(());
    *request.method_mut() =
        method.parse().map_err(|_| Refusal::Malformed("the request's method is not a word"))?;
    *request.uri_mut() = uri;
    *request.version_mut() = if version == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    // One copy for all values.
    let total = lines.iter().map(|line| line.value.len()).sum();
    let mut values = Vec::with_capacity(total);
    lines.iter().for_each(|line| values.extend_from_slice(line.value));
    let mut values = Bytes::from(values);
    for line in lines {
        let value = HeaderValue::from_maybe_shared(values.split_to(line.value.len()));
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(Refusal::Malformed("a header's value has characters that no header may have"));
        };
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

/// Whether a byte may be in a host with its port (RFC 3986, 3.2.2 and 3.2.3).
fn is_of_a_host(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(byte)
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
