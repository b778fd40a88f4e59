//! Every error that a client may get, as `application/problem+json` (RFC 9457).
//!
//! `type` is `/problems/<code>`, a page that says what the code means and what to do.

use axum::body::Body;
use domain::id::SaleId;
use http::{HeaderValue, Response, StatusCode, header};
use ports::Fault;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::edge::Edge;
use crate::reply::Whole;

/// What went wrong, by the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The body is larger than the endpoint takes.
    BodyTooLarge,
    /// The head has too many lines, or too many bytes.
    HeadersTooLarge,
    /// Shed before any work.
    Overloaded,
    /// Not the media type that the endpoint takes.
    UnsupportedMediaType,
    /// No session, or one that is not valid.
    InvalidSession,
    /// No operator's token, or a wrong one.
    NotAuthorised,
    /// Too many requests.
    RateLimited,
    /// Malformed.
    InvalidRequest,
    /// The body took too long.
    RequestTimeout,
    /// `user_id` is not the session's subject.
    UserMismatch,
    /// No such sale.
    UnknownSale,
    /// The sale has no such product.
    UnknownProduct,
    /// No such ticket.
    UnknownTicket,
    /// The key was used for something else.
    IdempotencyKeyReused,
    /// The sale is over.
    SaleEnded,
    /// The sale has not begun.
    SaleNotStarted,
    /// The operator has stopped new checkouts.
    Paused,
    /// The sale asks for a challenge, and none was passed.
    ChallengeRequired,
    /// With this, the buyer would have more than one buyer may.
    LimitReached,
    /// Every unit is confirmed.
    SoldOut,
    /// Nothing is free now.
    AllUnitsHeld,
    /// Less is free than asked for.
    NotEnoughUnits,
    /// A store is away.
    Unavailable,
    /// The order is paid.
    AlreadyConfirmed,
    /// No more time can be had.
    NoExtension,
    /// A sale of that name exists.
    SaleExists,
    /// The sale is live.
    AlreadyLive,
    /// The order has no money to give back.
    NotRefundable,
    /// The webhook is not believed.
    InvalidWebhook,
    /// No such address.
    NotFound,
    /// The address does not take this method.
    MethodNotAllowed,
}

impl Code {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body-too-large",
            Self::HeadersTooLarge => "headers-too-large",
            Self::Overloaded => "overloaded",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::InvalidSession => "invalid-session",
            Self::NotAuthorised => "not-authorised",
            Self::RateLimited => "rate-limited",
            Self::InvalidRequest => "invalid-request",
            Self::RequestTimeout => "request-timeout",
            Self::UserMismatch => "user-mismatch",
            Self::UnknownSale => "unknown-sale",
            Self::UnknownProduct => "unknown-product",
            Self::UnknownTicket => "unknown-ticket",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::SaleEnded => "sale-ended",
            Self::SaleNotStarted => "sale-not-started",
            Self::Paused => "paused",
            Self::ChallengeRequired => "challenge-required",
            Self::LimitReached => "limit-reached",
            Self::SoldOut => "sold-out",
            Self::AllUnitsHeld => "all-units-held",
            Self::NotEnoughUnits => "not-enough-units",
            Self::Unavailable => "unavailable",
            Self::AlreadyConfirmed => "already-confirmed",
            Self::NoExtension => "no-extension",
            Self::SaleExists => "sale-exists",
            Self::AlreadyLive => "already-live",
            Self::NotRefundable => "not-refundable",
            Self::InvalidWebhook => "invalid-webhook",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
        }
    }

    /// The status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::InvalidWebhook => StatusCode::BAD_REQUEST,
            Self::InvalidSession | Self::NotAuthorised => StatusCode::UNAUTHORIZED,
            Self::UserMismatch | Self::SaleNotStarted | Self::ChallengeRequired => StatusCode::FORBIDDEN,
            Self::UnknownSale | Self::UnknownProduct | Self::UnknownTicket | Self::NotFound => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::LimitReached
            | Self::AllUnitsHeld
            | Self::NotEnoughUnits
            | Self::AlreadyConfirmed
            | Self::NoExtension
            | Self::SaleExists
            | Self::AlreadyLive
            | Self::NotRefundable => StatusCode::CONFLICT,
            Self::SaleEnded | Self::SoldOut => StatusCode::GONE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded | Self::Paused | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "The request's body is too large",
            Self::HeadersTooLarge => "The request's headers are too large",
            Self::Overloaded => "Too many requests at once",
            Self::UnsupportedMediaType => "The request's media type is not supported",
            Self::InvalidSession => "The session is missing or not valid",
            Self::NotAuthorised => "The operator's token is missing or wrong",
            Self::RateLimited => "Too many requests",
            Self::InvalidRequest => "The request is not valid",
            Self::RequestTimeout => "The request took too long to arrive",
            Self::UserMismatch => "The session belongs to somebody else",
            Self::UnknownSale => "There is no such sale",
            Self::UnknownProduct => "The sale has no such product",
            Self::UnknownTicket => "There is no such ticket",
            Self::IdempotencyKeyReused => "The idempotency key was used for something else",
            Self::SaleEnded => "The sale is over",
            Self::SaleNotStarted => "The sale has not begun",
            Self::Paused => "The sale is paused",
            Self::ChallengeRequired => "A challenge must be solved first",
            Self::LimitReached => "More than one buyer may have",
            Self::SoldOut => "Sold out",
            Self::AllUnitsHeld => "All units are held",
            Self::NotEnoughUnits => "Not enough units are free",
            Self::Unavailable => "Something we need is away",
            Self::AlreadyConfirmed => "The order is paid",
            Self::NoExtension => "The hold cannot be extended",
            Self::SaleExists => "There is a sale of that name",
            Self::AlreadyLive => "The sale is live",
            Self::NotRefundable => "The order cannot be refunded",
            Self::InvalidWebhook => "The webhook is not believed",
            Self::NotFound => "There is nothing here",
            Self::MethodNotAllowed => "This address does not take the method",
        }
    }
}

