//! What pages of other origins may ask of `/v1`, and what they may read of the answers (CORS).

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};

use crate::reply::{self, EXPOSED};

const ALLOWED_HEADERS: &str =
    "Authorization, Challenge-Solution, Content-Type, Idempotency-Key, Last-Event-ID";

/// Lets pages of other origins read an answer.
pub(crate) fn open_to_browsers(mut reply: Response<Body>) -> Response<Body> {
    let headers = reply.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    reply
}

/// What pages of other origins may ask.
pub(crate) fn preflight() -> Response<Body> {
    let mut reply = open_to_browsers(reply::empty(StatusCode::NO_CONTENT));
    let headers = reply.headers_mut();
    headers
        .insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    reply
}
