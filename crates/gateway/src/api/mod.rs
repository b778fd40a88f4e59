//! The buyer's endpoints, as the HTTP contract has them.

pub mod challenge;
pub mod checkout;
pub mod checkout_form;
pub mod order;
pub mod payment;
pub mod sale;
pub mod sessions;
pub mod status;

use crate::hot::visible;

/// The bearer token of an `Authorization` header.
#[must_use]
pub fn bearer(authorization: Option<&[u8]>) -> Option<&str> {
    let (scheme, token) = visible(authorization?)?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
