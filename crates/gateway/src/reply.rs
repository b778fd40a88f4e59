//! Answers: JSON, HTML, whole ones of the hot routes, and reading bodies within a limit of size and time.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde::Serialize;

use crate::edge::Edge;
use crate::encoding::{Coding, Forms};
use crate::hot::visible;
use crate::problem::{Code, FieldError, Problem};

/// What browsers of other origins may read of an answer.
pub const EXPOSED: &str = "Retry-After, Location, Idempotent-Replayed, RateLimit, RateLimit-Policy";

const HTML: &str = "text/html; charset=utf-8";

/// An answer that is there as a whole and that nobody may keep: written without a map of headers where it can be.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The status.
    pub status: StatusCode,
    /// Its media type.
    pub media: &'static str,
    /// The body.
    pub body: String,
    /// `Retry-After`, seconds.
    pub retry_after_s: Option<u64>,
    /// Other headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Whole {
    /// A JSON answer.
    #[must_use]
    pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Self {
        let body = serde_json::to_string(value).unwrap_or_default();
        Self { status, media: "application/json", body, retry_after_s: None, headers: Vec::new() }
    }

    /// With another header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// As a response with a map of headers.
    #[must_use]
    pub fn response(self) -> Response<Body> {
        let mut reply = Response::new(Body::from(self.body));
        *reply.status_mut() = self.status;
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        reply
    }
}

/// A JSON answer that nobody may keep.
#[must_use]
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Response<Body> {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut reply = Response::new(Body::from(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// What everybody may have and keep, in the form that is wished; gives the form that it has as well.
#[must_use]
pub fn for_all(
    media: &'static str,
    cache: &'static str,
    forms: &Forms,
    wished: Coding,
) -> (Coding, Response<Body>) {
    let (coding, body) = forms.get(wished);
    let mut reply = Response::new(Body::from(body));
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Some(token) = coding.token() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(token));
    }
    (coding, reply)
}

/// A page for everybody.
#[must_use]
pub fn page_for_all(cache: &'static str, forms: &Forms, wished: Coding) -> Response<Body> {
    let (_, mut reply) = for_all(HTML, cache, forms, wished);
    guard(reply.headers_mut());
    reply
}

/// A page for whoever asks.
#[must_use]
pub fn html(status: StatusCode, page: String) -> Response<Body> {
    let mut reply = Response::new(Body::from(page));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guard(headers);
    reply
}

/// What a page may do, and what is said of it elsewhere.
fn guard(headers: &mut HeaderMap) {
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(crate::page::CONTENT_SECURITY_POLICY),
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// An answer without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut reply = Response::new(Body::empty());
    *reply.status_mut() = status;
    reply
}

/// Sets a header whose value we made.
pub fn set(reply: &mut Response<Body>, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// 413 where it is larger, 408 where it takes too long, 400 where the connection breaks off.
pub async fn body<B>(edge: &Edge, body: B, limit: usize) -> Result<Bytes, Problem>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let too_large = || Problem::new(Code::BodyTooLarge, format!("the body may have at most {limit} bytes"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let read = async {
        let mut body = body;
        let mut all: Option<Bytes> = None;
        let mut more = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let broken = |_| Problem::new(Code::InvalidRequest, "the body breaks off");
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            match &all {
                // Nearly every body is one frame, and is not copied.
                None => all = Some(data),
                Some(first) => {
                    if more.is_empty() {
                        more.extend_from_slice(first);
                    }
                    more.extend_from_slice(&data);
                }
            }
            if all.as_ref().map_or(0, Bytes::len).max(more.len()) > limit {
                return Err(too_large());
            }
        }
        Ok(if more.is_empty() { all.unwrap_or_default() } else { more.freeze() })
    };
    let timed = tokio::time::timeout(edge.settings.body_timeout, read).await;
    timed.unwrap_or_else(|_| Err(Problem::new(Code::RequestTimeout, "the body did not arrive in time")))
}

/// Whether the `Content-Type` says that the body is JSON, which is always UTF-8 here (RFC 8259, section 8.1).
///
/// # Errors
/// 415 otherwise.
pub fn is_json(content_type: Option<&[u8]>) -> Result<(), Problem> {
    let named = content_type.and_then(visible).unwrap_or_default();
    let mut parts = named.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let charsets = parts.filter_map(|part| part.split_once('='));
    let mut charsets = charsets.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let is_utf8 = charsets.all(|(_, charset)| charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"));
    if is_json && is_utf8 {
        return Ok(());
    }
    let right = "Content-Type must be application/json, sent once, and its charset utf-8 where it names one";
    Err(Problem::new(Code::UnsupportedMediaType, right))
}

/// A body that must be empty or `{}`.
///
/// # Errors
/// 400 otherwise.
pub fn nothing(body: &[u8]) -> Result<(), Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body) {
        Ok(members) if members.is_empty() => Ok(()),
        Ok(members) => {
            let unknown = |name: &String| FieldError::new(name.as_str(), "is not a member of this request");
            Err(Problem::invalid(members.keys().map(unknown).collect()))
        }
        Err(error) => {
            Err(Problem::invalid(vec![FieldError::new("body", format!("must be empty or {{}}: {error}"))]))
        }
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
