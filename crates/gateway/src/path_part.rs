//! Parts of the path: whether they fit a pattern, and the variable one, percent-decoded.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use percent_encoding::percent_decode_str;

/// Stands for a part whose bytes are no text: no identifier has this character, so that nothing is found by it.
const NO_TEXT: char = char::REPLACEMENT_CHARACTER;

/// The one variable part of a route's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPart(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathPart {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let part = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(part.map_or_else(|_| NO_TEXT.to_string(), |Path(text)| text)))
    }
}

/// The variable part of a path that no router has read, percent-decoded.
pub fn decoded(part: &str) -> Cow<'_, str> {
    percent_decode_str(part).decode_utf8().unwrap_or_else(|_| NO_TEXT.to_string().into())
}

/// Whether a path is one of a pattern, in which a part in braces stands for any part that is not empty.
pub fn fits(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted.starts_with('{') && !part.is_empty() => {}
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
}