/// What is wrong with one member of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The member, e.g. `products[0].price.amount`; `body` for the whole.
    pub field: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

impl FieldError {
    /// What is wrong with `field`.
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// Bytes of the longest path that an error repeats: longer than any of ours.
const LONGEST_INSTANCE: usize = 512;

/// An error as it goes to the client.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    retry_after_s: Option<u64>,
    members: Map<String, Value>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// With what happened in this very case.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after_s: None, members: Map::new(), headers: Vec::new() }
    }

    /// The request is malformed: every mistake at once.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.detail),
            many => format!("{} members are wrong", many.len()),
        };
        let errors = serde_json::to_value(errors).unwrap_or_default();
        Self::new(Code::InvalidRequest, detail).member("errors", errors)
    }

    /// With a member of its own.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// With `Retry-After`: whole seconds, rounded up, at least 1.
    #[must_use]
    pub const fn retry_after_ms(mut self, wait_ms: u64) -> Self {
        let seconds = wait_ms.div_ceil(1_000);
        self.retry_after_s = Some(if seconds == 0 { 1 } else { seconds });
        self
    }

    /// With another header.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What it says.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The answer; `instance` is the path that was asked for, of which the first 512 bytes are repeated.
    #[must_use]
    pub fn whole(self, instance: &str) -> Whole {
        let body = self.body(instance);
        let Self { code, retry_after_s, mut headers, .. } = self;
        if matches!(code, Code::InvalidSession | Code::NotAuthorised) {
            headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        Whole { status: code.status(), media: "application/problem+json", body, retry_after_s, headers }
    }

    /// The answer with a map of headers.
    #[must_use]
    pub fn reply(self, instance: &str) -> Response<Body> {
        self.whole(instance).response()
    }

    /// The document. Refusals are the herd's usual answer: it is written straight into its bytes.
    fn body(&self, instance: &str) -> String {
        let code = self.code.as_str();
        let mut body = String::with_capacity(512);
        body.push_str("{\"type\":\"/problems/");
        body.push_str(code);
        body.push_str("\",\"title\":\"");
        body.push_str(self.code.title());
        body.push_str("\",\"status\":");
        body.push_str(self.code.status().as_str());
        body.push_str(",\"code\":\"");
        body.push_str(code);
        body.push_str("\",\"detail\":");
        quote(&self.detail, &mut body);
        body.push_str(",\"instance\":");
        quote(cut(instance), &mut body);
        for (name, value) in &self.members {
            body.push(',');
            quote(name, &mut body);
            body.push(':');
            match value {
                Value::String(text) => quote(text, &mut body),
                other => body.push_str(&other.to_string()),
            }
        }
        body.push('}');
        body
    }
}

/// The beginning of a path: whoever sends a long one is not sent all of it back.
fn cut(instance: &str) -> &str {
    &instance[..instance.floor_char_boundary(LONGEST_INSTANCE)]
}

/// A text as JSON; what needs no escaping is copied.
fn quote(text: &str, to: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
        to.push('"');
        to.push_str(text);
        to.push('"');
    } else {
        to.push_str(&Value::from(text).to_string());
    }
}

/// What a handler gives.
pub type Answer = Result<Response<Body>, Problem>;

/// A sale's identifier out of a path.
///
/// # Errors
/// 404: no sale has such a name.
pub fn known_id(sale: &str) -> Result<SaleId, Problem> {
    SaleId::parse(sale).map_err(|_| unknown_sale())
}

/// 404.
#[must_use]
pub fn unknown_sale() -> Problem {
    Problem::new(Code::UnknownSale, "no sale has this sale_id")
}

/// A fault as the client sees it, who is told to come back: said, never explained, since what a store says is nobody's business
/// outside.
#[must_use]
pub fn fault(edge: &Edge, fault: &Fault) -> Problem {
    let wait_ms = edge.busy_ms();
    match fault {
        Fault::Overloaded(_) => {
            Problem::new(Code::Overloaded, "too much waits already; nothing was done").retry_after_ms(wait_ms)
        }
        Fault::Closed(_) => Problem::new(
            Code::Unavailable,
            "the stock is being made ready; send this again, with the same key where it has one",
        )
        .retry_after_ms(wait_ms),
        Fault::Unavailable { .. } | Fault::Damaged { .. } => {
            edge.stores.met(fault.what(), "answered-503", fault);
            Problem::new(Code::Unavailable, "a store does not answer; this may have been done all the same: send it again, with the same key where it has one")
                .retry_after_ms(wait_ms)
        }
    }
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
