//! The buyer's endpoints, as the HTTP contract has them.

pub mod checkout;
pub mod checkout_form;
pub mod order;
pub mod payment;
pub mod sale;
pub mod sessions;
pub mod status;

use http::{HeaderMap, header};

/// The bearer token of a request.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
