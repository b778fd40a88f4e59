//! The routes that a herd takes: recognised by hand, and answered without a router or a map of headers.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header};

use crate::api::{checkout, status};
use crate::client_address::{self, AddressHeader};
use crate::edge::Edge;
use crate::listener::Peer;
use crate::metrics::Route;
use crate::path_part::decoded;
use crate::reply::Whole;

/// The header that may replace the member of the same name.
pub const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The solution of a challenge.
pub const SOLUTION_HEADER: HeaderName = HeaderName::from_static("challenge-solution");

/// A request of one of these routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hot<'a> {
    /// `POST /v1/sales/{sale}/checkout`.
    Checkout {
        /// The sale, as the path has it.
        sale: &'a str,
    },
    /// `GET /v1/orders/status/{ticket}`.
    Status {
        /// The ticket, as the path has it.
        ticket: &'a str,
    },
}

impl<'a> Hot<'a> {
    /// Which of these routes a request takes, if any.
    #[must_use]
    pub fn of(method: &str, path: &'a str) -> Option<Self> {
        let part = |part: &'a str| (!part.is_empty() && !part.contains('/')).then_some(part);
        match method {
            "POST" => {
                let sale = path.strip_prefix("/v1/sales/")?.strip_suffix("/checkout")?;
                Some(Self::Checkout { sale: part(sale)? })
            }
            "GET" => Some(Self::Status { ticket: part(path.strip_prefix("/v1/orders/status/")?)? }),
            _ => None,
        }
    }

    /// Largest body that its requests may have, bytes.
    #[must_use]
    pub const fn largest_body(self) -> usize {
        match self {
            Self::Checkout { .. } => checkout::LARGEST,
            Self::Status { .. } => 0,
        }
    }

    pub(crate) const fn route(self) -> Route {
        match self {
            Self::Checkout { .. } => Route::Checkout,
            Self::Status { .. } => Route::Status,
        }
    }
}

/// A request of one of these routes, as a connection reads it.
#[derive(Clone, Copy, Debug)]
pub struct HotRequest<'a> {
    /// Which route.
    pub hot: Hot<'a>,
    /// The path.
    pub path: &'a str,
    /// The headers that matter.
    pub given: Given<'a>,
    /// What may say whose it is.
    pub told: Told<'a>,
    /// The body.
    pub body: &'a [u8],
}

/// What may say whose a request is; the configuration says which one counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// `X-Forwarded-For`.
    pub x_forwarded_for: Option<&'a [u8]>,
    /// `Forwarded`.
    pub forwarded: Option<&'a [u8]>,
}

impl<'a> Told<'a> {
    /// The line of one of them.
    #[must_use]
    pub const fn line(&self, header: AddressHeader) -> Option<&'a [u8]> {
        match header {
            AddressHeader::XForwardedFor => self.x_forwarded_for,
            AddressHeader::Forwarded => self.forwarded,
        }
    }
}

/// The headers that these routes look at. One that was sent several times, which two readers could read in two ways, is not
/// there, unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// `Content-Type`.
    pub content_type: Option<&'a [u8]>,
    /// `Idempotency-Key`: the first.
    pub key: Option<&'a [u8]>,
    /// `Challenge-Solution`.
    pub solution: Option<&'a [u8]>,
    /// Whether `Idempotency-Key` was sent more than once.
    pub key_repeated: bool,
}

impl<'a> Given<'a> {
    /// Out of a map of headers.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        Self {
            authorization: only(headers, &header::AUTHORIZATION),
            content_type: only(headers, &header::CONTENT_TYPE),
            key: headers.get(KEY_HEADER).map(http::HeaderValue::as_bytes),
            solution: only(headers, &SOLUTION_HEADER),
            key_repeated: headers.get_all(KEY_HEADER).iter().nth(1).is_some(),
        }
    }
}

/// A header that was sent once.
#[must_use]
pub fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut sent = headers.get_all(name).iter();
    sent.next().filter(|_| sent.next().is_none()).map(http::HeaderValue::as_bytes)
}

/// A header's value as text; `None` where it has anything but visible ASCII, spaces and tabs.
#[must_use]
pub fn visible(value: &[u8]) -> Option<&str> {
    let plain = value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    if plain { std::str::from_utf8(value).ok() } else { None }
}

/// Whose request it is, by the connection and the lines of the header that proxies write.
pub fn client<'a>(edge: &Edge, lines: impl DoubleEndedIterator<Item = &'a [u8]>, peer: Peer) -> IpAddr {
    client_address::client(peer.address.ip(), edge.address_header, lines, &*edge.trusted)
}

/// Answers a request of one of these routes.
pub async fn answer(edge: &Edge, request: &HotRequest<'_>, client: IpAddr) -> Whole {
    let answered = match request.hot {
        Hot::Checkout { sale } => {
            checkout::checkout(edge, &decoded(sale), client, &request.given, request.body).await
        }
        Hot::Status { ticket } => status::status(edge, &decoded(ticket)).await,
    };
    answered.unwrap_or_else(|problem| problem.whole(request.path))
}

#[cfg(test)]
#[path = "hot_tests.rs"]
mod tests;
